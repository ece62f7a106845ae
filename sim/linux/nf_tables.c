#include "sim/linux/nf_tables.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "sim/linux/nf_spell.h"

/* Anonymous sets in one transaction of a namespace that has nothing yet, and its bytes. */
#define MANY_SETS  64u
#define MANY_BYTES (2u << 20)

enum { UDATA_COMMENT = 0 };

struct part {                           /* a chain or a set */
	const char *name;
	char kind;                      /* c s */
	bool base;                      /* a base chain */
	uint64_t head, body;            /* digests: what it is; its rules, or the sum of its elements */
	uint64_t *elem; uint8_t *key;   /* of a set without intervals: each element's digest, and its key */
	uint32_t nr, key_len;
};
struct kept_table { const char *name; uint8_t family; uint64_t head; VEC(struct part) parts; struct map by_name; };
struct nf_kept { struct arena *arena; VEC(struct kept_table) tables; };

void nf_kept_free(struct nf_kept *k)
{
	if (!k)
		return;
	arena_free(k->arena);
	free(k);
}

table_h *nf_tables_in_order(const struct ruleset *rs, struct arena *a, uint32_t *nr)
{
	uint32_t all = ruleset_nr_tables(rs);
	table_h *v = arena_array(a, table_h, all + 1);
	bool *done = arena_array(a, bool, all + 1);

	*nr = 0;
	for (uint32_t k = all; k > 0; k--) {    /* those of one name together, the families in order, as they are printed */
		const struct table *last = ruleset_table_get(rs, (table_h){ k });

		for (uint32_t i = 1; i <= all && !last->iptables && !done[k]; i++) {
			const struct table *t = ruleset_table_get(rs, (table_h){ i });

			if (t->iptables || t->name != last->name)
				continue;
			v[(*nr)++] = (table_h){ i };
			done[i] = i != k;
		}
		done[k] = true;
	}
	return v;
}

static uint64_t name_key(char kind, const char *name)
{
	size_t n = strlen(name);

	return hash_mix(hash_mix((uint64_t)kind, fnv32a(name, n)), fnv32(name, n));
}

static const struct part *find_part(const struct kept_table *t, char kind, const char *name)
{
	uint64_t *at = t ? map_find(&t->by_name, name_key(kind, name)) : NULL;

	return at ? &t->parts.v[*at] : NULL;
}

/* ---- one table */

struct sync {
	const struct nf_change *change;
	struct nf_batch b;
	struct nf_writer w;
	struct nf_kept *kept;
	struct arena *scratch;
	bool whole, not_by_parts;       /* all is written anew; the difference cannot be written */
	bool sent;                      /* a part of the first time */
	uint32_t sets;                  /* anonymous ones since the last transaction */
	struct err *err;
};

struct writing {
	struct sync *x;
	table_h table;
	struct kept_table *now;
	const struct kept_table *old;   /* NULL: it is new */
	bool *seen;                     /* by old's parts: it stays */
	uint32_t *chains, nr_chains, *sets, nr_sets;
};

/* Was the same there before? Then what has been written since the mark is not needed. */
static bool keep_new(struct writing *t, struct nf_mark from, bool is_new)
{
	if (is_new)
		nf_keep(&t->x->b, from, t->x->w.sets);
	else
		nf_rewind(&t->x->b, from);
	if (is_new)
		t->x->sets += t->x->w.sets;
	t->x->w.sets = 0;
	return is_new;
}

static struct part *add_part(struct writing *t, char kind, const char *name)
{
	struct part *p = vec_push(t->x->kept->arena, &t->now->parts);

	p->kind = kind;
	p->name = arena_strdup(t->x->kept->arena, name);
	*map_put(&t->now->by_name, t->x->kept->arena, name_key(kind, name)) = t->now->parts.nr - 1;
	return p;
}

