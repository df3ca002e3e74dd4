/* SPDX-License-Identifier: Apache-2.0 */
/*
 * raw.h - system calls as bare instructions (compiler-rt/syscall.h): no
 * interposed function announces them.
 */
#ifndef TESTS_RUNTIME_RAW_H
#define TESTS_RUNTIME_RAW_H

#include <gtest/gtest.h>

#include <ctime>

#include <wend/time.h>

#include "compiler-rt/syscall.h"

namespace raw
{

/* read(): the kernel's result. */
inline long Read(int fd, void *buf, size_t n)
{
	return wend__syscall3(SYS_read, fd, (long)buf, (long)n);
}

inline void Sleep(int64_t ns)
{
	const struct timespec t = { (time_t)(ns / WEND_SECOND),
				    (long)(ns % WEND_SECOND) };

	EXPECT_EQ(0, wend__syscall3(SYS_nanosleep, (long)&t, 0, 0));
}

} // namespace raw

#endif
