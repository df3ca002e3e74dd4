/* SPDX-License-Identifier: Apache-2.0 */
/*
 * errno.c - errno, looked up afresh.
 *
 * The C library declares __errno_location() const, so compilers keep its
 * result over calls; a task that goes on with another kernel thread would then
 * use the old one's. This function is an ordinary one in a file of its own.
 */
#include <wend/errno.h>

__attribute__((noinline)) int *wend_errno_location(void)
{
	return __errno_location();
}
