/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory_test.cc - no memory, no threads: the documented error, nothing lost,
 * nothing leaked, and the runtime goes on.
 *
 * Each scenario runs in a fresh runtime with its first call failing, then its
 * second, until a run has no call left to fail; once with that call alone
 * failing, once with all from there on.
 */
#include "tests/runtime/fault.h"
#include "tests/support/wt.h"

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <thread>

namespace
{

constexpr long kMostCalls = 2000;

/* The runtime works: tasks start, talk, and end. */
void ExpectItWorks()
{
	wt::Chan c(sizeof(int), 0);
	wt::Group g;
	int sum = 0;

	for (int i = 0; i < 30; i++)
		g.Go([&, i] { wend_chan_send(c, &i); });
	for (int i = 0; i < 30; i++) {
		int v = 0;

		EXPECT_EQ(0, wend_chan_recv(c, &v));
		sum += v;
	}
	EXPECT_EQ(435, sum);
}

/* Nothing is left of a runtime that has stopped. */
class Balance
{
      public:
	Balance() : blocks_(fault::Blocks()), bytes_(fault::MappedBytes())
	{
	}
	~Balance()
	{
		EXPECT_EQ(blocks_, fault::Blocks());
		EXPECT_EQ(bytes_, fault::MappedBytes());
	}

      private:
	long blocks_, bytes_;
};

/* The scenario in a task of a fresh runtime, the n-th call failing. */
bool RunWithFailure(int procs, int kinds, long n, bool lasting,
		    const std::function<void()> &scenario)
{
	Balance balance;
	bool fired = false;

	wt::RunOnce(procs, [&] {
		fault::Arm(kinds, n, lasting);
		scenario();
		fired = fault::Disarm();
		ExpectItWorks();
	});
	return fired;
}

void ForEachFailure(int kinds, const std::function<void()> &scenario)
{
	for (int procs : { 1, 2 })
		for (bool lasting : { false, true })
			for (long n = 1;; n++) {
				SCOPED_TRACE(testing::Message()
					     << "call " << n
					     << (lasting ? " and on" : "")
					     << ", servers " << procs);
				ASSERT_LT(n, kMostCalls);
				if (!RunWithFailure(procs, kinds, n, lasting,
						    scenario))
					break;
				if (testing::Test::HasFailure())
					return;
			}
}

} // namespace

/* A start that fails leaves nothing, neither memory nor threads, and the next
 * one succeeds. */
TEST(Memory, Start)
{
	for (bool lasting : { false, true })
		for (long n = 1; n < kMostCalls; n++) {
			Balance balance;
			wend_config c = {};
			int threads = wt::Threads();

			SCOPED_TRACE(n);
			c.port = wt::Port();
			c.procs = 2;
			fault::Arm(fault::kAll, n, lasting);
			int r = wend_start(&c);
			bool fired = fault::Disarm();
			if (r == 0) {
				std::atomic<int> ran{ 0 };

				for (int i = 0; i < 10; i++)
					EXPECT_EQ(0, wt::Go([&] { ran++; }));
				EXPECT_EQ(0, wend_stop());
				EXPECT_EQ(10, ran);
			} else {
				EXPECT_TRUE(r == -ENOMEM || r == -EAGAIN) << r;
				EXPECT_EQ(0, wend_procs());
				EXPECT_EQ(-ESRCH, wend_stop());
			}
			wt::AwaitThreads(threads);
			if (!fired) {
				EXPECT_EQ(0, r);
				break;
			}
			if (HasFailure())
				return;
		}
}

/* Each task that was refused was refused with -ENOMEM and does not run; each
 * other one runs once. */
