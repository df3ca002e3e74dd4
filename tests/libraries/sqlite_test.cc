/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sqlite_test.cc - SQLite waits for a locked database by sleeping and trying
 * again, all the while holding the connection's own lock, a recursive pthread
 * mutex.
 *
 * So the others have to go on meanwhile, and the waiting task has to come back
 * on the thread that owns the mutex, or the next call with that connection
 * never returns.
 */
#include "tests/libraries/jitter.h"
#include "tests/libraries/process.h"

#include <sqlite3.h>

#include <string>

namespace
{

constexpr int kWaitMs = 100000;

class Database
{
      public:
	explicit Database(const std::string &path)
	{
		EXPECT_EQ(SQLITE_OK, sqlite3_open(path.c_str(), &db_));
		EXPECT_EQ(SQLITE_OK, sqlite3_busy_timeout(db_, kWaitMs));
	}
	~Database()
	{
		EXPECT_EQ(SQLITE_OK, sqlite3_close(db_));
	}
	void Do(const char *sql)
	{
		char *error = nullptr;

		EXPECT_EQ(SQLITE_OK,
			  sqlite3_exec(db_, sql, nullptr, nullptr, &error))
			<< sql << ": " << (error ? error : "");
		sqlite3_free(error);
	}
	int Number(const char *sql)
	{
		sqlite3_stmt *s = nullptr;
		int n = -1;

		EXPECT_EQ(SQLITE_OK,
			  sqlite3_prepare_v2(db_, sql, -1, &s, nullptr));
		EXPECT_EQ(SQLITE_ROW, sqlite3_step(s));
		n = sqlite3_column_int(s, 0);
		EXPECT_EQ(SQLITE_OK, sqlite3_finalize(s));
		return n;
	}

      private:
	sqlite3 *db_ = nullptr;
};

/* Each test in a directory of its own, with an empty table. */
class Sqlite : public testing::Test
{
      protected:
	void SetUp() override
	{
		WT_NEEDS_THREADS();
		ASSERT_NE(0, sqlite3_threadsafe());
		directory_ = libraries::MakeDirectory();
		path_ = directory_ + "/database";
		Database db(path_);
		db.Do("pragma synchronous = off");
		db.Do("create table t (task integer, step integer)");
	}
	void TearDown() override
	{
		libraries::Remove(directory_);
	}

	std::string directory_, path_;
};

} // namespace

/* On one server: the holder could never let go if those who wait for it kept
 * the server. */
TEST_F(Sqlite, WaitsForALockedDatabase)
{
	constexpr int kTasks = 20;

	for (int procs : { 1, 2 })
		wt::RunOn(procs, [&] {
			libraries::Jitter jitter;
			Database holder(path_);
			std::atomic<int> begun{ 0 };
			wt::Group g;

			holder.Do("delete from t");
			holder.Do("begin exclusive");
			for (int i = 0; i < kTasks; i++)
				g.Go([&] {
					Database db(path_);

					begun++;
					db.Do("insert into t values (1, 1)");
				});
			while (begun < kTasks || !jitter.Enough())
				wend_sleep(WEND_MILLISECOND);
			EXPECT_EQ(0, holder.Number("select count(*) from t"));
			holder.Do("commit");
			g.Wait();
			EXPECT_EQ(kTasks,
				  holder.Number("select count(*) from t"));
			jitter.Expect();
		});
}

/* Many writers, each with a connection that it uses again and again, so that
 * a lock left behind by an earlier wait would be met. */
TEST_F(Sqlite, ManyWriters)
{
	constexpr int kTasks = 8, kSteps = 25;

	wt::RunOn(2, [&] {
		libraries::Jitter jitter;
		int rounds = 0;

		do {
			wt::Group g;

			for (int i = 0; i < kTasks; i++)
				g.Go([&, i] {
					Database db(path_);
					std::string insert =
						"insert into t select " +
						std::to_string(i) +
						", count(*) from t "
						"where task = " +
						std::to_string(i);

					for (int k = 0; k < kSteps; k++)
						db.Do(insert.c_str());
				});
			g.Wait();
			rounds++;
		} while (!jitter.Enough());

		Database db(path_);
		EXPECT_EQ(rounds * kTasks * kSteps,
			  db.Number("select count(*) from t"));
		/* Each saw all that it had written before. */
		EXPECT_EQ(rounds * kTasks * kSteps,
			  db.Number("select count(distinct "
				    "task * 1000000 + step) from t"));
		jitter.Expect();
	});
}
