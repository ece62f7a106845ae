/* ipset list and ipset save: sets of addresses, networks, ports. They stand in a table of their own, which no listing prints. */
#include <stdlib.h>

#include "model/dataplane/read.h"

set_h ipset_find(struct node_in *n, const char *name)
{
	return n->ipsets.i ? ruleset_find_set(n->rules, n->ipsets, name) : (set_h){ 0 };
}

/* hash:ip,port → the fields of a key; the protocol stands before each port. nets: elements are ranges. false: a type that is not modelled. */
static bool type_of(const char *type, uint8_t *key, uint8_t *nkey, bool *nets)
{
	const char *p = strchr(type, ':');

	*nkey = 0;
	*nets = false;
	if (!p || strncmp(type, "list:", 5) == 0)
		return false;
	for (p++; *p; p += strcspn(p, ",") + (p[strcspn(p, ",")] == ',')) {
		size_t n = strcspn(p, ",");

		if (*nkey > 3)
			return false;
		if (n == 2 && memcmp(p, "ip", 2) == 0) {
			key[(*nkey)++] = PF_SADDR;
		} else if (n == 3 && memcmp(p, "net", 3) == 0) {
			key[(*nkey)++] = PF_SADDR;
			*nets = true;
		} else if (n == 4 && memcmp(p, "port", 4) == 0) {
			if (strncmp(type, "bitmap:", 7) != 0)
				key[(*nkey)++] = PF_L4PROTO;
			key[(*nkey)++] = PF_DPORT;
		} else {
			return false;
		}
	}
	return *nkey > 0;
}

static void gap(struct node_in *n, set_h h)
{
	*map_put(&n->set_gaps, n->arena, h.i) = 1;
}

static set_h create(struct node_in *n, const struct part *p, uint32_t line, const char *name, const char *type)
{
	uint8_t key[5], nkey;
	bool nets, known = type_of(type, key, &nkey, &nets);
	set_h h;

	if (!n->ipsets.i)
		n->ipsets = ruleset_table(n->rules, NF_INET, "ipset", true);
	if (!known) {
		key[0] = PF_SADDR;
		nkey = 1;
		nets = false;
		note(n, NOTE_UNKNOWN, p, line, "ipset %s: sets of type %s are not modelled", name, type);
	}
	h = ruleset_set(n->rules, n->ipsets, name, SET_PLAIN, SETF_IPSET | SETF_INTERVAL, key, nkey);
	if (!known || p->cut)
		gap(n, h);
	return h;
}

/* 10.0.0.1 · 10.0.0.0/8 · 10.0.0.1-10.0.0.9 · tcp:80 · udp:1-9 · 80, by the field */
static bool one_field(uint8_t field, const char *s, ip_addr *first, ip_addr *last)
{
	const char *dash = strchr(s, '-');
	struct cidr c;
	uint16_t a, b;

	if (field == PF_SADDR) {
		if (cidr_parse(s, &c)) {
			*first = c.addr;
			*last = cidr_last(c);
			return true;
		}
		if (dash)
			return ip_parse_n(s, (size_t)(dash - s), first) && ip_parse(dash + 1, last);
		if (!ip_parse(s, first))
			return false;
		*last = *first;
		return true;
	}
	if (dash) {
		char left[16];

		snprintf(left, sizeof(left), "%.*s", (int)MIN((size_t)(dash - s), sizeof(left) - 1), s);
		if (!port_of_word(left, &a) || !port_of_word(dash + 1, &b))
			return false;
	} else {
		if (!port_of_word(s, &a))
			return false;
		b = a;
	}
	*first = word(a);
	*last = word(b);
	return true;
}

static void add(struct node_in *n, const struct part *p, uint32_t line, set_h h, const char *member, const char **options, uint32_t nr)
{
	const struct set *s = ruleset_set_get(n->rules, h);
	ip_addr key[10];
	uint8_t k = 0;
	bool ok = true;

	for (const char *m = member; ok && k < s->nkey; m += strcspn(m, ",") + (m[strcspn(m, ",")] == ',')) {
		const char *word_ = arena_strndup(n->arena, m, strcspn(m, ","));
		const char *colon = s->key[k] == PF_L4PROTO ? strchr(word_, ':') : NULL;

		if (s->key[k] == PF_L4PROTO) {
			uint32_t proto = PROTO_TCP;

			if (colon && !proto_of_word(arena_strndup(n->arena, word_, (size_t)(colon - word_)), &proto))
				ok = false;
			key[2 * k] = key[2 * k + 1] = word(proto);
			k++;
			if (colon)
				word_ = colon + 1;
		}
		ok = ok && *word_ && one_field(s->key[k], word_, &key[2 * k], &key[2 * k + 1]);
		k++;
	}
	for (uint32_t i = 0; i < nr; i++)
		if (strcmp(options[i], "nomatch") == 0)
			ok = false;
	if (ok)
		set_add(n->rules, h, key);
	else if (!map_find(&n->set_gaps, h.i)) {
		gap(n, h);
		note(n, NOTE_UNKNOWN, p, line, "ipset %s: member \"%s\" is not modelled", s->name, member);
	}
}

void read_ipset(struct node_in *n, const struct part *p)
{
	struct lines l = lines_of(p);
	const char *s, *name = NULL;
	set_h h = { 0 };
	bool members = false;
	size_t len;

	while (next_line(&l, &s, &len)) {
		struct words w = words_of(n->arena, s, len, true);

		if (!w.nr)
			continue;
		if (strcmp(w.v[0], "Name:") == 0 && w.nr > 1) {
			name = w.v[1];
			members = false;
		} else if (strcmp(w.v[0], "Type:") == 0 && w.nr > 1 && name) {
			h = create(n, p, l.line, name, w.v[1]);
		} else if (strcmp(w.v[0], "Members:") == 0) {
			members = h.i;
		} else if (strcmp(w.v[0], "create") == 0 && w.nr > 2) {
			create(n, p, l.line, w.v[1], w.v[2]);
		} else if (strcmp(w.v[0], "add") == 0 && w.nr > 2) {
			set_h to = ipset_find(n, w.v[1]);

			if (to.i)
				add(n, p, l.line, to, w.v[2], w.v + 3, w.nr - 3);
		} else if (members) {
			if (strcmp(w.v[0], "...") == 0)
				gap(n, h);
			else
				add(n, p, l.line, h, w.v[0], w.v + 1, w.nr - 1);
		}
	}
}
