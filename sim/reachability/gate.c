#include "sim/reachability/gate.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdlib.h>
#include <strings.h>

#include "model/dataplane/packet.h"

/* ---- ports */

bool reach_proto_parse(const char *text, uint8_t *out)
{
	static const struct { const char *word; uint8_t proto; } protocols[] = { { "tcp", PROTO_TCP }, { "udp", PROTO_UDP }, { "sctp", PROTO_SCTP } };

	for (size_t k = 0; k < ARRAY_LEN(protocols); k++)
		if (strcasecmp(text, protocols[k].word) == 0) {
			*out = protocols[k].proto;
			return true;
		}
	return false;
}

static bool one_port(const char *s, uint8_t dflt, const char *option, struct arena *a, struct reach_port *p, struct err *err)
{
	const char *slash = strchr(s, '/'), *number = slash ? arena_strndup(a, s, (size_t)(slash - s)) : s;
	char *end;
	unsigned long lo = strtoul(number, &end, 10), hi = lo;

	*p = (struct reach_port){ .proto = dflt };
	if (slash && !reach_proto_parse(slash + 1, &p->proto))
		return err_add(err, ERR_INPUT, NULL, "%s: \"%s\" is not tcp, udp or sctp", option, slash + 1);
	if (end == number && *number) {
		if (strspn(number, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(number) || strlen(number) > 15)
			return err_add(err, ERR_INPUT, NULL, "%s: \"%s\" is neither a port nor the name of one", option, s);
		p->name = number;
		return true;
	}
	if (*end == '-')
		hi = strtoul(end + 1, &end, 10);
	p->lo = (uint16_t)lo;
	p->hi = (uint16_t)hi;
	return (!*end && lo >= 1 && hi <= 65535 && lo <= hi) || err_add(err, ERR_INPUT, NULL, "%s: \"%s\" is not a port: 80, http, 8000-8999, 53/udp", option, s);
}

bool reach_ports_parse(const char *text, uint8_t dflt, const char *option, struct arena *a, reach_ports *out, struct err *err)
{
	while (*text) {
		size_t n = strcspn(text, ", ");
		struct reach_port p;

		if (n && !one_port(arena_strndup(a, text, n), dflt, option, a, &p, err))
			return false;
		if (n)
			*vec_push(a, out) = p;
		text += n + (text[n] != '\0');
	}
	return out->nr || err_add(err, ERR_INPUT, NULL, "%s: a port was expected", option);
}

/* ---- ends */

struct judging { struct reach *r; struct arena *a; const char *file; gate_results *out; struct err *err; reach_ports dflt; };

static const char *not_told(struct judging *j, uint32_t from, uint32_t to, uint8_t proto, uint16_t port)
{
	return arena_printf(j->a, "cannot be told: %s", reach_explain(j->r, from, to, proto, port, j->a).unknown);
}

static bool complain(struct judging *j, const struct val *v, const char *path, const char *fmt, ...) PRINTF(4, 5);
static bool complain(struct judging *j, const struct val *v, const char *path, const char *fmt, ...)
{
	struct where w = { .file = j->file, .line = v ? v->line : 0, .path = path };
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_add(j->err, ERR_INPUT, &w, "%s", text);
}

static bool known_keys(struct judging *j, const struct val *map, const char *path, const char *const *keys)
{
	VAL_EACH(m, map) {
		bool known = false;

		for (int k = 0; keys[k]; k++)
			known = known || strcmp(keys[k], m->key) == 0;
		if (!known)
			return complain(j, m, path, "unknown field \"%s\"%s%s%s", m->key, nearest(m->key, keys) ? "; did you mean \"" : "", nearest(m->key, keys) ? nearest(m->key, keys) : "",
					nearest(m->key, keys) ? "\"?" : "");
	}
	return true;
}

static bool labels_hold(const struct val *want, const pair_list *have)
{
	VAL_EACH(m, want) {
		str v = label_get(have, m->key);

		if (!v || !streq(v, val_str(m)))
			return false;
	}
	return true;
}

/* A text: a pattern over NS/NAME, or an address; a map: namespace (a pattern), labels, namespaceLabels. */
static bool end_is(struct judging *j, const struct val *want, uint32_t end)
{
	const struct reach_end *e = reach_end(j->r, end);
	const char *name = reach_name(j->r, end, j->a);

	if (val_str(want))
		return fnmatch(val_str(want), name, 0) == 0;
	if (!e->pod || end >= reach_nr(j->r) - reach_nr_external(j->r))
		return false;
	return (!val_get(want, "namespace") || fnmatch(val_str_at(want, "namespace") ? val_str_at(want, "namespace") : "", e->pod->o.ns, 0) == 0) &&
	       labels_hold(val_get(want, "labels"), &e->pod->o.labels) &&
	       labels_hold(val_get(want, "namespaceLabels"), reach_space_labels(j->r, e->pod->o.ns));
}

static const char *end_text(struct arena *a, const struct val *v)
{
	struct sb s = { 0 };
	const char *text = val_str(v);

	if (text)
		return text;
	val_print_json(v, &s, 0, false);
	text = arena_strdup(a, sb_text(&s));
	sb_free(&s);
	return text;
}

/* ---- expectations */

static void judge_pairs(struct judging *j, const struct val *from, const struct val *to, const struct reach_port *port, bool must, struct gate_result *g)
{
	uint32_t nr = reach_nr(j->r), wrong = 0, pairs = 0;
	bool *src = arena_array(j->a, bool, nr + 1), *dst = arena_array(j->a, bool, nr + 1);

	for (uint32_t k = 0; k < nr; k++) {
		src[k] = end_is(j, from, k);
		dst[k] = end_is(j, to, k);
	}
	for (uint32_t to_end = 0; to_end < nr; to_end++) {
		const struct pod *pod = reach_end(j->r, to_end)->pod;
		enum l4 l4 = port->proto == PROTO_UDP ? L4_UDP : port->proto == PROTO_SCTP ? L4_SCTP : L4_TCP;
		uint16_t named = port->name && pod && dst[to_end] ? pod_port_by_name(pod->spec, port->name, l4) : 0, *at = &named;
		uint32_t parts = 1;

		if (!dst[to_end] || (port->name && !named))
			continue;
		if (!port->name)
			parts = reach_port_atoms(j->r, port->proto, port->lo, port->hi, j->a, &at);
		for (uint32_t p = 0; p < parts; p++) {
			const uint64_t *row = reach_row(j->r, to_end, port->proto, at[p]), *unknown = reach_row_unknown(j->r);

			for (uint32_t k = 0; k < nr; k++) {
				if (!src[k] || k == to_end)
					continue;
				pairs++;
				if (unknown && unknown[k / 64] >> (k % 64) & 1) {
					g->actual = not_told(j, k, to_end, port->proto, at[p]);
					g->from = k;
					g->to = to_end;
					return;
				}
				if ((row[k / 64] >> (k % 64) & 1) == must || wrong++)
					continue;
				g->from = k;
				g->to = to_end;
				g->port = (struct reach_port){ port->proto, at[p], at[p], NULL };
			}
		}
	}
	g->ok = pairs && !wrong;
	if (!pairs)
		g->actual = "matches nothing: no such pair of Pods, or no such port";
	else if (!wrong)
		g->actual = arena_printf(j->a, "%u %s", pairs, pairs == 1 ? "pair holds" : "pairs hold");
	else
		g->actual = arena_printf(j->a, "%u of %u %s: %s → %s %s is %s", wrong, pairs, wrong == 1 ? "does not hold" : "do not hold", reach_name(j->r, (uint32_t)g->from, j->a),
					 reach_name(j->r, (uint32_t)g->to, j->a), reach_port_text(&g->port, j->a), must ? "denied" : "allowed");
}

static const char *scalar(struct judging *j, const struct val *v)
{
	return val_is(v, VAL_INT) ? arena_printf(j->a, "%" PRId64, v->i) : val_str(v);
}

static bool ports_of_item(struct judging *j, const struct val *v, const char *path, reach_ports *ports)
{
	uint8_t proto = j->dflt.nr ? j->dflt.v[0].proto : PROTO_TCP;
	const struct val *port = val_get(v, "port"), *protocol = val_get(v, "protocol");

	if (protocol && (!val_str(protocol) || !reach_proto_parse(val_str(protocol), &proto)))
		return complain(j, protocol, path, "protocol: TCP, UDP or SCTP was expected");
	if (port && !scalar(j, port))
		return complain(j, port, path, "port: a number, a range or a name was expected");
	if (port)
		return reach_ports_parse(scalar(j, port), proto, arena_printf(j->a, "%s:%u: %s.port", j->file, port->line, path), j->a, ports, j->err);
	for (uint32_t k = 0; k < j->dflt.nr; k++) {
		*vec_push(j->a, ports) = j->dflt.v[k];
		if (protocol)
			ports->v[ports->nr - 1].proto = proto;
	}
	return true;
}

static bool is_end(const struct val *v)
{
	return val_is(v, VAL_STRING) || val_is(v, VAL_MAP);
}

static bool judge_list(struct judging *j, const struct val *list, const char *name, bool must)
{
	static const char *const keys[] = { "from", "to", "port", "protocol", "why", NULL }, *const end_keys[] = { "namespace", "labels", "namespaceLabels", NULL };
	uint32_t at = 0;

	if (list && !val_is(list, VAL_LIST))
		return complain(j, list, name, "a list was expected");
	VAL_EACH(v, list) {
		const char *path = arena_printf(j->a, "%s[%u]", name, at++);
		const struct val *from = val_get(v, "from"), *to = val_get(v, "to");
		reach_ports ports = { 0 };

		if (!val_is(v, VAL_MAP) || !is_end(from) || !is_end(to))
			return complain(j, v, path, "from and to were expected, each as NS/NAME, an address, or {namespace: …, labels: {…}}");
		if (!known_keys(j, v, path, keys) || (val_is(from, VAL_MAP) && !known_keys(j, from, path, end_keys)) || (val_is(to, VAL_MAP) && !known_keys(j, to, path, end_keys)) ||
		    !ports_of_item(j, v, path, &ports))
			return false;
		for (uint32_t k = 0; k < ports.nr; k++) {
			struct gate_result *g = vec_push(j->a, j->out);

			*g = (struct gate_result){ .file = j->file, .line = v->line, .from = -1, .to = -1, .port = ports.v[k] };
			g->text = arena_printf(j->a, "%s %s → %s %s", must ? "must" : "must not", end_text(j->a, from), end_text(j->a, to), reach_port_text(&ports.v[k], j->a));
			judge_pairs(j, from, to, &ports.v[k], must, g);
		}
	}
	return true;
}

/* ---- truth tables, as Kubernetes' own tests draw them: columns in the first line, . allowed, X denied, ? either */

static uint32_t split(struct arena *a, const char *line, const char *end, const char **out, uint32_t max)
{
	uint32_t nr = 0;

	while (line < end && nr < max) {
		size_t n;

		line += strspn(line, " \t|");
		n = strcspn(line, " \t|\r\n");
		if (line >= end || !n)
			break;
		out[nr++] = arena_strndup(a, line, n);
		line += n;
	}
	return nr;
}

static bool judge_drawing(struct judging *j, const struct val *v, const struct reach_port *port)
{
	const char **columns = arena_array(j->a, const char *, strlen(val_str(v)) + 1), **cells = arena_array(j->a, const char *, strlen(val_str(v)) + 1);
	uint32_t nr = 0, cell_max = (uint32_t)strlen(val_str(v)) + 1, row_nr = 0;

	for (const char *line = val_str(v), *end; *line; line = end + (*end == '\n'), row_nr++) {
		uint32_t n;

		end = line + strcspn(line, "\n");
		n = split(j->a, line, end, cells, cell_max);
		if (!n)
			continue;
		if (!nr) {
			for (uint32_t k = 0; k < n; k++)
				if (strcmp(cells[k], "-") != 0)
					columns[nr++] = arena_strdup(j->a, cells[k]);
			continue;
		}
		if (n != nr + 1)
			return complain(j, v, "table", "row \"%s\" has %u cells; there are %u columns", cells[0], n - 1, nr);
		for (uint32_t k = 0; k < nr; k++) {
			int64_t from = reach_find(j->r, cells[0]), to = reach_find(j->r, columns[k]);
			bool unknown;
			struct gate_result *g;

			if (strcmp(cells[k + 1], "?") == 0)
				continue;
			if (strcmp(cells[k + 1], ".") != 0 && strcmp(cells[k + 1], "X") != 0)
				return complain(j, v, "table", "row \"%s\", column \"%s\": \"%s\" is not . (allowed), X (denied) or ?", cells[0], columns[k], cells[k + 1]);
			g = vec_push(j->a, j->out);
			*g = (struct gate_result){ .file = j->file, .line = v->line + row_nr + 1, .from = -1, .to = -1, .port = *port };
			g->text = arena_printf(j->a, "%s %s → %s %s", *cells[k + 1] == '.' ? "must" : "must not", cells[0], columns[k], reach_port_text(port, j->a));
			if (from < 0 || to < 0) {
				g->actual = arena_printf(j->a, "matches nothing: there is no \"%s\"", from < 0 ? cells[0] : columns[k]);
				continue;
			}
			unknown = reach_unknown(j->r, (uint32_t)from, (uint32_t)to, port->proto, port->lo);
			g->ok = !unknown && reach_allowed(j->r, (uint32_t)from, (uint32_t)to, port->proto, port->lo) == (*cells[k + 1] == '.');
			g->actual = unknown ? not_told(j, (uint32_t)from, (uint32_t)to, port->proto, port->lo) : g->ok ? "holds" : *cells[k + 1] == '.' ? "is denied" : "is allowed";
			g->from = g->ok ? -1 : from;
			g->to = g->ok ? -1 : to;
		}
	}
	return true;
}

static bool judge_tables(struct judging *j, const struct val *doc)
{
	const struct val *one = val_get(doc, "table");

	if (one && !val_str(one))
		return complain(j, one, "table", "a drawn table was expected: table: |");
	for (uint32_t k = 0; one && k < j->dflt.nr; k++)
		if (j->dflt.v[k].name)
			return complain(j, one, "table", "a table needs a port by number");
		else if (!judge_drawing(j, one, &j->dflt.v[k]))
			return false;
	VAL_EACH(t, val_get(doc, "tables")) {
		reach_ports ports = { 0 };

		if (!val_str(val_get(t, "drawn")))
			return complain(j, t, "tables", "drawn: | was expected");
		if (!ports_of_item(j, t, "tables", &ports))
			return false;
		for (uint32_t k = 0; k < ports.nr; k++)
			if (ports.v[k].name)
				return complain(j, t, "tables", "a table needs a port by number");
			else if (!judge_drawing(j, val_get(t, "drawn"), &ports.v[k]))
				return false;
	}
	return true;
}

bool gate_judge(struct reach *r, const struct val *doc, const char *file, struct arena *a, gate_results *out, struct err *err)
{
	static const char *const keys[] = { "port", "protocol", "must", "mustNot", "table", "tables", NULL };
	struct judging j = { .r = r, .a = a, .file = file, .out = out, .err = err };
	reach_ports none = { 0 };
	uint32_t before = out->nr;

	if (!val_is(doc, VAL_MAP))
		return complain(&j, doc, NULL, "a map with must, mustNot, table or tables was expected");
	if (!known_keys(&j, doc, NULL, keys))
		return false;
	*vec_push(a, &none) = (struct reach_port){ PROTO_TCP, 80, 80, NULL };
	j.dflt = none;
	none = (reach_ports){ 0 };
	if (!ports_of_item(&j, doc, "", &none))
		return false;
	j.dflt = none;
	if (!judge_list(&j, val_get(doc, "must"), "must", true) || !judge_list(&j, val_get(doc, "mustNot"), "mustNot", false) || !judge_tables(&j, doc))
		return false;
	return out->nr > before || complain(&j, doc, NULL, "it expects nothing: must, mustNot, table or tables is needed");
}
