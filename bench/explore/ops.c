/* SPDX-License-Identifier: GPL-2.0-only */
/* What the strands of a scenario can do: KVM's calls, the module's, a guest's.
 */
#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "bench/base/names.h"
#include "bench/explore/impl.h"
#include "model/host/vcpu.h"

static gpa_t gpa_of(const struct claim_op *op)
{
	return GPA(op->v[0] << 12);
}

static u64 pages_of(const struct claim_op *op)
{
	return op->n > 1 ? op->v[1] : 1;
}

/* ------------------------------------------------------------ KVM's calls */

static int punch(struct claim_world *w, struct claim_worker *me,
		 const struct claim_op *op)
{
	return kvm_punch_hole(&me->t, w->vm, gpa_of(op), pages_of(op));
}

static int prefault(struct claim_world *w, struct claim_worker *me,
		    const struct claim_op *op)
{
	return kvm_pre_fault(&me->t, w->vm, gpa_of(op), pages_of(op));
}

static int to_shared(struct claim_world *w, struct claim_worker *me,
		     const struct claim_op *op)
{
	return kvm_set_private(&me->t, w->vm, gpa_of(op), pages_of(op), false);
}

static int to_private(struct claim_world *w, struct claim_worker *me,
		      const struct claim_op *op)
{
	return kvm_set_private(&me->t, w->vm, gpa_of(op), pages_of(op), true);
}

static int track(struct claim_world *w, struct claim_worker *me,
		 const struct claim_op *op)
{
	return kvm_track_range(&me->t, w->vm, gpa_of(op), pages_of(op));
}

/* ------------------------------------------------------- the module's own */

static enum tdx_level level_of(const struct claim_op *op)
{
	return op->n > 1 ? (enum tdx_level)op->v[1] : LEVEL_4K;
}

static hpa_t data_page(const struct claim_world *w, const struct claim_op *op)
{
	return HPA(w->vm->data.v + gpa_of(op).v);
}

/* S-EPT pages from the end, where KVM has not come to. */
static hpa_t table_page(const struct claim_world *w, const struct claim_op *op)
{
	u64 number = op->n > 2 ? op->v[2] : 0;

	return HPA(w->vm->sept.v + ((w->vm->sept_pages - 1 - number) << 12));
}

#define CALL(name, expression)                                                 \
	static tdx_status name(struct claim_world *w, struct lp *lp,           \
			       const struct claim_op *op)                      \
	{                                                                      \
		hpa_t tdr = vm_tdr(w->vm);                                     \
		struct tdx_out out;                                            \
                                                                               \
		return expression;                                             \
	}
#define AT tdr, gpa_of(op), level_of(op)

CALL(page_aug, tdh_mem_page_aug(lp, AT, data_page(w, op), &out))
CALL(sept_add, tdh_mem_sept_add(lp, AT, table_page(w, op), &out))
CALL(range_block, tdh_mem_range_block(lp, AT, &out))
CALL(range_unblock, tdh_mem_range_unblock(lp, AT, &out))
CALL(page_remove, tdh_mem_page_remove(lp, AT, &out))
CALL(page_demote, tdh_mem_page_demote(lp, AT, table_page(w, op), &out))
CALL(page_promote, tdh_mem_page_promote(lp, AT, &out))
CALL(mem_track, ((void)out, (void)op, tdh_mem_track(lp, tdr)))
#undef AT
#undef CALL

static int call(struct claim_world *w, struct claim_worker *me,
		const struct claim_op *op)
{
	tdx_status status;

	do {
		/* In the set-up nobody else runs. */
		if (me->t.strand != w->setup_strand)
			watch_attempt(me, ATTEMPT_IN_KVM);
		status = op->kind->call(w, &me->t.lp, op);
	} while (op->again && tdx_operand_busy(status));
	return 0;
}

/* ------------------------------------------------------------- the guest */

static int touch(struct claim_world *w, struct claim_worker *me,
		 const struct claim_op *op)
{
	int ret = kvm_guest_touch(me->vcpu, gpa_of(op));

	(void)w;
	return ret < 0 ? ret : 0;
}

static int accept(struct claim_world *w, struct claim_worker *me,
		  const struct claim_op *op)
{
	tdx_status status;
	int ret;

	do {
		if (me->t.strand != w->setup_strand)
			watch_attempt(me, ATTEMPT_IN_GUEST);
		ret = kvm_guest_accept(me->vcpu, gpa_of(op), level_of(op),
				       &status);
	} while (!ret && tdx_operand_busy(status));
	/* A guest that gets an error here gives up. */
	if (!ret && tdx_error(status))
		ret = -EFAULT;
	return ret;
}

/* The TDCALL alone; after a TD exit the vCPU stays outside. */
static int try_accept(struct claim_world *w, struct claim_worker *me,
		      const struct claim_op *op)
{
	struct td_exit exit;
	tdx_status status;

	(void)w;
	if (!me->vcpu->inside)
		return -EIO;
	td_set_rip(&me->t.lp, GUEST_RIP_ACCEPT);
	if (tdg_mem_page_accept(&me->t.lp, gpa_of(op), level_of(op), &status,
				&exit) == TDG_EXITED)
		vcpu_exited(me->vcpu);
	return 0;
}

static int stuck(struct claim_world *w, struct claim_worker *me,
		 const struct claim_op *op)
{
	u64 times = op->n > 1 ? op->v[1] : 1;
	int ret = 0;

	(void)w;
	while (times-- && !ret)
		ret = kvm_guest_stuck(me->vcpu, gpa_of(op));
	return ret;
}

