/* routes: the effective HTTP routing table of every controller and Gateway, and what is wrong in it. Ingresses and Gateways that nobody serves come last. */
#include "model/l7/controllers.h"
#include "model/l7/gateway.h"
#include "model/l7/ingress.h"
#include "model/l7/mesh.h"
#include "viz/cli/cli.h"

struct listing { struct cluster *c; struct arena *a; struct sb *out; struct val *tables, *unserved; uint32_t nr; };

static void table(struct listing *l, const struct route_table *t, struct lb_list at)
{
	struct val *json = val_add(l->a, l->tables, val_new(l->a, VAL_MAP)), *addresses;

	if (l->nr++)
		sb_addc(l->out, '\n');
	routes_print(t, l->out, json, l->a);
	addresses = val_put(l->a, json, "addresses", val_new(l->a, VAL_LIST));
	for (uint32_t k = 0; k < at.nr; k++)
		val_add(l->a, addresses, val_string(l->a, at.v[k].ip ? at.v[k].ip : at.v[k].hostname));
}

static void unserved(struct listing *l, const struct object *o, const char *why)
{
	struct val *v = val_add(l->a, l->unserved, val_new(l->a, VAL_MAP));
	const char *place = o->file ? arena_printf(l->a, "%s:%u", o->file, o->line) : "";

	if (l->unserved->nr == 1)
		sb_printf(l->out, "%sserved by nobody\n", l->nr ? "\n" : "");
	sb_printf(l->out, "  ! %s%s%s %s/%s: %s\n", place, *place ? ": " : "", o->kind->name, o->ns, o->name, why);
	val_put(l->a, v, "object", val_string(l->a, arena_printf(l->a, "%s %s/%s", o->kind->name, o->ns, o->name)));
	val_put(l->a, v, "place", *place ? val_string(l->a, place) : val_new(l->a, VAL_NULL));
	val_put(l->a, v, "why", val_string(l->a, why));
}

static void ingresses(struct listing *l, const struct l7_controller *v, uint32_t nr)
{
	struct object_list all = cluster_list(l->c, &ingress_kind);

	for (uint32_t k = 0; k < all.nr; k++) {
		const struct ingress *ing = (const struct ingress *)all.v[k];
		const char *why = NULL, *name = ingress_class_name(ing);
		const struct ingress_class *class = (const struct ingress_class *)(name ? cluster_find(l->c, &ingress_class_kind, NULL, name) : NULL);
		bool taken = false;

		for (uint32_t i = 0; i < nr && !taken; i++)
			taken = ingress_taken(l->c, ing, v[i].name, l->a, &why);
		if (taken)
			continue;
		if (class)
			why = arena_printf(l->a, "no controller %s runs, to which its class \"%s\" belongs", class->controller ? class->controller : "(none)", name);
		else if (!nr || !why)
			why = name ? arena_printf(l->a, "its class \"%s\" does not exist", name) : "it has no class, and no IngressClass was the default when it was created";
		unserved(l, &ing->o, why);
	}
}

static void gateways(struct listing *l)
{
	struct object_list all = cluster_list(l->c, &gateway_kind);

	for (uint32_t k = 0; k < all.nr; k++) {
		const struct gateway *gw = (const struct gateway *)all.v[k];
		const char *name = gateway_controller_name(l->c, gw);
		const struct l7_controller *who = name ? controller_find(l->c, name, l->a) : NULL;
		const struct service *s = who ? gateway_service(l->c, gw, who) : NULL;

		if (who)
			table(l, routes_compile_gateway(l->c, gw, l->a), s ? (struct lb_list){ s->lb_ingress.v, s->lb_ingress.nr } : (struct lb_list){ NULL, 0 });
		else
			unserved(l, &gw->o, name ? arena_printf(l->a, "no controller %s runs", name) : arena_printf(l->a, "its class \"%s\" does not exist", gw->class_name));
	}
}

/* Istio's Gateways: one table for each kind of Pod that they select, by its first Pod. */
static void istio_gateways(struct listing *l)
{
	struct object_list pods = cluster_list(l->c, &pod_kind), all = cluster_list(l->c, &istio_gateway_kind);
	struct map seen = { 0 };

	for (uint32_t k = 0; all.nr && k < pods.nr; k++) {
		const struct pod *p = (const struct pod *)pods.v[k];
		str owner = p->o.owners.nr ? p->o.owners.v[0].uid : p->o.uid;
		struct route_table *t = map_find(&seen, map_ptr(owner)) ? NULL : routes_compile_istio(l->c, p, NULL, l->a);

		map_put(&seen, l->a, map_ptr(owner));
		if (t)
			table(l, t, (struct lb_list){ NULL, 0 });
	}
	for (uint32_t k = 0; k < all.nr; k++) {
		const struct raw_object *gw = (const struct raw_object *)all.v[k];
		bool taken = false;

		for (uint32_t i = 0; i < pods.nr && !taken; i++) {
			taken = true;
			VAL_EACH(v, val_get(gw->spec, "selector"))
				taken = taken && streq(label_get(&pods.v[i]->labels, v->key), val_str(v));
		}
		if (!taken)
			unserved(l, &gw->o, "its selector takes no Pod: no gateway of that kind is installed");
	}
}

static void list(struct listing *l)
{
	uint32_t nr;
	const struct l7_controller *v = controllers_list(l->c, l->a, &nr);

	for (uint32_t k = 0; k < nr; k++)
		if (ingresses_served(l->c, v[k].name, l->a).nr || !(cluster_count(l->c, &gateway_kind) + cluster_count(l->c, &istio_gateway_kind)))
			table(l, routes_compile_ingress(l->c, v[k].name, l->a), controller_addresses(l->c, &v[k], l->a));
	gateways(l);
	istio_gateways(l);
	ingresses(l, v, nr);
	if (!l->nr && !l->unserved->nr)
		sb_add(l->out, "no controller runs, and there is no Ingress and no Gateway: --controller NAME gives the cluster a controller\n");
}

enum err_kind cmd_routes(struct cli *cli, struct err *err)
{
	struct world w;
	struct sb out = { 0 }, json = { 0 };
	struct val *root;
	struct listing l;

	if (cli->args.nr)
		return cli_usage(cli, err, "routes takes no argument");
	if (cli->output && !cli_output_is(cli, "json") && !cli_output_is(cli, "text"))
		return cli_usage(cli, err, "-o: \"%s\" is not text or json", cli->output);
	if (!cli_world(cli, &w, err))
		return err_kind(err);
	root = val_new(cli->arena, VAL_MAP);
	l = (struct listing){ .c = w.cluster, .a = cli->arena, .out = &out };
	l.tables = val_put(cli->arena, root, "tables", val_new(cli->arena, VAL_LIST));
	l.unserved = val_put(cli->arena, root, "unserved", val_new(cli->arena, VAL_LIST));
	list(&l);
	if (cli_output_is(cli, "json")) {
		val_print_json(root, &json, 2, false);
		sb_addc(&json, '\n');
	}
	fputs(sb_text(cli_output_is(cli, "json") ? &json : &out), cli->to);
	sb_free(&out);
	sb_free(&json);
	world_free(&w);
	return err_kind(err);
}
