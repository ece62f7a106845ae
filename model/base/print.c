/* Documents as kubectl prints them. YAML goes through libyaml's emitter, of which the emitter behind kubectl is a port: it
 * folds, quotes and hints alike; what may stand without quotes is decided here, as goyaml.v2 encode.go does. */
#include "model/base/docs.h"
#include "model/base/scalar.h"

#include <math.h>
#include <stdlib.h>
#include <yaml.h>

/* The members that count, in the order in which they are printed. */
struct members { const struct val **v; uint32_t nr; struct arena *arena; };

static struct members members_of(const struct val *map, int (*order)(const void *, const void *))
{
	struct members m = { .arena = arena_new(NULL, "members") };
	const struct val *at = map->first;

	if (map->flags & VAL_REPEATS) {
		struct val *copy = arena_copy(m.arena, map, sizeof(*map)), **to = &copy->first;

		for (; at; at = at->next, to = &(*to)->next)
			*to = arena_copy(m.arena, at, sizeof(*at));
		map_mark_repeats(copy, m.arena, true);
		at = copy->first;
	}
	m.v = arena_array(m.arena, const struct val *, map->nr);
	for (; at; at = at->next)
		m.v[m.nr++] = at;
	if (order)
		qsort(m.v, m.nr, sizeof(*m.v), order);
	return m;
}

/* ---- JSON */

static int by_bytes(const void *a, const void *b)
{
	return strcmp((*(const struct val *const *)a)->key, (*(const struct val *const *)b)->key);
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' && c != 0xe2;
}

/* As encoding/json does: with <, >, & and the line separators of JavaScript escaped. */
void json_quote(struct sb *out, const char *s)
{
	static const char names[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *from = s;
	size_t plain = 0;
	char *to;

	while (s[plain] && is_plain((unsigned char)s[plain]))
		plain++;
	if (!s[plain]) {                /* most of them */
		to = sb_room(out, plain + 2);
		to[0] = to[plain + 1] = '"';
		memcpy(to + 1, s, plain);
		return;
	}
	sb_addc(out, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		bool separator;
		const char *k;

		separator = c == 0xe2 && (unsigned char)s[1] == 0x80 && ((unsigned char)s[2] & 0xfe) == 0xa8;
		if (c >= 0x20 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' && !separator)
			continue;
		sb_addn(out, from, (size_t)(s - from));
		k = strchr(names, *s);
		if (k) {
			sb_addc(out, '\\');
			sb_addc(out, letters[k - names]);
		} else if (separator) {
			sb_printf(out, "\\u202%c", (unsigned char)s[2] == 0xa8 ? '8' : '9');
			s += 2;
		} else {
			sb_printf(out, "\\u%04x", c);
		}
		from = s + 1;
	}
	sb_addn(out, from, (size_t)(s - from));
	sb_addc(out, '"');
}

static void new_line(struct sb *out, int indent, int depth)
{
	if (!indent)
		return;
	sb_addc(out, '\n');
	for (int k = 0; k < indent * depth; k++)
		sb_addc(out, ' ');
}

static void print_int(struct sb *out, int64_t i)
{
	char digits[24], *at = digits + sizeof(digits);
	uint64_t v = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;

	do
		*--at = (char)('0' + v % 10);
	while (v /= 10);
	if (i < 0)
		*--at = '-';
	sb_addn(out, at, (size_t)(digits + sizeof(digits) - at));
}

static void print_json(const struct val *v, struct sb *out, int indent, int depth, bool sorted);

static void print_member(const struct val *v, struct sb *out, int indent, int depth, bool sorted, bool first)
{
	if (!first)
		sb_addc(out, ',');
	new_line(out, indent, depth);
	json_quote(out, v->key);
	sb_add(out, indent ? ": " : ":");
	print_json(v, out, indent, depth, sorted);
}

static void print_map(const struct val *v, struct sb *out, int indent, int depth, bool sorted)
{
	struct members m;

	if (!sorted && !(v->flags & VAL_REPEATS)) {
		for (const struct val *one = v->first; one; one = one->next)
			print_member(one, out, indent, depth + 1, sorted, one == v->first);
		return;
	}
	m = members_of(v, sorted ? by_bytes : NULL);
	for (uint32_t k = 0; k < m.nr; k++)
		print_member(m.v[k], out, indent, depth + 1, sorted, k == 0);
	arena_free(m.arena);
}

static void print_json(const struct val *v, struct sb *out, int indent, int depth, bool sorted)
{
	char number[NUMBER_TEXT];

	switch (v ? (enum val_type)v->type : VAL_NULL) {
	case VAL_NULL:
		sb_add(out, "null");
		break;
	case VAL_BOOL:
		sb_add(out, v->b ? "true" : "false");
		break;
	case VAL_INT:
		print_int(out, v->i);
		break;
	case VAL_FLOAT:
		sb_add(out, isfinite(v->f) ? number_json(v->f, number) : "null");
		break;
	case VAL_STRING:
		json_quote(out, v->s);
		break;
	case VAL_LIST:
		sb_addc(out, '[');
		for (const struct val *m = v->first; m; m = m->next) {
			if (m != v->first)
				sb_addc(out, ',');
			new_line(out, indent, depth + 1);
			print_json(m, out, indent, depth + 1, sorted);
		}
		if (v->first)
			new_line(out, indent, depth);
		sb_addc(out, ']');
		break;
	case VAL_MAP:
		sb_addc(out, '{');
		print_map(v, out, indent, depth, sorted);
		if (v->first)
			new_line(out, indent, depth);
		sb_addc(out, '}');
		break;
	}
}

void val_print_json(const struct val *v, struct sb *out, int indent, bool sorted)
{
	print_json(v, out, indent, 0, sorted);
}

/* ---- YAML */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

/* Names with numbers in their order: a2 before a10 (goyaml.v2 sorter.go keyList). */
static int natural_order(const char *a, const char *b)
{
	uint64_t x = 0, y = 0;
	size_t i = 0, n, m;
	bool zeros = true;

	while (a[i] && a[i] == b[i])
		i++;
	if (!a[i] || !b[i])
		return a[i] ? 1 : b[i] ? -1 : 0;
	if (is_letter(a[i]) && is_letter(b[i]))
		return (unsigned char)a[i] < (unsigned char)b[i] ? -1 : 1;
	if (is_letter(a[i]) || is_letter(b[i])) {
		bool in_number = i && is_digit(a[i - 1]);

		return is_letter(a[i]) == in_number ? -1 : 1;
	}
	if (a[i] == '0' || b[i] == '0')
		for (size_t k = i; zeros && k && is_digit(a[k - 1]); k--)
			zeros = a[k - 1] == '0';
	if (!zeros)
		x = y = 1;
	for (n = i; is_digit(a[n]); n++)
		x = x * 10 + (uint64_t)(a[n] - '0');
	for (m = i; is_digit(b[m]); m++)
		y = y * 10 + (uint64_t)(b[m] - '0');
	if (x != y)
		return x < y ? -1 : 1;
	if (n != m)
		return n < m ? -1 : 1;
	return (unsigned char)a[i] < (unsigned char)b[i] ? -1 : 1;
}

static int by_nature(const void *a, const void *b)
{
	return natural_order((*(const struct val *const *)a)->key, (*(const struct val *const *)b)->key);
}

static void emit(yaml_emitter_t *e, yaml_event_t *event)
{
	if (!yaml_emitter_emit(e, event))
		abort();                        /* out of memory; the events are ours and well formed */
}

static void emit_text(yaml_emitter_t *e, const char *s, yaml_scalar_style_t style)
{
	yaml_event_t event;

	if (!yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)s, (int)strlen(s), 1, 1, style))
		abort();
	emit(e, &event);
}

