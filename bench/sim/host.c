/* SPDX-License-Identifier: GPL-2.0-only */
/* What host threads do on the model: their scripts, one operation each. */
#include <errno.h>

#include "bench/sim/sim.h"

typedef int host_fn(struct sim_thread *t, const struct host_op *op);

static struct sim_td *td_of(struct sim_thread *t, const struct host_op *op)
{
	return &t->sim->td[op->td];
}

void sim_wait(struct sim_thread *t, struct sim_flag *flag, u32 seen)
{
	struct strand *s = t->kvm.strand;
	enum where before = account(&t->kvm, WHERE_IDLE);

	trace_emit(s, span, where_name(WHERE_IDLE), true);
	while (line_load32(s, &flag->line, &flag->value) == seen)
		line_wait(s, &flag->line, &flag->value, seen, false);
	account(&t->kvm, before);
	trace_emit(s, span, where_name(WHERE_IDLE), false);
}

static void sleep_ps(struct sim_thread *t, u64 ps)
{
	enum where before = account(&t->kvm, WHERE_IDLE);
	u64 slice = sim_slice_ps(t->sim);

	trace_emit(t->kvm.strand, span, "asleep", true);
	for (; ps > slice; ps -= slice) {
		spend(t->kvm.strand, slice);
		progress(t->kvm.strand);
	}
	spend(t->kvm.strand, ps);
	account(&t->kvm, before);
	trace_emit(t->kvm.strand, span, "asleep", false);
}

/* Sleep for what is left of the time that a piece begun then has to take. */
static void keep_pace(struct sim_thread *t, const struct host_op *op,
		      u64 begin_ps)
{
	u64 pace_ps = op->pace_ns * PS_PER_NS;
	u64 taken_ps = now(t->kvm.strand) - begin_ps;

	if (pace_ps > taken_ps)
		sleep_ps(t, pace_ps - taken_ps);
}

/* ------------------------------------------------- operations on memory */

/* -EBUSY: somebody raced the build; it goes on where it was. */
static int do_build(struct sim_thread *t, const struct host_op *op)
{
	int error;

	do {
		error = kvm_init_mem_region(&t->kvm, td_of(t, op)->vm,
					    GPA(op->gpa), op->pages,
					    op->arg != 0);
	} while (error == -EBUSY);
	return error;
}

static int do_finalize(struct sim_thread *t, const struct host_op *op)
{
	struct sim_td *td = td_of(t, op);
	int error;

	do
		error = kvm_finalize(&t->kvm, td->vm);
	while (error == -EBUSY);
	if (!error)
		line_store32(t->kvm.strand, &td->runnable.line,
			     &td->runnable.value, 1);
	return error;
}

static bool ioctls_over(struct sim_thread *t, const struct host_op *op,
			u64 done)
{
	struct sim_td *td = td_of(t, op);

	if (sim_gone(t->sim))
		return true;
	if (op->count)
		return done == op->count;
	return line_load32(t->kvm.strand, &td->runnable.line,
			   &td->runnable.value) != 0;
}

static int do_ioctl(struct sim_thread *t, const struct host_op *op)
{
	u64 done;

	for (done = 0; !ioctls_over(t, op, done); done++) {
		u64 begin = now(t->kvm.strand);
		int error =
			kvm_vcpu_ioctl(&t->kvm, td_of(t, op)->vm, (u32)op->arg);

		if (error && error != -EBUSY)
			return error;
		if (error && t->rec.on)
			t->rec.ioctl_busy++;
		keep_pace(t, op, begin);
	}
	return 0;
}

typedef int piece_fn(struct sim_thread *t, const struct host_op *op, gpa_t gpa,
		     u64 pages);

/* A range in pieces of so many pages, each as late as its pace says. */
static int in_pieces(struct sim_thread *t, const struct host_op *op, u64 piece,
		     piece_fn *fn)
{
	u64 done = 0, pages = 0;
	int error = 0;

	for (; !error && done < op->pages; done += pages) {
		u64 begin = now(t->kvm.strand);

		pages = op->pages - done;
		if (piece && pages > piece)
			pages = piece;
		error = fn(t, op, GPA(op->gpa + (done << 12)), pages);
		if (!error)
			keep_pace(t, op, begin);
	}
	return error;
}

static int prefault_piece(struct sim_thread *t, const struct host_op *op,
			  gpa_t gpa, u64 pages)
{
	u64 begin = now(t->kvm.strand);
	int error = kvm_pre_fault(&t->kvm, td_of(t, op)->vm, gpa, pages);

	if (!error)
		sim_record_op(&t->rec, SIM_PREFAULT, begin, now(t->kvm.strand));
	return error;
}

/* Page by page, each timed; 2M pages where the VM has them. */
static int do_prefault(struct sim_thread *t, const struct host_op *op)
{
	u64 piece = t->sim->scenario->huge ? LEVEL_PAGES(LEVEL_2M) : 1;

	return in_pieces(t, op, piece, prefault_piece);
}

static int punch_piece(struct sim_thread *t, const struct host_op *op,
		       gpa_t gpa, u64 pages)
{
	return kvm_punch_hole(&t->kvm, td_of(t, op)->vm, gpa, pages);
}

