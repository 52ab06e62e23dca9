/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest agent: what every vCPU of a guest runs.  A vCPU has a script, an
 * array of operations; the interpreter (agent.c) executes it and asks its
 * port for everything that depends on where it runs: the model, an ordinary
 * VM or a TD.  Freestanding: no libc, no allocation, no floating point.
 */
#ifndef TDMEM_GUEST_AGENT_ABI_H
#define TDMEM_GUEST_AGENT_ABI_H

#include <stdbool.h>
#include <stdint.h>

enum { AGENT_ABI_VERSION = 1, AGENT_MAX_LOOPS = 8 };

enum agent_opcode {
	AGENT_END,     /* leave: the vCPU is done */
	AGENT_BARRIER, /* wait for everybody at barrier `arg` */
	AGENT_MEASURE, /* arg 1: the measured part begins; 0: it ends */
	AGENT_TOUCH,   /* write one word of each page of the range */
	AGENT_ACCEPT,  /* TDG.MEM.PAGE.ACCEPT each page of the range */
	AGENT_CONVERT, /* MapGPA the range; arg 1: to private, 0: to shared */
	AGENT_SPIN,    /* run inside for `arg` ns; 0: until told to stop */
	AGENT_HALT,    /* halt until told to stop */
	AGENT_TICK,    /* leave and enter every `arg` ns, until told to stop */
	AGENT_STUCK,   /* fault `count` times at gpa from one instruction,
			  nobody resolves it; 0: until told to stop */
	AGENT_LOOP,    /* back to operation `arg`, an earlier one, until what is
			  between has run `count` times; 0: until told to stop;
			  at most AGENT_MAX_LOOPS one in another */
	NR_AGENT_OPCODES
};

enum agent_flags {
	AGENT_ACCEPT_FIRST = 1, /* TOUCH: ACCEPT each page before the store */
	AGENT_ACCEPT_ON_VE = 2, /* TOUCH: ACCEPT when the store gives a #VE */
	AGENT_RECORD = 4,	/* record the latency of each page */
	AGENT_UNTIL_STOP = 8,	/* leave out the rest when told to stop */
};

/** One operation of a script, 40 bytes; unused members are 0. */
struct agent_op {
	uint16_t opcode;
	uint8_t level;	 /* 0: 4K pages, 1: 2M pages */
	uint8_t flags;	 /* enum agent_flags */
	uint32_t count;	 /* pages of the range, or as the opcode says */
	uint64_t gpa;	 /* of the first page */
	uint64_t stride; /* bytes from page to page */
	uint64_t arg;
	uint64_t pace_ns; /* least time from page to page; 0: as fast as can */
};

/** What a latency was measured of. */
enum agent_latency {
	AGENT_LAT_TOUCH,
	AGENT_LAT_ACCEPT,
	AGENT_LAT_CONVERT,
	NR_AGENT_LATENCIES
};

/** How an operation on one page ended. */
enum agent_result {
	AGENT_OK,
	AGENT_VE,	/* touch: #VE, the page is pending */
	AGENT_STOP,	/* the VM is gone: leave at once */
	AGENT_ALREADY,	/* accept: was accepted before */
	AGENT_MISMATCH, /* accept: mapped at another size */
	AGENT_BUSY,	/* accept: try again */
};

struct agent_port;

/** What the interpreter needs from where it runs. */
struct agent_port_ops {
	enum agent_result (*touch)(struct agent_port *port, uint64_t gpa);
	enum agent_result (*accept)(struct agent_port *port, uint64_t gpa,
				    unsigned level);
	enum agent_result (*convert)(struct agent_port *port, uint64_t gpa,
				     uint64_t bytes, bool to_private);
	/* One fault at gpa that comes back unresolved. */
	enum agent_result (*stuck)(struct agent_port *port, uint64_t gpa);
	/* Run inside; `ns` 0: until stopped. */
	enum agent_result (*spin)(struct agent_port *port, uint64_t ns);
	/* Halt until stopped. */
	enum agent_result (*halt)(struct agent_port *port);
	/* Leave to the host and come back. */
	enum agent_result (*leave)(struct agent_port *port);
	enum agent_result (*barrier)(struct agent_port *port, unsigned id);
	void (*measure)(struct agent_port *port, bool begin);
	void (*record)(struct agent_port *port, enum agent_latency what,
		       uint64_t begin, uint64_t end);
	/* Look at a page after a touch, in nobody's time; NULL: nothing. */
	void (*check)(struct agent_port *port, uint64_t gpa);
	bool (*stopped)(struct agent_port *port);
	uint64_t (*now_ns)(struct agent_port *port);
};

/** Embedded in whatever the port's implementation needs. */
struct agent_port {
	const struct agent_port_ops *ops;
};

/**
 * Execute a script to its end.  `nops` bounds it: the script may come from an
 * untrusted or damaged mailbox.
 * Returns AGENT_OK, or AGENT_STOP when the VM is gone, or AGENT_MISMATCH for
 * a script that is not one (bad opcode, jump out of range, a range beyond the
 * end of the address space, more steps than any script needs).
 */
enum agent_result agent_run(struct agent_port *port, const struct agent_op *ops,
			    uint32_t nops);

#endif
