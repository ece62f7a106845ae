/* completion: scripts for shells, from the tables of commands and options. Names of objects are asked of the lab (or of -f) while one types. */
#include "viz/cli/cli.h"
#include "viz/diagram/figure.h"

struct options_out { FILE *f; const char *command; /* fish: whose options; bash_file: what comes before the next */ };

/* Plain words between bars: light|dark|mono. A value with a blank, a sign or a capital is a kind of value, not a word to type. */
static bool is_words(const char *arg)
{
	size_t n = arg ? strspn(arg, "abcdefghijklmnopqrstuvwxyz0123456789-|") : 0;

	return n && memchr(arg, '|', n) && (!arg[n] || arg[n] == ' ');
}

static void put_words(FILE *f, const char *arg)
{
	for (; *arg && *arg != ' '; arg++)
		fputc(*arg == '|' ? ' ' : *arg, f);
}

static void fish_text(FILE *f, const char *s)
{
	fputc('\'', f);
	for (; *s; s++) {
		if (*s == '\'' || *s == '\\')
			fputc('\\', f);
		fputc(*s, f);
	}
	fputc('\'', f);
}

/* ---- bash, and zsh by its bashcompinit */

static void bash_value(void *ctx, const char *name, char letter, const char *arg, const char *help)
{
	struct options_out *o = ctx;

	(void)letter;
	(void)help;
	if (is_words(arg)) {
		fprintf(o->f, "\t--%s) COMPREPLY=($(compgen -W '", name);
		put_words(o->f, arg);
		fputs("' -- \"$cur\")); return ;;\n", o->f);
	}
}

static void bash_file(void *ctx, const char *name, char letter, const char *arg, const char *help)
{
	struct options_out *o = ctx;

	(void)help;
	if (arg && (strstr(arg, "FILE") || strstr(arg, "DIR"))) {
		fprintf(o->f, "%s--%s", o->command, name);
		if (letter)
			fprintf(o->f, " | -%c", letter);
		o->command = " | ";
	}
}

static void bash_option(void *ctx, const char *name, char letter, const char *arg, const char *help)
{
	(void)letter;
	(void)arg;
	(void)help;
	fprintf(((struct options_out *)ctx)->f, " --%s", name);
}

static const char bash_end[] =
	"\tcase $cur in\n"
	"\t-*) COMPREPLY=($(compgen -W \"$options\" -- \"$cur\")); return ;;\n"
	"\t*/*) COMPREPLY=($(compgen -W \"$(podwire get \"${cur%%/*}\" -o name \"${about[@]}\" 2>/dev/null | sed \"s|.*/|${cur%%/*}/|\")\" -- \"$cur\")); return ;;\n"
	"\tesac\n"
	"\tcase $command in\n"
	"\tget | describe | delete | label | annotate | patch | scale | why | timeline)\n"
	"\t\tCOMPREPLY=($(compgen -W \"$(podwire api-resources | awk 'NR > 1 {print $1}')\" -- \"$cur\")) ;;\n"
	"\tdraw) COMPREPLY=($(compgen -W \"$figures\" -- \"$cur\")); [[ ${COMPREPLY[*]} != */ ]] || compopt -o nospace 2>/dev/null ;;\n"
	"\thelp) COMPREPLY=($(compgen -W \"$commands\" -- \"$cur\")) ;;\n"
	"\tlearn) COMPREPLY=($(compgen -W \"all export reset $(podwire learn 2>/dev/null | awk '!NF {exit} NR > 1 {print $1}')\" -- \"$cur\")) ;;\n"
	"\tapply | diff | run | import | report) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
	"\t*) COMPREPLY=($(compgen -W 'pod/ svc/ deploy/ node/ client' -- \"$cur\")); compopt -o nospace 2>/dev/null ;;\n"
	"\tesac\n"
	"}\n"
	"complete -o default -F _podwire podwire\n";

