/* The terminal program with everything behind it but the terminal: a lab, its commands, traces, lessons, undo; then random keys. */
#include "tests/tui/fake.h"
#include "tests/unit/test.h"
#include "viz/cli/labwork.h"
#include "viz/cli/tui_session.h"

#include <stdlib.h>
#include <unistd.h>

struct run { struct session session; struct tui_source source; struct tui *t; struct cells screen; struct cli cli; char path[300]; };

static void key(struct run *r, int k) { tui_step(r->t, &r->source, &(struct tui_event){ .kind = EV_KEY, .key = k }, NULL, NULL); }

static void type(struct run *r, const char *line)
{
	for (; *line; line++)
		key(r, *line == '\n' ? TK_ENTER : *line);
}

static const char *screen(struct run *r)
{
	return screen_text(r->t, &r->screen);
}

static void shows(struct run *r, const char *text)
{
	const char *have = screen(r);
	bool ok = strstr(have, text) != NULL;

	CU_ASSERT(ok);
	if (!ok)
		fprintf(stderr, "\nnot shown: %s\n%s\n", text, have);
}

static void hides(struct run *r, const char *text) { CU_ASSERT(!strstr(screen(r), text)); }

static bool command(struct run *r, const char *file)
{
	char *argv[] = { (char[]){ "podwire" }, (char[]){ "apply" }, (char[]){ "--lab" }, r->path, (char[]){ "-f" }, (char *)(uintptr_t)file, NULL };
	struct cli sub = { .arena = r->cli.arena, .argc = 6, .argv = argv, .to = fopen("/dev/null", "w") };
	struct err err = { 0 };
	bool ok = cli_run(&sub, 6, argv, &err) == ERR_NONE;

	fclose(sub.to);
	err_print(&err, stderr);
	err_free(&err);
	return ok;
}

static void open_screens(struct run *r, bool lesson)
{
	struct err err = { 0 };

	CU_ASSERT_FATAL(session_begin(&r->session, &r->cli, lesson, &err));
	r->source = session_source(&r->session);
	r->t = calloc(1, sizeof(*r->t));
	tui_init(r->t, &r->source, 100, 30);
	tui_step(r->t, &r->source, NULL, NULL, NULL);
	err_free(&err);
}

static void close_screens(struct run *r)
{
	tui_free(r->t);
	free(r->t);
	session_end(&r->session);
}

static void start(struct run *r)
{
	*r = (struct run){ .cli = { .arena = arena_new(NULL, "test"), .command = "tui" } };
	snprintf(r->path, sizeof(r->path), "%s/podwire-session-%d.db", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (int)getpid());
	labwork_remove(r->path);
}

static void begin_lab(struct run *r)
{
	start(r);
	CU_ASSERT_FATAL(command(r, "tests/tui/shop.yaml"));
	r->cli.lab = r->path;
	open_screens(r, false);
}

static void begin_files(struct run *r, const char *file, const char *more)
{
	start(r);
	vec_add(r->cli.arena, &r->cli.files, file);
	if (more)
		vec_add(r->cli.arena, &r->cli.files, more);
	open_screens(r, false);
}

static void end(struct run *r)
{
	close_screens(r);
	cells_free(&r->screen);
	labwork_remove(r->path);
	arena_free(r->cli.arena);
}

/* What the lab at hand keeps of a lesson. */
static bool keeps(struct run *r, const char *lesson, struct progress *p)
{
	struct err err = { 0 };
	struct lab *lab = lab_open(r->path, LAB_READ, NULL, &err);
	bool ok = lab && progress_read(lab, lesson, r->cli.arena, p, &err);

	lab_close(lab);
	err_free(&err);
	return ok;
}

