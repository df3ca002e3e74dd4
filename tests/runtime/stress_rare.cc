/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stress_rare.cc - stress cases that each drive at certain rare paths.
 */
#include "tests/runtime/reached.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "tests/runtime/raw.h"

typedef Reached StressRare;

/* --- memory that is refused ----------------------------------------------- */

namespace
{

/* The linker leads the runtime's calls through here (--wrap). */
std::atomic<bool> no_realloc{ false };
std::atomic<size_t> largest_mmap{ SIZE_MAX };

} // namespace

extern "C" {

void *__real_realloc(void *, size_t);
void *__real_mmap(void *, size_t, int, int, int, off_t);

void *__wrap_realloc(void *old, size_t n)
{
	if (no_realloc) {
		errno = ENOMEM;
		return nullptr;
	}
	return __real_realloc(old, n);
}

void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t off)
{
	if (n > largest_mmap) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	return __real_mmap(at, n, prot, flags, fd, off);
}
}

namespace
{

/* What a case gets of the kernel's memory, for a scope. */
class Refuse
{
      public:
	explicit Refuse(size_t mmap_bytes, bool realloc = false)
	{
		largest_mmap = mmap_bytes;
		no_realloc = realloc;
	}
	~Refuse()
	{
		largest_mmap = SIZE_MAX;
		no_realloc = false;
	}
};

/* Many rounds where only volume finds a race, few where a seed does. */
int Rounds(int n)
{
	return wt::IsSim() ? 1 : wt::kSanitized ? n / 10 + 1 : n;
}

/* Compute for that long. Under sim time passes only at the runtime's points,
 * and a look at a mutex is one. */
void Pause(int64_t ns)
{
	int64_t end = wend_after(ns);
	wend_mutex held = {};

	while (wend_now() < end)
		(void)!wend_mutex_try(&held);
}

/* Tasks that wait on a channel, and are woken all at once by its closing. */
class Crowd
{
      public:
	explicit Crowd(int n, std::function<void()> then)
	{
		for (int i = 0; i < n; i++)
			tasks_.Go([this, then] {
				arrived_++;
				EXPECT_EQ(-EPIPE,
					  wend_chan_recv(gate_, nullptr));
				then();
			});
		while (arrived_ < n)
			wend_yield();
	}
	void Release()
	{
		wend_chan_close(gate_);
	}
	~Crowd()
	{
		tasks_.Wait();
	}

      private:
	std::atomic<int> arrived_{ 0 };
	wt::Chan gate_{ 0, 0 };
	wt::Group tasks_;
};

} // namespace

/* --- run queues ------------------------------------------------------------------------- */

/* More tasks become ready at once than a ring holds, while thieves take. */
TEST_F(StressRare, RingSpills)
{
	Until({ WEND__RARE_ring_spill, WEND__RARE_ring_spill_lost }, 4, [] {
		for (int r = 0; r < Rounds(20); r++) {
			Crowd crowd(700, [] { wend_yield(); });

			crowd.Release();
		}
	});
}

/* More tasks are started than a deque holds. */
TEST_F(StressRare, FreshSpills)
{
	Until({ WEND__RARE_fresh_spill }, 0, [] {
		std::atomic<int> ran{ 0 };
		wt::Group g;

		for (int i = 0; i < 2500; i++)
			g.Go([&] { ran++; });
		g.Wait();
		EXPECT_EQ(2500, ran);
	});
}

/* Owners and thieves meet at the last task of a queue, and at the first. */
TEST_F(StressRare, ThievesMeetOwners)
{
	Until({ WEND__RARE_ring_take_lost, WEND__RARE_ring_steal_lost,
		WEND__RARE_fresh_last_lost, WEND__RARE_fresh_take_lost,
		WEND__RARE_next_on_cpu, WEND__RARE_on_cpu_wait,
		WEND__RARE_lock_slow },
	      4, [] {
		      wt::Group g;

		      for (int i = 0; i < 8; i++)
			      g.Go([] {
				      for (int r = 0; r < Rounds(3000); r++) {
					      wt::Group few;

					      for (int k = 0; k < r % 4; k++)
						      few.Go(wend_yield);
					      wend_yield();
				      }
			      });
	      });
}

/* --- searching and idling --------------------------------------------------------------- */

/* Tasks sleep, wake each other and are sent to, so that servers go idle and
 * come back all the time, and work comes just as they do. */
