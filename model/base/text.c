#include "model/base/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_plain(const char *fmt)
{
	for (; *fmt; fmt++)
		if (*fmt == '%') {
			fmt++;
			if (*fmt != 's' && *fmt != 'd' && *fmt != 'u' && *fmt != 'c' && *fmt != '%')
				return false;
		}
	return true;
}

struct out { char *to; size_t size, len; };     /* len goes on where there is no room, as printf's answer does */

static void put(struct out *o, const char *s, size_t n)
{
	if (o->len < o->size)
		memcpy(o->to + o->len, s, n < o->size - o->len ? n : o->size - o->len);
	o->len += n;
}

static void put_number(struct out *o, unsigned v, bool negative)
{
	char digits[16], *at = digits + sizeof(digits);

	do
		*--at = (char)('0' + v % 10);
	while (v /= 10);
	if (negative)
		*--at = '-';
	put(o, at, (size_t)(digits + sizeof(digits) - at));
}

int text_format(char *to, size_t size, const char *fmt, va_list ap)
{
	struct out o = { to, size, 0 };

	if (!is_plain(fmt))
		return vsnprintf(to, size, fmt, ap);
	while (*fmt) {
		size_t n = 0;

		while (fmt[n] && fmt[n] != '%')
			n++;
		put(&o, fmt, n);
		fmt += n;
		if (!*fmt)
			break;
		if (fmt[1] == 's') {
			const char *s = va_arg(ap, const char *);

			s = s ? s : "(null)";
			put(&o, s, strlen(s));
		} else if (fmt[1] == 'd') {
			int v = va_arg(ap, int);

			put_number(&o, v < 0 ? 0u - (unsigned)v : (unsigned)v, v < 0);
		} else if (fmt[1] == 'u') {
			put_number(&o, va_arg(ap, unsigned), false);
		} else if (fmt[1] == 'c') {
			char c = (char)va_arg(ap, int);

			put(&o, &c, 1);
		} else {
			put(&o, "%", 1);
		}
		fmt += 2;
	}
	if (size)
		to[o.len < size ? o.len : size - 1] = '\0';
	return (int)o.len;
}