static void emit_string(yaml_emitter_t *e, const char *s)
{
	emit_text(e, s, strchr(s, '\n') ? YAML_LITERAL_SCALAR_STYLE : scalar_reads_back(s) ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

static void emit_value(yaml_emitter_t *e, const struct val *v, bool sorted);

static void emit_map(yaml_emitter_t *e, const struct val *v, bool sorted)
{
	struct members m = members_of(v, sorted ? by_nature : NULL);
	yaml_event_t event;

	yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE);
	emit(e, &event);
	for (uint32_t k = 0; k < m.nr; k++) {
		emit_string(e, m.v[k]->key);
		emit_value(e, m.v[k], sorted);
	}
	yaml_mapping_end_event_initialize(&event);
	emit(e, &event);
	arena_free(m.arena);
}

static void emit_value(yaml_emitter_t *e, const struct val *v, bool sorted)
{
	char number[NUMBER_TEXT];
	yaml_event_t event;

	switch (v ? (enum val_type)v->type : VAL_NULL) {
	case VAL_NULL:
		emit_text(e, "null", YAML_PLAIN_SCALAR_STYLE);
		break;
	case VAL_BOOL:
		emit_text(e, v->b ? "true" : "false", YAML_PLAIN_SCALAR_STYLE);
		break;
	case VAL_INT:
		snprintf(number, sizeof(number), "%" PRId64, v->i);
		emit_text(e, number, YAML_PLAIN_SCALAR_STYLE);
		break;
	case VAL_FLOAT:
		emit_text(e, isfinite(v->f) ? number_yaml(v->f, number) : "null", YAML_PLAIN_SCALAR_STYLE);
		break;
	case VAL_STRING:
		emit_string(e, v->s);
		break;
	case VAL_LIST:
		yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE);
		emit(e, &event);
		for (const struct val *m = v->first; m; m = m->next)
			emit_value(e, m, sorted);
		yaml_sequence_end_event_initialize(&event);
		emit(e, &event);
		break;
	case VAL_MAP:
		emit_map(e, v, sorted);
		break;
	}
}

static int write_to_sb(void *ctx, unsigned char *text, size_t n)
{
	sb_addn(ctx, (const char *)text, n);
	return 1;
}

void val_print_yaml(const struct val *v, struct sb *out, bool sorted)
{
	yaml_emitter_t e;
	yaml_event_t event;

	if (!yaml_emitter_initialize(&e))
		abort();
	yaml_emitter_set_output(&e, write_to_sb, out);
	yaml_emitter_set_unicode(&e, 1);
	yaml_emitter_set_width(&e, 80);
	yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
	emit(&e, &event);
	yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1);
	emit(&e, &event);
	emit_value(&e, v, sorted);
	yaml_document_end_event_initialize(&event, 1);
	emit(&e, &event);
	yaml_emitter_flush(&e);
	yaml_emitter_delete(&e);
	if (out->len >= 5 && memcmp(out->s + out->len - 5, "\n...\n", 5) == 0) {        /* libyaml ends an open text so, kubectl does not */
		out->len -= 4;
		out->s[out->len] = '\0';
	}
}
