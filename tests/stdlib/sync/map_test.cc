/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map_test.cc - the map, against a plain one and by many tasks at once.
 */
#include "tests/support/wt.h"

#include <wend/std/sync.h>

#include <atomic>
#include <cstring>
#include <map>
#include <random>
#include <set>

namespace
{

/* A value that counts who refers to it, and notes when nobody does. */
struct Value {
	explicit Value(int n) : number(n)
	{
		++live;
	}
	~Value()
	{
		--live;
	}
	static std::atomic<int> live;
	std::atomic<int> refs{ 1 };
	int number;
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

class Map
{
      public:
	Map() : m_(wend_sync_map_new(Ref, Unref))
	{
		EXPECT_NE(nullptr, m_);
	}
	~Map()
	{
		wend_sync_map_free(m_);
	}
	operator wend_sync_map *() const
	{
		return m_;
	}
	void Store(const std::string &key, int number)
	{
		EXPECT_EQ(0, wend_sync_map_store(m_, key.data(), key.size(),
						 new Value(number)));
	}
	/* -1: there is none. */
	int Load(const std::string &key)
	{
		void *v = nullptr;
		int n = -1,
		    r = wend_sync_map_load(m_, key.data(), key.size(), &v);

		if (r == 0) {
			n = static_cast<Value *>(v)->number;
			Unref(v);
		} else {
			EXPECT_EQ(-ENOENT, r);
			EXPECT_EQ(nullptr, v);
		}
		return n;
	}
	int Delete(const std::string &key)
	{
		return wend_sync_map_delete(m_, key.data(), key.size(),
					    nullptr);
	}
	std::map<std::string, int> All()
	{
		std::map<std::string, int> all;

		EXPECT_EQ(0, wend_sync_map_range(m_, Collect, &all));
		return all;
	}

