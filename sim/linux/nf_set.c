/* Sets, maps and their elements as nf_tables messages. */
#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/map.h"
#include "sim/linux/netlink.h"
#include "sim/linux/nf_spell.h"

/* libnftnl's user data of a set, by which nft knows how to show it. */
enum { UDATA_KEY_ORDER, UDATA_DATA_ORDER, UDATA_MERGE, UDATA_KEY_TYPEOF, UDATA_DATA_TYPEOF, UDATA_EXPR, UDATA_DATA_INTERVAL, UDATA_COMMENT };
enum { UDATA_TYPEOF_EXPR, UDATA_TYPEOF_DATA, TYPEOF_CONCATENATION = 13, UDATA_ELEM_COMMENT = 0 };
enum { TYPE_BITS = 6, TYPE_SERVICE = 13 };

void nf_set_name(struct nf_writer *w, uint16_t attr, const struct set *s, uint32_t id)
{
	if (s->flags & SETF_ANONYMOUS)
		nf_put_set_name(w->b, attr, s->kind != SET_PLAIN, id);
	else
		nf_put_str(w->b->h, attr, s->name);
}

static size_t padded(size_t n) { return (n + 3) & ~(size_t)3; }

size_t nf_key_len(const struct nf_writer *w, const struct set *s)
{
	size_t n = 0;

	for (uint8_t k = 0; k < s->nkey; k++)
		n += s->nkey > 1 ? padded(nf_fields[s->key[k]].len[w->v6]) : nf_fields[s->key[k]].len[w->v6];
	return n;
}

void nf_key(const struct nf_writer *w, const struct ruleset *owner, const struct set *s, const struct elem *e, uint8_t *out)
{
	uint8_t value[16];

	for (uint8_t k = 0; k < s->nkey; k++) {
		size_t n = nf_fields[s->key[k]].len[w->v6];

		nf_value(s->key[k], w->v6, owner->wide.v[e->key + k], value);
		memcpy(out, value, n);
		out += n;
		for (; s->nkey > 1 && n % 4; n++)
			*out++ = 0;
	}
}

static size_t map_value(const struct nf_writer *w, const struct ruleset *owner, const struct set *s, const struct elem *e, uint8_t out[20])
{
	size_t n = nl_ip_bytes(owner->wide.v[e->value], out);
	uint16_t port = htons((uint16_t)owner->wide.v[e->value + 1].lo);

	if (n != nf_fields[PF_DADDR].len[w->v6])
		return 0;
	if (s->value_addr)
		return n;
	memset(out + n, 0, 4);
	memcpy(out + n, &port, sizeof(port));
	return n + 4;
}

/* ---- intervals: in order, each as where it begins and where the next begins behind it */

struct interval { uint8_t from[16], behind[16]; bool open; const struct elem *e; };     /* open: it has all to the end */

static int by_from(const void *a, const void *b)
{
	return memcmp(((const struct interval *)a)->from, ((const struct interval *)b)->from, 16);
}

static struct interval *intervals(struct nf_writer *w, const struct ruleset *owner, const struct set *s, const struct set_body *b)
{
	struct interval *v = calloc(b->nr + 1u, sizeof(*v));
	size_t n = nf_key_len(w, s), at;

	if (!v)
		abort();
	for (uint32_t k = 0; k < b->nr; k++) {
		v[k].e = &b->v[k];
		if (!nf_value(s->key[0], w->v6, owner->wide.v[b->v[k].key], v[k].from) || !nf_value(s->key[0], w->v6, owner->wide.v[b->v[k].key + 1], v[k].behind))
			nf_cannot(w, "an element of the other family");
		for (at = n; at > 0 && ++v[k].behind[at - 1] == 0; at--)
			;
		v[k].open = at == 0;
	}
	qsort(v, b->nr, sizeof(*v), by_from);
	return v;
}

static bool zero(const uint8_t *bytes, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (bytes[k])
			return false;
	return true;
}

/* nft begins with the end of what lies before the first one. */
static bool has_gap_before(const struct interval *v, uint32_t nr, size_t len)
{
	return nr && !zero(v[0].from, len);
}

