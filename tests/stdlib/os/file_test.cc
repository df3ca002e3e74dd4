/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_test.cc - whole files, directories, names of their own.
 */
#include "tests/stdlib/os/os_util.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <atomic>

using namespace os_util;

namespace
{

std::vector<std::string> Names(const std::string &dir)
{
	struct wend_os_entry *list = nullptr;
	std::vector<std::string> names;
	ssize_t n = wend_os_read_dir(dir.c_str(), &list);

	EXPECT_GE(n, 0);
	for (ssize_t i = 0; i < n; i++)
		names.push_back(list[i].name);
	free(list);
	return names;
}

mode_t ModeOf(const std::string &path)
{
	struct stat st = {};

	EXPECT_EQ(0, lstat(path.c_str(), &st));
	return st.st_mode & 07777;
}

} // namespace

TEST(OsFile, ReadsFilesOfAnySize)
{
	wt::RunOnce(2, [] {
		TempDir dir;

		for (size_t size : { 0, 1, 4094, 4095, 4096, 4097, 100000 }) {
			std::string text(size, 'x'), path = dir / "f";
			char *data = nullptr;
			size_t n = 1;

			Spill(path, text);
			ASSERT_EQ(0, wend_os_read_file(path.c_str(), 0, &data,
						       &n));
			EXPECT_EQ(size, n);
			EXPECT_EQ(0, data[n]);
			EXPECT_EQ(text, std::string(data, n));
			free(data);
		}
	});
}

/* Of which stat() does not know the size. */
TEST(OsFile, ReadsWhatHasNoSize)
{
	wt::RunOnce(2, [] {
		char *data = nullptr;
		size_t n = 0;

		ASSERT_EQ(0,
			  wend_os_read_file("/proc/self/status", 0, &data, &n));
		EXPECT_NE(nullptr, strstr(data, "Threads:"));
		EXPECT_EQ(strlen(data), n);
		free(data);
	});
}

TEST(OsFile, ReadStopsAtTheLimit)
{
	wt::RunOnce(2, [] {
		TempDir dir;
		char *data = nullptr;
		std::string path = dir / "f";

		Spill(path, "12345");
		EXPECT_EQ(-EFBIG,
			  wend_os_read_file(path.c_str(), 4, &data, nullptr));
		EXPECT_EQ(-EFBIG, wend_os_read_file("/dev/zero", 1 << 20, &data,
						    nullptr));
		EXPECT_EQ(nullptr, data);
		ASSERT_EQ(0,
			  wend_os_read_file(path.c_str(), 5, &data, nullptr));
		EXPECT_STREQ("12345", data);
		free(data);
	});
}

TEST(OsFile, ReadErrors)
{
	wt::RunOnce(2, [] {
		TempDir dir;
		char *data = nullptr;

		EXPECT_EQ(-ENOENT, wend_os_read_file((dir / "no").c_str(), 0,
						     &data, nullptr));
		EXPECT_EQ(-EISDIR, wend_os_read_file(dir.Path().c_str(), 0,
						     &data, nullptr));
		EXPECT_EQ(nullptr, data);
		EXPECT_EQ(-ENOENT,
			  wend_os_open((dir / "no").c_str(), O_RDONLY, 0));
	});
}

TEST(OsFile, OpenedForNoOtherProgram)
{
	wt::RunOnce(2, [] {
		int fd = wend_os_open("/dev/null", O_RDONLY, 0);

		ASSERT_GE(fd, 0);
		EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
		close(fd);
	});
}

TEST(OsFile, WriteReplacesAll)
{
	wt::RunOnce(2, [] {
		TempDir dir;
		std::string path = dir / "f";
		mode_t mask = umask(022);

		ASSERT_EQ(0,
			  wend_os_write_file(path.c_str(), "one two", 7, 0666));
		EXPECT_EQ("one two", Slurp(path));
		EXPECT_EQ((mode_t)0644, ModeOf(path));
		ASSERT_EQ(0, wend_os_write_file(path.c_str(), "3", 1, 0600));
		EXPECT_EQ("3", Slurp(path));
		EXPECT_EQ((mode_t)0600, ModeOf(path));
		ASSERT_EQ(0,
			  wend_os_write_file(path.c_str(), nullptr, 0, 0600));
		EXPECT_EQ("", Slurp(path));
		EXPECT_EQ(std::vector<std::string>{ "f" }, Names(dir.Path()));
		umask(mask);
	});
}

