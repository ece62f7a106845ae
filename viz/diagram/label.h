/* Texts from outside into figures and pages: escaped for where they will stand. Control characters are dropped, invalid UTF-8 becomes U+FFFD. */
#ifndef PODWIRE_LABEL_H
#define PODWIRE_LABEL_H

#include "model/base/str.h"

void label_html(struct sb *, const char *text);         /* & < > " ' escaped */
void label_html_lines(struct sb *, const char *text);   /* the same, of several lines, whose ends stay */
void label_fit(struct sb *, const char *text, uint32_t max);            /* the same; a text of more than max characters loses its middle: abc…xyz */
void label_plain(struct sb *, const char *text);        /* for attributes of cgraph: backslashes doubled, & as entity */
void label_id(struct sb *, const char *text);           /* letters, digits, - and _ only */
void label_markdown(struct sb *, const char *text);     /* nothing of it is markup, mentions nobody, ends no cell of a table; sb_add_shown's signs for what cannot be shown */
void label_json(struct sb *, const char *text);         /* a JSON string, with its quotes, that may stand in a <script> */

#endif
