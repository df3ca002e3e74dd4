/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look.cc - looking at the runtime and the process from a test.
 */
#include "tests/support/wt.h"

#include <dirent.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <regex>
#include <sstream>

namespace wt
{

namespace
{

/* pread() needs no position, so it disturbs nobody who writes. */
std::string FileText(int fd)
{
	struct stat st;
	std::string text;

	if (fstat(fd, &st) != 0)
		return text;
	text.resize((size_t)st.st_size);
	ssize_t n = pread(fd, &text[0], text.size(), 0);
	text.resize(n > 0 ? (size_t)n : 0);
	return text;
}

int CountLines(const std::string &text, const std::string &part)
{
	std::istringstream in(text);
	std::string line;
	int n = 0;

	while (std::getline(in, line))
		n += line.find(part) != std::string::npos;
	return n;
}

class OneLineMatcher : public testing::MatcherInterface<const std::string &>
{
      public:
	explicit OneLineMatcher(std::string regex) : regex_(std::move(regex))
	{
	}
	bool MatchAndExplain(const std::string &text,
			     testing::MatchResultListener *) const override
	{
		return HasLine(text, regex_, true);
	}
	void DescribeTo(std::ostream *os) const override
	{
		*os << "one line \"wend: ...\" that matches " << regex_;
	}

      private:
	std::string regex_;
};

} // namespace

std::string Dump()
{
	int fd = memfd_create("dump", MFD_CLOEXEC);

	if (fd < 0)
		return "";
	wend_dump(fd);
	std::string text = FileText(fd);
	close(fd);
	return text;
}

void AwaitWaiting(const char *name, int n)
{
	std::string part = std::string("\"") + name + "\": waiting";

	while (CountLines(Dump(), part) < n)
		wend_yield();
}

int Threads()
{
	DIR *d = opendir("/proc/self/task");
	int n = 0;

	if (!d)
		return -1;
	while (struct dirent *e = readdir(d))
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

/* A joined thread may be listed for a moment yet. */
void AwaitThreads(int n)
{
	/* ThreadSanitizer starts one of its own with the program's first. */
	while (Threads() > (kTsan && n < 2 ? 2 : n))
		sched_yield();
}

StderrCapture::StderrCapture()
{
	fflush(stderr);
	file_ = memfd_create("stderr", MFD_CLOEXEC);
	saved_ = dup(2);
	dup2(file_, 2);
}

StderrCapture::~StderrCapture()
{
	Text();
	close(file_);
}

std::string StderrCapture::Text()
{
	if (saved_ >= 0) {
		fflush(stderr);
		dup2(saved_, 2);
		close(saved_);
		saved_ = -1;
	}
	return FileText(file_);
}

Env::Env(const char *name, const char *value) : name_(name)
{
	const char *old = getenv(name);

	had_ = old != nullptr;
	old_ = old ? old : "";
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

Env::~Env()
{
	if (had_)
		setenv(name_.c_str(), old_.c_str(), 1);
	else
		unsetenv(name_.c_str());
}

/* Lines that do not begin with "wend: " (a sanitizer's, say) do not count. */
bool HasLine(const std::string &text, const std::string &regex, bool only)
{
	std::regex re(regex, std::regex::extended | std::regex::icase);
	std::istringstream in(text);
	std::string line;
	int lines = 0, hits = 0;

	while (std::getline(in, line)) {
		if (line.rfind("wend: ", 0) != 0)
			continue;
		lines++;
		hits += std::regex_search(line, re);
	}
	return only ? lines == 1 && hits == 1 : hits > 0;
}

testing::Matcher<const std::string &> OneLine(const std::string &regex)
{
	return testing::Matcher<const std::string &>(new OneLineMatcher(regex));
}

} // namespace wt
