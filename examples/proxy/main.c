/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - proxy: connections passed on, as they are or as HTTP.
 *
 * The options; proxy.h says what is where.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wend/std/str.h>
#include <wend/std/time.h>
#include "examples/proxy/proxy.h"

static const char usage[] =
	"usage: proxy [OPTION]... --to ADDRESS | --http\n"
	"Passes connections on until SIGINT or SIGTERM; a line on stderr for each\n"
	"connection or request.\n"
	"  --to ADDRESS      every connection goes there, \"host:port\"\n"
	"  --http            a proxy for HTTP: tunnels (CONNECT), and requests for\n"
	"                    \"http://...\"\n"
	"  --listen ADDRESS  where (127.0.0.1:3128; port 0: a free one, printed)\n"
	"  --allow PORT,...  ports to which there may be tunnels (443)\n"
	"  --connect TIME    for reaching the other side (10s)\n"
	"  --idle TIME       hang up after such a silence (5m)\n"
	"  --grace TIME      for what is under way at the end (5s)\n"
	"  --conns N         at once; more wait (1000)\n";

static struct proxy_options o = {
	.listen = "127.0.0.1:3128",
	.allow = { 443 },
	.allow_count = 1,
	.connect = 10 * WEND_SECOND,
	.idle = 300 * WEND_SECOND,
	.grace = 5 * WEND_SECOND,
	.conns = 1000,
};

static void complain(const char *what)
{
	fprintf(stderr, "proxy: bad value: %s\n%s", what, usage);
	exit(2);
}

/* A number from 1 to max; anything else ends the program. */
static uint64_t number(wend_str text, uint64_t max)
{
	uint64_t n;

	if (wend_str_to_u64(text, 10, &n) != 0 || n < 1 || n > max) {
		fprintf(stderr, "proxy: bad number: %.*s\n%s",
			WEND_STR_ARG(text), usage);
		exit(2);
	}
	return n;
}

static int64_t duration(const char *text)
{
	int64_t ns;

	if (wend_time_parse_duration(wend_str_from(text), &ns) != 0 || ns <= 0)
		complain(text);
	return ns;
}

/* What can be dialled; whether there is such a host is seen then. */
static const char *address(const char *text)
{
	char host[256], port[32];

	if (strchr("/@", text[0]) == NULL && strncmp(text, "unix:", 5) != 0 &&
	    (wend_net_split(text, host, sizeof(host), port, sizeof(port)) ||
	     host[0] == '\0' || port[0] == '\0'))
		complain(text);
	return text;
}

static void allow(const char *list)
{
	wend_str rest = wend_str_from(list), port;

	o.allow_count = 0;
	while (wend_str_next(&rest, ',', &port)) {
		if (o.allow_count == PROXY_PORTS)
			complain(list);
		o.allow[o.allow_count++] = (uint16_t)number(port, 65535);
	}
}

static void set_option(int opt, const char *value)
{
	switch (opt) {
	case 't':
		o.to = address(value);
		break;
	case 'l':
		o.listen = value;
		break;
	case 'a':
		allow(value);
		break;
	case 'c':
		o.connect = duration(value);
		break;
	case 'i':
		o.idle = duration(value);
		break;
	case 'g':
		o.grace = duration(value);
		break;
	case 'n':
		o.conns = (uint32_t)number(wend_str_from(value), 1000000);
		break;
	}
}

static int app(int argc, char **argv)
{
	static const struct option options[] = {
		{ "to", required_argument, NULL, 't' },
		{ "http", no_argument, NULL, 'p' },
		{ "listen", required_argument, NULL, 'l' },
		{ "allow", required_argument, NULL, 'a' },
		{ "connect", required_argument, NULL, 'c' },
		{ "idle", required_argument, NULL, 'i' },
		{ "grace", required_argument, NULL, 'g' },
		{ "conns", required_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool http = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'h' || opt == '?') {
			fputs(usage, opt == 'h' ? stdout : stderr);
			return opt == 'h' ? 0 : 2;
		}
		http |= opt == 'p';
		set_option(opt, optarg);
	}
	/* One or the other. */
	if (optind < argc || http == (o.to != NULL)) {
		fputs(usage, stderr);
		return 2;
	}
	return proxy_serve(&o);
}

int main(int argc, char **argv)
{
	return wend_main(app, argc, argv);
}
