/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault.cc - the wrapped calls, see fault.h.
 *
 * What is allocated here is remembered, so that what is freed and was not
 * (by getline(), say) is not counted.
 */
#include "tests/runtime/fault.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <atomic>
#include <mutex>
#include <unordered_set>

namespace fault
{

namespace
{

std::atomic<int> armed{ 0 };
std::atomic<long> left{ 0 };
std::atomic<bool> lasts{ false }, fired{ false };
std::atomic<long> mapped{ 0 };
std::mutex lock;

/* Never destroyed: blocks are freed until the very end of the process. */
std::unordered_set<void *> &Live()
{
	static auto *live = new std::unordered_set<void *>;

	return *live;
}

} // namespace

void Arm(int kinds, long n, bool lasting)
{
	left = n;
	lasts = lasting;
	fired = false;
	armed = kinds;
}

bool Disarm()
{
	armed = 0;
	return fired;
}

long Blocks()
{
	std::lock_guard<std::mutex> l(lock);

	return (long)Live().size();
}

long MappedBytes()
{
	return mapped;
}

bool Fails(int kind)
{
	if (!(armed & kind))
		return false;
	long n = --left;
	bool fails = n == 0 || (n < 0 && lasts);
	if (fails)
		fired = true;
	return fails;
}

void *Note(void *p)
{
	if (p) {
		std::lock_guard<std::mutex> l(lock);

		Live().insert(p);
	}
	return p;
}

void Forget(void *p)
{
	std::lock_guard<std::mutex> l(lock);

	Live().erase(p);
}

void NoteMapped(long bytes)
{
	mapped += bytes;
}

} // namespace fault

extern "C" {

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void *__real_aligned_alloc(size_t, size_t);
int __real_posix_memalign(void **, size_t, size_t);
void __real_free(void *);
void *__real_mmap(void *, size_t, int, int, int, off_t);
int __real_munmap(void *, size_t);
int __real_pthread_create(pthread_t *, const pthread_attr_t *,
			  void *(*)(void *), void *);

void *__wrap_malloc(size_t n)
{
	if (fault::Fails(fault::kMalloc)) {
		errno = ENOMEM;
		return nullptr;
	}
	return fault::Note(__real_malloc(n));
}

void *__wrap_calloc(size_t n, size_t size)
{
	if (fault::Fails(fault::kMalloc)) {
		errno = ENOMEM;
		return nullptr;
	}
	return fault::Note(__real_calloc(n, size));
}

void *__wrap_realloc(void *old, size_t n)
{
	if (fault::Fails(fault::kMalloc)) {
		errno = ENOMEM;
		return nullptr;
	}
	/* Forgotten first: once it is free, another thread may get it. */
	fault::Forget(old);
	return fault::Note(__real_realloc(old, n));
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
	if (fault::Fails(fault::kMalloc)) {
		errno = ENOMEM;
		return nullptr;
	}
	return fault::Note(__real_aligned_alloc(align, n));
}

int __wrap_posix_memalign(void **p, size_t align, size_t n)
{
	if (fault::Fails(fault::kMalloc))
		return ENOMEM;
	int r = __real_posix_memalign(p, align, n);
	if (r == 0)
		fault::Note(*p);
	return r;
}

void __wrap_free(void *p)
{
	if (p)
		fault::Forget(p);
	__real_free(p);
}

void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t off)
{
	if (fault::Fails(fault::kMmap)) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	void *p = __real_mmap(at, n, prot, flags, fd, off);
	if (p != MAP_FAILED && !(flags & MAP_FIXED))
		fault::NoteMapped((long)n);
	return p;
}

int __wrap_munmap(void *p, size_t n)
{
	int r = __real_munmap(p, n);

	if (r == 0)
		fault::NoteMapped(-(long)n);
	return r;
}

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr,
			  void *(*fn)(void *), void *arg)
{
	if (fault::Fails(fault::kThread))
		return EAGAIN;
	return __real_pthread_create(t, attr, fn, arg);
}
}