TEST_F(StressRare, ServersComeAndGo)
{
	Until({ WEND__RARE_search_kicked, WEND__RARE_search_kick_lost,
		WEND__RARE_search_passed_on, WEND__RARE_hold_back,
		WEND__RARE_late_timers, WEND__RARE_search_timers,
		WEND__RARE_idle_again, WEND__RARE_idle_gone,
		WEND__RARE_next_stolen, WEND__RARE_keeper_appointed,
		WEND__RARE_keeper_missing, WEND__RARE_keeper_hurried,
		WEND__RARE_keeper_spared, WEND__RARE_keeper_taken,
		WEND__RARE_keeper_relieved, WEND__RARE_keeper_due },
	      4, [] {
		      wt::Chan c(sizeof(int), 1);
		      wt::Group g;

		      for (int i = 0; i < 6; i++)
			      g.Go([&, i] {
				      int v = i;

				      for (int r = 0; r < Rounds(200) + 5;
					   r++) {
					      int64_t ns = (r * 7919 +
							    i * 911) %
							   300000;

					      if (i % 2)
						      wend_chan_send(c, &v);
					      else
						      wend_chan_recv(c, &v);
					      if (r % 3 == 0)
						      wend_sleep(ns);
					      else if (r % 3 == 1)
						      Pause(ns / 4);
				      }
			      });
	      });
}

/* Work comes from a thread that has no server, as searchers go to nap. */
TEST_F(StressRare, WorkFromOutside)
{
	UntilFromThread({ WEND__RARE_nap_skipped, WEND__RARE_foreign_ready,
			  WEND__RARE_idle_again },
			4, [] {
				wt::Chan c(sizeof(int), 0);
				wt::Group g;

				for (int i = 0; i < 3; i++)
					g.Go([&] {
						while (!wend_chan_recv(c,
								       nullptr))
							;
					});
				for (int r = 0; r < Rounds(2000) + 20; r++) {
					EXPECT_EQ(0, wend_chan_send(c, &r));
					Pause(r % 50 * 1000);
				}
				wend_chan_close(c);
			});
}

/* The only server's tasks have their channels to themselves, until a thread
 * sends, too. All is counted. */
TEST_F(StressRare, ThreadComesToTheOnlyServer)
{
	WT_NEEDS_THREADS();
	Until({ WEND__RARE_lone_ended }, 1, [] {
		constexpr int kSenders = 4, kSends = 200, kAll = kSenders + 2;
		wt::Chan c(sizeof(int), 3);
		wt::Group g;
		long sum = 0;
		int v;
		auto Send = [&] {
			for (int i = 1; i <= kSends; i++)
				EXPECT_EQ(0, wend_chan_send(c, &i));
		};

		for (int i = 0; i < kSenders; i++)
			g.Go(Send);
		std::thread first(Send), second(Send);
		for (int i = 0; i < kAll * kSends; i++) {
			EXPECT_EQ(0, wend_chan_recv(c, &v));
			sum += v;
		}
		EXPECT_EQ(kAll * kSends * (kSends + 1L) / 2, sum);
		first.join();
		second.join();
	});
}

/* Calls in the kernel that are over at once, more tasks than servers. */
TEST_F(StressRare, CallsThatHardlyWait)
{
	Until({ WEND__RARE_return_queued, WEND__RARE_global_quick,
		WEND__RARE_hand_over, WEND__RARE_return_stale,
		WEND__RARE_release_unseen, WEND__RARE_search_raced },
	      0, [] {
		      wt::Group g;

		      for (int i = 0; i < 12; i++)
			      g.Go([i] {
				      for (int r = 0; r < Rounds(200) + 10;
					   r++) {
					      wend_block_begin();
					      if (r % 4 == 0)
						      Pause(60000);
					      wend_block_end();
					      if ((r + i) % 3 == 0)
						      wend_yield();
					      else if ((r + i) % 3 == 1)
						      wend_sleep(r % 5 * 20000);
				      }
			      });
	      });
}

namespace
{

void CallsOfFewWorkers()
{
	wt::Group g;

	for (int i = 0; i < 8; i++)
		g.Go([i] {
			for (int r = 0; r < Rounds(200) + 10; r++) {
				wend_block_begin();
				if ((r + i) % 4 == 0)
					Pause(60000);
				wend_block_end();
				if ((r + i) % 3 == 0)
					wend_sleep(r % 5 * 10000);
				else if ((r + i) % 7 == 0)
					Pause(20000);
				else
					wend_yield();
			}
		});
}

} // namespace

