/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy.c - from readers to writers, and into memory.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include <wend/std/io.h>

enum { COPY_SIZE = 32768, FIRST_SIZE = 512 };

/* At most n bytes; n < 0: to the end. */
static int64_t copy(wend_writer *w, wend_reader *r, int64_t n, char *buf,
		    size_t size)
{
	int64_t done = 0;
	ssize_t got, put;

	while (n < 0 || done < n) {
		if (n >= 0 && (uint64_t)(n - done) < size)
			size = (size_t)(n - done);
		got = wend_read(r, buf, size);
		if (got == 0)
			break;
		if (got < 0)
			return got;
		put = wend_write(w, buf, (size_t)got);
		if (put != got)
			return put < 0 ? put : -EIO;
		done += got;
	}
	return done;
}

static int64_t copy_allocated(wend_writer *w, wend_reader *r, int64_t n)
{
	size_t size = n >= 0 && n < COPY_SIZE ? (size_t)n : COPY_SIZE;
	int64_t done;
	char *buf;

	/* Not on the stack, which may be a task's of 16 KiB. */
	buf = malloc(size);
	if (!buf)
		return -ENOMEM;
	done = copy(w, r, n, buf, size);
	free(buf);
	return done;
}

int64_t wend_io_copy(wend_writer *w, wend_reader *r)
{
	return copy_allocated(w, r, -1);
}

int64_t wend_io_copy_n(wend_writer *w, wend_reader *r, int64_t n)
{
	return n > 0 ? copy_allocated(w, r, n) : 0;
}

int64_t wend_io_copy_buffer(wend_writer *w, wend_reader *r, void *buf,
			    size_t size)
{
	return copy(w, r, -1, buf, size);
}

ssize_t wend_io_read_full(wend_reader *r, void *buf, size_t n)
{
	size_t done = 0;
	ssize_t got;

	if (n > SSIZE_MAX)
		return -EINVAL;
	while (done < n) {
		got = wend_read(r, (char *)buf + done, n - done);
		if (got < 0)
			return got;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

/* Memory for one byte more than may come, so that the end is seen without
 * growing, and a byte too many is seen as such. */
static char *grow(char *data, size_t *size, size_t limit)
{
	size_t more = *size ? *size * 2 : FIRST_SIZE;

	if (more > limit + 1)
		more = limit + 1;
	*size = more;
	return realloc(data, more);
}

ssize_t wend_io_read_all(wend_reader *r, size_t limit, char **data)
{
	size_t size = 0, len = 0;
	char *buf = NULL, *larger;
	ssize_t got;

	*data = NULL;
	if (limit > SSIZE_MAX / 2)
		limit = SSIZE_MAX / 2;
	for (;;) {
		if (len == size) {
			larger = grow(buf, &size, limit);
			got = -ENOMEM;
			if (!larger)
				break;
			buf = larger;
		}
		got = wend_read(r, buf + len, size - len);
		if (got <= 0)
			break;
		len += (size_t)got;
		got = -EMSGSIZE;
		if (len > limit)
			break;
	}
	if (got < 0) {
		free(buf);
		return got;
	}
	/* len < size: that was the end of a read that had room. */
	buf[len] = '\0';
	*data = buf;
	return (ssize_t)len;
}
