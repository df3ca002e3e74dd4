/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc_test.cc - processes: what they are started with, how they end.
 */
#include "tests/stdlib/os/os_util.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <csignal>

using namespace os_util;

namespace
{

/* sh -c SCRIPT, with its standard descriptors. */
class Shell
{
      public:
	explicit Shell(const char *script, int in = WEND_OS_NULL,
		       int out = WEND_OS_NULL, int err = WEND_OS_INHERIT)
		: argv_{ "sh", "-c", script, nullptr }
	{
		cmd.argv = argv_;
		cmd.in = in;
		cmd.out = out;
		cmd.err = err;
	}
	~Shell()
	{
		wend_os_proc_free(p);
	}
	Shell(const Shell &) = delete;
	Shell &operator=(const Shell &) = delete;
	int Start()
	{
		return wend_os_start(&cmd, &p);
	}
	/* All that it writes to descriptor which. */
	std::string Read(int which = 1)
	{
		std::string all;
		char buf[1000];
		ssize_t n;

		while ((n = read(wend_os_proc_pipe(p, which), buf,
				 sizeof(buf))) > 0)
			all.append(buf, (size_t)n);
		EXPECT_EQ(0, n);
		return all;
	}
	struct wend_os_exit Wait()
	{
		struct wend_os_exit end = {};

		EXPECT_EQ(0, wend_os_proc_wait(p, &end));
		return end;
	}
	void ReadLine(const std::string &line)
	{
		std::string got(line.size() + 1, 0);

		EXPECT_EQ((ssize_t)got.size(),
			  read(wend_os_proc_pipe(p, 1), &got[0], got.size()));
		EXPECT_EQ(line + "\n", got);
	}

	wend_os_cmd cmd = {};
	wend_os_proc *p = nullptr;

      private:
	const char *argv_[4];
};

/* No child is left, not even a zombie. */
void ExpectNoChildren()
{
	EXPECT_EQ(-1, waitpid(-1, nullptr, WNOHANG));
	EXPECT_EQ(ECHILD, errno);
}

} // namespace

TEST(OsProc, TellsHowItEnded)
{
	wt::Run([] {
		Shell ok("exit 0"), seven("exit 7"), killed("kill -9 $$");
		struct wend_os_exit end;

		for (Shell *s : { &ok, &seven, &killed })
			ASSERT_EQ(0, s->Start());
		end = ok.Wait();
		EXPECT_EQ(0, end.code);
		EXPECT_EQ(0, end.signal);
		EXPECT_EQ(7, seven.Wait().code);
		end = killed.Wait();
		EXPECT_EQ(-1, end.code);
		EXPECT_EQ(SIGKILL, end.signal);
		EXPECT_FALSE(end.core);
		/* Asked again. */
		EXPECT_EQ(7, seven.Wait().code);
		EXPECT_EQ(0, wend_os_proc_wait_until(ok.p, 0, nullptr));
		ExpectNoChildren();
	});
}

TEST(OsProc, PipesBothWays)
{
	wt::Run([] {
		Shell s("cat; echo done >&2", WEND_OS_PIPE, WEND_OS_PIPE,
			WEND_OS_PIPE);

		ASSERT_EQ(0, s.Start());
		EXPECT_EQ(5, write(wend_os_proc_pipe(s.p, 0), "hello", 5));
		wend_os_proc_close(s.p, 0);
		wend_os_proc_close(s.p, 0);
		EXPECT_EQ(-EBADF, wend_os_proc_pipe(s.p, 0));
		EXPECT_EQ(-EBADF, wend_os_proc_pipe(s.p, 3));
		EXPECT_EQ("hello", s.Read());
		EXPECT_EQ("done\n", s.Read(2));
		EXPECT_EQ(0, s.Wait().code);
	});
}

