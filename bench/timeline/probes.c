/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hooks as static probes (USDT) for tracers.  A tracer counts up the
 * semaphore of each probe that it looks at, so a run that nobody looks at has
 * no hooks at all.
 */
#include "bench/timeline/timeline.h"

#if defined(__has_include)
#if __has_include(<sys/sdt.h>)
#define HAVE_PROBES 1
#endif
#endif

#ifdef HAVE_PROBES

#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

/* Written by tracers only; the names are those that sys/sdt.h asks for. */
#define SEMAPHORE(probe)                                                       \
	extern volatile unsigned short tdmem_##probe##_semaphore;              \
	__attribute__((section(                                                \
		".probes"))) volatile unsigned short tdmem_##probe##_semaphore

SEMAPHORE(call__enter);
SEMAPHORE(call__exit);
SEMAPHORE(vcpu);
SEMAPHORE(kick__sent);
SEMAPHORE(kick__taken);
SEMAPHORE(span__begin);
SEMAPHORE(span__end);
SEMAPHORE(measure);

static void call_enter(void *ctx, struct strand *s, const char *call)
{
	(void)ctx;
	DTRACE_PROBE2(tdmem, call__enter, call, s->id);
}

static void call_exit(void *ctx, struct strand *s, const char *call, u64 status)
{
	(void)ctx;
	DTRACE_PROBE3(tdmem, call__exit, call, s->id, status);
}

static void vcpu(void *ctx, struct strand *s, bool inside)
{
	(void)ctx;
	DTRACE_PROBE2(tdmem, vcpu, s->id, (u32)inside);
}

static void kick_sent(void *ctx, struct strand *s, struct strand *target)
{
	(void)ctx;
	DTRACE_PROBE2(tdmem, kick__sent, s->id, target->id);
}

static void kick_taken(void *ctx, struct strand *s)
{
	(void)ctx;
	DTRACE_PROBE1(tdmem, kick__taken, s->id);
}

static void span(void *ctx, struct strand *s, const char *what, bool begin)
{
	(void)ctx;
	if (begin)
		DTRACE_PROBE2(tdmem, span__begin, what, s->id);
	else
		DTRACE_PROBE2(tdmem, span__end, what, s->id);
}

static void measure(void *ctx, struct strand *s, bool begin)
{
	(void)ctx;
	DTRACE_PROBE2(tdmem, measure, s->id, (u32)begin);
}

const struct trace *timeline_probes(void)
{
	static const struct trace probes = {.call_enter = call_enter,
					    .call_exit = call_exit,
					    .vcpu = vcpu,
					    .kick_sent = kick_sent,
					    .kick_taken = kick_taken,
					    .span = span,
					    .measure = measure};
	bool wanted =
		tdmem_call__enter_semaphore || tdmem_call__exit_semaphore ||
		tdmem_vcpu_semaphore || tdmem_kick__sent_semaphore ||
		tdmem_kick__taken_semaphore || tdmem_span__begin_semaphore ||
		tdmem_span__end_semaphore || tdmem_measure_semaphore;

	return wanted ? &probes : NULL;
}

#else

const struct trace *timeline_probes(void)
{
	return NULL;
}

#endif
