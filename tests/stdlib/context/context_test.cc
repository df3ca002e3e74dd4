/* SPDX-License-Identifier: Apache-2.0 */
/*
 * context_test.cc - the tree of contexts: ending, passing it on, values.
 */
#include "tests/support/wt.h"

#include <wend/std/context.h>

#include <atomic>
#include <random>
#include <thread>

namespace
{

/* A reference, given up at the end of the scope. */
class Ctx
{
      public:
	explicit Ctx(wend_ctx *c) : c_(c)
	{
		EXPECT_NE(nullptr, c);
	}
	Ctx(Ctx &&other) noexcept : c_(other.c_)
	{
		other.c_ = nullptr;
	}
	~Ctx()
	{
		wend_ctx_unref(c_);
	}
	operator wend_ctx *() const
	{
		return c_;
	}
	void Drop()
	{
		wend_ctx_unref(c_);
		c_ = nullptr;
	}

      private:
	wend_ctx *c_;
};

bool Done(wend_ctx *c)
{
	return wend_chan_recv_try(wend_ctx_done(c), nullptr) == -EPIPE;
}

void CountDrop(void *value)
{
	++*static_cast<std::atomic<int> *>(value);
}

const char key_a = 'a', key_b = 'b';

} // namespace

TEST(Context, TheBackgroundNeverEnds)
{
	wt::Run([] {
		for (wend_ctx *c :
		     { wend_ctx_background(), (wend_ctx *)nullptr }) {
			wend_ctx_cancel(c);
			EXPECT_EQ(0, wend_ctx_err(c));
			EXPECT_EQ(0, wend_ctx_cause(c));
			EXPECT_EQ(nullptr, wend_ctx_done(c));
			EXPECT_EQ(WEND_FOREVER, wend_ctx_deadline(c));
			EXPECT_EQ(nullptr, wend_ctx_value(c, &key_a));
			EXPECT_EQ(c, wend_ctx_ref(c));
			wend_ctx_unref(c);
			EXPECT_EQ(0, wend_ctx_sleep(c, WEND_MILLISECOND));
		}
		EXPECT_NE(nullptr, wend_ctx_background());
	});
}

TEST(Context, CancelEndsItAndAllBelow)
{
	wt::Run([] {
		Ctx root(wend_ctx_with_cancel(wend_ctx_background()));
		Ctx child(wend_ctx_with_cancel(root));
		Ctx value(wend_ctx_with_value(child, &key_a, nullptr, nullptr));
		Ctx grandchild(wend_ctx_with_cancel(value));
		Ctx other(wend_ctx_with_cancel(root));

		wend_ctx_cancel(child);
		EXPECT_FALSE(Done(root));
		EXPECT_FALSE(Done(other));
		for (wend_ctx *c : { (wend_ctx *)child, (wend_ctx *)value,
				     (wend_ctx *)grandchild }) {
			EXPECT_TRUE(Done(c));
			EXPECT_EQ(-ECANCELED, wend_ctx_err(c));
			EXPECT_EQ(-ECANCELED, wend_ctx_cause(c));
		}
		wend_ctx_cancel(root);
		EXPECT_TRUE(Done(other));
	});
}

/* The first end counts, with its cause, and is passed on. */
TEST(Context, TheFirstCauseStays)
{
	wt::Run([] {
		Ctx root(wend_ctx_with_cancel(nullptr));
		Ctx child(wend_ctx_with_cancel(root));

		wend_ctx_cancel_cause(root, -EIO);
		wend_ctx_cancel_cause(root, -ENOENT);
		wend_ctx_cancel_cause(child, -EPERM);
		EXPECT_EQ(-ECANCELED, wend_ctx_err(child));
		EXPECT_EQ(-EIO, wend_ctx_cause(root));
		EXPECT_EQ(-EIO, wend_ctx_cause(child));

		Ctx late(wend_ctx_with_timeout(child, WEND_SECOND));
		EXPECT_TRUE(Done(late));
		EXPECT_EQ(-EIO, wend_ctx_cause(late));
	});
}