static void tour(struct run *r)
{
	static const struct { const char *keys, *shows; } steps[] = {
		{ ":po\n", "NAMESPACE" }, { "G\n", "netns pod/shop/web" }, { "2", "image      nginx" }, { "3", "cali-tw-" }, { "4", "Scheduled" }, { "5", "apiVersion: v1" }, { "6", "Name:" },
		{ "7", "selected by" }, { "p", "10.244." }, { "i", "only a Service" }, { "qq:svc\n", "CLUSTER-IP" }, { ":describe svc/shop/web\n1", "EndpointSlice" },
		{ "i", "mode: iptables, not nftables" }, { "G", "KUBE-S" }, { "p", "iptables -t nat -N KUBE-SVC-" }, { "i", "nft add element ip kube-proxy service-ips" }, { "p", "chain on " }, { "qq:nodes\n\n", "netns node/" }, { "2", "rules of node/" },
		{ "qqq:show routes\n", "proto bird" }, { ":show conntrack\n", "none" }, { ":show ipam\n", "10.244." }, { ":show bgp\n", "full mesh" }, { ":trace deploy/web svc/web:80 -n shop\n", "hop 1" }, { "G", "shop.yaml:21" },
		{ "r", "1 of 6" }, { "e", "no rule was tried" }, { ":matrix --port 443\n", "tcp 443" }, { " ", "from ↓" }, { "\n", "why" }, { "v", "1 column" }, { "w", "warnings" }, { "?", "in this view: Events" },
		{ ":scale deploy/web --replicas 4 -n shop\n", "scaled" }, { ":fault node worker-1\n", "" }, { ":map\n", "broken: node" }, { "u", "undone: fault" }, { "+2s\n", "" },
		{ ":rules --node worker-1\n", "    chain filter-FORWARD" }, { ":nosuch\n", "unknown command" }, { ":trace pod/nobody svc/web\n", "not found" }, { ":compare 0s\n", "" },
		{ ":learn nodeport-source-ip\n", "step 1 of 4" }, { "lll", "step 4 of 4" }, { "1\n", "not so" }, { ":po\n", "web-" }, { "q", "step 4 of 4" }, { "h", "step 3 of 4" }, { ":label svc/web a=b\n", "step 3 of 4" },
		{ "q", "" }, { ":map\n", "nodes" },
	};

	for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
		type(r, steps[k].keys);
		shows(r, steps[k].shows);
	}
}

/* An answer goes into a file, and comes back as the same screen. */
static void saves_and_replays(struct run *r)
{
	char line[700];

	snprintf(line, sizeof(line), ":trace deploy/web svc/web:80 -n shop\ns%s.json\n", r->path);
	type(r, line);
	shows(r, "bytes written");
	snprintf(line, sizeof(line), ":replay %s.json\n", r->path);
	type(r, line);
	shows(r, "hop 1");
	snprintf(line, sizeof(line), "%s.json", r->path);
	unlink(line);
	snprintf(line, sizeof(line), ":replay %s\n", r->path);
	type(r, line);
	shows(r, r->path);                      /* a lab is no trace: it says so, with the file's name */
	snprintf(line, sizeof(line), ":compare %s\n", r->path);
	type(r, line);
	shows(r, "nothing differs");            /* two labs side by side: this one, twice */
}

TEST(tui_session_of_a_lab)
{
	struct run r;

	begin_lab(&r);
	tour(&r);
	type(&r, ":map\n:fault node worker-1\n");
	shows(&r, "broken: node worker-1");
	type(&r, ".");
	shows(&r, "NodeNotReady");              /* on to the next event, not merely to the next look */
	type(&r, "v");
	shows(&r, "kube-proxy    ");            /* the lab's past, replayed */
	shows(&r, "broken");
	type(&r, ":map\n:heal\n:delete netpol web-in -n shop\n:advance 60s\n:fault kubeProxy control-plane\n:delete pod -l app=web -n shop\n:advance 5s\nv");
	shows(&r, "lost ");                     /* its rules lead to Pods that are gone */
	shows(&r, "svc/shop/web: ");
	type(&r, ":map\n");
	saves_and_replays(&r);
	type(&r, ":matrix --port 80\nD5s\n");
	shows(&r, "compared with: 5s");
	shows(&r, "shop/web ×6                 ●   ●   ●   ✚");      /* among its own Pods, too */
	type(&r, ":at rev:1\n");
	shows(&r, "PAST");
	type(&r, ":advance 1s\n");
	shows(&r, "this is the past");
	type(&r, "A");
	end(&r);
}

TEST(tui_session_of_files)
{
	struct run r;

	begin_files(&r, "tests/tui/shop.yaml", NULL);
	tour(&r);
	end(&r);
}

/* What another API's policy decides is unknown, and sessions are those that the configuration makes. */
TEST(tui_shows_what_nobody_can_tell)
{
	struct run r;

	begin_files(&r, "tests/tui/shop.yaml", "tests/tui/foreign.yaml");
	shows(&r, "BIRD 1 of 1 up");
	shows(&r, "no BGP session");
	type(&r, ":matrix --port 80\nffront > web\n");
	shows(&r, "? cannot tell");
	shows(&r, "GlobalNetworkPolicy guard");
	shows(&r, "verdict   unknown");
	type(&r, ":map\n:fault bgp worker-2\n");
	shows(&r, "BIRD 0 of 1 up");
	type(&r, "v");
	shows(&r, "BGP ");
	end(&r);
}

