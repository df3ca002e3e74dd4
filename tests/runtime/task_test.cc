/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task_test.cc - starting, joining and naming tasks, what belongs to a task.
 */
#include "tests/support/wt.h"

#include <string.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <thread>

namespace
{

enum Colour { kRed = 3, kGreen = 5 };
struct Point {
	double x, y;
	int id;
};
typedef int Triple[3];
typedef int (*Function)(int);

struct Seen {
	wend_waitgroup done;
	signed char c;
	short s;
	int i;
	long long ll;
	float f;
	double d;
	long double ld;
	bool b;
	Colour colour;
	Point point;
	const char *text;
	Function fn;
	int calls;
};

Seen seen;
std::atomic<int> plain_calls;

WEND_TASK(TakeNothing)
{
	plain_calls++;
	wend_waitgroup_done(&seen.done);
}

WEND_TASK(TakeOne, (int, i))
{
	seen.i = i;
	wend_waitgroup_done(&seen.done);
}

WEND_TASK(TakeMixed, (signed char, c), (short, s), (long long, ll), (float, f),
	  (double, d), (long double, ld), (bool, b), (Colour, colour))
{
	seen.c = c;
	seen.s = s;
	seen.ll = ll;
	seen.f = f;
	seen.d = d;
	seen.ld = ld;
	seen.b = b;
	seen.colour = colour;
	wend_waitgroup_done(&seen.done);
}

WEND_TASK(TakeObjects, (Point, p), (const char *, text), (Function, fn))
{
	seen.point = p;
	seen.text = text;
	seen.fn = fn;
	wend_waitgroup_done(&seen.done);
}

WEND_TASK(TakeEight, (int, a), (int, b), (int, c), (int, d), (int, e),
	  (int, f), (int, g), (int *, sum))
{
	*sum = a + 10 * b + 100 * c + 1000 * d + 10000 * e + 100000 * f +
	       1000000 * g;
	wend_waitgroup_done(&seen.done);
}

int Twice(int i)
{
	return 2 * i;
}

void BadEntry(void *)
{
	ADD_FAILURE() << "a task that was refused runs";
}

} // namespace

/* No parameter, and the function can be called directly too. */
TEST(Task, WithoutParameters)
{
	wt::Run([] {
		plain_calls = 0;
		seen.done = {};
		wend_waitgroup_add(&seen.done, 3);
		EXPECT_EQ(0, wend_go(TakeNothing));
		EXPECT_EQ(0, wend_go(TakeNothing));
		TakeNothing();
		EXPECT_EQ(0, wend_waitgroup_wait(&seen.done));
		EXPECT_EQ(3, plain_calls);
	});
}

/* Arguments are converted as in a call, and keep their values. */
TEST(Task, ArgumentsOfAllKinds)
{
	wt::Run([] {
		Point p = { 1.5, -2.5, 9 };
		double three = 3.9;

		seen = {};
		wend_waitgroup_add(&seen.done, 3);
		EXPECT_EQ(0, wend_go(TakeOne, (int)three));
		EXPECT_EQ(0, wend_go(TakeMixed, -5, -300, 1LL << 40, 0.25f, 0.1,
				     1.0L / 3, 42, kGreen));
		EXPECT_EQ(0, wend_go(TakeObjects, p, "text", Twice));
		EXPECT_EQ(0, wend_waitgroup_wait(&seen.done));
		EXPECT_EQ(3, seen.i);
		EXPECT_EQ(-5, seen.c);
		EXPECT_EQ(-300, seen.s);
		EXPECT_EQ(1LL << 40, seen.ll);
		EXPECT_EQ(0.25f, seen.f);
		EXPECT_EQ(0.1, seen.d);
		EXPECT_EQ(1.0L / 3, seen.ld);
		EXPECT_TRUE(seen.b);
		EXPECT_EQ(kGreen, seen.colour);
		EXPECT_EQ(1.5, seen.point.x);
		EXPECT_EQ(-2.5, seen.point.y);
		EXPECT_EQ(9, seen.point.id);
		EXPECT_STREQ("text", seen.text);
		EXPECT_EQ(14, seen.fn(7));
	});
}

