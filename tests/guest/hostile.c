/* SPDX-License-Identifier: GPL-2.0-only */
#include "guest-agent/image/gates.h"
#include "guest-agent/image/mailbox.h"
#include "tests/guest/hostile.h"

#define PAGE_BYTES  4096ull
#define MANY	    64
#define IMAGE_BYTES 0x10000

typedef void attack_fn(struct agent_box *box, uint64_t *seed);

/* Of the agent's entry.S, which calls the two others. */
void agent_main(uint64_t index, struct agent_box *box);
void agent_fault(uint64_t vector, uint64_t error, uint64_t *frame);

static struct agent_shared *shared(void)
{
	return (struct agent_shared *)(uintptr_t)AGENT_CONTROL;
}

/* xorshift64* (Marsaglia, Vigna). */
static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * 0x2545f4914f6cdd1dull;
}

static void out(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "d"(port) : "memory");
}

static void scribble(volatile void *at, uint64_t bytes, uint64_t *seed)
{
	volatile uint64_t *word = at;
	uint64_t i;

	for (i = 0; i < bytes / 8; i++)
		word[i] = next(seed);
}

static void store(uint64_t gpa)
{
	*(volatile uint64_t *)gpa = gpa;
}

static void load(uint64_t gpa)
{
	(void)*(volatile uint64_t *)gpa;
}

/* ---------------------------------------------------------------- attacks */

static void attack_none(struct agent_box *box, uint64_t *seed)
{
	(void)box;
	(void)seed;
}

static void attack_result(struct agent_box *box, uint64_t *seed)
{
	box->result = (uint32_t)next(seed) | 0x100;
}

static void attack_stop_result(struct agent_box *box, uint64_t *seed)
{
	(void)seed;
	box->result = AGENT_STOP;
}

static void attack_counters(struct agent_box *box, uint64_t *seed)
{
	volatile uint64_t *word = (volatile uint64_t *)box->hist;
	uint64_t i;

	(void)seed;
	box->measured = UINT32_MAX;
	box->begin_ns = 0;
	box->end_ns = UINT64_MAX;
	for (i = 0; i < sizeof(box->hist) / 8; i++)
		word[i] = UINT64_MAX;
}

static void attack_backwards(struct agent_box *box, uint64_t *seed)
{
	(void)seed;
	box->measured = 1;
	box->begin_ns = UINT64_MAX;
	box->end_ns = 1;
}

/* Also that of the next vCPU, or what is behind the last one. */
static void attack_random_box(struct agent_box *box, uint64_t *seed)
{
	scribble(box, sizeof(*box), seed);
	box->result = AGENT_OK;
}

static void attack_barriers(struct agent_box *box, uint64_t *seed)
{
	(void)box;
	scribble(shared()->barrier, sizeof(shared()->barrier), seed);
}

static void attack_gone(struct agent_box *box, uint64_t *seed)
{
	(void)box;
	(void)seed;
	shared()->gone = 1;
}

static void attack_loop(struct agent_box *box, uint64_t *seed)
{
	(void)box;
	(void)seed;
	for (;;)
		__asm__ volatile("cli" : : : "memory");
}

static void attack_leave(struct agent_box *box, uint64_t *seed)
{
	(void)box;
	(void)seed;
	for (;;)
		out(AGENT_PORT, AGENT_BELL_LEAVE);
}

static void attack_halt(struct agent_box *box, uint64_t *seed)
{
	(void)box;
	(void)seed;
	shared()->stop = 1;
	for (;;)
		__asm__ volatile("cli; hlt" : : : "memory");
}

static void attack_triple_fault(struct agent_box *box, uint64_t *seed)
{
	static const uint8_t none[10];

	(void)box;
	(void)seed;
	__asm__ volatile("lidt %0; ud2" : : "m"(none));
}

static void attack_exception(struct agent_box *box, uint64_t *seed)
{
	(void)box;
	(void)seed;
	__asm__ volatile("ud2");
}

/* Mapped by its tables, up to the next GiB. */
static void attack_beyond(struct agent_box *box, uint64_t *seed)
{
	(void)box;
	(void)seed;
	store(AGENT_MEMORY + (512ull << 20));
}

static void attack_hole(struct agent_box *box, uint64_t *seed)
{
	(void)box;
	(void)seed;
	load(AGENT_IMAGE - (64ull << 20));
}

static void attack_unmapped(struct agent_box *box, uint64_t *seed)
{
	(void)box;
	(void)seed;
	store(1ull << 45);
}

static void attack_port(struct agent_box *box, uint64_t *seed)
{
	(void)box;
	(void)seed;
	out(0x3f8, AGENT_BELL_DONE);
}

static void attack_bell(struct agent_box *box, uint64_t *seed)
{
	(void)box;
	(void)seed;
	out(AGENT_PORT, 0xff);
}

static void attack_measure(struct agent_box *box, uint64_t *seed)
{
	static const uint8_t bells[] = {
		AGENT_BELL_END,	 AGENT_BELL_END,  AGENT_BELL_BEGIN,
		AGENT_BELL_OVER, AGENT_BELL_OVER, AGENT_BELL_BEGIN,
	};
	uint64_t i;

	(void)box;
	(void)seed;
	for (i = 0; i < sizeof(bells); i++)
		out(AGENT_PORT, bells[i]);
}

static void attack_checks(struct agent_box *box, uint64_t *seed)
{
	(void)seed;
	box->check.touches = box->check.fresh = box->check.pages = UINT64_MAX;
	box->check.held = box->check.zero = UINT64_MAX;
}

