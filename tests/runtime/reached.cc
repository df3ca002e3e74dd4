/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reached.cc - the table of paths and ports, and the lists.
 */
#include "tests/runtime/reached.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace
{

/*
 * Where a path has to be reached. Lucky: two threads must meet within a few
 * instructions. Under sim a seed brings that about; with real threads volume
 * does, as a rule within seconds, but no bound holds on a busy machine.
 */
enum { kNowhere = 0, kEmul = 1, kSim = 2, kBoth = 3, kLucky = kSim };

/* WEND__OFTEN() */
#ifdef NDEBUG
constexpr int kCounted = kNowhere;
#else
constexpr int kCounted = kBoth;
#endif

/* Who has lost a server is stopped by a signal: not by ThreadSanitizer's leave. */
constexpr int kSignals = wt::kTsan ? kNowhere : kEmul;

const struct Duty {
	wend__rare path;
	int ports;
} kDuties[] = {
	{ WEND__RARE_ring_spill, kBoth },
	{ WEND__RARE_ring_spill_lost, kLucky },
	{ WEND__RARE_ring_take_lost, kBoth },
	{ WEND__RARE_ring_steal_lost, kBoth },
	/* A thief has to lose its CPU between two loads. */
	{ WEND__RARE_ring_steal_torn, kNowhere },
	{ WEND__RARE_fresh_spill, kBoth },
	{ WEND__RARE_fresh_last_won, kCounted },
	{ WEND__RARE_fresh_last_lost, kLucky },
	{ WEND__RARE_fresh_take_lost, kLucky },
	{ WEND__RARE_global_quick, kBoth },
	{ WEND__RARE_next_stolen, kBoth },
	{ WEND__RARE_search_kicked, kBoth },
	{ WEND__RARE_search_kick_lost, kLucky },
	{ WEND__RARE_search_raced, kLucky },
	{ WEND__RARE_search_passed_on, kBoth },
	{ WEND__RARE_nap_skipped, kLucky },
	/* Half a microsecond: too short for a busy machine, or a sanitizer. */
	{ WEND__RARE_hold_back, kLucky },
	{ WEND__RARE_late_timers, kBoth },
	{ WEND__RARE_search_timers, kBoth },
	{ WEND__RARE_idle_again, kLucky },
	{ WEND__RARE_idle_gone, kLucky },
	{ WEND__RARE_release_unseen, kBoth },
	{ WEND__RARE_stopper_told, kBoth },
	{ WEND__RARE_keeper_appointed, kBoth },
	{ WEND__RARE_keeper_missing, kBoth },
	{ WEND__RARE_keeper_hurried, kBoth },
	{ WEND__RARE_keeper_reminded, kEmul },
	{ WEND__RARE_keeper_spared, kBoth },
	{ WEND__RARE_keeper_taken, kBoth },
	{ WEND__RARE_keeper_relieved, kBoth },
	{ WEND__RARE_keeper_due, kBoth },
	/* The last server must go as the keeper gets up. */
	{ WEND__RARE_keeper_idle_less, kNowhere },
	{ WEND__RARE_return_queued, kBoth },
	{ WEND__RARE_return_stale, kBoth },
	{ WEND__RARE_hand_over, kBoth },
	{ WEND__RARE_worker_capped, kBoth },
	/* limits_test.cc and fork_test.cc get there. */
	{ WEND__RARE_worker_refused, kNowhere },
	{ WEND__RARE_worker_vforked, kNowhere },
	/* Ten seconds; limits_test.cc takes them under emul. */
	{ WEND__RARE_worker_again, kSim },
	{ WEND__RARE_worker_trimmed, kSim },
	{ WEND__RARE_server_waits, kBoth },
	{ WEND__RARE_server_served, kBoth },
	{ WEND__RARE_server_handed, kLucky },
	{ WEND__RARE_server_raced, kLucky },
	{ WEND__RARE_timers_keeperless, kBoth },
	/* sim has no pollers. */
	{ WEND__RARE_io_watcherless, kNowhere },
	{ WEND__RARE_io_late, kNowhere },
	{ WEND__RARE_watcher_called_off, kEmul },
	{ WEND__RARE_watcher_left, kNowhere },
	{ WEND__RARE_next_on_cpu, kBoth },
	{ WEND__RARE_on_cpu_wait, kBoth },
	/* Nobody but its owner fills a server's queues, and the owner is the
	 * task that gets away: for ports whose kernel wakes tasks. */
	{ WEND__RARE_self_wake, kNowhere },
	{ WEND__RARE_inherit, kCounted },
	{ WEND__RARE_foreign_ready, kBoth },
	{ WEND__RARE_server_taken, kEmul },
	/* The watchdog and a worker must meet within a few instructions; sim
	 * has no watchdog. */
	{ WEND__RARE_claim_inside, kNowhere },
	{ WEND__RARE_claim_denied, kNowhere },
	{ WEND__RARE_taken_back, kEmul },
	{ WEND__RARE_taken_queued, kSignals },
	{ WEND__RARE_taken_waited, kNowhere },
	{ WEND__RARE_stop_heard, kSignals },
	{ WEND__RARE_stop_inside, kNowhere },
	{ WEND__RARE_stop_blocked, kNowhere },
	{ WEND__RARE_io_called_back, kNowhere },
	{ WEND__RARE_io_cancelled_again, kNowhere },
	{ WEND__RARE_io_stolen, kNowhere },
	/* Sleeps are short on a machine that is not busy. */
	{ WEND__RARE_linger_event, kNowhere },
	{ WEND__RARE_linger_permit, kNowhere },
	{ WEND__RARE_watcher_woke, kEmul },
	{ WEND__RARE_deadline_lost, kBoth },
	{ WEND__RARE_cancel_lost, kLucky },
	{ WEND__RARE_cancel_early, kBoth },
	{ WEND__RARE_cancel_early_lost, kLucky },
	{ WEND__RARE_cancel_woke, kBoth },
	{ WEND__RARE_waker_lost_deadline, kBoth },
	{ WEND__RARE_waker_lost_cancel, kBoth },
	{ WEND__RARE_select_lost_case, kBoth },
	{ WEND__RARE_select_lost_deadline, kBoth },
	{ WEND__RARE_select_lost_cancel, kBoth },
	{ WEND__RARE_select_closed, kBoth },
	{ WEND__RARE_thread_late_claim, kBoth },
	{ WEND__RARE_timer_firing, kBoth },
	{ WEND__RARE_timer_overflow, kBoth },
	{ WEND__RARE_timer_overflow_fired, kBoth },
	{ WEND__RARE_timer_overflow_cancelled, kBoth },
	{ WEND__RARE_mutex_woken, kBoth },
	{ WEND__RARE_mutex_raced, kBoth },
	{ WEND__RARE_mutex_free_late, kBoth },
	/* One thread need not poll. */
	{ WEND__RARE_mutex_polled, kEmul },
	{ WEND__RARE_mutex_handed, kBoth },
	{ WEND__RARE_mutex_handed_none, kBoth },
	{ WEND__RARE_mutex_gave_up, kBoth },
	{ WEND__RARE_mutex_wake_none, kBoth },
	{ WEND__RARE_slab_more, kBoth },
	{ WEND__RARE_slab_less, kBoth },
	{ WEND__RARE_credits_short, kBoth },
	{ WEND__RARE_credits_none, kBoth },
	{ WEND__RARE_stack_cold, kBoth },
	{ WEND__RARE_lone_ended, kEmul },
	{ WEND__RARE_lock_slow, kBoth },
	{ WEND__RARE_lock_polite, kBoth },
};

uint64_t total[WEND__RARE_COUNT];

/* Seconds of effort for one case. Only a path that has become unreachable, or
 * a machine busy beyond measure, needs them all. */
constexpr int64_t kEffort = 100;

/* Runs of one case where nothing has to be reached. */
constexpr uint64_t kCasualRuns = 20;

bool Wanted(wend__rare path)
{
	int port = wt::IsSim() ? kSim : kEmul;

	/* The kernel keeps such a worker from coming back by itself. */
	if (path == WEND__RARE_taken_back &&
	    wt::Port() == std::string("kernel"))
		return false;

	for (const Duty &d : kDuties) {
		if (d.path == path)
			return d.ports & port;
	}
	return false;
}

/* With a sanitizer races are few and runs slow; on one CPU a thread must lose
 * it at the right instruction. What is replayed is one seed. */
bool Strict()
{
	return !wt::kSanitized && !getenv("WEND_SEED") &&
	       !getenv("WEND_TEST_SEEDS") &&
	       (wt::IsSim() || sysconf(_SC_NPROCESSORS_ONLN) > 1);
}

uint32_t Count(int path)
{
	return a32_load_relaxed(&wend__rare_counts[path]);
}

std::string Entry(int path, uint64_t count)
{
	return std::string(" ") + wend__rare_name((wend__rare)path) + " " +
	       std::to_string(count) + (count >= WEND__RARE_MAX ? "+" : "") +
	       ",";
}

std::string List(const char *title, const std::string &entries)
{
	return title + (entries.empty() ?
				std::string(" nothing") :
				entries.substr(0, entries.size() - 1));
}

/* At the end of the program. */
class Summary : public testing::Environment
{
      public:
	void TearDown() override
	{
		std::string reached;

		for (int i = 0; i < WEND__RARE_COUNT; i++) {
			if (total[i])
				reached += Entry(i, total[i]);
		}
		printf("%s\n", List("reached by all cases:", reached).c_str());
		for (int i = 0; i < WEND__RARE_COUNT; i++) {
			if (!total[i])
				Missing((wend__rare)i);
		}
		fflush(stdout);
	}

      private:
	void Missing(wend__rare path)
	{
		bool wanted = Wanted(path);

		printf("not reached: %s (%s)%s\n", wend__rare_name(path),
		       wend__rare_meaning(path),
		       wanted ? "" : ", which this port need not");
		if (wanted && Strict() &&
		    testing::GTEST_FLAG(filter) == std::string("*"))
			ADD_FAILURE()
				<< wend__rare_name(path) << " was not reached";
	}
};

const auto *const summary = testing::AddGlobalTestEnvironment(new Summary);

} // namespace

