/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/wend.h - the whole interface; every name begins with wend_ or WEND_.
 *
 * The one exception is errno, see <wend/errno.h>. <wend/short.h> adds go,
 * chan and other short names for programs that want them.
 */
#ifndef WEND_WEND_H
#define WEND_WEND_H

#include <wend/base.h>
#include <wend/block.h>
#include <wend/call.h>
#include <wend/chan.h>
#include <wend/defer.h>
#include <wend/errno.h>
#include <wend/inspect.h>
#include <wend/limit.h>
#include <wend/nursery.h>
#include <wend/runtime.h>
#include <wend/select.h>
#include <wend/sync.h>
#include <wend/task.h>
#include <wend/time.h>
#include <wend/watch.h>

#endif
