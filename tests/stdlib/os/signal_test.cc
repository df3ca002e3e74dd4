/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signal_test.cc - signals put into channels and ending contexts.
 */
#include "tests/stdlib/os/os_util.h"

#include <signal.h>
#include <sys/wait.h>

#include <atomic>
#include <thread>

namespace
{

const int usr1[] = { SIGUSR1 };
const int both[] = { SIGUSR1, SIGUSR2 };

/* Catches without doing anything but count. */
std::atomic<int> handled{ 0 };

void CountSignal(int)
{
	++handled;
}

void (*Disposition(int sig))(int)
{
	struct sigaction now;

	EXPECT_EQ(0, sigaction(sig, nullptr, &now));
	return now.sa_handler;
}

/* To the process: whichever thread the kernel finds, one that sleeps in the
 * runtime most often. */
int Send(int sig)
{
	return kill(getpid(), sig);
}

int Receive(wend_chan *c)
{
	int sig = -1;

	EXPECT_EQ(0, wend_chan_recv(c, &sig));
	return sig;
}

/* The exit status of a fork()ed child that runs fn. */
int InChild(const std::function<int()> &fn)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fn());
	EXPECT_GT(pid, 0);
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	return status;
}

} // namespace

TEST(OsSignal, ComesOutOfTheChannel)
{
	wt::Run([] {
		wt::Chan c(sizeof(int), 4);

		ASSERT_EQ(0, wend_os_notify(c, both, 2));
		for (int i = 0; i < 20; i++) {
			int sig = both[i % 2];

			ASSERT_EQ(0, Send(sig));
			EXPECT_EQ(sig, Receive(c));
		}
		wend_os_notify_stop(c);
		EXPECT_EQ(SIG_DFL, Disposition(SIGUSR1));
		EXPECT_EQ(SIG_DFL, Disposition(SIGUSR2));
	});
}

TEST(OsSignal, FromAThread)
{
	wt::RunFromThread([] {
		wt::Chan c(sizeof(int), 1);

		ASSERT_EQ(0, wend_os_notify(c, usr1, 1));
		ASSERT_EQ(0, Send(SIGUSR1));
		EXPECT_EQ(SIGUSR1, Receive(c));
		wend_os_notify_stop(c);
	});
}

TEST(OsSignal, EachChannelGetsIt)
{
	wt::Run([] {
		wt::Chan a(sizeof(int), 1), b(sizeof(int), 1);

		ASSERT_EQ(0, wend_os_notify(a, usr1, 1));
		ASSERT_EQ(0, wend_os_notify(b, both, 2));
		ASSERT_EQ(0, Send(SIGUSR1));
		EXPECT_EQ(SIGUSR1, Receive(a));
		EXPECT_EQ(SIGUSR1, Receive(b));
		wend_os_notify_stop(b);
		EXPECT_EQ(SIG_DFL, Disposition(SIGUSR2));
		EXPECT_NE(SIG_DFL, Disposition(SIGUSR1));
		/* The other one goes on. */
		ASSERT_EQ(0, Send(SIGUSR1));
		EXPECT_EQ(SIGUSR1, Receive(a));
		wend_os_notify_stop(a);
		EXPECT_EQ(0u, wend_chan_len(b));
	});
}

/* What does not fit is dropped, and stops nobody. */
TEST(OsSignal, AFullChannelMissesSome)
{
	wt::Run([] {
		wt::Chan full(sizeof(int), 1), other(sizeof(int), 1);

		ASSERT_EQ(0, wend_os_notify(full, both, 2));
		ASSERT_EQ(0, wend_os_notify(other, both, 2));
		for (int i = 0; i < 50; i++) {
			ASSERT_EQ(0, Send(both[i % 2]));
			EXPECT_EQ(both[i % 2], Receive(other));
		}
		EXPECT_EQ(1u, wend_chan_len(full));
		EXPECT_EQ(SIGUSR1, Receive(full));
		wend_os_notify_stop(full);
		wend_os_notify_stop(other);
	});
}

/* All that came before stop() are in the channel when it returns. */
TEST(OsSignal, StopTellsOfWhatHasCome)
{
	wt::Run([] {
		for (int i = 0; i < 50; i++) {
			wt::Chan c(sizeof(int), 1);

			ASSERT_EQ(0, wend_os_notify(c, usr1, 1));
			/* To this thread: it has come when raise() returns. */
			ASSERT_EQ(0, raise(SIGUSR1));
			wend_os_notify_stop(c);
			EXPECT_EQ(1u, wend_chan_len(c));
		}
	});
}

