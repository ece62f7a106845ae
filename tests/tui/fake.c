#include "tests/tui/fake.h"

#include <stdio.h>

static const char *or_hostile(const struct fake *f, const char *text) { return f->hostile ? f->hostile : text; }

static void head(void *ctx, struct tui_head *out)
{
	const struct fake *f = ctx;
	static const char *const faults[] = { "bgp worker-1" };

	*out = (struct tui_head){ .lab = or_hostile(f, "podwire.db"), .mode = "sim", .seed = 7, .now = MILLIS(12500), .at = MILLIS(12500), .nodes = f->nodes ? f->nodes : 3, .nodes_ready = f->nodes ? f->nodes : 3,
				  .pods = f->pods ? f->pods : 10, .pods_ready = f->pods ? f->pods : 9, .warnings = 1, .past = *f->at != '\0' };
	if (f->runs && strncmp(f->ran, "fault", 5) == 0) {
		out->faults = faults;
		out->nr_faults = 1;
	}
}

/* ---- the map */

static struct tui_pod pod(struct arena *a, const struct fake *f, const char *name, const char *address, uint8_t mark)
{
	return (struct tui_pod){ .ref = arena_printf(a, "pod/default/%s", name), .name = or_hostile(f, name), .address = address, .mark = mark };
}

static void small_map(struct fake *f, struct arena *a, struct tui_map *out)
{
	static const char *const names[] = { "control-plane", "worker-1", "worker-2" }, *const addresses[] = { "172.18.0.2", "172.18.0.3", "172.18.0.4" },
				 *const blocks[] = { "10.244.0.0/26", "10.244.1.0/26", "10.244.2.0/26" };
	static const struct { const char *name, *type, *address; uint32_t endpoints; } services[] = { { "kube-system/kube-dns", "ClusterIP", "10.96.0.10:53", 2 },
		{ "default/db", "ClusterIP", "10.96.0.32:5432", 1 }, { "default/frontend", "ClusterIP", "10.96.0.30:80", 2 }, { "default/shop", "LB", "192.0.2.10:80", 2 } };
	static const struct { int node; const char *name, *address; uint8_t mark; } pods[] = { { 0, "coredns-5d7f", "10.244.0.3", TM_READY }, { 0, "coredns-9q2m", "10.244.0.4", TM_READY },
		{ 1, "frontend-6f4c", "10.244.1.5", TM_READY }, { 1, "db-0", "10.244.1.7", TM_READY }, { 1, "batch-m4tz", "10.244.1.6", TM_READY },
		{ 2, "frontend-v7pl", "10.244.2.9", TM_READY }, { 2, "web-0", NULL, TM_STARTING } };

	out->nr_nodes = 3;
	out->nodes = arena_array(a, struct tui_node, 3);
	for (int k = 0; k < 3; k++) {
		struct tui_node *n = &out->nodes[k];

		*n = (struct tui_node){ .ref = arena_printf(a, "node/%s", names[k]), .name = or_hostile(f, names[k]), .address = addresses[k], .mark = TM_READY,
					.agent = { "calico-node", "BIRD 2 of 2 up", blocks[k] }, .nr_agent = 3, .link = k ? "0 ms 0 %" : NULL };
		n->pods = arena_array(a, struct tui_pod, ARRAY_LEN(pods));
		for (size_t i = 0; i < ARRAY_LEN(pods); i++)
			if (pods[i].node == k) {
				n->pods[n->nr_pods++] = pod(a, f, pods[i].name, pods[i].address, pods[i].mark);
				n->count[pods[i].mark]++;
				n->all++;
			}
	}
	out->nr_services = 4;
	out->services = arena_array(a, struct tui_service, 4);
	for (int k = 0; k < 4; k++)
		out->services[k] = (struct tui_service){ arena_printf(a, "svc/%s", services[k].name), or_hostile(f, services[k].name), services[k].type, services[k].address, services[k].endpoints };
	out->homeless = arena_array(a, struct tui_pod, 1);
	out->homeless[0] = pod(a, f, "batch-x8k2", NULL, TM_PENDING);
	out->homeless[0].name = or_hostile(f, "default/batch-x8k2");
	out->nr_homeless = 1;
	out->outside[out->nr_outside++] = "client 203.0.113.10";
	out->mesh = "BGP";
	out->worst = or_hostile(f, "default/batch-x8k2: 0/3 nodes are available: 3 Insufficient cpu");
	out->worst_ref = out->homeless[0].ref;
}