TEST(Context, EndsAtItsDeadline)
{
	wt::Run([] {
		int64_t when = wend_after(5 * WEND_MILLISECOND);
		Ctx c(wend_ctx_with_deadline(nullptr, when));
		Ctx child(wend_ctx_with_cancel(c));

		EXPECT_EQ(when, wend_ctx_deadline(c));
		EXPECT_EQ(when, wend_ctx_deadline(child));
		EXPECT_EQ(-EPIPE,
			  wend_chan_recv(wend_ctx_done(child), nullptr));
		EXPECT_GE(wend_now(), when);
		EXPECT_EQ(-ETIMEDOUT, wend_ctx_err(child));
		EXPECT_EQ(-ETIMEDOUT, wend_ctx_err(c));
		EXPECT_EQ(-ETIMEDOUT, wend_ctx_cause(c));
	});
}

TEST(Context, ADeadlineThatHasPassed)
{
	wt::Run([] {
		Ctx past(wend_ctx_with_deadline(nullptr, 0));
		Ctx now(wend_ctx_with_timeout(nullptr, -1));

		EXPECT_EQ(-ETIMEDOUT, wend_ctx_err(past));
		EXPECT_EQ(-ETIMEDOUT, wend_ctx_err(now));
		EXPECT_EQ(-ETIMEDOUT, wend_ctx_sleep(past, WEND_SECOND));
	});
}

/* A parent's earlier deadline holds for the child, and no later one. */
TEST(Context, TheEarlierDeadlineHolds)
{
	wt::Run([] {
		int64_t soon = wend_after(3 * WEND_MILLISECOND);
		Ctx parent(wend_ctx_with_deadline(nullptr, soon));
		Ctx later(wend_ctx_with_timeout(parent, 3600 * WEND_SECOND));
		Ctx far(wend_ctx_with_timeout(nullptr, 3600 * WEND_SECOND));
		Ctx near(wend_ctx_with_deadline(far, soon));

		EXPECT_EQ(soon, wend_ctx_deadline(later));
		EXPECT_EQ(soon, wend_ctx_deadline(near));
		EXPECT_EQ(-EPIPE,
			  wend_chan_recv(wend_ctx_done(later), nullptr));
		EXPECT_EQ(-EPIPE, wend_chan_recv(wend_ctx_done(near), nullptr));
		EXPECT_EQ(0, wend_ctx_err(far));
	});
}

/* Cancelled or dropped long before its deadline: nothing is left behind that
 * wend_stop() or the leak check would find. */
TEST(Context, CancelledBeforeItsDeadline)
{
	wt::Run([] {
		Ctx c(wend_ctx_with_timeout(nullptr, 3600 * WEND_SECOND));
		Ctx dropped(wend_ctx_with_timeout(nullptr, 3600 * WEND_SECOND));

		wend_ctx_cancel(c);
		EXPECT_EQ(-ECANCELED, wend_ctx_err(c));
		dropped.Drop();
	});
}

TEST(Context, ValuesAreFoundUpTheTree)
{
	wt::Run([] {
		std::atomic<int> a{ 0 }, a2{ 0 }, b{ 0 };
		{
			Ctx va(wend_ctx_with_value(nullptr, &key_a, &a,
						   CountDrop));
			Ctx c(wend_ctx_with_cancel(va));
			Ctx vb(wend_ctx_with_value(c, &key_b, &b, CountDrop));
			Ctx va2(wend_ctx_with_value(vb, &key_a, &a2, nullptr));

			EXPECT_EQ(&a, wend_ctx_value(vb, &key_a));
			EXPECT_EQ(&b, wend_ctx_value(va2, &key_b));
			EXPECT_EQ(&a2, wend_ctx_value(va2, &key_a));
			EXPECT_EQ(nullptr, wend_ctx_value(c, &key_b));
			va.Drop();
			EXPECT_EQ(0, a); /* those below hold it */
			/* It ends what it was made from. */
			wend_ctx_cancel(va2);
			EXPECT_TRUE(Done(c));
		}
		EXPECT_EQ(1, a);
		EXPECT_EQ(1, b);
		EXPECT_EQ(0, a2);
	});
}

