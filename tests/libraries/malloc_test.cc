/* SPDX-License-Identifier: Apache-2.0 */
/*
 * malloc_test.cc - tasks that do nothing but allocate, fill, check, pass on
 * and free memory, without a wait for milliseconds on end.
 *
 * With time slices of 1 ms (WEND_SLICE, see BUILD) most of them end inside the
 * allocator, which then holds a lock that the others want. Nothing may be lost
 * or changed: each block says in every word whose it is, and all that were
 * allocated are freed in the end.
 *
 * The same again with another allocator (jemalloc, where it is installed) and
 * with another process that never sleeps on each CPU.
 *
 *   WEND_TEST_SECONDS   how long each runs; default 2
 */
#include "tests/libraries/process.h"
#include "tests/support/wt.h"

#include <dlfcn.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <list>
#include <mutex>
#include <vector>

namespace
{

constexpr int kServers = 4;
constexpr int kTasks = 24;
constexpr int kSteps = 20000; /* without a wait */
constexpr size_t kBlocksMost = 200;

int64_t RunTime()
{
	const char *s = getenv("WEND_TEST_SECONDS");

	return (s ? strtoll(s, nullptr, 10) : 2) * WEND_SECOND;
}

/* --- blocks -------------------------------------------------------------- */

/* Memory of which every word is the mark. */
struct Block {
	uint64_t *words;
	size_t count;
	uint64_t mark;
};

void Fill(const Block &b, size_t from)
{
	for (size_t i = from; i < b.count; i++)
		b.words[i] = b.mark;
}

/* Counted, not EXPECTed: a broken heap would bring a million failures. */
bool Whole(const Block &b)
{
	for (size_t i = 0; i < b.count; i++)
		if (b.words[i] != b.mark)
			return false;
	return true;
}

/* Whoever takes from it gets another's block. A plain mutex: a task that loses
 * its server while it holds it must get to run again. */
class Shelf
{
      public:
	void Put(const Block &b)
	{
		std::lock_guard<std::mutex> l(lock_);

		blocks_.push_back(b);
	}
	bool Take(Block *b)
	{
		std::lock_guard<std::mutex> l(lock_);

		if (blocks_.empty())
			return false;
		*b = blocks_.front();
		blocks_.pop_front();
		return true;
	}

      private:
	std::mutex lock_;
	std::list<Block> blocks_;
};

/* --- a task -------------------------------------------------------------- */

struct Count {
	uint64_t allocated = 0, freed = 0, moved = 0, broken = 0, refused = 0;
};

class Worker
{
      public:
	Worker(uint64_t id, Shelf *shelf)
		: id_(id), random_(wt::Seed() * 2654435761u + id), shelf_(shelf)
	{
	}
	void Step();
	void FreeAll()
	{
		while (!mine_.empty())
			Free();
	}
	const Count &count() const
	{
		return count_;
	}

      private:
	uint64_t Random()
	{
		random_ = random_ * 6364136223846793005u + 1442695040888963407u;
		return random_ >> 33;
	}
	/* As many small as large ones, of each power of two. */
	size_t RandomWords()
	{
		size_t most = (size_t)1 << (1 + Random() % 12);

		return 1 + Random() % most;
	}
	Block Pick()
	{
		size_t i = Random() % mine_.size();
		Block b = mine_[i];

		mine_[i] = mine_.back();
		mine_.pop_back();
		return b;
	}
	void Allocate();
	void Resize();
	void Free();
	void Swap();