/* What a chain or a set is does not change: where it does, all has to be written anew. */
static void head_done(struct writing *t, struct part *p, struct nf_mark from)
{
	const struct part *old = find_part(t->old, p->kind, p->name);

	p->head = nf_digest(&t->x->b, from);
	keep_new(t, from, !old);
	if (old)
		t->seen[old - t->old->parts.v] = true;
	if (old ? old->head != p->head : t->old && p->base)
		t->x->not_by_parts = true;
}

static void chain_head(struct writing *t, const struct chain *c)
{
	static const int hooks[NF_HOOKS] = { [HOOK_PREROUTING] = NF_INET_PRE_ROUTING, [HOOK_INPUT] = NF_INET_LOCAL_IN, [HOOK_FORWARD] = NF_INET_FORWARD, [HOOK_OUTPUT] = NF_INET_LOCAL_OUT,
		[HOOK_POSTROUTING] = NF_INET_POST_ROUTING };
	struct nf_mark from = nf_mark(&t->x->b);
	struct part *p = add_part(t, 'c', c->name);
	struct nlmsghdr *h = nf_message(&t->x->w, NFT_MSG_NEWCHAIN, NLM_F_CREATE, NFTA_CHAIN_TABLE);

	p->base = c->hook != HOOK_NONE;
	nf_put_str(h, NFTA_CHAIN_NAME, c->name);
	if (p->base) {
		struct nlattr *hook;

		nf_put_str(h, NFTA_CHAIN_TYPE, nf_type_names[c->type]);
		mnl_attr_put_u32(h, NFTA_CHAIN_POLICY, htonl(c->policy == OP_DROP ? NF_DROP : NF_ACCEPT));
		hook = mnl_attr_nest_start(h, NFTA_CHAIN_HOOK);
		mnl_attr_put_u32(h, NFTA_HOOK_HOOKNUM, htonl((uint32_t)hooks[c->hook]));
		mnl_attr_put_u32(h, NFTA_HOOK_PRIORITY, htonl((uint32_t)c->priority));
		mnl_attr_nest_end(h, hook);
	}
	nf_put_comment(&t->x->w, NFTA_CHAIN_USERDATA, UDATA_COMMENT, c->comment);
	nf_end(&t->x->b);
	head_done(t, p, from);
}

static void set_head(struct writing *t, const struct set *s)
{
	struct nf_mark from = nf_mark(&t->x->b);
	struct part *p = add_part(t, 's', s->name);

	nf_set(&t->x->w, t->x->w.rs, s, NULL);
	head_done(t, p, from);
}

static void of_chain(struct writing *t, int nft_msg, const char *name)
{
	bool rules = nft_msg == NFT_MSG_DELRULE;
	struct nlmsghdr *h = nf_message(&t->x->w, nft_msg, 0, rules ? NFTA_RULE_TABLE : NFTA_CHAIN_TABLE);

	nf_put_str(h, rules ? NFTA_RULE_CHAIN : NFTA_CHAIN_NAME, name);
	nf_end(&t->x->b);
}

static void chain_rules_(struct writing *t, chain_h h, struct part *p)
{
	const struct chain *c = ruleset_chain_get(t->x->w.rs, h);
	const struct part *old = find_part(t->old, 'c', p->name);
	struct nf_mark all = nf_mark(&t->x->b), from;
	const struct ruleset *owner;
	const struct chain_body *b = chain_body(t->x->w.rs, h, &owner);

	if (old)
		of_chain(t, NFT_MSG_DELRULE, p->name);
	from = nf_mark(&t->x->b);
	for (uint32_t k = 0; k < b->rules.nr; k++)
		if (!rule_is_no_text(owner, &b->rules.v[k]))
			nf_rule(&t->x->w, c, owner, &b->rules.v[k]);
	p->body = nf_digest(&t->x->b, from);
	if (old && old->body == p->body)
		keep_new(t, all, false);
	else
		keep_new(t, from, true);
}

