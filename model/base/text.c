#include "model/base/text.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* One directive, behind its '%'. what 0: it is left to vsnprintf. */
struct form { bool zero, wide; size_t width; char what; const char *behind; };

static struct form form_at(const char *s)
{
	struct form f = { .zero = *s == '0' };

	for (s += f.zero; *s >= '0' && *s <= '9'; s++)
		f.width = 10 * f.width + (size_t)(*s - '0');
	f.wide = *s == 'l' || *s == 'z';        /* both are 64 bits here */
	s += f.wide;
	if (*s == 'd' || *s == 'u' || *s == 'x')
		f.what = f.width <= 64 ? *s : '\0';
	else if (*s == 's' || *s == 'c' || *s == '%')
		f.what = f.width || f.wide || f.zero ? '\0' : *s;
	f.behind = s + 1;
	return f;
}

static_assert(sizeof(long) == 8 && sizeof(size_t) == 8, "%lu and %zu");

struct out { char *to; size_t size, len; };     /* len goes on where there is no room, as printf's answer does */

static void put(struct out *o, const char *s, size_t n)
{
	if (o->len < o->size)
		memcpy(o->to + o->len, s, n < o->size - o->len ? n : o->size - o->len);
	o->len += n;
}

static void put_number(struct out *o, const struct form *f, unsigned long v, bool negative)
{
	char digits[80], *const end = digits + sizeof(digits), *at = end;
	uint32_t small = (uint32_t)v;

	if (f->what == 'x')
		do
			*--at = "0123456789abcdef"[v % 16];
		while (v /= 16);
	else if (v > UINT32_MAX)        /* to divide 64 bits takes longer */
		do
			*--at = (char)('0' + v % 10);
		while (v /= 10);
	else
		do
			*--at = (char)('0' + small % 10);
		while (small /= 10);
	while (f->zero && (size_t)(end - at) + negative < f->width)
		*--at = '0';
	if (negative)
		*--at = '-';
	while ((size_t)(end - at) < f->width)
		*--at = ' ';
	put(o, at, (size_t)(end - at));
}

int text_format(char *to, size_t size, const char *fmt, va_list ap)
{
	const char *const whole = fmt;
	struct out o = { to, size, 0 };
	va_list again;
	int n;

	va_copy(again, ap);
	for (;;) {
		size_t plain = 0;
		struct form f;

		while (fmt[plain] && fmt[plain] != '%')
			plain++;
		put(&o, fmt, plain);
		if (!fmt[plain])
			break;
		f = form_at(fmt + plain + 1);
		if (f.what == 's') {
			const char *s = va_arg(ap, const char *);

			s = s ? s : "(null)";
			put(&o, s, strlen(s));
		} else if (f.what == 'd') {
			long v = f.wide ? va_arg(ap, long) : va_arg(ap, int);

			put_number(&o, &f, v < 0 ? 0ul - (unsigned long)v : (unsigned long)v, v < 0);
		} else if (f.what == 'u' || f.what == 'x') {
			put_number(&o, &f, f.wide ? va_arg(ap, unsigned long) : va_arg(ap, unsigned), false);
		} else if (f.what == 'c') {
			char c = (char)va_arg(ap, int);

			put(&o, &c, 1);
		} else if (f.what == '%') {
			put(&o, "%", 1);
		} else {
			n = vsnprintf(to, size, whole, again);
			va_end(again);
			return n;
		}
		fmt = f.behind;
	}
	va_end(again);
	if (size)
		to[o.len < size ? o.len : size - 1] = '\0';
	return (int)o.len;
}
