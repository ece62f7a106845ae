/* Any bytes as the names, labels, rules and ids of a figure: no format may break, Graphviz may not complain, and the SVG is XML. */
#include <stdlib.h>

#include "model/base/err.h"
#include "tests/unit/xml_check.h"
#include "viz/diagram/scene.h"

/* The n-th of the texts that lines (or zeros) make of the input. */
static const char *part(struct arena *a, const uint8_t *data, size_t size, unsigned n)
{
	size_t from = 0, to;

	for (;; n--) {
		for (to = from; to < size && data[to] != '\n' && data[to]; to++)
			;
		if (!n || to == size)
			break;
		from = to + 1;
	}
	return n ? NULL : arena_strndup(a, (const char *)data + from, to - from);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const formats[] = { "dot", "svg", "html", "mermaid" };
	struct arena *a = arena_new(NULL, "fuzz");
	struct scene s = { 0 };
	struct err err = { 0 };
	struct sb out = { 0 };
	const char *text[8], *format = formats[size ? data[0] % 4 : 0];
	box_h g, x, y;

	for (unsigned k = 0; k < 8; k++)
		text[k] = part(a, data, size, k);
	scene_init(&s, a, "fuzz", text[0] ? text[0] : "");
	g = scene_group(&s, (box_h){ 0 }, ROLE_NODE, text[1] ? text[1] : "g", text[1], text[2]);
	x = scene_box(&s, g, ROLE_POD, text[2] ? text[2] : "x", text[2], text[3]);
	y = scene_box(&s, g, ROLE_RULES, text[3] ? text[3] : "y", text[4], text[5]);
	scene_get(&s, x)->details = text[4];
	scene_get(&s, x)->title = text[5];
	for (int kind = ROW_TEXT; kind <= ROW_GAP; kind++)
		scene_row(&s, y, (enum row_kind)kind, text[6], text[7]);
	scene_line(&s, x, y, LINE_PACKET, text[6])->changed = text[7];
	scene_legend(&s, LINE_PACKET, 0, text[5]);
	scene_note(&s, ROLE_PLAIN, text[4], text[6]);
	if (!scene_render(&s, format, THEME_LIGHT, &out, &err) || err.nr) {
		if (err.nr)
			fprintf(stderr, "%s: %s\n", format, err.v[0].text);
		abort();
	}
	if (strcmp(format, "svg") == 0 && !xml_well_formed(sb_text(&out)))
		abort();
	if (strcmp(format, "html") == 0 && strstr(sb_text(&out), "<script>a"))
		abort();
	sb_free(&out);
	err_free(&err);
	arena_free(a);
	return 0;
}