TEST(Task, EightParametersInOrder)
{
	wt::Run([] {
		int sum = 0;

		seen = {};
		wend_waitgroup_add(&seen.done, 1);
		EXPECT_EQ(0, wend_go(TakeEight, 1, 2, 3, 4, 5, 6, 7, &sum));
		EXPECT_EQ(0, wend_waitgroup_wait(&seen.done));
		EXPECT_EQ(7654321, sum);
	});
}

/* The value at the call counts, not that when the task runs. */
TEST(Task, ArgumentsAreCopiedAtTheCall)
{
	wt::Run([] {
		int v = 1;

		seen = {};
		wend_waitgroup_add(&seen.done, 1);
		EXPECT_EQ(0, wend_go(TakeOne, v));
		v = 2;
		EXPECT_EQ(0, wend_waitgroup_wait(&seen.done));
		EXPECT_EQ(1, seen.i);
		EXPECT_EQ(2, v);
	});
}

namespace
{

struct Blob {
	wend_waitgroup *done;
	uint32_t size;
};

/* The rest of the bytes are a pattern that the task checks, before and after
 * a switch: the copy lives as long as the task. */
void CheckBlob(void *args)
{
	Blob b;
	const unsigned char *bytes = static_cast<unsigned char *>(args);

	EXPECT_EQ(0u, (uintptr_t)args % 16);
	memcpy(&b, args, sizeof(b));
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = sizeof(b); i < b.size; i++)
			ASSERT_EQ((unsigned char)(i * 7), bytes[i]);
		wend_yield();
	}
	wend_waitgroup_done(b.done);
}

} // namespace

TEST(Task, SpawnCopiesAnySizeUpToItsLimit)
{
	wt::Run(
		[] {
			wend_waitgroup done = {};
			std::vector<unsigned char> bytes(65537);

			for (size_t i = 0; i < bytes.size(); i++)
				bytes[i] = (unsigned char)(i * 7);
			for (uint32_t size :
			     { 16u, 17u, 64u, 1000u, 4096u, 30001u, 65536u }) {
				Blob b = { &done, size };

				memcpy(bytes.data(), &b, sizeof(b));
				wend_waitgroup_add(&done, 1);
				ASSERT_EQ(0, wend_spawn(nullptr, CheckBlob,
							bytes.data(), size));
				memset(bytes.data(), 0, sizeof(b));
			}
			EXPECT_EQ(-EINVAL, wend_spawn(nullptr, BadEntry,
						      bytes.data(), 65537));
			EXPECT_EQ(-EINVAL, wend_spawn(nullptr, BadEntry,
						      bytes.data(), SIZE_MAX));
			EXPECT_EQ(0, wend_waitgroup_wait(&done));
		},
		20);
}

TEST(Task, StackSizeOutOfRangeIsRefused)
{
	wt::Run([] {
		for (size_t size :
		     { (size_t)1, (size_t)16383, ((size_t)1 << 30) + 1,
		       SIZE_MAX / 2 + 2, SIZE_MAX }) {
			wend_attr attr = {};

			attr.stack_size = size;
			EXPECT_EQ(-EINVAL,
				  wt::GoWith(attr, [] { BadEntry(nullptr); }));
		}
	});
}

namespace
{

struct EndNote {
	uint64_t task;
	int result;
	int calls;
	wend_chan *wait;
};

void NoteEnd(void *arg, int result)
{
	EndNote *n = static_cast<EndNote *>(arg);

	EXPECT_EQ(0, wend_chan_recv(n->wait, nullptr));
	n->task = wend_task_id();
	n->result = result;
	n->calls++;
}

} // namespace

/* on_end runs in the task itself, may wait, and is over before a join. */
TEST(Task, OnEndRunsInTheTask)
{
	wt::Run([] {
		wt::Chan gate(0, 0);
		EndNote note = {};
		wend_attr attr = {};
		wend_task *t = nullptr;
		std::atomic<uint64_t> id{ 0 };
		std::atomic<bool> returned{ false };

		note.wait = gate;
		attr.name = "ending";
		attr.on_end = NoteEnd;
		attr.on_end_arg = &note;
		attr.handle = &t;
		ASSERT_EQ(0, wt::GoWith(attr, [&] {
				  id = wend_task_id();
				  wend_task_fail(-77);
				  returned = true;
			  }));
		wt::AwaitWaiting("ending");
		EXPECT_TRUE(returned);
		EXPECT_EQ(-ETIMEDOUT, wend_join_until(t, nullptr, 0));
		EXPECT_EQ(0, wend_chan_send(gate, nullptr));
		EXPECT_EQ(0, wend_join(t, nullptr));
		EXPECT_EQ(1, note.calls);
		EXPECT_EQ(-77, note.result);
		EXPECT_EQ(id, note.task);
	});
}

