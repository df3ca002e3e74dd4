/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dump_test.cc - what a running program shows of its tasks.
 */
#include "tests/support/wt.h"

#include <unistd.h>

#include <regex>
#include <sstream>

namespace
{

/* The line of the task of that name, or "". */
std::string LineOf(const std::string &name)
{
	std::istringstream in(wt::Dump());
	std::string line;

	while (std::getline(in, line)) {
		if (line.find("\"" + name + "\"") != std::string::npos)
			return line;
	}
	return "";
}

void ExpectWaiting(const std::string &name, const std::string &what)
{
	std::string line = LineOf(name);
	std::regex re("^task [0-9]+ \"" + name + "\": waiting for " + what);

	EXPECT_TRUE(std::regex_search(line, re)) << line << "\nfor " << what;
}

} // namespace

/* A line for each task, with its number, name, state and what it waits for. */
TEST(Dump, LinesOfWaitingTasks)
{
	wt::Run([] {
		wt::Chan c(sizeof(int), 0);
		wend_mutex m = {};
		wend_waitgroup w = {};
		wend_sema s = {};
		wt::Group g;
		int v = 1;

		wend_mutex_lock(&m);
		wend_waitgroup_add(&w, 1);
		g.Go([&] { wend_chan_recv(c, nullptr); }, "a receiver");
		wt::AwaitWaiting("a receiver");
		ExpectWaiting("a receiver", "chan receive at 0x[0-9a-f]+");
		EXPECT_EQ(0, wend_chan_send(c, &v));
		g.Go([&] { EXPECT_EQ(0, wend_chan_send(c, &v)); }, "sender");
		wend_task *sel = g.Go(
			[&] {
				wend_select(WEND_FOREVER,
					    wend_on_recv(nullptr, nullptr));
			},
			"selector");
		wend_task *sleep = g.Go([] { wend_sleep(3600 * WEND_SECOND); },
					"sleeper");
		g.Go(
			[&] {
				wend_mutex_lock(&m);
				wend_mutex_unlock(&m);
			},
			"locker");
		g.Go([&] { wend_waitgroup_wait(&w); }, "gatherer");
		g.Go([&] { wend_sema_acquire(&s); }, "taker");
		wend_task *joiner = g.Go([&] { wend_join(sleep, nullptr); },
					 "joiner");
		for (const char *name :
		     { "sender", "selector", "sleeper", "locker", "gatherer",
		       "taker", "joiner" })
			wt::AwaitWaiting(name);
		ExpectWaiting("sender", "chan send at 0x[0-9a-f]+");
		ExpectWaiting("selector", "select");
		ExpectWaiting("sleeper", "sleep");
		ExpectWaiting("locker", "mutex");
		ExpectWaiting("gatherer", "waitgroup");
		ExpectWaiting("taker", "sema");
		ExpectWaiting("joiner", "(join|task)");
		wend_task_cancel(joiner);
		wend_task_cancel(sel);
		wend_task_cancel(sleep);
		wend_mutex_unlock(&m);
		wend_waitgroup_done(&w);
		wend_sema_release(&s, 1);
		EXPECT_EQ(0, wend_chan_recv(c, nullptr));
	});
}

/* The task that asks is there too, and does not wait; one that has ended is
 * there no more. */
TEST(Dump, TheCallerRuns)
{
	wt::Run([] {
		wend_task *t;

		ASSERT_EQ(0, wt::Go([] {}, "gone", &t));
		EXPECT_EQ(0, wend_join(t, nullptr));
		EXPECT_EQ("", LineOf("gone"));
		std::string line = LineOf("test");
		EXPECT_NE("", line);
		EXPECT_EQ(std::string::npos, line.find("waiting")) << line;
		std::string number = "task " + std::to_string(wend_task_id()) +
				     " ";
		EXPECT_EQ(0u, line.find(number)) << line;
	});
}

/* While tasks start and end all the time. */
TEST(Dump, WhileTasksComeAndGo)
{
	wt::Run(
		[] {
			std::atomic<bool> stop{ false };
			wt::Group g;

			for (int i = 0; i < 3; i++)
				g.Go([&] {
					while (!stop) {
						wt::Group h;

						for (int k = 0; k < 5; k++)
							h.Go([] {
								wend_yield();
							});
					}
				});
			for (int i = 0; i < 50; i++) {
				EXPECT_NE("", LineOf("test"));
				wend_yield();
			}
			stop = true;
		},
		20);
}

/* A name may hold anything: it can't break the lines. */
TEST(Dump, OddNames)
{
	wt::Run([] {
		wt::Chan c(0, 0);
		wt::Group g;

		g.Go([&] { wend_chan_recv(c, nullptr); }, "two\nlines");
		g.Go([&] { wend_chan_recv(c, nullptr); }, "after");
		wt::AwaitWaiting("after");
		std::istringstream in(wt::Dump());
		std::string line;
		while (std::getline(in, line)) {
			if (!line.empty()) {
				EXPECT_EQ(0u, line.find("task ")) << line;
			}
		}
		wend_chan_close(c);
	});
}

/* A descriptor that can't be written to is no misfortune. */
TEST(Dump, BadDescriptor)
{
	wt::Run([] {
		int keep = errno;

		wend_dump(-1);
		wend_dump(1 << 20);
		EXPECT_EQ(keep, errno);
	});
}
