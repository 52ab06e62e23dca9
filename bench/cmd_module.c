/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tdmem module: the model of the TDX module by hand.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bench/script.h"

static const char usage[] =
	"usage: tdmem module SCRIPT [--keep-going] [--quiet]\n"
	"\n"
	"Runs a script of calls to the model of the TDX module, one JSON "
	"object\n"
	"a line, and prints each call's answer.  \"-\" is standard input.\n"
	"\n"
	"  --keep-going  go on after an answer that was not the expected one\n"
	"  --quiet       print only what differs\n"
	"\n"
	"Exit status: 0 all answers as expected, 1 not so, 2 not a script.\n"
	"\n"
	"A TD, and what the module says about it:\n"
	"\n"
	"  "
	"{\"op\":\"tdmr\",\"base\":\"0x100000000\",\"size\":\"0x100000000\"}\n"
	"  {\"op\":\"td\",\"td\":0,\"vcpus\":1,\"gpaw\":48,"
	"\"state\":\"runnable\"}\n"
	"  {\"op\":\"show\",\"what\":\"tdr\",\"td\":0}\n"
	"  {\"op\":\"call\",\"name\":\"TDH.MEM.TRACK\",\"td\":0,"
	"\"expect\":{\"status\":\"0x0\"}}\n";

struct command {
	const char *script;
	bool keep_going, quiet, help;
};

static int parse(int argc, char **argv, struct command *c, struct err *e)
{
	bool options = true;
	int i;

	for (i = 1; i < argc; i++) {
		const char *arg = argv[i];

		if (!options || arg[0] != '-' || !strcmp(arg, "-")) {
			if (c->script)
				return err_set(e, EXIT_USAGE,
					       "module: one script at a time, "
					       "not also %s",
					       arg);
			c->script = arg;
		} else if (!strcmp(arg, "--")) {
			options = false;
		} else if (!strcmp(arg, "--keep-going")) {
			c->keep_going = true;
		} else if (!strcmp(arg, "--quiet")) {
			c->quiet = true;
		} else if (!strcmp(arg, "--help") || !strcmp(arg, "-h")) {
			c->help = true;
		} else {
			return err_set(e, EXIT_USAGE,
				       "module: unknown option %s", arg);
		}
	}
	if (!c->script && !c->help)
		return err_set(e, EXIT_USAGE,
			       "module: expected the name of a script");
	return 0;
}

static int run(const struct command *c, struct err *e)
{
	const bool from_stdin = !strcmp(c->script, "-");
	const struct script_options options = {
		.name = from_stdin ? "<stdin>" : c->script,
		.out = c->quiet ? NULL : stdout,
		.diag = stderr,
		.keep_going = c->keep_going,
	};
	struct script_result result;
	FILE *in = from_stdin ? stdin : fopen(c->script, "r");
	int ret;

	if (!in)
		return err_set(e, EXIT_USAGE, "%s: %s", c->script,
			       strerror(errno));
	ret = script_run(in, &options, &result, e);
	if (!from_stdin)
		fclose(in);
	if (ret)
		return -1;
	if (fflush(stdout) || ferror(stdout))
		return err_set(e, EXIT_FAILED,
			       "module: results could not be written: %s",
			       strerror(errno));
	if (!result.mismatches)
		return 0;
	return err_set(e, EXIT_FAILED,
		       "%s: %zu of %zu lines answered differently%s",
		       options.name, result.mismatches, result.lines,
		       c->keep_going ? "" : "; stopped at the first");
}

int cmd_module(int argc, char **argv)
{
	struct command c = {0};
	struct err e;

	if (parse(argc, argv, &c, &e)) {
		fprintf(stderr, "tdmem: %s (see tdmem module --help)\n",
			e.text);
		return (int)e.status;
	}
	if (c.help) {
		fputs(usage, stdout);
		return fflush(stdout) || ferror(stdout) ? EXIT_FAILED
							: EXIT_DONE;
	}
	if (!run(&c, &e))
		return EXIT_DONE;
	fflush(stdout);
	fprintf(stderr, "tdmem: %s\n", e.text);
	return (int)e.status;
}
