/* Bundles: the objects that one command changed, as one stream of bytes in few rows. A bundle is never changed: what a later command leaves of
 * an object stands in a later bundle, and the newest counts. Pods that one controller made and that have come to the same state
 * differ in name, uid, revision, node and addresses only; the rest is their shape, written once. */
#include "sim/lab/bundle.h"

#include <stdlib.h>

#define PART_SIZE (1u << 20)            /* bytes of one row, and a little: an object stands in one row only */

enum { IS_GONE = 1, IS_DELETED = 2, HAS_PLACE = 4, HAS_DOC = 8, HAS_SHAPE = 16, HAS_LIFE = 32, HAS_GENERATION = 64, HAS_TEMPLATE = 128, OWN_UID = 256 };
#define LIST_END (offsetof(str_list, set) + sizeof(((str_list *)NULL)->set))
enum { SHAPE_NEW };                     /* then the numbers of shapes, from 1 */

static const struct field none[] = { FIELD_END };

static const struct field *own_fields(const struct kind *k)
{
	return k->fields && k != &pod_kind ? k->fields : none;
}

static const struct field *status_fields(const struct kind *k)
{
	const struct field *f = state_fields(k);

	return f ? f : none;
}

/* ---- writing */

bool bundle_begin(struct bundle_writer *w, struct lab *lab, const struct cluster *c, int64_t input, bool whole, struct err *err)
{
	*w = (struct bundle_writer){ .lab = lab, .cluster = c, .input = input, .whole = whole, .arena = arena_new(NULL, "bundle") };
	pen_begin(&w->pen);
	w->put = store_prepare(lab, whole ? "INSERT INTO whole VALUES(?1,?2)" : "INSERT INTO bundle VALUES(?1,?2)", err);
	return w->put;
}

static bool put_part(struct bundle_writer *w, uint32_t part, const struct sb *bytes, struct err *err)
{
	sqlite3_bind_int64(w->put, 1, bundle_place(w->input, part, w->whole));
	sqlite3_bind_blob(w->put, 2, sb_text(bytes), (int)bytes->len, SQLITE_STATIC);
	w->bytes += bytes->len;
	return store_do(w->lab, w->put, "cannot be written", err);
}

/* The handles: how many were passed over, and how many follow one another. */
static void add_handle(struct bundle_writer *w, uint32_t id)
{
	if (w->nr_runs && w->last_id + 1 == id) {
		w->run++;
	} else {
		if (w->nr_runs++)
			pack_number(&w->handles, w->run);
		pack_number(&w->handles, id - w->last_id);
		w->run = 1;
	}
	w->last_id = id;
}

/* The Pod with all that its own entry says taken out, so that the bytes of equal shapes are equal: lists are shared, texts interned. */
static void blank(const struct pod *p, struct pod *out)
{
	static const size_t lists[] = {
		offsetof(struct pod, o.labels), offsetof(struct pod, o.annotations), offsetof(struct pod, o.owners), offsetof(struct pod, o.finalizers),
		offsetof(struct pod, conditions), offsetof(struct pod, statuses),
	};

	memcpy(out, p, sizeof(*out));
	out->o.id = (obj_h){ 0 };
	out->o.ns = out->o.name = out->o.uid = NULL;
	out->o.created = out->o.deleted = 0;
	out->o.rev = 0;
	out->o.generation = 0;
	out->o.file = NULL;
	out->o.line = out->o.life = 0;
	out->node = NULL;
	out->ip = out->ip2 = out->host_ip = (ip_addr){ 0, 0 };
	for (size_t k = 0; k < ARRAY_LEN(lists); k++)           /* a list that was built on the stack came with what lay there behind its last member */
		memset((char *)out + lists[k] + LIST_END, 0, sizeof(str_list) - LIST_END);
}

static uint64_t hash_of(const struct pod *p)
{
	uint64_t h = 0, word;

	for (size_t k = 0; k + 8 <= sizeof(*p); k += 8) {
		memcpy(&word, (const char *)p + k, 8);
		h = hash_mix(h, word);
	}
	return h;
}

struct known_shape { struct pod pod; uint32_t number; };

static void put_state(struct bundle_writer *w, const struct object *o)
{
	pen_fields(&w->pen, state_meta_fields, NULL, o);
	pen_fields(&w->pen, status_fields(o->kind), NULL, o);
}

