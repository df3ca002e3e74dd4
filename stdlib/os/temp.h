/* SPDX-License-Identifier: Apache-2.0 */
/*
 * temp.h - names that nobody else has.
 */
#ifndef STDLIB_OS_TEMP_H
#define STDLIB_OS_TEMP_H

#include <sys/types.h>

/*
 * Make a new file "dir/prefix" and some letters, with O_EXCL; dir "" is the
 * current directory. A descriptor and *path, which is to be freed; or a
 * negative error number.
 */
int wend__temp_file(const char *dir, const char *prefix, mode_t mode,
		    char **path);

#endif
