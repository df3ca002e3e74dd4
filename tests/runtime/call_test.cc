/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_test.cc - starting any C function as a task. The macro is for C, so
 * most of it stands in call_types.c.
 */
#include "tests/runtime/call_types.h"
#include "tests/support/wt.h"

TEST(Call, NoArguments)
{
	wt::Run([] { EXPECT_EQ(0, call_types_none()); });
}

TEST(Call, Integers)
{
	wt::Run([] { EXPECT_EQ(0, call_types_integers()); });
}

TEST(Call, FloatingPoint)
{
	wt::Run([] { EXPECT_EQ(0, call_types_floats()); });
}

TEST(Call, Pointers)
{
	wt::Run([] { EXPECT_EQ(0, call_types_pointers()); });
}

TEST(Call, EightOfDifferentTypes)
{
	wt::Run([] { EXPECT_EQ(0, call_types_mixed_eight()); });
}

TEST(Call, ResultsAreDropped)
{
	wt::Run([] { EXPECT_EQ(0, call_types_results_dropped()); });
}

TEST(Call, Attributes)
{
	wt::Run([] { EXPECT_EQ(0, call_types_attributes()); });
}

namespace
{

void Refused()
{
	ADD_FAILURE() << "a call that was refused runs";
}

wend_chan *told;

void Tell(int64_t v)
{
	EXPECT_EQ(0, wend_chan_send(told, &v));
}

} // namespace

/* The function behind the macro, from C++, and what it refuses. */
TEST(Call, SpawnCall)
{
	wt::Run([] {
		wt::Chan c(sizeof(int64_t), 0);
		struct wend_arg args[9] = {};
		int64_t got = 0;

		told = c;
		args[0].type = WEND_TYPE_I64;
		args[0].value.i = -(INT64_C(1) << 50);
		EXPECT_EQ(0,
			  wend_spawn_call(nullptr, (void (*)())Tell, args, 1));
		EXPECT_EQ(0, wend_chan_recv(c, &got));
		EXPECT_EQ(-(INT64_C(1) << 50), got);

		EXPECT_EQ(-EINVAL, wend_spawn_call(nullptr, Refused, args, 9));
		EXPECT_EQ(-EINVAL,
			  wend_spawn_call(nullptr, Refused, args, SIZE_MAX));
		args[0].type = (enum wend_type)6;
		EXPECT_EQ(-EINVAL, wend_spawn_call(nullptr, Refused, args, 1));
		args[0].type = (enum wend_type) - 1;
		EXPECT_EQ(-EINVAL, wend_spawn_call(nullptr, Refused, args, 1));
	});
}

TEST(Call, WithoutARuntime)
{
	EXPECT_EQ(-ESRCH, wend_spawn_call(nullptr, Refused, nullptr, 0));
}
