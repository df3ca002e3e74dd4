/* SPDX-License-Identifier: Apache-2.0 */
/*
 * membarrier_test.cc - the asymmetric fence: never do both sides miss the
 * other's store, with the kernel's help and without; a kernel that refuses
 * is told at init, one that stops later is an end with one line.
 */
#include "compiler-rt/membarrier.h"

#include "compiler-rt/syscall.h"

#include <gtest/gtest.h>

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <thread>

namespace {

/* Returns in how many of the rounds both sides missed. */
int both_missed(uint32_t rounds)
{
	struct side {
		alignas(64) uint32_t flag = 0;
		alignas(64) uint32_t at = 0;
		uint32_t seen = 0;
	} side[2];
	int missed = 0;

	auto meet = [&](int me, uint32_t round) {
		a32_store_release(&side[me].at, round);
		while (a32_load_acquire(&side[!me].at) < round)
			cpu_relax();
	};
	auto run = [&](int me) {
		for (uint32_t k = 1; k <= rounds; k++) {
			meet(me, 3 * k);
			a32_store_relaxed(&side[me].flag, k);
			if (me == 0)
				wend__fence_light();
			else
				wend__fence_heavy();
			side[me].seen = a32_load_relaxed(&side[!me].flag);
			meet(me, 3 * k + 1);
			if (me == 0 && side[0].seen != k && side[1].seen != k)
				missed++;
			meet(me, 3 * k + 2);
		}
	};
	std::thread other(run, 1);

	run(0);
	other.join();
	return missed;
}

TEST(Membarrier, FullFencesWithoutTheKernel)
{
	/* As it is before init. */
	a32_store_release(&wend__membarrier_on, 0);
	EXPECT_EQ(both_missed(5000), 0);
}

TEST(Membarrier, LightAgainstHeavy)
{
	int ret = wend__membarrier_init();

	if (ret < 0)
		GTEST_SKIP() << "no expedited membarrier: " << strerror(-ret);
	ASSERT_EQ(wend__membarrier_on, 1u);
	EXPECT_EQ(wend__membarrier_init(), 0);
	EXPECT_EQ(both_missed(5000), 0);
}

/* From now on membarrier is not permitted to this process. */
bool forbid_membarrier(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST(MembarrierDeathTest, RefusedAtInitFallsBack)
{
	EXPECT_EXIT(
		{
			a32_store_release(&wend__membarrier_on, 0);
			if (!forbid_membarrier())
				_exit(77);
			if (wend__membarrier_init() != -EPERM)
				_exit(1);
			if (wend__membarrier_on)
				_exit(2);
			_exit(both_missed(1000) ? 3 : 0);
		},
		[](int status) {
			return WIFEXITED(status) &&
			       (WEXITSTATUS(status) == 0 ||
				WEXITSTATUS(status) == 77);
		},
		"");
}

TEST(MembarrierDeathTest, RefusedLaterIsTheEnd)
{
	if (wend__membarrier_init() < 0)
		GTEST_SKIP() << "no expedited membarrier";
	EXPECT_DEATH(
		{
			if (!forbid_membarrier()) {
				fprintf(stderr, "membarrier stopped working: "
						"not tried, no seccomp\n");
				_exit(1);
			}
			wend__fence_heavy();
		},
		"membarrier stopped working");
}

} // namespace
