/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <unistd.h>

#include "bench/base/args.h"
#include "bench/commands.h"
#include "bench/report/report.h"

bool stdout_colour(void)
{
	const char *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && (!no || !no[0]);
}

static const char text[] =
	"Prints for each workload the policies side by side over vCPUs, then\n"
	"latencies, BUSY, kicks and wasted time, and at the end which policy "
	"is best.\n"
	"\n"
	"Example: tdmem show --brief results/quick-20260131-1.json\n";

int cmd_show(int argc, char **argv)
{
	bool brief = false;
	const struct option_spec options[] = {
		{.name = "brief",
		 .letter = 'b',
		 .type = OPTION_FLAG,
		 .to = &brief,
		 .help = "rates and verdict only"},
		{.name = NULL},
	};
	const struct command_spec spec = {
		.name = "show",
		.operands = "RESULT",
		.min_operands = 1,
		.max_operands = 1,
		.summary = "Show what a result says, as tables.",
		.text = text,
		.options = options,
	};
	struct operands operands;
	struct report report;
	struct err e;
	int status = args_parse(&spec, argc, argv, &operands, &e);

	if (status)
		return status < 0 ? fail(&e) : EXIT_DONE;
	if (report_load(operands.v[0], &report, &e))
		return fail(&e);
	report_print(&report, brief ? REPORT_BRIEF : REPORT_FULL,
		     stdout_colour(), stdout);
	report_free(&report);
	return EXIT_DONE;
}
