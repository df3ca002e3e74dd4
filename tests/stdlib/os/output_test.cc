/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output_test.cc - processes run to their end, fed and gathered.
 */
#include "tests/stdlib/os/os_util.h"

#include <signal.h>

using namespace os_util;

namespace
{

class Output
{
      public:
	~Output()
	{
		wend_os_output_free(&o);
	}
	std::string Out() const
	{
		return std::string(o.out ? o.out : "(null)");
	}
	std::string Err() const
	{
		return std::string(o.err ? o.err : "(null)");
	}
	int Run(const char *script, wend_ctx *ctx = nullptr,
		int err = WEND_OS_PIPE, bool group = false)
	{
		const char *const argv[] = { "sh", "-c", script, nullptr };
		wend_os_cmd cmd = {};

		cmd.argv = argv;
		cmd.in = cmd.out = WEND_OS_PIPE;
		cmd.err = err;
		cmd.group = group;
		return wend_os_run(ctx, &cmd, &o);
	}

	struct wend_os_output o = {};
};

} // namespace

TEST(OsRun, GathersBoth)
{
	wt::Run([] {
		Output r, none;

		EXPECT_EQ(0, r.Run("echo out; echo err >&2; exit 3"));
		EXPECT_EQ("out\n", r.Out());
		EXPECT_EQ("err\n", r.Err());
		EXPECT_EQ(4u, r.o.out_size);
		EXPECT_EQ(3, r.o.end.code);
		EXPECT_FALSE(r.o.truncated);
		EXPECT_EQ(0, none.Run(":", nullptr, WEND_OS_NULL));
		EXPECT_EQ("", none.Out());
		EXPECT_EQ(nullptr, none.o.err);
		EXPECT_EQ(0, none.o.end.code);
	});
}

/* More than any pipe holds, both ways at once. */
TEST(OsRun, FeedsAndGathersMuch)
{
	wt::Run([] {
		std::string much;
		Output r;

		for (int i = 0; i < 100000; i++)
			much += std::to_string(i) + "\n";
		r.o.input = much.data();
		r.o.input_size = much.size();
		EXPECT_EQ(0, r.Run("tee /dev/stderr"));
		EXPECT_EQ(much.size(), r.o.out_size);
		EXPECT_TRUE(much == r.Out());
		EXPECT_TRUE(much == r.Err());
	});
}

TEST(OsRun, ErrorsGoWhereOutputGoes)
{
	wt::Run([] {
		Output r;

		EXPECT_EQ(0, r.Run("echo a; echo b >&2; echo c", nullptr,
				   WEND_OS_STDOUT));
		EXPECT_EQ("a\nb\nc\n", r.Out());
	});
}

/* A child that does not read: no SIGPIPE, which would end this program. */
TEST(OsRun, AChildThatDoesNotRead)
{
	wt::Run([] {
		std::string much(1000000, 'x');
		Output r;

		signal(SIGPIPE, SIG_DFL);
		r.o.input = much.data();
		r.o.input_size = much.size();
		EXPECT_EQ(0,
			  r.Run("exec <&-; echo closed; sleep 0.02; exit 4"));
		EXPECT_EQ("closed\n", r.Out());
		EXPECT_EQ(4, r.o.end.code);
	});
}

TEST(OsRun, KeepsUpToTheLimit)
{
	wt::Run([] {
		Output r;

		r.o.limit = 1000;
		EXPECT_EQ(0, r.Run("yes | head -c 100000; echo no >&2"));
		EXPECT_EQ(1000u, r.o.out_size);
		EXPECT_EQ("no\n", r.Err());
		EXPECT_TRUE(r.o.truncated);
		EXPECT_EQ(0, r.o.end.code);
	});
}

TEST(OsRun, NotStarted)
{
	wt::Run([] {
		const char *const argv[] = { "/nonexistent", nullptr };
		wend_os_cmd cmd = {};
		wend_ctx *ended = wend_ctx_with_cancel(nullptr);
		Output r, no;

		cmd.argv = argv;
		EXPECT_EQ(-ENOENT, wend_os_run(nullptr, &cmd, &r.o));
		EXPECT_EQ(-1, r.o.end.code);
		wend_ctx_cancel(ended);
		EXPECT_EQ(-ECANCELED, no.Run("echo x", ended));
		EXPECT_EQ("(null)", no.Out());
		wend_ctx_unref(ended);
	});
}

/* It says that it is ready, so the deadline's passing finds it at work; what it
 * had written is there. */
