/* Objects out of rows, which older podwires wrote:
 *   object      as the last command left it. id: its handle; input: the command that left it so; created, deleted: virtual nanoseconds, deleted NULL while it
 *               lives; uid: '' where it follows from seed and name; spec: a Pod's, in spec; own: its fields, as in a document; state: metadata and
 *               status, exactly; doc, places: as applied, NULL for what a controller made; segment, at: where these four stand if they do not stand here;
 *               shape, node, ip: of a Pod that shares a shape, with its addresses and its node's
 *   object_was  the same row before the command `until` changed it
 *   spec        Pod specs, each once for all Pods of a template
 *   shape       what Pods have in common whom one controller made and who have come to the same state
 *   event       in the order in which they came; object: a handle
 * What a later command left of an object stands in a bundle; of both the newest counts. */
#include "sim/lab/load.h"

#include <stdlib.h>

enum { C_ID, C_INPUT, C_API, C_KIND, C_NS, C_NAME, C_UID, C_LIFE, C_REV, C_GENERATION, C_CREATED, C_DELETED, C_FILE, C_LINE, C_GONE, C_SPEC, C_OWN, C_STATE, C_DOC, C_PLACES, C_SHAPE,
       C_NODE, C_IP, C_SEGMENT, C_AT };

bool rows_begin(struct loading *l)
{
	l->spec = store_prepare(l->lab, "SELECT body FROM spec WHERE id = ?1", l->err);
	l->shape = store_prepare(l->lab, "SELECT segment, at FROM shape WHERE id = ?1", l->err);
	return l->spec && l->shape;
}

void rows_end(struct loading *l)
{
	sqlite3_finalize(l->spec);
	sqlite3_finalize(l->shape);
	segments_close(&l->segments);
}

const char *text_at(sqlite3_stmt *st, int at)
{
	return (const char *)sqlite3_column_text(st, at);
}

/* What stands in the columns from `first` on, or in a segment. */
bool pieces_at(struct loading *l, sqlite3_stmt *st, int first, int segment, struct piece *v, uint32_t nr)
{
	if (sqlite3_column_type(st, segment) != SQLITE_NULL)
		return segments_get(&l->segments, l->lab, (struct segment_place){ sqlite3_column_int64(st, segment), sqlite3_column_int64(st, segment + 1) }, v, nr, l->err);
	for (uint32_t k = 0; k < nr; k++) {
		bool null = sqlite3_column_type(st, first + (int)k) == SQLITE_NULL;
		const void *bytes = null ? NULL : sqlite3_column_blob(st, first + (int)k);

		v[k] = (struct piece){ null ? NULL : bytes ? bytes : "", (size_t)sqlite3_column_bytes(st, first + (int)k) };
	}
	return true;
}

struct val *piece_json(struct loading *l, struct arena *a, const struct piece *p)
{
	uint32_t mark = l->err->nr;
	struct val *v = p->s ? json_parse(a, l->lab->path, p->s, p->n, NULL, l->err) : NULL;

	if (p->s && !v)
		err_wrap(l->err, mark, "a stored document is damaged");
	return v;
}

struct val *json_at(struct loading *l, sqlite3_stmt *st, int at)
{
	return piece_json(l, l->arena, &(struct piece){ text_at(st, at), (size_t)sqlite3_column_bytes(st, at) });
}

/* JSON with its places in the piece behind it. */
struct val *document_of(struct loading *l, const struct piece p[2])
{
	struct val *v = piece_json(l, l->arena, &p[0]);

	if (v)
		places_unpack(v, p[1].s ? p[1].s : "", p[1].s ? p[1].n : 0);
	return v;
}

/* A Pod spec by its row; Pods of one template share it. */
static const struct pod_spec *spec_at(struct loading *l, int64_t row)
{
	uint64_t *known = map_put(&l->specs, l->arena, (uint64_t)row + 1);
	struct decode d = { .strings = cluster_strings(l->cluster), .arena = l->arena, .unknown = VALIDATE_IGNORE, .file = l->lab->path, .object = "Pod", .err = l->err };
	struct pod_spec *spec;

	if (*known)
		return (const struct pod_spec *)(uintptr_t)*known;
	spec = arena_make(l->arena, struct pod_spec);
	sqlite3_bind_int64(l->spec, 1, row);
	if (sqlite3_step(l->spec) == SQLITE_ROW)
		fields_decode(&d, pod_spec_fields, json_at(l, l->spec, 0), "spec", spec);
	else
		err_add(l->err, ERR_INPUT, &(struct where){ .file = l->lab->path }, "damaged: Pod spec %" PRId64 " is missing", row);
	sqlite3_reset(l->spec);
	*known = map_ptr(spec);
	return spec;
}

/* The fields as applied, over them those that changed since, the defaults that follow, and what controllers keep. */
static void fill_from(struct loading *l, struct object *o, const struct val *own, const struct val *state, int64_t spec)
{
	struct decode d = { .strings = cluster_strings(l->cluster), .arena = l->arena, .unknown = VALIDATE_IGNORE, .file = l->lab->path, .object = o->kind->name, .err = l->err };
	const struct kind *k = o->kind;

	if (!own || !state)
		return;
	if (k->fields && o->doc && k != &pod_kind)
		fields_decode(&d, k->fields, o->doc, "", o);
	if (k->fields)
		fields_decode(&d, k->fields, own, "", o);
	if (k == &pod_kind)
		((struct pod *)o)->spec = spec_at(l, spec);
	if (k->dflt) {
		const struct val *doc = o->doc;

		o->doc = doc ? doc : own;
		k->dflt(o, l->arena, cluster_strings(l->cluster));
		o->doc = doc;
	}
	state_unpack(o, state, l->cluster);
}