static void big_map(struct fake *f, struct arena *a, struct tui_map *out)
{
	out->nr_nodes = f->nodes;
	out->nodes = arena_array(a, struct tui_node, f->nodes);
	for (uint32_t k = 0; k < f->nodes; k++) {
		struct tui_node *n = &out->nodes[k];

		*n = (struct tui_node){ .ref = arena_printf(a, "node/w-%u", k), .name = arena_printf(a, "w-%u", k), .address = "172.18.0.9", .mark = k % 37 == 5 ? TM_FAILED : TM_READY,
					.zone = f->nodes > 200 ? arena_printf(a, "zone-%c", 'a' + (int)(k * 7 / f->nodes)) : NULL, .room = 110, .all = f->pods / f->nodes };
		n->count[TM_READY] = n->all > 3 ? n->all - 3 : 0;
		n->count[TM_STARTING] = n->all > 3 ? 2 : 0;
		n->count[TM_FAILED] = n->all > 3 ? 1 : 0;
	}
	out->nr_services = 1;
	out->services = arena_array(a, struct tui_service, 1);
	out->services[0] = (struct tui_service){ "svc/default/web", "default/web", "ClusterIP", "10.96.0.1:80", 3 };
}

/* ---- a list */

static const char *const states[] = { "Running", "Pending", "CrashLoopBackOff", "Terminating" };

static void list_cell(void *ctx, uint32_t row, uint32_t column, struct sb *out)
{
	const struct fake *f = ctx;

	if (column == 0)
		sb_add(out, row % 3 ? "default" : "kube-system");
	else if (column == 1 && f->hostile)
		sb_add(out, f->hostile);
	else if (column == 1)
		sb_printf(out, "web-%u", row);
	else if (column == 2)
		sb_add(out, states[row % 7 == 3 ? row % 4 : 0]);
	else if (column == 3)
		sb_printf(out, "10.%u.%u.%u", row >> 16, row >> 8 & 255, row & 255);
	else if (column == 4)
		sb_printf(out, "w-%u", row % 5000);
	else
		sb_printf(out, "%us", row % 100);
}

static void list_ref(void *ctx, uint32_t row, struct sb *out) { (void)ctx; sb_printf(out, "pod/%s/web-%u", row % 3 ? "default" : "kube-system", row); }
static uint8_t list_mark(void *ctx, uint32_t row) { (void)ctx; return (uint8_t)(1 + (row % 7 == 3 ? row % 4 : 0)); }
static uint64_t list_order(void *ctx, uint32_t row, uint32_t column) { (void)ctx; return column == 3 ? row + 1 : column == 5 ? row % 100 + 1 : 0; }

static void list_words(void *ctx, uint32_t row, const char *out[4])
{
	const struct fake *f = ctx;

	out[0] = row % 3 ? "default" : "kube-system";
	out[1] = f->hostile ? f->hostile : "web";
	out[2] = states[row % 7 == 3 ? row % 4 : 0];
}

static bool list_selected(void *ctx, uint32_t row, const char *selector, struct sb *why)
{
	(void)ctx;
	if (strchr(selector, '!') && why)
		sb_add(why, "not a selector");
	return strcmp(selector, "app=web") == 0 && row % 2;
}

static void list(struct fake *f, struct tui_list *out)
{
	static const struct tui_column columns[] = { { .head = "NAMESPACE", .keep = KEEP_NAME }, { .head = "NAME", .keep = KEEP_NAME }, { .head = "STATUS" }, { .head = "IP", .keep = KEEP_ADDRESS }, { .head = "NODE" }, { .head = "AGE", .right = true } };

	*out = (struct tui_list){ .title = "Pods", .kind = "pods", .columns = columns, .nr_columns = 6, .nr = f->pods ? f->pods : 12, .namespaced = true, .ctx = f, .cell = list_cell, .ref = list_ref,
				  .mark = list_mark, .words = list_words, .selected = list_selected, .order = list_order };
}

/* ---- objects */