/* Pods of one controller follow one another: the shape of the last one is looked at first. *fresh: no Pod before had it. */
static const struct known_shape *shape_of(struct bundle_writer *w, const struct pod *bare, bool *fresh)
{
	struct known_shape *s = w->last_shape;
	uint64_t *at;

	*fresh = false;
	if (s && memcmp(&s->pod, bare, sizeof(*bare)) == 0)
		return s;
	at = map_put(&w->shapes, w->arena, hash_of(bare));
	s = (struct known_shape *)(uintptr_t)*at;
	*fresh = !s || memcmp(&s->pod, bare, sizeof(*bare)) != 0;
	if (*fresh) {
		s = arena_make(w->arena, struct known_shape);
		memcpy(&s->pod, bare, sizeof(*bare));
		s->number = ++w->nr_shapes;
		*at = map_ptr(s);
	}
	return w->last_shape = s;
}

static void put_shape(struct bundle_writer *w, const struct pod *p)
{
	const struct known_shape *s;
	struct pod bare;
	bool fresh;

	blank(p, &bare);
	s = shape_of(w, &bare, &fresh);
	pen_number(&w->pen, fresh ? SHAPE_NEW : s->number);
	if (!fresh)
		return;
	pen_spec(&w->pen, p->spec);
	put_state(w, &bare.o);
}

/* Each in as many bytes as it needs, with their number before it. */
static void put_addresses(struct pen *out, const struct pod *p)
{
	const ip_addr all[] = { p->ip, p->ip2, p->host_ip };

	for (size_t k = 0; k < ARRAY_LEN(all); k++) {
		unsigned n = !ip_set(all[k]) ? 0 : ip_is4(all[k]) ? 4 : 16;

		pen_number(out, n);
		if (n == 4)
			pen_number(out, (uint32_t)all[k].lo);
		if (n == 16) {
			pen_number(out, all[k].hi);
			pen_number(out, all[k].lo);
		}
	}
}

static void put_kind(struct bundle_writer *w, const struct kind *k)
{
	uint64_t *at = map_put(&w->kinds, w->arena, map_ptr(k));

	pen_number(&w->pen, *at);
	if (*at)
		return;
	*at = ++w->nr_kinds;
	pen_word(&w->pen, k->apis[0], strlen(k->apis[0]));
	pen_word(&w->pen, k->name, strlen(k->name));
}

static void put_content(struct bundle_writer *w, const struct object *o, bool shape, bool template)
{
	if (shape) {
		put_shape(w, (const struct pod *)o);
		pen_text(&w->pen, ((const struct pod *)o)->node);
		put_addresses(&w->pen, (const struct pod *)o);
		return;
	}
	if (o->doc)
		pen_tree(&w->pen, o->doc);
	if (o->kind == &pod_kind)
		pen_spec(&w->pen, ((const struct pod *)o)->spec);
	pen_fields(&w->pen, own_fields(o->kind), status_fields(o->kind), o);
	put_state(w, o);
	if (template)
		pen_tree(&w->pen, state_template(o));
}

bool bundle_add(struct bundle_writer *w, const struct object *o, struct err *err)
{
	bool shape = !o->gone && o->kind == &pod_kind && !o->doc, template = !o->gone && state_template(o);
	struct pen *p = &w->pen;
	char uid[UID_LENGTH + 1];
	bool follows;

	if (p->out.len >= PART_SIZE) {
		if (!put_part(w, ++w->part, &p->out, err))
			return false;
		sb_reset(&p->out);
	}
	cluster_uid_print(w->cluster, o, uid);
	follows = strcmp(uid, o->uid) == 0;
	pen_number(p, o->id.i - w->last_id);
	add_handle(w, o->id.i);
	pen_number(p, (o->gone ? IS_GONE : 0u) | (o->deleted != NEVER ? IS_DELETED : 0u) | (o->file || o->line ? HAS_PLACE : 0u) | (!o->gone && o->doc ? HAS_DOC : 0u) |
			      (shape ? HAS_SHAPE : 0u) | (o->life ? HAS_LIFE : 0u) | (o->generation != 1 ? HAS_GENERATION : 0u) | (template ? HAS_TEMPLATE : 0u) |
			      (follows ? 0u : OWN_UID));
	put_kind(w, o->kind);
	pen_text(p, o->ns);
	pen_text(p, o->name);
	if (o->life)
		pen_number(p, o->life);
	if (follows)
		pen_tell(p, o->uid);
	else
		pen_text(p, o->uid);
	pen_signed(p, (int64_t)o->rev - w->last_rev);
	w->last_rev = o->rev;
	if (o->generation != 1)
		pen_signed(p, o->generation);
	pen_signed(p, o->created - w->last_created);
	w->last_created = o->created;
	if (o->deleted != NEVER)
		pen_signed(p, o->deleted);
	if (o->file || o->line) {
		if (o->file)
			pen_word(p, o->file, strlen(o->file));
		else
			pen_text(p, NULL);
		pen_number(p, o->line);
	}
	if (!o->gone)
		put_content(w, o, shape, template);
	return true;
}

