/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c - a user's program of libwend-json: a task writes a list, the first task
 * reads it and sums it up.
 */
#include <stdio.h>
#include <string.h>
#include <wend/std/json.h>
#include <wend/wend.h>

struct text {
	wend_writer writer;
	char bytes[64];
	size_t size;
};

static ssize_t keep(wend_writer *w, const void *data, size_t n)
{
	struct text *t = (struct text *)w;

	if (n > sizeof(t->bytes) - t->size)
		return -ENOSPC;
	memcpy(t->bytes + t->size, data, n);
	t->size += n;
	return (ssize_t)n;
}

WEND_TASK(write_list, (wend_writer *, to), (wend_chan *, written))
{
	json_t *list = json_pack("[i, i, i]", 1, 2, 39);
	int err = wend_json_write(to, list, 0);

	json_decref(list);
	wend_chan_send(written, &err);
}

static int app(int argc, char **argv)
{
	struct text t = { .writer.write = keep };
	wend_chan *written = wend_chan_new(sizeof(int), 0);
	json_int_t sum = 0;
	json_t *list;
	int err;

	(void)argc;
	(void)argv;
	if (!written || wend_go(write_list, &t.writer, written) ||
	    wend_chan_recv(written, &err) || err ||
	    wend_json_parse(t.bytes, t.size, NULL, &list, NULL))
		return 1;
	wend_chan_free(written);
	for (size_t i = 0; i < json_array_size(list); i++)
		sum += json_integer_value(json_array_get(list, i));
	json_decref(list);
	printf("wend %s: %d\n", wend_version(), (int)sum);
	return 0;
}

int main(int argc, char **argv)
{
	return wend_main(app, argc, argv);
}
