/* SPDX-License-Identifier: GPL-2.0-only */
/* What the strands of a scenario can do: KVM's calls, the module's, a guest's.
 */
#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "bench/explore_impl.h"
#include "bench/names.h"

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

/* S-EPT pages from the end, where KVM has not come to. */
static hpa_t table_page(const struct claim_world *w, const struct claim_op *op)
{
	u64 number = op->n > 2 ? op->v[2] : 0;

	return HPA(w->vm->sept.v + ((w->vm->sept_pages - 1 - number) << 12));
}

static tdx_status call_once(struct claim_world *w, struct claim_worker *me,
			    const struct claim_op *op)
{
	hpa_t tdr = vm_tdr(w->vm), page = HPA(w->vm->data.v + gpa_of(op).v);
	enum tdx_level level = level_of(op);
	struct lp *lp = &me->t.lp;
	gpa_t gpa = gpa_of(op);
	struct tdx_out out;

	if (!strcmp(op->kind->name, "TDH.MEM.PAGE.AUG"))
		return tdh_mem_page_aug(lp, tdr, gpa, level, page, &out);
	if (!strcmp(op->kind->name, "TDH.MEM.SEPT.ADD"))
		return tdh_mem_sept_add(lp, tdr, gpa, level, table_page(w, op),
					&out);
	if (!strcmp(op->kind->name, "TDH.MEM.RANGE.BLOCK"))
		return tdh_mem_range_block(lp, tdr, gpa, level, &out);
	if (!strcmp(op->kind->name, "TDH.MEM.RANGE.UNBLOCK"))
		return tdh_mem_range_unblock(lp, tdr, gpa, level, &out);
	if (!strcmp(op->kind->name, "TDH.MEM.PAGE.REMOVE"))
		return tdh_mem_page_remove(lp, tdr, gpa, level, &out);
	if (!strcmp(op->kind->name, "TDH.MEM.PAGE.DEMOTE"))
		return tdh_mem_page_demote(lp, tdr, gpa, level,
					   table_page(w, op), &out);
	if (!strcmp(op->kind->name, "TDH.MEM.PAGE.PROMOTE"))
		return tdh_mem_page_promote(lp, tdr, gpa, level, &out);
	return tdh_mem_track(lp, tdr);
}

static int call(struct claim_world *w, struct claim_worker *me,
		const struct claim_op *op)
{
	tdx_status status;

	do {
		/* In the set-up nobody else runs. */
		if (me->t.strand != w->setup_strand)
			watch_attempt(me);
		status = call_once(w, me, op);
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
			watch_attempt(me);
		ret = kvm_guest_accept(me->vcpu, gpa_of(op), level_of(op),
				       &status);
	} while (!ret && tdx_operand_busy(status));
	return ret;
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

#define MEM "GFN [LEVEL]"
const struct claim_op_kind claim_op_kinds[] = {
	{"punch", "GFN [PAGES]", "fallocate(PUNCH_HOLE)", 1, 2, false, false,
	 punch},
	{"prefault", "GFN [PAGES]", "KVM_PRE_FAULT_MEMORY", 1, 2, false, false,
	 prefault},
	{"to-shared", "GFN [PAGES]", "KVM_SET_MEMORY_ATTRIBUTES", 1, 2, false,
	 false, to_shared},
	{"to-private", "GFN [PAGES]", "KVM_SET_MEMORY_ATTRIBUTES", 1, 2, false,
	 false, to_private},
	{"track", "GFN [PAGES]", "BLOCK, TRACK, kick, UNBLOCK of each page", 1,
	 2, false, false, track},
	{"TDH.MEM.PAGE.AUG", MEM, "the call alone", 1, 2, false, false, call},
	{"TDH.MEM.SEPT.ADD", "GFN LEVEL [NUMBER]",
	 "the call alone, with a spare S-EPT page", 2, 3, false, false, call},
	{"TDH.MEM.RANGE.BLOCK", MEM, "the call alone", 1, 2, false, false,
	 call},
	{"TDH.MEM.RANGE.UNBLOCK", MEM, "the call alone", 1, 2, false, false,
	 call},
	{"TDH.MEM.TRACK", "", "the call alone", 0, 0, false, false, call},
	{"TDH.MEM.PAGE.REMOVE", MEM, "the call alone", 1, 2, false, false,
	 call},
	{"TDH.MEM.PAGE.DEMOTE", "GFN LEVEL [NUMBER]",
	 "the call alone, with a spare S-EPT page", 2, 3, false, false, call},
	{"TDH.MEM.PAGE.PROMOTE", "GFN LEVEL", "the call alone", 2, 2, false,
	 false, call},
	{"touch", "GFN", "store to a private page", 1, 1, true, false, touch},
	{"accept", MEM, "ACCEPT until it is not BUSY", 1, 2, true, false,
	 accept},
	{"stuck", "GFN [TIMES]",
	 "store to a page whose fault userspace does not resolve", 1, 2, true,
	 false, stuck},
	{"leave", "", "an exit to userspace and back", 0, 0, true, false,
	 leave},
	{"run", "", "run on inside, and take what interrupts there are", 0, 0,
	 true, false, run},
	{"out", "", "leave the guest for good", 0, 0, true, true, out},
	{NULL, NULL, NULL, 0, 0, false, false, NULL},
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
		ret = op->kind->run(w, me, op);
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
	if (op->kind->by_vcpu != by_vcpu)
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