static int by_digest(const void *a, const void *b)
{
	const uint64_t *x = *(uint64_t *const *)a, *y = *(uint64_t *const *)b;

	return (*x > *y) - (*x < *y);
}

static const uint64_t **ordered(struct arena *a, const struct part *p)
{
	const uint64_t **v = arena_array(a, const uint64_t *, p->nr + 1);

	for (uint32_t k = 0; k < p->nr; k++)
		v[k] = &p->elem[k];
	qsort(v, p->nr, sizeof(*v), by_digest);
	return v;
}

/* Elements of a that b has not, by index. */
static uint32_t *only_in(struct arena *scratch, const struct part *a, const struct part *b, uint32_t *nr)
{
	const uint64_t **x = ordered(scratch, a), **y = ordered(scratch, b);
	uint32_t *out = arena_array(scratch, uint32_t, a->nr + 1);

	*nr = 0;
	for (uint32_t k = 0, i = 0; k < a->nr; k++) {
		while (i < b->nr && *y[i] < *x[k])
			i++;
		if (i == b->nr || *y[i] != *x[k])
			out[(*nr)++] = (uint32_t)(x[k] - a->elem);
	}
	return out;
}

static void set_elements(struct writing *t, set_h h, struct part *p)
{
	const struct set *s = ruleset_set_get(t->x->w.rs, h);
	const struct part *old = find_part(t->old, 's', p->name);
	const struct ruleset *owner;
	const struct set_body *b = set_body(t->x->w.rs, h, &owner);
	struct nf_writer *w = &t->x->w;
	bool by_keys = !(s->flags & SETF_INTERVAL);
	uint32_t gone, come, *v;

	if (w->cannot)
		return;
	p->nr = b->nr;
	p->key_len = (uint32_t)nf_key_len(w, s);
	p->elem = arena_array(t->x->kept->arena, uint64_t, p->nr);
	p->key = arena_alloc(t->x->kept->arena, by_keys ? (size_t)p->nr * p->key_len : 0, 1);
	for (uint32_t k = 0; k < b->nr; k++) {
		p->elem[k] = nf_element_digest(w, owner, s, &b->v[k]);
		p->body += p->elem[k];
		if (by_keys)
			nf_key(w, owner, s, &b->v[k], p->key + (size_t)k * p->key_len);
	}
	if (w->cannot || (old && old->body == p->body && old->nr == p->nr))
		return;
	if (!old || !old->nr || !by_keys) {
		if (old && old->nr)
			nf_delete_elements(w, s->name, NULL, NULL, 0, 0);
		nf_elements(w, owner, s, b, NULL, 0);
		return;
	}
	v = only_in(t->x->scratch, old, p, &gone);
	nf_delete_elements(w, s->name, old->key, v, gone, p->key_len);
	v = only_in(t->x->scratch, p, old, &come);
	nf_elements(w, owner, s, b, v, come);
}

/* What is no longer there: emptied first, since chains and elements name chains. */
static void gone(struct writing *t, bool emptied)
{
	for (uint32_t k = 0; t->old && k < t->old->parts.nr; k++) {
		const struct part *p = &t->old->parts.v[k];

		if (t->seen[k])
			continue;
		if (p->base)
			t->x->not_by_parts = true;
		if (p->kind == 'c') {
			of_chain(t, emptied ? NFT_MSG_DELCHAIN : NFT_MSG_DELRULE, p->name);
		} else if (!emptied) {
			nf_delete_elements(&t->x->w, p->name, NULL, NULL, 0, 0);
		} else {
			nf_put_str(nf_message(&t->x->w, NFT_MSG_DELSET, 0, NFTA_SET_TABLE), NFTA_SET_NAME, p->name);
			nf_end(&t->x->b);
		}
	}
}

/* The first time nobody sees what is not complete yet. */
static bool send_some(struct sync *x)
{
	bool ok = true;

	if (!x->change->from && !x->change->forget && !x->w.cannot && (x->sets >= MANY_SETS || x->b.len >= MANY_BYTES)) {
		ok = nf_send(&x->b, x->change->fd, x->change->where, nf_say, (void *)(uintptr_t)x->change, x->err);
		x->sent = true;
		x->sets = 0;
	}
	return ok;
}

