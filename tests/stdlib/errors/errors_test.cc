/* SPDX-License-Identifier: Apache-2.0 */
/*
 * errors_test.cc - chains: texts, codes, references. That nothing leaks and
 * nothing is freed twice is AddressSanitizer's to see.
 */
#include <wend/std/errors.h>

#include <errno.h>
#include <limits.h>
#include <gtest/gtest.h>
#include <string.h>

#include <string>
#include <thread>
#include <vector>

static bool refuse;

extern "C" void *__real_malloc(size_t n);
extern "C" void *__wrap_malloc(size_t n)
{
	return refuse ? nullptr : __real_malloc(n);
}

TEST(Errors, NoneIsNull)
{
	EXPECT_EQ(nullptr, wend_error_from(0));
	EXPECT_EQ(0, wend_error_code(nullptr));
	EXPECT_EQ(nullptr, wend_error_cause(nullptr));
	EXPECT_EQ(nullptr, wend_error_ref(nullptr));
	EXPECT_STREQ("no error", wend_error_text(nullptr));
	EXPECT_FALSE(wend_error_is(nullptr, ENOENT));
	wend_error_free(nullptr);
}

TEST(Errors, OfANumber)
{
	for (int code : { ENOENT, -ENOENT }) {
		wend_error *e = wend_error_from(code);

		EXPECT_EQ(ENOENT, wend_error_code(e));
		EXPECT_STREQ("No such file or directory", wend_error_text(e));
		EXPECT_EQ(nullptr, wend_error_cause(e));
		EXPECT_TRUE(wend_error_is(e, ENOENT));
		EXPECT_TRUE(wend_error_is(e, -ENOENT));
		EXPECT_FALSE(wend_error_is(e, EIO));
		EXPECT_EQ(e, wend_error_ref(e));
		wend_error_free(e);
		wend_error_free(e);
	}
}

/* Every number has an error of its own, also those without a text. */
TEST(Errors, OfAnyNumber)
{
	for (int code : { 1, 41, 58, 133, 134, 135, 4095, 1 << 20, INT_MAX }) {
		wend_error *e = wend_error_from(-code);

		EXPECT_EQ(code, wend_error_code(e));
		EXPECT_TRUE(wend_error_is(e, code));
		EXPECT_NE(0u, strlen(wend_error_text(e)));
		wend_error_free(e);
	}
	for (int code = 1; code < 134; code++) {
		const char *text = strerrordesc_np(code);

		EXPECT_STREQ(text ? text : "Unknown error",
			     wend_error_describe(-code));
	}
	EXPECT_STREQ("Unknown error", wend_error_describe(4711));
	EXPECT_STREQ("Unknown error", wend_error_describe(INT_MIN));
}

TEST(Errors, Chain)
{
	wend_error *e = wend_errorf(wend_error_from(ECONNREFUSED), 0,
				    "dial %s:%d", "host", 80);

	EXPECT_STREQ("dial host:80: Connection refused", wend_error_text(e));
	EXPECT_EQ(ECONNREFUSED, wend_error_code(e));
	e = wend_errorf(e, -EIO, "fetch");
	EXPECT_STREQ("fetch: dial host:80: Connection refused",
		     wend_error_text(e));
	EXPECT_EQ(EIO, wend_error_code(e));
	EXPECT_TRUE(wend_error_is(e, EIO));
	EXPECT_TRUE(wend_error_is(e, ECONNREFUSED));
	EXPECT_FALSE(wend_error_is(e, ENOENT));
	EXPECT_STREQ("dial host:80: Connection refused",
		     wend_error_text(wend_error_cause(e)));
	EXPECT_EQ(ECONNREFUSED,
		  wend_error_code(wend_error_cause(wend_error_cause(e))));
	wend_error_free(e);
}

TEST(Errors, MessageAlone)
{
	wend_error *e = wend_errorf(nullptr, 0, "line %d: what?", 3);

	EXPECT_STREQ("line 3: what?", wend_error_text(e));
	EXPECT_EQ(0, wend_error_code(e));
	EXPECT_FALSE(wend_error_is(e, ENOENT));
	/* A number of 0 is none: nothing "is" no error. */
	EXPECT_FALSE(wend_error_is(e, 0));
	wend_error_free(e);
	/* No message: the cause's text alone. */
	e = wend_errorf(wend_error_from(EIO), 0, "%s", "");
	EXPECT_STREQ("Input/output error", wend_error_text(e));
	wend_error_free(e);
	e = wend_errorf(wend_error_from(EIO), 0, "%lc", (wint_t)0x110000);
	EXPECT_STREQ("Input/output error", wend_error_text(e));
	wend_error_free(e);
}

/* A cause may be in several chains. */
TEST(Errors, SharedCause)
{
	wend_error *cause = wend_errorf(nullptr, EPIPE, "peer gone");
	wend_error *a = wend_errorf(wend_error_ref(cause), 0, "read");
	wend_error *b = wend_errorf(wend_error_ref(cause), 0, "write");

	wend_error_free(cause);
	wend_error_free(a);
	EXPECT_STREQ("write: peer gone", wend_error_text(b));
	EXPECT_STREQ("peer gone", wend_error_text(wend_error_cause(b)));
	wend_error_free(b);
}

/* Freeing is no recursion: this would not fit on any stack. */
TEST(Errors, LongChain)
{
	wend_error *e = wend_errorf(nullptr, EIO, "%s", "");

	for (int i = 0; i < 300000; i++)
		e = wend_errorf(e, 0, "%s", "");
	EXPECT_TRUE(wend_error_is(e, EIO));
	wend_error_free(e);
}

TEST(Errors, NoMemory)
{
	wend_error *cause = wend_errorf(nullptr, EIO, "cause"), *e;

	refuse = true;
	e = wend_errorf(cause, EBUSY, "what");
	refuse = false;
	EXPECT_STREQ("Cannot allocate memory", wend_error_text(e));
	EXPECT_EQ(ENOMEM, wend_error_code(e));
	EXPECT_FALSE(wend_error_is(e, EIO));
	wend_error_free(e);
	refuse = true;
	e = wend_error_from(4711);
	refuse = false;
	EXPECT_EQ(ENOMEM, wend_error_code(e));
	wend_error_free(e);
}

TEST(Errors, ReferencesFromManyThreads)
{
	wend_error *e = wend_errorf(wend_error_from(EIO), 0, "shared");
	std::vector<std::thread> threads;

	for (int i = 0; i < 4; i++) {
		wend_error *mine = wend_error_ref(e);

		threads.emplace_back([mine] {
			for (int n = 0; n < 1000; n++) {
				wend_error *w = wend_errorf(
					wend_error_ref(mine), 0, "%d", n);

				EXPECT_EQ(std::to_string(n) +
						  ": shared: "
						  "Input/output error",
					  wend_error_text(w));
				wend_error_free(w);
			}
			wend_error_free(mine);
		});
	}
	wend_error_free(e);
	for (std::thread &t : threads)
		t.join();
}
