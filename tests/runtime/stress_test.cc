/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stress_test.cc - everything at once, at random, with sums that show that
 * nothing was lost and nothing came twice.
 *
 * The seed is printed with a failure and taken back by WEND_SEED; under "sim"
 * it replays the run, under "emul" the choices only.
 */
#include "tests/runtime/reached.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <random>

typedef Reached Stress;

namespace
{

typedef std::mt19937_64 Rng;

/* What was sent and what was received: equal in number and in sum, if each
 * value went through once. */
struct Tally {
	std::atomic<uint64_t> sent{ 0 }, received{ 0 };
	std::atomic<uint64_t> sent_sum{ 0 }, received_sum{ 0 };

	void Sent(uint64_t v)
	{
		sent++;
		sent_sum += v * v;
	}
	void Received(uint64_t v)
	{
		received++;
		received_sum += v * v;
	}
};

constexpr int kChans = 6;

struct World {
	Tally tally;
	std::unique_ptr<wt::Chan> chans[kChans];
	wend_mutex mutex = {};
	wend_rwmutex rwmutex = {};
	wend_sema sema = WEND_SEMA_INIT(2);
	wend_cond cond = {};
	uint64_t locked_count = 0; /* under mutex */
	std::atomic<uint64_t> lock_count{ 0 };
	uint64_t a = 0, b = 0; /* equal, under rwmutex */
	std::atomic<int> inside{ 0 };
	std::atomic<uint64_t> next{ 1 };

