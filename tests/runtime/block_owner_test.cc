/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block_owner_test.cc - a library may hold a pthread mutex over a call that
 * blocks, and then only the thread that locked it can unlock it. So the task
 * has to come back from the call on the same thread.
 *
 * Each call is made by several tasks at once, each with a mutex that checks
 * its owner, while others keep the servers busy: a task that was switched away
 * would come back on whatever worker came first.
 */
#include "tests/runtime/block_util.h"

#include <poll.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

using namespace blocking;

namespace
{

/* Locked and unlocked by the same thread, or it complains. */
class CheckedMutex
{
      public:
	explicit CheckedMutex(int type)
	{
		pthread_mutexattr_t a;

		EXPECT_EQ(0, pthread_mutexattr_init(&a));
		EXPECT_EQ(0, pthread_mutexattr_settype(&a, type));
		EXPECT_EQ(0, pthread_mutex_init(&m_, &a));
		EXPECT_EQ(0, pthread_mutexattr_destroy(&a));
	}
	~CheckedMutex()
	{
		EXPECT_EQ(0, pthread_mutex_destroy(&m_));
	}
	void Lock()
	{
		EXPECT_EQ(0, pthread_mutex_lock(&m_));
	}
	void Unlock()
	{
		EXPECT_EQ(0, pthread_mutex_unlock(&m_));
	}

      private:
	pthread_mutex_t m_;
};

/* Two descriptors that have nothing to read until another task feeds them. */
struct Source {
	Pipe pipe;
	SocketPair sockets;
	std::atomic<int> wanted{ 0 };
	int fed = 0;

	void Feed()
	{
		for (; fed < wanted; fed++) {
			EXPECT_EQ(1, write(pipe[1], "p", 1));
			EXPECT_EQ(1, write(sockets[1], "s", 1));
		}
	}
};

void SleepAll(Source *)
{
	struct timespec t = { 0, 500000 };

	EXPECT_EQ(0, usleep(500));
	EXPECT_EQ(0, nanosleep(&t, nullptr));
	EXPECT_EQ(0, clock_nanosleep(CLOCK_MONOTONIC, 0, &t, nullptr));
}

void ReadAll(Source *s)
{
	char c = 0;

	s->wanted++;
	EXPECT_EQ(1, read(s->pipe[0], &c, 1));
	EXPECT_EQ('p', c);
	EXPECT_EQ(1, recv(s->sockets[0], &c, 1, 0));
	EXPECT_EQ('s', c);
}

void PollAndRead(Source *s)
{
	struct pollfd p[2] = { { s->pipe[0], POLLIN, 0 },
			       { s->sockets[0], POLLIN, 0 } };
	char c = 0;

	s->wanted++;
	EXPECT_EQ(1, poll(&p[0], 1, -1));
	EXPECT_EQ(1, read(p[0].fd, &c, 1));
	EXPECT_EQ(1, poll(&p[1], 1, -1));
	EXPECT_EQ(1, recv(p[1].fd, &c, 1, 0));
}

constexpr int kTasks = 6, kRounds = 20;

void HoldOver(void (*call)(Source *), int type)
{
	Source sources[kTasks];
	CheckedMutex *mutexes[kTasks];
	std::atomic<int> done{ 0 };
	wt::Group g;

	for (int i = 0; i < kTasks; i++) {
		mutexes[i] = new CheckedMutex(type);
		g.Go([&, i] {
			for (int k = 0; k < kRounds; k++) {
				mutexes[i]->Lock();
				call(&sources[i]);
				mutexes[i]->Unlock();
			}
			done++;
		});
	}
	while (done < kTasks) {
		PassToken();
		for (Source &s : sources)
			s.Feed();
	}
	g.Wait();
	for (CheckedMutex *m : mutexes)
		delete m;
}

class Owner : public Block
{
      protected:
	void SetUp() override
	{
		Block::SetUp();
		if (wt::kTsan)
			GTEST_SKIP() << "ThreadSanitizer's locks are not "
					"announced";
	}
};

} // namespace

TEST_F(Owner, ErrorCheckingMutex)
{
	for (auto call : { SleepAll, ReadAll, PollAndRead })
		OnFewServers([=] { HoldOver(call, PTHREAD_MUTEX_ERRORCHECK); });
}

TEST_F(Owner, RecursiveMutex)
{
	for (auto call : { SleepAll, ReadAll, PollAndRead })
		OnFewServers([=] { HoldOver(call, PTHREAD_MUTEX_RECURSIVE); });
}
