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
#include <wend/sync.h>

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

/* --- copying ------------------------------------------------------------- */

/*
 * wend_io_copy - read from r until its end, and write all of it to w.
 * wend_io_copy_n - the same, but n bytes at most.
 * wend_io_copy_buffer - the same through size bytes at buf instead of memory
 *               that is allocated for it; size > 0.
 *
 * Returns  the number of bytes copied. Fewer than n: the end came.
 * Errors   r's or w's; some bytes may have been copied. EPIPE as a rule is w's.
 *          ENOMEM (not _buffer)  nothing was copied
 *          EIO    w wrote something else than it was told to
 */
WEND_API int64_t wend_io_copy(wend_writer *w, wend_reader *r);
WEND_API int64_t wend_io_copy_n(wend_writer *w, wend_reader *r, int64_t n);
WEND_API int64_t wend_io_copy_buffer(wend_writer *w, wend_reader *r, void *buf,
				     size_t size);

/*
 * wend_io_read_full - read until buf is full.
 *
 * Returns  n, or fewer: the end came.
 * Errors   r's; how many bytes buf has got is unknown then.
 */
WEND_API ssize_t wend_io_read_full(wend_reader *r, void *buf, size_t n);

/*
 * wend_io_read_all - read until the end into memory that is allocated.
 *
 *   limit       the most bytes that there may be
 *   data        gets them, with a NUL behind them, for free(); NULL on errors
 *
 * Returns  their number.
 * Errors   EMSGSIZE  there are more than limit
 *          ENOMEM    no memory for them; r's
 *          What was read is lost.
 */
WEND_API ssize_t wend_io_read_all(wend_reader *r, size_t limit, char **data);

/* --- readers and writers made of others ---------------------------------- */

/*
 * Each is a structure of the caller's that must not be moved while in use; none
 * owns what it is made of, and none needs to be freed. Fields that end in '_'
 * are the library's.
 */

/* The bytes at ptr, which stay where they are. */
typedef struct wend_io_bytes {
	wend_reader reader;
	const char *ptr_;
	size_t left_;
} wend_io_bytes;
WEND_API void wend_io_bytes_init(wend_io_bytes *b, const void *ptr, size_t n);

/* The first n bytes of another reader, and then the end. left: how many of them
 * have not been read yet; if it is above 0 at the end, `from` had fewer. */
typedef struct wend_io_limit {
	wend_reader reader;
	wend_reader *from_;
	int64_t left;
} wend_io_limit;
WEND_API void wend_io_limit_init(wend_io_limit *l, wend_reader *from,
				 int64_t n);

/* What is read from `from` is written to `to` before the read returns; what to
 * says of it if that fails is the read's error. */
typedef struct wend_io_tee {
	wend_reader reader;
	wend_reader *from_;
	wend_writer *to_;
} wend_io_tee;
WEND_API void wend_io_tee_init(wend_io_tee *t, wend_reader *from,
			       wend_writer *to);

/* n readers, one after the other. The list stays the caller's, and in place. */
typedef struct wend_io_multi_reader {
	wend_reader reader;
	wend_reader *const *list_;
	size_t left_;
} wend_io_multi_reader;
WEND_API void wend_io_multi_reader_init(wend_io_multi_reader *m,
					wend_reader *const *list, size_t n);

/* Writes to each of n writers in turn; the first error ends a write. */
typedef struct wend_io_multi_writer {
	wend_writer writer;
	wend_writer *const *list_;
	size_t n_;
} wend_io_multi_writer;
WEND_API void wend_io_multi_writer_init(wend_io_multi_writer *m,
					wend_writer *const *list, size_t n);

/* A writer that takes everything and keeps nothing; for all tasks at once. */
WEND_API wend_writer *wend_io_discard(void);

/* --- descriptors --------------------------------------------------------- */

/*
 * Readers and writers over read() and write(). The descriptor stays the
 * caller's, who closes it. A call that waits parks the task; a non-blocking
 * descriptor is waited for by poll(). A cancelled task gets -ECANCELED.
 *
 * A write to a pipe or socket that nobody reads any more sends SIGPIPE, which
 * ends the process if it is not ignored; then it is -EPIPE.
 */
typedef struct wend_io_fd_reader {
	wend_reader reader;
	int fd;
} wend_io_fd_reader;
WEND_API void wend_io_fd_reader_init(wend_io_fd_reader *f, int fd);

typedef struct wend_io_fd_writer {
	wend_writer writer;
	int fd;
} wend_io_fd_writer;
WEND_API void wend_io_fd_writer_init(wend_io_fd_writer *f, int fd);

/* n bytes of a file from an offset on, by pread(): the file's position is
 * neither used nor moved, so several tasks may read one file. Ends where the
 * file does if that comes first. */
typedef struct wend_io_section {
	wend_reader reader;
	int fd;
	int64_t offset_;
	int64_t left_;
} wend_io_section;
WEND_API void wend_io_section_init(wend_io_section *s, int fd, int64_t offset,
				   int64_t n);

/* --- pipes --------------------------------------------------------------- */

/*
 * wend_io_pipe - what is written to &p->writer is read from &p->reader.
 *
 * Nothing is buffered: a write waits until all its bytes have been read, or a
 * side is closed. Any number of tasks and threads may use a pipe at once; the
 * bytes of one write stay together. The structure must not be moved while in
 * use, and needs no freeing: nobody may use it any more when it goes.
 *
 * A read   Errors  EPIPE      the reading side was closed
 *                  ETIMEDOUT, ECANCELED (a cancelled task)  nothing was read
 * A write  Errors  EPIPE      the writing side was closed, or the reading side
 *                             without an error of its own
 *                  ETIMEDOUT, ECANCELED  some bytes may have been read
 *
 * close_write   no more will be written: reads return 0, or `error` if that is
 *               not 0 (a negative number). A write under way fails.
 * close_read    no more will be read: writes return `error`, or -EPIPE if that
 *               is 0.
 *               The first call for a side counts, later ones do nothing.
 * set_read_deadline, set_write_deadline
 *               absolute, WEND_FOREVER at first; reads or writes under way see
 *               it, too. Bytes that are there can be read past it.
 */
typedef struct wend_io_pipe {
	wend_reader reader;
	wend_writer writer;
	wend_mutex lock_;
	wend_cond readers_;
	wend_cond writers_;
	const char *data_; /* left_ bytes of the write under way */
	size_t left_;
	bool busy_; /* a write is under way */
	bool read_closed_;
	bool write_closed_;
	int read_error_;
	int write_error_;
	int64_t read_deadline_;
	int64_t write_deadline_;
} wend_io_pipe;
WEND_API void wend_io_pipe_init(wend_io_pipe *p);
WEND_API void wend_io_pipe_close_read(wend_io_pipe *p, int error);
WEND_API void wend_io_pipe_close_write(wend_io_pipe *p, int error);
WEND_API void wend_io_pipe_set_read_deadline(wend_io_pipe *p, int64_t deadline);
WEND_API void wend_io_pipe_set_write_deadline(wend_io_pipe *p,
					      int64_t deadline);

WEND_END_DECLS

#endif