/* The result is what was set last, 0 without. */
TEST(Task, JoinGivesTheResult)
{
	wt::Run([] {
		wend_task *a, *b;
		int r = 99;

		ASSERT_EQ(0, wt::Go([] {}, nullptr, &a));
		ASSERT_EQ(0, wt::Go(
				     [] {
					     wend_task_fail(-3);
					     wend_yield();
					     wend_task_fail(-4);
				     },
				     nullptr, &b));
		EXPECT_EQ(0, wend_join(a, &r));
		EXPECT_EQ(0, r);
		EXPECT_EQ(0, wend_join(b, &r));
		EXPECT_EQ(-4, r);
	});
}

/* What the task wrote, plain memory, is seen after the join. */
TEST(Task, JoinOrders)
{
	wt::Run([] {
		int value[64] = {};
		wend_task *t[64];

		for (int i = 0; i < 64; i++)
			ASSERT_EQ(0, wt::Go([&value, i] { value[i] = i + 1; },
					    nullptr, &t[i]));
		for (int i = 0; i < 64; i++) {
			EXPECT_EQ(0, wend_join(t[i], nullptr));
			EXPECT_EQ(i + 1, value[i]);
		}
	});
}

/* A join that fails leaves the reference good. */
TEST(Task, JoinErrors)
{
	wt::Run([] {
		wt::Chan gate(0, 0);
		wt::Group g;
		wend_task *t, *self = nullptr;
		int r = 55;

		ASSERT_EQ(0, wt::Go(
				     [&] {
					     wend_chan_recv(gate, nullptr);
					     wend_task_fail(6);
				     },
				     nullptr, &t));
		EXPECT_EQ(-ETIMEDOUT, wend_join_until(t, &r, 0));
		EXPECT_EQ(-ETIMEDOUT, wend_join_until(t, &r, wend_now()));
		EXPECT_EQ(-ETIMEDOUT,
			  wend_join_until(t, &r, wend_after(WEND_MILLISECOND)));
		EXPECT_EQ(55, r);

		wend_task *w = g.Go(
			[&] {
				EXPECT_EQ(-ECANCELED, wend_join(t, &r));
				EXPECT_EQ(-ECANCELED,
					  wend_join_until(t, &r, WEND_FOREVER));
			},
			"joiner");
		wt::AwaitWaiting("joiner");
		wend_task_cancel(w);
		g.Wait();

		wt::Chan told(0, 0);
		ASSERT_EQ(0, wt::Go(
				     [&] {
					     wend_chan_recv(told, nullptr);
					     EXPECT_EQ(-EDEADLK,
						       wend_join(self, &r));
				     },
				     nullptr, &self));
		EXPECT_EQ(0, wend_chan_send(told, nullptr));
		EXPECT_EQ(0, wend_join(self, nullptr));

		EXPECT_EQ(55, r);
		EXPECT_EQ(0, wend_chan_send(gate, nullptr));
		EXPECT_EQ(0, wend_join(t, &r));
		EXPECT_EQ(6, r);
	});
}

/* A reference can be given up before and after the end of the task. */
TEST(Task, ReleaseInsteadOfJoin)
{
	wt::Run([] {
		wt::Chan gate(0, 0), done(0, 0);
		wend_task *t;

		ASSERT_EQ(0, wt::Go(
				     [&] {
					     wend_chan_recv(gate, nullptr);
					     wend_chan_send(done, nullptr);
				     },
				     nullptr, &t));
		wend_task_release(t);
		EXPECT_EQ(0, wend_chan_send(gate, nullptr));
		EXPECT_EQ(0, wend_chan_recv(done, nullptr));

		ASSERT_EQ(0, wt::Go([] {}, nullptr, &t));
		while (wend_join_until(t, nullptr, 0) == -ETIMEDOUT)
			wend_yield();
		ASSERT_EQ(0, wt::Go([] {}, nullptr, &t));
		for (int i = 0; i < 100; i++)
			wend_yield();
		wend_task_release(t);
	});
}