static uint32_t nr_of_ends(struct nf_writer *w, const struct ruleset *owner, const struct set *s, const struct set_body *b)
{
	struct interval *v = intervals(w, owner, s, b);
	uint32_t nr = has_gap_before(v, b->nr, nf_key_len(w, s));

	for (uint32_t k = 0; k < b->nr; k++)
		nr += v[k].open ? 1 : 2;
	free(v);
	return nr;
}

/* ---- sets */

struct udata { uint8_t v[512]; size_t n; };

static void udata(struct udata *u, uint8_t type, const void *bytes, size_t n)
{
	u->v[u->n++] = type;
	u->v[u->n++] = (uint8_t)n;
	memcpy(u->v + u->n, bytes, n);
	u->n += n;
}

static void udata_number(struct udata *u, uint8_t type, uint32_t n) { udata(u, type, &n, sizeof(n)); }

static void put_udata(struct nf_writer *w, const struct set *s)
{
	struct udata u = { .n = 0 }, type = { .n = 0 };
	bool one_addr = s->kind == SET_MAP && s->value_addr;

	udata_number(&u, UDATA_KEY_ORDER, s->nkey > 1 ? NF_NO_ORDER : nf_fields[s->key[0]].order);
	if (s->kind != SET_PLAIN)
		udata_number(&u, UDATA_DATA_ORDER, one_addr ? NF_NETWORK : NF_NO_ORDER);
	if (s->flags & SETF_ANONYMOUS && s->flags & SETF_INTERVAL)
		udata_number(&u, UDATA_MERGE, 1);
	if (s->nkey > 1) {
		udata_number(&type, UDATA_TYPEOF_EXPR, TYPEOF_CONCATENATION);
		udata(&type, UDATA_TYPEOF_DATA, "", 0);
		udata(&u, UDATA_KEY_TYPEOF, type.v, type.n);
	}
	if (s->kind != SET_PLAIN)
		udata_number(&u, UDATA_DATA_INTERVAL, 0);
	if (s->comment && strlen(s->comment) > 128)
		nf_cannot(w, "a comment of more than 128 characters");
	else if (s->comment)
		udata(&u, UDATA_COMMENT, s->comment, strlen(s->comment) + 1);
	nf_put(w->b->h, NFTA_SET_USERDATA, u.n, u.v);
}

void nf_set(struct nf_writer *w, const struct ruleset *owner, const struct set *s, const struct set_body *b)
{
	bool anonymous = s->flags & SETF_ANONYMOUS;
	uint32_t flags = (anonymous ? NFT_SET_ANONYMOUS | NFT_SET_CONSTANT : 0u) | (s->flags & SETF_INTERVAL ? NFT_SET_INTERVAL : 0u) | (s->flags & SETF_DYNAMIC ? NFT_SET_EVAL : 0u) |
			 (s->flags & SETF_TIMEOUT ? NFT_SET_TIMEOUT : 0u) | (s->kind != SET_PLAIN ? NFT_SET_MAP : 0u), type = 0, address = nf_fields[PF_DADDR].type[w->v6];
	struct nlmsghdr *h;
	struct nlattr *desc;

	for (uint8_t k = 0; k < s->nkey; k++) {
		type = type << TYPE_BITS | nf_fields[s->key[k]].type[w->v6];
		if (!nf_fields[s->key[k]].type[w->v6] || (s->nkey > 1 && s->key[k] == PF_REGISTER))
			nf_cannot(w, "the type of a set's key");
	}
	if (s->flags & SETF_INTERVAL && (s->nkey > 1 || nf_fields[s->key[0]].order != NF_NETWORK))
		nf_cannot(w, "intervals of concatenated keys");
	if (s->flags & SETF_IPSET)
		nf_cannot(w, "an ipset");
	if (w->cannot)
		return;
	h = nf_message(w, NFT_MSG_NEWSET, NLM_F_CREATE, NFTA_SET_TABLE);
	nf_set_name(w, NFTA_SET_NAME, s, w->sets);
	mnl_attr_put_u32(h, NFTA_SET_FLAGS, htonl(flags));
	mnl_attr_put_u32(h, NFTA_SET_KEY_TYPE, htonl(type));
	mnl_attr_put_u32(h, NFTA_SET_KEY_LEN, htonl((uint32_t)nf_key_len(w, s)));
	if (s->kind != SET_PLAIN) {
		bool verdict = s->kind == SET_VMAP;

		mnl_attr_put_u32(h, NFTA_SET_DATA_TYPE, htonl(verdict ? NFT_DATA_VERDICT : s->value_addr ? address : address << TYPE_BITS | TYPE_SERVICE));
		mnl_attr_put_u32(h, NFTA_SET_DATA_LEN, htonl(verdict ? 0 : nf_fields[PF_DADDR].len[w->v6] + (s->value_addr ? 0u : 4u)));
	}
	if (anonymous) {
		nf_put_set_id(w->b, NFTA_SET_ID, w->sets);
		desc = mnl_attr_nest_start(h, NFTA_SET_DESC);
		mnl_attr_put_u32(h, NFTA_SET_DESC_SIZE, htonl(s->flags & SETF_INTERVAL ? nr_of_ends(w, owner, s, b) : b->nr));
		mnl_attr_nest_end(h, desc);
	} else {
		mnl_attr_put_u32(h, NFTA_SET_ID, htonl(UINT32_MAX));    /* nobody asks by it: it has a name */
	}
	if (s->timeout)
		mnl_attr_put_u64(h, NFTA_SET_TIMEOUT, htobe64((uint64_t)s->timeout * 1000));
	put_udata(w, s);
	nf_end(w->b);
}

