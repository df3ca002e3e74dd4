/* SPDX-License-Identifier: Apache-2.0 */
/*
 * short_api.h - the short names, used from C; run by short_test.cc.
 *
 * Each returns 0 or the line that failed; called in a task.
 */
#ifndef TESTS_RUNTIME_SHORT_API_H
#define TESTS_RUNTIME_SHORT_API_H

#ifdef __cplusplus
extern "C" {
#endif

int short_api_pipeline(void);
int short_api_types(void);
int short_api_select(void);
int short_api_status(void);
int short_api_deadlines(void);
int short_api_nursery(void);
int short_api_defer(void);
int short_api_attributes(void);

#ifdef __cplusplus
}
#endif

#endif
