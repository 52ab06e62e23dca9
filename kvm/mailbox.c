/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>
#include <sys/random.h>

#include "bench/scenario.h"
#include "kvm/mailbox.h"
#include "kvm/vmm.h"

/* ----------------------------------------------------------------- filling */

static bool has_pages(const struct agent_op *op)
{
	return op->opcode == AGENT_TOUCH || op->opcode == AGENT_ACCEPT ||
	       op->opcode == AGENT_CONVERT || op->opcode == AGENT_STUCK;
}

static void load_script(struct agent_box *box, const struct agent_script *s,
			struct agent_barrier *barrier)
{
	struct agent_op *op = agent_box_script(box);
	uint32_t i;

	box->nops = s->n;
	for (i = 0; i < s->n; i++) {
		op[i] = s->op[i];
		if (s->op[i].opcode == AGENT_BARRIER)
			barrier[s->op[i].arg].expected++;
		else if (has_pages(&s->op[i]))
			op[i].gpa += AGENT_MEMORY;
	}
}

/* So that the pages of no other VM are marked as those of this one. */
static uint64_t new_salt(void)
{
	uint64_t salt = 0;

	/* Not there yet, early after boot: the marks are then addresses. */
	if (getrandom(&salt, sizeof(salt), GRND_NONBLOCK) != sizeof(salt))
		salt = 0;
	return salt;
}

void mailbox_load(const struct vmm *vm, const struct scenario *s)
{
	struct agent_barrier *barrier = vmm_shared(vm)->barrier;
	uint64_t salt = new_salt();
	uint32_t i, k;

	for (i = 0; i < s->vcpus; i++) {
		load_script(vmm_box(vm, i), &s->vcpu[i], barrier);
		vmm_box(vm, i)->salt = salt;
	}
	for (i = 0; i < s->hosts; i++) {
		for (k = 0; k < s->host[i].n; k++) {
			if (s->host[i].op[k].opcode == HOST_BARRIER)
				barrier[s->host[i].op[k].arg].expected++;
		}
	}
}

/* ------------------------------------------------------------ reading out */

/* What the compiler may not read from `from` a second time. */
static void copy(void *to, const void *from, size_t bytes)
{
	memcpy(to, from, bytes);
	__asm__ volatile("" : : : "memory");
}

/** What buckets say of the values that are in them. */
struct span {
	uint64_t n;
	uint32_t first, last;	     /* buckets that are not empty */
	unsigned __int128 low, high; /* between these is the sum */
};

static struct span span_of(const struct hist *h)
{
	struct span s = {.n = 0};
	uint32_t i;

	for (i = 0; i < HIST_BUCKETS; i++) {
		unsigned __int128 n = h->bucket[i];

		if (!n)
			continue;
		if (!s.n)
			s.first = i;
		s.last = i;
		s.n += h->bucket[i];
		s.low += n * hist_lowest(i);
		s.high += n * (hist_lowest(i + 1) - 1);
	}
	return s;
}

static bool is_in(uint64_t value, uint32_t bucket)
{
	return value >> HIST_MAX_BITS == 0 && hist_index(value) == bucket;
}

/*
 * Whatever is recorded is time of one vCPU, one after the other, so all of it
 * is no more than the run; that also bounds what could wrap below.
 */
static const char *hist_wrong(const struct hist *h, uint64_t most_ns)
{
	struct span s = span_of(h);
	uint64_t least = h->min_plus_1 - 1;
	bool beyond = h->overflow != 0;

	if (!h->count && !h->overflow && !s.n)
		return NULL;
	if (h->max > most_ns || h->sum > most_ns ||
	    h->overflow > most_ns >> HIST_MAX_BITS)
		return "its times are longer than the run";
	if (s.n + h->overflow != h->count)
		return "its histogram does not add up to its count";
	s.low += (unsigned __int128)h->overflow << HIST_MAX_BITS;
	s.high += (unsigned __int128)h->overflow * h->max;
	if (h->sum < s.low || h->sum > s.high)
		return "its histogram does not add up to its sum";
	if (s.n ? !is_in(least, s.first) : least >> HIST_MAX_BITS == 0)
		return "its least time is not in its histogram";
	if (beyond ? h->max >> HIST_MAX_BITS == 0 : !is_in(h->max, s.last))
		return "its longest time is not in its histogram";
	return NULL;
}

const char *mailbox_read(struct agent_report *report,
			 const struct agent_box *box, uint64_t most_ns)
{
	const char *why = NULL;
	uint32_t measured, i;

	copy(&measured, &box->measured, sizeof(measured));
	copy(&report->begin_ns, &box->begin_ns, sizeof(report->begin_ns));
	copy(&report->end_ns, &box->end_ns, sizeof(report->end_ns));
	copy(report->hist, box->hist, sizeof(report->hist));
	copy(&report->check, &box->check, sizeof(report->check));
	report->measured = measured != 0;
	if (report->measured && report->end_ns < report->begin_ns)
		return "its measurement ends before it begins";
	if (report->measured && report->end_ns - report->begin_ns > most_ns)
		return "its measurement is longer than the run";
	if (report->check.touches > most_ns)
		return "it touched more pages than a run has nanoseconds";
	for (i = 0; !why && i < NR_AGENT_LATENCIES; i++)
		why = hist_wrong(&report->hist[i], most_ns);
	return why;
}

const char *mailbox_result(const struct agent_box *box)
{
	static const char *const text[] = {
		[AGENT_OK] = NULL,
		[AGENT_VE] = "a #VE that nothing handles",
		[AGENT_STOP] = "the end of the VM",
		[AGENT_ALREADY] = "a page that was accepted before",
		[AGENT_MISMATCH] = "an operation that it cannot do",
		[AGENT_BUSY] = "a page that stays busy",
	};
	uint32_t result;

	copy(&result, &box->result, sizeof(result));
	return result < sizeof(text) / sizeof(text[0])
		       ? text[result]
		       : "a result that is none";
}

struct agent_fault mailbox_fault(const struct agent_box *box)
{
	struct agent_fault fault;

	copy(&fault, &box->fault, sizeof(fault));
	return fault;
}
