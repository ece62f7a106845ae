/* printf's commonest forms at a fraction of its cost. */
#ifndef PODWIRE_TEXT_H
#define PODWIRE_TEXT_H

#include <stdarg.h>
#include <stddef.h>

/* As vsnprintf; a form of plain %s, %d, %u, %c and %% alone is written by hand. */
int text_format(char *out, size_t size, const char *fmt, va_list);

#endif
