/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_types.c - see call_types.h. Each function that is started notes what
 * it got and then counts the waitgroup down.
 */
#include "tests/runtime/call_types.h"

#include <limits.h>
#include <string.h>

#include <wend/wend.h>

#define CHECK(x)                                                               \
	do {                                                                   \
		if (!(x))                                                      \
			return __LINE__;                                       \
	} while (0)

static wend_waitgroup done;

static struct {
	int none;
	int c, sc, uc, s, us, b, i;
	unsigned int u;
	long l;
	unsigned long ul;
	long long ll;
	unsigned long long ull;
	double f, d;
	const void *p;
	const char *text;
	int *ip;
} got;

static void reset(int n)
{
	memset(&got, 0, sizeof(got));
	wend_waitgroup_add(&done, n);
}

static void take_none(void)
{
	__atomic_fetch_add(&got.none, 1, __ATOMIC_RELAXED);
	wend_waitgroup_done(&done);
}

int call_types_none(void)
{
	reset(2);
	CHECK(wend_go_call(take_none) == 0);
	CHECK(wend_go_call(&take_none) == 0);
	CHECK(wend_waitgroup_wait(&done) == 0);
	CHECK(got.none == 2);
	return 0;
}

static void take_small(int c, int sc, int uc, int s, int us, int b)
{
	got.c = c;
	got.sc = sc;
	got.uc = uc;
	got.s = s;
	got.us = us;
	got.b = b;
	wend_waitgroup_done(&done);
}

static void take_large(int i, unsigned int u, long l, unsigned long ul,
		       long long ll, unsigned long long ull)
{
	got.i = i;
	got.u = u;
	got.l = l;
	got.ul = ul;
	got.ll = ll;
	got.ull = ull;
	wend_waitgroup_done(&done);
}

int call_types_integers(void)
{
	char c = 'c';
	signed char sc = SCHAR_MIN;
	unsigned char uc = UCHAR_MAX;
	short s = SHRT_MIN;
	unsigned short us = USHRT_MAX;
	_Bool b = 1;

	reset(2);
	CHECK(wend_go_call(take_small, c, sc, uc, s, us, b) == 0);
	CHECK(wend_go_call(take_large, INT_MIN, UINT_MAX, LONG_MIN, ULONG_MAX,
			   LLONG_MIN, ULLONG_MAX) == 0);
	CHECK(wend_waitgroup_wait(&done) == 0);
	CHECK(got.c == 'c' && got.sc == SCHAR_MIN && got.uc == UCHAR_MAX);
	CHECK(got.s == SHRT_MIN && got.us == USHRT_MAX && got.b == 1);
	CHECK(got.i == INT_MIN && got.u == UINT_MAX);
	CHECK(got.l == LONG_MIN && got.ul == ULONG_MAX);
	CHECK(got.ll == LLONG_MIN && got.ull == ULLONG_MAX);
	return 0;
}

static void take_doubles(double f, double d)
{
	got.f = f;
	got.d = d;
	wend_waitgroup_done(&done);
}

/* A float is passed as a double. */
int call_types_floats(void)
{
	float f = 0.1f;

	reset(1);
	CHECK(wend_go_call(take_doubles, f, -1e300) == 0);
	CHECK(wend_waitgroup_wait(&done) == 0);
	CHECK(got.f == (double)0.1f && got.d == -1e300);
	return 0;
}

static void take_pointers(const void *p, const char *text, int *ip,
			  const char *array)
{
	got.p = p;
	got.text = text;
	got.ip = ip;
	got.i = array[1];
	wend_waitgroup_done(&done);
}

int call_types_pointers(void)
{
	char array[] = "xyz";
	int i = 5;

	reset(1);
	CHECK(wend_go_call(take_pointers, (void *)0, "literal", &i, array) ==
	      0);
	CHECK(wend_waitgroup_wait(&done) == 0);
	CHECK(got.p == NULL && strcmp(got.text, "literal") == 0);
	CHECK(got.ip == &i && got.i == 'y');
	return 0;
}

static void take_eight(int a, double b, long c, double d, const char *e,
		       unsigned int f, double g, long long h)
{
	got.i = a;
	got.d = b + 10 * d + 100 * g;
	got.l = c;
	got.text = e;
	got.u = f;
	got.ll = h;
	wend_waitgroup_done(&done);
}

int call_types_mixed_eight(void)
{
	reset(1);
	CHECK(wend_go_call(take_eight, -1, 2.0, 3L, 4.0, "five", 6u, 7.0f,
			   8LL) == 0);
	CHECK(wend_waitgroup_wait(&done) == 0);
	CHECK(got.i == -1 && got.d == 742.0 && got.l == 3);
	CHECK(strcmp(got.text, "five") == 0 && got.u == 6 && got.ll == 8);
	return 0;
}

struct large {
	long words[2];
};

static int give_int(int i)
{
	wend_waitgroup_done(&done);
	return i;
}

static double give_double(double d)
{
	wend_waitgroup_done(&done);
	return d;
}

static char *give_pointer(char *p)
{
	wend_waitgroup_done(&done);
	return p;
}

static struct large give_two_words(long l)
{
	struct large r = { { l, l } };

	wend_waitgroup_done(&done);
	return r;
}

int call_types_results_dropped(void)
{
	reset(4);
	CHECK(wend_go_call(give_int, 3) == 0);
	CHECK(wend_go_call(give_double, 3.5) == 0);
	CHECK(wend_go_call(give_pointer, "p") == 0);
	CHECK(wend_go_call(give_two_words, 3L) == 0);
	CHECK(wend_waitgroup_wait(&done) == 0);
	return 0;
}

static void fail_with(int result)
{
	if (strcmp(wend_task_name(), "called") == 0)
		wend_task_fail(result);
}

int call_types_attributes(void)
{
	wend_task *t;
	wend_attr attr = { .name = "called", .handle = &t };
	int r = 0;

	CHECK(wend_go_call_with(&attr, fail_with, -12) == 0);
	CHECK(wend_join(t, &r) == 0);
	CHECK(r == -12);
	attr.stack_size = 1;
	CHECK(wend_go_call_with(&attr, fail_with, -12) == -EINVAL);
	return 0;
}
