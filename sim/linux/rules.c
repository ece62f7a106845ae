/* Rules into the kernel, as nft and iptables-restore read them, spelled by the same printers that people see. One transaction per space the first time; afterwards
 * chains and elements that differ, and nothing else: what a set has learned (session affinity) and the order of base chains stay. */
#include <errno.h>
#include <nftables/libnftables.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sim/linux/cni.h"
#include "sim/linux/live.h"
#include "sim/linux/rules.h"
#include "sim/linux/run.h"

/* One chain, set or map of a listing. Texts point into it. */
struct part { const char *name, *text; size_t name_len, len; char kind; /* chain set map */ };
struct listing { char *text; struct part *v; uint32_t nr; char head[96]; /* ip kube-proxy */ };
struct rule_state { struct listing *v; uint32_t nr; char *iptables[2], *ipsets; };

static void listing_free(struct listing *l)
{
	free(l->text);
	free(l->v);
}

static void free_state_parts(struct rule_state *s)
{
	for (uint32_t k = 0; k < s->nr; k++)
		listing_free(&s->v[k]);
	free(s->v);
	free(s->iptables[0]);
	free(s->iptables[1]);
	free(s->ipsets);
}

void rules_free(struct rule_state *s)
{
	if (s)
		free_state_parts(s);
	free(s);
}

/* ---- what should be there */

static void cut(struct listing *l)              /* text, as print_nft writes it, into its blocks */
{
	uint32_t alloc = 0;

	for (const char *p = strstr(l->text, "{\n") + 2, *end; (p = strchr(p, '\t')); p = end) {
		struct part b = { .text = p };
		const char *word = p + 1;

		end = strstr(p, "\n\t}\n");
		if (!end || (strncmp(word, "chain ", 6) != 0 && strncmp(word, "set ", 4) != 0 && strncmp(word, "map ", 4) != 0)) {
			end = p + strcspn(p, "\n");     /* a comment of the table */
			continue;
		}
		end += 4;
		b.len = (size_t)(end - p);
		b.kind = word[0];
		b.name = strchr(word, ' ') + 1;
		b.name_len = strcspn(b.name, " ");
		if (l->nr == alloc) {
			alloc = MAX(32u, 2 * alloc);
			l->v = realloc(l->v, alloc * sizeof(*l->v));
			if (!l->v)
				abort();
		}
		l->v[l->nr++] = b;
	}
}

static void add_listing(struct rule_state *s, const char *text, size_t n)
{
	struct listing l = { .text = strndup(text, n) };
	const char *head = text + strlen("table ");

	s->v = realloc(s->v, (s->nr + 1) * sizeof(*s->v));
	if (!s->v || !l.text)
		abort();
	snprintf(l.head, sizeof(l.head), "%.*s", (int)MIN(sizeof(l.head) - 1, strcspn(head, "{") - 1), head);
	cut(&l);
	s->v[s->nr++] = l;
}

/* Of base chains with one priority the kernel asks the one first that was registered last (net/netfilter/core.c, nf_hook_entries_grow): the walk's first table is
 * written last, as felix comes after kube-proxy. */
static void nft_listings(const struct ruleset *rs, struct rule_state *s)
{
	struct print_rules how = { .comments = true };
	struct sb text = { 0 };

	for (uint32_t k = ruleset_nr_tables(rs); k > 0; k--) {
		const struct table *t = ruleset_table_get(rs, (table_h){ k });
		bool again = t->iptables;

		for (uint32_t i = k + 1; i <= ruleset_nr_tables(rs); i++)
			again = again || ruleset_table_get(rs, (table_h){ i })->name == t->name;
		if (again)
			continue;
		how.only_table = t->name;
		sb_reset(&text);
		print_nft(rs, &how, NULL, NULL, &text);
		for (const char *p = text.len ? text.s : NULL; p && *p;) {      /* one name may stand for a table of each family */
			const char *end = strstr(p, "\n}\n");
			size_t n = end ? (size_t)(end + 3 - p) : strlen(p);

			add_listing(s, p, n);
			p += n;
		}
	}
	sb_free(&text);
}

