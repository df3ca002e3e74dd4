/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wend/std/io.h - readers and writers, and what can be done with any of them.
 *
 * A reader or writer is the first thing that an object has inside; whoever is
 * handed a pointer to it need not know what the object is:
 *
 *	struct upper {
 *		wend_reader reader;
 *		wend_reader *from;
 *	};
 *
 * Results, everywhere in these packages: a count or 0, or a negative error
 * number (-EPIPE, say); errno is not touched. One object is used by one task
 * at a time unless its header says more. A read and a write of one stream may
 * go on at once.
 */
#ifndef WEND_STD_IO_H
#define WEND_STD_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <wend/base.h>

WEND_BEGIN_DECLS

typedef struct wend_reader wend_reader;
typedef struct wend_writer wend_writer;

/*
 * read    Up to n bytes, at least one if n is not 0: it waits until there is
 *         one. 0: there are no more. Negative: the error; what was read before
 *         was returned before.
 */
struct wend_reader {
	ssize_t (*read)(wend_reader *r, void *buf, size_t n);
};

/*
 * write   All n bytes: it returns n, or a negative error number after which an
 *         unknown number of them has been written.
 */
struct wend_writer {
	ssize_t (*write)(wend_writer *w, const void *buf, size_t n);
};

static inline ssize_t wend_read(wend_reader *r, void *buf, size_t n)
{
	return r->read(r, buf, n);
}

static inline ssize_t wend_write(wend_writer *w, const void *buf, size_t n)
{
	return w->write(w, buf, n);
}

WEND_END_DECLS

#endif
