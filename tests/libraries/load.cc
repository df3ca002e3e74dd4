/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.cc - CPU time, of the machine and of a family of processes.
 */
#include "tests/libraries/load.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>

namespace libraries
{

namespace
{

double Seconds(uint64_t ticks)
{
	return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

/* Of all CPUs together: all but idle and waiting for I/O. */
double MachineBusy()
{
	unsigned long long user = 0, nice = 0, system = 0, idle, wait, irq = 0,
			   softirq = 0;
	FILE *f = fopen("/proc/stat", "re");
	int n;

	if (!f)
		return 0;
	n = fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu", &user, &nice,
		   &system, &idle, &wait, &irq, &softirq);
	fclose(f);
	return n == 7 ? Seconds(user + nice + system + irq + softirq) : 0;
}

struct Process {
	pid_t parent = 0;
	double used = 0; /* by it, and by children that it waited for */
};

bool ReadProcess(const std::string &pid, Process *p)
{
	unsigned long long user, system;
	long long child_user, child_system;
	char text[1024] = "";
	FILE *f = fopen(("/proc/" + pid + "/stat").c_str(), "re");

	if (!f)
		return false;
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	/* A name may have anything in it, so count from its end. */
	std::string line(text, n);
	size_t end = line.rfind(')');

	if (end == std::string::npos ||
	    sscanf(line.c_str() + end + 1,
		   " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
		   "%llu %llu %lld %lld",
		   &p->parent, &user, &system, &child_user, &child_system) != 5)
		return false;
	p->used = Seconds(user + system + (uint64_t)child_user +
			  (uint64_t)child_system);
	return true;
}

std::map<pid_t, Process> ReadProcesses()
{
	std::map<pid_t, Process> all;
	DIR *d = opendir("/proc");
	Process p;

	if (!d)
		return all;
	while (struct dirent *e = readdir(d))
		if (isdigit((unsigned char)e->d_name[0]) &&
		    ReadProcess(e->d_name, &p))
			all[atoi(e->d_name)] = p;
	closedir(d);
	return all;
}

/* Of this process and its descendants. */
double FamilyBusy()
{
	std::map<pid_t, Process> all = ReadProcesses();
	double sum = 0;

	for (const auto &p : all) {
		pid_t at = p.first;

		/* Bounded: a chain of parents that changed meanwhile may be
		 * none. */
		for (int i = 0; i < 64 && at > 0 && at != getpid(); i++) {
			auto found = all.find(at);

			at = found == all.end() ? 0 : found->second.parent;
		}
		if (at == getpid())
			sum += p.second.used;
	}
	return sum;
}

} // namespace

Load::Load() : begin_(Look())
{
}

Load::Times Load::Look()
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return { (int64_t)t.tv_sec * 1000000000 + t.tv_nsec, MachineBusy(),
		 FamilyBusy() };
}

double Load::OthersCpus() const
{
	Times end = Look();
	double busy = end.busy - begin_.busy, ours = end.ours - begin_.ours;
	double passed = (double)(end.now_ns - begin_.now_ns) / 1e9;

	return passed > 0 ? std::max(0.0, (busy - ours) / passed) : 0;
}

} // namespace libraries
