/* A run for people's eyes: HTML (one file, with its figures, asks no network) and Markdown (a comment below a pull request). */
#include "viz/report/run_ci.h"

#include "viz/diagram/label.h"

enum mark { FAILED, KNOWN, SKIPPED, OK, MARKS };
static const char *const mark_names[MARKS] = { "failed", "known gap", "skipped", "ok" };
static const char *const mark_signs[MARKS] = { "✕", "◌", "–", "✓" };

static enum mark mark_of(const struct val *r)
{
	return record_is(r, "skipped") ? SKIPPED : record_is(r, "ok") ? OK : record_is(r, "todo") ? KNOWN : FAILED;
}

static const char *step_of(const struct val *r)
{
	const char *step = record_text(r, "step");

	return *step ? step : record_is(r, "skipped") ? record_text(r, "skipped") : "the scenario";
}

/* The record behind the last one of the same scenario. */
static const struct val *end_of(const struct val *first)
{
	const struct val *r = first;

	while (r && same_scenario(first, r))
		r = r->next;
	return r;
}

static enum mark worst(const struct val *first, const struct val *end)
{
	enum mark m = OK;

	for (const struct val *r = first; r != end; r = r->next)
		m = MIN(m, mark_of(r));
	return m;
}

/* ---- HTML */

static void html_text(struct sb *out, const char *s)
{
	struct sb shown = { 0 };

	sb_add_shown(&shown, s, false);         /* controls and marks that turn the writing become visible */
	for (const char *p = sb_text(&shown); *p; p++)
		switch (*p) {
		case '&': sb_add(out, "&amp;"); break;
		case '<': sb_add(out, "&lt;"); break;
		case '>': sb_add(out, "&gt;"); break;
		case '"': sb_add(out, "&quot;"); break;
		default: sb_addc(out, *p);
		}
	sb_free(&shown);
}

static const char style[] =
	"<style>\n"
	":root{color-scheme:light dark;--paper:#fff;--ink:#1b2733;--muted:#5b6b7a;--line:#d5dbe0;--panel:#f4f6f8;--bad:#b34700;--good:#00795a}\n"
	"@media (prefers-color-scheme:dark){:root{--paper:#0f1720;--ink:#e6edf3;--muted:#93a4b5;--line:#34444f;--panel:#17222e;--bad:#ff8a4c;--good:#3dd6a5}}\n"
	"body{max-width:70rem;margin:0 auto;padding:1rem;background:var(--paper);color:var(--ink);font:16px/1.5 'Liberation Sans',Arial,Helvetica,sans-serif}\n"
	"h1{font-size:1.4rem}h2{font-size:1.1rem;margin:0;display:inline}summary{cursor:pointer;padding:.4rem 0}details{border-top:1px solid var(--line)}\n"
	"table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;overflow-wrap:anywhere}tr+tr td{border-top:1px solid var(--line)}\n"
	"td:first-child{white-space:nowrap;font-weight:bold}.failed{color:var(--bad)}.ok{color:var(--good)}.muted,.known,.skipped{color:var(--muted)}\n"
	"code{font:13px/1.4 'DejaVu Sans Mono','Liberation Mono',monospace}figure{margin:1rem 0;background:#fff;border:1px solid var(--line);border-radius:.5rem;padding:.5rem;overflow:auto}\n"
	"figure img{max-width:100%;height:auto}figcaption{color:#33424f;font-size:.9rem}\n"
	"</style>\n";

static void html_row(const struct val *r, struct sb *out)
{
	static const char *const classes[MARKS] = { "failed", "known", "skipped", "ok" };
	enum mark m = mark_of(r);

	sb_printf(out, "<tr><td class=\"%s\">%s %s</td><td>", classes[m], mark_signs[m], mark_names[m]);
	html_text(out, step_of(r));
	if (*record_text(r, "expected")) {
		sb_add(out, "<br><code>");
		html_text(out, record_text(r, "expected"));
		sb_add(out, "</code>");
	}
	if (m == FAILED || m == KNOWN) {
		sb_add(out, "<br><b>actual</b> ");
		html_text(out, record_text(r, "actual"));
		if (m == KNOWN) {
			sb_add(out, "<br>known gap: ");
			html_text(out, record_text(r, "todo"));
		}
		sb_add(out, "<br><span class=\"muted\">");
		html_text(out, record_text(r, "file"));
		sb_printf(out, ":%" PRId64 "</span>", val_int_or(val_get(r, "line"), 0));
	}
	sb_add(out, "</td><td class=\"muted\">");
	html_text(out, record_text(r, "time"));
	sb_add(out, "</td></tr>\n");
}

