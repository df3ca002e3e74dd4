/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.c - a library that knows nothing of tasks: it reads, and locks.
 */
#include <pthread.h>
#include <unistd.h>

int reader_get(int fd);
void reader_wait(void);
void reader_wake(void);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int woken;

int reader_get(int fd)
{
	unsigned char b;

	return read(fd, &b, 1) == 1 ? b : -1;
}

void reader_wait(void)
{
	pthread_mutex_lock(&lock);
	while (!woken)
		pthread_cond_wait(&cond, &lock);
	pthread_mutex_unlock(&lock);
}

void reader_wake(void)
{
	pthread_mutex_lock(&lock);
	woken = 1;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&lock);
}
