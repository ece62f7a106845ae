/* printf's commonest forms at a fraction of its cost. */
#ifndef PODWIRE_TEXT_H
#define PODWIRE_TEXT_H

#include <stdarg.h>
#include <stddef.h>

/* As vsnprintf; a form of %s, %d, %u, %x, %c and %% alone, numbers perhaps with a width, l or z, is written by hand. */
int text_format(char *out, size_t size, const char *fmt, va_list);

#endif
