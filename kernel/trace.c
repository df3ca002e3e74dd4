// SPDX-License-Identifier: GPL-2.0
/*
 * The bodies of the trace points.
 */
#include <linux/sched.h>

#define CREATE_TRACE_POINTS
#include "umcg_trace.h"