static void table_head(struct writing *t, const struct table *table)
{
	struct nf_mark from = nf_mark(&t->x->b);
	struct nlmsghdr *h = nf_message(&t->x->w, NFT_MSG_NEWTABLE, NLM_F_CREATE, NFTA_TABLE_NAME);

	mnl_attr_put_u32(h, NFTA_TABLE_FLAGS, 0);
	nf_put_comment(&t->x->w, NFTA_TABLE_USERDATA, UDATA_COMMENT, table->comment);
	nf_end(&t->x->b);
	t->now->head = nf_digest(&t->x->b, from);
	keep_new(t, from, !t->old);
	if (t->old && t->old->head != t->now->head)
		t->x->not_by_parts = true;
}

static bool write_table(struct writing *t)
{
	const struct ruleset *rs = t->x->w.rs;
	bool ok = true;

	table_head(t, ruleset_table_get(rs, t->table));
	t->seen = arena_array(t->x->scratch, bool, t->old ? t->old->parts.nr + 1 : 1);
	for (uint32_t k = 0; k < t->nr_chains; k++)
		chain_head(t, ruleset_chain_get(rs, (chain_h){ t->chains[k] }));
	for (uint32_t k = 0; k < t->nr_sets; k++)
		set_head(t, ruleset_set_get(rs, (set_h){ t->sets[k] }));
	for (int base = 0; base < 2; base++)            /* base chains last: what they lead to is complete then */
		for (uint32_t k = 0; ok && !t->x->w.cannot && k < t->nr_chains; k++)
			if (t->now->parts.v[k].base == base) {
				chain_rules_(t, (chain_h){ t->chains[k] }, &t->now->parts.v[k]);
				ok = send_some(t->x);
			}
	gone(t, false);
	for (uint32_t k = 0; ok && k < t->nr_sets; k++)
		set_elements(t, (set_h){ t->sets[k] }, &t->now->parts.v[t->nr_chains + k]);
	gone(t, true);
	return ok;
}

/* ---- all of them */

static const struct kept_table *kept_table(const struct nf_kept *k, const struct table *t)
{
	for (uint32_t i = 0; k && i < k->tables.nr; i++)
		if (k->tables.v[i].family == t->family && strcmp(k->tables.v[i].name, t->name) == 0)
			return &k->tables.v[i];
	return NULL;
}

static void of_table_name(struct sync *x, int nft_msg, const struct kept_table *t)        /* t NULL: all tables */
{
	struct nlmsghdr *h = nf_begin(&x->b, nft_msg, nft_msg == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0, !t ? NFPROTO_UNSPEC : t->family == NF_IP6 ? NFPROTO_IPV6 : NFPROTO_IPV4);

	if (t)
		nf_put_str(h, NFTA_TABLE_NAME, t->name);
	nf_end(&x->b);
}

static void delete_table(struct sync *x, const struct kept_table *t)
{
	if (x->change->anew && t)       /* one that is not there cannot be deleted */
		of_table_name(x, NFT_MSG_NEWTABLE, t);
	of_table_name(x, NFT_MSG_DELTABLE, t);
}

static uint32_t *of_table(struct sync *x, const uint32_t *all, uint32_t nr, bool sets, table_h t, uint32_t *out_nr)
{
	uint32_t *out = arena_array(x->scratch, uint32_t, nr + 1);

	*out_nr = 0;
	for (uint32_t k = 0; k < nr; k++)
		if (sets ? ruleset_set_get(x->w.rs, (set_h){ all[k] })->table.i == t.i && !(ruleset_set_get(x->w.rs, (set_h){ all[k] })->flags & SETF_ANONYMOUS)
			 : ruleset_chain_get(x->w.rs, (chain_h){ all[k] })->table.i == t.i)
			out[(*out_nr)++] = all[k];
	return out;
}

