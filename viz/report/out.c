#include "viz/report/out.h"

#include <stdlib.h>
#include <unistd.h>

static const char *const colours[OUT_ROLES] = {         /* of ECMA-48, so that the terminal's own theme decides */
	[OUT_PLAIN] = "", [OUT_HEAD] = "1", [OUT_GOOD] = "32", [OUT_BAD] = "31", [OUT_WARN] = "33", [OUT_DIM] = "2",
};

static size_t width_of(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void put_value(const struct out *o, enum out_role role, const char *text, size_t width, bool left)
{
	struct sb safe = { 0 };
	size_t pad;

	sb_add_shown(&safe, text, false);
	pad = width_of(sb_text(&safe));
	pad = pad < width ? width - pad : 0;
	sb_printf(o->to, "%*s", left ? 0 : (int)pad, "");
	if (o->colour && *colours[role])
		sb_printf(o->to, "\033[%sm%s\033[m", colours[role], sb_text(&safe));
	else
		sb_add(o->to, sb_text(&safe));
	sb_printf(o->to, "%*s", left ? (int)pad : 0, "");
	sb_free(&safe);
}

void out_str(const struct out *o, const char *fmt, enum out_role role, const char *text)
{
	for (; text && *fmt; fmt++) {
		bool left;
		size_t width = 0;

		if (*fmt != '%' || *++fmt == '%') {
			sb_addc(o->to, *fmt);
			continue;
		}
		left = *fmt == '-';
		for (fmt += left; *fmt >= '0' && *fmt <= '9'; fmt++)
			width = width * 10 + (size_t)(*fmt - '0');
		assert(*fmt == 's');
		put_value(o, role, text, width, left);
	}
}

bool out_wants_colour(const char *when, int fd)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (when && strcmp(when, "auto") != 0)
		return strcmp(when, "always") == 0;
	return isatty(fd) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}
