/* Reachability by policy, all pairs: clusters as they are met (10,000 … 300,000 Pods), Antrea's own test (25,000 namespaces of 4 Pods and 3 policies) and adversarial
 * label sets. Goals: 100,000 Pods, 10,000 policies, 1,000 namespaces in 60 ms and 64 MiB, a change in 0.05 ms (median) and 5 ms (worst); Antrea's in 100 ms and
 * 128 MiB (its controller states 5.84 to 6.42 s and 1.5 to 1.7 GB: networkpolicy_controller_perf_test.go); 20,000 classes in 1 s and 300 MiB.
 * With policies in tiers: the usual clusters, and what an administrator and teams add to them.
 * bench_policy [KIND…]: 10k 30k 100k 300k b c1 c t10k t100k t1000 (1,013 policies in tiers). */
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "model/cluster/apply.h"
#include "model/dataplane/packet.h"
#include "sim/reachability/reach.h"

struct bench { struct cluster *c; struct arena *a; uint64_t state; uint32_t pods, policies; struct pod_spec *specs[6]; };

static uint32_t below(struct bench *b, uint32_t n)
{
	b->state = b->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(b->state >> 33) % n;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);    /* wall time is noisy where others work too */
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* MiB that are resident. */
static double resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long all = 0, here = 0;

	if (f) {
		if (fscanf(f, "%lu %lu", &all, &here) != 2)
			here = 0;
		fclose(f);
	}
	return (double)here * (double)sysconf(_SC_PAGESIZE) / 1048576.0;
}

static str text(struct bench *b, const char *fmt, uint32_t n)
{
	char buf[64];

	snprintf(buf, sizeof(buf), fmt, n);
	return cluster_str(b->c, buf);
}

static pair_list pairs(struct bench *b, const struct pair *v, uint32_t nr)
{
	pair_list l = { arena_copy(b->a, v, nr * sizeof(*v)), nr, true };

	for (uint32_t k = 1; k < nr; k++)
		for (uint32_t i = k; i > 0 && strcmp(l.v[i - 1].key, l.v[i].key) > 0; i--) {
			struct pair t = l.v[i];

			l.v[i] = l.v[i - 1];
			l.v[i - 1] = t;
		}
	return l;
}

static void space(struct bench *b, uint32_t n)
{
	struct object *o = object_new(b->c, &namespace_kind, NULL, text(b, "ns-%u", n));

	o->labels = pairs(b, (struct pair[]){ { cluster_str(b->c, "kubernetes.io/metadata.name"), o->name }, { cluster_str(b->c, "team"), text(b, "team-%u", n % 50) },
					      { cluster_str(b->c, "env"), text(b, "env-%u", n % 3) } }, 3);
	cluster_add(b->c, o);
}

static void make_specs(struct bench *b)
{
	static const struct { const char *name; uint16_t port; } ports[6][3] = {
		{ { "http", 8080 }, { "metrics", 9090 } }, { { "https", 8443 }, { "metrics", 9090 } }, { { "pg", 5432 }, { "metrics", 9187 } }, { { "redis", 6379 }, { "metrics", 9121 } },
		{ { "http", 80 }, { "https", 443 }, { "metrics", 9090 } }, { { NULL, 0 } },
	};

	for (int k = 0; k < 6; k++) {
		struct container *c = arena_make(b->a, struct container);

		b->specs[k] = arena_make(b->a, struct pod_spec);
		b->specs[k]->containers.v = c;
		b->specs[k]->containers.nr = 1;
		c->ports.v = arena_array(b->a, struct container_port, 3);
		for (int i = 0; i < 3 && ports[k][i].name; i++)
			c->ports.v[c->ports.nr++] = (struct container_port){ .name = cluster_str(b->c, ports[k][i].name), .port = ports[k][i].port, .protocol = L4_TCP };
	}
}

