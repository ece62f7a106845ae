/* What conntrack remembers of UDP, and for how long. */
#include "sim/engine/world.h"
#include "sim/trace/trace.h"
#include "tests/unit/feed.h"

static const char cluster[] = "apiVersion: v1\nkind: Pod\nmetadata: {name: dns, labels: {app: dns}}\nspec: {nodeName: worker-1, containers: [{name: c, image: dns, ports: [{containerPort: 53, protocol: UDP}]}]}\n"
			      "---\napiVersion: v1\nkind: Pod\nmetadata: {name: client}\nspec: {nodeName: worker-1, containers: [{name: c, image: alpine}]}\n"
			      "---\napiVersion: v1\nkind: Service\nmetadata: {name: dns}\nspec: {clusterIP: 10.96.3.3, selector: {app: dns}, ports: [{port: 53, protocol: UDP}]}\n";

static bool remembers(const struct flows *f, const char *words)
{
	struct sb out = { 0 };
	bool found;

	flows_print(f, "node/worker-1", &out);
	found = strstr(sb_text(&out), words) != NULL;
	sb_free(&out);
	return found;
}

/* As the kernel does it: answered once 30 s, still in use after two seconds 120 s and assured. */
TEST(an_answered_udp_entry_is_a_stream_when_it_is_still_used_after_two_seconds)
{
	struct world_options opt = { .ask = true, .seed = 7, .apply = { .create_namespaces = true } };
	struct arena *a = arena_new(NULL, "flows");
	struct flows *f = flows_new(a, 0, 1);
	struct walk_from from = { .t = { .sport = 40000, .dport = 53, .proto = PROTO_UDP } };
	struct world w;
	const struct dataplane *dp;

	world_init(&w, &opt);
	feed_world(&w, &opt, cluster);
	world_settle(&w, &opt);
	dp = world_dataplane(&w);
	from.from = netns_find(dp, "pod/default/client");
	ip_parse("10.96.3.3", &from.t.dst);
	CU_ASSERT(walk(dp, f, &from, WALK_KEEP, a).v[0].answered);
	CU_ASSERT(remembers(f, "udp      17 30 src=") && !remembers(f, "ASSURED"));
	flows_set_now(f, SECONDS(1));
	walk(dp, f, &from, WALK_KEEP, a);
	CU_ASSERT(remembers(f, "udp      17 30 src=") && !remembers(f, "ASSURED"));
	flows_set_now(f, SECONDS(4));
	walk(dp, f, &from, 0, a);               /* only asked: nothing is different */
	CU_ASSERT(remembers(f, "udp      17 27 src="));
	walk(dp, f, &from, WALK_KEEP, a);
	CU_ASSERT(remembers(f, "udp      17 120 src=") && remembers(f, "[ASSURED]"));
	flows_set_now(f, SECONDS(124));
	CU_ASSERT(!remembers(f, "udp"));
	world_free(&w);
	arena_free(a);
}
