/* What a VirtualService's route does with its requests: CORS, faults, mirrors, redirects, direct answers, rewrites, retries. What Istio refuses of it.
 * Source: istio pkg/config/validation/{validation,virtualservice}.go. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/api/check_mesh.h"

/* ---- CORS */

static void origin_rules(struct check *c, const struct val *self, const struct path *p)
{
	mesh_match(c, self, p);
	if (!mesh_text(self, "exact") && !mesh_text(self, "prefix") && !mesh_text(self, "regex"))
		refuse_omitted(c, p, "'' is not a valid match type for CORS allow origins");
}

static void cors_rules(struct check *c, const struct val *self, const struct path *p)
{
	static const char *const lists[] = { "allowHeaders", "exposeHeaders" };
	const char *age = mesh_text(self, "maxAge"), *dot = age ? strchr(age, '.') : NULL;
	uint32_t k = 0;

	VAL_EACH(m, val_get(self, "allowMethods")) {
		const struct path *at = ITEM(SUB(p, "allowMethods"), k++);

		if (val_str(m) && !one_of(val_str(m), FORM_WORDS("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*")))
			refuse_str(c, at, val_str(m), "\"%s\" is not a supported HTTP method", val_str(m));
	}
	for (size_t i = 0; i < 2; i++) {
		k = 0;
		VAL_EACH(h, val_get(self, lists[i])) {
			const struct path *at = ITEM(SUB(p, lists[i]), k++);

			if (val_str(h) && !mesh_is_header(val_str(h)))
				refuse_str(c, at, val_str(h), *val_str(h) ? "header name %s is not a valid header name" : "header name cannot be empty%s", val_str(h));
		}
	}
	if (age && (dot || strstr(age, "ms")))
		refuse_str(c, SUB(p, "maxAge"), age, "max_age duration is accurate only to seconds precision");
}
static const struct form origin = { .rules = origin_rules }, origins = { .items = &origin }, unmatched = { .words = FORM_WORDS("UNSPECIFIED", "FORWARD", "IGNORE") };
const struct form mesh_cors = {
	.members = FORM_MEMBERS({ "allowOrigins", &origins, false }, { "maxAge", &mesh_duration, false }, { "unmatchedPreflights", &unmatched, false }), .rules = cors_rules,
};

/* ---- faults and mirrors */

static void percentage_rules(struct check *c, const struct val *self, const struct path *p)
{
	double v = val_number_or(val_get(self, "value"), 0);

	if (v < 0 || v > 100 || (v > 0 && v < 0.0001))
		refuse_val(c, SUB(p, "value"), val_get(self, "value"), "percentage is neither 0.0, nor in range [0.0001, 100.0]");
}

static void mirrored_rules(struct check *c, const struct val *self, const struct path *p)
{
	double v = val_number_or(val_get(self, "value"), 0);

	if (v < 0 || v > 100)
		refuse_val(c, SUB(p, "value"), val_get(self, "value"), v < 0 ? "mirror percentage must have a min value of 0" : "mirror percentage must have a max value of 100");
}

static void refuse_status(struct check *c, const struct path *p, int64_t status)
{
	if (status < 200 || status > 600)
		refuse_int(c, p, status, "HTTP status %" PRId64 " is not in range 200-599", status);
}

static void abort_rules(struct check *c, const struct val *self, const struct path *p)
{
	static const char *const codes[] = { "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
					     "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED", NULL };
	const char *grpc = val_str_at(self, "grpcStatus");

	mesh_one_of(c, self, p, FORM_WORDS("httpStatus", "grpcStatus", "http2Error"));
	if (grpc && !one_of(grpc, codes))
		refuse_str(c, SUB(p, "grpcStatus"), grpc, "gRPC status \"%s\" is not supported. See https://github.com/grpc/grpc/blob/master/doc/statuscodes.md for a list of supported codes, for example 'NOT_FOUND'", grpc);
	if (val_get(self, "http2Error"))
		refuse_val(c, SUB(p, "http2Error"), val_get(self, "http2Error"), "HTTP/2 abort fault injection not supported yet");
	if (val_get(self, "httpStatus"))
		refuse_status(c, SUB(p, "httpStatus"), int_of(self, "httpStatus", 0));
	if (!grpc && !val_get(self, "http2Error") && !val_get(self, "httpStatus"))
		warn_of(c, p, "abort configured, but error type not set");
}

static void delay_rules(struct check *c, const struct val *self, const struct path *p)
{
	mesh_one_of(c, self, p, FORM_WORDS("fixedDelay", "exponentialDelay"));
	if (val_get(self, "exponentialDelay"))
		refuse_val(c, SUB(p, "exponentialDelay"), val_get(self, "exponentialDelay"), "exponentialDelay not supported yet");
}