static char *ipset_lines(const struct ruleset *rs)
{
	struct sb out = { 0 };
	char *text;

	for (uint32_t k = 1; k <= ruleset_nr_sets(rs); k++) {
		const struct set *s = ruleset_set_get(rs, (set_h){ k });
		const struct ruleset *owner;
		const struct set_body *b = set_body(rs, (set_h){ k }, &owner);

		if (!(s->flags & SETF_IPSET))
			continue;
		sb_printf(&out, "create %s hash:net%s -exist\nflush %s\n", s->name, ruleset_table_get(rs, s->table)->family == NF_IP6 ? " family inet6" : "", s->name);
		for (uint32_t i = 0; i < b->nr; i++) {
			sb_printf(&out, "add %s ", s->name);
			elem_text(owner, s, &b->v[i], &out);
			sb_addc(&out, '\n');
		}
	}
	text = strdup(sb_text(&out));
	sb_free(&out);
	return text;
}

static struct rule_state wanted(const struct ruleset *rs)
{
	struct print_rules how = { .comments = true };
	struct rule_state s = { 0 };
	struct sb text = { 0 };

	if (!rs)
		return s;
	nft_listings(rs, &s);
	s.ipsets = ipset_lines(rs);
	for (int six = 0; six < 2; six++) {
		sb_reset(&text);
		print_iptables(rs, six ? NF_IP6 : NF_IP, &how, NULL, NULL, &text);
		s.iptables[six] = strdup(sb_text(&text));
	}
	sb_free(&text);
	return s;
}

/* ---- the difference of two listings, as commands */

static const struct part *find(const struct listing *l, const struct part *b)
{
	for (uint32_t k = 0; k < l->nr; k++)
		if (l->v[k].kind == b->kind && l->v[k].name_len == b->name_len && memcmp(l->v[k].name, b->name, b->name_len) == 0)
			return &l->v[k];
	return NULL;
}

