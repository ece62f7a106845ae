/* What Graphviz leaves in an SVG that is nobody's business goes, and what people need who do not see it comes: role, title, description, and for every box and
 * line a title in words instead of an internal name. The comments that name the Graphviz release go as well, so that figures differ only where the model does. */
#include <stdlib.h>

#include "viz/diagram/scene.h"

static const char *box_title(const struct scene *s, unsigned long i)
{
	const struct box *b = i < s->boxes.nr ? &s->boxes.v[i] : NULL;

	return !b ? "" : b->title ? b->title : b->name ? b->name : b->address ? b->address : "";
}

/* The internal names of graph.c: b7, cluster_7; an edge has two of them. false: it is another. */
static bool add_title(const struct scene *s, const char *name, size_t n, struct sb *out)
{
	const char *arrow = strstr(name, "&#45;&gt;");
	char *end;
	unsigned long i;

	if (name[0] == 'b') {
		i = strtoul(name + 1, &end, 10);
		if (arrow && end == arrow && arrow < name + n) {
			label_html(out, box_title(s, i));
			sb_add(out, " → ");
			label_html(out, box_title(s, strtoul(arrow + 10, NULL, 10)));
			return true;
		}
		label_html(out, box_title(s, i));
		return true;
	}
	if (strncmp(name, "cluster_", 8) == 0) {
		label_html(out, box_title(s, strtoul(name + 8, NULL, 10)));
		return true;
	}
	return false;
}

/* One <title>…</title>, rewritten. → what follows it. */
static const char *titled(const struct scene *s, const char *at, struct sb *out)
{
	const char *name = at + 7, *end = strstr(name, "</title>");
	size_t from = out->len;

	if (!end)
		return at;
	sb_add(out, "<title>");
	if (strncmp(name, "legend", 6) == 0)
		sb_add(out, strchr(name, '&') && strchr(name, '&') < end ? "" : "legend");
	else if (!add_title(s, name, (size_t)(end - name), out))
		label_html(out, s->title);
	sb_add(out, "</title>");
	if (out->len == from + 15)
		out->len = from;                /* nothing to say */
	return end + 8;
}

static void head(const struct scene *s, struct sb *out)
{
	sb_add(out, "<title id=\"title\">");
	label_html(out, s->title);
	sb_add(out, "</title>\n<desc id=\"desc\">");
	label_html(out, s->description ? s->description : s->title);
	sb_add(out, "</desc>\n");
}

/* Pango rounds the advance of the monospaced font down to whole pixels when it measures, and browsers do not: what fitted its box would leave it by three in a
 * hundred. So it is set that much smaller. */
static void narrow_mono(struct sb *svg, size_t from)
{
	static const char family[] = "font-family=\"DejaVu Sans Mono", size[] = "font-size=\"";
	struct sb out = { 0 };
	const char *p = sb_text(svg), *mono;

	sb_addn(&out, p, from);
	for (p += from; (mono = strstr(p, family)) != NULL;) {
		const char *tag = strchr(mono, '>'), *at = strstr(mono, size);
		char *end;
		double points;

		if (!tag || !at || at > tag) {
			sb_addn(&out, p, (size_t)(mono - p) + 1);
			p = mono + 1;
			continue;
		}
		at += sizeof(size) - 1;
		points = strtod(at, &end);
		sb_addn(&out, p, (size_t)(at - p));
		sb_printf(&out, "%.2f", points * 0.966);
		p = end;
	}
	sb_add(&out, p);
	sb_free(svg);
	*svg = out;
}

void svg_finish(const struct scene *s, struct sb *svg, size_t from)
{
	const char *p = sb_text(svg) + from, *root = strstr(p, "<svg "), *body = strstr(p, "<g id=");
	struct sb out = { 0 };

	if (!root || !body)
		return;
	sb_addn(&out, sb_text(svg), from);
	sb_add(&out, "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n<svg role=\"img\" aria-labelledby=\"title desc\" ");
	sb_addn(&out, root + 5, (size_t)(body - root - 5));
	head(s, &out);
	for (p = body; *p;) {
		const char *comment = strstr(p, "<!--"), *title = strstr(p, "<title>"), *next = comment && (!title || comment < title) ? comment : title;

		if (!next) {
			sb_add(&out, p);
			break;
		}
		sb_addn(&out, p, (size_t)(next - p));
		if (next == title) {
			p = titled(s, title, &out);
			p += p != title ? strspn(p, "\n") : 0;
		} else {
			p = strstr(comment, "-->");
			p = p ? p + 3 : comment + strlen(comment);
			p += *p == '\n';
		}
	}
	sb_free(svg);
	*svg = out;
	narrow_mono(svg, from);
}