TEST(Context, WithoutCancelKeepsTheValues)
{
	wt::Run([] {
		std::atomic<int> a{ 0 };
		Ctx c(wend_ctx_with_timeout(nullptr, WEND_SECOND));
		Ctx v(wend_ctx_with_value(c, &key_a, &a, CountDrop));
		Ctx free(wend_ctx_without_cancel(v));

		wend_ctx_cancel(c);
		EXPECT_TRUE(Done(v));
		EXPECT_EQ(0, wend_ctx_err(free));
		EXPECT_EQ(nullptr, wend_ctx_done(free));
		EXPECT_EQ(WEND_FOREVER, wend_ctx_deadline(free));
		EXPECT_EQ(&a, wend_ctx_value(free, &key_a));
	});
}

TEST(Context, SleepEndsEarly)
{
	wt::Run([] {
		Ctx c(wend_ctx_with_cancel(nullptr));
		wt::Group g;

		g.Go(
			[&] {
				EXPECT_EQ(-ECANCELED,
					  wend_ctx_sleep(c, INT64_MAX));
			},
			"sleeper");
		wt::AwaitWaiting("sleeper");
		wend_ctx_cancel(c);
	});
}

/* The calling task's own cancellation is something else. */
TEST(Context, SleepOfACancelledTask)
{
	wt::Run([] {
		Ctx c(wend_ctx_with_cancel(nullptr));
		wt::Group g;
		wend_task *t = g.Go([&] {
			EXPECT_EQ(-ECANCELED, wend_ctx_sleep(c, INT64_MAX));
		});

		wend_task_cancel(t);
		g.Wait();
		EXPECT_EQ(0, wend_ctx_err(c));
	});
}

TEST(Context, DoneInASelect)
{
	wt::Run([] {
		Ctx c(wend_ctx_with_timeout(nullptr, WEND_MILLISECOND));
		wt::Chan never(sizeof(int), 0);
		int v, status = 0;

		EXPECT_EQ(1,
			  wend_select(WEND_FOREVER, wend_on_recv(never, &v),
				      wend_on_recv_status(wend_ctx_done(c),
							  nullptr, &status)));
		EXPECT_EQ(-EPIPE, status);
	});
}

/* Longer than any stack could follow by recursion. */
TEST(Context, ALongChainEndsAndIsFreed)
{
	wt::Run(
		[] {
			std::vector<wend_ctx *> chain;
			wend_ctx *last = nullptr;

			for (int i = 0; i < 20000; i++) {
				wend_ctx *c = wend_ctx_with_cancel(last);

				ASSERT_NE(nullptr, c);
				wend_ctx_unref(i > 1 ? last : nullptr);
				if (i == 0)
					chain.push_back(c);
				last = c;
			}
			wend_ctx_cancel(chain[0]);
			EXPECT_EQ(-ECANCELED, wend_ctx_err(last));
			wend_ctx_unref(last);
			wend_ctx_unref(chain[0]);
		},
		1000);
}

TEST(Context, FromAThread)
{
	wt::RunFromThread([] {
		Ctx c(wend_ctx_with_timeout(nullptr, WEND_MILLISECOND));

		EXPECT_EQ(-ETIMEDOUT, wend_ctx_sleep(c, INT64_MAX));
	});
}

/* No timer without a runtime; the rest needs none. */
TEST(Context, WithoutARuntime)
{
	Ctx c(wend_ctx_with_cancel(nullptr));

	wend_ctx_cancel(c);
	EXPECT_EQ(-ECANCELED, wend_ctx_err(c));
	EXPECT_EQ(nullptr, wend_ctx_with_timeout(nullptr, WEND_SECOND));
	EXPECT_EQ(nullptr, wend_ctx_after_func(c, CountDrop, nullptr));
}

/* --- hooks -------------------------------------------------------------------------- */