static void object(struct fake *f, const struct tui_want *w, struct arena *a, struct tui_object *out)
{
	static const char *const left[] = { "link", "  lo     127.0.0.1/8  up", "  eth0   10.244.1.5/32  up  mtu 1500", "         peer cali7f3e21a9c0b in node/worker-1", "route",
		"  default via 169.254.1.1 dev eth0", "  169.254.1.1 dev eth0 scope link", "neigh", "  169.254.1.1 ee:ee:ee:ee:ee:ee  (proxy_arp)", "listen", "  tcp 0.0.0.0:8080  nginx" };
	static const char *const right[] = { "link", "  cali7f3e21a9c0b  up  mtu 1500", "route", "  10.244.1.5 dev cali7f3e21a9c0b scope link", "  10.244.2.0/26 via 172.18.0.4 proto bird",
		"  blackhole 10.244.1.0/26 proto bird", "policy in", "  netpol/web-in: 2 rules allow", "  then drop", "policy out", "  none selects it: all allowed" };

	*out = (struct tui_object){ .ref = arena_strdup(a, w->a), .title = or_hostile(f, "worker-1 › default/frontend-6f4c"), .tabs = { "network", "yaml", "events", "plan" }, .nr_tabs = 4, .nr_panes = 1 };
	if (strcmp(w->b, "plan") == 0) {
		out->tab = 3;
		out->panes[0].title = w->other ? "what iptables is told" : "what nft is told";
		pane_line(a, &out->panes[0], TR_SERVICE, "nft add element ip kube-proxy service-ips { 10.96.0.10 . tcp . 80 : goto service-ULMVA6XW-default/web/tcp/http }");
		return;
	}
	if (strcmp(w->b, "yaml") == 0 || strcmp(w->b, "events") == 0) {
		out->tab = w->b[0] == 'y' ? 1 : 2;
		out->panes[0].title = w->b[0] == 'y' ? "YAML" : "what happened to it";
		for (int k = 0; k < 60; k++)
			pane_printf(a, &out->panes[0], TR_TEXT, "%s: line %d", or_hostile(f, "metadata"), k);
		return;
	}
	out->layout = strncmp(w->a, "svc/", 4) == 0 ? LAYOUT_SERVICE : LAYOUT_POD;
	out->nr_panes = out->layout == LAYOUT_POD ? 4 : 3;
	out->turns = out->modes = out->layout == LAYOUT_SERVICE;
	out->right = !out->modes ? NULL : w->other ? "node: worker-1   mode: iptables, not nftables" : "node: worker-1   mode: nftables";
	out->panes[0].title = "Pod default/frontend-6f4c";
	out->panes[0].right = "Running 2/2 ●";
	out->panes[0].brief = "Running 2/2 ●  10.244.1.5  worker-1 172.18.0.3  svc/frontend svc/shop";
	pane_line(a, &out->panes[0], TR_TEXT, "IP            10.244.1.5");
	pane_line(a, &out->panes[0], TR_TEXT, "node          worker-1  172.18.0.3")->ref = "node/worker-1";
	pane_line(a, &out->panes[0], TR_TEXT, or_hostile(f, "labels        app=frontend tier=web"));
	pane_line(a, &out->panes[0], TR_TEXT, "selected by   svc/frontend  svc/shop")->ref = "svc/default/frontend";
	out->panes[1].title = "containers share net ipc uts";
	out->panes[1].right = "own mnt";
	out->panes[1].brief = "■ pause   ● nginx :8080 127.0.0.1:9113   ● logger 127.0.0.1:5140";
	pane_line(a, &out->panes[1], TR_TEXT, "■ pause      holds the namespaces");
	pane_line(a, &out->panes[1], TR_TEXT, "nginx      0.0.0.0:8080  127.0.0.1:9113")->mark = TM_READY;
	pane_line(a, &out->panes[1], TR_TEXT, "logger     127.0.0.1:5140")->mark = TM_READY;
	pane_line(a, &out->panes[1], TR_STORAGE, "volume logs (PVC)");
	out->panes[2].title = "netns pod/default/frontend-6f4c";
	for (size_t k = 0; k < ARRAY_LEN(left); k++)
		pane_line(a, &out->panes[2], left[k][0] == ' ' ? TR_TEXT : TR_HEAD, left[k]);
	out->panes[2].v[2].note = "cali7f3e21a9c0b is the node's end of the veth; type  ip link show  on a real node to see the same";
	out->panes[2].v[2].copy = "ip addr show dev eth0";
	out->panes[3].title = "netns node/worker-1 (for this Pod)";
	for (size_t k = 0; k < ARRAY_LEN(right) && out->layout == LAYOUT_POD; k++)
		pane_line(a, &out->panes[3], right[k][0] == ' ' ? TR_TEXT : TR_HEAD, right[k]);
}

