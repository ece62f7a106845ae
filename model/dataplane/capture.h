/* What real nodes have, read from what their own tools print: iptables-save, iptables -S and -L, ipset, nft (text and JSON), ip, bridge, sysctl, ipvsadm, birdc, in files,
 * folders, terminal sessions and podwire's own `capture`. The result is a dataplane like any other, whose nodes are `captured`: what is behind their links is taken to
 * exist and to answer. What a reader cannot express becomes op `unknown`; what is cut or missing is noted, and a packet that it could decide ends `unknown`. */
#ifndef PODWIRE_CAPTURE_H
#define PODWIRE_CAPTURE_H

#include "model/dataplane/dataplane.h"

enum note_kind { NOTE_MISSING /* not in the capture, and it may matter */, NOTE_UNKNOWN /* in it, and not modelled */, NOTE_ASSUMED, NOTE_IGNORED, NOTE_COUNT };
extern const char *const note_kinds[NOTE_COUNT];
struct capture_note { uint8_t kind; str node, file; uint32_t line; str text; };         /* file NULL: of the whole capture */
struct capture_source { str node, file, what; uint32_t line; };                          /* what: nft, iptables-save, ip route … */

struct capture {
	struct dataplane *dp;
	VEC(struct capture_note) notes;         /* equal ones once */
	VEC(struct capture_source) sources;
	VEC(str) missing_sets;                  /* names of ipsets that rules ask and nobody listed */
};
struct capture_options {
	const ip_addr *node_ips; uint32_t nr_node_ips;  /* addresses of the node that the capture does not hold */
};

/* path: a file or a folder; a folder whose folders hold captures has a node in each. false: err says what is wrong. On success the caller frees it. */
bool capture_read(const char *path, const struct capture_options *, struct mem *, struct capture *out, struct err *);
/* The same from memory, for one node; file: its name, which may say what it is ("iptables-S-nat.txt"). */
bool capture_read_text(const char *file, const char *text, size_t n, const struct capture_options *, struct mem *, struct capture *out, struct err *);
void capture_free(struct capture *);

#endif
