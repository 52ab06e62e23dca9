/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine: strands, time, cache lines, waiting and kicks.
 *
 * The model of the TDX module and of KVM is straight C against this header
 * and never knows which machine it runs on:
 *
 *   virtual.c   virtual time, deterministic, one host thread
 *   step.c      one strand at a time, stopped at each atomic operation
 *   threads.c   real time: a strand is a host thread, pinned to a CPU
 *
 * Times are unsigned picoseconds ("_ps").  Nothing here is thread-safe
 * between two machines that share memory; two machines that share nothing can
 * run in two host threads.
 */
#ifndef TDMEM_MACHINE_H
#define TDMEM_MACHINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

#define PS_PER_NS 1000ull
#define PS_PER_US 1000000ull
#define PS_PER_MS 1000000000ull
#define PS_PER_S  1000000000000ull

/** What is done to a word; the order is that of line_op_name(). */
enum line_op {
	LINE_LOAD,
	LINE_STORE64,
	LINE_XADD16,
	LINE_XADD32,
	LINE_XADD64,
	LINE_CMPXCHG8,
	LINE_CMPXCHG16,
	LINE_CMPXCHG32,
	LINE_CMPXCHG64,
	LINE_XCHG16,
	LINE_XCHG32,
	LINE_AND16,
	LINE_OR16,
	LINE_BTS64,
	LINE_BTR64,
	LINE_BTR32,
	LINE_STORE32,
	LINE_READ128,
	LINE_LOAD32,
	NR_LINE_OPS
};

/** "xadd16", "cmpxchg16", "store64", ... */
const char *line_op_name(enum line_op op);

/** True for the operations that leave the line as it was. */
static inline bool line_op_is_read(enum line_op op)
{
	return op == LINE_LOAD || op == LINE_LOAD32 || op == LINE_READ128;
}

/**
 * The machine's book-keeping of one cache line.  The words themselves live
 * beside it, in memory laid out as the real structure is.  All zero is a line
 * that nobody has touched.
 */
struct line {
	u64 free_at; /* virtual: when it can serve the next CPU, in ps */
	u32 version; /* virtual: number of the last write, unique in the
			machine: tells stale copies; 0: never written */
	u16 owner;   /* virtual: CPU of the last writer + 1; 0: none */
	u16 waiters; /* virtual: first parked strand + 1; 0: none;
			threads: strands that are parked */
};

struct machine;
struct strand;
struct trace;

/** Work that user space can really do where the machine is a real one. */
enum work {
	WORK_PLAIN,    /* just time */
	WORK_CLEAR_4K, /* 64 direct stores and a fence */
	WORK_COPY_4K,  /* the same from a source page */
	WORK_FLUSH_4K, /* 64 CLFLUSHOPT and a fence */
};

struct obstacle;

/**
 * What a machine does; one constant table a machine.  A machine for which
 * strand.real is false calls order() before each operation and then the
 * operation is done with plain instructions; a real one does the locked
 * instruction and order() is never called.
 */
struct machine_ops {
	/* Wait for this strand's turn and charge the transfer of the line. */
	void (*order)(struct strand *s, struct line *line, const void *word,
		      enum line_op op);
	void (*spend)(struct strand *s, u64 ps, enum work work);
	u64 (*spend_in_guest)(struct strand *s, u64 ps);
	bool (*wait)(struct strand *s, struct line *line, const u32 *word,
		     u32 seen, bool interruptible);
	/* Real: a word was written that strands are parked for. */
	void (*wake)(struct strand *s, struct line *line);
	void (*interrupt)(struct strand *s, struct strand *target,
			  u64 latency_ps);
	bool (*interrupted)(struct strand *s);
	void (*interrupt_done)(struct strand *s);
	void (*progress)(struct strand *s);
	/* Only of a machine whose strands are `explored`: see below. */
	void (*plain)(struct strand *s, const void *at, u32 bytes, bool write);
	void (*await)(struct strand *s, const struct obstacle *o);
	__attribute__((noreturn)) void (*halt)(struct strand *s,
					       const char *why);
	u64 (*now)(struct strand *s);
};

