/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch_test.cc - nothing a task does stalls another: endless loops, and
 * calls that block without the runtime being told.
 *
 * As in block_test.cc nothing depends on time. Each body stalls at least as
 * many tasks as there are servers, in a way that only another task ends: where
 * a stalled task kept its server, the test would hang.
 */
#include "tests/runtime/watch_util.h"

#include <linux/userfaultfd.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

using namespace blocking;
using namespace watch;

/* --- computing without end ----------------------------------------------- */

TEST_F(Watch, EndlessLoops)
{
	WATCH_NEEDS_SIGNALS();
	for (int procs : { 1, 2 })
		wt::RunOn(procs, [procs] {
			std::atomic<bool> stop{ false };
			std::atomic<int> begun{ 0 };
			wt::Group g;

			for (int i = 0; i < procs; i++)
				g.Go([&] {
					begun++;
					LoopUntil(stop);
				});
			YieldUntil(begun, procs);
			PassToken();
			stop = true;
		});
}

/* Every one of many loops goes on and on; none is left out. */
TEST_F(Watch, ManyLoopsShareTheServers)
{
	WATCH_NEEDS_SIGNALS();
	wt::Env slice("WEND_SLICE", "1ms");

	OnFewServers([] {
		constexpr int kLoops = 20;
		std::atomic<uint64_t> turns[kLoops] = {};
		std::atomic<bool> stop{ false };
		wt::Group g;

		for (int i = 0; i < kLoops; i++)
			g.Go([&, i] {
				while (!stop.load(std::memory_order_relaxed))
					turns[i].fetch_add(
						1, std::memory_order_relaxed);
			});
		for (int round = 0; round < 3; round++) {
			for (int i = 0; i < kLoops; i++) {
				uint64_t seen = turns[i];

				while (turns[i] == seen)
					wend_yield();
			}
		}
		stop = true;
	});
}

/* A sleeper's timer fires beside a loop. */
TEST_F(Watch, TimersFireBesideALoop)
{
	WATCH_NEEDS_SIGNALS();
	OnFewServers([] {
		std::atomic<bool> stop{ false };
		wt::Group g;

		for (int i = 0; i < 2; i++)
			g.Go([&] { LoopUntil(stop); });
		for (int i = 0; i < 10; i++)
			EXPECT_EQ(0, wend_sleep(WEND_MILLISECOND));
		stop = true;
	});
}

/* A thread of the program wakes a task: the loop makes room for it. */
TEST_F(Watch, AThreadWakesATaskBesideALoop)
{
	WATCH_NEEDS_SIGNALS();
	wt::Chan c(0, 0);
	std::atomic<bool> stop{ false };

	wt::Start(1);
	ASSERT_EQ(0, wt::Go([&] { LoopUntil(stop); }));
	ASSERT_EQ(0, wt::Go([&] {
			  EXPECT_EQ(0, wend_chan_recv(c, nullptr));
			  stop = true;
		  }));
	EXPECT_EQ(0, wend_chan_send(c, nullptr));
	wt::Stop();
}

/* The loop may ask whether it was cancelled: that is no wait. */
TEST_F(Watch, ALoopIsCancelled)
{
	WATCH_NEEDS_SIGNALS();
	wt::RunOn(1, [] {
		std::atomic<bool> begun{ false };
		wend_task *t = nullptr;

		ASSERT_EQ(0, wt::Go(
				     [&] {
					     begun = true;
					     while (!wend_task_cancelled())
						     ;
				     },
				     "looper", &t));
		YieldUntil(begun);
		wend_task_cancel(t);
		EXPECT_EQ(0, wend_join(t, nullptr));
	});
}

/* The smallest stack, nearly full: a signal's frame with all vector registers
 * does not fit on it any more. */
