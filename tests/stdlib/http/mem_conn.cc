/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem_conn.cc - a connection in memory.
 */
#include "tests/stdlib/http/mem_conn.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

const wend_conn_ops MemConn::kOps = {
	/* close_write */
	[](wend_conn *c) {
		Of(c)->write_closed_ = true;
		return 0;
	},
	/* close */
	[](wend_conn *c) {
		Of(c)->closed_ = true;
		return 0;
	},
	/* free */
	[](wend_conn *) {},
	[](wend_conn *c, int64_t d) { Of(c)->read_deadline = d; },
	[](wend_conn *c, int64_t d) { Of(c)->write_deadline = d; },
	/* fd */
	[](wend_conn *) { return -ENOTSUP; },
	[](wend_conn *) { return "here"; },
	[](wend_conn *) { return "there"; },
	/* reset */
	[](wend_conn *c) {
		Of(c)->reset_ = true;
		Of(c)->closed_ = true;
		return 0;
	},
};

MemConn::MemConn(std::string input) : input_(std::move(input))
{
	c_.self = this;
	c_.conn.reader.read = Read;
	/* The writer's address is not the connection's. */
	c_.conn.writer.write = Write;
	c_.conn.ops = &kOps;
}

ssize_t MemConn::Read(wend_reader *r, void *buf, size_t n)
{
	MemConn *c = Of(r);
	unsigned count = c->reads++;
	size_t most = n;

	if (c->before_read)
		c->before_read(count);
	if (c->closed_)
		return -ECANCELED;
	if (c->read_deadline == 0)
		return -ETIMEDOUT;
	if (c->at_ == c->input_.size())
		return c->at_end;
	if (c->piece)
		most = std::max<size_t>(1, c->piece(count));
	n = std::min({ n, most, c->input_.size() - c->at_ });
	memcpy(buf, c->input_.data() + c->at_, n);
	c->at_ += n;
	return (ssize_t)n;
}

ssize_t MemConn::Write(wend_writer *w, const void *buf, size_t n)
{
	MemConn *c = Of(reinterpret_cast<char *>(w) -
			offsetof(wend_conn, writer));

	c->writes++;
	if (c->closed_)
		return -ECANCELED;
	if (c->write_closed_)
		return -EPIPE;
	if (c->output_.size() + n > c->fail_after)
		return c->fail_with;
	c->output_.append(static_cast<const char *>(buf), n);
	return (ssize_t)n;
}
