/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_test.cc - kept calls: each type arrives as it was, in registers and
 * on the stack, from a copy as well, also on another context's stack; what
 * is no call is refused.
 */
#include "compiler-rt/call.h"

#include "tests/compiler-rt/coro.h"

#include <gtest/gtest.h>

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <string>

namespace {

std::string got;

void note(const char *fmt, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	got += line;
}

typedef void (*fn)(void);

template <typename T> T arrived;
template <typename T> void take(T v)
{
	arrived<T> = v;
}

template <typename T> T through(enum wend__type type, T v)
{
	const void *values[] = { &v };
	struct wend__call call;

	arrived<T> = T();
	EXPECT_EQ(wend__call_prep(&call, (fn)take<T>, 1, &type, values), 0);
	memset((void *)&v, 0x5a, sizeof(v)); /* it was copied */
	wend__call_run(&call);
	return arrived<T>;
}

TEST(Call, EachTypeArrives)
{
	int here;

	EXPECT_EQ(through<bool>(WEND__BOOL, true), true);
	EXPECT_EQ(through<bool>(WEND__BOOL, false), false);
	EXPECT_EQ(through<int8_t>(WEND__I8, INT8_MIN), INT8_MIN);
	EXPECT_EQ(through<int16_t>(WEND__I16, INT16_MIN), INT16_MIN);
	EXPECT_EQ(through<int32_t>(WEND__I32, INT32_MIN), INT32_MIN);
	EXPECT_EQ(through<int64_t>(WEND__I64, INT64_MIN), INT64_MIN);
	EXPECT_EQ(through<uint8_t>(WEND__U8, UINT8_MAX), UINT8_MAX);
	EXPECT_EQ(through<uint16_t>(WEND__U16, UINT16_MAX), UINT16_MAX);
	EXPECT_EQ(through<uint32_t>(WEND__U32, UINT32_MAX), UINT32_MAX);
	EXPECT_EQ(through<uint64_t>(WEND__U64, UINT64_MAX), UINT64_MAX);
	EXPECT_EQ(through<float>(WEND__F32, 1.25f), 1.25f);
	EXPECT_EQ(through<double>(WEND__F64, -1e300), -1e300);
	EXPECT_EQ(through<void *>(WEND__PTR, &here), &here);
	EXPECT_EQ(through<void *>(WEND__PTR, nullptr), nullptr);
}

/* A narrow argument fills its register by its sign: C's promotion. */
TEST(Call, NarrowIntegersAreWidened)
{
	enum wend__type types[] = { WEND__I8, WEND__U8, WEND__I16, WEND__U16 };
	int8_t a = -2;
	uint8_t b = 200;
	int16_t c = -300;
	uint16_t d = 60000;
	const void *values[] = { &a, &b, &c, &d };
	struct wend__call call;

	void (*f)(int, int, int, int) = [](int w, int x, int y, int z) {
		note("%d %d %d %d", w, x, y, z);
	};
	got.clear();
	ASSERT_EQ(wend__call_prep(&call, (fn)f, 4, types, values), 0);
	wend__call_run(&call);
	EXPECT_EQ(got, "-2 200 -300 60000");
}

void eight_mixed(bool a, float b, int8_t c, double d, const char *e,
		 uint16_t f, int64_t g, double h)
{
	note("%d %.2f %d %.2f %s %u %lld %.2f", a, (double)b, c, d, e, f,
	     (long long)g, h);
}

struct wend__call mixed_call(void)
{
	static const enum wend__type types[] = { WEND__BOOL, WEND__F32,
						 WEND__I8,   WEND__F64,
						 WEND__PTR,  WEND__U16,
						 WEND__I64,  WEND__F64 };
	bool a = true;
	float b = 2.5f;
	int8_t c = -7;
	double d = 3.25, h = -0.5;
	const char *e = "text";
	uint16_t f = 65535;
	int64_t g = LLONG_MIN;
	const void *values[] = { &a, &b, &c, &d, &e, &f, &g, &h };
	struct wend__call call;