/* ---- elements */

struct list { struct nf_writer *w; const char *set; bool anonymous, open; int msg; struct nlattr *nest; };

static void list_end(struct list *l)
{
	if (l->open) {
		mnl_attr_nest_end(l->w->b->h, l->nest);
		nf_end(l->w->b);
	}
	l->open = false;
}

static struct nlattr *list_item(struct list *l)          /* in the message at hand, or in the next where that is full */
{
	struct nlmsghdr *h = l->w->b->h;

	if (l->open && (size_t)((char *)mnl_nlmsg_get_payload_tail(h) - (char *)l->nest) > NF_NEST)
		list_end(l);
	if (!l->open) {
		h = nf_message(l->w, l->msg, l->msg == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0, NFTA_SET_ELEM_LIST_TABLE);
		if (l->anonymous)       /* by its number alone: a name would be looked for among all sets of the table */
			nf_put_set_id(l->w->b, NFTA_SET_ELEM_LIST_SET_ID, l->w->sets);
		else
			nf_put_str(h, NFTA_SET_ELEM_LIST_SET, l->set);
		l->nest = mnl_attr_nest_start(h, NFTA_SET_ELEM_LIST_ELEMENTS);
		l->open = true;
	}
	return mnl_attr_nest_start(h, NFTA_LIST_ELEM);
}

static void put_key(struct nlmsghdr *h, const uint8_t *key, size_t len)
{
	struct nlattr *nest = mnl_attr_nest_start(h, NFTA_SET_ELEM_KEY);

	nf_put(h, NFTA_DATA_VALUE, len, key);
	mnl_attr_nest_end(h, nest);
}

static void bound(struct list *l, const uint8_t *key, size_t len, bool end)      /* of an interval */
{
	struct nlattr *item = list_item(l);

	if (end)
		mnl_attr_put_u32(l->w->b->h, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_INTERVAL_END));
	put_key(l->w->b->h, key, len);
	mnl_attr_nest_end(l->w->b->h, item);
}

static void put_data(struct nf_writer *w, const struct ruleset *owner, const struct set *s, const struct elem *e)
{
	uint8_t value[20];
	struct nlattr *nest;
	size_t n;

	if (s->kind == SET_VMAP) {
		nf_put_verdict(w, NFTA_SET_ELEM_DATA, e->verdict);
	} else if (s->kind == SET_MAP) {
		n = map_value(w, owner, s, e, value);
		if (!n)
			nf_cannot(w, "a value of the other family");
		nest = mnl_attr_nest_start(w->b->h, NFTA_SET_ELEM_DATA);
		nf_put(w->b->h, NFTA_DATA_VALUE, n, value);
		mnl_attr_nest_end(w->b->h, nest);
	}
}

