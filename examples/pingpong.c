/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pingpong.c - two tasks, two channels, one ball.
 *
 * An unbuffered channel hands its element over: the receiver that waited
 * runs next, on the same CPU, and no kernel is asked. The time per round trip
 * is what two such hand-overs cost.
 */
#include <wend/short.h>
#include "examples/args.h"

static const char usage[] = "usage: pingpong [ROUNDS]\n"
			    "Passes a ball to and fro ROUNDS (1000000) times.\n";

TASK(player, (chan(long), from), (chan(long), to))
{
	long ball;

	while (chan_recv(from, &ball) == 0)
		if (chan_send(to, ball + 1) != 0)
			break;
	chan_close(to);
}

static int app(int argc, char **argv)
{
	long rounds = args_number(argc, argv, usage, 1000000, 1, 1000000000);
	chan(long) ping = must(chan_make(long, 0));
	chan(long) pong = must(chan_make(long, 0));
	int64_t start = wend_now(), took;
	long ball = 0;

	if (go(player, ping, pong) != 0)
		return 1;
	for (long i = 0; i < rounds; i++) {
		chan_send(ping, ball + 1);
		chan_recv(pong, &ball);
	}
	took = wend_now() - start;

	printf("%ld hits in %.1f ms, %.0f ns a round trip\n", ball,
	       (double)took / WEND_MILLISECOND, (double)took / rounds);

	/* The other player sees its channel closed, and closes ours. */
	chan_close(ping);
	while (chan_recv(pong, &ball) != -EPIPE)
		;
	chan_free(ping);
	chan_free(pong);
	return 0;
}

int main(int argc, char **argv)
{
	return wend_main(app, argc, argv);
}
