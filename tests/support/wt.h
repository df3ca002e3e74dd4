/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wt.h - what the runtime's tests share: running a body as a task, on every
 * port, with several numbers of servers and, under "sim", for many seeds.
 *
 *	TEST(Chan, PassesOne)
 *	{
 *		wt::Run([] {
 *			wt::Group g;
 *			g.Go([&] { ... });
 *		});
 *	}
 *
 * The environment chooses:
 *   WEND_PORT         "emul" (default) or "sim"
 *   WEND_TEST_SEEDS   how many seeds a body runs with under "sim"; default
 *                     2000, fewer with a sanitizer. One under "emul"
 *   WEND_SEED         run with this seed alone, to replay a failure
 *   WEND_TEST_PROCS   run with this number of servers alone ("emul")
 *   WEND_TEST_LIMIT   seconds that one run may take before it counts as hung
 *
 * Nothing here sleeps to prove an order: AwaitWaiting() looks at the runtime's
 * own dump until a task is seen waiting.
 */
#ifndef TESTS_SUPPORT_WT_H
#define TESTS_SUPPORT_WT_H

#include <gtest/gtest.h>
#include <wend/wend.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WT_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define WT_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define WT_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define WT_TSAN 1
#endif
#ifndef WT_ASAN
#define WT_ASAN 0
#endif
#ifndef WT_TSAN
#define WT_TSAN 0
#endif

namespace wt
{

constexpr bool kAsan = WT_ASAN;
constexpr bool kTsan = WT_TSAN;
constexpr bool kSanitized = kAsan || kTsan;

/* The port under test. */
const char *Port();
bool IsSim();

/* The seed of the run in progress, for a test's own random choices. */
uint64_t Seed();

/*
 * Run a body as a task: start the runtime, join the task, stop the runtime,
 * which must return 0. "emul": with 1, 2 and 4 servers; "sim": for each seed,
 * which also chooses the number of servers. A costly body divides the number
 * of seeds by weight (at least one is run). Ends at the first failure and
 * says how to replay it.
 */
void Run(const std::function<void()> &body, unsigned weight = 1);

/* The same, but the body runs in the calling thread, beside the tasks that it
 * starts; under "sim" it drives them whenever it waits. */
void RunFromThread(const std::function<void()> &body, unsigned weight = 1);

/* Run() with this number of servers only. */
void RunOn(int procs, const std::function<void()> &body, unsigned weight = 1);

/* One start, one run, one stop, with this seed, for a test that counts its runs
 * itself. false: it failed, and how to replay it has been said. */
bool RunSeed(int procs, uint64_t seed, const std::function<void()> &body);
bool RunSeedFromThread(int procs, uint64_t seed,
		       const std::function<void()> &body);

/* One start, one run, one stop: for bodies that end the process. */
void RunOnce(int procs, const std::function<void()> &body);

/* wend_start() with the port under test; checked. */
void Start(int procs);

/* wend_stop(), which must return 0 before a generous deadline. */
void Stop();

/*
 * Start fn as a task; it is copied, and destroyed when it has returned. The
 * result is wend_spawn()'s.
 */
int Go(std::function<void()> fn, const char *name = nullptr,
       wend_task **handle = nullptr);
int GoWith(wend_attr attr, std::function<void()> fn);

/* Tasks that are waited for together. Wait() may be called again and again;
 * the destructor does it too. Used by one task (or thread). */
class Group
{
      public:
	Group() = default;
	~Group()
	{
		Wait();
	}
	Group(const Group &) = delete;
	Group &operator=(const Group &) = delete;

	/* Start fn; the reference stays the group's, valid until Wait(). */
	wend_task *Go(std::function<void()> fn, const char *name = nullptr);
	void Wait();

      private:
	std::vector<wend_task *> tasks_;
};

/* What wend_dump() writes. */
std::string Dump();

/* Yield until n tasks of this name are seen waiting (in a task only). */
void AwaitWaiting(const char *name, int n = 1);

/* Kernel threads of this process, and yield until there are no more than n. */
int Threads();
void AwaitThreads(int n);

/* What is written to descriptor 2 from construction to Text(). */
class StderrCapture
{
      public:
	StderrCapture();
	~StderrCapture();
	std::string Text();

      private:
	int file_ = -1;
	int saved_ = -1;
};

/* A variable of the environment, set for a scope; NULL unsets it. */
class Env
{
      public:
	Env(const char *name, const char *value);
	~Env();

      private:
	std::string name_;
	std::string old_;
	bool had_;
};

/* A list that tasks and threads append to. */
template <typename T> class Log
{
      public:
	void Add(T value)
	{
		std::lock_guard<std::mutex> l(lock_);

		list_.push_back(std::move(value));
	}
	std::vector<T> Get()
	{
		std::lock_guard<std::mutex> l(lock_);

		return list_;
	}

      private:
	std::mutex lock_;
	std::vector<T> list_;
};

/* A channel that frees itself. */
class Chan
{
      public:
	explicit Chan(size_t elem_size, size_t capacity)
		: c_(wend_chan_new(elem_size, capacity))
	{
		EXPECT_NE(nullptr, c_);
	}
	~Chan()
	{
		wend_chan_free(c_);
	}
	Chan(const Chan &) = delete;
	Chan &operator=(const Chan &) = delete;
	operator wend_chan *() const
	{
		return c_;
	}

      private:
	wend_chan *c_;
};

/* One int through a channel of ints. */
inline int SendInt(wend_chan *c, int v)
{
	return wend_chan_send(c, &v);
}

/* The value, or a negative result. */
inline int RecvInt(wend_chan *c)
{
	int v = -1, r = wend_chan_recv(c, &v);

	return r < 0 ? r : v;
}

/* For EXPECT_EXIT: exactly one line that begins with "wend: ", and it matches
 * the regular expression (POSIX extended, anywhere, any case). */
testing::Matcher<const std::string &> OneLine(const std::string &regex);
bool HasLine(const std::string &text, const std::string &regex,
	     bool only = false);

} // namespace wt

/* For what one thread and virtual time cannot show. */
#define WT_NEEDS_THREADS()                                                     \
	if (wt::IsSim())                                                       \
	GTEST_SKIP() << "needs threads or real time: not for the sim port"

/* For a test whose child of fork() starts threads. ThreadSanitizer lets none do
 * that. AddressSanitizer's allocator knows nothing of fork(): a lock that a
 * thread of the parent holds just then stays held in the child. */
#define WT_NEEDS_THREADS_IN_CHILD()                                            \
	if (wt::kTsan || (wt::kAsan && !wt::IsSim()))                          \
	GTEST_SKIP() << "the sanitizer has no threads after a fork"

/* Misuse ends the process with one plain line and SIGABRT. */
#define WT_EXPECT_MISUSE(statement, regex)                                     \
	EXPECT_EXIT(statement, testing::KilledBySignal(SIGABRT),               \
		    wt::OneLine(regex))

#endif
