/* SPDX-License-Identifier: GPL-2.0-only */
/* Queues on the machine on virtual time, of which theory knows the answers. */
#ifndef TDMEM_BENCH_VALIDATE_QUEUE_H
#define TDMEM_BENCH_VALIDATE_QUEUE_H

#include <stdbool.h>

#include "model/machine/machine.h"

/** What customers queue for, one after the other. */
enum queue_server {
	QUEUE_MMU_LOCK, /* held as a writer, for the time of the service */
	QUEUE_SPINLOCK,
	QUEUE_LINE, /* a cache line: the service is its transfer */
};

struct queue_rig {
	enum queue_server server;
	bool exponential; /* service times; else all the same */
	double load;	  /* share of time that the server is busy, 0..1 */
	u64 service_ps;	  /* mean */
	u32 customers;
	u32 warmup; /* of them, the first: not in `wait` */
	u64 seed;
};

struct queue_figures {
	double wait;	   /* mean time before service, in services */
	double sojourn;	   /* mean time until the end of service, in ps */
	double span;	   /* of the whole run, in ps */
	double service;	   /* mean of those drawn, in ps */
	double in_system;  /* mean number, integrated over time */
	double in_service; /* the same; both 0 of a line */
	u32 late;	   /* came later than drawn: not an open queue */
	u32 out_of_order;  /* integration went back in time: must be 0 */
};

/** -1: out of memory, or the machine did not come to its end. */
int queue_run(const struct queue_rig *rig, struct queue_figures *figures);

#endif
