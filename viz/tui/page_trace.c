/* The answer of `trace -o json` as a page; so one that was saved in a file, or comes from a test, replays the same way. */
#include "viz/tui/data.h"

static const char *text(const struct val *v, const char *key) { return val_str(val_get(v, key)); }

static struct tui_packet packet(const struct val *v)
{
	return (struct tui_packet){ text(v, "src"), text(v, "dst"), (uint32_t)val_int_or(val_get(v, "mark"), 0) };
}

/* What to type on a real node to see what decided. */
static const char *command(struct arena *a, const struct tui_hop *h)
{
	const char *dst = h->before.dst, *end;
	size_t n;

	if (h->chain && (strncmp(h->chain, "iptables ", 9) == 0 || strncmp(h->chain, "ip6tables ", 10) == 0)) {
		const char *table = strchr(h->chain, ' ') + 1;

		return arena_printf(a, "%.*s -t %.*s -S%s", (int)(table - 1 - h->chain), h->chain, (int)strcspn(table, " "), table, table + strcspn(table, " "));
	}
	if (h->chain)
		return arena_printf(a, "nft list chain %s", h->chain);
	if (!dst || !h->stage)
		return NULL;
	if (*dst == '[') {
		dst++;
		end = strchr(dst, ']');
	} else {
		end = strrchr(dst, ':');
	}
	n = end ? (size_t)(end - dst) : strlen(dst);
	if (strcmp(h->stage, "forward") == 0 || strcmp(h->stage, "route") == 0 || strcmp(h->stage, "output") == 0)
		return arena_printf(a, "ip route get %.*s", (int)n, dst);
	if (strcmp(h->stage, "socket") == 0 || strcmp(h->stage, "deliver") == 0)
		return strncmp(h->netns ? h->netns : "", "pod/", 4) == 0 ? "ss -tunap" : "ss -tunlp";
	return "conntrack -L";
}

static void read_causes(struct arena *a, const struct val *list, struct tui_hop *h)
{
	h->why = arena_array(a, struct tui_why, list ? list->nr : 0);
	VAL_EACH(c, list)
		h->why[h->nr_why++] = (struct tui_why){ text(c, "object"), text(c, "path"), text(c, "file"), (uint32_t)val_int_or(val_get(c, "line"), 0) };
}

static void read_hop(struct arena *a, const struct val *v, struct tui_hop *h)
{
	const struct val *considered = val_get(v, "considered"), *after = val_get(v, "after");

	*h = (struct tui_hop){ .netns = text(v, "netns"), .interface = text(v, "interface"), .stage = text(v, "stage"), .decision = text(v, "decision"), .rule = text(v, "rule"),
			       .chain = text(v, "chain"), .ct = text(v, "ct"), .before = packet(val_get(v, "before")) };
	h->netns = h->netns ? h->netns : "";
	h->stage = h->stage ? h->stage : "";
	h->changed = after && after->nr;
	h->after = h->changed ? packet(after) : h->before;
	if (considered) {
		h->considered = arena_array(a, const char *, considered->nr);
		VAL_EACH(c, considered)
			if (val_str(c))
				h->considered[h->nr_considered++] = val_str(c);
	}
	read_causes(a, val_get(v, "causes"), h);
	h->command = command(a, h);
}

static void read_way(struct arena *a, const struct val *hops, const char *name, struct tui_outcome *o)
{
	struct tui_way *w = &o->ways[o->nr_ways];

	if (!hops || !hops->nr || !val_is(hops, VAL_LIST) || o->nr_ways == ARRAY_LEN(o->ways))
		return;
	o->nr_ways++;
	w->name = name;
	w->hops = arena_array(a, struct tui_hop, hops->nr);
	VAL_EACH(h, hops)
		read_hop(a, h, &w->hops[w->nr++]);
}

/* 0.3333… is 1/3. */
static const char *share(struct arena *a, const struct val *p)
{
	double f = val_is(p, VAL_FLOAT) ? p->f : (double)val_int_or(p, 1);

	for (int den = 1; den <= 1000; den++) {
		double num = f * den;
		long near = (long)(num + 0.5);

		if (near > 0 && num - (double)near < 1e-6 && (double)near - num < 1e-6)
			return arena_printf(a, den == 1 ? "always" : "%ld/%d", near, den);
	}
	return arena_printf(a, "%.2g", f);
}

static void read_http(struct arena *a, const struct val *v, struct tui_outcome *o)
{
	static const char *const lines[] = { "backend", "location", "upstream", "tlsSecret", "why", "tlsWhy", NULL };
	const struct val *considered = val_get(v, "considered");

	if (!val_is(v, VAL_MAP))
		return;
	o->http = arena_array(a, const char *, ARRAY_LEN(lines) + 1 + (considered ? considered->nr : 0));
	o->http[o->nr_http++] = arena_printf(a, "http status %" PRId64, val_int_or(val_get(v, "status"), 0));
	for (int k = 0; lines[k]; k++)
		if (text(v, lines[k]))
			o->http[o->nr_http++] = arena_printf(a, "%s: %s", lines[k], text(v, lines[k]));
	VAL_EACH(c, considered)
		o->http[o->nr_http++] = arena_printf(a, "not %s: %s", text(c, "rule") ? text(c, "rule") : "", text(c, "why") ? text(c, "why") : "");
}

static void read_outcome(struct arena *a, const struct val *v, struct tui_outcome *o)
{
	const struct val *e = val_get(v, "endpoint");

	o->verdict = text(v, "verdict") ? text(v, "verdict") : "unknown";
	o->reason = text(v, "reason");
	o->good = strcmp(o->verdict, "delivered") == 0 && val_bool_or(val_get(v, "answered"), false);
	o->share = share(a, val_get(v, "probability"));
	if (text(e, "pod"))
		o->end = arena_printf(a, "pod/%s/%s", text(e, "namespace") ? text(e, "namespace") : "", text(e, "pod"));
	else
		o->end = text(e, "ip") ? text(e, "ip") : o->verdict;
	read_way(a, val_get(v, "hops"), "there", o);
	read_way(a, val_get(v, "backendHops"), "proxy to backend", o);
	read_way(a, val_get(v, "applicationHops"), "sidecar to application", o);
	read_way(a, val_path(v, "reply.hops"), "reply", o);
	read_http(a, val_get(v, "http"), o);
}

bool tui_trace_read(struct arena *a, const struct val *json, struct tui_trace *out)
{
	const struct val *outcomes = val_get(json, "outcomes");

	if (!val_is(outcomes, VAL_LIST) || !outcomes->nr)
		return false;
	*out = (struct tui_trace){ .protocol = val_str_at(json, "to.protocol"), .to = val_str_at(json, "to.text"), .from = val_str_at(json, "from.name") };
	out->outcomes = arena_array(a, struct tui_outcome, outcomes->nr);
	VAL_EACH(o, outcomes)
		read_outcome(a, o, &out->outcomes[out->nr++]);
	return true;
}