void Reached::SetUp()
{
	for (uint32_t &c : wend__rare_counts)
		a32_store_relaxed(&c, 0);
}

void Reached::TearDown()
{
	std::string reached;

	for (int i = 0; i < WEND__RARE_COUNT; i++) {
		total[i] += Count(i);
		if (Count(i))
			reached += Entry(i, Count(i));
	}
	printf("%s\n", List("reached:", reached).c_str());
	fflush(stdout);
}

void Reached::Until(std::initializer_list<wend__rare> paths, int procs,
		    const std::function<void()> &body)
{
	Repeat(paths, procs,
	       [&](int p, uint64_t seed) { wt::RunSeed(p, seed, body); });
}

void Reached::UntilFromThread(std::initializer_list<wend__rare> paths,
			      int procs, const std::function<void()> &body)
{
	Repeat(paths, procs, [&](int p, uint64_t seed) {
		wt::RunSeedFromThread(p, seed, body);
	});
}

void Reached::Repeat(std::initializer_list<wend__rare> paths, int procs,
		     const std::function<void(int procs, uint64_t seed)> &run)
{
	static const int choice[] = { 1, 2, 4 };
	int64_t end = wend_after(kEffort * WEND_SECOND); /* of real time */
	std::vector<wend__rare> missing;
	uint64_t seed = 1;

	for (wend__rare p : paths) {
		if (Wanted(p))
			missing.push_back(p);
	}
	do {
		std::vector<wend__rare> still;

		run(procs ? procs : choice[seed % 3], seed);
		for (wend__rare p : missing) {
			if (!Count(p))
				still.push_back(p);
		}
		missing = still;
		seed++;
	} while (!missing.empty() && !HasFailure() && wend_now() < end &&
		 (Strict() || seed <= kCasualRuns));
	for (wend__rare p : missing) {
		if (Strict())
			ADD_FAILURE()
				<< wend__rare_name(p) << " was not reached in "
				<< seed << " runs";
	}
}
