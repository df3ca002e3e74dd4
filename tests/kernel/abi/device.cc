// SPDX-License-Identifier: Apache-2.0
//
// device.cc - the device, before anybody is registered.

#include <sys/resource.h>

#include "tests/kernel/abi/abi.h"

namespace
{

CASE(Device, TellsItsVersion)
{
	Domain d;

	CHECK(ioctl(d.fd, UMCG_IOC_VERSION) == UMCG_ABI_VERSION);
	CHECK(Fails(ioctl(d.fd, _IO(UMCG_IOC_MAGIC, 99)), ENOTTY));
}

CASE(Device, ArenaIsSharedMemoryOfOneSize)
{
	Domain d;
	const int rw = PROT_READ | PROT_WRITE;

	d.base[100] = 42;
	char *again = (char *)mmap(nullptr, d.SIZE, rw, MAP_SHARED, d.fd, 0);
	CHECK(again != MAP_FAILED && again[100] == 42);
	CHECK(mmap(nullptr, d.SIZE, rw, MAP_PRIVATE, d.fd, 0) == MAP_FAILED);
	CHECK(errno == EINVAL);
	CHECK(mmap(nullptr, d.SIZE / 2, rw, MAP_SHARED, d.fd, 0) == MAP_FAILED);
	CHECK(errno == EINVAL);
	CHECK(mmap(nullptr, d.SIZE, rw, MAP_SHARED, d.fd, 4096) == MAP_FAILED);
	CHECK(errno == EINVAL);
	CHECK(mremap(again, d.SIZE, d.SIZE * 2, MREMAP_MAYMOVE) == MAP_FAILED);

	int fd = open("/dev/umcg", O_RDWR);
	CHECK(mmap(nullptr, 128 << 20, rw, MAP_SHARED, fd, 0) == MAP_FAILED);
	CHECK(errno == EINVAL);
}

CASE(Device, ArenaCountsAsLockedMemory)
{
	const rlimit none = { 65536, 65536 };
	int fd = open("/dev/umcg", O_RDWR);

	CHECK(fd >= 0);
	CHECK(setrlimit(RLIMIT_MEMLOCK, &none) == 0);
	CHECK(setuid(1000) == 0);
	CHECK(mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   0) == MAP_FAILED);
	CHECK(errno == ENOMEM);
	CHECK(mmap(nullptr, 1 << 14, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   0) != MAP_FAILED);
}

} // namespace
