/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block_thread_test.cc - tasks that use what was made for threads: C++'s
 * mutexes, conditions, futures; and a child process after fork().
 *
 * On one server each test would hang if a wait were not announced.
 */
#include "tests/runtime/block_util.h"

#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <shared_mutex>
#include <thread>

using namespace blocking;

namespace
{

/* Whoever holds a thread's lock keeps the kernel thread; others run. */
void LetOthersRun()
{
	wend_block_begin();
	sched_yield();
	wend_block_end();
}

/* ThreadSanitizer must see a thread's locks itself (calls.tab, "not"). */
class BlockThread : public Block
{
      protected:
	void SetUp() override
	{
		Block::SetUp();
		if (wt::kTsan)
			GTEST_SKIP() << "ThreadSanitizer intercepts "
					"libpthread: not announced";
	}
};

} // namespace

/* The holder blocks with the lock held, and so all who want it. */
TEST_F(BlockThread, Mutex)
{
	OnFewServers([] {
		std::mutex m;
		int count = 0;
		wt::Group g;

		for (int i = 0; i < 8; i++)
			g.Go([&] {
				for (int n = 0; n < 20; n++) {
					std::lock_guard<std::mutex> l(m);

					count++;
					LetOthersRun();
				}
			});
		g.Wait();
		EXPECT_EQ(160, count);
	});
}

/* A queue as threads have it, between tasks and a thread of the program. */
TEST_F(BlockThread, ConditionVariable)
{
	OnFewServers([] {
		constexpr int kItems = 1000;
		std::mutex m;
		std::condition_variable full, empty;
		std::deque<int> q;
		long sum = 0;
		auto put = [&](int v) {
			std::unique_lock<std::mutex> l(m);

			empty.wait(l, [&] { return q.size() < 4; });
			q.push_back(v);
			full.notify_one();
		};
		auto take = [&] {
			std::unique_lock<std::mutex> l(m);
			auto hour = std::chrono::hours(1);

			EXPECT_TRUE(full.wait_for(l, hour,
						  [&] { return !q.empty(); }));
			sum += q.front();
			q.pop_front();
			empty.notify_one();
		};
		wt::Group g;

		for (int i = 0; i < 4; i++)
			g.Go([&] {
				for (int n = 0; n < kItems / 4; n++)
					take();
			});
		g.Go([&] {
			for (int n = 0; n < kItems / 2; n++)
				put(1);
		});
		std::thread t([&] {
			for (int n = 0; n < kItems / 2; n++)
				put(2);
		});
		g.Wait();
		t.join();
		EXPECT_EQ(kItems * 3 / 2, sum);
	});
}

TEST_F(BlockThread, SharedMutex)
{
	OnFewServers([] {
		std::shared_mutex m;
		int value = 0;
		wt::Group g;

		for (int i = 0; i < 4; i++) {
			g.Go([&] {
				for (int n = 0; n < 50; n++) {
					std::unique_lock<std::shared_mutex> l(
						m);
					int old = value;

					if (n % 10 == 0)
						LetOthersRun();
					value = old + 1;
				}
			});
			g.Go([&] {
				for (int n = 0; n < 50; n++) {
					std::shared_lock<std::shared_mutex> l(
						m);
					int old = value;

					if (n % 10 == 0)
						LetOthersRun();
					EXPECT_EQ(old, value);
				}
			});
		}
		g.Wait();
		EXPECT_EQ(200, value);
	});
}

/* Waits on a futex by syscall(), inside the C++ library. */
TEST_F(BlockThread, Future)
{
	OnFewServers([] {
		std::promise<int> p;
		std::future<int> f = p.get_future();
		bool got = false;
		wt::Group g;

		g.Go([&] {
			EXPECT_EQ(7, f.get());
			got = true;
		});
		PassToken();
		EXPECT_FALSE(got);
		p.set_value(7);
		g.Wait();
		EXPECT_TRUE(got);
	});
}

/* Many tasks, few servers, one lock, none of them waits with it held: every
 * path of lock, announce and return under contention. */
TEST_F(BlockThread, ContendedMutex)
{
	wt::Run([] {
		pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
		long count = 0;
		wt::Group g;

		for (int i = 0; i < 50; i++)
			g.Go([&] {
				for (int n = 0; n < 500; n++) {
					ASSERT_EQ(0, pthread_mutex_lock(&m));
					count++;
					ASSERT_EQ(0, pthread_mutex_unlock(&m));
					if (n % 50 == 0)
						wend_yield();
				}
			});
		g.Wait();
		EXPECT_EQ(50 * 500, count);
	});
}

/* After fork() in a task the child is that task alone: its calls give no
 * server up, so that copies of the others never run there. */
TEST_F(Block, ChildOfATask)
{
	OnFewServers([] {
		Pipe to, from;
		std::atomic<bool> over{ false };
		std::atomic<long> ran{ 0 };
		wt::Group g;

		for (int i = 0; i < 4; i++)
			g.Go([&] {
				while (!over) {
					ran++;
					wend_yield();
				}
			});
		wend_yield();
		pid_t child = fork();

		ASSERT_GE(child, 0);
		if (child == 0) {
			char b = 0;
			long before = ran;

			to.Close(1);
			if (read(to[0], &b, 1) != 1)
				_exit(1);
			b++;
			if (write(from[1], &b, 1) != 1)
				_exit(2);
			if (read(to[0], &b, 1) != 0)
				_exit(3);
			usleep(100);
			_exit(ran == before ? 33 : 4);
		}
		char b = 'a';
		int status = 0;
		PassToken();
		EXPECT_EQ(1, write(to[1], &b, 1));
		EXPECT_EQ(1, read(from[0], &b, 1));
		EXPECT_EQ('b', b);
		to.Close(1);
		EXPECT_EQ(child, waitpid(child, &status, 0));
		EXPECT_TRUE(WIFEXITED(status));
		EXPECT_EQ(33, WEXITSTATUS(status));
		over = true;
	});
}

namespace
{

void BadSetting()
{
	setenv("WEND_INTERPOSE", "maybe", 1);
	_exit(wend_start(nullptr) == -EINVAL ? 33 : 1);
}

} // namespace

TEST_F(Block, BadSetting)
{
	EXPECT_EXIT(BadSetting(), testing::ExitedWithCode(33),
		    wt::OneLine("WEND_INTERPOSE"));
}
