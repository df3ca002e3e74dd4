/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool_test.cc - objects used again: as many as are kept, by one at a time.
 */
#include "tests/support/wt.h"

#include <wend/std/sync.h>

#include <atomic>
#include <set>

namespace
{

struct Counts {
	std::atomic<int> made{ 0 }, dropped{ 0 };
	bool refuse = false;
};

struct Object {
	std::atomic<int> users{ 0 };
};

void *Make(void *arg)
{
	Counts *c = static_cast<Counts *>(arg);

	if (c->refuse)
		return nullptr;
	++c->made;
	return new Object;
}

void Drop(void *obj, void *arg)
{
	++static_cast<Counts *>(arg)->dropped;
	delete static_cast<Object *>(obj);
}

} // namespace

TEST(SyncPool, GivesBackWhatItGot)
{
	wt::Run([] {
		Counts c;
		wend_sync_pool *p = wend_sync_pool_new(Make, Drop, &c, 4);
		void *a, *b;

		ASSERT_NE(nullptr, p);
		a = wend_sync_pool_get(p);
		b = wend_sync_pool_get(p);
		EXPECT_NE(a, b);
		wend_sync_pool_put(p, a);
		EXPECT_EQ(a, wend_sync_pool_get(p));
		wend_sync_pool_put(p, a);
		wend_sync_pool_put(p, b);
		EXPECT_EQ(2, c.made);
		EXPECT_EQ(0, c.dropped);
		wend_sync_pool_free(p);
		EXPECT_EQ(2, c.dropped);
	});
}

/* As many as it was told, where nobody else is at it. */
TEST(SyncPool, KeepsWhatItMay)
{
	wt::Run(
		[] {
			for (size_t keep : { 0, 1, 7, 100 }) {
				Counts c;
				wend_sync_pool *p = wend_sync_pool_new(
					Make, Drop, &c, keep);
				std::vector<void *> all;

				for (int i = 0; i < 200; i++)
					all.push_back(wend_sync_pool_get(p));
				for (void *obj : all)
					wend_sync_pool_put(p, obj);
				EXPECT_EQ((int)keep, 200 - c.dropped);
				wend_sync_pool_free(p);
				EXPECT_EQ(200, c.dropped);
			}
			wend_sync_pool_free(nullptr);
		},
		10);
}

TEST(SyncPool, MakeMayFail)
{
	wt::Run([] {
		Counts c;
		wend_sync_pool *p = wend_sync_pool_new(Make, nullptr, &c, 1);
		void *obj = wend_sync_pool_get(p);

		c.refuse = true;
		EXPECT_EQ(nullptr, wend_sync_pool_get(p));
		wend_sync_pool_put(p, obj);
		EXPECT_EQ(obj, wend_sync_pool_get(p));
		wend_sync_pool_free(p);
		delete static_cast<Object *>(obj);
	});
}

/* Before there is a runtime, and from threads. */
TEST(SyncPool, WithoutARuntime)
{
	Counts c;
	wend_sync_pool *p = wend_sync_pool_new(Make, Drop, &c, 4);

	wend_sync_pool_put(p, wend_sync_pool_get(p));
	wt::RunFromThread(
		[&] { wend_sync_pool_put(p, wend_sync_pool_get(p)); });
	EXPECT_EQ(1, c.made);
	wend_sync_pool_free(p);
	EXPECT_EQ(1, c.dropped);
}

TEST(SyncPool, OneUserAtATime)
{
	wt::Run(
		[] {
			Counts c;
			wend_sync_pool *p = wend_sync_pool_new(Make, Drop, &c,
							       3);
			wt::Group g;

			for (int i = 0; i < 6; i++)
				g.Go([&] {
					for (int k = 0; k < 20; k++) {
						auto *obj = static_cast<Object *>(
							wend_sync_pool_get(p));

						EXPECT_EQ(0, obj->users++);
						if (k % 2)
							wend_yield();
						obj->users--;
						wend_sync_pool_put(p, obj);
					}
				});
			g.Wait();
			wend_sync_pool_free(p);
			EXPECT_EQ(c.made, c.dropped);
		},
		10);
}
