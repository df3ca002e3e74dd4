/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime.c - which port runs, how descriptors wait, how many servers and why.
 *
 * What the runtime would do is asked of one that was started, not worked out
 * here a second time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <wend/wend.h>

#include "runtime/inspect/facts.h"
#include "tools/wend/apart.h"
#include "tools/wend/info.h"
#include "tools/wend/report.h"

enum { LIMIT_MS = 5000 };

struct answer {
	int error; /* of wend_start() */
	int procs;
	char port[32];
	struct wend__facts facts;
};

static void ask(void *to, const void *arg)
{
	struct answer *a = to;

	(void)arg;
	a->error = wend_start(NULL);
	if (a->error)
		return;
	a->procs = wend_procs();
	snprintf(a->port, sizeof(a->port), "%s", wend_port_name());
	wend__facts_get(&a->facts);
	(void)wend_stop();
}

static void add_machine(void)
{
	struct utsname u;

	report_section("system", "system");
	report_text("version", "wend", wend_version(), "%s", "");
	if (uname(&u) == 0)
		report_text("kernel", "kernel", u.release, "%s, %s", u.sysname,
			    u.machine);
}

/* Why the runtime took that many. */
static const char *procs_reason(const struct answer *a)
{
	const char *set = getenv("WEND_PROCS");

	if (set && *set)
		return "WEND_PROCS says so";
	if (a->facts.quota_cpus && a->facts.quota_cpus < a->facts.mask_cpus)
		return "the cgroup's quota";
	return "the CPUs of the affinity mask";
}

static void add_servers(const struct answer *a)
{
	report_section("servers", "servers: tasks that run at once");
	report_count("count", "number", (uint64_t)a->procs, "%s",
		     procs_reason(a));
	report_count("mask_cpus", "affinity mask", a->facts.mask_cpus,
		     "of %ld CPUs", sysconf(_SC_NPROCESSORS_ONLN));
	report_count("workers_cap", "kernel threads at most",
		     a->facts.worker_cap, "%s",
		     getenv("WEND_MAX_WORKERS") ? "WEND_MAX_WORKERS says so" :
						  "by the system's limits");
	if (a->facts.quota_cpus)
		report_count("quota_cpus", "cgroup's quota",
			     a->facts.quota_cpus, "rounded up");
	else
		report_none("quota_cpus", "cgroup's quota", "none");
}

/* How the runtime learns what nobody announces. */
static void add_watch(const struct answer *a)
{
	if (!a->facts.watchers) {
		report_none("watchers", "watching threads",
			    "none: only what is announced is noticed");
		return;
	}
	report_count("watchers", "watching threads", a->facts.watchers, "%s",
		     "");
	report_text("detect", "blocks are noticed by", a->facts.detect, "%s",
		    "");
	if (a->facts.slice_ns > 0)
		report_ns("slice_ns", "time slice", a->facts.slice_ns,
			  "while other tasks wait");
	else
		report_none("slice_ns", "time slice", "no end (WEND_SLICE)");
}

static void add_stacks(const struct answer *a)
{
	report_section("stacks", "stacks of tasks");
	report_bytes("size", "size", a->facts.stack_size,
		     "address space; memory as it is touched");
	report_text("guard", "guard below each", a->facts.guard, "%s", "");
}

bool info_runtime(bool *real_time)
{
	struct answer a = { 0 };
	char said[APART_SAID];
	int r = apart(ask, NULL, &a, sizeof(a), LIMIT_MS, said);

	*real_time = false;
	add_machine();
	if (r == 0)
		r = a.error;
	if (r) {
		report_none("port", "port", "the runtime does not start: %s",
			    said[0] ? said : strerror(-r));
		return false;
	}
	*real_time = strcmp(a.port, "sim") != 0;
	report_text("port", "port", a.port, "%s",
		    *real_time ? "" : "virtual time: nothing is measured");
	report_text("park", "descriptors wait by", a.facts.park, "%s", "");
	add_watch(&a);
	add_servers(&a);
	add_stacks(&a);
	return true;
}