static const struct val *body_of_shape(struct loading *l)
{
	struct segment_place at = { sqlite3_column_int64(l->shape, 0), sqlite3_column_int64(l->shape, 1) };
	struct piece body;

	return segments_get(&l->segments, l->lab, at, &body, 1, l->err) ? piece_json(l, l->scratch, &body) : NULL;
}

static const struct pod *shape_at(struct loading *l, int64_t row)
{
	uint64_t *known = map_put(&l->shapes, l->arena, (uint64_t)row);
	const struct val *body = NULL;
	struct pod *p;

	if (*known)
		return (const struct pod *)(uintptr_t)*known;
	p = (struct pod *)object_make(l->cluster, &pod_kind, NULL, NULL);
	sqlite3_bind_int64(l->shape, 1, row);
	if (sqlite3_step(l->shape) == SQLITE_ROW)
		body = body_of_shape(l);
	else
		err_add(l->err, ERR_INPUT, &(struct where){ .file = l->lab->path }, "damaged: Pod shape %" PRId64 " is missing", row);
	sqlite3_reset(l->shape);
	fill_from(l, &p->o, val_get(body, "own"), val_get(body, "state"), val_int_or(val_get(body, "spec"), 0));
	*known = map_ptr(p);
	return p;
}

/* Each in as many bytes as it needs, with their number before it. false: it is damaged. */
static bool addresses_unpack(struct pod *p, const unsigned char *v, size_t n)
{
	ip_addr *all[] = { &p->ip, &p->ip2, &p->host_ip };

	for (size_t k = 0; k < ARRAY_LEN(all); k++) {
		uint8_t len = n ? *v++ : 1;

		if ((len != 0 && len != 4 && len != 16) || n < 1u + len)
			return false;
		*all[k] = (ip_addr){ 0, 0 };
		for (uint8_t b = 0; b < len; b++) {
			all[k]->hi = all[k]->hi << 8 | (len == 16 ? all[k]->lo >> 56 : 0);
			all[k]->lo = all[k]->lo << 8 | v[b];
		}
		if (len == 4)
			*all[k] = ip_from4((uint32_t)all[k]->lo);
		v += len;
		n -= 1u + len;
	}
	return n == 0;
}

static void fill_from_shape(struct loading *l, sqlite3_stmt *st, struct pod *p)
{
	pod_take_shape(p, shape_at(l, sqlite3_column_int64(st, C_SHAPE)));
	p->node = cluster_str(l->cluster, text_at(st, C_NODE));
	if (!addresses_unpack(p, sqlite3_column_blob(st, C_IP), (size_t)sqlite3_column_bytes(st, C_IP)))
		err_add(l->err, ERR_INPUT, &(struct where){ .file = l->lab->path }, "damaged: the addresses of a Pod cannot be read");
}

static void fill_object(struct loading *l, sqlite3_stmt *st, struct object *o)
{
	bool stays = o->kind != &pod_kind;      /* what a template says is looked up in it later */
	struct piece v[4];
	const struct val *own, *state;

	if (!pieces_at(l, st, C_OWN, C_SEGMENT, v, 4))
		return;
	own = piece_json(l, stays ? l->arena : l->scratch, &v[0]);
	state = piece_json(l, l->scratch, &v[1]);
	o->doc = document_of(l, &v[2]);
	fill_from(l, o, own, state, sqlite3_column_int64(st, C_SPEC));
}

struct object *row_object(struct loading *l, sqlite3_stmt *st)
{
	const struct kind *k = cluster_kind(l->cluster, text_at(st, C_API), text_at(st, C_KIND));
	struct object *o = object_new(l->cluster, k, text_at(st, C_NS), text_at(st, C_NAME));
	struct arena_mark row = arena_mark(l->scratch);
	uint32_t mark = l->err->nr;

	o->id = (obj_h){ (uint32_t)sqlite3_column_int64(st, C_ID) };
	o->life = (uint32_t)sqlite3_column_int64(st, C_LIFE) & LIFE_MOST;
	o->uid = *text_at(st, C_UID) ? cluster_str(l->cluster, text_at(st, C_UID)) : cluster_uid_of(l->cluster, o);
	o->rev = (rev_t)sqlite3_column_int64(st, C_REV);
	o->generation = sqlite3_column_int64(st, C_GENERATION);
	o->created = sqlite3_column_int64(st, C_CREATED);
	o->deleted = sqlite3_column_type(st, C_DELETED) == SQLITE_NULL ? NEVER : sqlite3_column_int64(st, C_DELETED);
	o->file = cluster_str(l->cluster, text_at(st, C_FILE));
	o->line = (uint32_t)sqlite3_column_int64(st, C_LINE);
	o->gone = sqlite3_column_int(st, C_GONE);
	if (!o->gone && k == &pod_kind && sqlite3_column_type(st, C_SHAPE) != SQLITE_NULL)
		fill_from_shape(l, st, (struct pod *)o);
	else if (!o->gone)
		fill_object(l, st, o);
	arena_rewind(l->scratch, row);
	if (l->err->nr > mark) {
		err_wrap(l->err, mark, "%s \"%s\" cannot be restored", k->name, o->name);
		return NULL;
	}
	return o;
}