TEST(Memory, Spawn)
{
	ForEachFailure(fault::kAll, [] {
		constexpr int kTasks = 200;
		std::atomic<int> ran[kTasks] = {};
		int result[kTasks];
		wend_waitgroup done = {};

		for (int i = 0; i < kTasks; i++) {
			wend_waitgroup_add(&done, 1);
			result[i] = wt::Go([&, i] {
				ran[i]++;
				wend_waitgroup_done(&done);
			});
			if (result[i] != 0)
				wend_waitgroup_done(&done);
		}
		EXPECT_EQ(0, wend_waitgroup_wait(&done));
		for (int i = 0; i < kTasks; i++) {
			EXPECT_TRUE(result[i] == 0 || result[i] == -ENOMEM);
			EXPECT_EQ(result[i] == 0 ? 1 : 0, ran[i]);
		}
	});
}

namespace
{

struct Large {
	wend_waitgroup *done;
	std::atomic<int> *ran;
	char rest[3000];
};

void RunLarge(void *args)
{
	Large *l = static_cast<Large *>(args);

	l->ran->fetch_add(1);
	wend_waitgroup_done(l->done);
}

void DoneCall(std::atomic<int> *ran, wend_waitgroup *done)
{
	ran->fetch_add(1);
	wend_waitgroup_done(done);
}

} // namespace

/* The same with arguments, stacks of other sizes and calls by libffi. */
TEST(Memory, SpawnOfAllKinds)
{
	ForEachFailure(fault::kAll, [] {
		std::atomic<int> ran{ 0 };
		wend_waitgroup done = {};
		int started = 0;

		auto Count = [&](int r) {
			EXPECT_TRUE(r == 0 || r == -ENOMEM) << r;
			if (r == 0)
				started++;
			else
				wend_waitgroup_done(&done);
		};
		for (int i = 0; i < 10; i++) {
			Large l = { &done, &ran, {} };
			wend_attr attr = {};
			struct wend_arg args[2];

			args[0].type = args[1].type = WEND_TYPE_PTR;
			args[0].value.p = &ran;
			args[1].value.p = &done;
			attr.stack_size = 512 << 10;
			wend_waitgroup_add(&done, 3);
			Count(wend_spawn(nullptr, RunLarge, &l, sizeof(l)));
			Count(wend_spawn(&attr, RunLarge, &l, sizeof(l)));
			Count(wend_spawn_call(nullptr, (void (*)())DoneCall,
					      args, 2));
		}
		EXPECT_EQ(0, wend_waitgroup_wait(&done));
		EXPECT_EQ(started, ran);
	});
}

/* Constructors: NULL, and nothing else. */
TEST(Memory, Constructors)
{
	ForEachFailure(fault::kAll, [] {
		wend_chan *c = wend_chan_new(8, 100);
		wend_chan *d = wend_chan_new(0, 0);
		wend_timer *t = wend_timer_new(wend_after(WEND_SECOND));
		wend_timer *u = wend_ticker_new(WEND_SECOND);
		wend_timer *f = wend_timer_func(
			WEND_FOREVER, [](void *) { ADD_FAILURE(); }, nullptr);
		int64_t v = 4;

		if (c) {
			EXPECT_EQ(0, wend_chan_send(c, &v));
			EXPECT_EQ(0, wend_chan_recv(c, &v));
		}
		if (t) {
			EXPECT_TRUE(wend_timer_reset(t, 0));
			EXPECT_EQ(0, wend_chan_recv(wend_timer_chan(t), &v));
		}
		if (f) {
			EXPECT_TRUE(wend_timer_stop(f));
		}
		wend_timer_free(t);
		wend_timer_free(u);
		wend_timer_free(f);
		wend_chan_free(c);
		wend_chan_free(d);
	});
}

/* A task-local value: set, or -ENOMEM and not set. */
TEST(Memory, LocalSet)
{
	static wend_local key = [] {
		wend_local k;

		EXPECT_EQ(0, wend_local_new(&k, nullptr));
		return k;
	}();

	ForEachFailure(fault::kAll, [] {
		int v, r = wend_local_set(key, &v);

		EXPECT_TRUE(r == 0 || r == -ENOMEM) << r;
		EXPECT_EQ(r == 0 ? &v : nullptr, wend_local_get(key));
	});
}

/* A select that needs memory: -ENOMEM and no operation, or one. Up to 16
 * cases it needs none. */
