/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_server.c - commands on the server and the connection: PING, INFO ...
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "examples/kv/client.h"
#include "examples/kv/glob.h"
#include "examples/kv/server.h"

static const char *const fsync_names[] = { "always", "everysec", "no" };

static void cmd_ping(struct kv_call *c)
{
	if (c->argc > 2) {
		kv_reply_error(c->out,
			       "ERR wrong number of arguments for 'ping' "
			       "command");
	} else if (kv_listening(&c->client->listener)) {
		kv_reply_array(c->out, 2);
		kv_reply_text(c->out, "pong");
		kv_reply_bulk(c->out, c->argc > 1 ? c->argv[1].p : "",
			      c->argc > 1 ? c->argv[1].n : 0);
	} else if (c->argc > 1) {
		kv_reply_bulk(c->out, c->argv[1].p, c->argv[1].n);
	} else {
		kv_reply_simple(c->out, "PONG");
	}
}

static void cmd_echo(struct kv_call *c)
{
	kv_reply_bulk(c->out, c->argv[1].p, c->argv[1].n);
}

static void cmd_select(struct kv_call *c)
{
	int64_t n;

	if (!kv_call_int(c, 1, &n))
		return;
	if (n == 0)
		kv_reply_simple(c->out, "OK");
	else
		kv_reply_error(c->out, "ERR DB index is out of range");
}

static void cmd_quit(struct kv_call *c)
{
	kv_reply_simple(c->out, "OK");
	c->client->closing = true;
}

static void cmd_shutdown(struct kv_call *c)
{
	c->client->closing = true;
	kv_server_stop();
}

static void cmd_time(struct kv_call *c)
{
	int64_t ms = kv_now_ms();
	char text[KV_INT_TEXT];

	kv_reply_array(c->out, 2);
	kv_reply_bulk(c->out, text, kv_int_text(text, ms / 1000));
	kv_reply_bulk(c->out, text, kv_int_text(text, ms % 1000 * 1000));
}

static void cmd_bgrewriteaof(struct kv_call *c)
{
	int err = kv_log_rewrite();

	if (err == 0)
		kv_reply_simple(c->out, "Background append only file "
					"rewriting started");
	else if (err == -EALREADY)
		kv_reply_error(c->out, "ERR Background append only file "
				       "rewriting already in progress");
	else
		kv_reply_error(c->out, "ERR there is no append only file");
}

/* --- INFO ---------------------------------------------------------------- */

static void info_server(struct kv_buf *b, char *line, size_t size)
{
	struct kv_server_facts f;

	kv_server_facts(&f);
	kv_buf_put(b, line,
		   (size_t)snprintf(line, size,
				    "# Server\r\n"
				    "redis_version:" KV_VERSION "\r\n"
				    "server_name:wend-kv\r\n"
				    "wend_version:%s\r\n"
				    "wend_procs:%d\r\n"
				    "process_id:%d\r\n"
				    "tcp_port:%ld\r\n"
				    "uptime_in_seconds:%" PRId64 "\r\n\r\n"
				    "# Clients\r\n"
				    "connected_clients:%" PRIu64 "\r\n"
				    "maxclients:%ld\r\n\r\n",
				    wend_version(), wend_procs(), getpid(),
				    kv_options.port,
				    (wend_now() - f.started) / WEND_SECOND,
				    f.clients, kv_options.max_clients));
}

static void info_log(struct kv_buf *b, char *line, size_t size)
{
	struct kv_log_facts f;

	kv_log_facts(&f);
	kv_buf_put(b, line,
		   (size_t)snprintf(line, size,
				    "# Persistence\r\n"
				    "loading:0\r\n"
				    "aof_enabled:%d\r\n"
				    "aof_rewrite_in_progress:%d\r\n"
				    "aof_last_write_status:%s\r\n"
				    "aof_current_size:%" PRIu64 "\r\n"
				    "aof_base_size:%" PRIu64 "\r\n"
				    "aof_buffer_length:%" PRIu64 "\r\n"
				    "aof_rewrites:%" PRIu64 "\r\n"
				    "aof_rewrites_restarted:%" PRIu64
				    "\r\n\r\n",
				    kv_log_on(), f.rewriting,
				    f.error ? strerror(-f.error) : "ok", f.size,
				    f.base, f.pending, f.rewrites, f.restarts));
}

static void info_stats(struct kv_buf *b, char *line, size_t size)
{
	struct kv_server_facts f;
	size_t channels, patterns;

	kv_server_facts(&f);
	kv_pubsub_count(&channels, &patterns);
	kv_buf_put(b, line,
		   (size_t)snprintf(line, size,
				    "# Stats\r\n"
				    "total_connections_received:%" PRIu64 "\r\n"
				    "total_commands_processed:%" PRIu64 "\r\n"
				    "rejected_connections:%" PRIu64 "\r\n"
				    "pubsub_channels:%zu\r\n"
				    "pubsub_patterns:%zu\r\n\r\n",
				    f.accepted, f.commands, f.refused, channels,
				    patterns));
}

static void info_keys(struct kv_call *c, struct kv_buf *b, char *line,
		      size_t size)
{
	size_t keys = 0, volatiles = 0;

	for (int i = 0; i < KV_SHARDS; i++) {
		struct kv_shard *s = &kv_shards[i];

		if (!c->in_exec)
			wend_mutex_lock(&s->lock);
		keys += HASH_COUNT(s->entries);
		volatiles += s->volatiles;
		if (!c->in_exec)
			wend_mutex_unlock(&s->lock);
	}
	kv_buf_put(b, line, (size_t)snprintf(line, size, "# Keyspace\r\n"));
	if (keys > 0)
		kv_buf_put(b, line,
			   (size_t)snprintf(line, size,
					    "db0:keys=%zu,expires=%zu\r\n",
					    keys, volatiles));
}