TEST(OsProc, DescriptorsOfEveryKind)
{
	wt::Run([] {
		TempDir dir;
		std::string path = dir / "out";
		int fd = wend_os_open(path.c_str(), O_WRONLY | O_CREAT, 0600);
		Shell to_file("cat; echo to file; echo error >&2", WEND_OS_NULL,
			      fd, WEND_OS_STDOUT);
		Shell swapped("echo out; echo err >&2", WEND_OS_NULL,
			      WEND_OS_PIPE, WEND_OS_STDOUT);

		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, to_file.Start());
		EXPECT_EQ(0, to_file.Wait().code);
		EXPECT_EQ("to file\nerror\n", Slurp(path));
		EXPECT_EQ(0, fcntl(fd, F_GETFL) < 0); /* stays ours */
		close(fd);
		ASSERT_EQ(0, swapped.Start());
		EXPECT_EQ("out\nerr\n", swapped.Read());
		EXPECT_EQ(0, swapped.Wait().code);
	});
}

/* With our own 0 closed, what is opened gets that number: all still lands where
 * it should. */
TEST(OsProc, LowDescriptors)
{
	wt::RunOnce(1, [] {
		int ends[2], saved = dup(0);

		ASSERT_GE(saved, 3);
		close(0);
		{
			Shell s("echo x; cat; echo y >&2", WEND_OS_PIPE,
				WEND_OS_PIPE, WEND_OS_PIPE);

			ASSERT_EQ(0, s.Start());
			wend_os_proc_close(s.p, 0);
			EXPECT_EQ("x\n", s.Read(1));
			EXPECT_EQ("y\n", s.Read(2));
			EXPECT_EQ(0, s.Wait().code);
		}
		ASSERT_EQ(0, pipe(ends));
		EXPECT_EQ(0, ends[0]);
		{
			Shell s("cat", WEND_OS_INHERIT, WEND_OS_PIPE,
				WEND_OS_NULL);

			ASSERT_EQ(0, s.Start());
			EXPECT_EQ(3, write(ends[1], "abc", 3));
			close(ends[1]);
			EXPECT_EQ("abc", s.Read());
			EXPECT_EQ(0, s.Wait().code);
		}
		EXPECT_EQ(0, dup2(saved, 0));
		close(saved);
	});
}

TEST(OsProc, EnvironmentAndDirectory)
{
	wt::Run([] {
		TempDir dir;
		const char *const changes[] = { "WEND_OS_TEST=here", nullptr };
		char *none[] = { nullptr }, **env = nullptr;
		Shell s("echo $WEND_OS_TEST; pwd -P", WEND_OS_NULL,
			WEND_OS_PIPE);
		Shell bare("env | grep -c WEND_PORT", WEND_OS_NULL,
			   WEND_OS_PIPE);

		ASSERT_EQ(0, wend_os_env_list(changes, &env));
		s.cmd.env = env;
		s.cmd.dir = dir.Path().c_str();
		ASSERT_EQ(0, s.Start());
		free(env);
		EXPECT_EQ("here\n" + dir.Path() + "\n", s.Read());
		s.Wait();
		bare.cmd.path = "/bin/sh";
		bare.cmd.env = none;
		ASSERT_EQ(0, bare.Start());
		EXPECT_EQ("0\n", bare.Read());
		bare.Wait();
	});
}

TEST(OsProc, WhatCannotBeStarted)
{
	wt::Run([] {
		TempDir dir;
		std::multiset<std::string> before = OpenFiles();
		const char *const none[] = { nullptr };
		Shell missing("", WEND_OS_PIPE, WEND_OS_PIPE), denied("");
		Shell nowhere(""), no_args(""), bad("");

		missing.cmd.path = "/nonexistent";
		EXPECT_EQ(-ENOENT, missing.Start());
		Spill(dir / "f", "x");
		std::string file = dir / "f";
		denied.cmd.path = file.c_str();
		EXPECT_EQ(-EACCES, denied.Start());
		nowhere.cmd.dir = "/nonexistent";
		EXPECT_EQ(-ENOENT, nowhere.Start());
		no_args.cmd.argv = none;
		EXPECT_EQ(-EINVAL, no_args.Start());
		no_args.cmd.argv = nullptr;
		EXPECT_EQ(-EINVAL, no_args.Start());
		bad.cmd.in = WEND_OS_STDOUT;
		EXPECT_EQ(-EINVAL, bad.Start());
		bad.cmd.in = -77;
		EXPECT_EQ(-EINVAL, bad.Start());
		bad.cmd.in = 1000;
		EXPECT_EQ(-EBADF, bad.Start());
		ExpectNoChildren();
		EXPECT_EQ(before, OpenFiles());
	});
	Shell s("exit 0");
	EXPECT_EQ(-ESRCH, s.Start());
}