static struct pod *pod(struct bench *b, uint32_t ns, pair_list labels, const struct pod_spec *spec)
{
	struct pod *p = (struct pod *)object_new(b->c, &pod_kind, text(b, "ns-%u", ns), text(b, "p-%06u", b->pods));
	uint32_t node = b->pods % 1000;

	p->spec = spec;
	p->phase = POD_RUNNING;
	p->o.labels = labels;
	p->ip = ip_from4(0x0af40000u + node * 256 + b->pods / 1000 % 250 + 2 + (b->pods / 250000 << 18));
	cluster_add(b->c, &p->o);
	b->pods++;
	return p;
}

/* ---- policies, put together by hand */

static struct selector *is(struct bench *b, const char *key, str value)
{
	struct selector *s = arena_make(b->a, struct selector);

	if (key)
		s->labels = pairs(b, &(struct pair){ cluster_str(b->c, key), value }, 1);
	return s;
}

static struct network_policy *policy(struct bench *b, uint32_t ns, const struct selector *pods, bool in, bool out)
{
	struct network_policy *p = (struct network_policy *)object_new(b->c, &network_policy_kind, text(b, "ns-%u", ns), text(b, "np-%05u", b->policies++));
	str types[2];
	uint32_t nr = 0;

	p->pods = *pods;
	if (in)
		types[nr++] = cluster_str(b->c, "Ingress");
	if (out)
		types[nr++] = cluster_str(b->c, "Egress");
	p->types.v = arena_copy(b->a, types, sizeof(types));
	p->types.nr = nr;
	return p;
}

static struct np_rule *rule(struct bench *b, struct network_policy *p, bool out)
{
	struct np_rule *r;

	if (out ? !p->egress.v : !p->ingress.v) {
		if (out)
			p->egress.v = arena_array(b->a, struct np_rule, 2);
		else
			p->ingress.v = arena_array(b->a, struct np_rule, 2);
	}
	r = out ? &p->egress.v[p->egress.nr++] : &p->ingress.v[p->ingress.nr++];
	r->peers.v = arena_array(b->a, struct np_peer, 2);
	r->ports.v = arena_array(b->a, struct np_port, 2);
	return r;
}

static void peer(struct np_rule *r, struct selector *ns, struct selector *pods)
{
	r->peers.v[r->peers.nr++] = (struct np_peer){ .namespaces = ns, .pods = pods };
}

static void block(struct bench *b, struct np_rule *r, const char *cidr, const char *except)
{
	struct ip_block *i = arena_make(b->a, struct ip_block);

	i->cidr = cluster_str(b->c, cidr);
	if (except) {
		i->except.v = arena_make(b->a, str);
		i->except.v[i->except.nr++] = cluster_str(b->c, except);
	}
	r->peers.v[r->peers.nr++] = (struct np_peer){ .block = i };
}

static void port(struct bench *b, struct np_rule *r, uint8_t l4, int32_t lo, int32_t hi, const char *name)
{
	struct np_port *p = &r->ports.v[r->ports.nr++];

	p->protocol = l4;
	p->port = (struct int_or_str){ name ? cluster_str(b->c, name) : NULL, lo, true };
	p->end = (struct opt_int){ hi, hi > lo };
}

