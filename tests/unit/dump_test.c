/* Dumps of living clusters: each form in a small text of our own, and what objects it gives. */
#include <stdlib.h>

#include "model/cluster/dump.h"
#include "sim/engine/import.h"
#include "tests/unit/test.h"

static bool note(void *ctx, const struct doc *d, struct err *err)
{
	struct sb *out = ctx;

	(void)err;
	sb_printf(out, "%s/%s/%s ", val_str(val_get(d->root, "apiVersion")), val_str(val_get(d->root, "kind")), val_str_at(d->root, "metadata.name"));
	return true;
}

struct seen { struct dump_report report; struct err err; struct sb out; bool ok; };

static struct seen read_as(const char *file, const char *text, size_t n)
{
	struct seen s = { 0 };
	char *copy = malloc(n + 1);

	memcpy(copy, text, n);
	copy[n] = '\0';
	s.ok = dump_read_text(file, copy, n, note, &s.out, &s.report, &s.err);
	free(copy);
	return s;
}

static void done(struct seen *s)
{
	sb_free(&s->out);
	err_free(&s->err);
}

#define POD "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\"}}"

TEST(dump_forms)
{
	static const struct { const char *file, *text, *want; uint32_t warnings; } row[] = {
		{ "d", "{\n\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"items\":[{\"metadata\":{\"name\":\"a\"}},{\"metadata\":{\"name\":\"b\"}}]}\n{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":[" POD "]}",
		  "v1/Pod/a v1/Pod/b v1/Pod/a ", 0 },
		{ "d", POD "\n==== START logs for container c of pod ns/p ====\n{\"kind\":\"Pod\",\"level\":1}\n{ not json\n==== END logs for container c of pod ns/p ====\n" POD "\n", "v1/Pod/a v1/Pod/a ", 0 },
		{ "d", POD "\n==== START logs for container c of pod ns/p ====\nno end", "v1/Pod/a ", 0 },
		{ "d", "[" POD "," POD "]", "v1/Pod/a v1/Pod/a ", 0 },
		{ "bundle/cluster-resources/services/default.json", "[{\"metadata\":{\"name\":\"s\"}}]", "v1/Service/s ", 0 },
		{ "kubectl_get_-o_json_--namespace_default_pods", "{\"items\":[{\"metadata\":{\"name\":\"s\"}}]}", "v1/Pod/s ", 0 },
		{ "d", "apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\nkind: List\n---\napiVersion: v1\nkind: Node\nmetadata:\n  name: n1\n", "v1/Pod/a v1/Node/n1 ", 0 },
		{ "d", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nstatus:\n  podIP: ***HIDDEN***\n", "v1/Pod/a ", 0 },
		{ "d", POD "\nError from server (Forbidden)\n" POD "\n", "v1/Pod/a v1/Pod/a ", 1 },
		{ "d", "\xef\xbb\xbf" POD, "v1/Pod/a ", 0 },
		{ "d", "Name:  a\nNamespace: b\n", "", 0 },
		{ "d", "{\"kind\":\"Deployment\",\"apiVersion\":\"extensions/v1beta1\",\"metadata\":{\"name\":\"a\"}}", "apps/v1/Deployment/a ", 0 },
		{ "kubectl_get_-o_json_nodes", "[{\"metadata\":{\"name\":\"a\"}}]", "v1/Node/a ", 0 }, { "a_b_", "[{\"metadata\":{\"name\":\"a\"}}]", "", 0 },
		{ "d", "{\"kind\":\"Ingress\",\"apiVersion\":\"extensions/v1beta1\",\"metadata\":{\"name\":\"i\"},\"spec\":{\"backend\":1,\"rules\":[\"x\",{\"http\":{\"paths\":[\"y\",{\"backend\":\"z\"}]}}]}}", "networking.k8s.io/v1/Ingress/i ", 0 },
		{ "d", "{\"kind\":\"EndpointSlice\",\"apiVersion\":\"discovery.k8s.io/v1beta1\",\"metadata\":{\"name\":\"i\"},\"endpoints\":\"x\"}", "discovery.k8s.io/v1/EndpointSlice/i ", 0 },
		{ "d", "{\"analysis\":true}", "", 0 },
	};

	for (size_t k = 0; k < ARRAY_LEN(row); k++) {
		struct seen s = read_as(row[k].file, row[k].text, strlen(row[k].text));

		CU_ASSERT(s.ok);
		SAME_TEXT(sb_text(&s.out), row[k].want);
		CU_ASSERT_EQUAL(s.err.nr, row[k].warnings);
		CU_ASSERT(!err_any(&s.err));
		if (s.err.nr != row[k].warnings)
			err_print(&s.err, stderr);
		done(&s);
	}
}

