/* A path in its normal form, as proxies compare it. Sources: RFC 3986 6.2.2 (unreserved characters, dot segments); nginx src/http/ngx_http_parse.c
 * ngx_http_parse_complex_uri (everything decoded, adjacent slashes one). */
#include "model/l7/table.h"

#include <ctype.h>

static int hex(char c) { return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1; }

static bool unreserved(int c) { return isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~'; }

static char *decoded(const char *path, bool all, struct arena *a)
{
	char *out = arena_strdup(a, path), *w = out;

	for (const char *p = path; *p; p++) {
		int c = *p == '%' && hex(p[1]) >= 0 && hex(p[2]) >= 0 ? hex(p[1]) * 16 + hex(p[2]) : -1;

		if (*p == '%' && c <= 0)
			return NULL;
		if (c > 0 && (all || unreserved(c))) {
			*w++ = (char)c;
			p += 2;
		} else {
			*w++ = *p;
		}
	}
	*w = 0;
	return out;
}

const char *path_normal(const char *path, bool all, bool merge, struct arena *a)
{
	char *s = decoded(path, all, a), *w = s;

	for (const char *p = s; p && *p;) {     /* segment by segment, each with the slash before it */
		size_t n = 1 + strcspn(p + 1, "/");
		bool last = !p[n];

		if (n == 3 && p[1] == '.' && p[2] == '.') {
			if (w == s)
				return NULL;
			while (*--w != '/')
				;
			if (last)
				*w++ = '/';
		} else if (n == 2 && p[1] == '.') {
			if (last)
				*w++ = '/';
		} else if (n > 1 || last || !merge) {
			memmove(w, p, n);
			w += n;
		}
		p += n;
	}
	if (s)
		*w = 0;
	return s;
}

bool path_is_normal(const char *path) { return *path != '/' || (!strchr(path, '%') && !strstr(path, "//") && !strstr(path, "/.")); }
