/* Pods that one controller made and that have come to the same state differ in name, uid, revision, node and addresses only. The rest is their shape, written once. */
#include "sim/lab/store.h"

#include <stdlib.h>

/* The Pod with all that its own row says taken out, so that the bytes of equal shapes are equal: lists are shared, texts interned. */
static void blank(const struct pod *p, struct pod *out)
{
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
}

struct known { struct pod pod; int64_t row; };

static uint64_t hash_of(const struct pod *p)
{
	uint64_t h = 0, word;

	for (size_t k = 0; k + 8 <= sizeof(*p); k += 8) {
		memcpy(&word, (const char *)p + k, 8);
		h = hash_mix(h, word);
	}
	return h;
}

bool shapes_begin(struct shape_writer *w, struct lab *lab, struct segment_writer *segments, struct err *err)
{
	w->lab = lab;
	w->segments = segments;
	w->arena = arena_new(NULL, "shapes");
	w->put = store_prepare(lab, "INSERT INTO shape(segment, at) VALUES(?1,?2)", err);
	return w->put;
}

void shapes_end(struct shape_writer *w)
{
	sqlite3_finalize(w->put);
	arena_free(w->arena);
	*w = (struct shape_writer){ 0 };
}

static int64_t put_body(struct shape_writer *w, const struct sb *body, struct err *err)
{
	struct segment_place at;

	if (!segments_add(w->segments, &(struct piece){ sb_text(body), body->len }, 1, &at, err))
		return 0;
	sqlite3_bind_int64(w->put, 1, at.id);
	sqlite3_bind_int64(w->put, 2, at.at);
	return store_do(w->lab, w->put, "cannot be written", err) ? sqlite3_last_insert_rowid(w->lab->db) : 0;
}

int64_t shape_row(struct shape_writer *w, const struct pod *p, int64_t spec, struct err *err)
{
	struct pod bare;
	struct known *k;
	struct val *v;
	uint64_t *at;
	struct sb body = { 0 };
	struct arena *scratch;

	blank(p, &bare);
	at = map_put(&w->known, w->arena, hash_of(&bare));
	k = (struct known *)(uintptr_t)*at;
	if (k && memcmp(&k->pod, &bare, sizeof(bare)) == 0)
		return k->row;
	scratch = arena_new(NULL, "shape");
	v = val_new(scratch, VAL_MAP);
	val_put(scratch, v, "spec", val_int(scratch, spec));
	val_put(scratch, v, "own", own_pack(&bare.o, scratch));
	val_put(scratch, v, "state", state_pack(&bare.o, scratch));
	val_print_json(v, &body, 0, false);
	k = arena_make(w->arena, struct known);
	memcpy(&k->pod, &bare, sizeof(bare));
	k->row = put_body(w, &body, err);
	*at = map_ptr(k);
	sb_free(&body);
	arena_free(scratch);
	return k->row;
}

/* ---- addresses: each in as many bytes as it needs, with their number before it */

void addresses_pack(const struct pod *p, struct sb *out)
{
	const ip_addr all[] = { p->ip, p->ip2, p->host_ip };

	sb_reset(out);
	for (size_t k = 0; k < ARRAY_LEN(all); k++) {
		int n = !ip_set(all[k]) ? 0 : ip_is4(all[k]) ? 4 : 16;

		sb_addc(out, (char)n);
		for (int b = n; b-- > 0;)
			sb_addc(out, (char)(b >= 8 ? all[k].hi >> (8 * (b - 8)) : all[k].lo >> (8 * b)));
	}
}

bool addresses_unpack(struct pod *p, const unsigned char *v, size_t n)
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