/* Many at once, from several threads: none that comes after another was
 * received is lost, and the program survives them all. */
TEST(OsSignal, AStorm)
{
	wt::Run([] {
		wt::Chan c(sizeof(int), 1);
		std::atomic<bool> stop{ false };
		std::vector<std::thread> threads;
		std::atomic<int> sent{ 0 };

		ASSERT_EQ(0, wend_os_notify(c, both, 2));
		for (int i = 0; i < 2; i++)
			threads.emplace_back([&, i] {
				while (!stop) {
					Send(both[i]);
					++sent;
				}
			});
		for (int i = 0; i < 200; i++) {
			int sig = Receive(c);

			EXPECT_TRUE(sig == SIGUSR1 || sig == SIGUSR2);
		}
		stop = true;
		for (std::thread &t : threads)
			t.join();
		EXPECT_GE(sent, 100);
		wend_os_notify_stop(c);
	});
}

TEST(OsSignal, WhatWasThereComesBack)
{
	wt::Run([] {
		struct sigaction mine = {}, old;
		wt::Chan c(sizeof(int), 1);

		mine.sa_handler = CountSignal;
		ASSERT_EQ(0, sigaction(SIGUSR1, &mine, &old));
		handled = 0;
		ASSERT_EQ(0, wend_os_notify(c, usr1, 1));
		ASSERT_EQ(0, Send(SIGUSR1));
		EXPECT_EQ(SIGUSR1, Receive(c));
		EXPECT_EQ(0, handled);
		wend_os_notify_stop(c);
		ASSERT_EQ(0, raise(SIGUSR1));
		EXPECT_EQ(1, handled);
		ASSERT_EQ(0, sigaction(SIGUSR1, &old, nullptr));
	});
}

TEST(OsSignal, ResetAndIgnore)
{
	wt::Run([] {
		wt::Chan c(sizeof(int), 4);

		ASSERT_EQ(0, wend_os_notify(c, both, 2));
		EXPECT_EQ(0, wend_os_signal_reset(usr1, 1));
		EXPECT_EQ(SIG_DFL, Disposition(SIGUSR1));
		ASSERT_EQ(0, Send(SIGUSR2));
		EXPECT_EQ(SIGUSR2, Receive(c));
		EXPECT_EQ(0, wend_os_signal_ignore(both, 2));
		EXPECT_EQ(SIG_IGN, Disposition(SIGUSR1));
		ASSERT_EQ(0, raise(SIGUSR2));
		ASSERT_EQ(0, wend_os_notify(c, usr1, 1));
		EXPECT_EQ(0, wend_os_signal_reset(nullptr, 0));
		/* What was there before is that it was ignored. */
		EXPECT_EQ(SIG_IGN, Disposition(SIGUSR1));
		EXPECT_EQ(0u, wend_chan_len(c));
		signal(SIGUSR1, SIG_DFL);
		signal(SIGUSR2, SIG_DFL);
	});
}

TEST(OsSignal, RefusesWhatCannotBeCaught)
{
	wt::Run([] {
		wt::Chan c(sizeof(int), 1);
		const int mixed[] = { SIGUSR1, SIGKILL };

		for (int sig : { SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE,
				 SIGILL, SIGTRAP, SIGSTKFLT, 0, -1, 65, 32 }) {
			EXPECT_EQ(-EINVAL, wend_os_notify(c, &sig, 1)) << sig;
			EXPECT_EQ(-EINVAL, wend_os_signal_ignore(&sig, 1));
			EXPECT_EQ(-EINVAL, wend_os_signal_reset(&sig, 1));
		}
		EXPECT_EQ(-EINVAL, wend_os_notify(c, mixed, 2));
		EXPECT_EQ(SIG_DFL, Disposition(SIGUSR1));
		EXPECT_EQ(-EINVAL, wend_os_notify(c, usr1, 0));
		EXPECT_EQ(-EINVAL, wend_os_notify(nullptr, usr1, 1));
		EXPECT_EQ(-EINVAL, wend_os_notify_ctx(nullptr, usr1, 1));
		wend_os_notify_stop(c);
		wend_os_notify_stop(nullptr);
		wend_os_notify_ctx_stop(nullptr);
	});
	wt::Chan c(sizeof(int), 1);
	EXPECT_EQ(-ESRCH, wend_os_notify(c, usr1, 1));
	EXPECT_EQ(SIG_DFL, Disposition(SIGUSR1));
}

