/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task.cc - C++ callables as tasks.
 */
#include "tests/support/wt.h"

namespace wt
{

namespace
{

void Entry(void *args)
{
	std::unique_ptr<std::function<void()>> fn(
		*static_cast<std::function<void()> **>(args));

	(*fn)();
}

} // namespace

int GoWith(wend_attr attr, std::function<void()> fn)
{
	auto *copy = new std::function<void()>(std::move(fn));
	int r = wend_spawn(&attr, Entry, &copy, sizeof(copy));

	if (r != 0)
		delete copy;
	return r;
}

int Go(std::function<void()> fn, const char *name, wend_task **handle)
{
	wend_attr attr = {};

	attr.name = name;
	attr.handle = handle;
	return GoWith(attr, std::move(fn));
}

wend_task *Group::Go(std::function<void()> fn, const char *name)
{
	wend_task *t = nullptr;

	EXPECT_EQ(0, wt::Go(std::move(fn), name, &t));
	if (t)
		tasks_.push_back(t);
	return t;
}

/* Shielded: what a group's tasks refer to lives on the caller's stack, so
 * they are waited for even by a task that was cancelled. */
void Group::Wait()
{
	bool was = wend_task_shield(true);

	for (wend_task *t : tasks_)
		EXPECT_EQ(0, wend_join(t, nullptr));
	tasks_.clear();
	wend_task_shield(was);
}

} // namespace wt
