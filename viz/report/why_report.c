#include "viz/report/why_report.h"

/* A word for a shell: in single quotes. */
static void shell_word(const char *s, struct sb *out)
{
	sb_addc(out, '\'');
	for (; *s; s++)
		if (*s == '\'')
			sb_add(out, "'\\''");
		else
			sb_addc(out, *s);
	sb_addc(out, '\'');
}

/* The command that makes the change. */
static const char *fix_command(const struct fix *f, struct arena *a)
{
	struct sb json = { 0 }, out = { 0 };
	char *kind = arena_strdup(a, f->kind->name);
	const char *text;

	for (char *p = kind; *p; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p);
	val_print_json(f->patch ? f->patch : f->doc, &json, 0, false);
	if (f->patch) {
		sb_printf(&out, "podwire patch %s/%s", kind, f->name);
		if (f->ns && strcmp(f->ns, "default") != 0)
			sb_printf(&out, " -n %s", f->ns);
		sb_add(&out, " -p ");
		shell_word(sb_text(&json), &out);
	} else {
		sb_add(&out, "echo ");
		shell_word(sb_text(&json), &out);
		sb_add(&out, " | podwire apply -f -");
	}
	text = arena_strdup(a, sb_text(&out));
	sb_free(&json);
	sb_free(&out);
	return text;
}

static void evidence_line(const struct evidence *e, struct sb *out)
{
	struct sb safe = { 0 };

	sb_add_shown(&safe, e->value ? e->value : "", true);
	sb_printf(out, "     %s%s%s%s%s", e->object, e->field ? "  " : "", e->field ? e->field : "", e->value ? ": " : "", sb_text(&safe));
	if (e->file && e->line)
		sb_printf(out, "  (%s:%u)", e->file, e->line);
	sb_addc(out, '\n');
	sb_free(&safe);
}

void diagnosis_text(const struct diagnosis *d, bool verbose, struct sb *out)
{
	struct arena *a = arena_new(NULL, "why");
	uint32_t nr = 0;

	sb_printf(out, "%s: %s\n", d->subject, d->summary);
	for (int severity = FINDING_CAUSE; severity <= FINDING_NOTE; severity++)
		for (uint32_t k = 0; k < d->findings.nr; k++) {
			const struct finding *f = &d->findings.v[k];
			struct sb safe = { 0 };

			if (f->severity != (enum severity)severity)
				continue;
			sb_add_shown(&safe, f->says, true);
			sb_printf(out, "\n%2u. %s%s  [%s]\n", ++nr, severity == FINDING_CAUSE ? "" : severity == FINDING_WARNING ? "Beside that: " : "Note: ", sb_text(&safe), f->code);
			sb_free(&safe);
			for (uint32_t e = 0; e < f->evidence.nr && (verbose || e < 6); e++)
				evidence_line(&f->evidence.v[e], out);
			if (!verbose && f->evidence.nr > 6)
				sb_printf(out, "     … %u more (-v)\n", f->evidence.nr - 6);
			if (f->remedy)
				sb_printf(out, "     → %s\n", f->remedy);
			if (f->fix && f->fix->tried && f->fix->works)
				sb_printf(out, "     $ %s\n       tried on a copy: %s\n", fix_command(f->fix, a), f->fix->then);
		}
	arena_free(a);
}

struct val *diagnosis_json(const struct diagnosis *d, struct arena *a)
{
	struct val *root = val_new(a, VAL_MAP), *list;

	val_put(a, root, "subject", val_string(a, d->subject));
	val_put(a, root, "healthy", d->unknown ? val_new(a, VAL_NULL) : val_bool(a, !diagnosis_ill(d)));
	val_put(a, root, "summary", val_string(a, d->summary));
	list = val_put(a, root, "findings", val_new(a, VAL_LIST));
	for (uint32_t k = 0; k < d->findings.nr; k++) {
		const struct finding *f = &d->findings.v[k];
		struct val *v = val_add(a, list, val_new(a, VAL_MAP)), *all, *fix;

		val_put(a, v, "code", val_string(a, f->code));
		val_put(a, v, "severity", val_string(a, severity_names[f->severity]));
		val_put(a, v, "says", val_string(a, f->says));
		all = val_put(a, v, "evidence", val_new(a, VAL_LIST));
		for (uint32_t e = 0; e < f->evidence.nr; e++) {
			const struct evidence *x = &f->evidence.v[e];
			struct val *one = val_add(a, all, val_new(a, VAL_MAP));

			val_put(a, one, "object", val_string(a, x->object));
			if (x->field)
				val_put(a, one, "field", val_string(a, x->field));
			if (x->value)
				val_put(a, one, "value", val_string(a, x->value));
			if (x->file && x->line) {
				val_put(a, one, "file", val_string(a, x->file));
				val_put(a, one, "line", val_int(a, x->line));
			}
		}
		if (f->remedy)
			val_put(a, v, "remedy", val_string(a, f->remedy));
		if (!f->fix || !f->fix->tried || !f->fix->works)
			continue;
		fix = val_put(a, v, "fix", val_new(a, VAL_MAP));
		val_put(a, fix, "command", val_string(a, fix_command(f->fix, a)));
		val_put(a, fix, f->fix->patch ? "patch" : "apply", val_copy(a, f->fix->patch ? f->fix->patch : f->fix->doc));
		val_put(a, fix, "then", val_string(a, f->fix->then));
	}
	return root;
}
