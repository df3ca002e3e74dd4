/* SPDX-License-Identifier: Apache-2.0 */
/*
 * os_util.h - what the tests of os share: a directory of their own, what is in
 * a file, which descriptors are open.
 */
#ifndef TESTS_STDLIB_OS_OS_UTIL_H
#define TESTS_STDLIB_OS_OS_UTIL_H

#include "tests/support/wt.h"

#include <wend/std/os.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace os_util
{

class TempDir
{
      public:
	TempDir()
	{
		char *path = nullptr;

		EXPECT_EQ(0, wend_os_temp_dir(nullptr, "wend-os-", &path));
		path_ = path ? path : "";
		free(path);
	}
	~TempDir()
	{
		EXPECT_EQ(0, wend_os_remove_all(path_.c_str()));
	}
	TempDir(const TempDir &) = delete;
	TempDir &operator=(const TempDir &) = delete;
	std::string operator/(const std::string &name) const
	{
		return path_ + "/" + name;
	}
	const std::string &Path() const
	{
		return path_;
	}

      private:
	std::string path_;
};

inline std::string Slurp(const std::string &path)
{
	std::ifstream in(path);
	std::stringstream all;

	all << in.rdbuf();
	return all.str();
}

inline void Spill(const std::string &path, const std::string &text)
{
	std::ofstream(path) << text;
}

inline bool Exists(const std::string &path)
{
	struct stat st;

	return lstat(path.c_str(), &st) == 0;
}

/* The descriptors that are open, as what they lead to; without those that the
 * runtime makes when it needs them. */
inline std::multiset<std::string> OpenFiles()
{
	std::multiset<std::string> all;
	DIR *d = opendir("/proc/self/fd");
	int self = dirfd(d);
	struct dirent *e;

	while ((e = readdir(d))) {
		char to[512];
		std::string path = std::string("/proc/self/fd/") + e->d_name;
		ssize_t n;

		if (e->d_name[0] == '.' || atoi(e->d_name) == self)
			continue;
		n = readlink(path.c_str(), to, sizeof(to));
		path = n > 0 ? std::string(to, (size_t)n) : "?";
		if (path != "anon_inode:[io_uring]" &&
		    path != "anon_inode:[eventfd]" &&
		    path != "anon_inode:[eventpoll]")
			all.insert(path);
	}
	closedir(d);
	return all;
}

/* How many descriptors are open, of all kinds. */
inline size_t CountOpenFiles()
{
	size_t n = 0;

	for (int fd = 0; fd < 4096; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

} // namespace os_util

#endif