static void html_figures(const struct val *first, const struct val *end, struct sb *out)
{
	for (const struct val *r = first; r != end; r = r->next)
		VAL_EACH(f, val_get(r, "figures")) {
			const char *svg = record_text(f, "svg");

			sb_add(out, "<figure><img alt=\"");
			html_text(out, record_text(f, "description"));
			sb_add(out, "\" src=\"data:image/svg+xml;base64,");
			sb_add_base64(out, svg, strlen(svg));
			sb_add(out, "\"><figcaption>");
			html_text(out, record_text(f, "title"));
			sb_add(out, "</figcaption></figure>\n");
		}
}

void print_html(struct arena *a, const struct val *records, bool verbose, bool colour, struct sb *out)
{
	struct run_sum s = run_sum(records);
	const struct val *end;

	(void)a;
	(void)verbose;
	(void)colour;
	sb_add(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n<title>podwire: ");
	run_sum_text(&s, out);
	sb_add(out, "</title>\n");
	sb_add(out, style);
	sb_printf(out, "</head>\n<body>\n<h1 class=\"%s\">%s ", s.failed ? "failed" : "ok", mark_signs[s.failed ? FAILED : OK]);
	run_sum_text(&s, out);
	sb_add(out, "</h1>\n");
	for (const struct val *first = records->first; first; first = end) {
		enum mark m;

		end = end_of(first);
		m = worst(first, end);
		sb_printf(out, "<details%s><summary><h2>%s ", m == FAILED ? " open" : "", mark_signs[m]);
		html_text(out, record_text(first, "scenario"));
		sb_printf(out, "</h2> <span class=\"muted\">%s</span> ", mark_names[m]);
		html_text(out, record_text(first, "title"));
		sb_add(out, "</summary>\n<table>\n");
		for (const struct val *r = first; r != end; r = r->next)
			html_row(r, out);
		sb_add(out, "</table>\n");
		html_figures(first, end, out);
		sb_add(out, "</details>\n");
	}
	sb_add(out, "</body>\n</html>\n");
}

/* ---- Markdown */

static void md_failures(const struct val *records, struct sb *out)
{
	sb_add(out, "\n| where | step | expected | actual |\n| --- | --- | --- | --- |\n");
	VAL_EACH(r, records) {
		if (mark_of(r) != FAILED)
			continue;
		sb_add(out, "| ");
		label_markdown(out, record_text(r, "file"));
		sb_printf(out, ":%" PRId64 " | ", val_int_or(val_get(r, "line"), 0));
		label_markdown(out, step_of(r));
		sb_add(out, " | ");
		label_markdown(out, record_text(r, "expected"));
		sb_add(out, " | ");
		label_markdown(out, record_text(r, "actual"));
		sb_add(out, " |\n");
	}
}

void print_md(struct arena *a, const struct val *records, bool verbose, bool colour, struct sb *out)
{
	struct run_sum s = run_sum(records);
	const struct val *end;

	(void)a;
	(void)verbose;
	(void)colour;
	sb_printf(out, "### %s podwire: ", mark_signs[s.failed ? FAILED : OK]);
	run_sum_text(&s, out);
	sb_addc(out, '\n');
	if (s.failed)
		md_failures(records, out);
	sb_printf(out, "\n<details><summary>all %ss</summary>\n\n| | %s | expectations |\n| --- | --- | --- |\n", s.noun, s.noun);
	for (const struct val *first = records->first; first; first = end) {
		uint32_t ok = 0, all = 0;

		end = end_of(first);
		for (const struct val *r = first; r != end; r = r->next) {
			all++;
			ok += mark_of(r) == OK;
		}
		sb_printf(out, "| %s | ", mark_signs[worst(first, end)]);
		label_markdown(out, record_text(first, "scenario"));
		sb_printf(out, " | %u of %u |\n", ok, all);
	}
	sb_add(out, "\n</details>\n");
}