bool bundle_end(struct bundle_writer *w, size_t *bytes, struct err *err)
{
	bool ok = !err || !w->put;

	if (!ok) {
		pack_number(&w->handles, w->run);
		ok = put_part(w, ++w->part, &w->pen.out, err) && put_part(w, 0, &w->handles, err);
	}
	if (bytes)
		*bytes = w->bytes;
	sqlite3_finalize(w->put);
	if (w->arena) {
		pen_end(&w->pen);
		arena_free(w->arena);
	}
	sb_free(&w->handles);
	*w = (struct bundle_writer){ 0 };
	return ok;
}

/* ---- reading */

static bool damaged(struct bundle_reader *r, struct err *err)
{
	return err_add(err, ERR_INPUT, &(struct where){ .file = r->lab->path }, "damaged: bundle %" PRId64 " cannot be read", r->input);
}

static bool open_part(struct bundle_reader *r, uint32_t part, struct err *err)
{
	bool there;

	sqlite3_bind_int64(r->get, 1, bundle_place(r->input, part, r->whole));
	there = sqlite3_step(r->get) == SQLITE_ROW;
	sb_reset(&r->bytes);
	if (there)
		sb_addn(&r->bytes, sqlite3_column_blob(r->get, 0), (size_t)sqlite3_column_bytes(r->get, 0));
	sqlite3_reset(r->get);
	r->part = part;
	r->scan.p = (const unsigned char *)sb_text(&r->bytes);
	r->scan.end = r->scan.p + r->bytes.len;
	return there || damaged(r, err);
}

bool bundle_open(struct bundle_reader *r, struct lab *lab, struct cluster *c, int64_t input, bool whole, sqlite3_stmt *get, struct err *err)
{
	*r = (struct bundle_reader){ .lab = lab, .cluster = c, .input = input, .whole = whole, .get = get };
	scan_begin(&r->scan, c);
	return open_part(r, 0, err);
}

bool bundle_handles(struct bundle_reader *r, bool (*each)(void *ctx, uint32_t id), void *ctx, struct err *err)
{
	uint64_t id = 0;

	while (r->scan.p < r->scan.end) {
		uint64_t gap = unpack_number(&r->scan.p, r->scan.end), run = unpack_number(&r->scan.p, r->scan.end);

		if (!gap || !run || gap > UINT32_MAX || run > UINT32_MAX || id + gap + run > UINT32_MAX)
			return damaged(r, err);
		id += gap;
		for (uint64_t k = 0; k < run; k++)
			if (!each(ctx, (uint32_t)(id + k)))
				return damaged(r, err);
		id += run - 1;
	}
	return open_part(r, 1, err);
}

void bundle_close(struct bundle_reader *r)
{
	sb_free(&r->bytes);
	if (r->scan.arena)
		scan_end(&r->scan);
	*r = (struct bundle_reader){ 0 };
}

static const struct kind *read_kind(struct bundle_reader *r)
{
	uint64_t number = scan_number(&r->scan);
	str api, name;

	if (number)
		return number <= r->kinds.nr ? r->kinds.v[number - 1] : NULL;
	api = scan_text(&r->scan);
	name = scan_text(&r->scan);
	if (!api || !name)
		return NULL;
	vec_add(r->scan.arena, &r->kinds, cluster_kind(r->cluster, api, name));
	return r->kinds.v[r->kinds.nr - 1];
}

/* What follows from its fields, then what the world has made of it: a default may have been changed since. */
static void finish(struct bundle_reader *r, struct object *o)
{
	if (o->kind->dflt)
		o->kind->dflt(o, cluster_arena(r->cluster), cluster_strings(r->cluster));
	fields_zero(state_meta_fields, o);
	fields_zero(status_fields(o->kind), o);
	scan_fields(&r->scan, state_meta_fields, o);
	scan_fields(&r->scan, status_fields(o->kind), o);
}