/* As clusters are: 10 to 40 applications in a namespace, a tenth of them StatefulSets, default deny, DNS, monitoring, named ports, blocks, expressions. */
static void fill_usual(struct bench *b, uint32_t spaces, uint32_t pods, uint32_t per_space)
{
	static const uint16_t ports[] = { 80, 443, 8080, 8443, 5432, 6379, 9090, 3000, 5000, 27017, 9200, 4222 };
	uint32_t hash = 0;

	for (uint32_t n = 0; n < spaces; n++)
		space(b, n);
	for (uint32_t n = 0; n < spaces; n++) {
		uint32_t apps = 10 + below(b, 31), made = 0;
		struct { str app, tier, version, hash; const struct pod_spec *spec; bool stateful; } app[41];
		bool closed = below(b, 100) < 60;

		for (uint32_t k = 0; k < apps; k++) {
			app[k].app = text(b, "app-%u", (k * 7 + n * 3) % 200 + k * 200);
			app[k].tier = text(b, "tier-%u", below(b, 5));
			app[k].version = text(b, "v%u", below(b, 3));
			app[k].hash = text(b, "h%u", hash++);
			app[k].spec = b->specs[below(b, 6)];
			app[k].stateful = below(b, 10) == 0;
		}
		app[0].app = n == 1 ? cluster_str(b->c, "prometheus") : app[0].app;
		for (uint32_t k = 0; k < pods / spaces; k++) {
			uint32_t i = k < apps ? k : below(b, apps), nr = 4;
			struct pair v[6] = { { cluster_str(b->c, "app"), app[i].app }, { cluster_str(b->c, "tier"), app[i].tier }, { cluster_str(b->c, "version"), app[i].version },
					     { cluster_str(b->c, "pod-template-hash"), app[i].hash } };

			if (n == 0 && i == 0)
				v[nr++] = (struct pair){ cluster_str(b->c, "k8s-app"), cluster_str(b->c, "kube-dns") };
			if (app[i].stateful)
				v[nr++] = (struct pair){ cluster_str(b->c, "statefulset.kubernetes.io/pod-name"), text(b, "p-%u", b->pods) };
			pod(b, n, pairs(b, v, nr), app[i].spec);
		}
		while (made < per_space) {
			uint32_t x = below(b, apps), y = below(b, apps), t = below(b, 100), which = ports[below(b, 12)];
			struct network_policy *p;
			struct np_rule *r;

			if (made == 0) {
				p = policy(b, n, is(b, NULL, NULL), true, closed);
			} else if (made == 1 && closed) {
				p = policy(b, n, is(b, NULL, NULL), false, true);
				r = rule(b, p, true);
				peer(r, is(b, "kubernetes.io/metadata.name", text(b, "ns-%u", 0)), is(b, "k8s-app", cluster_str(b->c, "kube-dns")));
				port(b, r, L4_UDP, 53, 0, NULL);
				port(b, r, L4_TCP, 53, 0, NULL);
			} else if (made <= 2) {
				p = policy(b, n, is(b, NULL, NULL), true, false);
				r = rule(b, p, false);
				peer(r, is(b, "kubernetes.io/metadata.name", text(b, "ns-%u", 1)), is(b, "app", cluster_str(b->c, "prometheus")));
				port(b, r, L4_TCP, 0, 0, "metrics");
				made = 2;
			} else if (t < 55) {
				p = policy(b, n, is(b, "app", app[x].app), true, false);
				r = rule(b, p, false);
				peer(r, NULL, is(b, "app", app[y].app));
				if (below(b, 4) == 0)
					peer(r, NULL, is(b, "tier", text(b, "tier-%u", below(b, 5))));
				if (below(b, 5))
					port(b, r, L4_TCP, (int32_t)which, 0, NULL);
				else if (below(b, 2))
					port(b, r, L4_TCP, 8000, 8999, NULL);
				else
					port(b, r, L4_TCP, 0, 0, "http");
			} else if (t < 70) {
				struct selector *s = is(b, NULL, NULL), *q = is(b, NULL, NULL);

				s->exprs.v = arena_make(b->a, struct requirement);
				s->exprs.nr = 1;
				s->exprs.v[0] = (struct requirement){ .key = cluster_str(b->c, "tier"), .op = 1 + SEL_IN };
				s->exprs.v[0].values.v = arena_array(b->a, str, 2);
				s->exprs.v[0].values.v[s->exprs.v[0].values.nr++] = text(b, "tier-%u", below(b, 5));
				s->exprs.v[0].values.v[s->exprs.v[0].values.nr++] = text(b, "tier-%u", below(b, 5));
				q->exprs.v = arena_make(b->a, struct requirement);
				q->exprs.nr = 1;
				q->exprs.v[0] = (struct requirement){ .key = cluster_str(b->c, "version"), .op = 1 + SEL_NOT_IN };
				q->exprs.v[0].values.v = arena_array(b->a, str, 1);
				q->exprs.v[0].values.v[q->exprs.v[0].values.nr++] = text(b, "v%u", below(b, 3));
				p = policy(b, n, s, true, false);
				r = rule(b, p, false);
				peer(r, NULL, q);
				port(b, r, L4_TCP, 8080, 0, NULL);
			} else if (t < 85) {
				p = policy(b, n, is(b, "app", app[x].app), true, false);
				r = rule(b, p, false);
				peer(r, is(b, "team", text(b, "team-%u", below(b, 50))), is(b, "tier", text(b, "tier-%u", below(b, 5))));
				port(b, r, L4_TCP, 443, 0, NULL);
				port(b, r, L4_TCP, 8443, 0, NULL);
			} else if (t < 93) {
				char except[32];

				p = policy(b, n, is(b, "app", app[x].app), true, true);
				r = rule(b, p, false);
				snprintf(except, sizeof(except), "10.244.%u.0/24", below(b, 20));
				block(b, r, below(b, 2) ? "10.0.0.0/8" : "192.168.0.0/16", NULL);
				r = rule(b, p, true);
				block(b, r, "0.0.0.0/0", except);
				port(b, r, L4_TCP, 443, 0, NULL);
			} else {
				struct selector *s = is(b, NULL, NULL);

				s->exprs.v = arena_make(b->a, struct requirement);
				s->exprs.nr = 1;
				s->exprs.v[0] = (struct requirement){ .key = cluster_str(b->c, "statefulset.kubernetes.io/pod-name"), .op = 1 + SEL_EXISTS };
				p = policy(b, n, s, true, false);
				r = rule(b, p, false);
				peer(r, is(b, "env", text(b, "env-%u", n % 3)), NULL);
				port(b, r, L4_TCP, 5432, 0, NULL);
			}
			cluster_add(b->c, &p->o);
			made++;
		}
	}
}

