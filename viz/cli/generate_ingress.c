/* create ingress: HOST/PATH[*]=SERVICE:PORT[,tls[=SECRET]] */
#include "viz/cli/making.h"

static bool ingress_backend(struct making *m, struct val *holder, const char *option, const char *text)
{
	const char *colon = strchr(text, ':');
	struct val *service, *port;

	if (!colon || colon == text || !colon[1])
		return err_add(m->err, ERR_INPUT, NULL, "--%s: \"%s\" is not SERVICE:PORT", option, text);
	service = making_map(m, holder, "service");
	making_put(m, service, "name", arena_strndup(m->a, text, (size_t)(colon - text)));
	port = making_port(m, colon + 1);
	val_put(m->a, making_map(m, service, "port"), port->type == VAL_INT ? "number" : "name", port);
	return true;
}

static struct val *with_member(struct val *list, const char *key, const char *value)
{
	for (struct val *v = list->first; v; v = v->next)
		if (streq(val_str(val_get(v, key)), *value ? value : NULL))
			return v;
	return NULL;
}

static bool has_host(const struct val *tls, const char *host)
{
	VAL_EACH(t, tls)
		VAL_EACH(h, val_get(t, "hosts"))
			if (streq(val_str(h), host))
				return true;
	return false;
}

static void ingress_tls(struct making *m, struct val *spec, const char *host, const char *secret)
{
	struct val *tls = val_get_or_put(m->a, spec, "tls", VAL_LIST), *entry;

	if ((*host && has_host(tls, host)) || (!*host && !*secret))
		return;
	entry = with_member(tls, "secretName", secret);
	if (!entry)
		entry = making_item(m, tls);
	if (*secret)
		making_put(m, entry, "secretName", secret);
	if (*host)
		val_add(m->a, val_get_or_put(m->a, entry, "hosts", VAL_LIST), val_string(m->a, host));
}

static bool ingress_rule(struct making *m, struct val *spec, struct val *rules, const char *text)
{
	size_t n = strcspn(text, ",");
	char *rule = arena_strndup(m->a, text, n), *eq = strchr(rule, '='), *slash = strchr(rule, '/');
	const char *tls = text[n] ? text + n + 1 : NULL, *host;
	struct val *of, *path;
	size_t len;

	if (!eq || !slash || slash > eq || (tls && strcmp(tls, "tls") != 0 && strncmp(tls, "tls=", 4) != 0))
		return err_add(m->err, ERR_INPUT, NULL, "--rule: \"%s\" is not HOST/PATH=SERVICE:PORT[,tls[=SECRET]]", text);
	*eq = '\0';
	host = arena_strndup(m->a, rule, (size_t)(slash - rule));
	of = with_member(rules, "host", host);
	if (!of) {
		of = making_item(m, rules);
		if (*host)
			making_put(m, of, "host", host);
		making_list(m, making_map(m, of, "http"), "paths");
	}
	path = making_item(m, val_path_mut(of, "http.paths"));
	if (!ingress_backend(m, making_map(m, path, "backend"), "rule", eq + 1))
		return false;
	len = strlen(slash);
	making_put(m, path, "pathType", slash[len - 1] == '*' ? "Prefix" : "Exact");
	making_put(m, path, "path", slash[len - 1] == '*' ? arena_strndup(m->a, slash, len - 1) : slash);
	if (tls)
		ingress_tls(m, spec, host, tls[3] ? tls + 4 : "");
	return true;
}

bool make_ingress(struct making *m)
{
	struct val *spec = making_begin(m, "networking.k8s.io/v1", "Ingress", true, true), *notes = m->cli->annotations.nr ? making_map(m, making_meta(m), "annotations") : NULL, *rules;

	if (!m->cli->rules.nr && !m->cli->default_backend)
		return err_add(m->err, ERR_INPUT, NULL, "an Ingress needs --rule or --default-backend");
	for (uint32_t k = 0; k < m->cli->annotations.nr; k++) {
		const char *text = m->cli->annotations.v[k], *eq = strchr(text, '=');

		if (!eq || eq == text)
			return err_add(m->err, ERR_INPUT, NULL, "--annotation: \"%s\" is not KEY=VALUE", text);
		making_put(m, notes, arena_strndup(m->a, text, (size_t)(eq - text)), eq + 1);
	}
	if (m->cli->ingress_class)
		making_put(m, spec, "ingressClassName", m->cli->ingress_class);
	if (m->cli->default_backend && !ingress_backend(m, making_map(m, spec, "defaultBackend"), "default-backend", m->cli->default_backend))
		return false;
	rules = m->cli->rules.nr ? making_list(m, spec, "rules") : NULL;
	for (uint32_t k = 0; k < m->cli->rules.nr; k++)
		if (!ingress_rule(m, spec, rules, m->cli->rules.v[k]))
			return false;
	return true;
}
