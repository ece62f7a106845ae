/* Rules into the kernel: nft's tables by netlink (nf_tables.h), those of iptables as iptables-restore reads them. What has no spelling as messages is given to nft as the
 * text that people see, and said. Afterwards what differs, and nothing else: what a set has learned (session affinity) and the order of base chains stay. */
#include <errno.h>
#include <nftables/libnftables.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sim/linux/cni.h"
#include "sim/linux/live.h"
#include "sim/linux/nf_batch.h"
#include "sim/linux/nf_tables.h"
#include "sim/linux/nft_run.h"
#include "sim/linux/rules.h"
#include "sim/linux/run.h"

/* What a space has been given. text: nft was given that, and nf is NULL. */
struct syncing_rules { const struct dataplane *dp; struct cluster *cluster; };
struct rule_state { struct nf_kept *nf; char *text, *heads /* of nft's tables: \nip kube-proxy\n */, *iptables[2], *ipsets; };

static void free_state_parts(struct rule_state *s)
{
	nf_kept_free(s->nf);
	free(s->text);
	free(s->heads);
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

char *rules_text(const struct ruleset *rs)
{
	struct print_rules how = { .comments = true };
	struct arena *a = arena_new(NULL, "tables");
	struct sb out = { 0 };
	uint32_t nr;
	table_h *v = nf_tables_in_order(rs, a, &nr);
	str before = NULL;
	char *text;

	for (uint32_t k = 0; k < nr; k++) {
		how.only_table = ruleset_table_get(rs, v[k])->name;
		if (how.only_table != before)   /* it prints the families of a name together */
			print_nft(rs, &how, NULL, NULL, &out);
		before = how.only_table;
	}
	text = strdup(sb_text(&out));
	arena_free(a);
	sb_free(&out);
	if (!text)
		abort();
	return text;
}

static char *heads_of(const struct ruleset *rs)
{
	struct sb out = { 0 };
	char *text;

	sb_addc(&out, '\n');
	for (uint32_t k = 1; k <= ruleset_nr_tables(rs); k++)
		if (!ruleset_table_get(rs, (table_h){ k })->iptables)
			sb_printf(&out, "%s %s\n", nf_family_names[ruleset_table_get(rs, (table_h){ k })->family], ruleset_table_get(rs, (table_h){ k })->name);
	text = strdup(sb_text(&out));
	sb_free(&out);
	if (!text)
		abort();
	return text;
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
	s.heads = heads_of(rs);
	s.ipsets = ipset_lines(rs);
	for (int six = 0; six < 2; six++) {
		sb_reset(&text);
		print_iptables(rs, six ? NF_IP6 : NF_IP, &how, NULL, NULL, &text);
		s.iptables[six] = strdup(sb_text(&text));
	}
	sb_free(&text);
	return s;
}

/* ---- into the kernel */

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

static bool differ(const struct rule_state *a, const struct rule_state *b)      /* what is not nft's */
{
	return differs(a ? a->ipsets : NULL, b->ipsets) || differs(a ? a->iptables[0] : NULL, b->iptables[0]) || differs(a ? a->iptables[1] : NULL, b->iptables[1]);
}

/* All of it as text: there is no difference that could be taken then. */
static bool nft_by_text(const struct ruleset *rs, const struct rule_state *from, struct rule_state *now, bool lost, const char *where, bool *changed, struct err *err)
{
	struct sb commands = { 0 };
	bool ok = true;

	now->text = rules_text(rs);
	*changed = differs(from ? from->text : NULL, now->text);
	if (lost)
		sb_add(&commands, "flush ruleset\n");
	for (const char *p = from && from->heads ? from->heads + 1 : ""; *p; p = strchr(p, '\n') + 1)
		sb_printf(&commands, "delete table %.*s\n", (int)strcspn(p, "\n"), p);
	sb_add(&commands, now->text);
	if (*changed)
		ok = nft_run(sb_text(&commands), 0, NULL, where, err);
	sb_free(&commands);
	return ok;
}

static void name_cause(void *ctx, cause_h h, struct sb *out)
{
	const struct syncing_rules *x = ctx;
	const struct cause *c = cause_get(x->dp, h);
	const struct object *o = c && c->object ? obj_get(x->cluster, (obj_h){ c->object }) : NULL;

	if (o)
		sb_printf(out, "%s %s%s%s", o->kind->name, o->ns ? o->ns : "", o->ns ? "/" : "", o->name);
}

/* Where somebody has changed rules by hand, the difference may not fit what is there. */
static enum nf_done sync_or_anew(struct nf_change *change, struct nf_kept **kept, const char **why, struct err *err)
{
	uint32_t mark = err->nr;
	enum nf_done done = nf_sync(change, kept, why, err);
	struct err_msg first = { 0 };

	if (done != NF_FAILED || !change->from)
		return done;
	while (err->nr > mark) {
		err_msg_free(first);
		first = err_pop(err);
	}
	change->anew = true;
	done = nf_sync(change, kept, why, err);
	if (done == NF_CHANGED)
		err_warn(err, NULL, "rules of %s are written anew, as the change did not fit what was there (%s)", change->where, first.text ? first.text : "");
	err_msg_free(first);
	return done;
}

static bool nft_tables(struct live *live, struct cluster *cluster, struct space *s, const struct dataplane *dp, struct rule_state *now, bool *changed, struct err *err)
{
	struct syncing_rules x = { dp, cluster };
	const struct ruleset *rs = netns_get(dp, s->ns)->rules;
	struct nf_change change = { .rs = rs, .from = s->rules ? s->rules->nf : NULL, .forget = s->rules_lost || (s->rules && s->rules->text), .where = s->name, .cause = name_cause, .ctx = &x };
	const char *why = NULL;

	if (s->nf < 0)
		s->nf = live_enter(live, s, err) ? nf_open(s->name, err) : -1;
	if (s->nf < 0)
		return false;
	change.fd = s->nf;
	switch (sync_or_anew(&change, &now->nf, &why, err)) {
	case NF_SAME: return true;
	case NF_CHANGED: return *changed = true;
	case NF_FAILED: return false;
	case NF_CANNOT: break;
	}
	if (!s->rules || !s->rules->text)
		err_warn(err, NULL, "rules of %s are given to nft as text, and anew with each change: netlink is not told of %s", s->name, why);
	return live_enter(live, s, err) && nft_by_text(rs, s->rules, now, s->rules_lost, s->name, changed, err);
}

bool rules_sync(struct live *live, struct cluster *cluster, struct space *s, const struct dataplane *dp, uint32_t *changed, struct err *err)
{
	const struct ruleset *rs = netns_get(dp, s->ns)->rules;
	struct rule_state now = wanted(rs);
	bool ok = true, any = false, no_text;

	if (rs || s->rules_lost || (s->rules && (s->rules->nf || s->rules->text)))
		ok = nft_tables(live, cluster, s, dp, &now, &any, err);
	no_text = s->rules && s->rules->text && !now.text;      /* then all tables went first, those of iptables as well */
	if (ok && (no_text || differ(s->rules, &now))) {
		ok = live_enter(live, s, err) && restore(no_text ? NULL : s->rules, &now, live->cni && s->kind == NS_NODE, s->name, err);
		any = true;
	}
	*changed += any || !ok;
	if (!s->rules)
		s->rules = calloc(1, sizeof(*s->rules));
	else
		free_state_parts(s->rules);
	if (!s->rules)
		abort();
	s->rules_lost = !ok;            /* then nobody knows what is there */
	if (ok) {
		*s->rules = now;
	} else {
		free_state_parts(&now);
		free(s->rules);
		s->rules = NULL;
	}
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
			int n = snprintf(head, sizeof(head), "\n%s %s\n", six ? "ip6" : "ip", names[k]);

			if ((!s->heads || !strstr(s->heads, head)) && strncmp(table, "table ", 6) == 0 && strncmp(table + 6, head + 1, (size_t)n - 2) == 0 && table[6 + n - 2] == ' ')
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

void rules_order(struct sb *text)
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
	rules_order(out);
	return true;
}

/* By nft from the text, so that this spelling and that of netlink watch each other. Without root nft cannot send much at once (it forces its socket's buffer, or does
 * without). */
static bool load_expected(const struct ruleset *rs, const char *where, struct err *err)
{
	char *text = rules_text(rs);
	struct err none = { 0 };
	bool ok = !*text || nft_run(text, 0, NULL, where, &none);

	if (!ok && none.nr && strstr(none.v[0].text, strerror(EMSGSIZE))) {
		struct nf_change change = { .rs = rs, .where = where, .fd = nf_open(where, err) };
		struct nf_kept *kept = NULL;
		const char *why = NULL;

		ok = change.fd >= 0 && nf_sync(&change, &kept, &why, err) == NF_CHANGED;
		nf_kept_free(kept);
		if (change.fd >= 0)
			close(change.fd);
		err_free(&none);
	}
	for (uint32_t k = 0; !ok && k < none.nr; k++)
		err_add(err, none.v[k].kind, NULL, "%s", none.v[k].text);
	err_free(&none);
	free(text);
	return ok;
}

bool rules_expected(struct live *live, const struct space *s, const struct dataplane *dp, struct sb *out, struct err *err)
{
	const struct ruleset *rs = netns_get(dp, s->ns)->rules;
	struct rule_state want = wanted(rs);
	bool ok;

	ok = live_enter(live, NULL, err) && (unshare(CLONE_NEWNET) == 0 || err_add(err, ERR_MACHINE, NULL, "a scratch namespace: %s", strerror(errno)));
	ok = ok && (!rs || load_expected(rs, s->name, err)) && restore(NULL, &want, false, s->name, err) && list_all(&want, out, s->name, err);
	if (ok) {
		forget_what_changes(out);
		rules_order(out);
	}
	free_state_parts(&want);
	return live_enter(live, NULL, err) && ok;
}