TEST(tui_shows_the_rules_of_the_services_families)
{
	struct run r;

	begin_files(&r, "tests/tui/six.yaml", NULL);
	type(&r, ":svc\n/web\n\n");
	shows(&r, "(table ip6 kube-proxy)");
	shows(&r, "0  [fd00:10:244:");
	type(&r, "i");
	shows(&r, "(ip6tables, table nat)");
	type(&r, "qq:po\n/web\n\n3G");
	shows(&r, "dnat ip6 addr . port to");
	end(&r);

	begin_files(&r, "tests/tui/six.yaml", "tests/tui/iptables.yaml");
	type(&r, ":po\n/web\n\n3G");
	shows(&r, "-j DNAT --to-destination");
	hides(&r, " - [0:0]");
	end(&r);

	begin_files(&r, "tests/tui/dual.yaml", "tests/tui/iptables.yaml");
	type(&r, ":po\n/web\n\n3");
	shows(&r, "-s 10.244.");
	type(&r, "G");
	shows(&r, "[fd00:10:244:");
	end(&r);
}

TEST(tui_session_needs_no_lab_for_a_lesson)
{
	struct run r;
	struct err err = { 0 };
	char dir[] = "/tmp/podwire-empty-XXXXXX", here[1024];

	start(&r);
	CU_ASSERT_FATAL(mkdtemp(dir) && getcwd(here, sizeof(here)));
	CU_ASSERT_FATAL(chdir(dir) == 0);
	CU_ASSERT(!session_begin(&r.session, &r.cli, false, &err) && err_any(&err));
	err_free(&err);
	open_screens(&r, true);
	type(&r, ":learn lb-pending\nl");
	shows(&r, "task svc/web has an address of 192.0.2.0/24");
	type(&r, "ee");
	shows(&r, "L2Advertisement");
	type(&r, "q:learn named-port\nl");
	shows(&r, "   task svc/label answers");
	type(&r, ":patch svc label --type merge -p '{\"spec\":{\"selector\":{\"app\":\"web\"},\"ports\":[{\"port\":80,\"targetPort\":8080}]}}'\n");
	shows(&r, "✓ task svc/label answers");   /* one of the two is reached, by a way that the author did not take */
	shows(&r, "   and  svc/port answers");
	type(&r, ":label pod web app=web --overwrite\n:patch svc port --type merge -p '{\"spec\":{\"ports\":[{\"port\":80,\"targetPort\":8080}]}}'\n");
	shows(&r, "done; L shows the other lessons");
	type(&r, "uu");
	shows(&r, "✓ task svc/label answers");
	type(&r, "h:delete pod client\n:po\nG");
	hides(&r, " client ");
	type(&r, "qR:po\n");                           /* the first step, too, begins anew */
	shows(&r, " client ");
	type(&r, "qq:learn lb-pending\nl");
	type(&r, "l");
	shows(&r, "the task was done for you");
	type(&r, "q");
	shows(&r, "worker-2");
	type(&r, ":get nodes -o name\n");
	shows(&r, "node/worker-1");
	end(&r);
	CU_ASSERT(chdir(here) == 0 && rmdir(dir) == 0);
}

static void write_lesson(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	CU_ASSERT_FATAL(f != NULL);
	fputs(text, f);
	CU_ASSERT(fclose(f) == 0);
}

/* Somebody writes a lesson and looks at it: begun anew it may be broken. */
TEST(tui_bears_a_lesson_that_was_broken)
{
	struct run r;
	char path[320], learn[400];

	begin_files(&r, "tests/tui/shop.yaml", NULL);
	snprintf(path, sizeof(path), "%s.yaml", r.path);
	snprintf(learn, sizeof(learn), ":learn %s\n", path);
	write_lesson(path, "apiVersion: podwire.io/v1\nkind: Scenario\nmetadata: {name: mine}\nspec: {title: Mine, steps: [{name: one, say: look here}]}\n");
	type(&r, learn);
	shows(&r, "look here");
	type(&r, "R");
	shows(&r, "look here");
	write_lesson(path, "apiVersion: [\n");
	type(&r, "R");
	hides(&r, "look here");
	shows(&r, "worker-1");
	type(&r, "jlR");
	screen(&r);
	CU_ASSERT(remove(path) == 0);
	end(&r);
}

