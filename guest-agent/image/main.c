/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent in a VM or a TD: its port writes memory, reads the TSC and asks
 * its world for the rest.  Freestanding, and position-independent because it
 * is linked just below 4 GiB, beyond the reach of signed 32-bit addresses.
 */
#include <cpuid.h>

#include "guest-agent/image/check.h"
#include "guest-agent/image/gates.h"

#define PAGE_BYTES 4096ull

#ifndef VECTOR_VE
#define VECTOR_VE 20
#endif

/* What the CPU pushes. */
struct frame {
	uint64_t rip, cs, rflags, rsp, ss;
};

/* Hidden: reached without a table of addresses. */
#pragma GCC visibility push(hidden)
extern const char agent_touch_store[], agent_touch_ve[];
bool agent_touch(uint64_t gpa);
#pragma GCC visibility pop

/* So that the walk to a page of the scripts' memory does not fault either. */
static void touch_tables(void)
{
	const uint64_t *pdpt = (const uint64_t *)(AGENT_TABLES + PAGE_BYTES);
	unsigned i;

	for (i = 0; i < 512; i++) {
		if (pdpt[i] & 1)
			__atomic_or_fetch((uint64_t *)(pdpt[i] & -PAGE_BYTES),
					  0, __ATOMIC_RELAXED);
	}
}

void agent_main(uint64_t index, struct agent_box *box);
void agent_fault(uint64_t vector, uint64_t error, struct frame *frame);

static struct agent_shared *shared(void)
{
	return (struct agent_shared *)(uintptr_t)AGENT_CONTROL;
}

static struct vcpu *vcpu_of(struct agent_port *port)
{
	return (struct vcpu *)port;
}

static struct agent_box *box_of(struct agent_port *port)
{
	return vcpu_of(port)->box;
}

static uint32_t load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* The vCPU whose stack this is. */
static uint64_t index_of(const void *on_stack)
{
	return ((uintptr_t)on_stack - AGENT_STACKS) >> AGENT_STACK_SHIFT;
}

const struct world *world_here(void)
{
	unsigned a, b, c, d;

	/* "IntelTDX    ", which the TDX module itself answers. */
	__cpuid_count(0x21, 0, a, b, c, d);
	return b == 0x65746e49 && d == 0x5844546c && c == 0x20202020
		       ? &world_td
		       : &world_vm;
}

/* ------------------------------------------------------------------ port */

__attribute__((hot)) static uint64_t port_now_ns(struct agent_port *port)
{
	uint32_t low, high;

	/* Ordered behind stores that it is to time. */
	__asm__ volatile("mfence; lfence; rdtsc; lfence"
			 : "=a"(low), "=d"(high)
			 :
			 : "memory");
	return (uint64_t)((unsigned __int128)((uint64_t)high << 32 | low) *
				  vcpu_of(port)->ns_mult >>
			  32);
}

__attribute__((hot)) static enum agent_result
port_touch(struct agent_port *port, uint64_t gpa)
{
	struct vcpu *vcpu = vcpu_of(port);

	vcpu->stored = !agent_touch(gpa);
	return vcpu->stored ? AGENT_OK : AGENT_VE;
}

static enum agent_result port_accept(struct agent_port *port, uint64_t gpa,
				     unsigned level)
{
	return vcpu_of(port)->world->accept(gpa, level);
}

static enum agent_result port_convert(struct agent_port *port, uint64_t gpa,
				      uint64_t bytes, bool to_private)
{
	const struct vcpu *vcpu = vcpu_of(port);

	return vcpu->world->convert(vcpu, gpa, bytes, to_private);
}

/* The host lets no script with this in. */
static enum agent_result port_stuck(struct agent_port *port, uint64_t gpa)
{
	(void)port;
	(void)gpa;
	return AGENT_MISMATCH;
}

static bool port_stopped(struct agent_port *port)
{
	(void)port;
	return load(&shared()->stop) || load(&shared()->gone);
}

static enum agent_result port_spin(struct agent_port *port, uint64_t ns)
{
	uint64_t end = port_now_ns(port) + ns;

	while (!load(&shared()->gone)) {
		if (ns ? port_now_ns(port) >= end : port_stopped(port))
			return AGENT_OK;
		__builtin_ia32_pause();
	}
	return AGENT_STOP;
}

static enum agent_result port_halt(struct agent_port *port)
{
	while (!port_stopped(port))
		vcpu_of(port)->world->halt(vcpu_of(port));
	return load(&shared()->gone) ? AGENT_STOP : AGENT_OK;
}

static enum agent_result port_leave(struct agent_port *port)
{
	vcpu_of(port)->world->ring(AGENT_BELL_LEAVE);
	return load(&shared()->gone) ? AGENT_STOP : AGENT_OK;
}

static enum agent_result port_barrier(struct agent_port *port, unsigned id)
{
	struct agent_barrier *b = &shared()->barrier[id];