static bool same(const struct part *a, const struct part *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

/* The head of a block: all before its elements or rules. A base chain's hook stands in it. */
static size_t head_len(const struct part *b)
{
	const char *p = b->kind == 'c' ? memmem(b->text, b->len, "\t\ttype ", 7) : memmem(b->text, b->len, "\t\telements = {", 14);

	if (b->kind == 'c')
		return p ? (size_t)(strchr(p, '\n') + 1 - b->text) : 0;
	return p ? (size_t)(p - b->text) : b->len - strlen("\t}\n");
}

static bool same_head(const struct part *a, const struct part *b)
{
	size_t n = head_len(a);

	return n == head_len(b) && memcmp(a->text, b->text, n) == 0;
}

/* One element after another: they stand a line each. */
static bool next_element(const struct part *b, const char **at, const char **elem, size_t *n)
{
	const char *end = b->text + b->len, *p = *at, *q;

	if (!p) {
		p = memmem(b->text, b->len, "\t\telements = { ", 15);
		if (!p)
			return false;
		p += 15;
	}
	p += strspn(p, "\t ");
	if (p >= end || *p == '}')
		return false;
	q = p + strcspn(p, "\n");
	*at = q + 1;
	if (q[-1] == ',')
		q--;
	else if (q - p > 2 && q[-1] == '}')
		q -= 2, *at = end;
	*elem = p;
	*n = (size_t)(q - p);
	return true;
}

static bool has_element(const struct part *b, const char *elem, size_t n)
{
	const char *at = NULL, *e;
	size_t m;

	while (next_element(b, &at, &e, &m))
		if (m == n && memcmp(e, elem, n) == 0)
			return true;
	return false;
}

static void element_changes(const struct listing *l, const struct part *from, const struct part *to, const char *verb, struct sb *out)
{
	const char *at = NULL, *e;
	bool any = false;
	size_t n;

	while (next_element(from, &at, &e, &n)) {
		if (has_element(to, e, n))
			continue;
		if (any)
			sb_add(out, ", ");
		else
			sb_printf(out, "%s element %s %.*s { ", verb, l->head, (int)from->name_len, from->name);
		any = true;
		sb_addn(out, e, n);
	}
	if (any)
		sb_add(out, " }\n");
}

/* false: a base chain or a set's type differs; the whole has to be written anew. */
static bool table_changes(const struct listing *from, const struct listing *to, struct sb *out)
{
	struct sb new_parts = { 0 }, late = { 0 };
	bool ok = true;

	for (uint32_t k = 0; ok && k < to->nr; k++) {
		const struct part *b = &to->v[k], *a = find(from, b);

		if (a && same(a, b))
			continue;
		if (a && !same_head(a, b)) {
			ok = false;
		} else if (!a || b->kind == 'c') {
			if (a)
				sb_printf(out, "flush chain %s %.*s\n", to->head, (int)b->name_len, b->name);
			sb_addn(&new_parts, b->text, b->len);
		} else {
			element_changes(to, a, b, "delete", out);
			element_changes(to, b, a, "add", &late);
		}
	}
	for (uint32_t k = 0; ok && k < from->nr; k++) {
		const struct part *a = &from->v[k];

		if (find(to, a))
			continue;
		if (head_len(a) && a->kind == 'c')
			ok = false;
		sb_printf(out, "flush %s %s %.*s\n", a->kind == 'c' ? "chain" : a->kind == 's' ? "set" : "map", to->head, (int)a->name_len, a->name);
	}
	if (new_parts.len)
		sb_printf(out, "table %s {\n%s}\n", to->head, sb_text(&new_parts));
	sb_add(out, sb_text(&late));
	for (int sets = 0; ok && sets < 2; sets++)
		for (uint32_t k = 0; k < from->nr; k++) {
			const struct part *a = &from->v[k];

			if (!find(to, a) && (a->kind != 'c') == sets)
				sb_printf(out, "delete %s %s %.*s\n", a->kind == 'c' ? "chain" : a->kind == 's' ? "set" : "map", to->head, (int)a->name_len, a->name);
		}
	sb_free(&new_parts);
	sb_free(&late);
	return ok;
}

static void whole(const struct rule_state *from, const struct rule_state *to, struct sb *out)
{
	sb_reset(out);
	for (uint32_t k = 0; from && k < from->nr; k++)
		sb_printf(out, "delete table %s\n", from->v[k].head);
	for (uint32_t k = 0; k < to->nr; k++)
		sb_add(out, to->v[k].text);
}

static bool same_tables(const struct rule_state *a, const struct rule_state *b)
{
	if (a->nr != b->nr)
		return false;
	for (uint32_t k = 0; k < a->nr; k++)
		if (strcmp(a->v[k].head, b->v[k].head) != 0)
			return false;
	return true;
}

static void nft_commands(const struct rule_state *from, const struct rule_state *to, struct sb *out)
{
	if (!from || !same_tables(from, to)) {
		whole(from, to, out);
		return;
	}
	for (uint32_t k = 0; k < to->nr; k++)
		if (strcmp(from->v[k].text, to->v[k].text) != 0 && !table_changes(&from->v[k], &to->v[k], out)) {
			whole(from, to, out);
			return;
		}
}

/* ---- into the kernel */

bool nft_run(const char *commands, unsigned flags, struct sb *out, const char *where, struct err *err)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	const char *said;
	bool ok;

	if (!nft)
		return err_add(err, ERR_MACHINE, NULL, "libnftables cannot be used");
	nft_ctx_buffer_error(nft);
	nft_ctx_buffer_output(nft);
	nft_ctx_output_set_flags(nft, flags);
	ok = nft_run_cmd_from_buffer(nft, commands) == 0;
	if (ok && out)
		sb_add(out, nft_ctx_get_output_buffer(nft));
	said = nft_ctx_get_error_buffer(nft);
	if (!ok)
		err_add(err, ERR_MACHINE, NULL, "nft in %s: %.*s", where, (int)MIN(strlen(said), 800u), said);
	nft_ctx_free(nft);
	return ok;
}

static bool differs(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") != 0;
}