/* Antrea's: namespaces of four Pods of two applications; a default deny, and each application reaches itself. */
static void fill_antrea(struct bench *b, uint32_t spaces, uint32_t unused, uint32_t none)
{
	(void)unused;
	(void)none;
	for (uint32_t n = 0; n < spaces; n++)
		space(b, n);
	for (uint32_t n = 0; n < spaces; n++) {
		for (uint32_t k = 0; k < 4; k++)
			pod(b, n, pairs(b, &(struct pair){ text(b, "app-%u", k / 2 + 1), text(b, "scale-%u", k / 2 + 1) }, 1), b->specs[5]);
		cluster_add(b->c, &policy(b, n, is(b, NULL, NULL), true, true)->o);
		for (uint32_t k = 1; k <= 2; k++) {
			char key[16];
			struct network_policy *p;

			snprintf(key, sizeof(key), "app-%u", k);
			p = policy(b, n, is(b, key, text(b, "scale-%u", k)), true, true);
			peer(rule(b, p, false), NULL, is(b, key, text(b, "scale-%u", k)));
			peer(rule(b, p, true), NULL, is(b, key, text(b, "scale-%u", k)));
			cluster_add(b->c, &p->o);
		}
	}
}

static struct selector *random_selector(struct bench *b)
{
	struct selector *s = arena_make(b->a, struct selector);
	uint32_t nr = 1 + (below(b, 3) != 0);

	s->exprs.v = arena_array(b->a, struct requirement, nr);
	for (; s->exprs.nr < nr; s->exprs.nr++) {
		struct requirement *q = &s->exprs.v[s->exprs.nr];
		uint32_t key = below(b, 20), values = 1 + below(b, 3);

		q->key = text(b, "k%u", key);
		q->op = (uint8_t)(1 + (below(b, 25) == 0 ? SEL_EXISTS : below(b, 10) == 0 ? SEL_NOT_IN : SEL_IN));
		q->values.v = arena_array(b->a, str, values);
		for (uint32_t k = 0; k < values && q->op <= 1 + SEL_NOT_IN; k++)
			q->values.v[q->values.nr++] = text(b, "v%u", below(b, 10));
	}
	return s;
}

