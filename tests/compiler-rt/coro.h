/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coro.h - for tests: a context with a stack of its own, resumed and
 * yielding, that keeps the sanitizers informed. Destroyed when its body has
 * ended or while it is suspended (its frames are then just dropped).
 */
#ifndef WEND_TESTS_COMPILER_RT_CORO_H
#define WEND_TESTS_COMPILER_RT_CORO_H

#include "compiler-rt/ctx.h"
#include "compiler-rt/fiber.h"

#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <functional>
#include <utility>

class Coro {
public:
	typedef std::function<void(Coro &)> Body;

	explicit Coro(Body body, size_t size = 256 * 1024)
		: body_(std::move(body)), size_(size)
	{
		void *p = mmap(nullptr, size_, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED) {
			perror("mmap");
			abort();
		}
		stack_ = static_cast<char *>(p);
		wend__fiber_create(&fiber_, stack_, size_);
		ctx_.sp = wend__ctx_make(stack_ + size_, enter);
	}

	~Coro()
	{
		wend__fiber_destroy(&fiber_);
		wend__asan_unpoison(stack_, size_);
		munmap(stack_, size_);
	}

	Coro(const Coro &) = delete;
	Coro &operator=(const Coro &) = delete;

	/* Run it until it yields or ends. v is what its yield returns. */
	void *resume(void *v)
	{
		need_frame_pointer();
		in_ = v;
		back_fiber_ = *this_threads();
		wend__fiber_switch_begin(&back_fiber_, &fiber_);
		wend__ctx_switch(&back_, ctx_.sp, this);
		wend__fiber_switch_end(&back_fiber_);
		return out_;
	}

	/* From inside. v is what resume returns. */
	void *yield(void *v)
	{
		need_frame_pointer();
		out_ = v;
		wend__fiber_switch_begin(&fiber_, &back_fiber_);
		wend__ctx_switch(&ctx_, back_.sp, this);
		wend__fiber_switch_end(&fiber_);
		return in_;
	}

	bool done() const { return done_; }
	void *in() const { return in_; }
	struct wend__fiber *fiber() { return &fiber_; }
	char *stack() const { return stack_; }
	size_t size() const { return size_; }
	char *top() const { return stack_ + size_; }

	static void enter(void *self)
	{
		Coro *c = static_cast<Coro *>(self);

		wend__fiber_switch_end(&c->fiber_);
		c->body_(*c);
		c->done_ = true;
		c->out_ = nullptr;
		wend__fiber_switch_begin(nullptr, &c->back_fiber_);
		wend__ctx_switch(&c->ctx_, c->back_.sp, nullptr);
		abort();
	}

private:
	/*
	 * A function whose stack frame has no fixed size unwinds by its frame
	 * pointer: so the switch's caller does, and a wrong one shows.
	 */
	__attribute__((always_inline)) void need_frame_pointer()
	{
		volatile size_t n = 32;
		volatile char *p = static_cast<char *>(alloca(n));

		p[0] = 1;
	}

	/* Once a thread: it may read /proc. */
	static const struct wend__fiber *this_threads()
	{
		static thread_local struct wend__fiber fiber;
		static thread_local bool known;

		if (!known && wend__fiber_of_thread(&fiber) != 0)
			abort();
		known = true;
		return &fiber;
	}

	Body body_;
	size_t size_;
	char *stack_;
	struct wend__ctx ctx_ = { nullptr }, back_ = { nullptr };
	struct wend__fiber fiber_ = {}, back_fiber_ = {};
	void *in_ = nullptr, *out_ = nullptr;
	bool done_ = false;
};

#endif
