/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A measuring program that runs beside this one: started before a run, told by
 * a socket what to do, ended after it.  Nothing of it may lose a run: what goes
 * wrong is remembered and told.
 */
#ifndef TDMEM_BENCH_OBSERVE_COMPANION_H
#define TDMEM_BENCH_OBSERVE_COMPANION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/base/err.h"

enum { COMPANION_ANSWER = 64 };

/** What is the same of all that run the same program. */
struct companion_kind {
	const char *package; /* has it, for who lacks it */
	bool stdio;	     /* the socket is its stdin and stdout */
	bool last_line;	     /* of stderr tells what is wrong; else the first */
};

struct companion {
	const struct companion_kind *kind;
	pid_t pid;  /* 0: none runs */
	int socket; /* to it */
	int theirs; /* its end, until it is started */
	int log;    /* what it said on stderr */
	char heard[COMPANION_ANSWER + 1];
	size_t nheard;
	char missing[200]; /* why there is none; "": nothing is wrong */
};

/**
 * Make the socket, so that a command line can have the number of `theirs`,
 * under which it will be open.
 */
void companion_init(struct companion *c, const struct companion_kind *kind);

void companion_start(struct companion *c, const char *const *argv);

/** Send it a command; what it has answered before is forgotten. */
void companion_ask(struct companion *c, const char *command);

/**
 * Has it answered so?  Waits up to `timeout_ms` for that.  When it has ended
 * instead, something is missing from then on.
 */
bool companion_heard(struct companion *c, const char *answer, int timeout_ms);

/**
 * "results/x.json" and ".perf.csv" to "results/x.perf.csv", where nothing is
 * any more.  NULL with *e: there must not be a file.  The caller frees it.
 */
char *companion_path(const char *result, const char *suffix, struct err *e);

/** Something went wrong: only the first reason is kept. */
__attribute__((format(printf, 2, 3))) void
companion_lost(struct companion *c, const char *format, ...);

/**
 * Send a signal, or close the socket (0), and wait for its end.
 */
void companion_end(struct companion *c, int signal_number);

/** "file", if it wrote one, and "missing"; false: out of memory. */
bool companion_facts(const struct companion *c, const char *path,
		     json_t *facts);

/** A clock, in ns. */
uint64_t companion_now_ns(void);

/** Nothing is left to free. */
void companion_free(struct companion *c);

#endif
