/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flight_test.cc - one call for all who want the same at the same time.
 */
#include "tests/support/wt.h"

#include <wend/std/sync.h>

#include <atomic>
#include <functional>

namespace
{

struct Value {
	Value()
	{
		++live;
	}
	~Value()
	{
		--live;
	}
	static std::atomic<int> live;
	std::atomic<int> refs{ 1 };
};

std::atomic<int> Value::live{ 0 };

void Ref(void *value)
{
	++static_cast<Value *>(value)->refs;
}

void Unref(void *value)
{
	Value *v = static_cast<Value *>(value);

	if (--v->refs == 0)
		delete v;
}

using Fn = std::function<int(void **)>;

int Call(void *arg, void **value)
{
	return (*static_cast<Fn *>(arg))(value);
}

class Flight
{
      public:
	~Flight()
	{
		wend_sync_flight_free(f);
	}
	int Do(const std::string &key, Fn fn, void **value = nullptr,
	       bool *shared = nullptr, int64_t deadline = WEND_FOREVER)
	{
		return wend_sync_flight_do_until(f, key.data(), key.size(),
						 Call, &fn, value, shared,
						 deadline);
	}

	wend_sync_flight *const f = wend_sync_flight_new(Ref, Unref);
};

} // namespace

TEST(SyncFlight, CallsEachTimeItIsAlone)
{
	wt::Run([] {
		Flight f;
		void *value = nullptr;
		bool shared = true;
		int calls = 0;
		Fn fn = [&](void **v) {
			*v = new Value;
			return ++calls;
		};

		EXPECT_EQ(1, f.Do("k", fn, &value, &shared));
		EXPECT_FALSE(shared);
		EXPECT_EQ(1, Value::live);
		Unref(value);
		EXPECT_EQ(0, Value::live);
		EXPECT_EQ(2, f.Do("k", fn)); /* the value is given up */
		EXPECT_EQ(0, Value::live);
		EXPECT_EQ(-EIO,
			  f.Do(
				  "k", [](void **) { return -EIO; }, &value));
		EXPECT_EQ(nullptr, value);
		wend_sync_flight_free(nullptr);
	});
}

/* All that come while the first is at it get its result. */
TEST(SyncFlight, OneCallForAll)
{
	wt::Run([] {
		std::atomic<int> calls{ 0 }, shares{ 0 };
		wt::Chan go_on(0, 0);
		Flight f;
		wt::Group g;
		auto want = [&] {
			void *value = nullptr;
			bool shared = false;

			EXPECT_EQ(7, f.Do(
					     "k",
					     [&](void **v) {
						     ++calls;
						     wend_chan_recv(go_on,
								    nullptr);
						     *v = new Value;
						     return 7;
					     },
					     &value, &shared));
			shares += shared;
			ASSERT_NE(nullptr, value);
			EXPECT_GE(static_cast<Value *>(value)->refs, 1);
			Unref(value);
		};

		g.Go(want, "first");
		wt::AwaitWaiting("first");
		for (int i = 0; i < 5; i++)
			g.Go(want, "other");
		wt::AwaitWaiting("other", 5);
		/* Another key is another call. */
		EXPECT_EQ(1, f.Do("l", [](void **) { return 1; }));
		EXPECT_EQ(0, wend_chan_send(go_on, nullptr));
		g.Wait();
		EXPECT_EQ(1, calls);
		EXPECT_EQ(5, shares);
		EXPECT_EQ(0, Value::live);
	});
}

/* Waiting for another one's call has a deadline, and is cancelled. */
TEST(SyncFlight, WaitsNoLongerThanItMay)
{
	wt::Run([] {
		wt::Chan go_on(0, 0);
		Flight f;
		wt::Group g, others;
		Fn never = [](void **) {
			ADD_FAILURE() << "called twice";
			return 0;
		};

		g.Go(
			[&] {
				EXPECT_EQ(3, f.Do("k", [&](void **) {
					wend_chan_recv(go_on, nullptr);
					return 3;
				}));
			},
			"first");
		wt::AwaitWaiting("first");
		EXPECT_EQ(-ETIMEDOUT, f.Do("k", never, nullptr, nullptr, 0));
		EXPECT_EQ(-ETIMEDOUT, f.Do("k", never, nullptr, nullptr,
					   wend_after(WEND_MILLISECOND)));
		wend_task *t = others.Go(
			[&] { EXPECT_EQ(-ECANCELED, f.Do("k", never)); },
			"other");
		wt::AwaitWaiting("other");
		wend_task_cancel(t);
		others.Wait();
		EXPECT_EQ(0, wend_chan_send(go_on, nullptr));
	});
}

/* The one who calls is cancelled: the others call anew, one of them. */
TEST(SyncFlight, TheOthersAreNotCancelledWithTheFirst)
{
	wt::Run([] {
		std::atomic<int> calls{ 0 };
		Flight f;
		wt::Group g;
		wend_task *t = g.Go(
			[&] {
				EXPECT_EQ(-ECANCELED, f.Do("k", [](void **) {
					return wend_chan_recv(nullptr, nullptr);
				}));
			},
			"first");

		wt::AwaitWaiting("first");
		for (int i = 0; i < 3; i++)
			g.Go(
				[&] {
					EXPECT_EQ(5, f.Do("k", [&](void **) {
						++calls;
						return 5;
					}));
				},
				"other");
		wt::AwaitWaiting("other", 3);
		wend_task_cancel(t);
		g.Wait();
		EXPECT_GE(calls, 1);
	});
}

/* -ECANCELED that has another reason is a result like any other. */
TEST(SyncFlight, AnotherOnesECANCELED)
{
	wt::Run([] {
		Flight f;

		EXPECT_EQ(-ECANCELED,
			  f.Do("k", [](void **) { return -ECANCELED; }));
	});
}

TEST(SyncFlight, Forget)
{
	wt::Run([] {
		wt::Chan go_on(0, 0);
		Flight f;
		wt::Group g;

		g.Go(
			[&] {
				EXPECT_EQ(1, f.Do("k", [&](void **) {
					wend_chan_recv(go_on, nullptr);
					return 1;
				}));
			},
			"first");
		wt::AwaitWaiting("first");
		wend_sync_flight_forget(f.f, "k", 1);
		wend_sync_flight_forget(f.f, "no", 2);
		EXPECT_EQ(2, f.Do("k", [](void **) { return 2; }));
		EXPECT_EQ(0, wend_chan_send(go_on, nullptr));
	});
}

/* Many on few keys: never two calls of one key at once, no value lost. */
TEST(SyncFlight, ManyAtOnce)
{
	wt::Run(
		[] {
			std::atomic<int> busy[2] = {};
			Flight f;
			wt::Group g;

			for (int i = 0; i < 6; i++)
				g.Go([&, i] {
					for (int k = 0; k < 10; k++) {
						int n = (i + k) % 2;
						void *value = nullptr;

						EXPECT_EQ(
							n,
							f.Do(
								std::to_string(
									n),
								[&](void **v) {
									EXPECT_EQ(
										0,
										busy[n]++);
									wend_yield();
									busy[n]--;
									*v = new Value;
									return n;
								},
								&value));
						Unref(value);
					}
				});
			g.Wait();
			EXPECT_EQ(0, Value::live);
		},
		10);
}