/* The same with fewer workers than there are calls, and then servers. */
TEST_F(StressRare, FewWorkers)
{
	wt::Env few("WEND_MAX_WORKERS", "2");

	Until({ WEND__RARE_worker_capped, WEND__RARE_server_waits,
		WEND__RARE_server_served, WEND__RARE_server_raced,
		WEND__RARE_timers_keeperless },
	      4, CallsOfFewWorkers);
}

/* And with fewer servers than workers: one comes back just as the server is
 * about to be nobody's. */
TEST_F(StressRare, FewWorkersForOneServer)
{
	wt::Env few("WEND_MAX_WORKERS", "2");

	Until({ WEND__RARE_worker_capped, WEND__RARE_server_waits,
		WEND__RARE_server_handed },
	      1, CallsOfFewWorkers);
}

namespace
{

/* A worker that the kernel keeps from user mode never finds out itself that its
 * server is gone: there are fewer ways to go. */
bool KernelDetects()
{
	return strcmp(wt::Port(), "kernel") == 0;
}

/* Tasks that compute for up to three times so long, block without saying so,
 * and meet in channels. */
void ComputeAndBlock(int64_t ns)
{
	wt::Chan c(sizeof(int), 2);
	wt::Group g;

	for (int i = 0; i < 10; i++)
		g.Go([&, i] {
			for (int r = 0; r < 20; r++) {
				int64_t end;

				if ((r + i) % 3 == 0)
					raw::Sleep(300000);
				end = wend_now() + (r + i) % 4 * ns;
				while (wend_now() < end)
					;
				wend_chan_send(c, &r);
			}
		});
	for (int n = 0, v; n < 200; n++)
		wend_chan_recv(c, &v);
}

} // namespace

TEST_F(StressRare, TakenServers)
{
	WT_NEEDS_THREADS();

	wt::Env slice("WEND_SLICE", "5ms");

	if (KernelDetects())
		Until({ WEND__RARE_server_taken, WEND__RARE_taken_queued,
			WEND__RARE_stop_heard, WEND__RARE_claim_inside },
		      0, [] { ComputeAndBlock(3000000); });
	else
		Until({ WEND__RARE_server_taken, WEND__RARE_taken_back,
			WEND__RARE_taken_queued, WEND__RARE_stop_heard,
			WEND__RARE_claim_inside, WEND__RARE_claim_denied,
			WEND__RARE_taken_waited, WEND__RARE_stop_inside,
			WEND__RARE_stop_blocked },
		      0, [] { ComputeAndBlock(3000000); });
}

/* The same with slices that are shorter than a tick of most clocks. */
TEST_F(StressRare, TakenServersInShortSlices)
{
	WT_NEEDS_THREADS();

	wt::Env slice("WEND_SLICE", "1ms");

	if (KernelDetects())
		Until({ WEND__RARE_server_taken, WEND__RARE_taken_queued }, 0,
		      [] { ComputeAndBlock(1500000); });
	else
		Until({ WEND__RARE_server_taken, WEND__RARE_taken_back,
			WEND__RARE_taken_queued, WEND__RARE_claim_inside,
			WEND__RARE_claim_denied, WEND__RARE_taken_waited },
		      0, [] { ComputeAndBlock(1500000); });
}

/* Descriptors: idle servers are woken, waits end before their operations. */
TEST_F(StressRare, Descriptors)
{
	WT_NEEDS_THREADS();
	Until({ WEND__RARE_watcher_woke, WEND__RARE_io_called_back,
		WEND__RARE_io_stolen },
	      0, [] {
		      for (int r = 0; r < 20; r++) {
			      int fds[2];
			      wend_task *t;
			      wt::Group g;
			      char b;

			      ASSERT_EQ(0, pipe(fds));
			      t = g.Go([&] {
				      ssize_t n = read(fds[0], &b, 1);

				      EXPECT_TRUE(n == 1 || n == -1);
			      });
			      if (r % 2) {
				      wend_sleep(r * 20000);
				      wend_task_cancel(t);
			      }
			      raw::Sleep(200000);
			      EXPECT_EQ(1, write(fds[1], "x", 1));
			      g.Wait();
			      close(fds[0]);
			      close(fds[1]);
		      }
	      });
}

/* The keeper lay down while no server ran; then one runs for long, with an
 * operation under way. */
