/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An image that takes the agent's place and does what no agent does.  What, it
 * reads from the first operation of its script: `arg` is the attack, `count`
 * the seed of what is random in it.
 */
#ifndef TDMEM_TESTS_GUEST_HOSTILE_H
#define TDMEM_TESTS_GUEST_HOSTILE_H

enum attack {
	ATTACK_NONE,	     /* says that it is done, and has done nothing */
	ATTACK_RESULT,	     /* a result that is none */
	ATTACK_STOP_RESULT,  /* says that the VM is gone */
	ATTACK_COUNTERS,     /* 2^64-1 in every number of its box */
	ATTACK_BACKWARDS,    /* ends measuring before it begins */
	ATTACK_RANDOM_BOX,   /* its box and that of others at random */
	ATTACK_BARRIERS,     /* what is shared at random */
	ATTACK_GONE,	     /* tells the others that the VM is gone */
	ATTACK_LOOP,	     /* an endless loop, interrupts off */
	ATTACK_LEAVE,	     /* leaves without end */
	ATTACK_HALT,	     /* halts without end, and tells all to stop */
	ATTACK_TRIPLE_FAULT, /* an exception without an IDT */
	ATTACK_EXCEPTION,    /* an undefined instruction */
	ATTACK_BEYOND,	     /* a store beyond its memory */
	ATTACK_HOLE,	     /* a load where nothing is */
	ATTACK_UNMAPPED,     /* a store to what its tables do not map */
	ATTACK_PORT,	     /* I/O at another port */
	ATTACK_BELL,	     /* a doorbell that is none */
	ATTACK_MEASURE,	     /* ends to measure before it begins, all twice */
	ATTACK_CHECKS,	     /* says that it has looked at 2^64-1 pages */
	ATTACK_STRING,	     /* doorbells by the thousand, in one instruction */
	ATTACK_TABLES,	     /* its page tables at random */
	ATTACK_IMAGE,	     /* its own code at random */
	ATTACK_RANDOM,	     /* one thing after another, by the seed */
	NR_ATTACKS
};

#endif