namespace
{

struct Hook {
	wend_ctx_hook hook; /* first */
	int calls;
};

void CountHook(wend_ctx_hook *h)
{
	reinterpret_cast<Hook *>(h)->calls++;
}

} // namespace

TEST(ContextHook, CalledByTheOneWhoEnds)
{
	wt::Run([] {
		Ctx root(wend_ctx_with_cancel(nullptr));
		Ctx c(wend_ctx_with_cancel(root));
		Hook h[4] = {};

		for (Hook &one : h)
			wend_ctx_hook_add(c, &one.hook, CountHook);
		EXPECT_TRUE(wend_ctx_hook_remove(c, &h[1].hook));
		EXPECT_TRUE(wend_ctx_hook_remove(c, &h[3].hook));
		wend_ctx_cancel(root);
		EXPECT_EQ(1, h[0].calls);
		EXPECT_EQ(0, h[1].calls);
		EXPECT_EQ(1, h[2].calls);
		EXPECT_EQ(0, h[3].calls);
		for (int i : { 0, 2 })
			EXPECT_FALSE(wend_ctx_hook_remove(c, &h[i].hook));
		/* Ended: at once. */
		wend_ctx_hook_add(c, &h[1].hook, CountHook);
		EXPECT_EQ(1, h[1].calls);
		EXPECT_FALSE(wend_ctx_hook_remove(c, &h[1].hook));
		/* The background: never. */
		wend_ctx_hook_add(nullptr, &h[3].hook, CountHook);
		EXPECT_TRUE(wend_ctx_hook_remove(nullptr, &h[3].hook));
		EXPECT_EQ(0, h[3].calls);
	});
}

/* Added, removed and called by several at once: each is called once or not at
 * all, as remove says, and its memory is free afterwards. */
TEST(ContextHook, RemovedWhileItEnds)
{
	wt::Run(
		[] {
			for (int round = 0; round < 20; round++) {
				Ctx c(wend_ctx_with_cancel(nullptr));
				wt::Group g;

				for (int i = 0; i < 4; i++)
					g.Go([&] {
						Hook h = {};

						wend_ctx_hook_add(c, &h.hook,
								  CountHook);
						wend_yield();
						bool removed =
							wend_ctx_hook_remove(
								c, &h.hook);

						EXPECT_EQ(removed,
							  h.calls == 0);
					});
				g.Go([&] { wend_ctx_cancel(c); });
			}
		},
		20);
}

/* --- all at once ----------------------------------------------------------------------- */

/* Tasks make, cancel and drop contexts of one random tree while their deadlines
 * pass: what must hold is that an ended one's descendants have ended. */
TEST(Context, ManyAtOnce)
{
	wt::Run(
		[] {
			Ctx root(wend_ctx_with_timeout(nullptr,
						       WEND_SECOND * 3600));
			wt::Group g;

			for (unsigned task = 0; task < 4; task++)
				g.Go([&, task] {
					std::minstd_rand random(wt::Seed() +
								task);
					std::vector<wend_ctx *> mine;

					mine.push_back(wend_ctx_ref(root));
					for (int i = 0; i < 40; i++) {
						wend_ctx *from =
							mine[random() %
							     mine.size()];
						bool timed = random() % 2;
						wend_ctx *c = wend_ctx_with_timeout(
							from,
							timed ? (int64_t)(random() %
									  100000) :
								INT64_MAX);

						ASSERT_NE(nullptr, c);
						mine.push_back(c);
						if (random() % 4 == 0) {
							wend_ctx_cancel(c);
							EXPECT_NE(0,
								  wend_ctx_err(
									  c));
						}
						if (random() % 8 == 0)
							wend_yield();
						if (random() % 3 == 0) {
							wend_ctx_unref(
								mine.back());
							mine.pop_back();
						}
						if (task == 3 && i == 30)
							wend_ctx_cancel_cause(
								root, -EIO);
					}
					for (wend_ctx *c : mine)
						wend_ctx_unref(c);
				});
			g.Wait();
			EXPECT_EQ(-EIO, wend_ctx_cause(root));
		},
		10);
}