TEST(Memory, Select)
{
	wt::Chan c(sizeof(int), 200);

	ForEachFailure(fault::kMalloc | fault::kMmap, [&] {
		int v = 1;
		std::vector<wend_case> cases(100, wend_on_send(c, &v));

		EXPECT_LE(0, wend_select_cases(cases.data(), 16, WEND_FOREVER));
		int r = wend_select_cases(cases.data(), 100, WEND_FOREVER);
		EXPECT_TRUE(r >= 0 || r == -ENOMEM) << r;
		EXPECT_EQ(r >= 0 ? 2u : 1u, wend_chan_len(c));
		while (wend_chan_recv_try(c, nullptr) == 0)
			;
	});
}

/* Waits with a deadline cannot fail for memory: who may wait has room for its
 * deadline. */
TEST(Memory, Deadlines)
{
	ForEachFailure(fault::kMalloc | fault::kMmap, [] {
		std::atomic<int> ended{ 0 };
		wend_waitgroup done = {};

		for (int i = 0; i < 150; i++) {
			wend_waitgroup_add(&done, 1);
			int r = wt::Go([&, i] {
				int64_t dl = wend_after(1000 * i);

				if (i % 2) {
					EXPECT_EQ(0, wend_sleep_until(dl));
				} else {
					EXPECT_EQ(-ETIMEDOUT,
						  wend_chan_recv_until(nullptr,
								       nullptr,
								       dl));
				}
				EXPECT_GE(wend_now(), dl);
				ended++;
				wend_waitgroup_done(&done);
			});
			if (r != 0) {
				EXPECT_EQ(-ENOMEM, r);
				ended++;
				wend_waitgroup_done(&done);
			}
		}
		EXPECT_EQ(0, wend_waitgroup_wait(&done));
		EXPECT_EQ(150, ended);
	});
}

/* A timer's function that finds no memory for its task is late, not lost. */
TEST(Memory, TimerFunctionIsNotLost)
{
	for (long n = 1; n < 6; n++) {
		Balance balance;
		struct Call {
			wend_waitgroup done;
			int calls;
		} call = {};

		wt::RunOnce(1, [&] {
			wend_timer *t = wend_timer_func(
				WEND_FOREVER,
				[](void *arg) {
					Call *c = static_cast<Call *>(arg);

					c->calls++;
					wend_waitgroup_done(&c->done);
				},
				&call);
			std::vector<wend_task *> tasks;
			wt::Chan gate(0, 0);

			ASSERT_NE(nullptr, t);
			wend_waitgroup_add(&call.done, 1);
			/* Use what is cached up, then let nothing new be had. */
			fault::Arm(fault::kAll, n, true);
			for (int i = 0; i < 1000; i++) {
				wend_task *h;
				int r = wt::Go(
					[&] { wend_chan_recv(gate, nullptr); },
					nullptr, &h);

				if (r != 0)
					break;
				tasks.push_back(h);
			}
			EXPECT_TRUE(wend_timer_reset(t, 0));
			EXPECT_EQ(0, wend_sleep(3 * WEND_MILLISECOND));
			fault::Disarm();
			EXPECT_EQ(0, wend_waitgroup_wait(&call.done));
			EXPECT_EQ(1, call.calls);
			wend_chan_close(gate);
			for (wend_task *h : tasks)
				EXPECT_EQ(0, wend_join(h, nullptr));
			wend_timer_free(t);
		});
	}
}

namespace
{

WEND_TASK(WaitForCancel, (std::atomic<int> *, ended))
{
	EXPECT_EQ(-ECANCELED, wend_chan_recv(nullptr, nullptr));
	++*ended;
}

} // namespace

/* A nursery's task that cannot start is the nursery's error: it cancels the
 * others, which would wait for ever. */
