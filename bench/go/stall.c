/* SPDX-License-Identifier: Apache-2.0 */
/* stall.c - the same stalls as in the C programs: cgo compiles this folder. */
#include "bench/common/stall.c"