TEST(OsFile, WriteReplacesALink)
{
	wt::RunOnce(2, [] {
		TempDir dir;

		Spill(dir / "to", "kept");
		ASSERT_EQ(0, symlink("to", (dir / "link").c_str()));
		ASSERT_EQ(0, wend_os_write_file((dir / "link").c_str(), "new",
						3, 0600));
		EXPECT_EQ("kept", Slurp(dir / "to"));
		EXPECT_EQ("new", Slurp(dir / "link"));
	});
}

/* The old file stays, and nothing is left behind. */
TEST(OsFile, AFailedWriteChangesNothing)
{
	wt::RunOnce(2, [] {
		TempDir dir;
		struct rlimit old, small;
		std::string path = dir / "f", much(100000, 'x');
		void (*before)(int) = signal(SIGXFSZ, SIG_IGN);

		Spill(path, "old");
		ASSERT_EQ(0, getrlimit(RLIMIT_FSIZE, &old));
		small = old;
		small.rlim_cur = 4096;
		ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &small));
		EXPECT_EQ(-EFBIG, wend_os_write_file(path.c_str(), much.data(),
						     much.size(), 0600));
		ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &old));
		signal(SIGXFSZ, before);
		EXPECT_EQ("old", Slurp(path));
		ASSERT_EQ(0, wend_os_mkdir_all((dir / "d/e").c_str(), 0700));
		EXPECT_LT(wend_os_write_file((dir / "d").c_str(), "x", 1, 0600),
			  0);
		EXPECT_EQ(-ENOENT, wend_os_write_file((dir / "no/f").c_str(),
						      "x", 1, 0600));
		EXPECT_EQ((std::vector<std::string>{ "d", "f" }),
			  Names(dir.Path()));
	});
}

/* Whoever reads meanwhile sees one or the other whole. */
TEST(OsFile, ReadersSeeWholeFiles)
{
	wt::RunOn(2, [] {
		TempDir dir;
		std::string path = dir / "f";
		std::atomic<bool> stop{ false };
		wt::Group g;

		Spill(path, "a");
		g.Go([&] {
			for (int i = 0; i < 20; i++) {
				std::string text(1u + (size_t)(i % 2) * 50000,
						 (char)('a' + i % 2));

				EXPECT_EQ(0, wend_os_write_file(
						     path.c_str(), text.data(),
						     text.size(), 0600));
			}
			stop = true;
		});
		while (!stop) {
			char *data = nullptr;
			size_t n = 0;

			ASSERT_EQ(0, wend_os_read_file(path.c_str(), 0, &data,
						       &n));
			EXPECT_EQ(std::string(data[0] == 'a' ? 1 : 50001,
					      data[0]),
				  std::string(data, n));
			free(data);
			wend_yield();
		}
	});
}

TEST(OsDir, MakesAllThatIsMissing)
{
	wt::RunOnce(2, [] {
		TempDir dir;
		std::string deep = dir / "a/b//c/";
		struct stat st;

		for (int i = 0; i < 2; i++)
			EXPECT_EQ(0, wend_os_mkdir_all(deep.c_str(), 0700));
		ASSERT_EQ(0, stat((dir / "a/b/c").c_str(), &st));
		EXPECT_TRUE(S_ISDIR(st.st_mode));
		EXPECT_EQ(0, wend_os_mkdir_all("/", 0700));
		Spill(dir / "f", "");
		EXPECT_EQ(-ENOTDIR,
			  wend_os_mkdir_all((dir / "f").c_str(), 0700));
		EXPECT_EQ(-ENOTDIR,
			  wend_os_mkdir_all((dir / "f/g").c_str(), 0700));
		EXPECT_EQ(-ENOENT, wend_os_mkdir_all("", 0700));
	});
}

TEST(OsDir, ListsInOrder)
{
	wt::RunOnce(2, [] {
		TempDir dir;
		struct wend_os_entry *list = nullptr;
		std::vector<std::string> names;

		EXPECT_EQ(0u, Names(dir.Path()).size());
		for (int i = 0; i < 300; i++) {
			names.push_back("name-" + std::to_string(i));
			Spill(dir / names.back(), "");
		}
		ASSERT_EQ(0, mkdir((dir / "0").c_str(), 0700));
		names.push_back("0");
		std::sort(names.begin(), names.end());
		EXPECT_EQ(names, Names(dir.Path()));
		ASSERT_LT(0, wend_os_read_dir(dir.Path().c_str(), &list));
		EXPECT_EQ(DT_DIR, list[0].type);
		EXPECT_EQ(DT_REG, list[1].type);
		free(list);
		EXPECT_EQ(-ENOENT,
			  wend_os_read_dir((dir / "no").c_str(), &list));
		EXPECT_EQ(-ENOTDIR,
			  wend_os_read_dir((dir / "name-1").c_str(), &list));
	});
}

