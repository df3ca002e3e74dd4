/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libpq_test.cc - libpq, against a PostgreSQL server of the test's own.
 *
 * Skipped where no server is installed. It listens on a socket in a directory
 * of its own only, and is ended with the test.
 */
#include "tests/libraries/jitter.h"
#include "tests/libraries/process.h"

#include <postgresql/libpq-fe.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace
{

constexpr int kConnections = 50;
constexpr int kTasks = 1000;
constexpr int64_t kBound = 8 * WEND_SECOND;

/* Where Debian and others put the server, the newest of them; or from PATH.
 * "": nowhere. */
std::string FindPrograms()
{
	std::string best;
	std::error_code none;

	for (const auto &d :
	     std::filesystem::directory_iterator("/usr/lib/postgresql", none)) {
		std::string bin = d.path().string() + "/bin";

		if (access((bin + "/postgres").c_str(), X_OK) == 0 &&
		    bin > best)
			best = bin;
	}
	if (!best.empty())
		return best;
	std::string path = getenv("PATH") ? getenv("PATH") : "";
	for (size_t at = 0; at < path.size();) {
		size_t end = std::min(path.find(':', at), path.size());
		std::string bin = path.substr(at, end - at);

		if (access((bin + "/postgres").c_str(), X_OK) == 0)
			return bin;
		at = end + 1;
	}
	return "";
}

/* A server for the life of the object. */
class Server
{
      public:
	~Server()
	{
		process_.Stop(SIGINT); /* without waiting for clients */
		if (!directory_.empty())
			libraries::Remove(directory_);
	}

	/* "", or why there is none. */
	std::string Start();

	std::string Address() const
	{
		return "host=" + directory_ +
		       " user=wend dbname=postgres sslmode=disable "
		       "gssencmode=disable connect_timeout=100";
	}

      private:
	std::string MakeCluster(const std::string &bin);
	void AwaitReady();

	std::string directory_;
	libraries::Process process_;
};

std::string Server::MakeCluster(const std::string &bin)
{
	std::string why;
	bool made = libraries::RunToEnd(
		{ bin + "/initdb", "--pgdata=" + directory_ + "/data",
		  "--username=wend", "--auth=trust", "--no-sync",
		  "--encoding=UTF8", "--locale=C" },
		[&] { return libraries::BeNotRoot(directory_); }, &why);

	if (why.empty()) {
		EXPECT_TRUE(made) << "initdb failed";
	}
	return why;
}

void Server::AwaitReady()
{
	int64_t limit = wend_after(100 * WEND_SECOND);

	while (PQping(Address().c_str()) != PQPING_OK) {
		ASSERT_LT(wend_now(), limit) << "the server is not ready";
		usleep(20000);
	}
}

std::string Server::Start()
{
	std::string bin = FindPrograms(), why;

	if (bin.empty())
		return "no PostgreSQL server is installed";
	directory_ = libraries::MakeDirectory();
	why = MakeCluster(bin);
	if (!why.empty() || testing::Test::HasFailure())
		return why;
	/* It sees to it itself that there are no more connections. */
	bool started = process_.Start(
		{ bin + "/postgres",
		  "-D",
		  directory_ + "/data",
		  "-k",
		  directory_,
		  "-c",
		  "listen_addresses=",
		  "-c",
		  "fsync=off",
		  "-c",
		  "shared_buffers=16MB",
		  "-c",
		  "superuser_reserved_connections=0",
		  "-c",
		  "autovacuum=off",
		  "-c",
		  "log_min_messages=panic",
		  "-c",
		  "max_wal_senders=0",
		  "-c",
		  "max_connections=" + std::to_string(kConnections) },
		[&] { return libraries::BeNotRoot(directory_); });
	if (!started)
		return process_.Reason();
	AwaitReady();
	return "";
}

/* Connections that tasks share, each used by one at a time. */
class Pool
{
      public:
	explicit Pool(const std::string &address)
		: free_(sizeof(PGconn *), kConnections)
	{
		wt::Group g;

		for (int i = 0; i < kConnections; i++)
			g.Go([&] { Connect(address); });
	}
	~Pool()
	{
		for (PGconn *c : all_.Get())
			PQfinish(c);
	}
	PGconn *Take()
	{
		PGconn *c = nullptr;

		EXPECT_EQ(0, wend_chan_recv(free_, &c));
		return c;
	}
	void Give(PGconn *c)
	{
		EXPECT_EQ(0, wend_chan_send(free_, &c));
	}

      private:
	void Connect(const std::string &address)
	{
		PGconn *c = PQconnectdb(address.c_str());

		EXPECT_EQ(CONNECTION_OK, PQstatus(c)) << PQerrorMessage(c);
		all_.Add(c);
		Give(c);
	}

	wt::Chan free_;
	wt::Log<PGconn *> all_;
};

/* The one value that a query has. */
std::string Ask(PGconn *c, const std::string &query)
{
	PGresult *r = PQexec(c, query.c_str());
	std::string value;

	EXPECT_EQ(PGRES_TUPLES_OK, PQresultStatus(r)) << PQerrorMessage(c);
	if (PQntuples(r) == 1)
		value = PQgetvalue(r, 0, 0);
	PQclear(r);
	return value;
}

struct Sleepers {
	std::atomic<int> now{ 0 }, most{ 0 };

	void Begin()
	{
		int n = ++now, m = most;

		while (n > m && !most.compare_exchange_weak(m, n))
			;
	}
	void End()
	{
		now--;
	}
};

void SleepInTheServer(Pool *pool)
{
	libraries::Jitter jitter;
	Sleepers sleepers;
	int64_t begin = wend_now();

	{
		wt::Group g;

		for (int i = 0; i < kTasks; i++)
			g.Go([&, i] {
				std::string n = std::to_string(i);
				PGconn *c = pool->Take();

				sleepers.Begin();
				EXPECT_EQ(n, Ask(c, "select " + n +
							    " from pg_sleep("
							    "0.2)"));
				sleepers.End();
				pool->Give(c);
			});
	}
	int64_t took = wend_now() - begin;
	printf("%d sleeps of 200 ms over %d connections in %.1f s\n", kTasks,
	       kConnections, (double)took / WEND_SECOND);
	EXPECT_EQ(kConnections, sleepers.most);
	if (!wt::kSanitized) {
		EXPECT_LT(took, kBound);
	}
	jitter.Expect();
}

} // namespace

/* 20 rounds of 200 ms, 4 s, is the best there can be. */
TEST(Libpq, AThousandSleepsOverFiftyConnections)
{
	Server server;
	std::string why;

	WT_NEEDS_THREADS();
	why = server.Start();
	if (!why.empty())
		GTEST_SKIP() << why;
	ASSERT_FALSE(HasFailure());
	for (int procs : { 1, 2 })
		wt::RunOn(procs, [&] {
			Pool pool(server.Address());

			SleepInTheServer(&pool);
		});
}
