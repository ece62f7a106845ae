/* From words to a command: finds it in the table, reads its options, runs it. */
#include "viz/cli/cli.h"

/* What kubectl users type and podwire does by another word, or cannot do. */
static const struct { const char *word, *instead; } foreign[] = {
	{ "replace", "podwire apply -f FILE" }, { "explain", "podwire api-resources lists the kinds; apply names each unknown field, and the nearest that there is" },
	{ "top", "nothing is measured; podwire describe node NAME adds up what is requested" }, { "port-forward", "podwire trace pod/FROM pod/NAME:PORT, or podwire exec in a lab that is up" },
	{ "proxy", "there is no API server; podwire get KIND/NAME -o json" }, { "debug", "podwire up, then podwire exec node/NAME -- COMMAND" },
	{ "attach", "podwire up, then podwire exec pod/NAME -- COMMAND" }, { "cp", "podwire up, then podwire exec pod/NAME -- COMMAND" },
	{ "cluster-info", "podwire get nodes, podwire draw cluster" }, { "config", "a lab is a file: --lab FILE or $PODWIRE_LAB" },
	{ "auth", "who may do what in the API is not modelled" }, { "kustomize", "kustomize build DIR | podwire … -f -" }, { "api-versions", "podwire api-resources" },
};

static enum err_kind unknown_command(const char *word, struct err *err)
{
	const char *names[128] = { NULL };
	size_t nr = 0;

	for (size_t k = 0; k < ARRAY_LEN(foreign); k++)
		if (strcmp(word, foreign[k].word) == 0)
			return err_add(err, ERR_INPUT, NULL, "there is no command \"%s\" here: %s", word, foreign[k].instead), ERR_INPUT;

	for (const struct command *c = commands; c->name && nr + 1 < ARRAY_LEN(names); c++)
		names[nr++] = c->name;
	if (nearest(word, names))
		err_add(err, ERR_INPUT, NULL, "unknown command \"%s\"; did you mean \"%s\"? podwire help lists all", word, nearest(word, names));
	else
		err_add(err, ERR_INPUT, NULL, "unknown command \"%s\"; podwire help lists all", word);
	return ERR_INPUT;
}

/* Options may stand before the command's word: podwire -n shop get pods. */
static int command_at(int argc, char **argv)
{
	for (int k = 1; k < argc; k++) {
		if (argv[k][0] != '-')
			return k;
		if (!strchr(argv[k], '=') && (strcmp(argv[k], "--lab") == 0 || strcmp(argv[k], "-n") == 0 || strcmp(argv[k], "--namespace") == 0 ||
					      strcmp(argv[k], "--seed") == 0 || strcmp(argv[k], "-o") == 0))
			k++;
	}
	return 0;
}

enum err_kind cli_run(struct cli *cli, int argc, char **argv, struct err *err)
{
	int at = command_at(argc, argv);
	const struct command *c;
	char **words = arena_array(cli->arena, char *, argc);
	enum err_kind how;

	if (!at) {
		bool version = argc > 1 && strcmp(argv[1], "--version") == 0;

		return version ? cmd_version(cli, err) : cmd_help(cli, err);
	}
	c = command_find(argv[at]);
	if (!c)
		return unknown_command(argv[at], err);
	cli->command = c->name;
	for (int k = 1, n = 0; k < argc; k++)
		if (k != at)
			words[n++] = argv[k];
	if (!options_parse(cli, c->takes, argc - 2, words, err))
		return ERR_INPUT;
	if (cli->help) {
		vec_add(cli->arena, &cli->args, c->name);
		return cmd_help(cli, err);
	}
	if (cli->mode && strcmp(cli->mode, "sim") != 0 && strcmp(cli->mode, "linux") != 0)
		return cli_usage(cli, err, "--mode: \"%s\" is not sim or linux", cli->mode);
	how = c->run(cli, err);
	return err_any(err) && how == ERR_NONE ? err_kind(err) : how;
}
