#include "viz/report/kernel_report.h"

#include <stdlib.h>

#include "viz/report/trace_report.h"

static const char *end_text(struct arena *a, ip_addr ip, uint16_t port)
{
	return arena_printf(a, ip_is4(ip) ? "%s:%u" : "[%s]:%u", IP(ip), port);
}

static const char *stage_of(const struct traced *e)
{
	static const char *const stages[] = { "prerouting", "input", "forward", "output", "postrouting" };
	static const struct { const char *chain, *stage; } own[] = { { "pre", "prerouting" }, { "in", "input" }, { "out", "output" }, { "post", "postrouting" } };

	for (size_t k = 0; strcmp(e->table, "inet pwtrace") == 0 && k < ARRAY_LEN(own); k++)
		if (strcmp(e->chain, own[k].chain) == 0)
			return own[k].stage;
	for (size_t k = 0; k < ARRAY_LEN(stages); k++)
		if (strcasestr(e->chain, stages[k]))
			return stages[k];
	return e->oif && e->iif ? "forward" : e->oif ? "output" : "prerouting";
}

static struct val *packet_json(const struct traced *e, struct arena *a)
{
	struct val *v = val_new(a, VAL_MAP);

	val_put(a, v, "src", val_string(a, end_text(a, e->src, e->sport)));
	val_put(a, v, "dst", val_string(a, end_text(a, e->dst, e->dport)));
	val_put(a, v, "mark", val_int(a, e->mark));
	return v;
}

static struct val *hops_json(const struct nftrace *t, uint32_t from, uint32_t to, struct arena *a)
{
	struct val *list = val_new(a, VAL_LIST);

	for (uint32_t k = from; k < to; k++) {
		const struct traced *e = &t->v[k];
		struct val *v = val_add(a, list, val_new(a, VAL_MAP));

		val_put(a, v, "seq", val_int(a, k - from + 1));
		val_put(a, v, "netns", val_string(a, e->space->name));
		val_put(a, v, "interface", e->oif || e->iif ? val_string(a, e->oif ? e->oif : e->iif) : val_new(a, VAL_NULL));
		val_put(a, v, "stage", val_string(a, stage_of(e)));
		val_put(a, v, "decision", val_string(a, arena_printf(a, "%s in %s %s", e->verdict, e->table, e->chain)));
		val_put(a, v, "rule", e->rule ? val_string(a, e->rule) : val_new(a, VAL_NULL));
		val_put(a, v, "before", packet_json(e, a));
		val_put(a, v, "after", val_new(a, VAL_MAP));
		val_put(a, v, "causes", val_new(a, VAL_LIST));
	}
	return list;
}

/* What an outcome of the kernel has whatever was asked. */
static struct val *outcome_json(struct val *list, enum dial_end how, bool answered, struct arena *a)
{
	struct val *o = val_add(a, list, val_new(a, VAL_MAP));

	val_put(a, o, "probability", val_int(a, 1));
	val_put(a, o, "verdict", val_string(a, how == DIAL_CONNECTED ? (answered ? "delivered" : "rejected") : how == DIAL_REFUSED ? "refused" : how == DIAL_UNREACHABLE ? "unroutable" : "dropped"));
	val_put(a, o, "answered", val_bool(a, answered));
	val_put(a, o, "assumed", val_bool(a, false));
	return o;
}

static void put_endpoint(struct val *o, const char *ip, uint16_t port, const char *who, const char *container, struct arena *a)
{
	struct val *end = val_put(a, o, "endpoint", val_new(a, VAL_MAP));
	const char *slash = strchr(who, '/');

	val_put(a, end, "ip", val_string(a, ip));
	val_put(a, end, "port", val_int(a, port));
	val_put(a, end, "namespace", slash ? val_string(a, arena_strndup(a, who, (size_t)(slash - who))) : val_new(a, VAL_NULL));
	val_put(a, end, "pod", val_string(a, slash ? slash + 1 : who));
	val_put(a, end, "container", val_string(a, container));
}

struct val *kernel_json(struct world *w, const struct answer *answer, const struct dial *d, const struct nftrace *t, struct arena *a)
{
	bool connected = d->end == DIAL_CONNECTED, known = connected && ip_set(d->end_ip);
	struct val *v = trace_json(w, answer, a), *list = val_new(a, VAL_LIST), *o = outcome_json(list, d->end, connected, a), *seen;