/* ---- a trace, as `trace -o json` says it */

#define PACKET(src, dst) "{\"src\": \"" src "\", \"dst\": \"" dst "\", \"mark\": 0}"
#define HOP(netns, link, stage, decision, more) "{\"netns\": \"" netns "\", \"interface\": " link ", \"stage\": \"" stage "\", \"decision\": \"" decision "\", " more "}"
#define WAY(n, web) "\"hops\": [" \
	HOP("pod/default/client", "null", "socket", "a process in pod/default/client sends", "\"before\": " PACKET("10.244.1.2:40000", "10.96.0.10:80")) "," \
	HOP("pod/default/client", "\"eth0\"", "route", "default via 169.254.1.1 dev eth0", "\"ct\": \"new\", \"before\": " PACKET("10.244.1.2:40000", "10.96.0.10:80")) "," \
	HOP("node/worker-1", "\"cali1a2b3c4d\"", "prerouting", "destination becomes 10.244.2." n, "\"ct\": \"new\", \"chain\": \"ip kube-proxy service-ULMVA6XW-default/web/tcp/http\"," \
	    "\"rule\": \"meta l4proto tcp dnat ip addr . port to numgen random mod 3 map { 0 : 10.244.1.5 . 8080, 1 : 10.244.2.7 . 8080, 2 : 10.244.2.8 . 8080 }\"," \
	    "\"considered\": [\"ip daddr . meta l4proto . th dport vmap @firewall-ips\", \"ip daddr @cluster-ips ip saddr != 10.244.0.0/16 meta mark set meta mark | 0x00004000\"]," \
	    "\"causes\": [{\"object\": \"EndpointSlice default/web-x7k2p\", \"path\": \"endpoints\"}, {\"object\": \"Service default/web\", \"path\": \"spec.ports[0]\", \"file\": \"web.yaml\", \"line\": 31}]," \
	    "\"before\": " PACKET("10.244.1.2:40000", "10.96.0.10:80") ", \"after\": " PACKET("10.244.1.2:40000", "10.244.2." n ":8080")) "," \
	HOP("node/worker-1", "\"eth0\"", "forward", "10.244.2.0/26 via 172.18.0.4 dev eth0", "\"ct\": \"new\", \"before\": " PACKET("10.244.1.2:40000", "10.244.2." n ":8080")) "," \
	HOP("node/worker-2", "\"cali9f8e\"", "forward", "10.244.2." n "/32 dev cali9f8e", "\"ct\": \"new\", \"before\": " PACKET("10.244.1.2:40000", "10.244.2." n ":8080")) "," \
	HOP("pod/default/" web, "\"eth0\"", "deliver", "taken by container nginx", "\"before\": " PACKET("10.244.1.2:40000", "10.244.2." n ":8080")) "]," \
	"\"reply\": {\"hops\": [" HOP("pod/default/" web, "null", "socket", "answers", "\"before\": " PACKET("10.244.2." n ":8080", "10.244.1.2:40000")) "," \
	HOP("node/worker-2", "\"eth0\"", "forward", "10.244.1.0/26 via 172.18.0.3 dev eth0", "\"before\": " PACKET("10.244.2." n ":8080", "10.244.1.2:40000")) "," \
	HOP("node/worker-1", "\"cali1a2b3c4d\"", "forward", "10.244.1.2/32 dev cali1a2b3c4d", "\"before\": " PACKET("10.244.2." n ":8080", "10.244.1.2:40000")) "," \
	HOP("pod/default/client", "\"eth0\"", "deliver", "the answer reaches pod/default/client", "\"before\": " PACKET("10.96.0.10:80", "10.244.1.2:40000")) "]}"
static const char trace_text[] = "{\"from\": {\"name\": \"client\"}, \"to\": {\"text\": \"svc/web:80\", \"protocol\": \"tcp\"}, \"outcomes\": ["
	"{\"probability\": 0.3333333333, \"verdict\": \"delivered\", \"answered\": true, \"endpoint\": {\"pod\": \"web-1\", \"namespace\": \"default\"}, " WAY("7", "web-1") "},"
	"{\"probability\": 0.3333333333, \"verdict\": \"delivered\", \"answered\": true, \"endpoint\": {\"pod\": \"web-2\", \"namespace\": \"default\"}, " WAY("8", "web-2") "},"
	"{\"probability\": 0.3333333333, \"verdict\": \"dropped\", \"answered\": false, \"endpoint\": null, \"reason\": \"policy default/deny drops it\", \"hops\": ["
	HOP("pod/default/client", "null", "socket", "a process in pod/default/client sends", "\"before\": " PACKET("10.244.1.2:40000", "10.96.0.10:80")) ","
	HOP("node/worker-1", "\"cali1a2b3c4d\"", "forward", "dropped", "\"rule\": \"drop\", \"before\": " PACKET("10.244.1.2:40000", "10.96.0.10:80")) "]}]}";

