/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_types.h - starting C functions of all kinds by wend_go_call(), which is
 * for C only; run by call_test.cc.
 *
 * Each returns 0 or the line that failed; called in a task.
 */
#ifndef TESTS_RUNTIME_CALL_TYPES_H
#define TESTS_RUNTIME_CALL_TYPES_H

#ifdef __cplusplus
extern "C" {
#endif

int call_types_none(void);
int call_types_integers(void);
int call_types_floats(void);
int call_types_pointers(void);
int call_types_mixed_eight(void);
int call_types_results_dropped(void);
int call_types_attributes(void);

#ifdef __cplusplus
}
#endif

#endif
