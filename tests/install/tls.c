/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls.c - a user's program of libwend-tls: a client greets a peer that does not
 * speak TLS, and is told so. (A handshake that succeeds needs a certificate.)
 */
#include <stdio.h>
#include <wend/std/tls.h>
#include <wend/wend.h>

WEND_TASK(say_hello, (wend_conn *, peer))
{
	if (wend_conn_write(peer, "hello\n", 6) != 6)
		puts("cannot write");
}

static int app(int argc, char **argv)
{
	const wend_tls_opts opts = { .insecure = true };
	wend_tls_config *config, *none;
	wend_conn *pair[2], *c;
	int answer = 0;

	(void)argc;
	(void)argv;
	if (wend_tls_config_server(&none, NULL) != -EINVAL ||
	    wend_tls_config_client(&config, &opts) || wend_net_pair(pair) ||
	    wend_tls_client(&c, config, pair[0], NULL) ||
	    wend_go(say_hello, pair[1]))
		return 1;
	if (wend_tls_handshake(c, wend_after(60 * WEND_SECOND)) == -EPROTO &&
	    wend_tls_error(c)[0])
		answer = 42;
	wend_conn_free(c);
	wend_conn_free(pair[1]);
	wend_tls_config_free(config);
	printf("wend %s: %d\n", wend_version(), answer);
	return 0;
}

int main(int argc, char **argv)
{
	return wend_main(app, argc, argv);
}
