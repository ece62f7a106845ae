#include "viz/report/kernel_report.h"

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

static struct val *hops_json(const struct nftrace *t, struct arena *a)
{
	struct val *list = val_new(a, VAL_LIST);

	for (uint32_t k = 0; k < t->nr; k++) {
		const struct traced *e = &t->v[k];
		struct val *v = val_add(a, list, val_new(a, VAL_MAP));

		val_put(a, v, "seq", val_int(a, k + 1));
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

struct val *kernel_json(struct world *w, const struct answer *answer, const struct dial *d, const struct nftrace *t, struct arena *a)
{
	struct val *v = trace_json(w, answer, a), *list = val_new(a, VAL_LIST), *o = val_add(a, list, val_new(a, VAL_MAP)), *end;
	bool connected = d->end == DIAL_CONNECTED, known = connected && ip_set(d->end_ip);

	val_put(a, o, "probability", val_int(a, 1));
	val_put(a, o, "verdict", val_string(a, d->end == DIAL_CONNECTED ? "delivered" : d->end == DIAL_REFUSED ? "refused" : d->end == DIAL_UNREACHABLE ? "unroutable" : "dropped"));
	val_put(a, o, "answered", val_bool(a, connected));
	val_put(a, o, "assumed", val_bool(a, false));
	end = val_put(a, o, "endpoint", known ? val_new(a, VAL_MAP) : val_new(a, VAL_NULL));
	if (known) {
		const char *slash = strchr(d->who, '/');

		val_put(a, end, "ip", val_string(a, IP(d->end_ip)));
		val_put(a, end, "port", val_int(a, d->end_port));
		val_put(a, end, "namespace", slash ? val_string(a, arena_strndup(a, d->who, (size_t)(slash - d->who))) : val_new(a, VAL_NULL));
		val_put(a, end, "pod", val_string(a, slash ? slash + 1 : d->who));
		val_put(a, end, "container", val_string(a, d->container));
	}
	end = val_put(a, o, "sourceSeen", known ? val_new(a, VAL_MAP) : val_new(a, VAL_NULL));
	if (known)
		val_put(a, end, "ip", val_string(a, IP(d->seen)));
	val_put(a, o, "masqueraded", val_bool(a, known && !ip_eq(d->seen, d->own)));
	val_put(a, o, "http", val_new(a, VAL_NULL));
	val_put(a, o, "reason", val_string(a, arena_printf(a, "the kernel: %s%s%s", dial_end_names[d->end], d->error ? ": " : "", d->error ? strerror(d->error) : "")));
	val_put(a, o, "hops", hops_json(t, a));
	val_put(a, v, "outcomes", list);
	return v;
}

static bool ends_with(const char *text, const char *end)
{
	return text && strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

void kernel_text(const struct dial *d, const struct nftrace *t, struct sb *out)
{
	struct arena *a = arena_new(NULL, "kernel");
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
	sb_printf(out, "→ %s", dial_end_names[d->end]);
	if (d->end == DIAL_CONNECTED && ip_set(d->end_ip))
		sb_printf(out, " at %s by %s, which sees %s", end_text(a, d->end_ip, d->end_port), d->who, end_text(a, d->seen, d->seen_port));
	if (d->error)
		sb_printf(out, " (%s)", strerror(d->error));
	sb_addc(out, '\n');
	arena_free(a);
}