static void bash(FILE *f)
{
	struct options_out o = { f, NULL };

	fputs("_podwire() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command= options= commands='", f);
	for (const struct command *c = commands; c->name; c++)
		fprintf(f, "%s%s", c == commands ? "" : " ", c->name);
	fputs("' k\n\tlocal -a about=()\n"
	      "\tfor ((k = 1; k < COMP_CWORD; k++)); do\n"
	      "\t\tcase ${COMP_WORDS[k]} in\n"
	      "\t\t-f | -n | --filename | --namespace | --lab | --cni) about+=(\"${COMP_WORDS[k]}\" \"${COMP_WORDS[k + 1]}\"); k=$((k + 1)) ;;\n"
	      "\t\t-*) ;;\n"
	      "\t\t*) [ -n \"$command\" ] || command=${COMP_WORDS[k]} ;;\n"
	      "\t\tesac\n"
	      "\tdone\n"
	      "\tif [ -z \"$command\" ]; then COMPREPLY=($(compgen -W \"$commands\" -- \"$cur\")); return; fi\n"
	      "\tcase $prev in\n\t", f);
	o.command = "";
	options_each(~0u, bash_file, &o);
	fputs(") COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n", f);
	options_each(~0u, bash_value, &o);
	fputs("\tesac\n\tcase $command in\n", f);
	for (const struct command *c = commands; c->name; c++) {
		fprintf(f, "\t%s) options='", c->name);
		options_each(c->takes, bash_option, &o);
		fputs("' ;;\n", f);
	}
	fputs("\tesac\n\tlocal figures='", f);
	for (const struct figure *k = figures; k->name; k++)
		fprintf(f, "%s%s", k == figures ? "" : " ", k->name);
	fputs("'\n\tif [ \"$prev\" = \"$command\" ] && [[ $cur != -* ]]; then case $command in\n", f);
	for (const struct command *c = commands; c->name; c++)
		if (is_words(c->args)) {
			fprintf(f, "\t%s) COMPREPLY=($(compgen -W '", c->name);
			put_words(f, c->args);
			fputs("' -- \"$cur\")); return ;;\n", f);
		}
	fputs("\tesac; fi\n", f);
	fputs(bash_end, f);
}

/* ---- fish */

static void fish_option(void *ctx, const char *name, char letter, const char *arg, const char *help)
{
	struct options_out *o = ctx;

	fprintf(o->f, "complete -c podwire -n '__fish_seen_subcommand_from %s' -l %s", o->command, name);
	if (letter)
		fprintf(o->f, " -s %c", letter);
	if (arg)
		fputs(" -r", o->f);
	if (is_words(arg)) {
		fputs(" -f -a '", o->f);
		put_words(o->f, arg);
		fputc('\'', o->f);
	}
	fputs(" -d ", o->f);
	fish_text(o->f, help);
	fputc('\n', o->f);
}

/* Behind KIND/ the names of that kind, in the lab or in what -f names. */
static const char fish_names[] =
	"function __podwire_names\n"
	"\tset -l cur (commandline -ct)\n"
	"\tstring match -q '*/*' -- $cur; or return\n"
	"\tset -l kind (string split -m 1 / -- $cur)[1]\n"
	"\tset -l about\n"
	"\tset -l words (commandline -opc)\n"
	"\tfor k in (seq (count $words))\n"
	"\t\tif contains -- $words[$k] -f -n --filename --namespace --lab --cni; and test $k -lt (count $words)\n"
	"\t\t\tset about $about $words[$k] $words[(math $k + 1)]\n"
	"\t\tend\n"
	"\tend\n"
	"\tpodwire get $kind -o name $about 2>/dev/null | string replace -r '.*/' $kind/\n"
	"end\n"
	"complete -c podwire -n 'string match -q \"*/*\" -- (commandline -ct)' -a '(__podwire_names)'\n";

static void fish(FILE *f)
{
	for (const struct command *c = commands; c->name; c++) {
		struct options_out o = { f, c->name };

		fprintf(f, "complete -c podwire -n __fish_use_subcommand -f -a %s -d ", c->name);
		fish_text(f, c->help);
		fputc('\n', f);
		options_each(c->takes, fish_option, &o);
	}
	for (const struct command *c = commands; c->name; c++)
		if (is_words(c->args)) {
			fprintf(f, "complete -c podwire -n '__fish_seen_subcommand_from %s' -f -a '", c->name);
			put_words(f, c->args);
			fputs("'\n", f);
		}
	fputs(fish_names, f);
	fputs("complete -c podwire -n '__fish_seen_subcommand_from get describe delete why timeline' -f -a '(podwire api-resources | tail -n +2 | string split -f 1 \" \")'\n", f);
}

enum err_kind cmd_completion(struct cli *cli, struct err *err)
{
	const char *shell = cli->args.nr ? cli->args.v[0] : "";

	if (strcmp(shell, "zsh") == 0)
		fputs("autoload -U +X bashcompinit && bashcompinit\n", cli->to);
	if (strcmp(shell, "bash") == 0 || strcmp(shell, "zsh") == 0)
		bash(cli->to);
	else if (strcmp(shell, "fish") == 0)
		fish(cli->to);
	else
		return cli_usage(cli, err, "\"%s\" is not bash, zsh or fish", shell);
	return ERR_NONE;
}