TEST_F(Watch, LoopsOnASmallStack)
{
	WATCH_NEEDS_SIGNALS();
	if (wt::kSanitized)
		GTEST_SKIP() << "instrumented frames need more stack";
	OnFewServers([] {
		std::atomic<bool> stop{ false };
		std::atomic<int> begun{ 0 };
		wend_task *t[2] = {};
		wend_attr attr = {};

		attr.stack_size = 16384;
		for (int i = 0; i < 2; i++) {
			attr.handle = &t[i];
			ASSERT_EQ(0, wt::GoWith(attr, [&] {
					  volatile char full[9 * 1024 + 512];

					  full[0] = 1;
					  begun++;
					  LoopUntil(stop);
					  begun += full[0];
				  }));
		}
		YieldUntil(begun, 2);
		PassToken();
		stop = true;
		for (int i = 0; i < 2; i++)
			EXPECT_EQ(0, wend_join(t[i], nullptr));
		EXPECT_EQ(4, begun);
	});
}

/* --- loops under locks that the runtime does not know -------------------- */

/* The holder loops, another waits for the lock in the kernel, a third ends
 * the loop. */
TEST_F(Watch, LoopWithAMutexHeld)
{
	WATCH_NEEDS_SIGNALS();
	OnFewServers([] {
		pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
		std::atomic<bool> held{ false }, stop{ false };
		std::atomic<int> waiting{ 0 };
		bool done = false;
		wt::Group g;

		g.Go([&] {
			pthread_mutex_lock(&lock);
			held = true;
			LoopUntil(stop);
			done = true;
			pthread_mutex_unlock(&lock);
		});
		YieldUntil(held);
		for (int i = 0; i < 3; i++)
			g.Go([&] {
				waiting++;
				pthread_mutex_lock(&lock);
				EXPECT_TRUE(done);
				pthread_mutex_unlock(&lock);
			});
		YieldUntil(waiting, 3);
		PassToken();
		stop = true;
	});
}

/* The same inside the C library: the lock of a FILE. */
TEST_F(Watch, LoopWithAFileLocked)
{
	WATCH_NEEDS_SIGNALS();
	OnFewServers([] {
		std::atomic<bool> held{ false }, stop{ false };
		std::atomic<int> waiting{ 0 };
		FILE *f = tmpfile();
		wt::Group g;

		ASSERT_NE(nullptr, f);
		g.Go([&] {
			flockfile(f);
			held = true;
			LoopUntil(stop);
			fputs("a", f);
			funlockfile(f);
		});
		YieldUntil(held);
		g.Go([&] {
			waiting++;
			fputs("b", f);
		});
		YieldUntil(waiting, 1);
		PassToken();
		stop = true;
		g.Wait();
		rewind(f);
		char got[8] = {};
		EXPECT_STREQ("ab", fgets(got, sizeof(got), f));
		fclose(f);
	});
}

/* Tasks that live in malloc() are interrupted inside it, and others then need
 * the locks that they hold. */
TEST_F(Watch, LoopsInMalloc)
{
	wt::Env slice("WEND_SLICE", "1ms");

	OnFewServers([] {
		int64_t end = wend_after_ms(wt::kSanitized ? 600 : 300);
		wt::Group g;

		for (int i = 0; i < 8; i++)
			g.Go([=] {
				unsigned char *p[64] = {};
				unsigned int x = (unsigned int)i + 1;

				while (wend_now() < end) {
					x = x * 1664525 + 1013904223;
					unsigned int k = x >> 26;
					size_t n = 16 + (x >> 8) % 4096;

					if (p[k]) {
						ASSERT_EQ(i, p[k][0]);
						ASSERT_EQ(k, p[k][15]);
					}
					p[k] = (unsigned char *)realloc(p[k],
									n);
					ASSERT_NE(nullptr, p[k]);
					p[k][0] = (unsigned char)i;
					p[k][15] = (unsigned char)k;
				}
				for (unsigned char *q : p)
					free(q);
			});
	});
}

/* --- calls nobody announced ---------------------------------------------- */

TEST_F(Watch, RawReadOnPipes)
{
	OnFewServers([] { FeedReaders(raw::Read); });
}

