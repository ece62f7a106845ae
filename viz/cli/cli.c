#include "model/base/quantity.h"
#include "sim/engine/import.h"
#include "viz/cli/labwork.h"
#include "viz/cli/replay.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

const char *cli_ns(const struct cli *cli)
{
	return cli->ns ? cli->ns : "default";
}

bool cli_output_is(const struct cli *cli, const char *format)
{
	return strcmp(cli->output ? cli->output : "", format) == 0;
}

enum err_kind cli_usage(struct cli *cli, struct err *err, const char *fmt, ...)
{
	const struct command *c = command_find(cli->command);
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_add(err, ERR_INPUT, NULL, "%s (usage: podwire %s%s%s)", text, c->name, *c->args ? " " : "", c->args);
	return ERR_INPUT;
}

bool file_write(const char *path, const struct sb *bytes)
{
	FILE *f = fopen(path, "wb");
	bool ok = f && fwrite(sb_text(bytes), 1, bytes->len, f) == bytes->len;

	return f && fclose(f) == 0 && ok;
}

const char *file_bytes(struct cli *cli, const char *path, size_t *len, struct err *err)
{
	FILE *f = fopen(path, "rb");
	struct sb b = { 0 };
	char buf[4096];
	char *text = NULL;
	size_t n;

	if (!f) {
		err_add(err, ERR_INPUT, NULL, "%s: %s", path, strerror(errno));
		return NULL;
	}
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		sb_addn(&b, buf, n);
	if (ferror(f)) {
		err_add(err, ERR_INPUT, NULL, "%s: %s", path, strerror(errno));
	} else {
		text = arena_alloc(cli->arena, b.len + 1, 1);
		memcpy(text, sb_text(&b), b.len + 1);
		*len = b.len;
	}
	fclose(f);
	sb_free(&b);
	return text;
}

const char *file_read(struct cli *cli, const char *path, struct err *err)
{
	size_t len;
	const char *text = file_bytes(cli, path, &len, err);

	if (text && strlen(text) < len) {
		err_add(err, ERR_INPUT, NULL, "%s: byte %zu is NUL: not a text file", path, strlen(text) + 1);
		return NULL;
	}
	return text;
}

static void add_text(struct cli *cli, str_list *l, const char *s)
{
	str *v = arena_array(cli->arena, str, l->nr + 1);

	if (l->nr)
		memcpy(v, l->v, l->nr * sizeof(*v));
	v[l->nr++] = s;
	l->v = v;
	l->set = true;
}

static void add_split(struct cli *cli, str_list *l, const char *s, char at)
{
	while (*s) {
		const char *end = strchr(s, at);
		size_t n = end ? (size_t)(end - s) : strlen(s);

		if (n)
			add_text(cli, l, arena_strndup(cli->arena, s, n));
		s += n + (end != NULL);
	}
}

/* --kernel WORD=VALUE,…: of each word two values are known, the first sets it */
static bool kernel_facts(struct cli *cli, struct kernel_facts *k, struct err *err)
{
	const struct { const char *on, *off; bool *flag; } facts[] = {
		{ "random-fully=on", "random-fully=off", &k->random_fully }, { "be-liberal=on", "be-liberal=off", &k->be_liberal },
		{ "bridge-nf=off", "bridge-nf=on", &k->no_bridge_nf }, { "forward=drop", "forward=accept", &k->forward_drop }, { "rp-filter=strict", "rp-filter=off", &k->rp_strict },
		{ "ip-forward=off", "ip-forward=on", &k->no_forward }, { "udp-clash=drop", "udp-clash=resolve", &k->clash_drop },
	};
	str_list parts = { 0 };

	*k = (struct kernel_facts){ .random_fully = true };
	add_split(cli, &parts, cli->kernel, ',');
	for (uint32_t i = 0; i < parts.nr; i++) {
		const char *p = parts.v[i];
		bool known = strncmp(p, "nfacct=", 7) == 0;

		if (known)
			add_split(cli, &k->nfacct, p + 7, '+');
		for (size_t f = 0; f < ARRAY_LEN(facts) && !known; f++)
			if ((known = streq(p, facts[f].on) || streq(p, facts[f].off)))
				*facts[f].flag = streq(p, facts[f].on);
		if (!known)
			return err_add(err, ERR_INPUT, NULL, "--kernel: \"%s\" is not random-fully=on|off, be-liberal=on|off, bridge-nf=on|off, forward=accept|drop, ip-forward=on|off, rp-filter=off|strict, udp-clash=resolve|drop or nfacct=NAME+NAME", p);
	}
	return true;
}

static bool one_of(const char *option, const char *value, const char *const *known, struct err *err)
{
	struct sb all = { 0 };
	const char *near;

	for (size_t k = 0; known[k]; k++)
		if (strcmp(known[k], value) == 0)
			return true;
	for (size_t k = 0; known[k]; k++)
		sb_printf(&all, "%s%s", k ? ", " : "", known[k]);
	near = nearest(value, known);
	err_add(err, ERR_INPUT, NULL, "--%s: \"%s\" is not known%s%s%s (%s)", option, value, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "", sb_text(&all));
	sb_free(&all);
	return false;
}