TEST_F(StressRare, KeeperIsReminded)
{
	WT_NEEDS_THREADS();
	Until({ WEND__RARE_keeper_reminded }, 2, [] {
		wt::Group g;
		int fds[2];
		char b;

		ASSERT_EQ(0, pipe(fds));
		g.Go([&] { EXPECT_EQ(1, read(fds[0], &b, 1)); });
		wend_sleep(3 * WEND_MILLISECOND);
		Pause(25 * WEND_MILLISECOND);
		EXPECT_EQ(1, write(fds[1], "x", 1));
		g.Wait();
		close(fds[0]);
		close(fds[1]);
	});
}

/* Two read what is enough for one, and are cancelled: the kernel may just be
 * about to try the other's again, where no cancel finds it. */
TEST_F(StressRare, CancelsThatMiss)
{
	WT_NEEDS_THREADS();
	Until({ WEND__RARE_io_cancelled_again }, 2, [] {
		for (int r = 0; r < 1000; r++) {
			std::atomic<int> got{ 0 };
			int fds[2];
			wend_task *t[2];
			wt::Group g;
			char left;

			ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
			for (auto &one : t)
				one = g.Go([&] {
					char b;

					if (read(fds[0], &b, 1) == 1)
						got++;
					else
						EXPECT_EQ(ECANCELED, errno);
				});
			for (int k = 0; k < r % 5; k++)
				wend_yield();
			g.Go([&] { wend_task_cancel(t[0]); });
			g.Go([&] { EXPECT_EQ(1, write(fds[1], "x", 1)); });
			g.Go([&] {
				wend_yield();
				wend_task_cancel(t[1]);
			});
			g.Wait();
			if (recv(fds[0], &left, 1, MSG_DONTWAIT) == 1)
				got++;
			EXPECT_EQ(1, got);
			close(fds[0]);
			close(fds[1]);
		}
	});
}

/* A peer that answers at once: who waits for it had better stay awake. It wakes
 * another task, too, now and then, just as the answer is on its way. */
TEST_F(StressRare, Lingers)
{
	enum { MESSAGES = 2000 };

	WT_NEEDS_THREADS();
	Until({ WEND__RARE_linger_event, WEND__RARE_linger_permit }, 2, [] {
		wt::Chan woken(0, 0);
		wt::Group g;
		int fds[2];

		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
		std::thread peer([&] {
			for (int i = 0; i < MESSAGES; i++) {
				char b;

				while (recv(fds[1], &b, 1, MSG_DONTWAIT) != 1)
					std::this_thread::yield();
				if (i % 16 == 0) {
					EXPECT_EQ(0, wend_chan_send(woken,
								    nullptr));
				}
				EXPECT_EQ(1, send(fds[1], &b, 1, 0));
			}
		});
		g.Go([&] {
			for (int i = 0; i < MESSAGES; i += 16)
				EXPECT_EQ(0, wend_chan_recv(woken, nullptr));
		});
		g.Go([&] {
			for (int i = 0; i < MESSAGES; i++) {
				char sent = (char)i, got = (char)~i;

				EXPECT_EQ(1, write(fds[0], &sent, 1));
				EXPECT_EQ(1, read(fds[0], &got, 1));
				EXPECT_EQ(sent, got);
			}
		});
		g.Wait();
		peer.join();
		close(fds[0]);
		close(fds[1]);
	});
}

/* And with hardly more workers than servers: one that watches an idle server is
 * called off to run the other, whose worker is in a call. */
TEST_F(StressRare, FewWorkersAndDescriptors)
{
	WT_NEEDS_THREADS();

	wt::Env few("WEND_MAX_WORKERS", "3");

	Until({ WEND__RARE_watcher_called_off, WEND__RARE_io_watcherless,
		WEND__RARE_watcher_left },
	      2, [] {
		      wt::Group g;
		      int fds[4][2];

		      for (int i = 0; i < 4; i++) {
			      ASSERT_EQ(0, pipe(fds[i]));
			      g.Go([&, i] {
				      char b;

				      for (int r = 0; r < 40; r++)
					      EXPECT_EQ(1,
							read(fds[i][0], &b, 1));
			      });
			      g.Go([&, i] {
				      for (int r = 0; r < 40; r++) {
					      wend_block_begin();
					      Pause(50000 * (1 + (r + i) % 4));
					      wend_block_end();
					      EXPECT_EQ(1, write(fds[i][1], "x",
								 1));
					      if (r % 3 == 0)
						      wend_sleep(r * 10000);
				      }
			      });
		      }
		      g.Wait();
		      for (auto &p : fds) {
			      close(p[0]);
			      close(p[1]);
		      }
	      });
}