/* Block, return, go on with the runtime's own calls, and again: the task that
 * came back without a server gets one. */
TEST_F(Watch, RawReadsAgainAndAgain)
{
	OnFewServers([] {
		constexpr int kRounds = 200;
		Pipe there, back;
		wt::Group g;

		g.Go([&] {
			char b = 0;

			for (int i = 0; i < kRounds; i++) {
				ASSERT_EQ(1, raw::Read(there[0], &b, 1));
				ASSERT_EQ(1, write(back[1], &b, 1));
			}
		});
		for (int i = 0; i < kRounds; i++) {
			char b = (char)i, c = 0;

			ASSERT_EQ(1, write(there[1], &b, 1));
			ASSERT_EQ(1, raw::Read(back[0], &c, 1));
			ASSERT_EQ(b, c);
			if (i % 8 == 0)
				PassToken();
		}
	});
}

/* A crowd that comes in while others compute: a worker may be asked to stop in
 * the very moment in which its task blocks. */
TEST_F(Watch, RawReadsBesideLoops)
{
	WATCH_NEEDS_SIGNALS();
	wt::Env slice("WEND_SLICE", "1ms");

	OnFewServers([] {
		constexpr int kReaders = 200;

		for (int round = 0; round < 5; round++) {
			std::atomic<int> begun{ 0 };
			std::atomic<bool> stop{ false };
			Pipe p;
			wt::Group g;

			for (int i = 0; i < 3; i++)
				g.Go([&] { LoopUntil(stop); });
			for (int i = 0; i < kReaders; i++)
				g.Go([&] {
					char b;

					LoopFor(20000);
					begun++;
					EXPECT_EQ(0, raw::Read(p[0], &b, 1));
				});
			YieldUntil(begun, kReaders);
			stop = true;
			p.Close(1);
		}
	});
}

TEST_F(Watch, RawFutex)
{
	OnFewServers([] {
		uint32_t word = 0;
		std::atomic<int> begun{ 0 };
		wt::Group g;

		for (int i = 0; i < 4; i++)
			g.Go([&] {
				begun++;
				while (!__atomic_load_n(&word,
							__ATOMIC_ACQUIRE)) {
					int r = wend__futex_wait(&word, 0, -1);

					EXPECT_TRUE(r == 0 || r == -EAGAIN)
						<< r;
				}
			});
		YieldUntil(begun, 4);
		PassToken();
		__atomic_store_n(&word, 1, __ATOMIC_RELEASE);
		wend__futex_wake(&word, 4);
	});
}

/* A mutex that a plain thread holds until a task says so. */
TEST_F(Watch, MutexHeldByAThread)
{
	OnFewServers([] {
		pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
		std::atomic<bool> held{ false };
		std::atomic<int> begun{ 0 };
		Pipe p;
		std::thread holder([&] {
			char b;

			pthread_mutex_lock(&lock);
			held = true;
			EXPECT_EQ(1, raw::Read(p[0], &b, 1));
			pthread_mutex_unlock(&lock);
		});
		wt::Group g;

		YieldUntil(held);
		for (int i = 0; i < 3; i++)
			g.Go([&] {
				begun++;
				pthread_mutex_lock(&lock);
				pthread_mutex_unlock(&lock);
			});
		YieldUntil(begun, 3);
		PassToken();
		EXPECT_EQ(1, write(p[1], "x", 1));
		g.Wait();
		holder.join();
	});
}

TEST_F(Watch, ConditionAndSemaphore)
{
	OnFewServers([] {
		pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
		pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
		std::atomic<int> begun{ 0 };
		bool set = false;
		sem_t sem;
		wt::Group g;

		ASSERT_EQ(0, sem_init(&sem, 0, 0));
		g.Go([&] {
			pthread_mutex_lock(&lock);
			begun++;
			while (!set)
				pthread_cond_wait(&cond, &lock);
			pthread_mutex_unlock(&lock);
		});
		g.Go([&] {
			begun++;
			EXPECT_EQ(0, sem_wait(&sem));
		});
		YieldUntil(begun, 2);
		PassToken();
		pthread_mutex_lock(&lock);
		set = true;
		pthread_cond_signal(&cond);
		pthread_mutex_unlock(&lock);
		EXPECT_EQ(0, sem_post(&sem));
		g.Wait();
		sem_destroy(&sem);
	});
}

