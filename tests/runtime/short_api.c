/* SPDX-License-Identifier: Apache-2.0 */
/*
 * short_api.c - see short_api.h. Compiled as C11 with warnings as errors, so
 * that the macros are seen to be clean in users' code.
 */
#include "tests/runtime/short_api.h"

#include <string.h>

#include <wend/short.h>

#define CHECK(x)                                                               \
	do {                                                                   \
		if (!(x))                                                      \
			return __LINE__;                                       \
	} while (0)

TASK(generate, (chan(int), out), (int, n))
{
	for (int i = 1; i <= n; i++)
		chan_send(out, i);
	chan_close(out);
}

TASK(square, (chan(int), in), (chan(long), out))
{
	int v;

	while (chan_recv(in, &v) == 0)
		chan_send(out, (long)v * v);
	chan_close(out);
}

int short_api_pipeline(void)
{
	chan(int) numbers = chan_make(int, 0);
	chan(long) squares = chan_make(long, 3);
	long sum = 0, v;

	CHECK(numbers && squares);
	CHECK(chan_cap(numbers) == 0 && chan_cap(squares) == 3);
	CHECK(go(generate, numbers, 10) == 0);
	CHECK(go(square, numbers, squares) == 0);
	while (chan_recv(squares, &v) == 0)
		sum += v;
	CHECK(sum == 385);
	chan_free(numbers);
	chan_free(squares);
	return 0;
}

struct point {
	int x, y;
};

/* Values of struct, pointer, array and floating type; a send converts. */
int short_api_types(void)
{
	chan(struct point) points = chan_make(struct point, 1);
	chan(const char *) words = chan_make(const char *, 1);
	chan(double) doubles = chan_make(double, 1);
	chan(unsigned char) bytes = chan_make(unsigned char, 2);
	struct point p = { 1, 2 }, q = { 0, 0 };
	const char *w = NULL;
	double d = 0;
	unsigned char b = 0;
	int wide = 257;

	CHECK(chan_send(points, p) == 0 && chan_len(points) == 1);
	CHECK(chan_recv(points, &q) == 0 && q.x == 1 && q.y == 2);
	CHECK(chan_send(words, "word") == 0 && chan_recv(words, &w) == 0);
	CHECK(strcmp(w, "word") == 0);
	CHECK(chan_send(doubles, 3) == 0 && chan_recv(doubles, &d) == 0);
	CHECK(d == 3.0);
	CHECK(chan_send(bytes, wide) == 0 && chan_recv(bytes, &b) == 0);
	CHECK(b == 1);
	chan_free(points);
	chan_free(words);
	chan_free(doubles);
	chan_free(bytes);
	return 0;
}

int short_api_select(void)
{
	chan(int) in = chan_make(int, 1);
	chan(double) out = chan_make(double, 1);
	int v = 0, taken[2] = { 0, 0 };
	double d = 0;

	CHECK(select_(0, on_recv(in, &v)) == -ETIMEDOUT);
	CHECK(chan_send(in, 5) == 0);
	for (int i = 0; i < 2; i++) {
		switch (select_(wend_after_ms(60000), on_recv(in, &v),
				on_send(out, v + 0.5))) {
		case 0:
			taken[0]++;
			break;
		case 1:
			taken[1]++;
			break;
		default:
			return __LINE__;
		}
	}
	CHECK(taken[0] == 1 && taken[1] == 1 && v == 5);
	CHECK(chan_recv(out, &d) == 0);
	CHECK(d == 5.5 || d == 0.5);
	chan_free(in);
	chan_free(out);
	return 0;
}

int short_api_status(void)
{
	chan(int) c = chan_make(int, 1);
	int v = 7, st = 1;

	CHECK(select_(0, on_send_status(c, 4, &st)) == 0 && st == 0);
	chan_close(c);
	st = 1;
	CHECK(select_(0, on_recv_status(c, &v, &st)) == 0);
	CHECK(st == 0 && v == 4);
	CHECK(select_(0, on_recv_status(c, &v, &st)) == 0);
	CHECK(st == -EPIPE && v == 0);
	st = 1;
	CHECK(select_(0, on_send_status(c, 4, &st)) == 0 && st == -EPIPE);
	chan_free(c);
	return 0;
}

int short_api_deadlines(void)
{
	chan(int) c = chan_make(int, 1);
	chan(int) nil = NULL;
	int v;

	CHECK(chan_send_until(c, 1, 0) == 0);
	CHECK(chan_send_until(c, 2, wend_after(WEND_MILLISECOND)) ==
	      -ETIMEDOUT);
	CHECK(chan_recv_until(c, &v, 0) == 0 && v == 1);
	CHECK(chan_recv_until(c, &v, 0) == -ETIMEDOUT);
	CHECK(chan_recv_until(nil, &v, 0) == -ETIMEDOUT);
	CHECK(chan_send_until(nil, 3, 0) == -ETIMEDOUT);
	CHECK(chan_len(nil) == 0 && chan_cap(nil) == 0);
	chan_free(c);
	chan_free(nil);
	return 0;
}

TASK(add_to, (wend_mutex *, m), (int *, sum), (int, n))
{
	yield();
	wend_mutex_lock(m);
	*sum += n;
	wend_mutex_unlock(m);
}

TASK(fail, (int, result))
{
	wend_task_fail(result);
}

int short_api_nursery(void)
{
	wend_mutex m = WEND_MUTEX_INIT;
	int sum = 0;

	nursery(all) {
		for (int i = 1; i <= 10; i++)
			nursery_go(&all, add_to, &m, &sum, i);
		if (!all.done_)
			continue;
		sum = 1000;
	}
	CHECK(sum == 55);
	nursery(one) {
		nursery_go(&one, fail, -EIO);
		CHECK(one.result == 0 || one.result == -EIO);
	}
	return 0;
}

static void append(void *arg)
{
	char **at = arg;

	*(*at)++ = 'd';
	**at = 0;
}

static void append_e(void *arg)
{
	char **at = arg;

	*(*at)++ = 'e';
	**at = 0;
}

static void fill(char **at, int leave_early)
{
	defer(append, at);
	defer(append_e, at);
	for (int i = 0; i < 2; i++) {
		defer(append, at);
		if (i == 1)
			break;
	}
	if (leave_early)
		return;
	*(*at)++ = 'x';
}

/* In reverse order, at the end of the block that holds it, whatever ends it. */
int short_api_defer(void)
{
	char text[16] = "";
	char *at = text;

	fill(&at, 1);
	CHECK(strcmp(text, "dded") == 0);
	at = text;
	fill(&at, 0);
	CHECK(strcmp(text, "ddxed") == 0);
	return 0;
}

int short_api_attributes(void)
{
	wend_task *t;
	int r = 0;

	CHECK(go_with(&((wend_attr){ .name = "f", .handle = &t }), fail, 9) ==
	      0);
	CHECK(wend_join(t, &r) == 0 && r == 9);
	return 0;
}
