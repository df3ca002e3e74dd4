/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault.h - making the n-th call for memory or a thread fail.
 *
 * The linker's --wrap leads the calls of the program's own objects, the
 * runtime's among them, through here; those inside the C and C++ libraries are
 * not touched. So a test's own use of new never fails.
 */
#ifndef TESTS_RUNTIME_FAULT_H
#define TESTS_RUNTIME_FAULT_H

namespace fault
{

enum Kind { kMalloc = 1, kMmap = 2, kThread = 4, kAll = 7 };

/* Fail the n-th call (from 1) of these kinds; all from there on, if
 * lasting. */
void Arm(int kinds, long n, bool lasting);

/* Fail no more. Whether any call was failed since Arm(). */
bool Disarm();

/* Heap blocks that were allocated and not freed, and mapped bytes. */
long Blocks();
long MappedBytes();

} // namespace fault

#endif
