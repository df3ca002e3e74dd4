/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctx_unsupported.c - what BUILD chooses for a CPU that has no context
 * switch yet: one clear line instead of a link error.
 */
#error "wend has no context switch for this CPU (x86-64 and aarch64 only)"