	(void)port;
	if (id >= AGENT_MAX_BARRIERS)
		return AGENT_MISMATCH;
	if (__atomic_add_fetch(&b->arrived, 1, __ATOMIC_ACQ_REL) == b->expected)
		__atomic_store_n(&b->open, 1, __ATOMIC_RELEASE);
	while (!load(&b->open)) {
		if (load(&shared()->gone))
			return AGENT_STOP;
		__builtin_ia32_pause();
	}
	return AGENT_OK;
}

static void port_measure(struct agent_port *port, bool begin)
{
	struct agent_box *box = box_of(port);

	/* What the host does then is not in the time that is measured. */
	if (begin)
		vcpu_of(port)->world->ring(AGENT_BELL_BEGIN);
	if (!begin)
		box->end_ns = port_now_ns(port);
	else if (box->measured++ == 0)
		box->begin_ns = port_now_ns(port);
	if (!begin)
		vcpu_of(port)->world->ring(AGENT_BELL_END);
}

static void count_latencies(struct vcpu *vcpu)
{
	struct latencies *late = vcpu->late;
	uint32_t i;

	for (i = 0; i < late->n; i++)
		hist_record(&vcpu->box->hist[late->what], late->ns[i]);
	late->n = 0;
}

/*
 * Not one by one: where an exit empties the TLB each further page that is
 * used between two faults is walked to again, and histograms are many pages.
 */
__attribute__((hot)) static void port_record(struct agent_port *port,
					     enum agent_latency what,
					     uint64_t begin, uint64_t end)
{
	struct vcpu *vcpu = vcpu_of(port);
	struct latencies *late = vcpu->late;

	if (late->what != what ||
	    late->n == sizeof(late->ns) / sizeof(*late->ns))
		count_latencies(vcpu);
	late->what = what;
	late->ns[late->n++] = end - begin;
}

__attribute__((hot)) static void port_check(struct agent_port *port,
					    uint64_t gpa)
{
	if (vcpu_of(port)->stored)
		check_touched(vcpu_of(port), gpa);
}

static const struct agent_port_ops ops = {
	.touch = port_touch,
	.accept = port_accept,
	.convert = port_convert,
	.stuck = port_stuck,
	.spin = port_spin,
	.halt = port_halt,
	.leave = port_leave,
	.barrier = port_barrier,
	.measure = port_measure,
	.record = port_record,
	.check = port_check,
	.stopped = port_stopped,
	.now_ns = port_now_ns,
};

/* ----------------------------------------------------- begin, end, fault */

/* So that no fault of its own falls into what is measured. */
static void touch_box(struct agent_box *box)
{
	volatile uint8_t *byte = (volatile uint8_t *)box->hist;
	uint64_t i;

	for (i = 0; i < sizeof(box->hist); i += PAGE_BYTES)
		byte[i] = 0;
}

void agent_main(uint64_t index, struct agent_box *box)
{
	struct latencies late;
	struct vcpu vcpu = {
		.port = {&ops},
		.box = box,
		.world = world_here(),
		.salt = box->salt,
		.ns_mult = box->ns_mult,
		.late = &late,
	};
	const struct agent_op *script = agent_box_script(box);
	uint32_t nops = box->nops;

	late.n = 0;
	late.what = AGENT_LAT_TOUCH;
	agent_set_gates(index);
	touch_box(box);
	touch_tables();
	vcpu.world->begin(&vcpu);
	box->result = agent_run(&vcpu.port, script, nops);
	count_latencies(&vcpu);
	if (box->result == AGENT_OK) {
		vcpu.world->ring(AGENT_BELL_OVER);
		check_script(&vcpu, script, nops);
	}
	box->check = vcpu.check;
	for (;;)
		vcpu.world->ring(AGENT_BELL_DONE);
}

/*
 * A pending page is the answer to a touch.  Elsewhere the host took the page
 * away after the touch and has given a new one: it is accepted, and whoever
 * looks at it sees zeros, as in every other VM.
 */
static bool go_on_after_ve(const struct world *world, struct frame *frame)
{
	uint64_t gpa;

	if (!world->pending(&gpa))
		return false;
	if (frame->rip == (uintptr_t)agent_touch_store) {
		frame->rip = (uintptr_t)agent_touch_ve;
		return true;
	}
	if (gpa < AGENT_MEMORY)
		return false;
	while (world->accept(gpa & -PAGE_BYTES, 0) == AGENT_BUSY)
		;
	return true;
}

void agent_fault(uint64_t vector, uint64_t error, struct frame *frame)
{
	const struct world *world = world_here();
	struct agent_box *box =
		(struct agent_box *)(uintptr_t)(AGENT_CONTROL +
						((index_of(frame) + 1)
						 << AGENT_BOX_SHIFT));
	uint64_t address;

	if (vector == VECTOR_VE && go_on_after_ve(world, frame))
		return;
	__asm__ volatile("movq %%cr2, %0" : "=r"(address));
	box->fault = (struct agent_fault){vector, error, frame->rip, address};
	for (;;)
		world->ring(AGENT_BELL_FAULT);
}