/** The part of a strand that the model and the inline operations see. */
struct strand {
	const struct machine_ops *ops;
	struct machine *machine;
	const struct trace *trace; /* NULL: no tracing */
	u64 clock;		   /* virtual: this strand's time, in ps */
	u64 random;		   /* state of strand_random() */
	u32 id;			   /* 0.., in order of machine_strand() */
	u16 cpu;		   /* index into the topology */
	bool real;		   /* words are shared by real CPUs */
	bool timed;		   /* virtual: `clock` is the time */
	bool explored;		   /* wants to know of plain accesses */
	bool takes_locks;	   /* in one step: see line_take32() */
	/* Explored, in the midst of line_add32(): what it says. */
	u32 adds, looks;
	void *user; /* whoever started the strand */
};

/* ------------------------------------------------------------- topology */

/** One logical CPU; equal numbers mean a shared core, complex or package. */
struct cpu_place {
	u16 core, complex, package;
};

/** CPUs in the order in which strands are given to them. */
struct topology {
	u32 ncpus;
	u32 npackages;
	struct cpu_place *cpu;
};

/** Cost of having a cache line, by where its last writer is. */
struct line_costs {
	u64 local_ps;	/* in this core's own cache */
	u64 complex_ps; /* from a core that shares the last-level cache part */
	u64 socket_ps;	/* from elsewhere in the package */
	u64 remote_ps;	/* from another package */
};

/* ------------------------------------------------------------- machines */

/** How machine_run() ended. */
enum machine_end {
	MACHINE_DONE,	  /* every strand returned */
	MACHINE_LIVELOCK, /* time passes, nobody calls progress() */
	MACHINE_DEADLOCK, /* every strand left is parked */
	MACHINE_HALTED,	  /* somebody called machine_halt() */
	MACHINE_TIMEOUT,  /* max_ps reached */
	MACHINE_STOPPED,  /* *stop became non-zero */
};

/** 1024 vCPUs and as many host threads. */
#define MACHINE_MAX_STRANDS 2048u

struct virtual_config {
	const struct topology *topology; /* borrowed */
	struct line_costs line;
	u64 seed;
	double jitter;	 /* every cost is times 1 +- jitter, uniform; 0..0.5 */
	u64 livelock_ps; /* longest time without progress(); 0: no limit */
	u64 max_ps;	 /* longest run; 0: no limit */
	u64 min_interrupt_ps;	/* no interrupt arrives sooner after it is sent:
				   how far ahead a strand can look for one */
	u32 max_strands;	/* 1..MACHINE_MAX_STRANDS */
	size_t stack_bytes;	/* of each strand; 0: 64 KiB */
	const atomic_int *stop; /* may be NULL; polled now and then */
	const struct trace *trace; /* may be NULL */
};

/**
 * A machine on virtual time.  Strands run in the order of their clocks, ties
 * by id, all in the calling host thread.
 * Returns NULL when out of memory; freed by machine_destroy().
 */
struct machine *virtual_create(const struct virtual_config *config);

/** Called before an operation on a word is done; see step_create(). */
typedef void step_point_fn(void *ctx, struct strand *s, const void *word,
			   enum line_op op);

struct step_config {
	u32 max_strands;
	step_point_fn *point;				  /* may be NULL */
	bool (*interrupted)(void *ctx, struct strand *s); /* may be NULL */
	u64 (*now)(void *ctx, struct strand *s);	  /* may be NULL: 0 */
	void *ctx;
};

/**
 * A machine that runs one strand when told: the base of `tdmem module`.
 * Time stands still unless the now callback says otherwise.
 */
struct machine *step_create(const struct step_config *config);

/** Why step_run() came back. */
enum step_end { STEP_RETURNED, STEP_PAUSED, STEP_HALTED, STEP_BLOCKED };

/**
 * Run a strand of a step machine until it has done `ops` more operations on
 * lines and is about to do the next, or returns, or halts.  Loads and 32-bit
 * stores are neither counted nor shown to the point callback; read128 is.
 * STEP_BLOCKED: it waits for a line that has not changed; run it again to let
 * it look again.  Calls may nest: a point callback may run another strand.
 */
enum step_end step_run(struct strand *s, u64 ops);

/** Give a returned strand of a step machine a new function to run. */
void step_reuse(struct strand *s, void (*fn)(struct strand *, void *),
		void *arg);

