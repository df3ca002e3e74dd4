/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loadgen.c - the load of bench `echo`, and one of `kv`, the same for every
 * server.
 *
 *	loadgen --port N --conns C --seconds S --warm S --pid PID
 *		[--talk echo|set] [--rate R]
 *
 * One thread, one epoll set, edge-triggered: the less there is to do here, the
 * less it limits the rate.  Each connection is closed-loop: it has one
 * message under way, checks what comes back byte by byte, and sends the next
 * at once.  What is said is `echo`, 64 bytes that come back, or `set`, the
 * command SET of one of 100,000 keys to a server that speaks RESP.  With --rate
 * the connections are mostly idle: R messages a second in all, by one
 * connection after the other; a connection whose answer has not come by its
 * next turn is an error.
 *
 * Prints, for the window after the warm-up:
 *
 *	req   requests per second
 *	p50   median time from write to the last byte of the answer, us
 *	p99   the same, 99th percentile
 *	cpu   CPU time of process PID per request, us
 *	load  CPU time of this program, % of the window: near 100 it is not the
 *	      server that limits the rate
 *
 * and with --rate, when each connection has had an answer, for one connection:
 *
 *	rss     what PID's resident memory has grown by, bytes
 *	kernel  what the kernel's own has, of the whole machine, since this
 *	        program's sockets were made: the server's end, what is kept for
 *	        each waiting task or thread, and this end's place in tables
 *	memory  the two together
 *
 * Invariant: a connection's `got` is the bytes of its current answer that
 * have arrived; it is less than the whole between two events. Without --rate it
 * is so at all times; with it, `busy` says whether an answer is to come.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE 64 /* the longest, of either side */
#define EVENTS  256
#define KEYS    100000u
/* Connections that send their first message together, with --rate. */
#define GREETERS    100
#define PATIENCE_NS 10000000000ull

/*
 * Latencies go to buckets of 1/64 of a power of two: at most 1.6 % wide, and
 * the memory touched is a few pages.
 */
#define SUB_BITS 6
#define SUB      (1 << SUB_BITS)
#define BUCKETS  ((64 - SUB_BITS + 1) * SUB)

struct conn {
	int fd;
	int got;
	bool busy;
	uint64_t count;
	uint64_t sent_ns;
	char want[MESSAGE];
	char have[MESSAGE];
};

/* What the two sides say to each other. */
struct talk {
	const char *name;
	int request, answer; /* bytes */
	void (*next)(const struct conn *c, char *request, char *answer);
};

struct options {
	int port;
	int conns;
	double seconds;
	double warm;
	int rate;
	int pid;
};

struct memory {
	double resident; /* of the server */
	double kernel;
};

static const struct talk *talk;
static uint64_t histogram[BUCKETS];
static uint64_t measured_count;

static void die(const char *what)
{
	fprintf(stderr, "loadgen: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t))
		die("clock");
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static unsigned bucket_of(uint64_t v)
{
	unsigned top;

	if (v < SUB)
		return (unsigned)v;
	top = 63u - (unsigned)__builtin_clzll(v);
	return (top - SUB_BITS + 1) * SUB +
	       (unsigned)((v >> (top - SUB_BITS)) & (SUB - 1));
}

static double bucket_middle(unsigned b)
{
	unsigned shift;

	if (b < SUB)
		return b;
	shift = b / SUB - 1;
	return ((double)(SUB + b % SUB) + 0.5) * (double)(1ull << shift);
}

static double percentile_us(double part)
{
	uint64_t rank = (uint64_t)(part * (double)measured_count), seen = 0;

	for (unsigned b = 0; b < BUCKETS; b++) {
		seen += histogram[b];
		if (seen > rank)
			return bucket_middle(b) / 1e3;
	}
	return 0;
}

/* --- what is said ---------------------------------------------------------------- */

static void next_echo(const struct conn *c, char *request, char *answer)
{
	uint64_t stamp = c->count * 0x9e3779b97f4a7c15ull + (uint64_t)c->fd;

	for (size_t i = 0; i < MESSAGE; i += sizeof(stamp), stamp++)
		memcpy(request + i, &stamp, sizeof(stamp));
	memcpy(answer, request, MESSAGE);
}

#define SET "*3\r\n$3\r\nSET\r\n$10\r\nkey:000000\r\n$3\r\nxyz\r\n"
/* The last digit of the key in there. */
#define SET_DIGIT (sizeof("*3\r\n$3\r\nSET\r\n$10\r\nkey:000000") - 2)
#define SET_OK    "+OK\r\n"

/* Each key in its turn, and neighbours far apart. */
static void next_set(const struct conn *c, char *request, char *answer)
{
	static unsigned turn;
	unsigned key = turn++ * 7919u % KEYS;

	(void)c;
	memcpy(request, SET, sizeof(SET) - 1);
	for (char *digit = request + SET_DIGIT; key; key /= 10)
		*digit-- = (char)('0' + key % 10);
	memcpy(answer, SET_OK, sizeof(SET_OK) - 1);
}

static const struct talk talks[] = {
	{ "echo", MESSAGE, MESSAGE, next_echo },
	{ "set", sizeof(SET) - 1, sizeof(SET_OK) - 1, next_set },
};

static const struct talk *talk_named(const char *name)
{
	for (size_t i = 0; i < sizeof(talks) / sizeof(*talks); i++)
		if (!strcmp(name, talks[i].name))
			return &talks[i];
	return NULL;
}

/* --- connections ----------------------------------------------------------------- */

static void send_next(struct conn *c)
{
	char request[MESSAGE];

	c->count++;
	talk->next(c, request, c->want);
	c->got = 0;
	c->busy = true;
	c->sent_ns = now_ns(CLOCK_MONOTONIC);
	/* Into an empty socket buffer: whole, or the peer is gone. */
	if (send(c->fd, request, (size_t)talk->request, MSG_NOSIGNAL) !=
	    talk->request)
		die("send");
}

static void make_socket(struct conn *c)
{
	struct timeval patience = { .tv_sec = 10 };
	int one = 1;

	memset(c, 0, sizeof(*c));
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		die("socket");
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void open_conn(struct conn *c, const struct options *o, int epfd)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)o->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET, .data.ptr = c };

	if (connect(c->fd, (struct sockaddr *)&addr, sizeof(addr)))
		die("connect");
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) ||
	    epoll_ctl(epfd, EPOLL_CTL_ADD, c->fd, &ev))
		die("epoll_ctl");
}