static int do_punch(struct sim_thread *t, const struct host_op *op)
{
	return in_pieces(t, op, op->arg, punch_piece);
}

static int do_convert(struct sim_thread *t, const struct host_op *op)
{
	u64 begin = now(t->kvm.strand);
	int error = kvm_set_private(&t->kvm, td_of(t, op)->vm, GPA(op->gpa),
				    op->pages, op->arg != 0);

	if (!error)
		sim_record_op(&t->rec, SIM_CONVERT, begin, now(t->kvm.strand));
	return error;
}

static int do_slot(struct sim_thread *t, const struct host_op *op)
{
	return kvm_delete_slot(&t->kvm, td_of(t, op)->vm, GPA(op->gpa),
			       op->pages);
}

static int do_track(struct sim_thread *t, const struct host_op *op)
{
	return kvm_track_range(&t->kvm, td_of(t, op)->vm, GPA(op->gpa),
			       op->pages);
}

/* ------------------------------------------------------------ the others */

static int do_barrier(struct sim_thread *t, const struct host_op *op)
{
	struct sim_barrier *barrier = sim_arrive(t, op->arg);

	if (barrier)
		sim_wait(t, &barrier->open, 0);
	return 0;
}

static int do_measure(struct sim_thread *t, const struct host_op *op)
{
	sim_measure(t, op->arg != 0);
	return 0;
}

static int do_sleep(struct sim_thread *t, const struct host_op *op)
{
	sleep_ps(t, op->arg * PS_PER_NS);
	return 0;
}

static int do_stop(struct sim_thread *t, const struct host_op *op)
{
	(void)op;
	line_store32(t->kvm.strand, &t->sim->stop.line, &t->sim->stop.value, 1);
	return 0;
}

static int do_join(struct sim_thread *t, const struct host_op *op)
{
	struct sim_flag *left = &td_of(t, op)->left;
	u32 seen;

	for (;;) {
		seen = line_load32(t->kvm.strand, &left->line, &left->value);
		if (seen == t->sim->scenario->vcpus)
			return 0;
		sim_wait(t, left, seen);
	}
}

static bool tears_down(const struct host_script *script, u32 td)
{
	u32 i;

	for (i = 0; i < script->n; i++) {
		if (script->op[i].opcode == HOST_TEARDOWN &&
		    script->op[i].td == td)
			return true;
	}
	return false;
}

static int do_teardown(struct sim_thread *t, const struct host_op *op)
{
	const struct scenario *s = t->sim->scenario;
	u32 index = 0, share = 0, i;

	do_join(t, op);
	for (i = 0; i < s->hosts; i++) {
		if (!tears_down(&s->host[i], op->td))
			continue;
		if (i < t->index)
			index++;
		share++;
	}
	return kvm_teardown(&t->kvm, td_of(t, op)->vm,
			    (enum teardown_order)op->arg, index, share);
}

static const struct {
	const char *name;
	host_fn *fn;
} ops[NR_HOST_OPCODES] = {
	[HOST_BARRIER] = {"barrier", do_barrier},
	[HOST_MEASURE] = {"measure", do_measure},
	[HOST_SLEEP] = {"sleep", do_sleep},
	[HOST_STOP] = {"stop", do_stop},
	[HOST_BUILD] = {"KVM_TDX_INIT_MEM_REGION", do_build},
	[HOST_FINALIZE] = {"KVM_TDX_FINALIZE_VM", do_finalize},
	[HOST_IOCTL] = {"a vCPU ioctl", do_ioctl},
	[HOST_PREFAULT] = {"KVM_PRE_FAULT_MEMORY", do_prefault},
	[HOST_PUNCH] = {"PUNCH_HOLE", do_punch},
	[HOST_CONVERT] = {"KVM_SET_MEMORY_ATTRIBUTES", do_convert},
	[HOST_SLOT] = {"KVM_SET_USER_MEMORY_REGION", do_slot},
	[HOST_TRACK] = {"track", do_track},
	[HOST_JOIN] = {"join", do_join},
	[HOST_TEARDOWN] = {"teardown", do_teardown},
};

/* The operation after a HOST_LOOP at `at`. */
static u32 after_loop(struct sim_thread *t, const struct host_op *op, u32 at)
{
	if (!t->loops[at])
		t->loops[at] = (u32)op->count;
	if (t->loops[at] <= 1) {
		t->loops[at] = 0;
		return at + 1;
	}
	t->loops[at]--;
	return (u32)op->arg;
}

void sim_host_run(struct sim_thread *t, const struct host_script *script)
{
	u32 next = 0;

	while (next < script->n && !sim_gone(t->sim)) {
		const struct host_op *op = &script->op[next];
		int error;

		if (op->opcode == HOST_END)
			return;
		if (op->opcode == HOST_LOOP) {
			next = after_loop(t, op, next);
			continue;
		}
		error = ops[op->opcode].fn(t, op);
		if (error)
			sim_host_error(t, ops[op->opcode].name, error);
		next++;
	}
}
