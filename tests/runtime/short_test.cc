/* SPDX-License-Identifier: Apache-2.0 */
/*
 * short_test.cc - the short names and the typed macros. The C side stands in
 * short_api.c; here it is run, and the same header is used from C++.
 */
#include "tests/runtime/short_api.h"
#include "tests/support/wt.h"

#include <wend/short.h>

TEST(ShortC, Pipeline)
{
	wt::Run([] { EXPECT_EQ(0, short_api_pipeline()); });
}

TEST(ShortC, Types)
{
	wt::Run([] { EXPECT_EQ(0, short_api_types()); });
}

TEST(ShortC, Select)
{
	wt::Run([] { EXPECT_EQ(0, short_api_select()); });
}

TEST(ShortC, SelectStatus)
{
	wt::Run([] { EXPECT_EQ(0, short_api_status()); });
}

TEST(ShortC, Deadlines)
{
	wt::Run([] { EXPECT_EQ(0, short_api_deadlines()); });
}

TEST(ShortC, Nursery)
{
	wt::Run([] { EXPECT_EQ(0, short_api_nursery()); });
}

TEST(ShortC, Defer)
{
	wt::Run([] { EXPECT_EQ(0, short_api_defer()); });
}

TEST(ShortC, Attributes)
{
	wt::Run([] { EXPECT_EQ(0, short_api_attributes()); });
}

namespace
{

TASK(Echo, (chan(int), in), (chan(int), out))
{
	int v;

	while (chan_recv(in, &v) == 0)
		chan_send(out, v + 1);
	chan_close(out);
}

} // namespace

/* The same macros in C++. */
TEST(ShortCxx, Pipeline)
{
	wt::Run([] {
		chan(int) in = chan_make(int, 0);
		chan(int) out = chan_make(int, 2);
		int v = 0;

		ASSERT_EQ(0, go(Echo, in, out));
		for (int i = 0; i < 5; i++) {
			EXPECT_EQ(0, chan_send(in, i));
			EXPECT_EQ(0, select_(WEND_FOREVER, on_recv(out, &v)));
			EXPECT_EQ(i + 1, v);
		}
		chan_close(in);
		EXPECT_EQ(-EPIPE, chan_recv(out, &v));
		chan_free(in);
		chan_free(out);
	});
}