/* A burst of calls, long sleep, another burst: for ports where time is cheap. */
TEST_F(StressRare, SparesEnd)
{
	if (!wt::IsSim())
		GTEST_SKIP() << "takes ten seconds of real time";
	Until({ WEND__RARE_worker_trimmed, WEND__RARE_worker_again }, 0, [] {
		for (int round = 0; round < 2; round++) {
			std::atomic<int> inside{ 0 };
			wt::Group g;

			for (int i = 0; i < 10; i++)
				g.Go([&] {
					wend_block_begin();
					inside++;
					while (inside < 10)
						Pause(100);
					wend_block_end();
				});
			g.Wait();
			wend_sleep(11 * WEND_SECOND);
		}
	});
}

/* --- waiting ---------------------------------------------------------------------------- */

/* Several cancel a task while it is being sent to, and while its deadline
 * passes; every other one waits in a select. */
TEST_F(StressRare, EveryoneWantsTheWait)
{
	Until({ WEND__RARE_cancel_lost, WEND__RARE_cancel_early,
		WEND__RARE_cancel_early_lost, WEND__RARE_cancel_woke,
		WEND__RARE_deadline_lost, WEND__RARE_waker_lost_deadline,
		WEND__RARE_waker_lost_cancel, WEND__RARE_select_lost_case,
		WEND__RARE_select_lost_deadline, WEND__RARE_select_lost_cancel,
		WEND__RARE_timer_firing },
	      4, [] {
		      for (int i = 0; i < Rounds(500); i++) {
			      int r = (int)(wt::Seed() % 1000) + i;
			      wt::Chan a(0, 0), b(0, 0);
			      int64_t when = wend_after(3000 + r % 50 * 1000);
			      wend_task *t = nullptr;
			      wt::Group g;

			      ASSERT_EQ(
				      0,
				      wt::Go(
					      [&, when] {
						      wend_case both[] = {
							      wend_on_recv(
								      a,
								      nullptr),
							      wend_on_recv(
								      b,
								      nullptr),
						      };
						      if (r % 2)
							      wend_select_cases(
								      both, 2,
								      when);
						      else
							      (void)!wend_chan_recv_until(
								      a,
								      nullptr,
								      when);
					      },
					      "wanted", &t));
			      for (wend_chan *c :
				   { (wend_chan *)a, (wend_chan *)b })
				      g.Go([=] {
					      Pause(r % 7 * 500);
					      (void)!wend_chan_send_until(
						      c, nullptr, when);
				      });
			      for (int k = 0; k < 2; k++)
				      g.Go([=] {
					      if (r % 4 > 1)
						      wend_sleep_until(when);
					      Pause(r % 5 * 500);
					      wend_task_cancel(t);
				      });
			      g.Wait();
			      EXPECT_EQ(0, wend_join(t, nullptr));
		      }
	      });
}

/* A channel is closed under selects that wait for it. */
TEST_F(StressRare, CloseUnderSelect)
{
	Until({ WEND__RARE_select_closed }, 0, [] {
		wt::Chan a(0, 0), b(0, 0);
		wt::Group g;

		for (int i = 0; i < 10; i++)
			g.Go(
				[&] {
					wend_case both[] = {
						wend_on_recv(a, nullptr),
						wend_on_send(b, nullptr),
					};
					int status = 0;

					both[1].status = &status;
					EXPECT_EQ(1, wend_select_cases(
							     both, 2,
							     WEND_FOREVER));
					EXPECT_EQ(-EPIPE, status);
				},
				"selects");
		wt::AwaitWaiting("selects", 10);
		wend_chan_close(b);
	});
}

/* A thread's deadline passes while a broadcast wakes it and many tasks. */
TEST_F(StressRare, ThreadWakesLate)
{
	UntilFromThread(
		{ WEND__RARE_thread_late_claim, WEND__RARE_foreign_ready,
		  WEND__RARE_stopper_told },
		2, [] {
			for (int r = 0; r < Rounds(200); r++) {
				wend_mutex m = {};
				wend_cond c = {};
				wt::Group g;
				int done = 0;

				for (int i = 0; i < 20; i++)
					g.Go([&] {
						wend_mutex_lock(&m);
						while (!done)
							wend_cond_wait(&c, &m);
						wend_mutex_unlock(&m);
					});
				int64_t when = wend_after(100000 + r % 7 * 50);

				g.Go([&, when] {
					wend_sleep_until(when - r % 11 * 300);
					wend_mutex_lock(&m);
					done = 1;
					wend_cond_broadcast(&c);
					wend_mutex_unlock(&m);
				});
				wend_mutex_lock(&m);
				while (!done)
					(void)!wend_cond_wait_until(
						&c, &m, done ? 0 : when);
				wend_mutex_unlock(&m);
				g.Wait();
			}
			(void)wt::Go([] { wend_sleep(50000); });
		});
}

