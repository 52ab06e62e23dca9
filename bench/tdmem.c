/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/base/err.h"
#include "bench/base/man.h"
#include "bench/base/plain.h"
#include "bench/commands.h"

static const struct command {
	const char *name;
	const char *operands;
	const char *summary;
	int (*function)(int argc, char **argv);
} commands[] = {
	{"run", "CONFIG", "run a matrix of cells, write one result file",
	 cmd_run},
	{"show", "RESULT", "what a result says, as tables", cmd_show},
	{"compare", "BASE NEW", "what changed, with statistics and a gate",
	 cmd_compare},
	{"export", "RESULT", "a result as CSV and other formats", cmd_export},
	{"trend", "DIR", "where the results of a folder changed over time",
	 cmd_trend},
	{"plot", "RESULT...", "pictures of results, by gnuplot", cmd_plot},
	{"explore", "CLAIM", "can it ever?  Every order of a small scenario",
	 cmd_explore},
	{"calibrate", "", "measure this host's primitives into a cost table",
	 cmd_calibrate},
	{"validate", "[GROUP]...", "the model beside what is known of it",
	 cmd_validate},
	{"timeline", "CONFIG", "one run of one cell, event by event",
	 cmd_timeline},
	{"list", "[WHAT]",
	 "workloads, policies, backends, metrics, costs", cmd_list},
	{"env", "", "this host, and what each backend can do on it",
	 cmd_env},
	{"module", "SCRIPT", "the TDX module model by hand: a call, its answer",
	 cmd_module},
};

enum { NR_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const char summary[] =
	"What it costs a TDX host to give private memory to a TD and to take "
	"it back,\n"
	"how that scales with vCPUs, and what to do when the TDX module "
	"answers BUSY.\n";

static void print_help(void)
{
	size_t widest = 0;

	printf("Usage: tdmem COMMAND [OPTION]... [OPERAND]...\n\n%s\n",
	       summary);
	for (size_t i = 0; i < NR_COMMANDS; i++) {
		size_t n =
			strlen(commands[i].name) + strlen(commands[i].operands);

		widest = n > widest ? n : widest;
	}
	for (size_t i = 0; i < NR_COMMANDS; i++) {
		int room = (int)(widest - strlen(commands[i].name));

		printf("  tdmem %s %-*s  %s\n", commands[i].name, room,
		       commands[i].operands, commands[i].summary);
	}
	puts("\ntdmem COMMAND --help tells the options; --version the "
	     "version.\n"
	     "\n"
	     "Exit status: 0 done, 1 failed, 2 wrong usage or configuration,\n"
	     "3 regression found, 4 not supported here.");
}

static void print_man(void)
{
	struct man_item item[NR_COMMANDS];

	for (size_t i = 0; i < NR_COMMANDS; i++)
		item[i] = (struct man_item){commands[i].name,
					    commands[i].operands,
					    commands[i].summary};
	man_program(summary, item, NR_COMMANDS);
}

static int bad_usage(const char *what, const char *name)
{
	char plain[64];

	plain_copy(plain, sizeof(plain), name ? name : "");
	fprintf(stderr, "tdmem: %s%s; see tdmem --help\n", what, plain);
	return EXIT_USAGE;
}

static int dispatch(int argc, char **argv)
{
	if (argc < 2)
		return bad_usage("expected a command", NULL);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    (argc == 2 && strcmp(argv[1], "help") == 0)) {
		print_help();
		return EXIT_DONE;
	}
	if (strcmp(argv[1], "--help=man") == 0) {
		print_man();
		return EXIT_DONE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("tdmem " TDMEM_VERSION);
		return EXIT_DONE;
	}
	for (size_t i = 0; i < NR_COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].function(argc - 1, argv + 1);
	return bad_usage(argv[1][0] == '-' ? "unknown option "
					   : "unknown command ",
			 argv[1]);
}

/*
 * A standard stream that is closed would give its number to the next file
 * that is opened, and what is printed would go into that.
 */
static void reserve_streams(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", O_RDONLY) != fd)
			_exit(EXIT_FAILED);
}

int main(int argc, char **argv)
{
	int status;

	reserve_streams();
	/* Both then are write errors, which are looked for and told. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	status = dispatch(argc, argv);
	if (fflush(stdout) || ferror(stdout)) {
		if (status == EXIT_DONE)
			fprintf(stderr, "tdmem: stdout: %s\n", strerror(errno));
		return status == EXIT_DONE ? EXIT_FAILED : status;
	}
	return status;
}