static void all_intervals(struct list *l, const struct ruleset *owner, const struct set *s, const struct set_body *b)
{
	struct interval *v = intervals(l->w, owner, s, b);
	size_t len = nf_key_len(l->w, s);
	const uint8_t nothing[16] = { 0 };

	if (has_gap_before(v, b->nr, len))
		bound(l, nothing, len, true);
	for (uint32_t k = 0; k < b->nr; k++) {
		struct nlattr *item = list_item(l);

		put_key(l->w->b->h, v[k].from, len);
		put_data(l->w, owner, s, v[k].e);
		if (!l->anonymous)
			nf_put_comment(l->w, NFTA_SET_ELEM_USERDATA, UDATA_ELEM_COMMENT, elem_comment(owner, v[k].e));
		mnl_attr_nest_end(l->w->b->h, item);
		if (!v[k].open)
			bound(l, v[k].behind, len, true);
	}
	free(v);
}

void nf_elements(struct nf_writer *w, const struct ruleset *owner, const struct set *s, const struct set_body *b, const uint32_t *only, uint32_t nr)
{
	struct list l = { w, s->name, s->flags & SETF_ANONYMOUS, false, NFT_MSG_NEWSETELEM, NULL };
	size_t len = nf_key_len(w, s);
	uint8_t key[16 * 5];

	if (w->cannot)
		return;
	if (s->flags & SETF_INTERVAL) {
		all_intervals(&l, owner, s, b);
		list_end(&l);
		return;
	}
	for (uint32_t k = 0; k < (only ? nr : b->nr); k++) {
		const struct elem *e = &b->v[only ? only[k] : k];
		struct nlattr *item = list_item(&l);

		nf_key(w, owner, s, e, key);
		put_key(w->b->h, key, len);
		put_data(w, owner, s, e);
		if (!l.anonymous)
			nf_put_comment(w, NFTA_SET_ELEM_USERDATA, UDATA_ELEM_COMMENT, elem_comment(owner, e));
		mnl_attr_nest_end(w->b->h, item);
	}
	list_end(&l);
}

void nf_delete_elements(struct nf_writer *w, const char *set, const uint8_t *keys, const uint32_t *only, uint32_t nr, size_t len)
{
	struct list l = { w, set, false, false, NFT_MSG_DELSETELEM, NULL };

	if (!keys) {
		nf_put_str(nf_message(w, NFT_MSG_DELSETELEM, 0, NFTA_SET_ELEM_LIST_TABLE), NFTA_SET_ELEM_LIST_SET, set);
		nf_end(w->b);
		return;
	}
	for (uint32_t k = 0; k < nr; k++)
		bound(&l, keys + only[k] * len, len, false);
	list_end(&l);
}

static uint64_t mix_bytes(uint64_t h, const void *p, size_t n)
{
	const char *at = p;
	uint64_t part;

	h = hash_mix(h, n);
	for (; n; at += MIN(n, sizeof(part)), n -= MIN(n, sizeof(part))) {
		part = 0;
		memcpy(&part, at, MIN(n, sizeof(part)));
		h = hash_mix(h, part);
	}
	return h;
}

uint64_t nf_element_digest(struct nf_writer *w, const struct ruleset *owner, const struct set *s, const struct elem *e)
{
	const char *comment = elem_comment(owner, e), *chain = s->kind == SET_VMAP && e->verdict.chain.i ? ruleset_chain_get(w->rs, e->verdict.chain)->name : "";
	uint8_t bytes[16 * 10 + 20] = { 0 };
	size_t n = 0;

	for (uint32_t k = 0; k < s->nkey * (s->flags & SETF_INTERVAL ? 2u : 1u); k++, n += 16)
		if (!nf_value(s->key[s->flags & SETF_INTERVAL ? k / 2 : k], w->v6, owner->wide.v[e->key + k], bytes + n))
			nf_cannot(w, "an element of the other family");
	if (s->kind == SET_MAP)
		n += map_value(w, owner, s, e, bytes + n);
	return mix_bytes(mix_bytes(mix_bytes(e->verdict.code, bytes, n), chain, strlen(chain)), comment ? comment : "", comment ? strlen(comment) : 0);
}