/* ---- the matrix */

static const char *const ends[] = { "frontend", "api", "db", "cache", "prom", "shell", "ingress", "web" };

static void matrix_name(void *ctx, uint32_t i, const char **ns, const char **name, uint32_t *count)
{
	const struct fake *f = ctx;

	*ns = i < 4 ? "shop" : "ops";
	*name = or_hostile(f, ends[i % ARRAY_LEN(ends)]);
	*count = i == 3 ? 30 : 1;
}

static char matrix_cell(void *ctx, uint32_t from, uint32_t to)
{
	(void)ctx;
	return from == to ? ' ' : from == 5 && to == 2 ? '-' : from == 7 && to == 1 ? '+' : (from * 7 + to * 3) % 5 ? '.' : '*';
}

static void matrix_ref(void *ctx, uint32_t i, struct sb *out)
{
	(void)ctx;
	sb_printf(out, "pod/%s", ends[i % 8]);
}

static bool matrix_explain(void *ctx, uint32_t from, uint32_t to, struct arena *a, struct tui_pane *p, const char **say)
{
	(void)ctx;
	p->title = "why";
	pane_printf(a, p, TR_BAD, "verdict   denied");
	pane_printf(a, p, TR_RULE, "  netpol shop/db-in");
	*say = arena_printf(a, "%s → %s: denied by netpol shop/db-in (web.yaml:31)", ends[from % 8], ends[to % 8]);
	return true;
}

/* ---- events */

static void event(void *ctx, uint32_t i, struct tui_event_row *out)
{
	static const char *const reasons[] = { "Killing", "Scheduled", "Pulled", "ProbeLost", "Started" };
	const struct fake *f = ctx;

	*out = (struct tui_event_row){ MILLIS(12500 + i * 400), i % 5 == 3, reasons[i % 5], or_hostile(f, "pod/web-0"), "pod/default/web-0", or_hostile(f, "Stopping container nginx") };
}

static uint32_t nr_events(const struct fake *f) { return f->pods ? f->pods * 4 : 40; }
static uint32_t first_event(void *ctx, nsec at) { return at < MILLIS(12500) ? 0 : MIN((uint32_t)((at - MILLIS(12500) + MILLIS(399)) / MILLIS(400)), nr_events(ctx)); }

static uint32_t lane(void *ctx, uint32_t k, nsec from, nsec to)
{
	return k ? first_event(ctx, to) - first_event(ctx, from) : (uint32_t)MIN(to / MILLIS(30), 1000);
}

/* ---- a lesson */

static void lesson(struct fake *f, const struct tui_want *w, struct arena *a, struct tui_lesson *out)
{
	static const char *const names[] = { "the service is up", "from outside, the source is rewritten", "with Local the client's address arrives", "and a node without a Pod no longer answers",
		"what a load balancer does about it", "clean up" };
	static const char *choices[] = { "no process listens on 30080 there", "a refusal would say that the Service is gone; a drop says: not on this node", "NetworkPolicy forbids it",
		"conntrack has no entry" };
	static const char *hints[] = { "look at the rules of that node", "external-… ends with drop" };

	*out = (struct tui_lesson){ .title = or_hostile(f, "Why does my backend see the node's address?"), .path = "services › nodeport-source-ip", .nr_steps = 6, .step = (uint32_t)MIN(MAX(w->n, 0), 5),
				    .say = or_hostile(f, "`externalTrafficPolicy: Local` keeps the client's address, because the node may only choose endpoints of **its own**. control-plane has none:"),
				    .question = "Why is it dropped and not refused?", .choices = choices, .nr_choices = 4, .answer = 2, .why = "a drop lets the client try another node", .hints = hints, .nr_hints = 2 };
	out->steps = arena_alloc(a, sizeof(*out->steps) * 6, alignof(max_align_t));
	for (uint32_t k = 0; k < 6; k++) {
		out->steps[k].name = names[k];
		out->steps[k].state = k < out->step;
	}
	out->checks = arena_array(a, struct tui_check, 1);
	out->checks[0] = (struct tui_check){ "probe client → node/control-plane:30080 is dropped", "dropped", true };
	out->nr_checks = 1;
	out->place.title = "where it was dropped";
	pane_line(a, &out->place, TR_HEAD, "client → node/control-plane:30080");
	pane_line(a, &out->place, TR_PACKET, "▼ node/control-plane");
	pane_line(a, &out->place, TR_BAD, "dropped")->mark = TM_FAILED;
}

