/* A HAProxy in each Pod that is the data plane of a controller or a Gateway, with the configuration that follows from its routing table (model/l7/haproxy.h), in place of
 * the servers that would stand at its ports. It runs as a daemon in the lab's PID namespace and dies with it; a new configuration is taken by a new process on the same
 * ports, which tells the old one to finish (-sf). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/dataplane/packet.h"
#include "model/l7/haproxy.h"
#include "sim/ask/end.h"
#include "sim/linux/haproxies.h"
#include "sim/linux/run.h"

#define MOST_SIDECARS 64u               /* some 12 MB each */

struct planning { struct live *live; struct cluster *c; const struct dataplane *dp; struct arena *a; struct err *err; };

static struct haproxy *find(struct haproxies *all, const char *key, bool sidecar)
{
	for (uint32_t k = 0; k < all->nr; k++)
		if (streq(all->v[k].key, key) && all->v[k].sidecar == sidecar)
			return &all->v[k];
	return NULL;
}

static bool runs(const struct haproxy *h) { return h->pid > 0 && kill(h->pid, 0) == 0; }

static void stop(struct haproxy *h)
{
	const struct timespec moment = { 0, 1000000 };

	if (h->pid > 0 && kill(h->pid, SIGKILL) == 0 && waitpid(h->pid, NULL, 0) < 0)
		for (int k = 0; k < 1000 && kill(h->pid, 0) == 0; k++)          /* somebody else's child */
			nanosleep(&moment, NULL);
	h->pid = 0;
}

static void drop(struct haproxy *h)
{
	stop(h);
	free(h->key);
	free(h->dir);
	free(h->wanted);
	free(h->running);
	free(h->ports);
}

/* ---- files */