static const struct pod *read_shape(struct bundle_reader *r)
{
	uint64_t number = scan_number(&r->scan);
	struct pod *p;

	if (number != SHAPE_NEW)
		return number <= r->shapes.nr ? r->shapes.v[number - 1] : NULL;
	p = arena_make(r->scan.arena, struct pod);
	p->o.kind = &pod_kind;
	p->spec = scan_spec(&r->scan);
	if (!p->spec)
		return NULL;
	finish(r, &p->o);
	vec_add(r->scan.arena, &r->shapes, p);
	return p;
}

static bool read_addresses(struct scan *s, struct pod *p)
{
	ip_addr *all[] = { &p->ip, &p->ip2, &p->host_ip };

	for (size_t k = 0; k < ARRAY_LEN(all); k++) {
		uint64_t n = scan_number(s);

		*all[k] = (ip_addr){ 0, 0 };
		if (n == 4) {
			*all[k] = ip_from4((uint32_t)scan_number(s));
		} else if (n == 16) {
			all[k]->hi = scan_number(s);
			all[k]->lo = scan_number(s);
		} else if (n) {
			return false;
		}
	}
	return true;
}

void pod_take_shape(struct pod *p, const struct pod *shape)
{
	struct object own = p->o;

	memcpy(p, shape, sizeof(*p));
	p->o.id = own.id;
	p->o.ns = own.ns;
	p->o.name = own.name;
	p->o.uid = own.uid;
	p->o.life = own.life;
	p->o.rev = own.rev;
	p->o.generation = own.generation;
	p->o.created = own.created;
	p->o.deleted = own.deleted;
	p->o.file = own.file;
	p->o.line = own.line;
}

static bool read_pod(struct bundle_reader *r, struct pod *p)
{
	const struct pod *shape = read_shape(r);

	if (!shape)
		return false;
	pod_take_shape(p, shape);
	p->node = scan_text(&r->scan);
	return read_addresses(&r->scan, p);
}

static bool read_content(struct bundle_reader *r, struct object *o, uint64_t flags)
{
	const struct val **template;

	if (flags & HAS_SHAPE)
		return o->kind == &pod_kind && read_pod(r, (struct pod *)o);
	if (flags & HAS_DOC)
		o->doc = scan_tree(&r->scan);
	if (o->kind == &pod_kind && !(((struct pod *)o)->spec = scan_spec(&r->scan)))
		return false;
	scan_fields(&r->scan, own_fields(o->kind), o);
	finish(r, o);
	if (flags & HAS_TEMPLATE) {
		const struct val *doc = scan_tree(&r->scan);

		template = template_place(o);
		if (template)
			*template = doc;
	}
	return true;
}

struct object *bundle_next(struct bundle_reader *r, struct err *err)
{
	struct scan *s = &r->scan;
	const struct kind *k;
	struct object *o;
	uint64_t flags;
	str ns, name;

	if (s->p == s->end && !open_part(r, r->part + 1, err))
		return NULL;
	r->last_id += (uint32_t)scan_number(s);
	flags = scan_number(s);
	k = read_kind(r);
	ns = scan_text(s);
	name = scan_text(s);
	if (!k || !name || (k->namespaced && !ns)) {
		damaged(r, err);
		return NULL;
	}
	o = object_make(r->cluster, k, k->namespaced ? ns : NULL, name);
	o->id.i = r->last_id;
	o->life = flags & HAS_LIFE ? scan_number(s) & LIFE_MOST : 0;
	o->uid = flags & OWN_UID ? scan_text(s) : flags & HAS_SHAPE ? cluster_uid_alone(r->cluster, o) : cluster_uid_of(r->cluster, o);
	if (!(flags & OWN_UID))
		scan_tell(s, o->uid);
	r->last_rev += scan_signed(s);
	o->rev = (rev_t)r->last_rev;
	o->generation = flags & HAS_GENERATION ? scan_signed(s) : 1;
	r->last_created += scan_signed(s);
	o->created = r->last_created;
	o->deleted = flags & IS_DELETED ? scan_signed(s) : NEVER;
	if (flags & HAS_PLACE) {
		o->file = scan_text(s);
		o->line = (uint32_t)scan_number(s);
	}
	o->gone = flags & IS_GONE;
	if ((!o->gone && !read_content(r, o, flags)) || !o->uid || s->bad) {
		damaged(r, err);
		return NULL;
	}
	return o;
}