/* --- timers ----------------------------------------------------------------------------- */

/* No memory for the heap of timers: they fire, and can be stopped. */
TEST_F(StressRare, TimersWithoutMemory)
{
	Until({ WEND__RARE_timer_overflow, WEND__RARE_timer_overflow_fired,
		WEND__RARE_timer_overflow_cancelled },
	      0, [] {
		      std::vector<wend_timer *> timers;
		      Refuse none(SIZE_MAX, true);

		      for (int i = 0; i < 200; i++)
			      timers.push_back(wend_timer_new(wend_after(
				      i % 2 ? 3600 * WEND_SECOND : i * 1000)));
		      for (int i = 0; i < 200; i++) {
			      int64_t at;

			      if (i % 2)
				      EXPECT_TRUE(wend_timer_stop(timers[i]));
			      else
				      EXPECT_EQ(0, wend_chan_recv(
							   wend_timer_chan(
								   timers[i]),
							   &at));
			      wend_timer_free(timers[i]);
		      }
	      });
}

/* --- mutex ------------------------------------------------------------------------------ */

namespace
{

/*
 * Hold the mutex so that a waiter is passed over: twice, and it starves. Then
 * free it, be it just when the waiter's patience is over: its deadline comes
 * a moment before ours, so it is claimed, but we are the next to run.
 */
void Starve(int turns)
{
	wend_mutex m = {};
	wt::Group g;
	int64_t end = wend_after(20 * WEND_MILLISECOND);

	wend_mutex_lock(&m);
	g.Go([&] {
		if (wend_mutex_lock_until(&m, end) == 0)
			wend_mutex_unlock(&m);
	});
	for (int i = 0; i < turns; i++) {
		wend_sleep(WEND_MILLISECOND);
		wend_mutex_unlock(&m);
		wend_mutex_lock(&m);
	}
	wend_sleep_until(end + 1);
	wend_mutex_unlock(&m);
}

} // namespace

TEST_F(StressRare, MutexStarves)
{
	Until({ WEND__RARE_mutex_handed, WEND__RARE_mutex_handed_none,
		WEND__RARE_mutex_woken, WEND__RARE_mutex_raced,
		WEND__RARE_mutex_gave_up },
	      1, [] {
		      Starve(2);
		      Starve(4);
	      });
}

/* Short sections, several servers. */
TEST_F(StressRare, MutexRaces)
{
	Until({ WEND__RARE_mutex_polled, WEND__RARE_mutex_free_late,
		WEND__RARE_mutex_wake_none },
	      4, [] {
		      wend_mutex m = {};
		      wt::Group g;

		      for (int i = 0; i < 6; i++)
			      g.Go([&] {
				      for (int r = 0; r < Rounds(5000) + 10;
					   r++) {
					      wend_mutex_lock(&m);
					      wend_mutex_unlock(&m);
				      }
			      });
	      });
}

/* --- stacks ----------------------------------------------------------------------------- */

/* The kernel has few stacks to give, then none: spawning fails, and works
 * again when tasks have ended. */
TEST_F(StressRare, StacksRunOut)
{
	Until({ WEND__RARE_slab_more, WEND__RARE_slab_less,
		WEND__RARE_credits_short, WEND__RARE_credits_none },
	      0, [] {
		      Refuse most(20u << 20);
		      wt::Chan gate(0, 0);
		      std::atomic<int> ended{ 0 };
		      int started = 0, r = 0;

		      for (; started < 2000; started++) {
			      r = wt::Go([&] {
				      (void)wend_chan_recv(gate, nullptr);
				      ended++;
			      });
			      if (r)
				      break;
		      }
		      EXPECT_EQ(-ENOMEM, r);
		      wend_chan_close(gate);
		      while (ended < started)
			      wend_yield();
		      EXPECT_EQ(0, wt::Go([] {}));
	      });
}

/* A stack of an unusual size is not kept warm. */
TEST_F(StressRare, ColdStacks)
{
	Until({ WEND__RARE_stack_cold }, 0, [] {
		wend_attr attr = {};
		wend_task *t = nullptr;

		attr.stack_size = 1 << 20;
		attr.handle = &t;
		ASSERT_EQ(0, wt::GoWith(attr, [] {}));
		EXPECT_EQ(0, wend_join(t, nullptr));
	});
}