bool cli_world_options(struct cli *cli, struct world_options *opt, struct err *err)
{
	static const char *const cnis[] = { "calico", "flannel", "bridge", "none", NULL };
	static const char *const levels[] = { "strict", "warn", "ignore", NULL };
	static const char *const enforcers[] = { "none", "spec", "calico", NULL };
	struct settings_flags *f = &opt->flags;
	char *end;

	*opt = (struct world_options){ .seed = 1, .ask = true, .no_settle = cli->no_settle, .watch = cli->watcher.look, .watch_ctx = cli->watcher.ctx };
	opt->apply = (struct apply_options){ .unknown = VALIDATE_WARN, .validate = true, .respect_status = true, .dflt_ns = cli_ns(cli), .create_namespaces = true };
	if (cli->validate) {
		if (!one_of("validate", cli->validate, levels, err))
			return false;
		opt->apply.unknown = cli->validate[0] == 's' ? VALIDATE_STRICT : cli->validate[0] == 'w' ? VALIDATE_WARN : VALIDATE_IGNORE;
	}
	if (cli->seed) {
		opt->seed = strtoull(cli->seed, &end, 0);
		if (*end || !*cli->seed)
			return err_add(err, ERR_INPUT, NULL, "--seed: \"%s\" is not a number", cli->seed);
	}
	if (cli->cni) {
		if (!one_of("cni", cli->cni, cnis, err))
			return false;
		f->cni = cli->cni;
	}
	if (cli->kernel && !(f->kernel_set = kernel_facts(cli, &f->kernel, err)))
		return false;
	for (uint32_t k = 0; k < cli->controllers.nr; k++)
		add_text(cli, &f->controllers, cli->controllers.v[k]);
	if (cli->cloud_lb)
		add_split(cli, &f->cloud_lb, cli->cloud_lb, ',');
	for (uint32_t k = 0; k < f->cloud_lb.nr; k++) {
		struct cidr one;

		if (!cidr_parse(f->cloud_lb.v[k], &one))
			return err_add(err, ERR_INPUT, NULL, "--cloud-lb: \"%s\" is not a CIDR, as 192.0.2.0/28", f->cloud_lb.v[k]);
	}
	if (cli->zone && !(f->zone = file_read(cli, cli->zone, err)))
		return false;
	if (cli->node_resolv_conf) {
		f->node_resolv_conf_set = true;
		f->node_resolv_conf = strcmp(cli->node_resolv_conf, "none") == 0 ? "" : file_read(cli, cli->node_resolv_conf, err);
		if (!f->node_resolv_conf)
			return false;
		if (!*f->node_resolv_conf && strcmp(cli->node_resolv_conf, "none") != 0)
			f->node_resolv_conf = "\n";     /* an empty file is one */
	}
	if (cli->enforce) {
		if (!one_of("enforce", cli->enforce, enforcers, err))
			return false;
		f->enforce_set = true;
		f->enforce = cli->enforce[0] == 'n' ? 0 : cli->enforce[0] == 's' ? 1 : 2;
	}
	return true;
}

/* --at of a question about files: a moment of the time that passes once they are applied. */
static bool asked_moment(const struct cli *cli, struct world_options *opt, struct err *err)
{
	if (!cli->at)
		return true;
	if (strncmp(cli->at, "rev:", 4) == 0)
		return err_add(err, ERR_INPUT, NULL, "--at %s: revisions are a lab's (podwire apply makes one); with -f it takes a time, as in 12.5s", cli->at);
	opt->timed = duration_parse(cli->at, &opt->until) && opt->until >= 0;
	return opt->timed || err_add(err, ERR_INPUT, NULL, "--at: \"%s\" is not a time, as in 12.5s", cli->at);
}

static bool go_on(const struct cli *cli, const struct world_options *opt, struct world *w, struct err *err)
{
	nsec now = cluster_now(w->cluster);

	if (opt->timed && opt->until < now)
		return err_add(err, ERR_INPUT, NULL, "--at %s: the scenario ends at %.3fs; podwire run %s shows what was before", cli->at, (double)now / 1e9, cli->files.nr ? cli->files.v[0] : "");
	if (opt->timed)
		control_advance_until(w->control, opt->until, NULL, NULL);
	return true;
}

bool cli_world_from(struct cli *cli, const char *const *paths, uint32_t nr, struct world *w, struct err *err)
{
	struct replay scenarios = { .arena = cli->arena };
	struct import_report report;
	struct world_options opt;
	bool ok;

	if (!cli_world_options(cli, &opt, err) || !asked_moment(cli, &opt, err))
		return false;
	world_init(w, &opt);
	if (cli->validate && cli->validate[0] != 's')   /* lenient on purpose: read as an import reads */
		ok = world_import(w, &opt, paths, nr, replay_take, NULL, &scenarios, &report, err);
	else
		ok = world_apply_paths(w, &opt, paths, nr, replay_take, &scenarios, err);
	if (ok && scenarios.all.nr)
		ok = replay_all(&scenarios, w, err) && go_on(cli, &opt, w, err);        /* which settles as its steps say */
	else if (ok)
		world_settle(w, &opt);
	if (!ok)
		world_free(w);
	return ok;
}

bool cli_world(struct cli *cli, struct world *w, struct err *err)
{
	if (cli->files.nr)
		return cli_world_from(cli, cli->files.v, cli->files.nr, w, err);
	return labwork_read(cli, w, err);
}
