/* Labels, annotations and label selectors: what the API server asks of them. Sources: apimachinery pkg/apis/meta/v1/validation/validation.go,
 * pkg/api/validation/objectmeta.go. */
#include <ctype.h>

#include "model/api/check.h"

void must_be_labels(struct check *c, const struct path *p, const pair_list *l)
{
	for (uint32_t k = 0; k < l->nr; k++) {
		must_be_label_key(c, p, l->v[k].key);
		must_be_label_value(c, p, l->v[k].value);
	}
}

void must_be_labels_val(struct check *c, const struct path *p, const struct val *map)
{
	VAL_EACH(m, map) {
		must_be_label_key(c, p, m->key);
		must_be_label_value(c, p, val_str(m) ? val_str(m) : "");
	}
}

/* Case does not matter. */
static void annotation_key(struct check *c, const struct path *p, const char *s)
{
	size_t n = MIN(strlen(s), 511);
	char key[512];

	for (size_t i = 0; i < n; i++)
		key[i] = (char)tolower((unsigned char)s[i]);
	key[n] = '\0';
	must_be_label_key(c, p, key);
}

void must_be_annotations(struct check *c, const struct path *p, const pair_list *l)
{
	size_t size = 0;

	for (uint32_t k = 0; k < l->nr; k++) {
		annotation_key(c, p, l->v[k].key);
		size += strlen(l->v[k].key) + strlen(l->v[k].value);
	}
	if (size > 256 * 1024)
		refuse_long(c, p, 256 * 1024);
}

void must_be_annotations_val(struct check *c, const struct path *p, const struct val *map)
{
	size_t size = 0;

	VAL_EACH(m, map) {
		annotation_key(c, p, m->key);
		size += strlen(m->key) + (m->type == VAL_STRING ? m->nr : 0);
	}
	if (size > 256 * 1024)
		refuse_long(c, p, 256 * 1024);
}

static void requirement(struct check *c, const struct path *p, const char *key, const char *op, const struct val *values, bool loose)
{
	uint32_t nr = values ? values->nr : 0, i = 0;
	const struct path *list = SUB(p, "values");

	if (one_of(op, (const char *const[]){ "In", "NotIn", NULL })) {
		if (!nr)
			refuse_missing(c, list, "must be specified when `operator` is 'In' or 'NotIn'");
	} else if (one_of(op, (const char *const[]){ "Exists", "DoesNotExist", NULL })) {
		if (nr)
			refuse_forbidden(c, list, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
	} else {
		refuse_str(c, SUB(p, "operator"), op, "not a valid selector operator");
	}
	must_be_label_key(c, SUB(p, "key"), key ? key : "");
	if (loose)
		return;
	VAL_EACH(v, values)
		must_be_label_value(c, ITEM(list, i++), val_str(v) ? val_str(v) : "");
}

void must_be_selector_val(struct check *c, const struct path *p, const struct val *v, bool loose)
{
	const struct path *exprs = SUB(p, "matchExpressions");
	uint32_t i = 0;

	must_be_labels_val(c, SUB(p, "matchLabels"), val_get(v, "matchLabels"));
	VAL_EACH(e, val_get(v, "matchExpressions"))
		requirement(c, ITEM(exprs, i++), val_str_at(e, "key"), val_str_at(e, "operator"), val_get(e, "values"), loose);
}