TEST(OsRun, TheDeadlineStopsIt)
{
	wt::Run([] {
		wend_ctx *ctx = wend_ctx_with_timeout(nullptr,
						      300 * WEND_MILLISECOND);
		Output r;

		r.o.grace = 3600 * WEND_SECOND;
		EXPECT_EQ(-ETIMEDOUT,
			  r.Run("echo ready; exec sleep 1000", ctx));
		EXPECT_EQ(SIGTERM, r.o.end.signal);
		EXPECT_TRUE(r.Out() == "ready\n" || r.Out() == "") << r.Out();
		wend_ctx_unref(ctx);
	});
}

/* SIGTERM is ignored, even by the one who holds the pipe. */
TEST(OsRun, KilledAfterTheGrace)
{
	wt::Run([] {
		wend_ctx *ctx = wend_ctx_with_timeout(nullptr,
						      200 * WEND_MILLISECOND);
		Output r;

		r.o.grace = 20 * WEND_MILLISECOND;
		EXPECT_EQ(-ETIMEDOUT, r.Run("trap '' TERM; echo ready; "
					    "while :; do sleep 0.01; done",
					    ctx));
		EXPECT_TRUE(r.o.end.signal == SIGKILL ||
			    r.o.end.signal == SIGTERM)
			<< r.o.end.signal;
		wend_ctx_unref(ctx);
	});
}

/* Ended by a context that somebody cancels once it has written something. */
TEST(OsRun, CancelledByTheContext)
{
	wt::Run([] {
		TempDir dir;
		wend_ctx *ctx = wend_ctx_with_cancel(nullptr);
		std::string script = "echo x; exec >" + (dir / "f") +
				     " 2>&1; exec sleep 1000";
		wt::Group g;

		g.Go([&] {
			Output r;

			EXPECT_EQ(-ECANCELED, r.Run(script.c_str(), ctx));
			EXPECT_EQ("x\n", r.Out());
			EXPECT_EQ(SIGTERM, r.o.end.signal);
		});
		/* Its pipes are closed: it is its end that is waited for. */
		while (!Exists(dir / "f"))
			wend_sleep(WEND_MILLISECOND);
		wend_ctx_cancel(ctx);
		g.Wait();
		wend_ctx_unref(ctx);
	});
}

/* The calling task's own cancellation. */
TEST(OsRun, TheCallerIsCancelled)
{
	wt::Run([] {
		if (std::string("threads") == wend_park_name())
			GTEST_SKIP() << "a call in a thread is not interrupted";
		TempDir dir;
		std::string script = "touch " + (dir / "f") +
				     "; exec sleep 1000";
		wt::Group g;
		wend_task *t = g.Go([&] {
			Output r;

			EXPECT_EQ(-ECANCELED, r.Run(script.c_str()));
			EXPECT_NE(-1, r.o.end.signal);
			EXPECT_FALSE(wend_task_shield(false));
		});

		while (!Exists(dir / "f"))
			wend_sleep(WEND_MILLISECOND);
		wend_task_cancel(t);
		g.Wait();
	});
}

/* Somebody else has the output open when it has ended: until the context ends,
 * that may still write. */
TEST(OsRun, AChildsChildHoldsThePipe)
{
	wt::Run([] {
		wend_ctx *ctx = wend_ctx_with_timeout(nullptr,
						      100 * WEND_MILLISECOND);
		Output r, late;

		r.o.grace = WEND_MILLISECOND;
		EXPECT_EQ(-ETIMEDOUT, r.Run("sleep 1000 & echo x", ctx,
					    WEND_OS_PIPE, true));
		wend_ctx_unref(ctx);
		EXPECT_EQ(0, late.Run("(sleep 0.05; echo late) & echo x"));
		EXPECT_EQ("x\nlate\n", late.Out());
	});
}

TEST(OsRun, FromAThread)
{
	wt::RunFromThread([] {
		Output r;

		EXPECT_EQ(0, r.Run("echo thread"));
		EXPECT_EQ("thread\n", r.Out());
	});
}

TEST(OsRun, AHundredAtOnce)
{
	wt::RunOn(2, [] {
		std::multiset<std::string> before = OpenFiles();
		size_t count = CountOpenFiles();
		wt::Group g;

		for (int i = 0; i < 100; i++)
			g.Go([i] {
				std::string text = std::to_string(i);
				Output r;

				r.o.input = text.data();
				r.o.input_size = text.size();
				EXPECT_EQ(0, r.Run("cat; exit 1"));
				EXPECT_EQ(text, r.Out());
				EXPECT_EQ(1, r.o.end.code);
			});
		g.Wait();
		EXPECT_EQ(before, OpenFiles());
		/* An eventfd for each would be 100. */
		EXPECT_LT(CountOpenFiles(), count + 60);
	});
}