	if (known)
		put_endpoint(o, arena_strdup(a, IP(d->end_ip)), d->end_port, d->who, d->container, a);
	else
		val_put(a, o, "endpoint", val_new(a, VAL_NULL));
	seen = val_put(a, o, "sourceSeen", known ? val_new(a, VAL_MAP) : val_new(a, VAL_NULL));
	if (known)
		val_put(a, seen, "ip", val_string(a, IP(d->seen)));
	val_put(a, o, "masqueraded", val_bool(a, known && !ip_eq(d->seen, d->own)));
	val_put(a, o, "http", val_new(a, VAL_NULL));
	val_put(a, o, "reason", val_string(a, arena_printf(a, "the kernel: %s%s%s", dial_end_names[d->end], d->error ? ": " : "", d->error ? strerror(d->error) : "")));
	val_put(a, o, "hops", hops_json(t, 0, t->nr, a));
	val_put(a, v, "outcomes", list);
	return v;
}

/* ---- a request */

/* "10.0.0.1:80" or "[fd00::1]:80" */
static bool split_end(const char *text, const char **ip, uint16_t *port, struct arena *a)
{
	const char *colon = text ? strrchr(text, ':') : NULL;

	if (!colon || (*text == '[' && (colon < text + 2 || colon[-1] != ']')))
		return false;
	*ip = *text == '[' ? arena_strndup(a, text + 1, (size_t)(colon - text) - 2) : arena_strndup(a, text, (size_t)(colon - text));
	*port = (uint16_t)strtoul(colon + 1, NULL, 10);
	return true;
}

/* What the backend says that it has seen (an echo of podwire's servers), and what came back. */
static struct val *http_json(const struct http_dial *d, const struct val *echo, struct arena *a)
{
	struct val *v = val_new(a, VAL_MAP), *message;
	const char *location = http_dial_header(d, "Location", a);
	char *save = NULL;

	val_put(a, v, "status", val_int(a, d->status));
	if (location)
		val_put(a, v, "location", val_string(a, location));
	message = val_put(a, v, "request", val_new(a, VAL_MAP));
	if (val_str_at(echo, "path"))
		val_put(a, message, "path", val_string(a, val_str_at(echo, "path")));
	message = val_put(a, message, "headers", val_new(a, VAL_MAP));
	VAL_EACH(h, val_get(echo, "headers"))
		val_put(a, message, h->key, val_string(a, val_str(h) ? val_str(h) : ""));
	message = val_put(a, val_put(a, v, "response", val_new(a, VAL_MAP)), "headers", val_new(a, VAL_MAP));
	for (char *line = strtok_r(arena_strdup(a, d->head), "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save)) {
		char *colon = strchr(line, ':');

		if (!colon || strncmp(line, "HTTP/", 5) == 0)
			continue;
		*colon = '\0';
		val_put(a, message, line, val_string(a, colon + 1 + strspn(colon + 1, " ")));
	}
	return v;
}

static const struct val *echo_of(const struct http_dial *d, struct arena *a)
{
	struct err none = { 0 };
	const struct val *echo = *d->body == '{' ? json_parse(a, "echo", d->body, strlen(d->body), NULL, &none) : NULL;

	err_free(&none);
	return echo;
}

/* The events of each connection: a packet that begins somewhere passes the output hook there. */
static uint32_t next_connection(const struct nftrace *t, uint32_t from)
{
	uint32_t k = from + 1;

	while (k < t->nr && (strcmp(t->v[k].table, "inet pwtrace") != 0 || strcmp(t->v[k].chain, "out") != 0))
		k++;
	return MIN(k, t->nr);
}

static void put_connections(struct val *o, const struct nftrace *t, struct arena *a)
{
	uint32_t from[4] = { 0 }, nr = 1, end = next_connection(t, 0);
	bool local;

	val_put(a, o, "hops", hops_json(t, 0, end, a));
	for (; end < t->nr && nr < ARRAY_LEN(from); end = next_connection(t, end))
		from[nr++] = end;
	if (nr == 1)
		return;
	local = ip_is_loopback(t->v[from[nr - 1]].src);         /* a receiving sidecar to its application */
	if (local)
		val_put(a, o, "applicationHops", hops_json(t, from[nr - 1], end, a));
	if (nr > 1u + local)
		val_put(a, o, "backendHops", hops_json(t, from[nr - 1 - local], local ? from[nr - 1] : end, a));
	if (nr > 2u + local)
		val_put(a, o, "nextProxyHops", hops_json(t, from[1], from[2], a));
}

struct val *kernel_http_json(struct world *w, const struct answer *answer, const struct http_dial *d, const struct nftrace *t, struct arena *a)
{
	struct val *v = trace_json(w, answer, a), *list = val_new(a, VAL_LIST), *o = outcome_json(list, d->end, d->status != 0, a), *seen;
	const struct val *echo = echo_of(d, a);
	const char *who = http_dial_header(d, "X-Pod", a), *ip;
	uint16_t port;

