/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lock, unlock and show: the objects that have a lock or something to see.
 */
#include <string.h>

#include "bench/script/impl.h"

static void show_raw(struct world *w, const struct tdx_ref *ref, json_t *result)
{
	put_hex(result, "raw_lock", tdx_ref_raw(&world_host(w, NULL)->lp, ref));
}

static void show_epoch(struct world *w, const struct tdx_ref *ref,
		       json_t *result)
{
	struct tdx_show_td show;

	tdx_show_td(w->module, ref->tdr, &show);
	put_hex(result, "raw_lock", show.epoch_lock);
	put_hex(result, "epoch", show.epoch);
	json_object_set_new(result, "refcount",
			    json_pack("[ii]", (int)show.refcount[0],
				      (int)show.refcount[1]));
}

static void show_tdr(struct world *w, const struct tdx_ref *ref, json_t *result)
{
	struct tdx_show_td show;

	tdx_show_td(w->module, ref->tdr, &show);
	put_hex(result, "raw_lock", show.tdr_lock);
	put_int(result, "chldcnt", (s64)show.chldcnt);
	json_object_set_new(result, "lifecycle", json_string(show.lifecycle));
	put_int(result, "assoc_vcpus", show.assoc_vcpus);
}

static void show_sept(struct world *w, const struct tdx_ref *ref,
		      json_t *result)
{
	struct tdx_show_sept show;

	tdx_show_sept(w->module, ref->tdr, ref->gpa, ref->level, &show);
	if (!show.reachable) {
		json_object_set_new(result, "state",
				    json_string("UNREACHABLE"));
		put_int(result, "level", show.level);
		return;
	}
	json_object_set_new(result, "state", json_string(show.state));
	put_int(result, "el", show.el);
	put_int(result, "hp", show.hp);
	if (show.accept_counter)
		put_int(result, "accept_counter", show.accept_counter);
	put_hex(result, "hpa", show.hpa.v);
}

static void show_pamt(struct world *w, const struct tdx_ref *ref,
		      json_t *result)
{
	struct tdx_show_pamt show;

	tdx_show_pamt(w->module, ref->hpa, ref->size, &show);
	json_object_set_new(result, "type", json_string(show.type));
	put_hex(result, "raw_lock", show.raw_lock);
	if (!strcmp(show.type, "NDA"))
		return;
	put_int(result, "owner_td", world_td_of(w, show.owner.v));
	put_hex(result, "bepoch", show.bepoch);
}

static void show_vcpu(struct world *w, const struct tdx_ref *ref,
		      json_t *result)
{
	json_t *list = json_array();
	struct tdx_show_vcpu show;
	char text[20];
	u32 i;

	tdx_show_vcpu(w->module, ref->hpa, &show);
	json_object_set_new(result, "state", json_string(show.state));
	put_int(result, "epf_count", show.epf_count);
	for (i = 0; i < show.epf_listed; i++) {
		snprintf(text, sizeof(text), "0x%llx",
			 (unsigned long long)show.epf_list[i]);
		json_array_append_new(list, json_string(text));
	}
	json_object_set_new(result, "epf_list", list);
	put_hex(result, "vcpu_epoch", show.vcpu_epoch);
	json_object_set_new(result, "associated",
			    json_boolean(show.associated));
	json_object_set_new(result, "in_guest", json_boolean(show.in_guest));
}

/* The side matters only to the locks that know host priority. */
static const struct object_kind objects[] = {
	{"sept-tree", TDX_SEPT_TREE, FIELD(TD), 0, FIELD(MODE), 0, true,
	 show_raw},
	{"epoch", TDX_EPOCH, FIELD(TD), 0, FIELD(MODE), 0, true, show_epoch},
	{"op-state", TDX_OP_STATE, FIELD(TD), 0, FIELD(MODE), FIELD(SIDE), true,
	 show_raw},
	{"tdr", TDX_TDR, FIELD(TD), 0, FIELD(MODE), FIELD(SIDE), true,
	 show_tdr},
	{"tdvpr", TDX_TDVPR, FIELD(TD) | FIELD(VCPU), 0, FIELD(MODE),
	 FIELD(SIDE), true, show_raw},
	{"kot", TDX_KOT, 0, FIELD(TD), FIELD(MODE), 0, true, show_raw},
	{"wbcache", TDX_WBCACHE, 0, FIELD(TD), 0, 0, true, show_raw},
	{"sept-entry", TDX_SEPT_ENTRY, FIELD(TD) | FIELD(GPA) | FIELD(LEVEL), 0,
	 0, FIELD(SIDE), true, show_sept},
	{"pamt", TDX_PAMT, FIELD(HPA) | FIELD(SIZE), 0, FIELD(MODE),
	 FIELD(SIDE), true, show_pamt},
	{"vcpu", TDX_TDVPR, FIELD(TD) | FIELD(VCPU), 0, 0, 0, false, show_vcpu},
};

const struct object_kind *object_kind_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(objects) / sizeof(*objects); i++) {
		if (!strcmp(objects[i].name, name))
			return &objects[i];
	}
	return NULL;
}

static int make_ref(struct world *w, const struct script_step *step,
		    struct tdx_ref *ref, struct err *e)
{
	const struct script_args *a = &step->args;
	const struct script_td *td = &w->td[a->v[F_TD]];

	*ref = (struct tdx_ref){
		.what = step->object->what,
		.hpa = HPA(a->v[F_HPA]),
		.gpa = GPA(a->v[F_GPA]),
		.level = (enum tdx_level)a->v[F_LEVEL],
		.size = (enum tdx_level)a->v[F_SIZE],
		.guest = a->v[F_SIDE] == SIDE_GUEST,
	};
	if (step->object->what == TDX_SEPT_ENTRY && a->v[F_LEVEL] > LEVEL_256T)
		return script_bad(e, step, "$.level",
				  "expected an integer from 0 to 4");
	if (!given(a, F_TD))
		return 0;
	if (!td->exists)
		return script_bad(e, step, "$.td", "there is no TD %llu",
				  (unsigned long long)a->v[F_TD]);
	ref->tdr = td->tdr;
	if (!given(a, F_VCPU))
		return 0;
	if (a->v[F_VCPU] >= td->vcpus)
		return script_bad(e, step, "$.vcpu",
				  "expected an integer below %u, this TD's "
				  "number of vCPUs",
				  td->vcpus);
	ref->hpa = world_tdvpr(td, (u32)a->v[F_VCPU]);
	return 0;
}

struct lock_job {
	struct tdx_ref ref;
	bool exclusive, release;
	tdx_status status;
};

static void lock_job(struct lp *lp, void *arg)
{
	struct lock_job *job = arg;

	job->status = (job->release ? tdx_ref_unlock : tdx_ref_lock)(
		lp, &job->ref, job->exclusive);
}

int op_lock(struct world *w, const struct script_step *step, json_t *result,
	    struct err *e)
{
	struct lock_job job = {
		.exclusive = step->args.v[F_MODE] == MODE_EXCLUSIVE,
		.release = !strcmp(step->op->name, "unlock"),
	};

	if (make_ref(w, step, &job.ref, e))
		return -1;
	if (world_run(w, world_host(w, NULL), lock_job, &job))
		put_status(result, job.status);
	else
		put_halt(w, result);
	return 0;
}

int op_show(struct world *w, const struct script_step *step, json_t *result,
	    struct err *e)
{
	struct tdx_ref ref;

	if (make_ref(w, step, &ref, e))
		return -1;
	step->object->show(w, &ref, result);
	return 0;
}
