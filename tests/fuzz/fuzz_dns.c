/* Any bytes as a DNS message: as a query to the server, whose answer must be one that the asker reads, and as an answer to a query. */
#include <stdlib.h>

#include "model/cluster/apply.h"
#include "model/dns/numbers.h"
#include "model/dns/wire.h"

static const char manifests[] =
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\n"
	"apiVersion: v1\nkind: Service\nmetadata: {name: w, namespace: a}\nspec: {clusterIP: 10.96.0.7, clusterIPs: [10.96.0.7], ports: [{name: p, port: 80}]}\n---\n"
	"apiVersion: v1\nkind: Service\nmetadata: {name: e, namespace: a}\nspec: {type: ExternalName, externalName: o.example}\n";

static bool take(void *ctx, const struct doc *d, struct err *err)
{
	static const struct apply_options opt = { .respect_status = true };

	return apply_doc(ctx, d, &opt, NULL, err) != APPLY_ERROR;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cluster *c;       /* made once: queries do not change it */
	static struct zone *outside;
	static uint8_t out[DNS_MESSAGE_MAX];
	struct arena *a = arena_new(NULL, "fuzz");
	struct dns_asked q;
	struct dns_answer answer;
	struct err err = { 0 };
	enum dns_read how;
	enum dns_type type;
	bool cut;

	if (!c) {
		c = cluster_new(NULL, 1);
		docs_read("fuzz", manifests, sizeof(manifests) - 1, NULL, take, c, &err);
		outside = zone_parse(cluster_arena(c), "o.example. IN CNAME p.example.\np.example. IN A 192.0.2.1\np.example. IN TXT \"text\"\n", &err);
	}
	size = size > DNS_MESSAGE_MAX ? DNS_MESSAGE_MAX : size;
	how = dns_read_query(data, (uint32_t)size, &q);
	for (int tcp = 0; tcp < 2; tcp++) {
		uint32_t n = dns_serve(c, outside, data, (uint32_t)size, tcp, out, a);

		if ((n == 0) != (how == DNS_READ_NOTHING) || (n && n < 12) || (!tcp && n > 4096))
			abort();
		if (how == DNS_READ_QUERY && q.class == 1 && !q.edns_version && dns_type_known(q.type, &type) && !dns_read_answer(out, n, q.id, q.name, type, &answer, &cut, a))
			abort();
	}
	for (type = 0; type < DNS_TYPE_COUNT; type++)
		dns_read_answer(data, (uint32_t)size, size > 1 ? (uint16_t)(data[0] << 8 | data[1]) : 0, how == DNS_READ_QUERY ? q.name : "w.a.svc.cluster.local.", type, &answer, &cut, a);
	arena_free(a);
	err_free(&err);
	return 0;
}
