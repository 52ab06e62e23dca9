/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is the guest's memory what it must be?  The first word of a page is what a
 * touch wrote.  After it, and outside of what is timed, some others are looked
 * at: they are zero, then the page is a fresh one and they are marked, or they
 * have these marks.  When the script has ended whole pages are read.
 */
#include "guest-agent/image/check.h"

#define PAGE_BYTES 4096ull
#define WORDS	   512

/* The first one is taken by who finds the page fresh. */
static const uint16_t marked[] = {1, 256, 511};

enum { MARKS = sizeof(marked) / sizeof(marked[0]) };

/* Odd, so that no two words of a VM have the same mark, and it is never 0. */
static uint64_t mark(const struct vcpu *vcpu, const volatile uint64_t *word)
{
	return ((uintptr_t)word * 0x9e3779b97f4a7c15ull ^ vcpu->salt) | 1;
}

static bool sound(const struct vcpu *vcpu, const volatile uint64_t *word,
		  uint64_t value)
{
	return !value || value == mark(vcpu, word);
}

__attribute__((hot)) void check_touched(struct vcpu *vcpu, uint64_t gpa)
{
	struct agent_check *check = &vcpu->check;
	volatile uint64_t *page = (volatile uint64_t *)gpa;
	bool good = true;
	unsigned i;

	for (i = 0; i < MARKS; i++) {
		volatile uint64_t *word = &page[marked[i]];
		uint64_t value = i ? *word
				   : __atomic_exchange_n(word, mark(vcpu, word),
							 __ATOMIC_RELAXED);

		good = good && sound(vcpu, word, value);
		check->fresh += i == 0 && value == 0;
		*word = mark(vcpu, word);
	}
	check->touches++;
	check->stale += !good;
}

enum content { HELD, ZERO, PART, DAMAGED };

static bool is_marked(unsigned word)
{
	unsigned i;

	for (i = 0; i < MARKS && marked[i] != word; i++)
		;
	return i < MARKS;
}

/* PART: it was taken away between a touch and what followed the touch. */
static enum content read_page(const struct vcpu *vcpu, uint64_t gpa)
{
	const volatile uint64_t *page = (const volatile uint64_t *)gpa;
	unsigned i, set = 0;

	for (i = 0; i < WORDS; i++) {
		uint64_t value = page[i];

		if (!value)
			continue;
		if (i == 0 ? value != (gpa | 1)
			   : !is_marked(i) || value != mark(vcpu, &page[i]))
			return DAMAGED;
		set++;
	}
	return !set ? ZERO : set == MARKS + 1 ? HELD : PART;
}

/* Somebody may take it away, or touch it, while it is read. */
static enum content read_again(const struct vcpu *vcpu, uint64_t gpa)
{
	enum content c = DAMAGED;
	unsigned tries;

	vcpu->world->accept(gpa, 0);
	for (tries = 0; c == DAMAGED && tries < 3; tries++)
		c = read_page(vcpu, gpa);
	return c;
}

void check_script(struct vcpu *vcpu, const struct agent_op *op, uint32_t nops)
{
	struct agent_check *check = &vcpu->check;
	uint32_t i, k;

	for (i = 0; i < nops && op[i].opcode != AGENT_END; i++) {
		if (op[i].opcode != AGENT_TOUCH ||
		    (op[i].flags & AGENT_UNTIL_STOP))
			continue;
		for (k = 0; k < op[i].count; k++) {
			enum content c =
				read_again(vcpu, op[i].gpa + k * op[i].stride);

			check->pages++;
			check->held += c == HELD;
			check->zero += c == ZERO;
			check->damaged += c == DAMAGED;
		}
	}
}