/* Five namespaces, 20,000 sets of labels, policies that choose at random among all of them. */
static void fill_adversarial(struct bench *b, uint32_t spaces, uint32_t sets, uint32_t policies)
{
	static const uint16_t ports[] = { 80, 443, 8080, 8443, 5432, 6379, 9090, 3000 };

	for (uint32_t n = 0; n < spaces; n++)
		space(b, n);
	for (uint32_t k = 0; k < sets; k++) {
		struct pair v[20];
		uint32_t nr = 0, n = below(b, spaces);
		pair_list l;

		for (uint32_t i = 0; i < 20; i++)
			if (below(b, 10) < 3)
				v[nr++] = (struct pair){ text(b, "k%u", i), text(b, "v%u", below(b, 10)) };
		l = pairs(b, v, nr);
		for (uint32_t i = 0; i < 100000 / sets; i++)
			pod(b, n, l, b->specs[k % 6]);
	}
	for (uint32_t k = 0; k < policies; k++) {
		bool in = below(b, 4) != 0, out = !in || below(b, 3) == 0;
		struct network_policy *p = policy(b, below(b, spaces), random_selector(b), in, out);

		for (int d = 0; d < 2; d++)
			for (uint32_t i = (d ? out : in) ? 1 + below(b, 2) : 0; i > 0; i--) {
				struct np_rule *r = rule(b, p, d);
				uint32_t t = below(b, 3), z = below(b, 4);

				peer(r, t == 0 ? NULL : t == 1 ? is(b, NULL, NULL) : is(b, "env", text(b, "env-%u", below(b, 3))), random_selector(b));
				if (z == 0)
					port(b, r, L4_TCP, 0, 0, below(b, 2) ? "http" : "metrics");
				else if (z < 3)
					port(b, r, L4_TCP, ports[below(b, 8)], 0, NULL);
			}
		cluster_add(b->c, &p->o);
	}
}

/* ---- measuring */