/* false: it is not whole yet; the rest, which comes later, is an event again. */
static bool on_answer(struct conn *c, bool measuring)
{
	ssize_t n = recv(c->fd, c->have + c->got,
			 (size_t)(talk->answer - c->got), 0);

	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		errno = n ? errno : ECONNRESET;
		die("recv");
	}
	c->got += (int)n;
	if (c->got < talk->answer)
		return false;
	if (memcmp(c->want, c->have, (size_t)talk->answer)) {
		fprintf(stderr, "loadgen: not the answer that was due\n");
		exit(1);
	}
	if (measuring) {
		histogram[bucket_of(now_ns(CLOCK_MONOTONIC) - c->sent_ns)]++;
		measured_count++;
	}
	c->busy = false;
	return true;
}

static void drive(int epfd, double seconds, bool measuring)
{
	struct epoll_event ev[EVENTS];
	uint64_t end = now_ns(CLOCK_MONOTONIC) + (uint64_t)(seconds * 1e9);

	while (now_ns(CLOCK_MONOTONIC) < end) {
		int n = epoll_wait(epfd, ev, EVENTS, 100);

		if (n < 0 && errno != EINTR)
			die("epoll_wait");
		for (int i = 0; i < n; i++)
			if (on_answer(ev[i].data.ptr, measuring))
				send_next(ev[i].data.ptr);
	}
}

/* --- mostly idle connections ----------------------------------------------------- */

/* Until then, or until there is something; how many answers came. */
static int take_answers(int epfd, uint64_t until, bool measuring)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC);
	uint64_t left = until > now ? until - now : 0;
	struct timespec t = { (time_t)(left / 1000000000u),
			      (long)(left % 1000000000u) };
	struct epoll_event ev[EVENTS];
	int n = epoll_pwait2(epfd, ev, EVENTS, &t, NULL), whole = 0;

	if (n < 0 && errno != EINTR)
		die("epoll_pwait2");
	for (int i = 0; i < n; i++)
		whole += on_answer(ev[i].data.ptr, measuring);
	return whole;
}

/* Each connection has its first answer. */
static void greet(struct conn *conns, int count, int epfd)
{
	uint64_t limit = now_ns(CLOCK_MONOTONIC) + PATIENCE_NS;
	int sent = 0, answered = 0;

	while (answered < count) {
		while (sent < count && sent - answered < GREETERS)
			send_next(&conns[sent++]);
		answered += take_answers(epfd, limit, false);
		if (now_ns(CLOCK_MONOTONIC) >= limit) {
			errno = ETIMEDOUT;
			die("first answers");
		}
	}
}

