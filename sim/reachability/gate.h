/* A gate: a small file of what must and must not be allowed, judged against the policies as they are. docs/policy.md has its form. */
#ifndef PODWIRE_REACH_GATE_H
#define PODWIRE_REACH_GATE_H

#include "model/base/val.h"
#include "sim/reachability/grid.h"

struct gate_result {
	bool ok;
	const char *text;                       /* must shop/web → shop/api TCP/80 */
	const char *actual;                     /* 12 pairs hold; 1 of 12 does not: shop/web-1 → shop/api-0 is denied */
	const char *file; uint32_t line;
	int64_t from, to;                       /* ends of the first pair that fails; −1: none */
	struct reach_port port;                 /* of that pair: one port */
};
typedef VEC(struct gate_result) gate_results;
/* A document of the file. false: err says what is wrong with it. An expectation that matches no pair fails. */
bool gate_judge(struct reach *, const struct val *doc, const char *file, struct arena *, gate_results *out, struct err *);
/* PORT[/PROTOCOL][,…]: 80, http, 8000-8999, 53/udp, 53/tcp; dflt: of those without a protocol. false: err. option: --port, or where it stands in a file. */
typedef VEC(struct reach_port) reach_ports;
bool reach_ports_parse(const char *text, uint8_t dflt, const char *option, struct arena *, reach_ports *out, struct err *);
bool reach_proto_parse(const char *text, uint8_t *out);

#endif