TEST(Task, Names)
{
	static const char longest[] = "0123456789012345678901234567890";

	wt::Run([] {
		char text[64] = "short";
		wt::Group g;

		g.Go([] { EXPECT_STREQ("", wend_task_name()); });
		g.Go([] { EXPECT_STREQ(longest, wend_task_name()); },
		     "0123456789012345678901234567890cut off");
		g.Go(
			[] {
				EXPECT_STREQ("short", wend_task_name());
				wend_yield();
				wend_task_set_name("other");
				EXPECT_STREQ("other", wend_task_name());
				wend_task_set_name(
					"0123456789012345678901234567890cut");
				EXPECT_STREQ(longest, wend_task_name());
				wend_task_set_name("");
				EXPECT_STREQ("", wend_task_name());
			},
			text);
		strcpy(text, "changed");
	});
}

TEST(Task, AThreadIsNoTask)
{
	WT_NEEDS_THREADS();
	wt::Start(1);
	EXPECT_EQ(0u, wend_task_id());
	EXPECT_STREQ("", wend_task_name());
	EXPECT_FALSE(wend_task_cancelled());
	wend_task_set_name("x");
	EXPECT_STREQ("", wend_task_name());
	wend_task_fail(5);
	wend_yield();
	wt::Stop();
}

TEST(Task, NumbersAreNeverUsedTwice)
{
	wt::Run(
		[] {
			wt::Log<uint64_t> ids;

			for (int round = 0; round < 4; round++) {
				wt::Group g;

				for (int i = 0; i < 250; i++)
					g.Go([&] { ids.Add(wend_task_id()); });
			}
			std::vector<uint64_t> list = ids.Get();
			std::set<uint64_t> set(list.begin(), list.end());
			EXPECT_EQ(1000u, set.size());
			EXPECT_EQ(0u, set.count(0));
			EXPECT_EQ(0u, set.count(wend_task_id()));
		},
		20);
}

/* One server, so the run queue's order is seen: no task gets ahead of another
 * by more than one turn while all yield. */
TEST(Task, YieldIsFair)
{
	if (wt::IsSim())
		GTEST_SKIP() << "the seed chooses the order there";
	wt::RunOn(1, [] {
		constexpr int kTasks = 10, kTurns = 1000;
		int turns[kTasks] = {};
		bool start = false;
		wt::Group g;

		for (int i = 0; i < kTasks; i++)
			g.Go([&, i] {
				while (!start)
					wend_yield();
				for (int k = 0; k < kTurns; k++) {
					turns[i]++;
					for (int n : turns) {
						EXPECT_LE(n - turns[i], 1);
						EXPECT_LE(turns[i] - n, 1);
					}
					wend_yield();
				}
			});
		for (int i = 0; i < 3; i++)
			wend_yield();
		start = true;
	});
}

/* A task that yields for ever does not keep others from running. */
TEST(Task, YieldLetsOthersRun)
{
	wt::Run([] {
		std::atomic<bool> stop{ false };
		wt::Group g;

		for (int i = 0; i < 3; i++)
			g.Go([&] {
				while (!stop)
					wend_yield();
			});
		g.Go([&] { stop = true; });
	});
}

/* Many tasks parked at once; each is woken and each ends. */
TEST(Task, ManyAtOnce)
{
	wt::Run(
		[] {
			int n = wt::kTsan ? 1000 : wt::kAsan ? 5000 : 100000;
			wt::Chan gate(0, 0);
			std::atomic<int> woken{ 0 };
			wend_waitgroup done = {};
			struct wend_stats s;

			wend_waitgroup_add(&done, n);
			for (int i = 0; i < n; i++)
				ASSERT_EQ(0, wt::Go([&] {
						  EXPECT_EQ(-EPIPE,
							    wend_chan_recv(
								    gate,
								    nullptr));
						  woken++;
						  wend_waitgroup_done(&done);
					  }));
			wend_stats_get(&s);
			EXPECT_EQ((uint64_t)n + 1, s.tasks_live);
			wend_chan_close(gate);
			EXPECT_EQ(0, wend_waitgroup_wait(&done));
			EXPECT_EQ(n, woken);
		},
		2000);
}