/* What a learner did stays in the lab: a lesson goes on where it was left, with what was typed; R begins it anew. */
/* w draws what is on the screen. */
TEST(tui_draws_what_it_shows)
{
	static const struct { const char *keys, *graph; } screens[] = {
		{ ":describe svc/shop/web\n", "digraph svc " }, { ":describe node/worker-1\n", "digraph \"node\" " }, { ":po\nG\n", "digraph pod " }, { ":matrix --port 443\n", "digraph matrix " },
		{ ":trace deploy/web svc/web:80 -n shop\n", "digraph trace " }, { ":nodes\n", "digraph cluster " },
	};
	struct run r;

	begin_files(&r, "tests/tui/shop.yaml", NULL);
	for (size_t k = 0; k < ARRAY_LEN(screens); k++) {
		char line[700], file[400], text[64] = "";
		FILE *f;

		snprintf(file, sizeof(file), "%s %zu.dot", r.path, k);
		type(&r, screens[k].keys);
		type(&r, "w");
		while (r.t->ask.at)
			key(&r, TK_BACKSPACE);
		snprintf(line, sizeof(line), "%s\n", file);
		type(&r, line);
		f = fopen(file, "r");
		CU_ASSERT_PTR_NOT_NULL(f);
		if (f) {
			CU_ASSERT(fgets(text, sizeof(text), f) && strncmp(text, screens[k].graph, strlen(screens[k].graph)) == 0);
			fclose(f);
		}
		unlink(file);
		for (int i = 0; i < 4; i++)
			key(&r, TK_ESC);
	}
	end(&r);
}

/* Who gives up at the last step has it done, too. */
TEST(tui_does_the_last_task)
{
	struct run r;

	begin_files(&r, "tests/tui/shop.yaml", NULL);
	type(&r, ":learn named-port\nl");
	shows(&r, "step 2 of 2");
	shows(&r, "→ does it for you");
	type(&r, "l");
	shows(&r, "step 2 of 2");
	shows(&r, "the task was done for you");
	shows(&r, "done; L shows the other lessons");
	type(&r, "l");
	shows(&r, "this was the last step");
	end(&r);
}

TEST(tui_keeps_progress_in_the_lab)
{
	struct run r;
	struct progress p;

	begin_lab(&r);
	type(&r, ":learn lb-pending\nle:label svc/web a=b\n:annotate svc/web c=d\nu1");
	type(&r, ":map\nq");
	close_screens(&r);
	open_screens(&r, false);
	type(&r, ":learn\n");
	shows(&r, "2 of ");
	type(&r, ":learn lb-pending\n");
	shows(&r, "step 2 of");
	shows(&r, "hint");
	type(&r, ":get svc web -o yaml\n");
	shows(&r, "a: b");
	type(&r, "q");
	CU_ASSERT(keeps(&r, "lb-pending", &p) && p.at == 1 && p.steps[1].hints == 1 && p.steps[1].commands.nr == 1 && streq(p.steps[1].commands.v[0], "label svc/web a=b"));
	type(&r, "R");
	shows(&r, "step 1 of");
	CU_ASSERT(keeps(&r, "lb-pending", &p) && p.at == 0 && p.steps[1].commands.nr == 0 && p.steps[1].hints == 0);
	end(&r);
}

TEST(tui_session_survives_random_keys)
{
	static const int special[] = { TK_UP, TK_DOWN, TK_LEFT, TK_RIGHT, TK_PAGE_DOWN, TK_END, TK_TAB, TK_ENTER, TK_ENTER, TK_ENTER, TK_ESC };
	static const char *const lines[] = { ":po\n", ":svc\n", ":trace deploy/web svc/web:80 -n shop\n", ":learn nodeport-source-ip\n", "m", "v", ":advance 1s\n", ":scale deploy/web --replicas 1 -n shop\n",
		":fault bgp worker-1\n", "u", ":at 1s\n", "A", ":describe pod/shop/x\n", ":show listeners\n", ":delete pod -l app=web -n shop\n", ":events\n", ":compare 0s\n", "[", "]", "-" };
	uint64_t x = 4101842887655102017u;
	struct run r;

	begin_lab(&r);
	for (int k = 0; k < 1500; k++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		if (x % 10 < 7)
			key(&r, special[(x >> 8) % ARRAY_LEN(special)]);
		else if (x % 10 < 8)
			key(&r, (int)('1' + (x >> 8) % 8));
		else {
			key(&r, TK_ESC);
			type(&r, lines[(x >> 8) % ARRAY_LEN(lines)]);
		}
		r.t->quit = false;
		screen(&r);
	}
	end(&r);
}