static bool put_file(const char *path, const void *text, size_t n, mode_t mode, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	bool ok = fd >= 0 && write(fd, text, n) == (ssize_t)n;

	if (!ok)
		err_add(err, ERR_MACHINE, NULL, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

/* Appends a file. */
static void take_file(const char *path, struct sb *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buf[4096];
	ssize_t n;

	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0)
		sb_addn(out, buf, (size_t)n);
	if (fd >= 0)
		close(fd);
}

/* A certificate and its key, made once for the lab, in FILE and FILE.key; by: the one that signs it, or NULL: it does so itself. */
static bool make_certificate(struct planning *x, const char *file, const char *subject, const char *by, const char *const *extensions)
{
	const char *argv[40], *key = arena_printf(x->a, "%s.key", file);
	int n = 0;

	if (access(file, R_OK) == 0)
		return true;
	for (const char *const *w = (const char *const[]){ "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650", NULL }; *w; w++)
		argv[n++] = *w;
	for (const char *const *w = (const char *const[]){ "-subj", subject, "-keyout", key, "-out", file, NULL }; *w; w++)
		argv[n++] = *w;
	if (by) {
		argv[n++] = "-CA";
		argv[n++] = by;
		argv[n++] = "-CAkey";
		argv[n++] = arena_printf(x->a, "%s.key", by);
	}
	for (; *extensions && n < 38; extensions++) {
		argv[n++] = "-addext";
		argv[n++] = *extensions;
	}
	argv[n] = NULL;
	return run_program(argv, "", 0, NULL, x->err);
}

static bool copy_certificate(struct planning *x, const char *from, bool with_key, const char *path)
{
	struct sb pem = { 0 };
	bool ok;

	take_file(from, &pem);
	if (with_key)
		take_file(arena_printf(x->a, "%s.key", from), &pem);
	ok = put_file(path, sb_text(&pem), pem.len, 0600, x->err);
	sb_free(&pem);
	return ok;
}

/* The certificate that a controller shows where no Secret has one. */
static bool own_certificate(struct planning *x, bool nginx, const char *path)
{
	const char *subject = nginx ? "/O=Acme Co/CN=Kubernetes Ingress Controller Fake Certificate" : "/O=podwire/CN=default certificate of the controller";
	const char *made = arena_printf(x->a, "%s/proxies/%s.pem", x->live->dir, nginx ? "nginx" : "other");

	return make_certificate(x, made, subject, NULL, (const char *const[]){ nginx ? "subjectAltName=DNS:ingress.local" : "subjectAltName=DNS:default.invalid", NULL }) &&
	       copy_certificate(x, made, true, path);
}

/* As Istio's: without a subject, the SPIFFE identity its only name, signed by the lab's authority. */
static bool mesh_certificate(struct planning *x, const struct haproxy_cert *c, const char *path)
{
	const char *authority = arena_printf(x->a, "%s/proxies/authority.pem", x->live->dir);
	const char *own = arena_printf(x->a, "%s/proxies/identity.%08x%08x.pem", x->live->dir, fnv32a(c->principal, strlen(c->principal)), fnv32(c->principal, strlen(c->principal)));
	const char *const signs[] = { "keyUsage=critical,keyCertSign", NULL };
	const char *const is[] = { arena_printf(x->a, "subjectAltName=critical,URI:spiffe://%s", c->principal), "keyUsage=critical,digitalSignature", "extendedKeyUsage=serverAuth,clientAuth",
				   "basicConstraints=critical,CA:FALSE", NULL };

	if (!make_certificate(x, authority, "/O=podwire", NULL, signs))
		return false;
	if (streq(c->file, HAPROXY_AUTHORITY))
		return copy_certificate(x, authority, false, path);
	return make_certificate(x, own, "/", authority, is) && copy_certificate(x, own, true, path);
}

/* Of NS/NAME; NULL: there is none. */
static const struct secret *secret_of(const struct planning *x, const char *name)
{
	const char *slash = strchr(name, '/');

	return slash ? (const struct secret *)cluster_find(x->c, &secret_kind, str_intern_n(cluster_strings(x->c), name, (size_t)(slash - name)), slash + 1) : NULL;
}

static bool secret_certificate(struct planning *x, const char *name, const char *path)
{
	const struct secret *s = secret_of(x, name);
	struct sb pem = { 0 };
	bool ok;

	for (int k = 0; s && k < 2; k++) {
		const char *text = label_get(&s->data, k ? "tls.key" : "tls.crt");
		size_t n = 0;
		const uint8_t *part = text ? base64_decode(x->a, text, strlen(text), &n) : NULL;

		if (part)
			sb_addn(&pem, (const char *)part, n);
		sb_addc(&pem, '\n');
	}
	ok = put_file(path, sb_text(&pem), pem.len, 0600, x->err);
	sb_free(&pem);
	return ok;
}

static bool put_all(struct planning *x, const char *dir, const struct haproxy_conf *conf, bool nginx)
{
	bool ok = put_file(arena_printf(x->a, "%s/haproxy.cfg", dir), sb_text(&conf->text), conf->text.len, 0644, x->err);

	for (uint32_t k = 0; ok && k < conf->files.nr; k++)
		ok = put_file(arena_printf(x->a, "%s/%s", dir, conf->files.v[k].name), conf->files.v[k].text, strlen(conf->files.v[k].text), 0644, x->err);
	for (uint32_t k = 0; ok && k < conf->certs.nr; k++) {
		const char *path = arena_printf(x->a, "%s/%s", dir, conf->certs.v[k].file);

		ok = conf->certs.v[k].principal ? mesh_certificate(x, &conf->certs.v[k], path) :
		     conf->certs.v[k].secret ? secret_certificate(x, conf->certs.v[k].secret, path) : own_certificate(x, nginx, path);
	}
	return ok;
}

/* ---- what should run */

static const struct space *space_of(const struct planning *x, const struct pod *p)
{
	const char *name = pod_sockets_name(p, x->a);
	const struct space *s = live_find(x->live, name);
	const struct netns *ns = s && s->ns.i ? netns_get(x->dp, s->ns) : NULL;

	if (!ns || ns->down || (ns->node.i && netns_get(x->dp, ns->node)->down))
		return NULL;
	return s;
}

/* A container that has ended listens nowhere. */
static bool listens(const struct planning *x, const struct space *s, const struct pod *p, uint16_t port)
{
	const struct netns *ns = netns_get(x->dp, s->ns);

	for (uint32_t k = 0; k < ns->listeners.nr; k++) {
		const struct listener *l = &ns->listeners.v[k];

		if ((l->kind == LISTEN_ANY || (l->port == port && l->proto == PROTO_TCP)) && (ns->kind != NS_NODE || cause_get(x->dp, l->cause)->object == p->o.id.i))
			return true;
	}
	return false;
}

static void keep(char **text, const char *s)
{
	free(*text);
	*text = strdup(s);
	if (!*text)
		abort();
}

static struct haproxy *want(struct planning *x, const struct pod *p, const struct space *s, bool sidecar)
{
	struct haproxies *all = &x->live->haproxies;
	const char *key = arena_printf(x->a, "%s/%s", p->o.ns, p->o.name);
	struct haproxy *h = find(all, key, sidecar);

	if (h && h->space != s->id)             /* the sandbox was made anew */
		stop(h);
	if (!h) {
		h = list_push(all);
		*h = (struct haproxy){ 0 };
		keep(&h->key, key);
		h->sidecar = sidecar;
	}
	h->space = s->id;
	h->seen = true;
	return h;
}

/* The text of all its files: what a running one is compared with. */
static void plan(struct planning *x, struct l7_plane *p)
{
	const struct space *s = space_of(x, p->pod);
	const char *dir = haproxy_dir(p, x->a);
	struct haproxy_conf conf;
	struct haproxy *h;
	struct sb all = { 0 };
	uint16_t *own = arena_array(x->a, uint16_t, p->nr + 2);         /* sockets that it has */
	uint32_t nr = 0, open = 0;

	for (uint32_t k = 0; s && !p->sidecar && k < p->nr; k++)
		if (listens(x, s, p->pod, p->ports[k].bind)) {
			own[nr++] = p->ports[k].bind;
			p->ports[open++] = p->ports[k];
		}
	if (!p->sidecar)
		p->nr = open;
	for (int in = 0; s && p->sidecar && in < 2; in++)
		if (listens(x, s, p->pod, in ? p->sidecar->inbound : p->sidecar->outbound))
			own[nr++] = in ? p->sidecar->inbound : p->sidecar->outbound;
	if (!nr || (p->sidecar && nr != 2))
		return;
	h = want(x, p->pod, s, p->sidecar != NULL);
	keep(&h->dir, dir);
	haproxy_write(p, dir, x->a, &conf);
	sb_add(&all, sb_text(&conf.text));
	for (uint32_t k = 0; k < conf.files.nr; k++)
		sb_add(&all, conf.files.v[k].text);
	for (uint32_t k = 0; k < conf.certs.nr; k++)
		if (conf.certs.v[k].secret) {
			const char *name = conf.certs.v[k].secret;
			const struct secret *of = secret_of(x, name);

			for (int part = 0; part < 2; part++)
				sb_printf(&all, "%s %s\n", name, of && label_get(&of->data, part ? "tls.key" : "tls.crt") ? label_get(&of->data, part ? "tls.key" : "tls.crt") : "");
		}
	keep(&h->wanted, sb_text(&all));
	h->ports = realloc(h->ports, nr * sizeof(*h->ports));
	if (!h->ports)
		abort();
	memcpy(h->ports, own, nr * sizeof(*own));
	h->nr_ports = nr;
	h->ready = true;
	if (!h->running || strcmp(h->running, h->wanted) != 0 || !runs(h)) {
		mkdir(dir, 0755);
		h->ready = put_all(x, dir, &conf, p->table->replace_forwarded);
	}
	sb_free(&all);
	haproxy_free(&conf);
}

/* A sidecar is another user than the application: where the lab has only root (in a user namespace), it cannot be. */
static bool has_user(uint32_t uid)
{
	FILE *f = fopen("/proc/self/uid_map", "re");
	unsigned inside = 0, outside = 0, nr = 0;
	bool there = f && fscanf(f, "%u %u %u", &inside, &outside, &nr) == 3 && uid >= inside && uid - inside < nr;

	if (f)
		fclose(f);
	return there;
}

const char *haproxies_missing(struct cluster *c, struct arena *a)
{
	struct object_list pods = cluster_list(c, &pod_kind);

	for (uint32_t k = 0; k < pods.nr; k++) {
		const struct pod *p = (const struct pod *)pods.v[k];
		struct mesh_capture m = p->spec ? mesh_capture(p->spec) : (struct mesh_capture){ 0 };

		if (m.set && !has_user(m.uid))
			return arena_printf(a, "the redirect rules of pod/%s/%s name user %u, which a lab of an ordinary user has not (root's has)", p->o.ns, p->o.name, m.uid);
	}
	return NULL;
}

static void plan_sidecars(struct planning *x)
{
	struct haproxies *all = &x->live->haproxies;
	const char *why = NULL;
	uint32_t nr;
	struct l7_plane *v = planes_sidecars(x->c, x->a, &nr, &why);

	if (nr > MOST_SIDECARS)
		why = arena_printf(x->a, "%u Pods have one, and more than %u are not started", nr, MOST_SIDECARS);
	else if (nr && !has_user(v[0].sidecar->uid))
		why = arena_printf(x->a, "they run as user %u, which a lab of an ordinary user has not", v[0].sidecar->uid);
	if (why && !streq(why, all->no_sidecars))
		err_warn(x->err, NULL, "no sidecar of the mesh runs: %s", why);
	free(all->no_sidecars);
	all->no_sidecars = why ? strdup(why) : NULL;
	for (uint32_t k = 0; !why && k < nr; k++)
		plan(x, &v[k]);
}

bool haproxies_plan(struct live *live, struct cluster *c, const struct dataplane *dp, struct err *err)
{
	struct planning x = { live, c, dp, arena_new(NULL, "haproxies"), err };
	uint32_t nr, to = 0, before = err->nr;
	struct l7_plane *v = planes_list(c, x.a, &nr);

	for (uint32_t k = 0; k < live->haproxies.nr; k++)
		live->haproxies.v[k].seen = false;
	if ((nr || mesh_present(c)) && !program_there("haproxy")) {
		if (!live->haproxies.missing)
			err_warn(err, NULL, "haproxy is not installed (Debian's package haproxy): the Pods of controllers and Gateways answer as plain servers");
		live->haproxies.missing = true;
		nr = 0;
	}
	mkdir(arena_printf(x.a, "%s/proxies", live->dir), 0755);
	for (uint32_t k = 0; k < nr; k++)
		plan(&x, &v[k]);
	if (!live->haproxies.missing)
		plan_sidecars(&x);
	for (uint32_t k = 0; k < live->haproxies.nr; k++) {
		if (live->haproxies.v[k].seen)
			live->haproxies.v[to++] = live->haproxies.v[k];
		else
			drop(&live->haproxies.v[k]);
	}
	live->haproxies.nr = to;
	arena_free(x.a);
	return err->nr == before || !err_any(err);
}

void haproxies_leave_out(const struct live *live, const struct pod *p, struct sb *conf)
{
	for (uint32_t k = 0; k < live->haproxies.nr; k++) {
		const struct haproxy *h = &live->haproxies.v[k];
		size_t n = strlen(p->o.ns);
		struct sb out = { 0 };

		if (strncmp(h->key, p->o.ns, n) != 0 || h->key[n] != '/' || strcmp(h->key + n + 1, p->o.name) != 0)
			continue;
		for (const char *w = sb_text(conf), *end; *w; w = end) {
			bool taken = false;

			end = w + 1 + strcspn(w + 1, " ");
			for (uint32_t i = 0; i < h->nr_ports && strncmp(w, " tcp:", 5) == 0; i++)
				taken = taken || strtoul(w + 5, NULL, 10) == h->ports[i];
			if (!taken)
				sb_addn(&out, w, (size_t)(end - w));
		}
		sb_reset(conf);
		sb_add(conf, sb_text(&out));
		sb_free(&out);
	}
}

/* ---- starting */

static pid_t pid_in(const char *path)
{
	FILE *f = fopen(path, "re");
	long pid = 0;

	if (f) {
		if (fscanf(f, "%ld", &pid) != 1)
			pid = 0;
		fclose(f);
	}
	return (pid_t)pid;
}

/* The old one takes no new connection from the moment in which it hears of the new one; without requests in its hands it then ends. */
static void until_gone(pid_t old)
{
	const struct timespec moment = { 0, 1000000 };

	for (int k = 0; k < 500 && waitpid(old, NULL, WNOHANG) != old && kill(old, 0) == 0; k++)
		nanosleep(&moment, NULL);
}

static bool start(struct live *live, struct haproxy *h, struct err *err)
{
	struct arena *a = arena_new(NULL, "haproxy");
	const struct space *s = live->spaces.v[h->space - 1];
	const char *file = arena_printf(a, "%s/pid", h->dir);
	const char *argv[] = { "haproxy", "-D", "-f", arena_printf(a, "%s/haproxy.cfg", h->dir), "-p", file, NULL, NULL, NULL };
	bool ok;

	if (runs(h)) {
		argv[6] = "-sf";
		argv[7] = arena_printf(a, "%d", (int)h->pid);
	}
	ok = live_enter(live, s, err) && run_program(argv, "", 0, NULL, err);
	if (ok) {
		if (argv[6])
			until_gone(h->pid);
		h->pid = pid_in(file);
		keep(&h->running, h->wanted);
	}
	arena_free(a);
	return ok;
}

bool haproxies_sync(struct live *live, uint32_t *started, struct err *err)
{
	*started = 0;
	for (uint32_t k = 0; k < live->haproxies.nr; k++) {
		struct haproxy *h = &live->haproxies.v[k];
		struct err own = { 0 };

		if (!h->ready || (h->running && strcmp(h->running, h->wanted) == 0 && runs(h)))
			continue;
		++*started;
		if (!start(live, h, &own))      /* the lab goes on without it, and says so */
			err_warn(err, NULL, "no proxy runs in pod/%s: %s", h->key, own.nr ? own.v[0].text : "haproxy failed");
		err_free(&own);
	}
	return true;
}