/* The first one ends the context; then they have their own effect again. */
TEST(OsSignal, EndsAContext)
{
	wt::Run([] {
		wend_ctx *ctx = wend_ctx_with_cancel(nullptr);

		ASSERT_NE(nullptr, ctx);
		ASSERT_EQ(0, wend_os_notify_ctx(ctx, both, 2));
		ASSERT_EQ(0, Send(SIGUSR2));
		EXPECT_EQ(-EPIPE, wend_chan_recv(wend_ctx_done(ctx), nullptr));
		EXPECT_EQ(-ECANCELED, wend_ctx_err(ctx));
		EXPECT_EQ(-EINTR, wend_ctx_cause(ctx));
		EXPECT_EQ(SIG_DFL, Disposition(SIGUSR1));
		EXPECT_EQ(SIG_DFL, Disposition(SIGUSR2));
		wend_os_notify_ctx_stop(ctx);
		wend_ctx_unref(ctx);
	});
}

TEST(OsSignal, EndsNoContextAfterStop)
{
	wt::Run([] {
		wend_ctx *ctx = wend_ctx_with_cancel(nullptr);

		ASSERT_EQ(0, wend_os_notify_ctx(ctx, usr1, 1));
		wend_os_notify_ctx_stop(ctx);
		EXPECT_EQ(SIG_DFL, Disposition(SIGUSR1));
		EXPECT_EQ(0, wend_ctx_err(ctx));
		wend_ctx_unref(ctx);
	});
}

/* The child of a fork() has the dispositions from before, so SIGUSR1 ends it;
 * and the parent is not told of its signals. */
TEST(OsSignal, AForkedChildIsNotTold)
{
	wt::Run([] {
		wt::Chan c(sizeof(int), 1);
		int status;

		ASSERT_EQ(0, wend_os_notify(c, usr1, 1));
		status = InChild([] {
			raise(SIGUSR1);
			return 0;
		});
		EXPECT_TRUE(WIFSIGNALED(status));
		EXPECT_EQ(SIGUSR1, WTERMSIG(status));
		EXPECT_EQ(0u, wend_chan_len(c));
		/* The parent is. */
		ASSERT_EQ(0, Send(SIGUSR1));
		EXPECT_EQ(SIGUSR1, Receive(c));
		wend_os_notify_stop(c);
	});
}

/* A child that starts a runtime of its own may ask to be told. */
TEST(OsSignal, AForkedChildMayAskAnew)
{
	WT_NEEDS_THREADS_IN_CHILD();
	wt::Run([] {
		wt::Chan c(sizeof(int), 1);
		int status;

		ASSERT_EQ(0, wend_os_notify(c, usr1, 1));
		status = InChild([] {
			wend_chan *mine = wend_chan_new(sizeof(int), 1);
			int sig = 0;

			if (wend_start(nullptr) ||
			    wend_os_notify(mine, usr1, 1) || raise(SIGUSR1) ||
			    wend_chan_recv(mine, &sig))
				return 1;
			wend_os_notify_stop(mine);
			return wend_stop() != 0 || sig != SIGUSR1 ? 1 : 0;
		});
		EXPECT_EQ(0, status);
		EXPECT_EQ(0u, wend_chan_len(c));
		wend_os_notify_stop(c);
	});
}

/* Asking and stopping from several tasks while signals come. */
TEST(OsSignal, ManyAskAndStop)
{
	wt::Run([] {
		/* One keeps it caught throughout. */
		wt::Chan keeper(sizeof(int), 1);
		wt::Group g;

		ASSERT_EQ(0, wend_os_notify(keeper, both, 2));
		for (int i = 0; i < 4; i++)
			g.Go([&] {
				for (int k = 0; k < 30; k++) {
					wt::Chan c(sizeof(int), 1);

					EXPECT_EQ(0,
						  wend_os_notify(c, usr1, 1));
					Send(SIGUSR1);
					EXPECT_EQ(SIGUSR1, Receive(c));
					wend_os_notify_stop(c);
				}
			});
		g.Wait();
		wend_os_notify_stop(keeper);
	});
}