	EXPECT_EQ(wend__call_prep(&call, (fn)eight_mixed, 8, types, values), 0);
	return call;
}

const char mixed_text[] =
	"1 2.50 -7 3.25 text 65535 -9223372036854775808 -0.50";

/* Copied, the original destroyed, run twice. */
TEST(Call, IsPlainData)
{
	struct wend__call a = mixed_call(), b;

	memcpy(&b, &a, sizeof(b));
	memset(&a, 0xff, sizeof(a));
	got.clear();
	wend__call_run(&b);
	EXPECT_EQ(got, mixed_text);
	got.clear();
	wend__call_run(&b);
	EXPECT_EQ(got, mixed_text);
}

/* More than registers hold: the rest lies on the stack. */
TEST(Call, EightIntegersAndEightDoubles)
{
	enum wend__type types[8];
	int64_t ints[8];
	double doubles[8];
	const void *values[8];
	struct wend__call call;

	for (int i = 0; i < 8; i++) {
		types[i] = WEND__I64;
		ints[i] = 1LL << (7 * i);
		values[i] = &ints[i];
	}
	void (*f)(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t,
		  int64_t) = [](int64_t a, int64_t b, int64_t c, int64_t d,
				int64_t e, int64_t g, int64_t h, int64_t i) {
		note("%d", a == 1 && b == 1 << 7 && c == 1 << 14 &&
				   d == 1 << 21 && e == 1 << 28 &&
				   g == 1LL << 35 && h == 1LL << 42 &&
				   i == 1LL << 49);
	};
	got.clear();
	ASSERT_EQ(wend__call_prep(&call, (fn)f, 8, types, values), 0);
	wend__call_run(&call);
	EXPECT_EQ(got, "1");

	for (int i = 0; i < 8; i++) {
		types[i] = WEND__F64;
		doubles[i] = i + 0.5;
		values[i] = &doubles[i];
	}
	void (*g)(double, double, double, double, double, double, double,
		  double) = [](double a, double b, double c, double d, double e,
			       double h, double i, double j) {
		note("%.1f %.1f %.1f %.1f %.1f %.1f %.1f %.1f", a, b, c, d, e,
		     h, i, j);
	};
	got.clear();
	ASSERT_EQ(wend__call_prep(&call, (fn)g, 8, types, values), 0);
	wend__call_run(&call);
	EXPECT_EQ(got, "0.5 1.5 2.5 3.5 4.5 5.5 6.5 7.5");
}

TEST(Call, VariadicFunction)
{
	char out[64] = "";
	char *to = out;
	size_t size = sizeof(out);
	const char *fmt = "%s %d %.2f %c", *text = "abc";
	int32_t number = -5;
	double real = 2.75;
	int8_t letter = 'z';
	enum wend__type types[] = { WEND__PTR, WEND__U64, WEND__PTR, WEND__PTR,
				    WEND__I32, WEND__F64, WEND__I8 };
	const void *values[] = { &to,	  &size, &fmt,	 &text,
				 &number, &real, &letter };
	struct wend__call call;

	ASSERT_EQ(wend__call_prep(&call, (fn)snprintf, 7, types, values), 0);
	wend__call_run(&call);
	EXPECT_STREQ(out, "abc -5 2.75 z");
}

TEST(Call, NoArguments)
{
	void (*f)(void) = [] { note("called"); };
	struct wend__call call;

	got.clear();
	ASSERT_EQ(wend__call_prep(&call, f, 0, nullptr, nullptr), 0);
	EXPECT_EQ(got, "");
	wend__call_run(&call);
	EXPECT_EQ(got, "called");
}

TEST(Call, RunsInAContext)
{
	struct wend__call call = mixed_call();
	Coro coro([&](Coro &) { wend__call_run(&call); });

	got.clear();
	coro.resume(nullptr);
	EXPECT_TRUE(coro.done());
	EXPECT_EQ(got, mixed_text);
}

TEST(Call, RefusesWhatIsNoCall)
{
	int32_t v = 1;
	enum wend__type types[9];
	const void *values[9];
	fn f = (fn)take<int32_t>;
	struct wend__call call;

	for (int i = 0; i < 9; i++) {
		types[i] = WEND__I32;
		values[i] = &v;
	}
	EXPECT_EQ(wend__call_prep(&call, f, 8, types, values), 0);
	EXPECT_EQ(wend__call_prep(&call, f, 9, types, values), -EINVAL);
	EXPECT_EQ(wend__call_prep(&call, f, -1, types, values), -EINVAL);
	EXPECT_EQ(wend__call_prep(&call, f, INT_MAX, types, values), -EINVAL);
	EXPECT_EQ(wend__call_prep(&call, f, 1, nullptr, values), -EINVAL);
	EXPECT_EQ(wend__call_prep(&call, f, 1, types, nullptr), -EINVAL);
	EXPECT_EQ(wend__call_prep(&call, nullptr, 0, types, values), -EINVAL);
	values[1] = nullptr;
	EXPECT_EQ(wend__call_prep(&call, f, 2, types, values), -EINVAL);
	values[1] = &v;
	types[1] = WEND__VOID;
	EXPECT_EQ(wend__call_prep(&call, f, 2, types, values), -EINVAL);
	types[1] = WEND__TYPE_COUNT;
	EXPECT_EQ(wend__call_prep(&call, f, 2, types, values), -EINVAL);
}

} // namespace
