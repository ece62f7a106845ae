#include "sim/ask/served_cert.h"

#include "model/l7/gateway.h"

static const struct secret *mounted(struct cluster *c, const struct pod *p, const char *volume)
{
	for (uint32_t k = 0; k < p->spec->volumes.nr; k++)
		if (streq(p->spec->volumes.v[k].name, volume) && p->spec->volumes.v[k].secret)
			return (const struct secret *)cluster_find(c, &secret_kind, p->o.ns, p->spec->volumes.v[k].secret);
	return NULL;
}

const char *served_cert_refused(struct cluster *c, const struct backend_tls_policy *policy, const struct pod *p, const char *container, struct arena *a)
{
	const char *why = NULL;

	for (uint32_t k = 0; p && k < p->spec->containers.nr; k++) {
		const struct container *one = &p->spec->containers.v[k];

		if (container ? !streq(one->name, container) : k > 0)
			continue;
		for (uint32_t i = 0; i < one->mounts.nr; i++) {
			const struct secret *s = mounted(c, p, one->mounts.v[i].name);
			struct cert cert;
			const char *this;

			if (!s || !cert_in_secret(s, a, &cert))
				continue;
			this = backend_tls_refuses(c, policy, &cert, a);
			if (!this)
				return NULL;
			why = arena_printf(a, "%s, and that in Secret %s/%s, which Pod %s mounts, is none", this, s->o.ns, s->o.name, p->o.name);
		}
	}
	return why;
}