/* No descriptors left: an error, and none is leaked. */
TEST(OsProc, OutOfDescriptors)
{
	wt::RunOnce(1, [] {
		std::vector<int> all;
		Shell s("exit 0", WEND_OS_PIPE, WEND_OS_PIPE, WEND_OS_PIPE);
		int fd;

		while (all.size() < 100000 && (fd = dup(2)) >= 0)
			all.push_back(fd);
		ASSERT_EQ(EMFILE, errno);
		/* Whatever the number that is left, it is one too few. */
		for (int left = 0; left < 5; left++) {
			EXPECT_EQ(-EMFILE, s.Start());
			close(all.back());
			all.pop_back();
		}
		for (int one : all)
			close(one);
		ASSERT_EQ(0, s.Start());
		EXPECT_EQ(0, s.Wait().code);
	});
}

/* Only 0 to 2 are open in it, whatever is open here. */
TEST(OsProc, InheritsNoDescriptors)
{
	wt::Run([] {
		int leaky = dup(2); /* without O_CLOEXEC */
		Shell s("ls /proc/self/fd | wc -l", WEND_OS_PIPE, WEND_OS_PIPE);
		Shell keep("ls /proc/self/fd | wc -l", WEND_OS_PIPE,
			   WEND_OS_PIPE);

		ASSERT_GE(leaky, 3);
		ASSERT_EQ(0, s.Start());
		EXPECT_EQ("4\n", s.Read()); /* ls opens the directory */
		s.Wait();
		keep.cmd.keep_fds = true;
		ASSERT_EQ(0, keep.Start());
		EXPECT_LE(5, atoi(keep.Read().c_str()));
		keep.Wait();
		close(leaky);
	});
}

/* Signals in a child: none blocked, none caught, SIGPIPE by default. */
TEST(OsProc, SignalsAreAsTheyShould)
{
	wt::Run([] {
		wt::Chan c(sizeof(int), 1);
		const int usr1[] = { SIGUSR1 };
		Shell s("kill -USR1 $$", WEND_OS_NULL, WEND_OS_NULL);
		Shell yes("yes | head -n 1; kill -PIPE $$", WEND_OS_NULL,
			  WEND_OS_PIPE);
		void (*before)(int) = signal(SIGPIPE, SIG_IGN);

		ASSERT_EQ(0, wend_os_notify(c, usr1, 1));
		ASSERT_EQ(0, s.Start());
		EXPECT_EQ(SIGUSR1, s.Wait().signal);
		ASSERT_EQ(0, yes.Start());
		EXPECT_EQ("y\n", yes.Read());
		EXPECT_EQ(SIGPIPE, yes.Wait().signal);
		signal(SIGPIPE, before);
		wend_os_notify_stop(c);
		EXPECT_EQ(0u, wend_chan_len(c));
	});
}

TEST(OsProc, SignalAndDeadline)
{
	wt::Run([] {
		Shell s("trap 'exit 3' USR1; echo ready; while :; do sleep 0.01;"
			"done",
			WEND_OS_NULL, WEND_OS_PIPE);

		ASSERT_EQ(0, s.Start());
		s.ReadLine("ready");
		EXPECT_EQ(-ETIMEDOUT,
			  wend_os_proc_wait_until(
				  s.p, wend_after(WEND_MILLISECOND), nullptr));
		EXPECT_EQ(-EINVAL, wend_os_proc_signal(s.p, 1000));
		EXPECT_EQ(0, wend_os_proc_signal(s.p, 0));
		EXPECT_EQ(0, kill(wend_os_proc_pid(s.p), 0));
		EXPECT_EQ(0, wend_os_proc_signal(s.p, SIGUSR1));
		EXPECT_EQ(3, s.Wait().code);
		EXPECT_EQ(-ESRCH, wend_os_proc_signal(s.p, SIGUSR1));
	});
}

TEST(OsProc, WaitIsCancelled)
{
	wt::Run([] {
		Shell s("sleep 100");
		wt::Group g;
		wend_task *t;

		ASSERT_EQ(0, s.Start());
		t = g.Go([&] {
			EXPECT_EQ(-ECANCELED, wend_os_proc_wait(s.p, nullptr));
		});
		wend_task_cancel(t);
		g.Wait();
		wend_os_proc_stop(s.p, WEND_SECOND, nullptr);
	});
}

