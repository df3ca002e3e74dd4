/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spin_regs.h - for tests of preemption: fill registers from memory, count
 * down without touching them, and store what they hold then.
 *
 * The count stands below the stack pointer, in the red zone (x86-64), so that
 * is tested as well; aarch64 has none and counts in a register.
 */
#ifndef TESTS_RUNTIME_SPIN_REGS_H
#define TESTS_RUNTIME_SPIN_REGS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
#if defined(__x86_64__)
	SPIN_GENERAL = 14, /* all but rsp and rax */
	SPIN_VECTORS = 32 * 64,
#else
	SPIN_GENERAL = 26, /* x0 to x15 and x19 to x28 */
	SPIN_VECTORS = 32 * 16,
#endif
};

/* General registers; returns the carry flag, set before, 1 when kept. */
long spin_general(const uint64_t *in, uint64_t *out, uint64_t spins);

/*
 * Vector registers of the given width; each stores up to SPIN_VECTORS bytes
 * and returns how many.
 *   x86-64   16: sse, 32: avx, 64: avx-512
 *   aarch64  16
 */
long spin_vectors_16(const void *in, void *out, uint64_t spins);
#if defined(__x86_64__)
long spin_vectors_32(const void *in, void *out, uint64_t spins);
long spin_vectors_64(const void *in, void *out, uint64_t spins);
#endif

#ifdef __cplusplus
}
#endif

#endif