      private:
	static bool Collect(const void *key, size_t n, void *value, void *arg)
	{
		auto *all = static_cast<std::map<std::string, int> *>(arg);
		std::string k(static_cast<const char *>(key), n);

		EXPECT_TRUE(all->emplace(k, static_cast<Value *>(value)->number)
				    .second);
		return true;
	}
	wend_sync_map *m_;
};

} // namespace

TEST(SyncMap, StoreLoadDelete)
{
	wt::Run([] {
		Map m;
		void *v = nullptr;

		EXPECT_EQ(-1, m.Load("a"));
		EXPECT_EQ(-ENOENT, m.Delete("a"));
		m.Store("a", 1);
		m.Store(std::string("a\0b", 3), 2);
		m.Store("", 3);
		EXPECT_EQ(1, m.Load("a"));
		EXPECT_EQ(2, m.Load(std::string("a\0b", 3)));
		EXPECT_EQ(3, m.Load(""));
		m.Store("a", 4);
		EXPECT_EQ(4, m.Load("a"));
		EXPECT_EQ(3u, wend_sync_map_len(m));
		EXPECT_EQ(0, wend_sync_map_delete(m, "a", 1, &v));
		EXPECT_EQ(4, static_cast<Value *>(v)->number);
		EXPECT_EQ(1, static_cast<Value *>(v)->refs);
		Unref(v);
		EXPECT_EQ(0, m.Delete(""));
		EXPECT_EQ(1u, wend_sync_map_len(m));
		EXPECT_EQ(1, Value::live);
	});
	EXPECT_EQ(0, Value::live);
}

TEST(SyncMap, LoadOrStore)
{
	wt::Run([] {
		Map m;
		auto *one = new Value(1), *two = new Value(2);
		void *found = nullptr;

		EXPECT_EQ(0,
			  wend_sync_map_load_or_store(m, "k", 1, one, &found));
		EXPECT_EQ(nullptr, found);
		EXPECT_EQ(1,
			  wend_sync_map_load_or_store(m, "k", 1, two, &found));
		EXPECT_EQ(one, found);
		EXPECT_EQ(2, one->refs);
		EXPECT_EQ(1, two->refs);
		Unref(found);
		Unref(two);
	});
	EXPECT_EQ(0, Value::live);
}

TEST(SyncMap, OnlyIfItIsTheOne)
{
	wt::Run([] {
		Map m;
		auto *one = new Value(1), *two = new Value(2);

		EXPECT_FALSE(wend_sync_map_replace(m, "k", 1, one, two));
		EXPECT_FALSE(wend_sync_map_delete_if(m, "k", 1, one));
		EXPECT_EQ(0, wend_sync_map_store(m, "k", 1, one));
		EXPECT_FALSE(wend_sync_map_replace(m, "k", 1, two, two));
		EXPECT_FALSE(wend_sync_map_delete_if(m, "k", 1, two));
		EXPECT_EQ(1, m.Load("k"));
		EXPECT_TRUE(wend_sync_map_replace(m, "k", 1, one, two));
		EXPECT_EQ(1, Value::live);
		EXPECT_EQ(2, m.Load("k"));
		EXPECT_TRUE(wend_sync_map_delete_if(m, "k", 1, two));
		EXPECT_EQ(0, Value::live);
	});
}

/* Without functions values are just pointers. */
TEST(SyncMap, PlainPointers)
{
	wt::Run(
		[] {
			wend_sync_map *m = wend_sync_map_new(nullptr, nullptr);
			int x, y;
			void *v = nullptr;

			EXPECT_EQ(0, wend_sync_map_store(m, &x, sizeof(x), &y));
			EXPECT_EQ(0, wend_sync_map_load(m, &x, sizeof(x), &v));
			EXPECT_EQ(&y, v);
			wend_sync_map_free(m);
			wend_sync_map_free(nullptr);
		},
		10);
}

/* Random operations on it and on a std::map: always the same. */
TEST(SyncMap, AsAPlainMap)
{
	wt::Run(
		[] {
			std::minstd_rand random(wt::Seed());
			std::map<std::string, int> plain;
			Map m;

			for (int i = 0; i < 5000; i++) {
				std::string key(1 + random() % 3, 'x');

				for (char &c : key)
					c = (char)('a' + random() % 12);
				switch (random() % 4) {
				case 0:
				case 1:
					m.Store(key, i);
					plain[key] = i;
					break;
				case 2:
					EXPECT_EQ(plain.erase(key) ? 0 :
								     -ENOENT,
						  m.Delete(key));
					break;
				default:
					EXPECT_EQ(plain.count(key) ?
							  plain[key] :
							  -1,
						  m.Load(key));
				}
				if (i % 1000 == 0) {
					EXPECT_EQ(plain, m.All());
				}
			}
			EXPECT_EQ(plain.size(), wend_sync_map_len(m));
			EXPECT_EQ(plain, m.All());
		},
		500);
	EXPECT_EQ(0, Value::live);
}

/* The function may change the map, and end it. */
TEST(SyncMap, RangeMayDoAnything)
{
	wt::Run(
		[] {
			struct {
				Map m;
				int calls = 0;
			} t;

			for (int i = 0; i < 100; i++)
				t.m.Store(std::to_string(i), i);
			EXPECT_EQ(
				0,
				wend_sync_map_range(
					t.m,
					[](const void *key, size_t n,
					   void *value, void *arg) {
						auto *u = static_cast<
							decltype(t) *>(arg);
						std::string k((const char *)key,
							      n);

						EXPECT_EQ(
							k,
							std::to_string(
								static_cast<
									Value *>(
									value)
									->number));
						EXPECT_EQ(0, u->m.Delete(k));
						wend_yield();
						return ++u->calls < 60;
					},
					&t));
			EXPECT_EQ(60, t.calls);
			EXPECT_EQ(40u, wend_sync_map_len(t.m));
		},
		20);
	EXPECT_EQ(0, Value::live);
}

/* Of all who store under one key at the same time, one is found by all; counts
 * by replace() are exact; and no value is lost, nor freed while it is used. */
TEST(SyncMap, ManyAtOnce)
{
	wt::Run(
		[] {
			constexpr int kTasks = 4, kRounds = 20;
			std::atomic<int> stored{ 0 };
			Map m;
			wt::Group g;

			m.Store("count", 0);
			for (int task = 0; task < kTasks; task++)
				g.Go([&, task] {
					for (int i = 0; i < kRounds; i++) {
						std::string key =
							std::to_string(i);
						void *v = new Value(task), *old;
						int r = wend_sync_map_load_or_store(
							m, key.data(),
							key.size(), v, &old);

						ASSERT_GE(r, 0);
						if (r == 0)
							++stored;
						else
							Unref(v);
						if (r == 1)
							Unref(old);
						if (i % 3 == task % 3)
							wend_yield();
						for (;;) {
							Value *next;
							bool done;

							ASSERT_EQ(
								0,
								wend_sync_map_load(
									m,
									"count",
									5,
									&old));
							next = new Value(
								static_cast<
									Value *>(
									old)
									->number +
								1);
							done = wend_sync_map_replace(
								m, "count", 5,
								old, next);
							Unref(old);
							if (done)
								break;
							Unref(next);
						}
					}
				});
			g.Wait();
			EXPECT_EQ(kRounds, stored);
			EXPECT_EQ(kTasks * kRounds, m.Load("count"));
			EXPECT_EQ(kRounds + 1, Value::live);
		},
		20);
	EXPECT_EQ(0, Value::live);
}