static struct object *document(struct bench *b, const char *fmt, ...) PRINTF(2, 3);
static struct object *document(struct bench *b, const char *fmt, ...)
{
	struct apply_options opt = { .unknown = VALIDATE_STRICT, .validate = true };
	struct object *made = NULL;
	struct err err = { 0 };
	char json[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(json, sizeof(json), fmt, ap);
	va_end(ap);
	if (apply_doc(b->c, &(struct doc){ "bench", (struct val *)(uintptr_t)json_parse(b->a, "bench", json, strlen(json), NULL, &err) }, &opt, &made, &err) == APPLY_ERROR)
		err_print(&err, stderr);
	err_free(&err);
	return made;
}

#define GLOBAL "{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"GlobalNetworkPolicy\",\"metadata\":{\"name\":\"global-%u\"},\"spec\":"

/* The usual cluster, and: cluster-wide rules before and behind everything (monitoring passes, environments are kept apart, a closed port), a tier of the platform's, and
 * for every tenth (or so) namespace a policy of Calico's own by its team. */
static void fill_tiers_of(struct bench *b, uint32_t spaces, uint32_t pods, uint32_t per_space, uint32_t every)
{
	fill_usual(b, spaces, pods, per_space);
	document(b, "{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"Tier\",\"metadata\":{\"name\":\"platform\"},\"spec\":{\"order\":100,\"defaultAction\":\"Pass\"}}");
	for (uint32_t k = 0; k < 3; k++)
		document(b, "{\"apiVersion\":\"policy.networking.k8s.io/v1alpha2\",\"kind\":\"ClusterNetworkPolicy\",\"metadata\":{\"name\":\"apart-%u\"},\"spec\":{\"tier\":\"Admin\",\"priority\":%u,"
			 "\"subject\":{\"namespaces\":{\"matchLabels\":{\"env\":\"env-%u\"}}},\"ingress\":[{\"action\":\"Accept\",\"from\":[{\"pods\":{\"podSelector\":{\"matchLabels\":{\"app\":\"prometheus\"}}}}]},"
			 "{\"action\":\"Deny\",\"from\":[{\"namespaces\":{\"matchLabels\":{\"env\":\"env-%u\"}}}]}]}}", k, 10 + k, k, (k + 1) % 3);
	for (uint32_t k = 0; k < 10; k++)
		document(b, GLOBAL "{\"tier\":\"platform\",\"order\":%u,\"selector\":\"tier == 'tier-%u'\",\"types\":[\"Ingress\",\"Egress\"],\"ingress\":[{\"action\":\"Deny\",\"protocol\":\"TCP\","
			 "\"source\":{\"selector\":\"version == 'v%u' && tier != 'tier-%u'\"},\"destination\":{\"ports\":[%u,\"8000:8080\"]}}],\"egress\":[{\"action\":\"Allow\",\"destination\":{\"selector\":\"app == 'prometheus'\"}}]}}",
			 k, k, k % 5, k % 3, (k + 1) % 5, 9000 + k);
	for (uint32_t n = 0; n < spaces; n += every)
		document(b, "{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"NetworkPolicy\",\"metadata\":{\"name\":\"team\",\"namespace\":\"%s\"},\"spec\":{\"order\":%u,\"selector\":\"tier in {'tier-0', 'tier-1'}\","
			 "\"ingress\":[{\"action\":\"Allow\",\"source\":{\"selector\":\"tier == 'tier-2'\"}},{\"action\":\"Pass\",\"source\":{\"namespaceSelector\":\"env == 'env-1'\"}},{\"action\":\"Deny\",\"source\":{\"nets\":[\"10.0.0.0/9\"]}}]}}",
			 text(b, "ns-%u", n), 100 + n % 7);
}

static void fill_tiers(struct bench *b, uint32_t spaces, uint32_t pods, uint32_t per_space)
{
	fill_tiers_of(b, spaces, pods, per_space, 10);
}

static void fill_many_tiers(struct bench *b, uint32_t spaces, uint32_t pods, uint32_t per_space)
{
	fill_tiers_of(b, spaces, pods, per_space, 1);
}

static int order(const void *a, const void *b)
{
	return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

static void report(const char *what, double *v, uint32_t nr)
{
	qsort(v, nr, sizeof(*v), order);
	printf("  %-34s median %.4f ms   worst %.3f ms   (%u)\n", what, v[nr / 2], v[nr - 1], nr);
}

static uint64_t counted(struct reach *r, double *ms)
{
	double start = now_ms();
	uint64_t n = reach_count(r, PROTO_TCP, 8080);

	*ms = now_ms() - start;
	return n;
}

enum { CHANGES = 400 };

static void measure_changes(struct bench *b, struct reach *r, uint32_t spaces)
{
	static double t[4][CHANGES];
	struct object_list np = cluster_list(b->c, &network_policy_kind), pods = cluster_list(b->c, &pod_kind);
	struct network_policy **all = arena_copy(b->a, np.v, np.nr * sizeof(*np.v));
	struct pod **every = arena_copy(b->a, pods.v, pods.nr * sizeof(*pods.v));
	uint32_t nr_np = np.nr, nr_pods = pods.nr;
	struct reach *fresh;
	double unused;

	for (uint32_t k = 0; k < CHANGES; k++) {
		struct network_policy *p = all[below(b, nr_np)], *like = all[below(b, nr_np)];
		struct pod *x = every[below(b, nr_pods)], *y = every[below(b, nr_pods)];

		if (p->ingress.nr && like->ingress.nr) {
			p->ingress.v[0] = like->ingress.v[0];
			cluster_touch(b->c, &p->o);
		}
		counted(r, &t[0][k]);
		p = policy(b, below(b, spaces), is(b, NULL, NULL), true, true);
		cluster_add(b->c, &p->o);
		counted(r, &t[1][k]);
		cluster_remove(b->c, &p->o);
		counted(r, &unused);
		cluster_relabel(b->c, &x->o, y->o.labels);
		counted(r, &t[2][k]);
		pod(b, below(b, spaces), y->o.labels, y->spec);
		counted(r, &t[3][k]);
	}
	report("a policy gets another rule", t[0], CHANGES);
	report("a default deny more", t[1], CHANGES);
	report("a Pod gets other labels", t[2], CHANGES);
	report("a Pod more", t[3], CHANGES);
	fresh = reach_new(b->c, NULL, 0);
	printf("  kept through %d changes and counted afresh: %s\n", CHANGES * 5, counted(r, &unused) == counted(fresh, &unused) ? "equal" : "DIFFERENT");
	reach_free(fresh);
}

static bool measure(const char *name, void (*fill)(struct bench *, uint32_t, uint32_t, uint32_t), uint32_t spaces, uint32_t pods, uint32_t policies, bool changes)
{
	struct bench b = { .state = 42 };
	struct reach_sum s;
	struct reach *r;
	double start, made, count, before, after;

	b.c = cluster_new(NULL, 1);
	b.a = cluster_arena(b.c);
	make_specs(&b);
	fill(&b, spaces, pods, policies);
	cluster_list(b.c, &namespace_kind);     /* a loaded cluster has its lists in order */
	cluster_list(b.c, &pod_kind);
	cluster_list(b.c, &network_policy_kind);
	malloc_trim(0);
	before = resident();
	start = now_ms();
	r = reach_new(b.c, NULL, 0);
	made = now_ms() - start;
	counted(r, &count);
	after = resident();
	s = reach_sum(r, PROTO_TCP, 8080);
	printf("%s: %u Pods, %u policies, %u namespaces: %u shapes, %u classes, %u sets; %.1f %% of pairs allowed\n", name, s.pods, s.policies, spaces, s.shapes, s.classes, s.sets,
	       100.0 * (double)s.allowed / (double)s.pairs);
	printf("  all pairs from scratch %.1f ms (%.1f + %.1f)   %.1f MiB\n", made + count, made, count, after - before);
	if (changes)
		measure_changes(&b, r, spaces);
	reach_free(r);
	cluster_free(b.c);
	return s.pods > 0;
}

static bool wanted(int argc, char **argv, const char *kind)
{
	bool any = argc < 2;

	for (int k = 1; k < argc; k++)
		any = any || strcmp(argv[k], kind) == 0;
	return any;
}

int main(int argc, char **argv)
{
	if (wanted(argc, argv, "10k"))
		measure("usual", fill_usual, 100, 10000, 10, false);
	if (wanted(argc, argv, "30k"))
		measure("usual", fill_usual, 300, 30000, 10, false);
	if (wanted(argc, argv, "100k"))
		measure("usual", fill_usual, 1000, 100000, 10, true);
	if (wanted(argc, argv, "300k"))
		measure("usual", fill_usual, 3000, 300000, 10, false);
	if (wanted(argc, argv, "b"))
		measure("Antrea's", fill_antrea, 25000, 0, 0, true);
	if (wanted(argc, argv, "t10k"))
		measure("in tiers", fill_tiers, 100, 10000, 10, false);
	if (wanted(argc, argv, "t100k"))
		measure("in tiers", fill_tiers, 1000, 100000, 10, true);
	if (wanted(argc, argv, "t1000"))
		measure("in tiers", fill_many_tiers, 1000, 100000, 10, true);
	if (wanted(argc, argv, "c1"))
		measure("adversarial", fill_adversarial, 5, 20000, 1000, true);
	if (wanted(argc, argv, "c"))
		measure("adversarial", fill_adversarial, 5, 20000, 10000, false);
	return 0;
}
