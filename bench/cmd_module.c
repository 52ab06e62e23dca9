/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tdmem module: the model of the TDX module by hand.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bench/base/args.h"
#include "bench/commands.h"
#include "bench/script/script.h"

static const char text[] =
	"One JSON object a line is executed and each call's answer printed; "
	"the format is\n"
	"in docs/module-script.md.  \"-\" is standard input.  Exit status: 0 "
	"all answers\n"
	"as expected, 1 not so, 2 not a script, 4 a race with --threads.\n"
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
	bool keep_going, quiet, threads;
};

static int parse(int argc, char **argv, struct command *c, struct err *e)
{
	const struct option_spec options[] = {
		{.name = "keep-going",
		 .letter = 'k',
		 .type = OPTION_FLAG,
		 .to = &c->keep_going,
		 .help = "go on after an answer that was not the expected one"},
		{.name = "quiet",
		 .letter = 'q',
		 .type = OPTION_FLAG,
		 .to = &c->quiet,
		 .help = "print only what differs"},
		{.name = "threads",
		 .letter = 't',
		 .type = OPTION_FLAG,
		 .to = &c->threads,
		 .help = "run calls on threads of this host's CPUs"},
		{.name = NULL},
	};
	const struct command_spec spec = {
		.name = "module",
		.operands = "SCRIPT",
		.min_operands = 1,
		.max_operands = 1,
		.summary = "Run a script of calls to the model of the TDX "
			   "module.",
		.text = text,
		.options = options,
	};
	struct operands operands;
	int status = args_parse(&spec, argc, argv, &operands, e);

	if (status == 0)
		c->script = operands.v[0];
	return status;
}

static int run(const struct command *c, struct err *e)
{
	const bool from_stdin = !strcmp(c->script, "-");
	const struct script_options options = {
		.name = from_stdin ? "<stdin>" : c->script,
		.out = c->quiet ? NULL : stdout,
		.diag = stderr,
		.keep_going = c->keep_going,
		.threads = c->threads,
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
	int status = parse(argc, argv, &c, &e);

	if (status == 0)
		status = run(&c, &e);
	fflush(stdout);
	return status < 0 ? fail(&e) : EXIT_DONE;
}