static bool wants(const struct kv_call *c, const char *section)
{
	bool all = c->argc == 1;

	for (int i = 1; i < c->argc; i++)
		all |= kv_arg_is(&c->argv[i], section) ||
		       kv_arg_is(&c->argv[i], "all") ||
		       kv_arg_is(&c->argv[i], "default") ||
		       kv_arg_is(&c->argv[i], "everything");
	return all;
}

static void cmd_info(struct kv_call *c)
{
	struct kv_buf b = { 0 };
	char line[1024];

	if (wants(c, "server") || wants(c, "clients"))
		info_server(&b, line, sizeof(line));
	if (wants(c, "persistence"))
		info_log(&b, line, sizeof(line));
	if (wants(c, "stats"))
		info_stats(&b, line, sizeof(line));
	if (wants(c, "keyspace"))
		info_keys(c, &b, line, sizeof(line));
	kv_reply_bulk(c->out, b.data, b.size);
	c->out->failed |= b.failed;
	kv_buf_free(&b);
}

/* --- COMMAND, CONFIG, CLIENT: as far as clients ask for it ---------------- */

static void reply_command(struct kv_buf *b, const struct kv_command *k)
{
	kv_reply_array(b, 6);
	kv_reply_text(b, k->name);
	kv_reply_int(b, k->arity);
	kv_reply_array(b, 1);
	kv_reply_simple(b, k->flags & KV_WRITES ? "write" :
			   k->flags & KV_READS  ? "readonly" :
						  "fast");
	kv_reply_int(b, k->first);
	kv_reply_int(b, k->last);
	kv_reply_int(b, k->step);
}

static void cmd_command(struct kv_call *c)
{
	size_t n = 0;

	while (kv_command_at((int)n) != NULL)
		n++;
	if (c->argc > 1 && kv_arg_is(&c->argv[1], "count")) {
		kv_reply_int(c->out, (int64_t)n);
	} else if (c->argc > 1) {
		kv_reply_array(c->out, 0); /* DOCS and the like */
	} else {
		kv_reply_array(c->out, n);
		for (size_t i = 0; i < n; i++)
			reply_command(c->out, kv_command_at((int)i));
	}
}

static void config_get(struct kv_call *c)
{
	char numbers[4][KV_INT_TEXT + 1];
	const int64_t values[4] = { kv_options.port, kv_options.max_clients,
				    (int64_t)kv_options.max_request,
				    (int64_t)kv_options.output_limit };
	const char *const table[][2] = {
		{ "port", numbers[0] },
		{ "maxclients", numbers[1] },
		{ "client-query-buffer-limit", numbers[2] },
		{ "client-output-buffer-limit", numbers[3] },
		{ "save", "" },
		{ "appendonly", kv_log_on() ? "yes" : "no" },
		{ "appendfsync", fsync_names[kv_options.fsync] },
		{ "databases", "1" },
	};
	struct kv_buf b = { 0 };
	size_t n = 0;

	for (int i = 0; i < 4; i++)
		numbers[i][kv_int_text(numbers[i], values[i])] = '\0';
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct kv_arg name = { table[i][0], strlen(table[i][0]) };

		if (!kv_glob(c->argv[2], name))
			continue;
		kv_reply_text(&b, table[i][0]);
		kv_reply_text(&b, table[i][1]);
		n += 2;
	}
	kv_reply_array(c->out, n);
	kv_buf_put(c->out, b.data, b.size);
	c->out->failed |= b.failed;
	kv_buf_free(&b);
}

static void cmd_config(struct kv_call *c)
{
	if (kv_arg_is(&c->argv[1], "get") && c->argc == 3)
		config_get(c);
	else
		kv_reply_error(c->out, "ERR CONFIG GET is all there is");
}

static void set_name(struct kv_call *c)
{
	struct kv_client *client = c->client;

	if (c->argv[2].n >= sizeof(client->name)) {
		kv_reply_error(c->out, "ERR the name is too long");
		return;
	}
	memcpy(client->name, c->argv[2].p, c->argv[2].n);
	client->name[c->argv[2].n] = '\0';
	kv_reply_simple(c->out, "OK");
}

static void cmd_client(struct kv_call *c)
{
	const struct kv_arg *what = &c->argv[1];

	if (kv_arg_is(what, "id") && c->argc == 2)
		kv_reply_int(c->out, (int64_t)c->client->id);
	else if (kv_arg_is(what, "getname") && c->argc == 2)
		kv_reply_text(c->out, c->client->name);
	else if (kv_arg_is(what, "setname") && c->argc == 3)
		set_name(c);
	else if (kv_arg_is(what, "setinfo") && c->argc == 4)
		kv_reply_simple(c->out, "OK");
	else
		kv_reply_error(c->out, "ERR unknown subcommand of CLIENT");
}

const struct kv_command kv_server_commands[] = {
	{ "ping", cmd_ping, -1, KV_SUBSCRIBED },
	{ "echo", cmd_echo, 2, 0 },
	{ "select", cmd_select, 2, 0 },
	{ "quit", cmd_quit, -1, KV_SUBSCRIBED | KV_AT_ONCE },
	{ "shutdown", cmd_shutdown, -1, KV_AT_ONCE },
	{ "time", cmd_time, 1, 0 },
	{ "bgrewriteaof", cmd_bgrewriteaof, 1, 0 },
	{ "info", cmd_info, -1, KV_WALKS },
	{ "command", cmd_command, -1, 0 },
	{ "config", cmd_config, -2, 0 },
	{ "client", cmd_client, -2, 0 },
	{ NULL },
};