/** The word that a paused strand is about to work on; NULL if not paused. */
const void *step_word(struct strand *s);

/** The operation that a paused strand is about to do. */
enum line_op step_op(struct strand *s);

/** How a strand of the threads machine is interrupted. */
enum threads_kick {
	THREADS_KICK_BEST,	 /* the first of these that works here */
	THREADS_KICK_MEMBARRIER, /* an IPI to the CPU of the target */
	THREADS_KICK_SIGNAL,	 /* a signal to the thread of the target */
};

struct threads_config {
	const struct topology *topology; /* of this host; borrowed */
	const u32 *os_cpu; /* the kernel's number of each of its CPUs; NULL:
			      threads are not pinned; borrowed */
	u64 seed;
	u64 livelock_ps;    /* longest time without progress(); 0: no limit */
	u64 max_ps;	    /* longest run; 0: no limit */
	u32 max_strands;    /* 1..MACHINE_MAX_STRANDS */
	size_t stack_bytes; /* of each strand; 0: 1 MiB */
	const atomic_int *stop;	   /* may be NULL; polled now and then */
	const struct trace *trace; /* may be NULL; called by all strands */
	enum threads_kick kick;
	bool no_tsc; /* use the kernel's clock even where there is a better */
};

/**
 * A machine of host threads on real CPUs.  Strand on CPU i of the topology is
 * pinned to os_cpu[i]; a strand on a CPU above the last begins again at the
 * first, and busy waits then yield.  What user space can do is done (page
 * clears, copies, flushes, locked instructions, interrupts), and what is left
 * of a cost, or can only be spent, passes by the TSC.
 * Returns NULL when out of memory; freed by machine_destroy().
 */
struct machine *threads_create(const struct threads_config *config);

/** What a threads machine found, once it has run. */
struct threads_facts {
	u32 strands, cpus; /* CPUs: that they may use */
	u32 unpinned;	   /* strands that could not be bound to theirs */
	const char *clock; /* "TSC", "CLOCK_MONOTONIC_RAW" */
	u64 clock_hz;
	u64 read_ps;	   /* what reading the clock costs, median */
	const char *clear; /* instruction of page clears and copies */
	const char *flush; /* of flushes */
	const char *kick;  /* "membarrier", "signal" */
};
struct threads_facts threads_facts(const struct machine *m);

/**
 * Add a strand that runs fn(strand, arg) on `cpu`.  Before machine_run()
 * only.  Returns NULL when there are max_strands or memory is out; owned by
 * the machine.
 */
struct strand *machine_strand(struct machine *m, u32 cpu,
			      void (*fn)(struct strand *, void *), void *arg);

/** Run all strands to the end.  Once for each machine. */
enum machine_end machine_run(struct machine *m);

/** One line on how it ended; "" after MACHINE_DONE.  Owned by the machine. */
const char *machine_reason(const struct machine *m);

/** Operations, spends and waits so far. */
u64 machine_events(const struct machine *m);

/** Latest clock of any strand, in ps. */
u64 machine_time(const struct machine *m);

void machine_destroy(struct machine *m);

/* ------------------------------------------- what the model calls */

static inline u64 now(struct strand *s)
{
	return s->timed ? s->clock : s->ops->now(s);
}

/** Let `ps` pass; on a real machine do the work instead where it can. */
static inline void spend_work(struct strand *s, u64 ps, enum work work)
{
	s->ops->spend(s, ps, work);
}

static inline void spend(struct strand *s, u64 ps)
{
	s->ops->spend(s, ps, WORK_PLAIN);
}

/**
 * Let `ps` pass inside the guest; an interrupt cuts it short.
 * Returns the ps that were left, 0 when all of it passed.
 */
static inline u64 spend_in_guest(struct strand *s, u64 ps)
{
	return s->ops->spend_in_guest(s, ps);
}

/**
 * Block until the line is written, if *word is still `seen`.  May return
 * early for no reason: call it in a loop.  With `interruptible` a pending or
 * arriving interrupt ends the wait; then false is returned.
 */
static inline bool line_wait(struct strand *s, struct line *line,
			     const u32 *word, u32 seen, bool interruptible)
{
	return s->ops->wait(s, line, word, seen, interruptible);
}