TEST_F(Watch, JoinOfAThread)
{
	OnFewServers([] {
		std::atomic<int> begun{ 0 };
		Pipe p;
		wt::Group g;

		for (int i = 0; i < 2; i++)
			g.Go([&] {
				std::thread t([&] {
					char b;

					EXPECT_EQ(1, raw::Read(p[0], &b, 1));
				});

				begun++;
				t.join();
			});
		YieldUntil(begun, 2);
		PassToken();
		EXPECT_EQ(2, write(p[1], "xy", 2));
	});
}

/* The C library's own call inside another: stdio reads a pipe. */
TEST_F(Watch, StdioOnAPipe)
{
	OnFewServers([] {
		std::atomic<bool> begun{ false };
		Pipe p;
		wt::Group g;

		g.Go([&] {
			FILE *f = fdopen(dup(p[0]), "r");
			char line[16] = {};

			ASSERT_NE(nullptr, f);
			begun = true;
			EXPECT_STREQ("hello\n", fgets(line, sizeof(line), f));
			fclose(f);
		});
		YieldUntil(begun);
		PassToken();
		EXPECT_EQ(6, write(p[1], "hello\n", 6));
	});
}

/* --- page faults --------------------------------------------------------- */

namespace
{

/* Pages whose first touch waits until they are filled. */
class LazyPages
{
      public:
	explicit LazyPages(size_t count)
		: size_((size_t)sysconf(_SC_PAGESIZE)), bytes_(size_ * count)
	{
		struct uffdio_api api = {};

		fd_ = (int)syscall(SYS_userfaultfd,
				   O_CLOEXEC | UFFD_USER_MODE_ONLY);
		if (fd_ < 0)
			return;
		api.api = UFFD_API;
		EXPECT_EQ(0, ioctl(fd_, UFFDIO_API, &api));
		base_ = (char *)mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		struct uffdio_register reg = {};
		reg.range.start = (uintptr_t)base_;
		reg.range.len = bytes_;
		reg.mode = UFFDIO_REGISTER_MODE_MISSING;
		EXPECT_EQ(0, ioctl(fd_, UFFDIO_REGISTER, &reg));
	}
	~LazyPages()
	{
		if (fd_ < 0)
			return;
		munmap(base_, bytes_);
		close(fd_);
	}
	bool ok() const
	{
		return fd_ >= 0;
	}
	volatile char *page(int i) const
	{
		return base_ + (size_t)i * size_;
	}
	/* Fills the page with a byte and wakes who waits for it. */
	void Fill(int i, char byte) const
	{
		std::vector<char> bytes(size_, byte);
		struct uffdio_copy copy = {};

		copy.dst = (uintptr_t)page(i);
		copy.src = (uintptr_t)bytes.data();
		copy.len = size_;
		EXPECT_EQ(0, ioctl(fd_, UFFDIO_COPY, &copy)) << errno;
	}

      private:
	int fd_ = -1;
	size_t size_, bytes_;
	char *base_ = nullptr;
};

/* The load itself, not instrumented: nothing but the page is touched. */
__attribute__((noinline, no_sanitize("address", "thread"))) char
Touch(volatile char *p)
{
	return *p;
}

} // namespace

TEST_F(Watch, PageFaults)
{
	if (!LazyPages(1).ok())
		GTEST_SKIP() << "userfaultfd: " << strerror(errno);
	OnFewServers([] {
		constexpr int kPages = 4;
		LazyPages pages(kPages);
		std::atomic<int> begun{ 0 };
		wt::Group g;

		for (int i = 0; i < kPages; i++)
			g.Go([&, i] {
				begun++;
				EXPECT_EQ('a' + i, Touch(pages.page(i)));
			});
		YieldUntil(begun, kPages);
		PassToken();
		for (int i = 0; i < kPages; i++)
			pages.Fill(i, (char)('a' + i));
	});
}