	World()
	{
		static const size_t caps[kChans] = { 0, 0, 1, 2, 7, 100 };

		for (int i = 0; i < kChans; i++)
			chans[i].reset(new wt::Chan(sizeof(uint64_t), caps[i]));
	}
	wend_chan *Any(Rng &rng)
	{
		return *chans[rng() % kChans];
	}
};

int64_t SomeDeadline(Rng &rng)
{
	switch (rng() % 4) {
	case 0:
		return 0;
	case 1:
		return wend_after((int64_t)(rng() % 2000));
	default:
		return wend_after((int64_t)(rng() % 200000));
	}
}

void SendOne(World &w, Rng &rng)
{
	uint64_t v = w.next++;

	if (wend_chan_send_until(w.Any(rng), &v, SomeDeadline(rng)) == 0)
		w.tally.Sent(v);
}

void RecvOne(World &w, Rng &rng)
{
	uint64_t v = 0;

	if (wend_chan_recv_until(w.Any(rng), &v, SomeDeadline(rng)) == 0)
		w.tally.Received(v);
}

void SelectSome(World &w, Rng &rng)
{
	wend_case cases[20];
	uint64_t in[20] = {}, out[20];
	size_t n = 1 + rng() % (rng() % 8 ? 5 : 20);

	for (size_t i = 0; i < n; i++) {
		out[i] = w.next++;
		wend_chan *c = rng() % 10 ? w.Any(rng) : nullptr;
		cases[i] = rng() % 2 ? wend_on_recv(c, &in[i]) :
				       wend_on_send(c, &out[i]);
	}
	int k = wend_select_cases(cases, n, SomeDeadline(rng));
	if (k >= 0 && cases[k].op == WEND_OP_RECV)
		w.tally.Received(in[k]);
	else if (k >= 0)
		w.tally.Sent(out[k]);
	for (size_t i = 0; i < n; i++) {
		if ((int)i != k) {
			EXPECT_EQ(0u, in[i]);
		}
	}
}

void LockAndCount(World &w, Rng &rng)
{
	if (rng() % 2)
		wend_mutex_lock(&w.mutex);
	else if (wend_mutex_lock_until(&w.mutex, SomeDeadline(rng)) != 0)
		return;
	uint64_t was = w.locked_count;
	if (rng() % 4 == 0)
		wend_yield();
	if (rng() % 16 == 0) {
		int64_t dl = wend_after((int64_t)(rng() % 5000));

		if (wend_cond_wait_until(&w.cond, &w.mutex, dl) == 0)
			wend_cond_signal(&w.cond);
		was = w.locked_count;
	}
	w.locked_count = was + 1;
	w.lock_count++;
	if (rng() % 4 == 0)
		wend_cond_broadcast(&w.cond);
	wend_mutex_unlock(&w.mutex);
}

void ReadOrWrite(World &w, Rng &rng)
{
	int64_t dl = SomeDeadline(rng);

	if (rng() % 4 == 0) {
		if (wend_rwmutex_lock_until(&w.rwmutex, dl) != 0)
			return;
		w.a++;
		wend_yield();
		w.b++;
		wend_rwmutex_unlock(&w.rwmutex);
		return;
	}
	if (wend_rwmutex_rlock_until(&w.rwmutex, dl) != 0)
		return;
	uint64_t seen = w.a;
	if (rng() % 2)
		wend_yield();
	EXPECT_EQ(seen, w.b);
	wend_rwmutex_runlock(&w.rwmutex);
}

void Enter(World &w, Rng &rng)
{
	if (wend_sema_acquire_until(&w.sema, SomeDeadline(rng)) != 0)
		return;
	EXPECT_LE(++w.inside, 2);
	wend_yield();
	--w.inside;
	wend_sema_release(&w.sema, 1);
}

/* A call in the kernel; it may be over at once. */
void Block(World &, Rng &rng)
{
	const struct timespec nap = { 0, 1 + (long)(rng() % 20000) };

	wend_block_begin();
	if (rng() % 2 && !wt::IsSim())
		syscall(SYS_nanosleep, &nap, nullptr);
	wend_block_end();
}

/* A task of its own that sends or receives, and may be cancelled in it. */
void SpawnAndCancel(World &w, Rng &rng)
{
	uint64_t seed = rng();
	wend_task *t = nullptr;

	ASSERT_EQ(0, wt::Go(
			     [&w, seed] {
				     Rng own(seed);
				     uint64_t v = w.next++;
				     wend_chan *c = w.Any(own);

				     if (own() % 3 == 0) {
					     SelectSome(w, own);
				     } else if (own() % 2) {
					     if (wend_chan_send(c, &v) == 0)
						     w.tally.Sent(v);
				     } else {
					     if (wend_chan_recv(c, &v) == 0)
						     w.tally.Received(v);
				     }
			     },
			     "short", &t));
	if (rng() % 2)
		wend_sleep((int64_t)(rng() % 3000));
	wend_task_cancel(t);
	EXPECT_EQ(0, wend_join(t, nullptr));
}

void UseTimer(World &, Rng &rng)
{
	int64_t dl = wend_after((int64_t)(rng() % 5000)), at = 0;
	wend_timer *t = wend_timer_new(dl);

	ASSERT_NE(nullptr, t);
	if (rng() % 3 == 0 && wend_timer_stop(t)) {
		wend_timer_free(t);
		return;
	}
	EXPECT_EQ(0, wend_chan_recv(wend_timer_chan(t), &at));
	EXPECT_GE(at, dl);
	wend_timer_free(t);
}

void Step(World &w, Rng &rng)
{
	typedef void (*Action)(World &, Rng &);
	static const Action actions[] = {
		SendOne,        SendOne,      SendOne,     RecvOne,
		RecvOne,        RecvOne,      SelectSome,  SelectSome,
		SelectSome,     LockAndCount, ReadOrWrite, Enter,
		SpawnAndCancel, UseTimer,     Block,
	};

	actions[rng() % (sizeof(actions) / sizeof(actions[0]))](w, rng);
}

void Drain(World &w)
{
	uint64_t v;

	for (auto &c : w.chans) {
		while (wend_chan_recv_try(*c, &v) == 0)
			w.tally.Received(v);
	}
}

int Tasks()
{
	return wt::IsSim() ? 6 : wt::kSanitized ? 30 : 60;
}

int Steps()
{
	return wt::IsSim() ? 40 : wt::kSanitized ? 100 : 1000;
}

} // namespace

TEST_F(Stress, RandomMix)
{
	wt::Run(
		[] {
			World w;
			wt::Group g;

			for (int i = 0; i < Tasks(); i++)
				g.Go([&, i] {
					Rng rng(wt::Seed() * 1000 + i);

					for (int k = 0; k < Steps(); k++)
						Step(w, rng);
				});
			g.Wait();
			Drain(w);
			EXPECT_EQ(w.tally.sent, w.tally.received);
			EXPECT_EQ(w.tally.sent_sum, w.tally.received_sum);
			EXPECT_EQ(w.lock_count, w.locked_count);
			EXPECT_EQ(w.a, w.b);
			EXPECT_TRUE(wend_mutex_try(&w.mutex));
			EXPECT_TRUE(wend_rwmutex_try(&w.rwmutex));
			EXPECT_TRUE(wend_sema_try(&w.sema));
			EXPECT_TRUE(wend_sema_try(&w.sema));
			EXPECT_FALSE(wend_sema_try(&w.sema));
		},
		2);
}

