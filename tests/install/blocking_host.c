/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocking_host.c - runs blocking.c: linked to it, or (LOAD) from the library
 * that the first argument names.
 */
#include <dlfcn.h>
#include <stdio.h>

#ifdef LOAD
int main(int argc, char **argv)
{
	void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
	int (*run)(void) = library ? dlsym(library, "blocking_run") : NULL;

	if (run)
		return run();
	fprintf(stderr, "%s\n", dlerror());
	return 1;
}
#else
int blocking_run(void);

int main(void)
{
	return blocking_run();
}
#endif
