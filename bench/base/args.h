/* SPDX-License-Identifier: GPL-2.0-only */
/* The one parser of command lines: options are a table. */
#ifndef TDMEM_BENCH_BASE_ARGS_H
#define TDMEM_BENCH_BASE_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/base/err.h"
#include "bench/base/strlist.h"

enum option_type {
	OPTION_FLAG,   /* to: bool */
	OPTION_STRING, /* to: const char * */
	OPTION_NUMBER, /* to: long, within min..max */
	OPTION_REAL,   /* to: double, within min..max */
	OPTION_LIST,   /* to: struct strings; may be repeated */
};

struct option_spec {
	const char *name; /* without the dashes; NULL ends the table */
	char letter;	  /* 0: none */
	enum option_type type;
	const char *value; /* what help calls the value */
	const char *help;
	void *to;
	long min, max;
};

/** What a command takes.  `--help` is understood by all. */
struct command_spec {
	const char *name;
	const char *operands; /* for help: "CONFIG", "[WHAT]", "" */
	size_t min_operands, max_operands; /* at most MAX_OPERANDS */
	const char *summary;
	const char *text; /* for help, after the options; may be NULL */
	const struct option_spec *options;
};

/* As many results as one comparison can have. */
enum { MAX_OPERANDS = 64 };

struct operands {
	const char *v[MAX_OPERANDS];
	size_t n;
};

/**
 * Parse argv[1..] (argv[0] is the command's name).  Returns 0 to go on, 1
 * when --help or the manual page was printed, or -1 with *e.
 */
int args_parse(const struct command_spec *spec, int argc, char **argv,
	       struct operands *operands, struct err *e);

/**
 * What is wrong with the line of a command, and the value that is, unless
 * NULL.  Returns -1 with *e.
 */
int args_bad(const char *command, struct err *e, const char *what,
	     const char *value);

/** Print "tdmem: ..." on stderr; returns the exit status. */
int fail(const struct err *e);

#endif
