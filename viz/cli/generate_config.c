/* create configmap, create secret: from words, files and folders (staging/src/k8s.io/kubectl/pkg/cmd/create/create_{configmap,secret}.go). */
#include "viz/cli/making.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "model/base/docs.h"

/* A Secret's values are in base 64; a ConfigMap's as they are, but those that are no text, in binaryData. */
static bool put_value(struct making *m, const char *key, const char *value, size_t len, bool secret)
{
	bool plain = !secret && utf8_valid(value, len) && !memchr(value, '\0', len);
	const char *member = plain || secret ? "data" : "binaryData";
	struct sb code = { 0 };

	if (val_get(val_get(m->root, "data"), key) || val_get(val_get(m->root, "binaryData"), key))
		return err_add(m->err, ERR_INPUT, NULL, "the key \"%s\" is given twice", key);
	if (!plain)
		sb_add_base64(&code, value, len);
	making_put(m, val_get_or_put(m->a, m->root, member, VAL_MAP), key, plain ? value : sb_text(&code));
	sb_free(&code);
	return true;
}

static bool put_file(struct making *m, const char *key, const char *path, bool secret)
{
	size_t len;
	const char *value = file_bytes(m->cli, path, &len, m->err);

	return value && put_value(m, key, value, len, secret);
}

/* Each file in it by its name; what else is there is left out. */
static bool put_folder(struct making *m, const char *path, bool secret)
{
	struct dirent **entry;
	int nr = scandir(path, &entry, NULL, alphasort);
	bool ok = nr >= 0 || err_add(m->err, ERR_INPUT, NULL, "%s: %s", path, strerror(errno));

	for (int k = 0; k < nr; k++) {
		const char *name = arena_strdup(m->a, entry[k]->d_name), *at = arena_printf(m->a, "%s/%s", path, name);
		struct stat st;

		if (ok && lstat(at, &st) == 0 && S_ISREG(st.st_mode))
			ok = put_file(m, name, at, secret);
		free(entry[k]);
	}
	if (nr >= 0)
		free(entry);
	return ok;
}

static bool put_source(struct making *m, const char *text, bool secret)
{
	const char *eq = strchr(text, '='), *slash = strrchr(text, '/'), *path = eq ? eq + 1 : text;
	struct stat st;

	if (eq && (eq == text || !*path))
		return err_add(m->err, ERR_INPUT, NULL, "--from-file: \"%s\" is not [KEY=]FILE", text);
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return put_file(m, eq ? arena_strndup(m->a, text, (size_t)(eq - text)) : slash ? slash + 1 : text, path, secret);
	return eq ? err_add(m->err, ERR_INPUT, NULL, "--from-file: \"%s\": a folder's files have their own names: leave the key out", text) : put_folder(m, path, secret);
}

/* KEY=VALUE a line; # begins a comment, KEY alone takes its value from the environment (kubectl pkg/cmd/util/env_file.go). */
static bool put_env_file(struct making *m, const char *path, bool secret)
{
	const char *text = file_read(m->cli, path, m->err);
	uint32_t line = 0;

	for (const char *p = text; p && *p;) {
		size_t n = strcspn(p, "\n"), blank = strspn(p, " \t\r\v\f"), key, value;
		const char *from = p + MIN(blank, n), *given;

		line++;
		value = (size_t)(p + n - from);
		value -= value && from[value - 1] == '\r';
		key = MIN(strcspn(from, "="), value);
		if (value && *from != '#') {
			const char *name = arena_strndup(m->a, from, key);

			if (!key || strspn(name, "0123456789") || strcspn(name, " \t") != key)
				return err_add(m->err, ERR_INPUT, &(struct where){ .file = path, .line = line }, "\"%s\" is not a valid key name: KEY=VALUE", name);
			given = key < value ? arena_strndup(m->a, from + key + 1, value - key - 1) : getenv(name);
			if (given && !put_value(m, name, given, strlen(given), secret))
				return false;
		}
		p += n + (p[n] == '\n');
	}
	return text != NULL;
}

static bool put_sources(struct making *m, bool secret)
{
	const struct texts *env = &m->cli->env_files;

	if (env->nr && (m->cli->literals.nr || m->cli->from_files.nr))
		return err_add(m->err, ERR_INPUT, NULL, "from-env-file cannot be combined with from-file or from-literal");
	for (uint32_t k = 0; k < env->nr; k++)
		if (!put_env_file(m, env->v[k], secret))
			return false;
	for (uint32_t k = 0; k < m->cli->literals.nr; k++) {
		const char *text = m->cli->literals.v[k], *eq = strchr(text, '=');

		if (!eq || eq == text)
			return err_add(m->err, ERR_INPUT, NULL, "--from-literal: \"%s\" is not KEY=VALUE", text);
		if (!put_value(m, arena_strndup(m->a, text, (size_t)(eq - text)), eq + 1, strlen(eq + 1), secret))
			return false;
	}
	for (uint32_t k = 0; k < m->cli->from_files.nr; k++)
		if (!put_source(m, m->cli->from_files.v[k], secret))
			return false;
	return true;
}

bool make_config_map(struct making *m)
{
	making_map(m, making_begin(m, "v1", "ConfigMap", true, false), "data");
	return put_sources(m, false);
}

/* { "auths": { SERVER: { "username", "password", "email", "auth" } } } */
static bool put_registry(struct making *m)
{
	const char *user = m->cli->docker_user, *password = m->cli->docker_password, *email = m->cli->docker_email;
	struct sb out = { 0 }, both = { 0 };
	bool ok;

	if (m->cli->from_files.nr)
		return put_sources(m, true);
	if (!user || !password)
		return err_add(m->err, ERR_INPUT, NULL, "either --from-file or the combination of --docker-username, --docker-password and --docker-server is required");
	sb_add(&out, "{\"auths\":{");
	json_quote(&out, m->cli->docker_server ? m->cli->docker_server : "https://index.docker.io/v1/");
	sb_add(&out, ":{\"username\":");
	json_quote(&out, user);
	sb_add(&out, ",\"password\":");
	json_quote(&out, password);
	if (email) {
		sb_add(&out, ",\"email\":");
		json_quote(&out, email);
	}
	sb_printf(&both, "%s:%s", user, password);
	sb_add(&out, ",\"auth\":\"");
	sb_add_base64(&out, sb_text(&both), both.len);
	sb_add(&out, "\"}}}");
	ok = put_value(m, ".dockerconfigjson", sb_text(&out), out.len, true);
	sb_free(&out);
	sb_free(&both);
	return ok;
}

bool make_secret(struct making *m)
{
	making_map(m, making_begin(m, "v1", "Secret", true, false), "data");
	if (strcmp(m->type, "generic") == 0)
		return put_sources(m, true);
	if (strcmp(m->type, "docker-registry") == 0) {
		making_put(m, m->root, "type", "kubernetes.io/dockerconfigjson");
		return put_registry(m);
	}
	if (strcmp(m->type, "tls") != 0)
		return err_add(m->err, ERR_INPUT, NULL, "create secret: \"%s\" is not generic, tls or docker-registry", m->type);
	if (!m->cli->cert || !m->cli->key)
		return err_add(m->err, ERR_INPUT, NULL, "create secret tls needs --cert FILE and --key FILE");
	making_put(m, m->root, "type", "kubernetes.io/tls");
	return put_file(m, "tls.crt", m->cli->cert, true) && put_file(m, "tls.key", m->cli->key, true);
}
