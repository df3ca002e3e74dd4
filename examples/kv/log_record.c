/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_record.c - records, and the frames that hold them in the file.
 */
#include <stdlib.h>
#include <string.h>

#include "examples/kv/log_file.h"
#include "examples/kv/reply.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Bytes around a word in RESP, and those of a command's own name. */
#define WORD_COST    32
#define COMMAND_COST 128

static uint64_t checksum(uint32_t size, const char *bytes)
{
	return XXH3_64bits_withSeed(bytes, size, kv_log.salt + size);
}

void kv_frame_seal(char *data, size_t size)
{
	struct kv_log_frame head = { .magic = KV_FRAME_MAGIC };

	head.size = (uint32_t)(size - sizeof(head));
	head.check = checksum(head.size, data + sizeof(head));
	memcpy(data, &head, sizeof(head));
}

size_t kv_frame_whole(const char *data, size_t size)
{
	struct kv_log_frame head;

	if (size < sizeof(head))
		return 0;
	memcpy(&head, data, sizeof(head));
	if (head.magic != KV_FRAME_MAGIC || head.size > size - sizeof(head) ||
	    head.check != checksum(head.size, data + sizeof(head)))
		return 0;
	return sizeof(head) + head.size;
}

bool kv_record_reserve(struct kv_record *r, size_t bytes, size_t words)
{
	/* A word may need a command of its own: of three words, two numbers. */
	size_t need = bytes + words * (COMMAND_COST + 4 * WORD_COST) +
		      sizeof(struct kv_log_frame) + COMMAND_COST;

	if (r->room - r->count < words * 2) {
		size_t room = (r->count + words * 2) * 2;
		struct kv_effect *effects = realloc(r->effects,
						    room * sizeof(*effects));

		if (effects == NULL)
			return false;
		r->effects = effects;
		r->room = room;
	}
	/* A frame's size has 32 bits. */
	return need < UINT32_MAX / 2 - r->frame.size &&
	       kv_buf_reserve(&r->frame, need);
}

void kv_record_add(struct kv_record *r, uint32_t shard, int argc,
		   const struct kv_arg *argv)
{
	if (r->frame.size == 0)
		r->frame.size = sizeof(struct kv_log_frame);
	kv_reply_words(&r->frame, argc, argv);
	r->effects[r->count++] = (struct kv_effect){ shard, r->frame.size };
}

void kv_record_reset(struct kv_record *r)
{
	kv_buf_reset(&r->frame);
	r->count = 0;
	if (r->room > 4096) {
		free(r->effects);
		r->effects = NULL;
		r->room = 0;
	}
}

void kv_record_free(struct kv_record *r)
{
	kv_buf_free(&r->frame);
	free(r->effects);
	*r = (struct kv_record){ 0 };
}