/* ---- */

static bool load(void *ctx, const struct tui_want *w, struct arena *a, struct tui_page *p, struct err *err)
{
	struct fake *f = ctx;

	*p = (struct tui_page){ .kind = w->kind };
	if (strstr(w->a, "missing"))
		return err_add(err, ERR_FAILED, NULL, "\"%s\" is not there", w->a);
	switch ((enum page_kind)w->kind) {
	case PAGE_MAP: f->nodes ? big_map(f, a, &p->map) : small_map(f, a, &p->map); break;
	case PAGE_LIST: list(f, &p->list); break;
	case PAGE_OBJECT: object(f, w, a, &p->object); break;
	case PAGE_TRACE: return tui_trace_read(a, json_parse(a, "trace", trace_text, strlen(trace_text), NULL, err), &p->trace);
	case PAGE_MATRIX:
		p->matrix = (struct tui_matrix){ .what = "tcp 80", .compared = "rev:17", .nr = f->pods ? f->pods / 15 : 8, .pods = 41, .ctx = f, .name = matrix_name, .cell = matrix_cell, .explain = matrix_explain, .ref = matrix_ref,
						 .allowed = 27, .asked = 120 };
		break;
	case PAGE_TIMELINE:
		p->timeline = (struct tui_timeline){ .nr = nr_events(f), .end = MILLIS(12500 + (int64_t)nr_events(f) * 400), .ctx = f, .event = event, .lane = lane, .first = first_event,
						     .lanes = { { "Pods ready", LANE_BARS }, { "events", LANE_MARKS }, { "warnings", LANE_WARNS } }, .nr_lanes = 3 };
		break;
	case PAGE_LESSON: lesson(f, w, a, &p->lesson); break;
	case PAGE_NONE: case PAGE_KINDS: return false;
	}
	return true;
}

static bool run(void *ctx, const char *line, struct sb *out, bool *changed, struct err *err)
{
	struct fake *f = ctx;

	(void)err;
	snprintf(f->ran, sizeof(f->ran), "%.399s", line);
	f->runs++;
	*changed = strncmp(line, "fault", 5) == 0 || strncmp(line, "advance", 7) == 0;
	if (strncmp(line, "rules", 5) == 0)
		sb_add(out, "table ip kube-proxy {\n\tchain services {\n\t}\n}\n");
	return true;
}

static bool undo(void *ctx, struct sb *out, struct err *err)
{
	(void)err;
	((struct fake *)ctx)->undone++;
	sb_add(out, "undone: advance 40s");
	return true;
}

static bool seek(void *ctx, const char *at, struct err *err)
{
	(void)err;
	snprintf(((struct fake *)ctx)->at, 64, "%.63s", at);
	return true;
}

static void leave(void *ctx) { ((struct fake *)ctx)->left++; }
static const char *list_word(void *ctx, const char *word) { (void)ctx; return strcmp(word, "po") == 0 || strcmp(word, "pods") == 0 ? "pods" : NULL; }

static void complete(void *ctx, const char *before, const char *word, tui_word f, void *word_ctx)
{
	static const char *const words[] = { "trace", "pods", "pod/default/web-0", "pod/default/web-1", "svc/default/web" };

	(void)ctx;
	for (size_t k = *before ? 2 : 0; k < (*before ? ARRAY_LEN(words) : 2); k++)
		if (strncmp(words[k], word, strlen(word)) == 0)
			f(word_ctx, words[k], "");
}

struct tui_source fake_source(struct fake *f)
{
	return (struct tui_source){ .ctx = f, .head = head, .load = load, .run = run, .undo = undo, .seek = seek, .leave = leave, .list_word = list_word, .complete = complete };
}

const char *screen_text(struct tui *t, struct cells *screen)
{
	static struct sb text;

	tui_view(t, screen);
	sb_reset(&text);
	cells_print(screen, false, &text);
	return sb_text(&text);
}