	uint64_t id_, random_;
	Shelf *shelf_;
	std::vector<Block> mine_;
	Count count_;
};

void Worker::Allocate()
{
	Block b = { nullptr, RandomWords(), id_ << 32 | Random() };
	size_t size = b.count * sizeof(uint64_t);
	void *p = nullptr;

	switch (Random() % 3) {
	case 0:
		p = malloc(size);
		break;
	case 1:
		p = calloc(b.count, sizeof(uint64_t));
		break;
	default:
		if (posix_memalign(&p, 64, size))
			p = nullptr;
	}
	if (!p) {
		count_.refused++;
		return;
	}
	b.words = static_cast<uint64_t *>(p);
	Fill(b, 0);
	mine_.push_back(b);
	count_.allocated++;
}

void Worker::Resize()
{
	Block b = Pick();
	size_t before = b.count, count = RandomWords();
	void *p = realloc(b.words, count * sizeof(uint64_t));

	if (p) {
		b.words = static_cast<uint64_t *>(p);
		b.count = count;
		if (before < count)
			Fill(b, before);
	} else {
		count_.refused++;
	}
	mine_.push_back(b);
}

void Worker::Free()
{
	Block b = Pick();

	count_.broken += !Whole(b);
	free(b.words);
	count_.freed++;
}

void Worker::Swap()
{
	Block got, given = Pick();

	if (shelf_->Take(&got)) {
		count_.broken += !Whole(got);
		mine_.push_back(got);
		count_.moved++;
	}
	shelf_->Put(given);
}

void Worker::Step()
{
	if (mine_.empty() || (mine_.size() < kBlocksMost && Random() % 2))
		return Allocate();
	switch (Random() % 4) {
	case 0:
		return Resize();
	case 1:
		return Swap();
	default:
		return Free();
	}
}

/* --- all of them --------------------------------------------------------- */

void Add(Count *sum, const Count &c)
{
	sum->allocated += c.allocated;
	sum->freed += c.freed;
	sum->moved += c.moved;
	sum->broken += c.broken;
	sum->refused += c.refused;
}

/* What is left on the shelf at the end. */
void Clear(Shelf *shelf, Count *sum)
{
	Block b;

	while (shelf->Take(&b)) {
		sum->broken += !Whole(b);
		sum->freed++;
		free(b.words);
	}
}

void Stress()
{
	int64_t end = wend_after(RunTime());
	wt::Log<Count> counts;
	Count sum;
	Shelf shelf;
	wt::Group g;

	for (int i = 0; i < kTasks; i++)
		g.Go([&, i] {
			Worker w((uint64_t)i + 1, &shelf);

			do {
				for (int k = 0; k < kSteps; k++)
					w.Step();
				wend_yield();
			} while (wend_now() < end);
			w.FreeAll();
			counts.Add(w.count());
		});
	g.Wait();
	for (const Count &c : counts.Get())
		Add(&sum, c);
	Clear(&shelf, &sum);
	printf("%llu blocks, %llu of them freed by another task\n",
	       (unsigned long long)sum.allocated,
	       (unsigned long long)sum.moved);
	EXPECT_EQ((size_t)kTasks, counts.Get().size());
	EXPECT_EQ(sum.allocated, sum.freed);
	EXPECT_EQ(0u, sum.broken);
	EXPECT_EQ(0u, sum.refused);
	EXPECT_GT(sum.moved, 0u);
}

/* More servers than CPUs here: the kernel, too, stops workers anywhere. */
void RunStress()
{
	wt::RunOn(kServers, Stress);
}

constexpr char kJemalloc[] = "libjemalloc.so.2";

/* Opened this late it may not find room for its thread-local data: then it is
 * there all the same. */
bool HaveJemalloc()
{
	void *lib = dlopen(kJemalloc, RTLD_LAZY | RTLD_LOCAL);

	if (lib) {
		dlclose(lib);
		return true;
	}
	return !strstr(dlerror(), "cannot open shared object file");
}

[[noreturn]] void Hog(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((size_t)cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
	for (;;)
		__asm__ volatile("");
}

} // namespace

TEST(Malloc, Stress)
{
	WT_NEEDS_THREADS();
	RunStress();
}

TEST(Malloc, StressWithJemalloc)
{
	std::string reason;
	bool passed;

	WT_NEEDS_THREADS();
	if (wt::kSanitized)
		GTEST_SKIP() << "a sanitizer has an allocator of its own";
	if (libraries::IsAgain()) {
		ASSERT_NE(nullptr, dlsym(RTLD_DEFAULT, "mallctl"));
		RunStress();
		return;
	}
	if (!HaveJemalloc())
		GTEST_SKIP() << "no " << kJemalloc << " is installed";
	passed = libraries::RunAgain({ { "LD_PRELOAD", kJemalloc } }, nullptr,
				     &reason);
	EXPECT_EQ("", reason);
	EXPECT_TRUE(passed);
}

TEST(Malloc, StressBesideAHogOnEachCpu)
{
	std::list<libraries::Process> hogs;
	cpu_set_t allowed;

	WT_NEEDS_THREADS();
	ASSERT_EQ(0, sched_getaffinity(0, sizeof(allowed), &allowed));
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET((size_t)cpu, &allowed)) {
			ASSERT_TRUE(hogs.emplace_back().StartFunction(
				[cpu] { Hog(cpu); }));
		}
	RunStress();
}
