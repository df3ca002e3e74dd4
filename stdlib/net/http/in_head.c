/* SPDX-License-Identifier: Apache-2.0 */
/*
 * in_head.c - reading messages: what a header consists of, and what is wrong with
 * one.
 */
#include <stdlib.h>
#include <string.h>
#include "stdlib/net/http/in_head.h"
#include "stdlib/net/http/in_body.h"

static int refuse(struct http_in *in, int status)
{
	in->status = status;
	return HPE_USER;
}

static uint32_t offset(const struct http_in *in, const char *at)
{
	return (uint32_t)(at - (in->buf + in->start));
}

static int on_target(llhttp_t *p, const char *at, size_t n)
{
	struct http_in *in = p->data;

	if (in->target_size == 0)
		in->target = offset(in, at);
	in->target_size += (uint32_t)n;
	return in->target_size > in->limits->target ? refuse(in, 414) : 0;
}

/* Room for as many fields as there may be. */
static int grow_fields(struct http_in *in)
{
	size_t n = in->limits->fields;
	struct http_span *spans = malloc(
		n * (sizeof(*in->spans) + sizeof(*in->fields)));

	if (spans == NULL)
		return refuse(in, 503);
	/* One block, the fields behind the spans; they are not filled yet. */
	memcpy(spans, in->spans, in->count * sizeof(*spans));
	in->spans = spans;
	in->fields = (wend_http_field *)(spans + n);
	in->room = in->limits->fields;
	return 0;
}

static int on_name(llhttp_t *p, const char *at, size_t n)
{
	struct http_in *in = p->data;
	struct http_span *s;

	if (in->in_body)
		return wend__http_in_trailing(in, n);
	if (in->in_value || in->count == 0) {
		if (in->count == in->limits->fields)
			return refuse(in, 431);
		if (in->count == in->room && grow_fields(in) != 0)
			return HPE_USER;
		in->spans[in->count++] = (struct http_span){
			.name = offset(in, at),
		};
		in->in_value = false;
	}
	s = &in->spans[in->count - 1];
	s->name_size += (uint32_t)n;
	return 0;
}

static int on_value(llhttp_t *p, const char *at, size_t n)
{
	struct http_in *in = p->data;
	struct http_span *s;

	if (in->in_body)
		return wend__http_in_trailing(in, n);
	s = &in->spans[in->count - 1];
	in->in_value = true;
	if (n == 0)
		return 0;
	if (s->value_size == 0)
		s->value = offset(in, at);
	/* In two pieces: folded over lines, which nobody should send and two
	 * servers may well read differently (RFC 9112, 5.2). */
	if (offset(in, at) != s->value + s->value_size)
		return refuse(in, 400);
	s->value_size += (uint32_t)n;
	return 0;
}

static int on_value_complete(llhttp_t *p)
{
	struct http_in *in = p->data;

	in->in_value = true; /* an empty one, too */
	return 0;
}

static int on_head(llhttp_t *p)
{
	struct http_in *in = p->data;

	in->keep_alive = llhttp_should_keep_alive(p);
	return HPE_PAUSED;
}

const llhttp_settings_t wend__http_in_callbacks = {
	.on_url = on_target,
	.on_header_field = on_name,
	.on_header_value = on_value,
	.on_header_value_complete = on_value_complete,
	.on_headers_complete = on_head,
	.on_body = wend__http_in_on_body,
	.on_chunk_header = wend__http_in_on_chunk,
	.on_chunk_extension_name = wend__http_in_on_extension,
	.on_chunk_extension_value = wend__http_in_on_extension,
	.on_message_complete = wend__http_in_on_end,
};

/* An unknown method that looks like one is not the client's fault. Only what
 * the parser has looked at counts: more may be there, or not yet. */
static bool is_method(const char *p, const char *last)
{
	while (p < last && (*p == '\r' || *p == '\n'))
		p++;
	if (*p < 'A' || *p > 'Z')
		return false;
	while (p < last && *p >= 'A' && *p <= 'Z')
		p++;
	return p == last && ((*p >= 'A' && *p <= 'Z') || *p == ' ');
}

/* "HTTP/2.7" is a version that we do not speak, "HTTP/x" is none. */
static bool is_version(const char *line, size_t n)
{
	const char *p = memmem(line, n, " HTTP/", 6);
	const char *end = line + n;

	if (p == NULL || end - p < 7 || p[6] < '0' || p[6] > '9')
		return false;
	if (p[6] != '1')
		return p[6] != '0';
	return end - p > 8 && p[7] == '.' && p[8] >= '2' && p[8] <= '9';
}

static int parse_status(struct http_in *in, llhttp_errno_t err)
{
	const char *from = in->buf + in->start;
	const char *at = llhttp_get_error_pos(&in->parser);

	if (in->status != 0)
		return in->status;
	switch (err) {
	case HPE_INVALID_METHOD:
		return is_method(from, at) ? 501 : 400;
	case HPE_INVALID_VERSION:
		return is_version(from, in->end - in->start) ? 505 : 400;
	case HPE_PAUSED_H2_UPGRADE:
		return 505;
	default:
		return 400;
	}
}

/* Whether the header is within its limits, as far as it is there. */
static int check_size(struct http_in *in)
{
	size_t size = in->pos - in->start;

	if (size - in->target_size > in->limits->head)
		return refuse(in, in->count == 0 && in->target_size == 0 ? 400 :
									   431);
	return 0;
}

int wend__http_in_fields(struct http_in *in)
{
	char *base = in->buf + in->start;

	base[in->target + in->target_size] = '\0';
	for (unsigned int i = 0; i < in->count; i++) {
		const struct http_span *s = &in->spans[i];
		char *name = base + s->name;
		char *gap = name + s->name_size;
		char *value = s->value_size > 0 ? base + s->value : gap + 1;
		char *end = value + s->value_size;

		/* A first line without a value, folded: as in on_value(). */
		for (char *p = gap; p < value; p++)
			if (*p == '\r' || *p == '\n') {
				in->status = 400;
				return -EPROTO;
			}
		while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
			end--;
		*gap = '\0';
		*end = '\0';
		in->fields[i].name = name;
		in->fields[i].value = s->value_size > 0 ? value : gap;
	}
	return 1;
}

int wend__http_in_parse(struct http_in *in)
{
	llhttp_errno_t err;

	if (in->pos == in->end)
		return 0;
	err = llhttp_execute(&in->parser, in->buf + in->pos, in->end - in->pos);
	if (err == HPE_PAUSED) {
		in->pos = (size_t)(llhttp_get_error_pos(&in->parser) - in->buf);
		err = check_size(in) != 0 ? HPE_USER : HPE_OK;
		if (err == HPE_OK)
			return 1;
	} else if (err == HPE_OK) {
		in->pos = in->end;
		if (check_size(in) == 0)
			return 0;
		err = HPE_USER;
	}
	in->status = parse_status(in, err);
	return -EPROTO;
}