	if (who && split_end(val_str_at(echo, "local"), &ip, &port, a))
		put_endpoint(o, ip, port, who, val_str_at(echo, "container") ? val_str_at(echo, "container") : "", a);
	else
		val_put(a, o, "endpoint", val_new(a, VAL_NULL));
	if (split_end(val_str_at(echo, "peer"), &ip, &port, a)) {
		seen = val_put(a, o, "sourceSeen", val_new(a, VAL_MAP));
		val_put(a, seen, "ip", val_string(a, ip));
	} else {
		val_put(a, o, "sourceSeen", val_new(a, VAL_NULL));
	}
	val_put(a, o, "http", d->status ? http_json(d, echo, a) : val_new(a, VAL_NULL));
	val_put(a, o, "reason", val_string(a, arena_printf(a, "the kernel: %s%s%s", d->status ? "answered" : d->end == DIAL_CONNECTED ? "connected, and no answer came" : dial_end_names[d->end],
							   d->error ? ": " : "", d->error ? strerror(d->error) : "")));
	put_connections(o, t, a);
	val_put(a, v, "outcomes", list);
	return v;
}

static bool ends_with(const char *text, const char *end)
{
	return text && strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

static void events_text(const struct nftrace *t, struct arena *a, struct sb *out)
{
	const struct traced *last = NULL;

	for (uint32_t k = 0; k < t->nr; k++) {
		const struct traced *e = &t->v[k];

		if (!last || last->space != e->space || !ip_eq(last->dst, e->dst) || !ip_eq(last->src, e->src) || last->dport != e->dport)
			sb_printf(out, "  %-28s %s to %s%s%s%s%s\n", e->space->name, end_text(a, e->src, e->sport), end_text(a, e->dst, e->dport), e->iif ? ", in by " : "", e->iif ? e->iif : "",
				  e->oif ? ", out by " : "", e->oif ? e->oif : "");
		if (strcmp(e->table, "inet pwtrace") == 0)
			sb_printf(out, "    %s\n", stage_of(e));
		else
			sb_printf(out, "    %s %s: %s%s%s\n", e->table, e->chain, e->rule ? e->rule : "policy", ends_with(e->rule, e->verdict) ? "" : " → ", ends_with(e->rule, e->verdict) ? "" : e->verdict);
		last = e;
	}
	if (t->lost)
		sb_add(out, "  (some events were lost: the kernel had more than could be read)\n");
}

void kernel_text(const struct dial *d, const struct nftrace *t, struct sb *out)
{
	struct arena *a = arena_new(NULL, "kernel");

	events_text(t, a, out);
	sb_printf(out, "→ %s", dial_end_names[d->end]);
	if (d->end == DIAL_CONNECTED && ip_set(d->end_ip))
		sb_printf(out, " at %s by %s, which sees %s", end_text(a, d->end_ip, d->end_port), d->who, end_text(a, d->seen, d->seen_port));
	if (d->error)
		sb_printf(out, " (%s)", strerror(d->error));
	sb_addc(out, '\n');
	arena_free(a);
}

/* What came over the network, line by line. */
static void lines_text(const char *text, const char *before, struct arena *a, struct sb *out)
{
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		sb_add(out, line == text ? before : "  ");
		sb_add_shown(out, arena_strndup(a, line, strcspn(line, "\r\n")), false);
		sb_addc(out, '\n');
	}
}

void kernel_http_text(const struct http_dial *d, const struct nftrace *t, struct sb *out)
{
	struct arena *a = arena_new(NULL, "kernel");

	events_text(t, a, out);
	if (!d->status)
		sb_printf(out, "→ %s%s%s%s\n", d->end == DIAL_CONNECTED ? "connected, and no answer came" : dial_end_names[d->end], d->error ? " (" : "", d->error ? strerror(d->error) : "",
			  d->error ? ")" : "");
	if (d->status) {
		lines_text(d->head, "→ ", a, out);
		lines_text(d->body, "  ", a, out);
	}
	arena_free(a);
}