static void attack_string(struct agent_box *box, uint64_t *seed)
{
	const void *from = box->hist; /* of zeros */
	uint64_t n = 5000;

	(void)seed;
	__asm__ volatile("rep outsb"
			 : "+S"(from), "+c"(n)
			 : "d"(AGENT_PORT)
			 : "memory");
}

static void attack_tables(struct agent_box *box, uint64_t *seed)
{
	(void)box;
	scribble((void *)(uintptr_t)AGENT_TABLES, 4 * PAGE_BYTES, seed);
	store(AGENT_MEMORY);
}

static void attack_image(struct agent_box *box, uint64_t *seed)
{
	(void)box;
	scribble((void *)(uintptr_t)AGENT_IMAGE, IMAGE_BYTES, seed);
}

/* ----------------------------------------------------------------- random */

static void random_word(struct agent_box *box, uint64_t *seed)
{
	volatile uint64_t *word = (volatile uint64_t *)box;

	word[next(seed) % (sizeof(*box) / 8)] = next(seed);
}

static void random_shared(struct agent_box *box, uint64_t *seed)
{
	volatile uint32_t *word = (volatile uint32_t *)shared();

	(void)box;
	word[next(seed) % (sizeof(struct agent_shared) / 4)] =
		(uint32_t)next(seed);
}

static void random_port(struct agent_box *box, uint64_t *seed)
{
	uint64_t random = next(seed);

	(void)box;
	out(random & 1 ? AGENT_PORT : (uint16_t)(random >> 8),
	    random >> 24 & 7);
}

static void random_touch(struct agent_box *box, uint64_t *seed)
{
	uint64_t random = next(seed);

	(void)box;
	store((random & 1 ? AGENT_MEMORY : AGENT_CONTROL) + (random >> 34));
}

static void random_interrupt(struct agent_box *box, uint64_t *seed)
{
	(void)box;
	(void)seed;
	__asm__ volatile("int $0x40" : : : "memory");
}

/* A doorbell after another is what a sound agent does, so mostly that. */
static attack_fn *const random_things[] = {
	random_word,	    random_word,      random_word,
	random_shared,	    random_shared,    random_port,
	random_touch,	    random_interrupt, attack_none,
	attack_result,	    attack_counters,  attack_random_box,
	attack_barriers,    attack_gone,      attack_loop,
	attack_leave,	    attack_halt,      attack_triple_fault,
	attack_exception,   attack_string,    attack_tables,
	attack_image,	    attack_hole,      attack_backwards,
	attack_stop_result, attack_measure,   attack_checks};

static void attack_random(struct agent_box *box, uint64_t *seed)
{
	uint64_t n = next(seed) % MANY;

	while (n--) {
		uint64_t random = next(seed) >> 32;

		/* Small things three times of four. */
		if (random & 3)
			random_things[(random >> 2) % 5](box, seed);
		else
			random_things[(random >> 2) % (sizeof(random_things) /
						       sizeof(*random_things))](
				box, seed);
	}
}

static attack_fn *const attacks[NR_ATTACKS] = {
	[ATTACK_NONE] = attack_none,
	[ATTACK_RESULT] = attack_result,
	[ATTACK_STOP_RESULT] = attack_stop_result,
	[ATTACK_COUNTERS] = attack_counters,
	[ATTACK_BACKWARDS] = attack_backwards,
	[ATTACK_RANDOM_BOX] = attack_random_box,
	[ATTACK_BARRIERS] = attack_barriers,
	[ATTACK_GONE] = attack_gone,
	[ATTACK_LOOP] = attack_loop,
	[ATTACK_LEAVE] = attack_leave,
	[ATTACK_HALT] = attack_halt,
	[ATTACK_TRIPLE_FAULT] = attack_triple_fault,
	[ATTACK_EXCEPTION] = attack_exception,
	[ATTACK_BEYOND] = attack_beyond,
	[ATTACK_HOLE] = attack_hole,
	[ATTACK_UNMAPPED] = attack_unmapped,
	[ATTACK_PORT] = attack_port,
	[ATTACK_BELL] = attack_bell,
	[ATTACK_MEASURE] = attack_measure,
	[ATTACK_CHECKS] = attack_checks,
	[ATTACK_STRING] = attack_string,
	[ATTACK_TABLES] = attack_tables,
	[ATTACK_IMAGE] = attack_image,
	[ATTACK_RANDOM] = attack_random,
};

void agent_main(uint64_t index, struct agent_box *box)
{
	const struct agent_op *op = agent_box_script(box);
	uint64_t seed = (uint64_t)op->count * 1022 + index + 1;

	agent_set_gates(index);
	attacks[op->arg % NR_ATTACKS](box, &seed);
	for (;;)
		out(AGENT_PORT, AGENT_BELL_DONE);
}

/* Not where it was, but that it comes from here can be seen. */
void agent_fault(uint64_t vector, uint64_t error, uint64_t *frame)
{
	uint64_t index = ((uintptr_t)frame - AGENT_STACKS) >> AGENT_STACK_SHIFT;
	uint64_t at = AGENT_CONTROL + ((index + 1) << AGENT_BOX_SHIFT);
	struct agent_box *box = (struct agent_box *)at;

	box->fault = (struct agent_fault){vector, error, UINT64_MAX, 0};
	for (;;)
		out(AGENT_PORT, AGENT_BELL_FAULT);
}
