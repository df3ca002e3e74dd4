/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.c - what a client can say.
 *
 * Answers begin with "* ", or "! " when something cannot be done.
 */
#include "examples/chat/chat.h"

struct command {
	const char *name;
	const char *args;
	void (*run)(struct client *c, wend_str args);
};

static void say(struct client *c, const char *text)
{
	hall_answer(c, line_new("%s", text));
}

static void run_nick(struct client *c, wend_str nick)
{
	if (!hall_is_name(nick))
		say(c, "! a nick has 1 to 20 letters, digits, '-' or '_'");
	else if (hall_rename(c, nick) != 0)
		say(c, "! that nick is taken");
}

static void run_join(struct client *c, wend_str room)
{
	if (!hall_is_name(room))
		say(c, "! a room has 1 to 20 letters, digits, '-' or '_'");
	else if (hall_join(c, room) != 0)
		say(c, "! no memory for another room");
}

static void run_leave(struct client *c, wend_str args)
{
	(void)args;
	say(c, hall_part(c) == 0 ? "* you have left" : "! you are in no room");
}

static void run_list(struct client *c, wend_str args)
{
	(void)args;
	hall_list(c);
}

static void run_who(struct client *c, wend_str args)
{
	(void)args;
	if (hall_who(c) != 0)
		say(c, "! you are in no room");
}

static void run_msg(struct client *c, wend_str args)
{
	wend_str nick, text;

	wend_str_cut(args, WEND_STR(" "), &nick, &text);
	text = wend_str_trim(text);
	if (text.len == 0)
		say(c, "! say /msg NICK TEXT");
	else if (hall_tell(c, nick, text) != 0)
		say(c, "! nobody has that nick");
}

static void run_quit(struct client *c, wend_str args)
{
	(void)args;
	say(c, "* bye");
	c->quits = true;
}

static void run_help(struct client *c, wend_str args);

static const struct command commands[] = {
	{ "help", "", run_help },         { "nick", " NAME", run_nick },
	{ "join", " ROOM", run_join },    { "leave", "", run_leave },
	{ "list", "", run_list },         { "who", "", run_who },
	{ "msg", " NICK TEXT", run_msg }, { "quit", "", run_quit },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void run_help(struct client *c, wend_str args)
{
	(void)args;
	for (size_t i = 0; i < COMMANDS; i++)
		hall_answer(c, line_new("* /%s%s", commands[i].name,
					commands[i].args));
}

void command_run(struct client *c, wend_str line)
{
	wend_str name, args;

	line = wend_str_trim(line);
	if (line.len == 0)
		return;
	if (line.ptr[0] != '/') {
		if (hall_say(c, line) != 0)
			say(c, "! you are in no room; /join one");
		return;
	}
	wend_str_cut(wend_str_sub(line, 1, line.len), WEND_STR(" "), &name,
		     &args);
	for (size_t i = 0; i < COMMANDS; i++)
		if (wend_str_equal(name, wend_str_from(commands[i].name))) {
			commands[i].run(c, wend_str_trim(args));
			return;
		}
	say(c, "! no such command; /help says what there is");
}
