/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pgpool_ask.c - the pool, and what a task does with it.
 *
 * libpq knows nothing of tasks: PQexecParams() sends, and waits in poll() and
 * recv(), and the task is parked there. A connection is for one task at a time:
 * the pool is a channel with as many elements as there may be connections, NULL
 * for one that is not open yet. Who asks first gets one first. (wend_sync_pool
 * is no such pool: it is a cache, which may make one more than it keeps.)
 */
#include "examples/args.h"
#include "examples/pgpool.h"

void complain(struct run *r, const char *what)
{
	if (wend_ctx_err(r->ctx) == 0 &&
	    __atomic_fetch_add(&r->complaints, 1, __ATOMIC_RELAXED) == 0)
		fprintf(stderr, "pgpool: %s\n", what);
}

/* --- the pool ------------------------------------------------------------ */

static PGconn *open_connection(struct run *r)
{
	PGconn *c = PQconnectdb(r->dsn);

	if (PQstatus(c) == CONNECTION_OK) {
		__atomic_fetch_add(&r->opened, 1, __ATOMIC_RELAXED);
		return c;
	}
	complain(r, c != NULL ? PQerrorMessage(c) : "out of memory");
	PQfinish(c);
	return NULL;
}

void pool_open(struct run *r)
{
	r->pool = must(chan_make(PGconn *, (size_t)r->conns));
	for (long i = 0; i < r->conns; i++)
		chan_send(r->pool, NULL);
}

void pool_close(struct run *r)
{
	PGconn *c;

	chan_close(r->pool);
	while (chan_recv(r->pool, &c) == 0)
		PQfinish(c);
	chan_free(r->pool);
}

/* There is room for it: this does not wait. */
static void give_back(struct run *r, PGconn *c)
{
	chan_send(r->pool, c);
}

/* NULL: cancelled, or there is no connecting. */
static PGconn *take(struct run *r)
{
	PGconn *c;

	if (chan_recv(r->pool, &c) != 0)
		return NULL;
	if (c == NULL)
		c = open_connection(r);
	if (c == NULL)
		give_back(r, NULL);
	return c;
}

/* --- the tasks ----------------------------------------------------------- */

static bool ask(struct run *r, PGconn *c, long number)
{
	char text[24], twice[24];
	const char *const values[] = { text };
	PGresult *res;
	bool good;

	snprintf(text, sizeof(text), "%ld", number);
	snprintf(twice, sizeof(twice), "%ld", 2 * number);
	res = PQexecParams(c, "select $1::bigint * 2", 1, NULL, values, NULL,
			   NULL, 0);
	good = PQresultStatus(res) == PGRES_TUPLES_OK;
	if (!good) {
		complain(r, PQerrorMessage(c));
	} else if (strcmp(PQgetvalue(res, 0, 0), twice) != 0) {
		complain(r, "another one's answer");
		good = false;
	}
	PQclear(res);
	return good;
}

int ask_often(wend_ctx *ctx, void *arg)
{
	struct run *r = arg;

	for (long i = 0; i < r->queries && wend_ctx_err(ctx) == 0; i++) {
		int64_t begin = wend_now(), got;
		PGconn *c = take(r);
		bool good;

		if (c == NULL)
			return -EIO;
		got = wend_now();
		good = ask(r, c, (long)wend_task_id() * 1000 + i);
		if (good) {
			latency_add(&r->wait, got - begin);
			latency_add(&r->query, wend_now() - got);
			__atomic_fetch_add(&r->answers, 1, __ATOMIC_RELAXED);
		}
		if (!good) {
			/* It may still be in the middle of it. */
			PQfinish(c);
			c = NULL;
		}
		give_back(r, c);
		if (!good)
			return -EIO;
	}
	return 0;
}