static void fault_rules(struct check *c, const struct val *self, const struct path *p)
{
	if (!has(self, "abort") && !has(self, "delay"))
		refuse_omitted(c, p, "HTTP fault injection must have an abort and/or a delay");
}
static const struct form percentage = { .rules = percentage_rules };
const struct form mesh_mirrored = { .rules = mirrored_rules };
static const struct form fault_abort = { .members = FORM_MEMBERS({ "percentage", &percentage, false }), .rules = abort_rules };
static const struct form fault_delay = {
	.members = FORM_MEMBERS({ "percentage", &percentage, false }, { "fixedDelay", &mesh_duration, false }, { "exponentialDelay", &mesh_duration, false }), .rules = delay_rules,
};
const struct form mesh_fault = { .members = FORM_MEMBERS({ "abort", &fault_abort, false }, { "delay", &fault_delay, false }), .rules = fault_rules };
static const struct form mirror = { .members = FORM_MEMBERS({ "destination", &mesh_destination, true }, { "percentage", &mesh_mirrored, false }) };
const struct form mesh_mirrors = { .items = &mirror };

/* ---- other answers, other paths, other tries */

static void redirect_rules(struct check *c, const struct val *self, const struct path *p)
{
	const char *uri = mesh_text(self, "uri"), *prefix = mesh_text(self, "prefixRewrite"), *scheme = mesh_text(self, "scheme");
	int64_t code = int_of(self, "redirectCode", 0), port = int_of(self, "port", 0);

	mesh_one_of(c, self, p, FORM_WORDS("port", "derivePort"));
	if (uri && prefix)
		refuse_omitted(c, p, "redirect may only specify one of uri or prefix_rewrite");
	if (!uri && !prefix && !mesh_text(self, "authority") && !scheme && !val_get(self, "port") && !val_get(self, "derivePort"))
		refuse_omitted(c, p, "redirect must specify URI, authority, scheme, or port");
	if (code && (code < 300 || code > 399))
		refuse_int(c, SUB(p, "redirectCode"), code, "%" PRId64 " is not a valid redirect code, must be 3xx", code);
	if (scheme && strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
		refuse_str(c, SUB(p, "scheme"), scheme, "invalid redirect scheme, must be \"http\" or \"https\"");
	if (port > 0)
		mesh_must_be_port(c, SUB(p, "port"), port);
}

static void direct_rules(struct check *c, const struct val *self, const struct path *p)
{
	mesh_one_of(c, val_get(self, "body"), SUB(p, "body"), FORM_WORDS("string", "bytes"));
	refuse_status(c, SUB(p, "status"), int_of(self, "status", 0));
}

static void rewrite_rules(struct check *c, const struct val *self, const struct path *p)
{
	const struct val *re = val_get(self, "uriRegexRewrite");
	const char *match = mesh_text(re, "match"), *why;
	char text[128];

	if (mesh_text(self, "uri") && has(self, "uriRegexRewrite"))
		refuse_omitted(c, p, "rewrite may only contain one of URI or UriRegexRewrite");
	if (!mesh_text(self, "uri") && !has(self, "uriRegexRewrite") && !mesh_text(self, "authority"))
		refuse_omitted(c, p, "rewrite must specify at least one of URI, UriRegexRewrite, or authority. Only one of URI or UriRegexRewrite may be specified");
	if (has(self, "uriRegexRewrite") && (!match || !mesh_text(re, "rewrite")))
		refuse_omitted(c, SUB(p, "uriRegexRewrite"), "UriRegexRewrite requires both Rewrite and Match fields to be specified");
	why = match ? mesh_regex_wrong(match, text) : NULL;
	if (why)
		refuse_str(c, SUB(p, "uriRegexRewrite.match"), match, "%s", why);
}

static void retry_on(struct check *c, const struct path *p, const char *list)
{
	static const char *const policies[] = { "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "retriable-4xx", "refused-stream", "retriable-status-codes",
						"retriable-headers", "envoy-ratelimited", "http3-post-connect-failure", "cancelled", "deadline-exceeded", "internal", "resource-exhausted",
						"unavailable", NULL };

	while (list) {
		size_t n = strcspn(list, ",");
		char one[64];
		int status = 0;

		snprintf(one, sizeof(one), "%.*s", (int)n, list);
		if (strlen(one) == 3 && strspn(one, "0123456789") == 3)
			sscanf(one, "%d", &status);
		if (!one_of(one, policies) && (status < 100 || status > 511))
			refuse_str(c, p, list, "\"%s\" is not a valid retryOn policy", one);
		list = list[n] ? list + n + 1 : NULL;
	}
}

static void retries_rules(struct check *c, const struct val *self, const struct path *p)
{
	int64_t n = int_of(self, "attempts", 0);

	if (n < 0)
		refuse_int(c, SUB(p, "attempts"), n, "attempts cannot be negative");
	if (!n && (has(self, "perTryTimeout") || mesh_text(self, "retryOn") || has(self, "retryRemoteLocalities")))
		refuse_omitted(c, p, "http retry policy configured when attempts are set to 0 (disabled)");
	retry_on(c, SUB(p, "retryOn"), mesh_text(self, "retryOn"));
}
static const struct form derive_port = { .words = FORM_WORDS("FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT") };
const struct form mesh_redirect = { .members = FORM_MEMBERS({ "derivePort", &derive_port, false }), .rules = redirect_rules };
const struct form mesh_direct = { .members = FORM_MEMBERS({ "status", NULL, true }), .rules = direct_rules }, mesh_rewrite = { .rules = rewrite_rules };
const struct form mesh_retries = { .members = FORM_MEMBERS({ "perTryTimeout", &mesh_duration, false }, { "backoff", &mesh_duration, false }), .rules = retries_rules };