/* plugins: portmap's rules are the plugin's own affair. */
static bool restore_tables(const char *text, bool six, bool plugins, struct err *err)
{
	const char *const argv[] = { six ? "ip6tables-restore" : "iptables-restore", NULL };
	char *own = plugins ? cni_keep_rules(text ? text : "", six, err) : NULL;
	bool ok = !plugins || own;

	text = own ? own : text ? text : "";
	ok = ok && run_program(argv, text, strlen(text), NULL, err);
	free(own);
	return ok;
}

static bool restore(const struct rule_state *from, const struct rule_state *to, bool plugins, const char *where, struct err *err)
{
	uint32_t mark = err->nr;
	bool ok = true;

	if (differs(from ? from->ipsets : NULL, to->ipsets))
		ok = run_program((const char *const[]){ "ipset", "restore", NULL }, to->ipsets ? to->ipsets : "", to->ipsets ? strlen(to->ipsets) : 0, NULL, err);
	for (int six = 0; ok && six < 2; six++)
		if (differs(from ? from->iptables[six] : NULL, to->iptables[six]))
			ok = restore_tables(to->iptables[six], six, plugins, err);
	return ok || err_wrap(err, mark, "%s", where);
}

bool rules_sync(struct live *live, struct space *s, const struct dataplane *dp, uint32_t *changed, struct err *err)
{
	struct rule_state now = wanted(netns_get(dp, s->ns)->rules);
	struct sb commands = { 0 };
	bool ok = true;

	nft_commands(s->rules, &now, &commands);
	if (s->rules_lost) {            /* an earlier change failed: nobody knows what is there */
		struct sb anew = { 0 };

		sb_printf(&anew, "flush ruleset\n%s", sb_text(&commands));
		sb_free(&commands);
		commands = anew;
	}
	if (commands.len || differs(s->rules ? s->rules->ipsets : NULL, now.ipsets) || differs(s->rules ? s->rules->iptables[0] : NULL, now.iptables[0]) ||
	    differs(s->rules ? s->rules->iptables[1] : NULL, now.iptables[1])) {
		ok = live_enter(live, s, err) && (!commands.len || nft_run(commands.s, 0, NULL, s->name, err)) && restore(s->rules, &now, live->cni && s->kind == NS_NODE, s->name, err);
		++*changed;
	}
	if (!s->rules)
		s->rules = calloc(1, sizeof(*s->rules));
	else
		free_state_parts(s->rules);
	if (!s->rules)
		abort();
	s->rules_lost = !ok;
	if (ok) {
		*s->rules = now;
	} else {
		free_state_parts(&now);
		free(s->rules);
		s->rules = NULL;
	}
	sb_free(&commands);
	return ok;
}

/* ---- back from the kernel */

/* What is iptables' own is listed by iptables-save; nft shows it, too, in words of its own. */
static bool is_iptables(const char *table, const struct rule_state *s)
{
	static const char *const names[] = { "filter", "nat", "mangle", "raw", "security" };
	char head[64];

	for (int six = 0; six < 2; six++)
		for (size_t k = 0; k < ARRAY_LEN(names); k++) {
			bool nft = false;
			int n = snprintf(head, sizeof(head), "table %s %s {", six ? "ip6" : "ip", names[k]);

			for (uint32_t i = 0; i < s->nr; i++)
				nft = nft || strncmp(s->v[i].head, head + 6, strlen(head) - 8) == 0;
			if (!nft && strncmp(table, head, (size_t)n) == 0)
				return true;
		}
	return false;
}

static bool list_all(const struct rule_state *s, struct sb *out, const char *where, struct err *err)
{
	struct sb all = { 0 };
	bool ok = nft_run("list tables\n", 0, &all, where, err);
	char head[128];

	for (const char *p = sb_text(&all), *end; ok && *p; p = end) {
		int n = (int)strcspn(p, "\n");

		end = p + n + (p[n] == '\n');
		snprintf(head, sizeof(head), "%.*s {", n, p);
		if (!n || is_iptables(head, s))
			continue;
		snprintf(head, sizeof(head), "list %.*s\n", n, p);
		ok = nft_run(head, NFT_CTX_OUTPUT_STATELESS, out, where, err);
	}
	for (int six = 0; ok && six < 2; six++)
		if (s->iptables[six] && *s->iptables[six])
			ok = run_program((const char *const[]){ six ? "ip6tables-save" : "iptables-save", NULL }, "", 0, out, err);
	sb_free(&all);
	return ok;
}

