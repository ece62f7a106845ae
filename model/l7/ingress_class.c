#include "model/l7/controllers.h"
#include "model/l7/ingress.h"

#include <stdlib.h>

#define DEFAULT_MARK "ingressclass.kubernetes.io/is-default-class"
#define CLASS_ANNOTATION "kubernetes.io/ingress.class"

const struct ingress_class *ingress_default_class(struct cluster *c)
{
	struct object_list all = cluster_list(c, &ingress_class_kind);
	const struct object *best = NULL;

	for (uint32_t k = 0; k < all.nr; k++)           /* by name: an equally new one does not replace the first */
		if (streq(label_get(&all.v[k]->annotations, DEFAULT_MARK), "true") && (!best || object_born(all.v[k]) > object_born(best)))
			best = all.v[k];
	return (const struct ingress_class *)best;
}

void ingress_admit(struct cluster *c, struct ingress *ing)
{
	const struct ingress_class *dflt;

	if (ing->class_name || label_get(&ing->o.annotations, CLASS_ANNOTATION))
		return;
	dflt = ingress_default_class(c);
	if (dflt)
		ing->class_name = dflt->o.name;
}

str ingress_class_name(const struct ingress *ing)
{
	return ing->class_name ? ing->class_name : label_get(&ing->o.annotations, CLASS_ANNOTATION);
}

static bool refuse(const char **why, const char *text)
{
	if (why)
		*why = text;
	return false;
}

static bool taken(struct cluster *c, const struct ingress *ing, const char *controller, const struct l7_controller *who, struct arena *a, const char **why)
{
	str name = ingress_class_name(ing);
	const struct ingress_class *class;

	if (!name)
		return (who && who->classless) || refuse(why, "it has no class, and no IngressClass was the default when it was created");
	class = (const struct ingress_class *)cluster_find(c, &ingress_class_kind, NULL, name);
	if (!ing->class_name && who && who->annotation && streq(who->annotation, name))
		return true;                            /* the old annotation names the controller's own word, class object or not */
	if (!class)
		return refuse(why, arena_printf(a, "its class \"%s\" does not exist", name));
	if (!streq(class->controller, controller))
		return refuse(why, arena_printf(a, "its class \"%s\" belongs to the controller %s", name, class->controller ? class->controller : "(none)"));
	return true;
}

bool ingress_taken(struct cluster *c, const struct ingress *ing, const char *controller, struct arena *a, const char **why)
{
	return taken(c, ing, controller, controller_find(c, controller, a), a, why);
}

struct by_age { const struct ingress *ing; nsec born; };

static int oldest_first(const void *a, const void *b)
{
	const struct by_age *x = a, *y = b;
	int order = (x->born > y->born) - (x->born < y->born);

	order = order ? order : str_order(x->ing->o.ns, y->ing->o.ns);
	return order ? order : str_order(x->ing->o.name, y->ing->o.name);
}

struct served ingresses_served(struct cluster *c, const char *controller, struct arena *a)
{
	struct object_list all = cluster_list(c, &ingress_kind);
	struct served out = { .v = arena_array(a, const struct ingress *, all.nr) };
	struct by_age *v = calloc(all.nr + 1, sizeof(*v));
	const struct l7_controller *who = controller_find(c, controller, a);

	if (!v)
		abort();
	for (uint32_t k = 0; k < all.nr; k++) {
		const struct ingress *ing = (const struct ingress *)all.v[k];

		if (ing->o.deleted == NEVER && taken(c, ing, controller, who, a, NULL))
			v[out.nr++] = (struct by_age){ ing, object_born(&ing->o) };
	}
	qsort(v, out.nr, sizeof(*v), oldest_first);
	for (uint32_t k = 0; k < out.nr; k++)
		out.v[k] = v[k].ing;
	free(v);
	return out;
}