TEST(Memory, Nursery)
{
	ForEachFailure(fault::kAll, [] {
		std::atomic<int> ended{ 0 };
		int started = 0, failed = 0, result = 1;

		wend_nursery(n) {
			for (int i = 0; i < 100; i++) {
				int r = wend_nursery_go(&n, WaitForCancel,
							&ended);
				if (r == 0)
					started++;
				else if (failed++ == 0)
					EXPECT_EQ(-ENOMEM, r);
				else
					EXPECT_EQ(-ECANCELED, r);
			}
			if (!failed)
				wend_nursery_cancel(&n);
			result = wend_nursery_wait(&n);
		}
		EXPECT_EQ(started, ended);
		EXPECT_EQ(100, started + failed);
		EXPECT_EQ(failed ? -ENOMEM : 0, result);
	});
}

/* No thread to be had: blocked calls keep what they have, and all comes to an
 * end. A thread of the program ends the blocking. */
TEST(Memory, NoThreadsForBlockedCalls)
{
	WT_NEEDS_THREADS();
	for (long n = 1; n <= 4; n++) {
		Balance balance;
		int fd[2];
		std::atomic<int> read_by{ 0 };

		ASSERT_EQ(0, pipe(fd));
		std::thread feeder([&] {
			for (int i = 0; i < 8; i++) {
				usleep(1000);
				EXPECT_EQ(1, write(fd[1], "x", 1));
			}
		});
		wt::RunOnce(2, [&] {
			wt::Group g;

			fault::Arm(fault::kThread, n, true);
			for (int i = 0; i < 8; i++)
				g.Go([&] {
					char b;

					EXPECT_EQ(1, read(fd[0], &b, 1));
					read_by++;
				});
			g.Wait();
			fault::Disarm();
			ExpectItWorks();
		});
		feeder.join();
		EXPECT_EQ(8, read_by);
		close(fd[0]);
		close(fd[1]);
	}
}

namespace
{

int NeverCalled(int, char **)
{
	return 0;
}

[[noreturn]] void MainWithoutMemory()
{
	fault::Arm(fault::kAll, 1, true);
	wend_main(NeverCalled, 0, nullptr);
	_exit(99);
}

/* Tasks without end under a limit of the address space. */
[[noreturn]] void SpawnUntilNoMemory()
{
	std::atomic<int> ended{ 0 };
	struct rlimit limit = { 0, 0 };
	long pages = 0;
	int n = 0, r = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%ld", &pages) != 1)
		_exit(90);
	fclose(f);
	limit.rlim_cur = (rlim_t)pages * 4096 + (400u << 20);
	limit.rlim_max = limit.rlim_cur;
	if (setrlimit(RLIMIT_AS, &limit) != 0)
		_exit(91);
	wt::RunOnce(2, [&] {
		wt::Chan gate(0, 0);
		wend_waitgroup done = {};

		/* Not wt::Go(): its own memory must not be what runs out. */
		struct Args {
			wend_chan *gate;
			wend_waitgroup *done;
			std::atomic<int> *ended;
		} args = { gate, &done, &ended };
		for (;;) {
			wend_waitgroup_add(&done, 1);
			r = wend_spawn(
				nullptr,
				[](void *p) {
					Args a = *static_cast<Args *>(p);

					wend_chan_recv(a.gate, nullptr);
					++*a.ended;
					wend_waitgroup_done(a.done);
				},
				&args, sizeof(args));
			if (r != 0)
				break;
			n++;
		}
		wend_waitgroup_done(&done);
		wend_chan_close(gate);
		EXPECT_EQ(0, wend_waitgroup_wait(&done));
		ExpectItWorks();
	});
	_exit(testing::Test::HasFailure() ? 92 :
	      r != -ENOMEM                ? 93 :
	      n < 500                     ? 94 :
	      n != ended                  ? 95 :
					    35);
}

} // namespace

TEST(Memory, MainThatCannotStart)
{
	EXPECT_EXIT(MainWithoutMemory(), testing::ExitedWithCode(1),
		    wt::OneLine("memory|thread|start"));
}

TEST(Memory, TooManyTasks)
{
	if (wt::kSanitized)
		GTEST_SKIP() << "sanitizers need all of the address space";
	EXPECT_EXIT(SpawnUntilNoMemory(), testing::ExitedWithCode(35), "");
}
