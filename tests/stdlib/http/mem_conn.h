/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem_conn.h - a connection in memory: what the peer sends is known beforehand,
 * what it gets is kept.
 *
 * Nothing waits: a read past what the peer sends is its end, or an error of the
 * test's choice.
 */
#ifndef TESTS_STDLIB_HTTP_MEM_CONN_H
#define TESTS_STDLIB_HTTP_MEM_CONN_H

#include <wend/std/conn.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

class MemConn
{
      public:
	explicit MemConn(std::string input);
	wend_conn *conn()
	{
		return &c_.conn;
	}
	const std::string &output() const
	{
		return output_;
	}
	/* How many bytes of the input have been read. */
	size_t consumed() const
	{
		return at_;
	}
	bool closed() const
	{
		return closed_;
	}
	/* By a reset. */
	bool was_reset() const
	{
		return reset_;
	}

	/* How many bytes the n-th read returns at most; default all. */
	std::function<size_t(unsigned n)> piece;
	/* What a read returns where there is no more: 0, or an error. */
	ssize_t at_end = 0;
	/* A write fails with that once so many bytes were written. */
	size_t fail_after = SIZE_MAX;
	ssize_t fail_with = 0;
	/* Called before the n-th read. */
	std::function<void(unsigned n)> before_read;

	unsigned reads = 0, writes = 0;
	int64_t read_deadline = WEND_FOREVER, write_deadline = WEND_FOREVER;

      private:
	struct Holder {
		wend_conn conn; /* first */
		MemConn *self;
	};
	static MemConn *Of(void *p)
	{
		return reinterpret_cast<Holder *>(p)->self;
	}
	static ssize_t Read(wend_reader *r, void *buf, size_t n);
	static ssize_t Write(wend_writer *w, const void *buf, size_t n);
	static const wend_conn_ops kOps;

	Holder c_;
	std::string input_, output_;
	size_t at_ = 0;
	/* A connection may be closed by one task while another has it. */
	std::atomic<bool> closed_{ false }, reset_{ false };
	bool write_closed_ = false;
};

#endif