/* One that obeys SIGTERM ends by it; one that does not, by SIGKILL. */
TEST(OsProc, StopByForceIfNeedBe)
{
	wt::Run([] {
		Shell meek("echo ready; exec sleep 100", WEND_OS_NULL,
			   WEND_OS_PIPE);
		Shell deaf("trap '' TERM; echo ready; while :; do sleep 0.01;"
			   "done",
			   WEND_OS_NULL, WEND_OS_PIPE);
		struct wend_os_exit end;

		ASSERT_EQ(0, meek.Start());
		meek.ReadLine("ready");
		wend_os_proc_stop(meek.p, 3600 * WEND_SECOND, &end);
		EXPECT_EQ(SIGTERM, end.signal);
		ASSERT_EQ(0, deaf.Start());
		deaf.ReadLine("ready");
		wend_os_proc_stop(deaf.p, 20 * WEND_MILLISECOND, &end);
		EXPECT_EQ(SIGKILL, end.signal);
		/* Again does nothing. */
		wend_os_proc_stop(deaf.p, 0, &end);
		EXPECT_EQ(SIGKILL, end.signal);
		ExpectNoChildren();
	});
}

/* Its children end with it, the deaf one as well. */
TEST(OsProc, StopOfAGroup)
{
	wt::Run([] {
		Shell s("(trap '' TERM; echo ready; exec sleep 100) & wait",
			WEND_OS_NULL, WEND_OS_PIPE);
		struct wend_os_exit end;

		s.cmd.group = true;
		ASSERT_EQ(0, s.Start());
		s.ReadLine("ready");
		wend_os_proc_stop(s.p, 3600 * WEND_SECOND, &end);
		EXPECT_EQ(SIGTERM, end.signal);
		/* The last one that had the pipe is gone. */
		EXPECT_EQ("", s.Read());
	});
}

/* Whoever does not ask leaves no zombie; wend_stop() in Run() waits. */
TEST(OsProc, FreedWithoutAsking)
{
	wt::Run([] {
		for (int i = 0; i < 5; i++) {
			Shell s("sleep 0.02", WEND_OS_PIPE, WEND_OS_PIPE);

			ASSERT_EQ(0, s.Start());
		}
	});
	ExpectNoChildren();
}

/* With SIGCHLD ignored nobody knows how it ended; but that it has. */
TEST(OsProc, TheStatusWasTaken)
{
	wt::RunOnce(2, [] {
		Shell s("exit 3");
		struct wend_os_exit end;
		void (*before)(int) = signal(SIGCHLD, SIG_IGN);

		ASSERT_EQ(0, s.Start());
		end = s.Wait();
		EXPECT_EQ(-1, end.code);
		EXPECT_EQ(-1, end.signal);
		signal(SIGCHLD, before);
	});
}

TEST(OsProc, FromAThread)
{
	wt::RunFromThread([] {
		Shell s("echo hi", WEND_OS_NULL, WEND_OS_PIPE);

		ASSERT_EQ(0, s.Start());
		EXPECT_EQ("hi\n", s.Read());
		EXPECT_EQ(0, s.Wait().code);
	});
}

/* A hundred tasks at once: each gets its own child's output and end, and no
 * pipe is left open, here or in another's child. */
TEST(OsProc, AHundredAtOnce)
{
	wt::RunOn(2, [] {
		std::multiset<std::string> before = OpenFiles();
		wt::Group g;

		for (int i = 0; i < 100; i++)
			g.Go([i] {
				std::string script = "read x; echo $x; exit " +
						     std::to_string(i);
				std::string line = std::to_string(i) + "\n";
				Shell s(script.c_str(), WEND_OS_PIPE,
					WEND_OS_PIPE);

				ASSERT_EQ(0, s.Start());
				EXPECT_EQ((ssize_t)line.size(),
					  write(wend_os_proc_pipe(s.p, 0),
						line.data(), line.size()));
				EXPECT_EQ(line, s.Read());
				EXPECT_EQ(i, s.Wait().code);
			});
		g.Wait();
		ExpectNoChildren();
		EXPECT_EQ(before, OpenFiles());
	});
}
