/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_dial.c - how a client connects unless told otherwise: TCP.
 */
#include <stdio.h>
#include <string.h>
#include <wend/std/net.h>
#include "stdlib/net/http/client.h"

int wend__http_dial(void *arg, const char *host, const char *port, bool tls,
		    int64_t deadline, wend_conn **conn)
{
	bool v6 = strchr(host, ':') != NULL;
	char address[300];
	int n;

	if (tls)
		return -EPROTONOSUPPORT;
	n = snprintf(address, sizeof(address), "%s%s%s:%s", v6 ? "[" : "", host,
		     v6 ? "]" : "", port);
	if ((size_t)n >= sizeof(address))
		return -EINVAL;
	return wend_net_dial(conn, address, deadline, NULL);
}