static void pace(struct conn *conns, const struct options *o, int epfd,
		 double seconds, bool measuring)
{
	static int turn;
	uint64_t due = now_ns(CLOCK_MONOTONIC);
	uint64_t end = due + (uint64_t)(seconds * 1e9);
	uint64_t gap = 1000000000u / (uint64_t)o->rate;

	while (due < end) {
		take_answers(epfd, due, measuring);
		for (; due <= now_ns(CLOCK_MONOTONIC); due += gap) {
			struct conn *c = &conns[turn++ % o->conns];

			if (c->busy) {
				errno = ETIMEDOUT;
				die("an answer");
			}
			send_next(c);
		}
	}
}

static double kernel_memory(void)
{
	static const char *const names[] = { "Slab:", "KernelStack:",
					     "PageTables:", "SecPageTables:" };
	FILE *f = fopen("/proc/meminfo", "re");
	double sum = 0, kb;
	char name[64];

	if (!f)
		die("/proc/meminfo");
	while (fscanf(f, "%63s %lf%*[^\n]", name, &kb) == 2)
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (!strcmp(name, names[i]))
				sum += kb * 1024;
	fclose(f);
	return sum;
}

static struct memory look_at_memory(int pid)
{
	struct memory m = { .kernel = kernel_memory() };
	char path[64];
	double pages;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%*s %lf", &pages) != 1)
		die(path);
	fclose(f);
	m.resident = pages * (double)sysconf(_SC_PAGESIZE);
	return m;
}

static void print_memory(const struct memory *before,
			 const struct memory *after, int conns)
{
	double rss = (after->resident - before->resident) / conns;
	double kernel = (after->kernel - before->kernel) / conns;

	printf("rss %.6g B\n", rss);
	printf("kernel %.6g B\n", kernel);
	printf("memory %.6g B\n", rss + kernel);
}

/* --- the program ----------------------------------------------------------------- */

static void parse(struct options *o, int argc, char **argv)
{
	talk = talk_named("echo");
	for (int i = 1; i + 1 < argc; i += 2) {
		const char *v = argv[i + 1];

		if (!strcmp(argv[i], "--port"))
			o->port = atoi(v);
		else if (!strcmp(argv[i], "--conns"))
			o->conns = atoi(v);
		else if (!strcmp(argv[i], "--seconds"))
			o->seconds = atof(v);
		else if (!strcmp(argv[i], "--warm"))
			o->warm = atof(v);
		else if (!strcmp(argv[i], "--pid"))
			o->pid = atoi(v);
		else if (!strcmp(argv[i], "--rate"))
			o->rate = atoi(v);
		else if (!strcmp(argv[i], "--talk"))
			talk = talk_named(v);
	}
	if (!talk || o->port < 1 || o->conns < 1 || o->seconds <= 0 ||
	    o->pid < 1 || o->rate < 0) {
		fprintf(stderr, "usage: loadgen --port N --conns C "
				"--seconds S --warm S --pid PID "
				"[--talk echo|set] [--rate R]\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	struct memory before, after;
	uint64_t start, cpu, own;
	struct conn *conns;
	clockid_t clock;
	double elapsed;
	int epfd;

	parse(&o, argc, argv);
	epfd = epoll_create1(EPOLL_CLOEXEC);
	conns = calloc((size_t)o.conns, sizeof(*conns));
	if (epfd < 0 || !conns || clock_getcpuclockid(o.pid, &clock))
		die("set-up");
	for (int i = 0; i < o.conns; i++)
		make_socket(&conns[i]);
	before = look_at_memory(o.pid);
	for (int i = 0; i < o.conns; i++)
		open_conn(&conns[i], &o, epfd);
	if (o.rate) {
		greet(conns, o.conns, epfd);
		pace(conns, &o, epfd, o.warm, false);
	} else {
		for (int i = 0; i < o.conns; i++)
			send_next(&conns[i]);
		drive(epfd, o.warm, false);
	}

	cpu = now_ns(clock);
	own = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	start = now_ns(CLOCK_MONOTONIC);
	if (o.rate)
		pace(conns, &o, epfd, o.seconds, true);
	else
		drive(epfd, o.seconds, true);
	elapsed = (double)(now_ns(CLOCK_MONOTONIC) - start);
	cpu = now_ns(clock) - cpu;
	own = now_ns(CLOCK_PROCESS_CPUTIME_ID) - own;
	if (!measured_count) {
		fprintf(stderr, "loadgen: no answer in the whole window\n");
		return 1;
	}
	printf("req %.6g req/s\n", (double)measured_count / elapsed * 1e9);
	printf("p50 %.6g us\n", percentile_us(0.50));
	printf("p99 %.6g us\n", percentile_us(0.99));
	printf("cpu %.6g us\n", (double)cpu / 1e3 / (double)measured_count);
	printf("load %.6g %%\n", 100 * (double)own / elapsed);
	if (o.rate) {
		after = look_at_memory(o.pid);
		print_memory(&before, &after, o.conns);
	}
	return 0;
}