static int leave(struct claim_world *w, struct claim_worker *me,
		 const struct claim_op *op)
{
	(void)w;
	(void)op;
	return kvm_guest_leave(me->vcpu);
}

static int run(struct claim_world *w, struct claim_worker *me,
	       const struct claim_op *op)
{
	(void)w;
	(void)op;
	return kvm_guest_spin(me->vcpu, 1);
}

/* Out for good, before the strands' own part. */
static int out(struct claim_world *w, struct claim_worker *me,
	       const struct claim_op *op)
{
	(void)w;
	(void)op;
	kvm_vcpu_finish(me->vcpu);
	me->vcpu = NULL;
	return 0;
}

#define MEM   "GFN [LEVEL]"
#define PAGES "GFN [PAGES]"
#define TABLE "GFN LEVEL [NUMBER]"
const struct claim_op_kind claim_op_kinds[] = {
	{"punch", PAGES, 1, 2, BY_HOST, punch, NULL},
	{"prefault", PAGES, 1, 2, BY_HOST, prefault, NULL},
	{"to-shared", PAGES, 1, 2, BY_HOST, to_shared, NULL},
	{"to-private", PAGES, 1, 2, BY_HOST, to_private, NULL},
	{"track", PAGES, 1, 2, BY_HOST, track, NULL},
	{"TDH.MEM.PAGE.AUG", MEM, 1, 2, BY_HOST, call, page_aug},
	{"TDH.MEM.SEPT.ADD", TABLE, 2, 3, BY_HOST, call, sept_add},
	{"TDH.MEM.RANGE.BLOCK", MEM, 1, 2, BY_HOST, call, range_block},
	{"TDH.MEM.RANGE.UNBLOCK", MEM, 1, 2, BY_HOST, call, range_unblock},
	{"TDH.MEM.TRACK", "", 0, 0, BY_HOST, call, mem_track},
	{"TDH.MEM.PAGE.REMOVE", MEM, 1, 2, BY_HOST, call, page_remove},
	{"TDH.MEM.PAGE.DEMOTE", TABLE, 2, 3, BY_HOST, call, page_demote},
	{"TDH.MEM.PAGE.PROMOTE", "GFN LEVEL", 2, 2, BY_HOST, call,
	 page_promote},
	{"touch", "GFN", 1, 1, BY_VCPU, touch, NULL},
	{"accept", MEM, 1, 2, BY_VCPU, accept, NULL},
	{"try-accept", MEM, 1, 2, BY_VCPU, try_accept, NULL},
	{"stuck", "GFN [TIMES]", 1, 2, BY_VCPU, stuck, NULL},
	{"leave", "", 0, 0, BY_VCPU, leave, NULL},
	{"run", "", 0, 0, BY_VCPU, run, NULL},
	{"out", "", 0, 0, BY_VCPU | IN_SETUP, out, NULL},
	{NULL, NULL, 0, 0, BY_HOST, NULL, NULL},
};

int claim_run_ops(struct claim_world *w, struct claim_worker *me,
		  const struct claim_ops *ops)
{
	bool own_part = me->t.strand != w->setup_strand;
	int ret = 0;

	for (u32 i = 0; i < ops->n && !ret; i++) {
		const struct claim_op *op = &ops->op[i];
		struct event event = {.kind = EVENT_OP};

		snprintf(event.text, sizeof(event.text), "%s", op->text);
		if (own_part)
			record(w, me->index, event);
		ret = op->kind->who & BY_VCPU && !me->vcpu
			      ? -EIO
			      : op->kind->run(w, me, op);
		event.kind = EVENT_OP_END;
		event.error = ret;
		if (own_part)
			record(w, me->index, event);
	}
	return ret;
}

/* --------------------------------------------------------------- parsing */

static const char *kind_name(const void *ctx, size_t index)
{
	(void)ctx;
	return claim_op_kinds[index].name;
}

static int wrong_operands(const struct claim_op *op, const struct at *at)
{
	return at_bad(at, "expected \"%s%s%s\"", op->kind->name,
		      op->kind->operands[0] ? " " : "", op->kind->operands);
}

static int parse_number_of(const char *text, u64 *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	*value = strtoull(text, &end, 0);
	return *end || errno || *value >= CLAIM_PAGES ? -1 : 0;
}

int claim_parse_op(const char *text, bool by_vcpu, struct claim_op *op,
		   const struct at *at)
{
	char copy[sizeof(op->text)], *save = NULL, *word;
	int kind;

	*op = (struct claim_op){.n = 0};
	if (strlen(text) >= sizeof(copy))
		return at_bad(at, "expected an operation");
	strcpy(copy, text);
	strcpy(op->text, text);
	word = strtok_r(copy, " ", &save);
	kind = parse_name(word ? word : "", "operation", kind_name, NULL, at);
	if (kind < 0)
		return -1;
	op->kind = &claim_op_kinds[kind];
	if (by_vcpu != !!(op->kind->who & BY_VCPU))
		return at_bad(at, "\"%s\" is for %s", op->kind->name,
			      by_vcpu ? "host threads" : "vCPUs");
	while ((word = strtok_r(NULL, " ", &save))) {
		if (!strcmp(word, "again") && op->kind->run == call)
			op->again = true;
		else if (op->n == op->kind->max ||
			 parse_number_of(word, &op->v[op->n++]))
			return wrong_operands(op, at);
	}
	return op->n < op->kind->min ? wrong_operands(op, at) : 0;
}