TEST(dump_utf16)
{
	static const char text[] = "{\r\n" "\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\"}}\r\n";
	char wide[2 * sizeof(text)];
	struct seen s;

	wide[0] = (char)0xff;
	wide[1] = (char)0xfe;
	for (size_t k = 0; k < sizeof(text) - 1; k++) {
		wide[2 + 2 * k] = text[k];
		wide[3 + 2 * k] = 0;
	}
	s = read_as("d", wide, 2 * sizeof(text));
	SAME_TEXT(sb_text(&s.out), "v1/Pod/a ");
	done(&s);
}

static bool keep(void *ctx, const struct doc *d, struct err *err)
{
	(void)err;
	val_print_json(d->root, ctx, 0, true);
	return true;
}

TEST(dump_go_structs)
{
	static const char text[] =
		"{\"selfLink\":\"/api/v1/namespaces/x/pods\",\"Items\":[{\"name\":\"p\",\"namespace\":\"x\",\"labels\":{\"App\":\"A\"},\"Spec\":{\"NodeName\":\"n1\",\"SecurityContext\":{\"HostNetwork\":true},"
		"\"Containers\":[{\"Name\":\"c\",\"Ports\":[{\"Name\":\"\",\"HostPort\":0,\"ContainerPort\":80}],\"LivenessProbe\":{\"HTTPGet\":{\"Path\":\"/\",\"Port\":80},\"TCPSocket\":null}}],"
		"\"DNSPolicy\":\"ClusterFirst\",\"NodeSelector\":{\"Zone\":\"Z\"}},\"Status\":{\"PodIP\":\"10.0.0.1\",\"HostIP\":\"10.9.0.1\"}}]}";
	struct dump_report report = { 0 };
	struct err err = { 0 };
	struct sb out = { 0 };
	char *copy = strdup(text);

	CU_ASSERT(dump_read_text("d", copy, strlen(copy), keep, &out, &report, &err));
	SAME_TEXT(sb_text(&out),
		  "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"labels\":{\"App\":\"A\"},\"name\":\"p\",\"namespace\":\"x\"},\"spec\":{\"containers\":[{\"livenessProbe\":{\"httpGet\":{\"path\":\"/\",\"port\":80}},"
		  "\"name\":\"c\",\"ports\":[{\"containerPort\":80}]}],\"dnsPolicy\":\"ClusterFirst\",\"hostNetwork\":true,\"nodeName\":\"n1\",\"nodeSelector\":{\"Zone\":\"Z\"},"
		  "\"securityContext\":{\"hostNetwork\":true}},\"status\":{\"hostIP\":\"10.9.0.1\",\"podIP\":\"10.0.0.1\"}}");
	CU_ASSERT_EQUAL(report.go_structs, 1);
	free(copy);
	err_free(&err);
	sb_free(&out);
}

TEST(dump_old_ingress_and_redaction)
{
	static const char text[] = "{\"kind\":\"Ingress\",\"apiVersion\":\"extensions/v1beta1\",\"metadata\":{\"name\":\"i\"},\"spec\":{\"rules\":[{\"http\":{\"paths\":[{\"backend\":{\"serviceName\":\"s\",\"servicePort\":80}}]}}]},"
				   "\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"***HIDDEN***\"}]}}}";
	struct dump_report report = { 0 };
	struct err err = { 0 };
	struct sb out = { 0 };
	char *copy = strdup(text);

	CU_ASSERT(dump_read_text("d", copy, strlen(copy), keep, &out, &report, &err));
	SAME_TEXT(sb_text(&out), "{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"Ingress\",\"metadata\":{\"name\":\"i\"},\"spec\":{\"rules\":[{\"http\":{\"paths\":[{\"backend\":{\"service\":{\"name\":\"s\","
				 "\"port\":{\"number\":80}}},\"pathType\":\"ImplementationSpecific\"}]}}]},\"status\":{\"loadBalancer\":{\"ingress\":[{}]}}}");
	CU_ASSERT_EQUAL(report.redacted, 1);
	free(copy);
	err_free(&err);
	sb_free(&out);
}