namespace
{

int Fib(int n)
{
	int a = 0, b = 0;

	if (n < 2)
		return n;
	wend_task *t = nullptr;
	EXPECT_EQ(0, wt::Go([&] { a = Fib(n - 1); }, nullptr, &t));
	b = Fib(n - 2);
	EXPECT_EQ(0, wend_join(t, nullptr));
	return a + b;
}

} // namespace

/* A tree of spawns and joins: work is stolen, results come back. */
TEST_F(Stress, TreeOfTasks)
{
	wt::Run([] {
		int n = wt::IsSim() ? 8 : wt::kSanitized ? 12 : 16;
		int want[] = { 0, 1 };

		for (int i = 2; i <= n; i++) {
			int next = want[0] + want[1];

			want[0] = want[1];
			want[1] = next;
		}
		EXPECT_EQ(want[1], Fib(n));
	});
}

/* A ring of tasks passes several tokens round: each makes all its laps. */
TEST_F(Stress, Ring)
{
	wt::Run(
		[] {
			int size = wt::IsSim() ? 8 : 100;
			int laps = wt::IsSim() ? 5 : 50, tokens = 3;
			std::vector<std::unique_ptr<wt::Chan>> ring;
			std::atomic<int> passed{ 0 };
			wt::Group g;

			for (int i = 0; i < size; i++)
				ring.emplace_back(
					new wt::Chan(sizeof(int), i % 3));
			for (int i = 0; i < size; i++)
				g.Go([&, i] {
					wend_chan *in = *ring[i];
					wend_chan *out = *ring[(i + 1) % size];
					int v;

					while (wend_chan_recv(in, &v) == 0) {
						passed++;
						if (v > 1) {
							v--;
							wend_chan_send(out, &v);
						}
					}
				});
			int hops = size * laps;
			for (int t = 0; t < tokens; t++)
				EXPECT_EQ(0, wend_chan_send(*ring[t], &hops));
			while (passed < tokens * hops)
				wend_sleep(WEND_MILLISECOND);
			for (auto &c : ring)
				wend_chan_close(*c);
			g.Wait();
			EXPECT_EQ(tokens * hops, passed);
		},
		4);
}

/* A sieve: a chain of tasks that grows while values run through it. */
TEST_F(Stress, Sieve)
{
	wt::Run(
		[] {
			int count = wt::IsSim() ? 8 : 60, last = 0;
			std::vector<std::unique_ptr<wt::Chan>> chans;
			wt::Group g;

			chans.reserve(count + 1);
			chans.emplace_back(new wt::Chan(sizeof(int), 0));
			wend_chan *first = *chans[0];
			g.Go([first] {
				for (int i = 2; wend_chan_send(first, &i) == 0;)
					i++;
			});
			for (int k = 0; k < count; k++) {
				wend_chan *in = *chans[k];
				int p = 0;

				ASSERT_EQ(0, wend_chan_recv(in, &p));
				EXPECT_GT(p, last);
				last = p;
				chans.emplace_back(
					new wt::Chan(sizeof(int), 0));
				wend_chan *out = *chans[k + 1];
				g.Go([in, out, p] {
					int v;

					while (wend_chan_recv(in, &v) == 0) {
						if (v % p &&
						    wend_chan_send(out, &v) !=
							    0)
							break;
					}
				});
			}
			EXPECT_EQ(wt::IsSim() ? 19 : 281, last);
			for (auto &c : chans)
				wend_chan_close(*c);
		},
		4);
}

/* Everyone waits for one condition, again and again: no one is left out. */
TEST_F(Stress, ThunderingHerd)
{
	wt::Run(
		[] {
			int size = wt::IsSim() ? 10 : wt::kTsan ? 300 : 1000;
			int rounds = wt::IsSim() ? 3 : 10, arrived = 0;
			int phase = 0;
			wend_mutex m = {};
			wend_cond c = {};
			wt::Group g;

			for (int i = 0; i < size; i++)
				g.Go([&] {
					for (int r = 0; r < rounds; r++) {
						wend_mutex_lock(&m);
						int mine = phase;
						if (++arrived == size) {
							arrived = 0;
							phase++;
							wend_cond_broadcast(&c);
						}
						while (phase == mine)
							wend_cond_wait(&c, &m);
						wend_mutex_unlock(&m);
					}
				});
			g.Wait();
			EXPECT_EQ(rounds, phase);
		},
		4);
}
