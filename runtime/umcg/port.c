/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port.c - which port there is, and what all of them share.
 */
#include "runtime/umcg/port.h"

#include <stddef.h>
#include <string.h>

const struct wend__port *wend__port = &wend__port_emul;
__thread struct wend__worker *wend__self;
__thread struct wend__fiber *wend__fiber_now;
unsigned int (*wend__port_stuck)(void);

const struct wend__port *wend__port_find(const char *name)
{
	static const struct wend__port *const all[] = {
		&wend__port_kernel,
		&wend__port_emul,
		&wend__port_sim,
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	return NULL;
}