/* --- children ------------------------------------------------------------ */

namespace
{

/* The child stays in its parent's memory until the pipe says so; vfork()
 * blocks the parent's thread, and not interruptibly, for that long. */
__attribute__((noinline)) pid_t VforkUntilRead(int fd)
{
	pid_t pid = vfork();

	if (pid == 0) {
		char b;

		raw::Read(fd, &b, 1);
		execl("/bin/sh", "sh", "-c", "exit 7", (char *)nullptr);
		_exit(127);
	}
	return pid;
}

int ExitCode(pid_t pid)
{
	int status = 0;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* What a program finds when it starts: blocked and ignored signals. */
std::string ChildSignals()
{
	FILE *f = popen("grep -E '^Sig(Blk|Ign):' /proc/self/status", "r");
	char buf[256];
	size_t n;

	if (!f)
		return "popen failed";
	n = fread(buf, 1, sizeof(buf), f);
	EXPECT_EQ(0, pclose(f));
	return std::string(buf, n);
}

} // namespace

TEST_F(Watch, VforkAndExec)
{
	OnFewServers([] {
		std::atomic<int> begun{ 0 };
		Pipe p;
		wt::Group g;

		for (int i = 0; i < 2; i++)
			g.Go([&] {
				begun++;
				pid_t pid = VforkUntilRead(p[0]);
				ASSERT_GT(pid, 0) << errno;
				EXPECT_EQ(7, ExitCode(pid));
			});
		YieldUntil(begun, 2);
		PassToken();
		EXPECT_EQ(2, write(p[1], "xy", 2));
	});
}

/* Programs that tasks start, while everything is being preempted, find the
 * signals as this program had them before the runtime began. */
TEST_F(Watch, ChildrenFindTheSignalsAsTheyWere)
{
	wt::Env slice("WEND_SLICE", "1ms");
	std::string before = ChildSignals();

	OnFewServers([&] {
		std::atomic<bool> stop{ false };
		std::atomic<int> running{ 4 };
		wt::Group g;

		if (!wt::kTsan)
			g.Go([&] { LoopUntil(stop); });
		for (int i = 0; i < 4; i++)
			g.Go([&] {
				for (int k = 0; k < 5; k++)
					EXPECT_EQ(before, ChildSignals());
				if (--running == 0)
					stop = true;
			});
	});
}

/* --- all of it at once --------------------------------------------------- */

/* Tasks that compute, block in ways nobody announced, talk over channels and
 * start others; what they send is counted. */
TEST_F(Watch, Mixture)
{
	wt::Env slice("WEND_SLICE", "1ms");

	OnFewServers([] {
		constexpr int kTasks = 12, kRounds = 40;
		wt::Chan c(sizeof(int), 3);
		pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
		long sum = 0;
		int v;
		wt::Group g;

		auto Step = [&](int i, int r) {
			wt::Group child;

			switch ((i + r) % 5) {
			case 0:
				LoopFor(1500000);
				break;
			case 1:
				raw::Sleep(200000);
				break;
			case 2:
				pthread_mutex_lock(&lock);
				LoopFor(100000);
				pthread_mutex_unlock(&lock);
				break;
			case 3:
				child.Go([] { LoopFor(300000); });
				break;
			default:
				usleep(100);
			}
		};
		for (int i = 0; i < kTasks; i++)
			g.Go([&, i] {
				for (int r = 0; r < kRounds; r++) {
					Step(i, r);
					EXPECT_EQ(0, wend_chan_send(c, &i));
				}
			});
		for (int n = 0; n < kTasks * kRounds; n++) {
			ASSERT_EQ(0, wend_chan_recv(c, &v));
			sum += v;
		}
		EXPECT_EQ((long)kRounds * (kTasks * (kTasks - 1) / 2), sum);
	});
}