TEST(OsDir, RemovesAllAndFollowsNoLink)
{
	wt::RunOnce(2, [] {
		TempDir dir, other;

		Spill(other / "kept", "x");
		ASSERT_EQ(0, wend_os_mkdir_all((dir / "a/b/c").c_str(), 0700));
		ASSERT_EQ(0, wend_os_mkdir_all((dir / "a/d").c_str(), 0700));
		Spill(dir / "a/b/f", "x");
		Spill(dir / "a/g", "x");
		ASSERT_EQ(0, symlink(other.Path().c_str(),
				     (dir / "a/link").c_str()));
		ASSERT_EQ(0, symlink("nothing", (dir / "dangling").c_str()));
		EXPECT_EQ(0, wend_os_remove_all((dir / "a").c_str()));
		EXPECT_EQ(0, wend_os_remove_all((dir / "dangling").c_str()));
		EXPECT_FALSE(Exists(dir / "a"));
		EXPECT_FALSE(Exists(dir / "dangling"));
		EXPECT_EQ("x", Slurp(other / "kept"));
		EXPECT_EQ(0, wend_os_remove_all((dir / "a").c_str()));
		Spill(dir / "f", "");
		EXPECT_EQ(-ENOTDIR, wend_os_remove_all((dir / "f/g").c_str()));
	});
}

/* Deeper than there are descriptors: an error, and when there are enough, it
 * goes. */
TEST(OsDir, DeeperThanDescriptors)
{
	wt::RunOnce(2, [] {
		TempDir dir;
		struct rlimit old, few;
		std::string deep = dir.Path();

		for (int i = 0; i < 200; i++)
			deep += "/d";
		ASSERT_EQ(0, wend_os_mkdir_all(deep.c_str(), 0700));
		ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
		few = old;
		few.rlim_cur = 100;
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &few));
		EXPECT_EQ(-EMFILE, wend_os_remove_all((dir / "d").c_str()));
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
		EXPECT_EQ(0, wend_os_remove_all((dir / "d").c_str()));
		EXPECT_FALSE(Exists(dir / "d"));
	});
}

/* What cannot be removed is left, the rest is not. */
TEST(OsDir, GoesOnAfterAnError)
{
	if (geteuid() == 0)
		GTEST_SKIP() << "root may remove everything";
	wt::RunOnce(2, [] {
		TempDir dir;

		ASSERT_EQ(0,
			  wend_os_mkdir_all((dir / "a/locked").c_str(), 0700));
		Spill(dir / "a/locked/f", "");
		Spill(dir / "a/g", "");
		ASSERT_EQ(0, chmod((dir / "a/locked").c_str(), 0500));
		EXPECT_EQ(-EACCES, wend_os_remove_all((dir / "a").c_str()));
		EXPECT_FALSE(Exists(dir / "a/g"));
		EXPECT_TRUE(Exists(dir / "a/locked/f"));
		ASSERT_EQ(0, chmod((dir / "a/locked").c_str(), 0700));
	});
}

TEST(OsTemp, NamesOfTheirOwn)
{
	wt::RunOnce(2, [] {
		TempDir dir;
		std::set<std::string> seen;

		for (int i = 0; i < 50; i++) {
			char *path = nullptr;
			int fd = wend_os_temp_file(dir.Path().c_str(), "t-",
						   &path);

			ASSERT_GE(fd, 0);
			EXPECT_EQ(0u, std::string(path).find(dir / "t-"));
			EXPECT_TRUE(seen.insert(path).second);
			EXPECT_EQ((mode_t)0600, ModeOf(path));
			EXPECT_EQ(2, write(fd, "ab", 2));
			EXPECT_EQ(0, lseek(fd, 0, SEEK_SET));
			close(fd);
			free(path);
		}
		EXPECT_EQ(50u, Names(dir.Path()).size());
	});
}

TEST(OsTemp, WhereTmpdirSays)
{
	wt::RunOnce(2, [] {
		TempDir dir;
		wt::Env tmp("TMPDIR", dir.Path().c_str());
		char *path = nullptr;

		ASSERT_EQ(0, wend_os_temp_dir(nullptr, "d-", &path));
		EXPECT_EQ(0u, std::string(path).find(dir / "d-"));
		EXPECT_EQ((mode_t)0700, ModeOf(path));
		free(path);
		EXPECT_EQ(-ENOENT,
			  wend_os_temp_dir((dir / "no").c_str(), "d-", &path));
		EXPECT_EQ(-ENOENT,
			  wend_os_temp_file((dir / "no").c_str(), "", &path));
	});
}
