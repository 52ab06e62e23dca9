/* SPDX-License-Identifier: GPL-2.0-only */
/* The port of the guest agent on the model. */
#include <stdio.h>

#include "bench/sim/sim.h"

static struct sim_thread *thread_of(struct agent_port *port)
{
	return (struct sim_thread *)port;
}

/* Done, or the VM is gone, or the model did what no script can expect. */
static enum agent_result ended(struct sim_thread *t, const char *what,
			       int error)
{
	if (error == 0)
		return AGENT_OK;
	sim_host_error(t, what, error);
	return AGENT_STOP;
}

static enum agent_result port_touch(struct agent_port *port, uint64_t gpa)
{
	struct sim_thread *t = thread_of(port);
	int error;

	sim_op_goes_on(t);
	error = kvm_guest_touch(t->vcpu, GPA(gpa));
	return error == 1 ? AGENT_VE : ended(t, "touch", error);
}

static enum agent_result port_accept(struct agent_port *port, uint64_t gpa,
				     unsigned level)
{
	struct sim_thread *t = thread_of(port);
	tdx_status status = TDX_SUCCESS;
	char text[128];
	int error;

	sim_op_goes_on(t);
	error = kvm_guest_accept(t->vcpu, GPA(gpa), (enum tdx_level)level,
				 &status);
	if (error)
		return ended(t, "ACCEPT", error);
	switch (status & TDX_STATUS_MASK) {
	case TDX_SUCCESS:
		return AGENT_OK;
	case TDX_PAGE_ALREADY_ACCEPTED:
		return AGENT_ALREADY;
	case TDX_PAGE_SIZE_MISMATCH:
		return AGENT_MISMATCH;
	case TDX_OPERAND_BUSY:
	case TDX_OPERAND_BUSY_HOST_PRIORITY:
	case TDX_HOST_PRIORITY_BUSY_TIMEOUT:
		return AGENT_BUSY;
	default:
		sim_fail(t, "ACCEPT: %s",
			 tdx_status_print(status, text, sizeof(text)));
		return AGENT_STOP;
	}
}

static enum agent_result port_convert(struct agent_port *port, uint64_t gpa,
				      uint64_t bytes, bool to_private)
{
	struct sim_thread *t = thread_of(port);

	sim_op_goes_on(t);
	return ended(
		t, "MapGPA",
		kvm_guest_map_gpa(t->vcpu, GPA(gpa), bytes >> 12, to_private));
}

static enum agent_result port_stuck(struct agent_port *port, uint64_t gpa)
{
	struct sim_thread *t = thread_of(port);

	return ended(t, "stuck", kvm_guest_stuck(t->vcpu, GPA(gpa)));
}

/* Inside the guest until the flag has another value. */
static enum agent_result wait_inside(struct sim_thread *t,
				     struct sim_flag *flag, u32 seen)
{
	int error = 0;

	while (!error &&
	       line_load32(t->kvm.strand, &flag->line, &flag->value) == seen)
		error = kvm_guest_wait(t->vcpu, &flag->line, &flag->value,
				       seen);
	return ended(t, "waiting", error);
}

static enum agent_result port_spin(struct agent_port *port, uint64_t ns)
{
	struct sim_thread *t = thread_of(port);
	u64 slice = sim_slice_ps(t->sim), left = ns * PS_PER_NS;
	int error = 0;

	if (ns == 0)
		return wait_inside(t, &t->sim->stop, 0);
	while (!error && left > slice) {
		error = kvm_guest_spin(t->vcpu, slice);
		left -= slice;
		progress(t->kvm.strand);
	}
	if (!error)
		error = kvm_guest_spin(t->vcpu, left);
	return ended(t, "spin", error);
}

static enum agent_result port_halt(struct agent_port *port)
{
	struct sim_thread *t = thread_of(port);
	struct sim_flag *stop = &t->sim->stop;
	int error = 0;

	while (!error && !line_load32(t->kvm.strand, &stop->line, &stop->value))
		error = kvm_guest_halt(t->vcpu, &stop->line, &stop->value, 0);
	return ended(t, "halt", error);
}

static enum agent_result port_leave(struct agent_port *port)
{
	struct sim_thread *t = thread_of(port);

	return ended(t, "exit", kvm_guest_leave(t->vcpu));
}

/*
 * vCPUs do not leave a barrier at one instant.  If they did, all repeats would
 * begin in the same phase and stay in it: a difference between two policies
 * could be that of a phase.  An assumption, of the length of one fault.
 */
enum { WAKE_UP_NS = 10000 };

static int wake_up(struct sim_thread *t)
{
	return kvm_guest_spin(t->vcpu, strand_random(t->kvm.strand) %
					       (WAKE_UP_NS * PS_PER_NS));
}

static enum agent_result port_barrier(struct agent_port *port, unsigned id)
{
	struct sim_thread *t = thread_of(port);
	struct sim_barrier *barrier = sim_arrive(t, id);
	enum agent_result r;

	if (!barrier)
		return AGENT_STOP;
	r = wait_inside(t, &barrier->open, 0);
	if (r == AGENT_OK && t->sim->setup->jitter > 0)
		r = ended(t, "barrier", wake_up(t));
	return sim_gone(t->sim) ? AGENT_STOP : r;
}

static void port_measure(struct agent_port *port, bool begin)
{
	sim_measure(thread_of(port), begin);
}

static void port_record(struct agent_port *port, enum agent_latency what,
			uint64_t begin, uint64_t end)
{
	sim_record_agent(thread_of(port), what, begin, end);
}

static bool port_stopped(struct agent_port *port)
{
	struct sim_thread *t = thread_of(port);
	struct sim_flag *stop = &t->sim->stop;

	return line_load32(t->kvm.strand, &stop->line, &stop->value) != 0;
}

static uint64_t port_now_ns(struct agent_port *port)
{
	return now(thread_of(port)->kvm.strand) / PS_PER_NS;
}

static const struct agent_port_ops sim_port_ops = {
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
	.stopped = port_stopped,
	.now_ns = port_now_ns,
};

enum agent_result sim_agent_run(struct sim_thread *t,
				const struct agent_script *script)
{
	t->port.ops = &sim_port_ops;
	return agent_run(&t->port, script->op, script->n);
}