static bool write_all(struct sync *x)
{
	const struct ruleset *rs = x->change->rs;
	const struct nf_kept *from = x->change->from;
	uint32_t nr = 0, nr_chains = 0, nr_sets = 0, *chains = NULL, *sets = NULL;
	table_h *v = rs ? nf_tables_in_order(rs, x->scratch, &nr) : NULL;
	bool ok = true;

	x->whole = x->whole || x->change->anew || !from || from->tables.nr != nr;
	for (uint32_t k = 0; k < nr; k++)
		x->whole = x->whole || kept_table(from, ruleset_table_get(rs, v[k])) != &from->tables.v[k];
	x->b.fresh = x->whole;
	if (x->change->forget)
		delete_table(x, NULL);
	for (uint32_t k = 0; x->whole && !x->change->forget && from && k < from->tables.nr; k++)
		delete_table(x, &from->tables.v[k]);
	if (nr) {
		chains = ruleset_in_order(rs, false, x->scratch, &nr_chains);
		sets = ruleset_in_order(rs, true, x->scratch, &nr_sets);
	}
	for (uint32_t k = 0; ok && k < nr && !x->w.cannot && !(x->not_by_parts && !x->whole); k++) {
		const struct table *t = ruleset_table_get(rs, v[k]);
		struct kept_table *now = vec_push(x->kept->arena, &x->kept->tables);
		struct writing w = { .x = x, .table = v[k], .now = now, .old = x->whole ? NULL : kept_table(from, t) };

		now->name = arena_strdup(x->kept->arena, t->name);
		now->family = t->family;
		x->w.table = t->name;
		x->w.v6 = t->family == NF_IP6;
		if (t->family > NF_IP6)
			nf_cannot(&x->w, "a table of this family");
		w.chains = of_table(x, chains, nr_chains, false, v[k], &w.nr_chains);
		w.sets = of_table(x, sets, nr_sets, true, v[k], &w.nr_sets);
		ok = write_table(&w);
	}
	return ok;
}

static struct nf_kept *kept_new(void)
{
	struct nf_kept *k = calloc(1, sizeof(*k));

	if (!k)
		abort();
	k->arena = arena_new(NULL, "rules in the kernel");
	return k;
}

enum nf_done nf_sync(const struct nf_change *change, struct nf_kept **kept, const char **why, struct err *err)
{
	struct sync x = { .change = change, .w = { .rs = change->rs }, .scratch = arena_new(NULL, "changes of rules"), .kept = kept_new(), .err = err };
	enum nf_done done = NF_FAILED;
	bool ok;

	x.w.b = &x.b;
	ok = write_all(&x);
	if (ok && x.not_by_parts && !x.whole && !x.w.cannot) {
		nf_kept_free(x.kept);
		x.kept = kept_new();
		nf_rewind(&x.b, (struct nf_mark){ 0, 0, 0 });
		x.b.sets = x.b.names = 0;
		x.whole = true;
		ok = write_all(&x);
	}
	if (ok && x.w.cannot) {
		*why = x.w.cannot;
		nf_rewind(&x.b, (struct nf_mark){ 0, 0, 0 });
		if (x.sent)
			delete_table(&x, NULL);
		done = nf_send(&x.b, change->fd, change->where, nf_say, (void *)(uintptr_t)change, err) ? NF_CANNOT : NF_FAILED;
	} else if (ok) {
		done = x.b.nr <= 1 && !x.sent ? NF_SAME : nf_send(&x.b, change->fd, change->where, nf_say, (void *)(uintptr_t)change, err) ? NF_CHANGED : NF_FAILED;
	}
	if (done == NF_CHANGED || done == NF_SAME)
		*kept = x.kept;
	else
		nf_kept_free(x.kept);
	arena_free(x.scratch);
	nf_free(&x.b);
	return done;
}
