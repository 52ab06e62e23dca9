/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>

#include "bench/scenario.h"
#include "kvm/check.h"

#define PAGE_BYTES   4096ull
#define PAGES_PER_2M 512ull

/* What has been done to a page. */
enum {
	REMOVED = 1,   /* by the host, after all set-up */
	RACED = 2,     /* touched or removed at any time */
	CONVERTED = 4, /* and not touched since */
};

struct page_rules {
	const struct scenario *scenario; /* borrowed */
	bool td;
	uint64_t pages;
	uint8_t state[];
};

/* --------------------------------------------------------------- building */

static void mark(struct page_rules *rules, uint64_t first, uint64_t pages,
		 int set, int clear)
{
	uint64_t p;

	for (p = first; p < rules->pages && p - first < pages; p++)
		rules->state[p] = (uint8_t)((rules->state[p] | set) & ~clear);
}

static void mark_op(struct page_rules *rules, const struct agent_op *op,
		    int set, int clear)
{
	uint32_t i;

	for (i = 0; i < op->count; i++)
		mark(rules, (op->gpa + i * op->stride) / PAGE_BYTES,
		     op->level ? PAGES_PER_2M : 1, set, clear);
}

/* A page that a TD touches without accepting it is there, and not written. */
static bool stores(const struct page_rules *rules, const struct agent_op *op)
{
	return !rules->td ||
	       (op->flags & (AGENT_ACCEPT_FIRST | AGENT_ACCEPT_ON_VE));
}

/* Set-up is what is before the first barrier. */
static void mark_vcpu(struct page_rules *rules, const struct agent_script *s)
{
	bool setting_up = true;
	uint32_t i;

	for (i = 0; i < s->n; i++) {
		const struct agent_op *op = &s->op[i];
		bool raced = !setting_up || (op->flags & AGENT_UNTIL_STOP) ||
			     !stores(rules, op);

		if (op->opcode == AGENT_BARRIER)
			setting_up = false;
		else if (op->opcode == AGENT_CONVERT)
			mark_op(rules, op, CONVERTED, 0);
		else if (op->opcode == AGENT_TOUCH)
			mark_op(rules, op, raced ? RACED : 0, CONVERTED);
	}
}

/* A TD accepts pages of a new memslot again, which clears them. */
static bool takes_away(const struct page_rules *rules, const struct host_op *op)
{
	return op->opcode == HOST_PUNCH ||
	       (rules->td && op->opcode == HOST_SLOT);
}

static void mark_host(struct page_rules *rules, const struct host_script *s)
{
	bool in_time = false;
	uint32_t i;

	for (i = 0; i < s->n; i++) {
		const struct host_op *op = &s->op[i];

		if (op->opcode == HOST_BARRIER)
			in_time = true;
		else if (op->opcode == HOST_STOP || op->opcode == HOST_JOIN)
			in_time = false;
		else if (takes_away(rules, op))
			mark(rules, op->gpa / PAGE_BYTES, op->pages,
			     in_time ? REMOVED : REMOVED | RACED, 0);
		else if (op->opcode == HOST_CONVERT)
			mark(rules, op->gpa / PAGE_BYTES, op->pages,
			     REMOVED | RACED, 0);
	}
}

struct page_rules *page_rules_new(const struct scenario *s, bool td)
{
	struct page_rules *rules = calloc(1, sizeof(*rules) + s->pages);
	uint32_t i;

	if (!rules)
		return NULL;
	rules->scenario = s;
	rules->td = td;
	rules->pages = s->pages;
	for (i = 0; i < s->vcpus; i++)
		mark_vcpu(rules, &s->vcpu[i]);
	for (i = 0; i < s->hosts; i++)
		mark_host(rules, &s->host[i]);
	return rules;
}

void page_rules_free(struct page_rules *rules)
{
	free(rules);
}

/* ---------------------------------------------------------------- judging */

/** Of so many pages so many must hold what was written, or be zero. */
struct must {
	uint64_t pages, held, zero;
};

/* Does the script go on until the host says stop, so behind all removals? */
static bool waits(const struct agent_script *s)
{
	uint32_t i;

	for (i = 0; i < s->n; i++) {
		const struct agent_op *op = &s->op[i];

		if ((op->opcode == AGENT_SPIN && !op->arg) ||
		    op->opcode == AGENT_HALT || op->opcode == AGENT_TICK ||
		    (op->opcode == AGENT_LOOP && !op->count) ||
		    (op->opcode == AGENT_STUCK && !op->count))
			return true;
	}
	return false;
}

static void add(const struct page_rules *rules, const struct agent_op *op,
		bool waited, struct must *must)
{
	uint32_t i;

	for (i = 0; i < op->count; i++) {
		uint64_t p = (op->gpa + i * op->stride) / PAGE_BYTES;
		int state = p < rules->pages ? rules->state[p] : CONVERTED;
		bool removed = state & REMOVED;

		must->pages++;
		must->held +=
			!removed && !(state & CONVERTED) && stores(rules, op);
		must->zero += state == REMOVED && waited;
	}
}

static struct must must_of(const struct page_rules *rules,
			   const struct agent_script *s)
{
	struct must must = {.pages = 0};
	bool waited = waits(s);
	uint32_t i;

	for (i = 0; i < s->n; i++) {
		if (s->op[i].opcode == AGENT_TOUCH &&
		    !(s->op[i].flags & AGENT_UNTIL_STOP))
			add(rules, &s->op[i], waited, &must);
	}
	return must;
}

bool page_rules_hold(const struct page_rules *rules, uint32_t vcpu,
		     const struct agent_check *seen, char *why, size_t size)
{
	struct must must = must_of(rules, &rules->scenario->vcpu[vcpu]);
	const char *what = NULL;

	if (seen->stale || seen->fresh > seen->touches)
		what = "pages were neither zero nor as they were left";
	else if (seen->pages != must.pages)
		what = "it has not looked at all pages";
	else if (seen->damaged || seen->held > seen->pages ||
		 seen->held < must.held)
		what = "pages do not hold what was written";
	else if (seen->zero > seen->pages || seen->zero < must.zero)
		what = "removed pages are not zero";
	if (what)
		snprintf(why, size,
			 "%s: %llu touches, %llu of zeros, %llu stale; "
			 "%llu pages, %llu hold (%llu must), %llu are zero "
			 "(%llu must), %llu damaged",
			 what, (unsigned long long)seen->touches,
			 (unsigned long long)seen->fresh,
			 (unsigned long long)seen->stale,
			 (unsigned long long)seen->pages,
			 (unsigned long long)seen->held,
			 (unsigned long long)must.held,
			 (unsigned long long)seen->zero,
			 (unsigned long long)must.zero,
			 (unsigned long long)seen->damaged);
	return !what;
}