/** Send an interrupt that is seen by `target` after `latency_ps`. */
static inline void interrupt(struct strand *s, struct strand *target,
			     u64 latency_ps)
{
	s->ops->interrupt(s, target, latency_ps);
}

/** Is an interrupt for this strand pending now? */
static inline bool interrupted(struct strand *s)
{
	return s->ops->interrupted(s);
}

/** Take the pending interrupt. */
static inline void interrupt_done(struct strand *s)
{
	s->ops->interrupt_done(s);
}

/** Tell the watchdog that something useful has been done. */
static inline void progress(struct strand *s)
{
	s->ops->progress(s);
}

/**
 * The machine cannot go on (a sanity check failed).  Ends the run with
 * MACHINE_HALTED; the text is copied.
 */
static inline _Noreturn void machine_halt(struct strand *s, const char *why)
{
	s->ops->halt(s, why);
}

/** A pseudo-random number from this strand's own seeded stream (splitmix). */
static inline u64 strand_random(struct strand *s)
{
	u64 z = (s->random += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/*
 * A real machine has written a word.  Who parks counts itself in before it
 * looks at the word for the last time, and both operations are sequentially
 * consistent: one of the two sees the other.
 */
static inline void line_written(struct strand *s, struct line *line)
{
	if (__builtin_expect(__atomic_load_n(&line->waiters, __ATOMIC_SEQ_CST),
			     0))
		s->ops->wake(s, line);
}

/*
 * Words that are waited for have 32 bits; lock bytes and tails are halves of
 * them.  The module's own words, of other sizes, are never waited for.
 */
#define LINE_IS_AWAITED(op)                                                    \
	((op) == LINE_XADD32 || (op) == LINE_CMPXCHG32 ||                      \
	 (op) == LINE_XCHG32 || (op) == LINE_BTR32 || (op) == LINE_XCHG16)

/*
 * Operations on words of a line.  Each returns the old value.  `line` is the
 * book-keeping of the cache line that holds *w.
 */
#define LINE_RMW(name, type, OP, operand, atomic, plain)                       \
	static inline type line_##name(struct strand *s, struct line *line,    \
				       type *w, operand)                       \
	{                                                                      \
		type old;                                                      \
                                                                               \
		if (s->real) {                                                 \
			old = (type)(atomic);                                  \
			if (LINE_IS_AWAITED(OP))                               \
				line_written(s, line);                         \
			return old;                                            \
		}                                                              \
		s->ops->order(s, line, w, OP);                                 \
		old = *w;                                                      \
		plain;                                                         \
		return old;                                                    \
	}

LINE_RMW(xadd16, u16, LINE_XADD16, u16 v,
	 __atomic_fetch_add(w, v, __ATOMIC_SEQ_CST), *w = (u16)(old + v))
LINE_RMW(xadd32, u32, LINE_XADD32, u32 v,
	 __atomic_fetch_add(w, v, __ATOMIC_SEQ_CST), *w = old + v)
LINE_RMW(xadd64, u64, LINE_XADD64, u64 v,
	 __atomic_fetch_add(w, v, __ATOMIC_SEQ_CST), *w = old + v)
LINE_RMW(xchg16, u16, LINE_XCHG16, u16 v,
	 __atomic_exchange_n(w, v, __ATOMIC_SEQ_CST), *w = v)
LINE_RMW(xchg32, u32, LINE_XCHG32, u32 v,
	 __atomic_exchange_n(w, v, __ATOMIC_SEQ_CST), *w = v)
LINE_RMW(and16, u16, LINE_AND16, u16 v,
	 __atomic_fetch_and(w, v, __ATOMIC_SEQ_CST), *w = old & v)
LINE_RMW(or16, u16, LINE_OR16, u16 v, __atomic_fetch_or(w, v, __ATOMIC_SEQ_CST),
	 *w = old | v)
/* bts and btr take a mask of one bit and return the old word */
LINE_RMW(bts64, u64, LINE_BTS64, u64 bit,
	 __atomic_fetch_or(w, bit, __ATOMIC_SEQ_CST), *w = old | bit)
LINE_RMW(btr64, u64, LINE_BTR64, u64 bit,
	 __atomic_fetch_and(w, ~bit, __ATOMIC_SEQ_CST), *w = old & ~bit)
LINE_RMW(btr32, u32, LINE_BTR32, u32 bit,
	 __atomic_fetch_and(w, ~bit, __ATOMIC_SEQ_CST), *w = old & ~bit)
#undef LINE_RMW

/**
 * line_xadd32() by somebody who looks only at the bits `looks` of the old
 * value, which is all that is returned.  Two additions to a word have no order
 * when neither changes what the other looks at.
 */
static inline u32 line_add32(struct strand *s, struct line *line, u32 *w, u32 v,
			     u32 looks)
{
	u32 old;

	s->adds = v;
	s->looks = looks;
	old = line_xadd32(s, line, w, v);
	s->adds = 0;
	return old & looks;
}

#define LINE_CMPXCHG(bits, OP)                                                 \
	static inline u##bits line_cmpxchg##bits(                              \
		struct strand *s, struct line *line, u##bits *w,               \
		u##bits expected, u##bits desired)                             \
	{                                                                      \
		u##bits old = expected;                                        \
                                                                               \
		if (s->real) {                                                 \
			__atomic_compare_exchange_n(w, &old, desired, false,   \
						    __ATOMIC_SEQ_CST,          \
						    __ATOMIC_SEQ_CST);         \
			if (LINE_IS_AWAITED(OP))                               \
				line_written(s, line);                         \
			return old;                                            \
		}                                                              \
		s->ops->order(s, line, w, OP);                                 \
		old = *w;                                                      \
		if (old == expected)                                           \
			*w = desired;                                          \
		return old;                                                    \
	}
LINE_CMPXCHG(8, LINE_CMPXCHG8)
LINE_CMPXCHG(16, LINE_CMPXCHG16)
LINE_CMPXCHG(32, LINE_CMPXCHG32)
LINE_CMPXCHG(64, LINE_CMPXCHG64)
#undef LINE_CMPXCHG

/*
 * Loads are sequentially consistent: KVM's vCPU loop stores its mode and then
 * looks at the gate, and who closes the gate does it the other way round.  On
 * x86 it is a plain load all the same; store32 has the fence.
 */
static inline u64 line_load64(struct strand *s, struct line *line, const u64 *w)
{
	if (!s->real)
		s->ops->order(s, line, w, LINE_LOAD);
	return __atomic_load_n(w, __ATOMIC_SEQ_CST);
}

static inline u32 line_load32(struct strand *s, struct line *line, const u32 *w)
{
	if (!s->real)
		s->ops->order(s, line, w, LINE_LOAD32);
	return __atomic_load_n(w, __ATOMIC_SEQ_CST);
}

/** Never of a word that is waited for. */
static inline void line_store64(struct strand *s, struct line *line, u64 *w,
				u64 v)
{
	if (!s->real)
		s->ops->order(s, line, w, LINE_STORE64);
	__atomic_store_n(w, v, __ATOMIC_RELEASE);
}

static inline void line_store32(struct strand *s, struct line *line, u32 *w,
				u32 v)
{
	if (s->real) {
		__atomic_store_n(w, v, __ATOMIC_SEQ_CST);
		line_written(s, line);
		return;
	}
	s->ops->order(s, line, w, LINE_STORE32);
	__atomic_store_n(w, v, __ATOMIC_RELEASE);
}

/**
 * Read 16 bytes at once: w[0] and w[1] as they were at one instant, if w[0]
 * never goes back to a value that it had.  The module has one instruction for
 * it; without counting on one, w[0] is read again.
 */
static inline void line_read128(struct strand *s, struct line *line,
				const u64 *w, u64 out[2])
{
	if (!s->real)
		s->ops->order(s, line, w, LINE_READ128);
	do {
		out[0] = __atomic_load_n(&w[0], __ATOMIC_SEQ_CST);
		out[1] = __atomic_load_n(&w[1], __ATOMIC_SEQ_CST);
	} while (out[0] != __atomic_load_n(&w[0], __ATOMIC_SEQ_CST));
}

/**
 * Said right before a plain access to shared bytes that no lock guards: the
 * order of such accesses is a choice, too, for the machine that tries all
 * orders.  On other machines nothing happens.  `s` NULL: looking from outside.
 */
static inline void plain_access(struct strand *s, const void *at, u32 bytes,
				bool write)
{
	if (s && __builtin_expect(s->explored, false))
		s->ops->plain(s, at, bytes, write);
}

/* ------------------------------------------------------------- obstacles */

/**
 * Why a try failed.  It fails again while ((word ^ flip) & mask) is not 0:
 * while one of these bits is set, or with `flip` clear.
 */
struct obstacle {
	const char *what;
	const void *word;
	u32 bytes;
	u64 flip, mask;
};

/**
 * Wait until no bit of `mask` is set in *w ^ flip; returns *w.  Who looks and
 * then waits makes two choices of it; here it is one.
 */
static inline u32 line_await32(struct strand *s, struct line *line,
			       const u32 *w, u32 flip, u32 mask)
{
	u32 seen;

	if (__builtin_expect(s->explored, false)) {
		s->ops->await(s, &(const struct obstacle){"", w, sizeof(*w),
							  flip, mask});
		return *w;
	}
	while (((seen = line_load32(s, line, w)) ^ flip) & mask)
		line_wait(s, line, w, seen, false);
	return seen;
}

/**
 * On a machine that takes locks in one step: wait until no bit of `mask` is
 * set in *w, and in the same step add v.  False: on others nothing happens.
 */
static inline bool line_take32(struct strand *s, u32 *w, u32 mask, u32 v)
{
	if (__builtin_expect(!s->takes_locks, true))
		return false;
	s->adds = v;
	s->looks = mask;
	s->ops->await(s, &(const struct obstacle){"", w, sizeof(*w), 0, mask});
	s->adds = 0;
	*w += v;
	return true;
}

/** Wait until *w is not `seen` any more; returns it. */
static inline u32 line_await_change32(struct strand *s, struct line *line,
				      const u32 *w, u32 seen)
{
	u32 now;

	if (__builtin_expect(s->explored, false)) {
		line_wait(s, line, w, seen, false);
		return *w;
	}
	while ((now = line_load32(s, line, w)) == seen)
		line_wait(s, line, w, seen, false);
	return now;
}

/* ---------------------------------------------------------------- trace */

/**
 * Hooks for whoever wants to see a run.  Each may be NULL.  `what` and `call`
 * are static strings.
 */
struct trace {
	void *ctx;
	void (*call_enter)(void *ctx, struct strand *s, const char *call);
	void (*call_exit)(void *ctx, struct strand *s, const char *call,
			  u64 status);
	void (*lock)(void *ctx, struct strand *s, const char *what, bool won);
	void (*vcpu)(void *ctx, struct strand *s, bool inside);
	void (*kick_sent)(void *ctx, struct strand *s, struct strand *target);
	void (*kick_taken)(void *ctx, struct strand *s);
	/* A lock word that this strand holds from now on, or no longer. */
	void (*held)(void *ctx, struct strand *s, const char *what,
		     const void *word, bool exclusive, bool begin);
	/* What was tried failed. */
	void (*lost)(void *ctx, struct strand *s, const struct obstacle *o);
	/*
	 * Something that may have failed before is tried, with nothing held
	 * but what is held while it is tried again and again.
	 */
	void (*attempt)(void *ctx, struct strand *s, bool enter);
	void (*progress)(void *ctx, struct strand *s);
	/*
	 * A stretch of time that has a name begins or ends: a wait, a round of
	 * kicks.  Of one strand they are nested.
	 */
	void (*span)(void *ctx, struct strand *s, const char *what, bool begin);
	/* What this strand does is measured from now on, or no longer. */
	void (*measure)(void *ctx, struct strand *s, bool begin);
};

/** Bits that are set stand in the way. */
#define trace_lost(s, name, at, bits)                                          \
	trace_emit(s, lost,                                                    \
		   &(const struct obstacle){(name), (at), sizeof(*(at)), 0,    \
					    (bits)})

#define trace_emit(s, hook, ...)                                               \
	do {                                                                   \
		const struct trace *trace_ = (s)->trace;                       \
                                                                               \
		if (trace_ && trace_->hook)                                    \
			trace_->hook(trace_->ctx, (s), ##__VA_ARGS__);         \
	} while (0)

#endif
