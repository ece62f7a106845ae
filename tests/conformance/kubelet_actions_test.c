/* What the kubelet does next: units/13. */
#include "model/control/kubelet_actions.h"
#include "tests/conformance/units.h"

struct built { struct pod_spec spec; struct run runs[MAX_CONTAINERS]; struct pod_runs there; };

static void containers(struct arena *a, const struct val *list, container_list *out)
{
	out->v = arena_array(a, struct container, list ? list->nr : 0);
	VAL_EACH(c, list) {
		struct container *to = &out->v[out->nr++];

		to->name = val_str_at(c, "name");
		to->restart_policy = val_str_at(c, "restartPolicy");
		to->liveness = val_get(c, "livenessProbe") ? arena_make(a, struct probe) : NULL;
		to->startup = val_get(c, "startupProbe") ? arena_make(a, struct probe) : NULL;
	}
}

static const struct container *nth(const struct pod_spec *s, uint32_t k)
{
	return k < s->init_containers.nr ? &s->init_containers.v[k] : &s->containers.v[k - s->init_containers.nr];
}

static uint8_t result(const struct val *probes, const char *container, const char *probe)
{
	const char *r = val_str(val_get(val_get(probes, container), probe));

	return !r ? PROBED_NONE : streq(r, "Success") ? PROBED_SUCCESS : streq(r, "Failure") ? PROBED_FAILURE : PROBED_UNKNOWN;
}

static void build(struct arena *a, const struct val *c, struct built *b)
{
	const struct val *spec = val_path(c, "given.objects.0.spec"), *rt = val_path(c, "given.runtime");
	const char *sandbox = val_str_at(rt, "sandbox.state");

	*b = (struct built){ .spec = { .restart_policy = val_str_at(spec, "restartPolicy") } };
	containers(a, val_get(spec, "initContainers"), &b->spec.init_containers);
	containers(a, val_get(spec, "containers"), &b->spec.containers);
	b->there = (struct pod_runs){ .sandbox = !sandbox ? SANDBOX_NONE : strncmp(sandbox, "ready", 5) == 0 ? SANDBOX_READY : SANDBOX_DEAD,
				      .no_ip = sandbox && strstr(sandbox, "no IP"), .attempt = (uint32_t)val_int_or(val_path(rt, "sandbox.attempt"), 0), .runs = b->runs };
	for (uint32_t k = 0; k < b->spec.init_containers.nr + b->spec.containers.nr; k++) {
		const char *name = nth(&b->spec, k)->name;

		VAL_EACH(r, val_get(rt, "containers"))
			if (streq(val_str_at(r, "name"), name)) {
				const char *state = val_str_at(r, "state");

				b->runs[k].state = streq(state, "Running") ? RUN_RUNNING : RUN_EXITED;
				b->runs[k].exit = strncmp(state, "Exited ", 7) == 0 ? atoi(state + 7) : 0;
			}
		b->runs[k].liveness = result(val_path(c, "given.probes"), name, "liveness");
		b->runs[k].startup = result(val_path(c, "given.probes"), name, "startup");
	}
}

static void same_names(const struct val *c, const struct built *b, uint64_t bits, uint32_t from, uint32_t to, const char *want)
{
	struct sb have = { 0 }, expect = { 0 };

	for (uint32_t k = from; k < to; k++)
		if (bits >> k & 1)
			sb_printf(&have, "%s ", nth(&b->spec, k)->name);
	VAL_EACH(n, val_path(c, want))
		sb_printf(&expect, "%s ", n->s);
	if (!test_same_text(__FILE__, __LINE__, sb_text(&have), sb_text(&expect))) {
		fprintf(stderr, "%s %s\n", val_str_at(c, "id"), want);
		CU_FAIL("names");
	}
	sb_free(&have);
	sb_free(&expect);
}

TEST(the_kubelet_does_next_what_upstream_says)
{
	struct arena *a = arena_new(NULL, "test");
	uint32_t nr = 0;

	VAL_EACH(c, unit_cases(a, "13-pod-lifecycle")) {
		struct built b;
		struct pod_actions got;
		uint32_t nr_init;

		if (!val_path(c, "given.runtime"))
			continue;
		build(a, c, &b);
		got = pod_actions(&b.spec, &b.there);
		nr_init = b.spec.init_containers.nr;
		CASE_ASSERT(c, got.kill_pod == val_bool_or(val_path(c, "expect.killPod"), false));
		CASE_ASSERT(c, got.create_sandbox == val_bool_or(val_path(c, "expect.createSandbox"), false));
		CASE_ASSERT(c, got.attempt == (uint32_t)val_int_or(val_path(c, "expect.attempt"), got.attempt));
		same_names(c, &b, got.start, 0, nr_init, "expect.startInit");
		same_names(c, &b, got.start, nr_init, MAX_CONTAINERS, "expect.start");
		same_names(c, &b, got.kill, 0, MAX_CONTAINERS, "expect.kill");
		nr++;
	}
	CU_ASSERT(nr >= 22);
	arena_free(a);
}