/* What a listing says that is no rule: counters of iptables, comments, the elements that a set has learned. */
static void forget_what_changes(struct sb *text)
{
	struct sb out = { 0 };
	const char *p = sb_text(text);
	bool dynamic = false, elements = false;

	for (const char *end; *p; p = end) {
		const char *counter;

		end = p + strcspn(p, "\n");
		end += *end == '\n';
		if (memmem(p, (size_t)(end - p), "flags dynamic", 13) || memmem(p, (size_t)(end - p), ",dynamic", 8))
			dynamic = true;
		if (strncmp(p, "\t}", 2) == 0)
			dynamic = elements = false;
		elements = elements || (dynamic && memmem(p, (size_t)(end - p), "elements = {", 12));
		if (elements || *p == '#')
			continue;
		if (*p == ':' && memchr(p, '[', (size_t)(end - p))) {           /* :POSTROUTING ACCEPT [12:720] */
			sb_addn(&out, p, strcspn(p, "["));
			sb_addc(&out, '\n');
			continue;
		}
		counter = memmem(p, (size_t)(end - p), "counter packets ", 16);
		if (counter) {
			const char *after = counter + 16;

			after += strspn(after, "0123456789");
			after += strspn(after, " bytes");
			after += strspn(after, "0123456789 ");
			sb_addn(&out, p, (size_t)(counter - p));
			sb_addn(&out, after, (size_t)(end - after));
		} else {
			sb_addn(&out, p, (size_t)(end - p));
		}
	}
	sb_free(text);
	*text = out;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Chains and sets of a table stand in the order in which they came: here by name, since a change adds at the end. */
static void order_blocks(struct sb *text)
{
	char **v = NULL, *p = text->s;
	uint32_t nr = 0;
	struct sb out = { 0 };

	while (p && *p) {
		char *end = strncmp(p, "\t", 1) == 0 ? strstr(p, "\n\t}\n") : NULL, *line = strchr(p, '\n');

		if (end && line && line[-1] == '{') {
			v = realloc(v, (nr + 1) * sizeof(*v));
			if (!v || !(v[nr++] = strndup(p, (size_t)(end + 4 - p))))
				abort();
			p = end + 4;
			p += *p == '\n';
			continue;
		}
		if (nr && *p == '}') {
			qsort(v, nr, sizeof(*v), by_text);
			for (uint32_t k = 0; k < nr; k++) {
				sb_add(&out, v[k]);
				free(v[k]);
			}
			nr = 0;
		}
		line = line ? line + 1 : p + strlen(p);
		sb_addn(&out, p, (size_t)(line - p));
		p = line;
	}
	free(v);
	sb_free(text);
	*text = out;
}

bool rules_listed(const struct live *live, const struct space *s, struct sb *out, struct err *err)
{
	static const struct rule_state none;

	if (!live_enter(live, s, err) || !list_all(s->rules ? s->rules : &none, out, s->name, err))
		return false;
	forget_what_changes(out);
	order_blocks(out);
	return true;
}

bool rules_expected(struct live *live, const struct space *s, const struct dataplane *dp, struct sb *out, struct err *err)
{
	struct rule_state want = wanted(netns_get(dp, s->ns)->rules);
	struct sb commands = { 0 };
	bool ok;

	nft_commands(NULL, &want, &commands);
	ok = live_enter(live, NULL, err) && (unshare(CLONE_NEWNET) == 0 || err_add(err, ERR_MACHINE, NULL, "a scratch namespace: %s", strerror(errno)));
	ok = ok && (!commands.len || nft_run(commands.s, 0, NULL, s->name, err)) && restore(NULL, &want, false, s->name, err) && list_all(&want, out, s->name, err);
	if (ok) {
		forget_what_changes(out);
		order_blocks(out);
	}
	free_state_parts(&want);
	sb_free(&commands);
	return live_enter(live, NULL, err) && ok;
}
