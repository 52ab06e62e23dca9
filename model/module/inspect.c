/* SPDX-License-Identifier: GPL-2.0-only */
/* Looking into the module, and holding its locks from outside. */
#include "model/module/inspect.h"

#include "model/module/gates.h"

/* --------------------------------------------------------- locks by name */

/* Locks of a TD or global ones, as SHAREX or SHAREX-HP; false: not one. */
static bool named_lock(struct tdx_module *m, const struct tdx_ref *ref,
		       struct lock *l, bool *hp)
{
	const struct control_page *p = control_page(m, ref->tdr);
	struct td *td = p ? p->td : NULL;

	*hp = ref->what == TDX_OP_STATE;
	switch (ref->what) {
	case TDX_SEPT_TREE:
		*l = td_tree_lock(td);
		return true;
	case TDX_EPOCH:
		*l = td_epoch_lock(td);
		return true;
	case TDX_OP_STATE:
		*l = td_op_state_lock(td);
		return true;
	case TDX_KOT:
		*l = kot_lock(m);
		return true;
	default:
		return false;
	}
}

/* PAMT entries: TDRs, TDVPRs and pages by address. */
static struct lock entry_lock(const struct call *c, const struct tdx_ref *ref)
{
	hpa_t hpa = ref->what == TDX_TDR ? ref->tdr : ref->hpa;
	enum tdx_level size = ref->what == TDX_PAMT ? ref->size : LEVEL_4K;
	struct pamt_ref at = pamt_at(c, hpa, size);

	return pamt_lock(&at, "PAMT");
}

static bool find_sept(const struct tdx_module *m, const struct tdx_ref *ref,
		      struct sept_walk *at)
{
	const struct control_page *p = control_page(m, ref->tdr);

	return sept_walk(m, NULL, p->td, ref->gpa, ref->level, true, at);
}

static struct call outside(struct lp *lp)
{
	return (struct call){lp, lp->strand, lp->module, NR_TDX_CALLS};
}

static tdx_status busy_unless(bool won)
{
	return won ? TDX_SUCCESS : TDX_OPERAND_BUSY;
}

tdx_status tdx_ref_lock(struct lp *lp, const struct tdx_ref *ref,
			bool exclusive)
{
	enum side side = ref->guest ? GUEST : HOST;
	struct call c = outside(lp);
	struct sept_walk at;
	struct lock l;
	bool hp;

	if (ref->what == TDX_SEPT_ENTRY) {
		if (!find_sept(c.m, ref, &at))
			return TDX_EPT_WALK_FAILED;
		return entry_try(&c, at.entry, at.line, side);
	}
	if (ref->what == TDX_WBCACHE) {
		struct wbt *wbt = &c.m->wbt[lp->package];

		return busy_unless(mutex_try(&c, &wbt->lock, &wbt->line));
	}
	if (named_lock(c.m, ref, &l, &hp)) {
		if (!hp)
			return busy_unless(sharex_try(&c, &l, exclusive));
	} else {
		l = entry_lock(&c, ref);
	}
	return hp_try(&c, &l, exclusive, side);
}

tdx_status tdx_ref_unlock(struct lp *lp, const struct tdx_ref *ref,
			  bool exclusive)
{
	struct call c = outside(lp);
	struct sept_walk at;
	struct lock l;
	bool hp = true;

	if (ref->what == TDX_SEPT_ENTRY) {
		if (!find_sept(c.m, ref, &at))
			return TDX_EPT_WALK_FAILED;
		entry_release(&c, at.entry, at.line);
		return TDX_SUCCESS;
	}
	if (ref->what == TDX_WBCACHE) {
		struct wbt *wbt = &c.m->wbt[lp->package];

		mutex_release(&c, &wbt->lock, &wbt->line);
		return TDX_SUCCESS;
	}
	if (!named_lock(c.m, ref, &l, &hp)) {
		l = entry_lock(&c, ref);
		hp = true;
	}
	if (hp)
		hp_release(&c, &l, exclusive);
	else
		sharex_release(&c, &l, exclusive);
	return TDX_SUCCESS;
}

u64 tdx_ref_raw(struct lp *lp, const struct tdx_ref *ref)
{
	struct call c = outside(lp);
	struct sept_walk at;
	struct lock l;
	bool hp;

	if (ref->what == TDX_SEPT_ENTRY)
		return find_sept(c.m, ref, &at) ? sept_load(at.entry) : 0;
	if (ref->what == TDX_WBCACHE)
		return c.m->wbt[lp->package].lock;
	if (!named_lock(c.m, ref, &l, &hp))
		l = entry_lock(&c, ref);
	return __atomic_load_n(l.word, __ATOMIC_RELAXED);
}

/* ------------------------------------------------------------------ show */

void tdx_show_sept(struct tdx_module *module, hpa_t tdr, gpa_t gpa,
		   enum tdx_level level, struct tdx_show_sept *show)
{
	struct tdx_ref ref = {.tdr = tdr, .gpa = gpa, .level = level};
	struct sept_walk at;
	u64 clean;

	*show = (struct tdx_show_sept){.reachable =
					       find_sept(module, &ref, &at)};
	show->level = at.level;
	show->state = sept_entry_info(at.copy)->name;
	show->el = at.copy & ENTRY_EL;
	show->hp = at.copy & ENTRY_HP;
	clean = sept_clean(at.copy, at.level);
	show->hpa = sept_hpa(clean);
	show->accept_counter =
		(u32)((sept_hpa(at.copy).v - sept_hpa(clean).v) >> 12);
}

void tdx_show_pamt(struct tdx_module *module, hpa_t hpa, enum tdx_level size,
		   struct tdx_show_pamt *show)
{
	static const char *const names[] = {
		[PT_NDA] = "NDA", [PT_RSVD] = "RSVD", [PT_REG] = "REG",
		[PT_TDR] = "TDR", [PT_TDCX] = "TDCX", [PT_TDVPR] = "TDVPR",
		[PT_EPT] = "EPT",
	};
	struct pamt_ref ref = pamt_peek(module, hpa, size);

	*show = (struct tdx_show_pamt){.type = "NDA"};
	if (!ref.entry)
		return;
	show->type = names[pamt_type(ref.entry)];
	show->raw_lock = ref.entry->lock;
	show->owner = pamt_owner(ref.entry);
	show->bepoch = ref.entry->bepoch;
}

void tdx_show_td(struct tdx_module *module, hpa_t tdr, struct tdx_show_td *show)
{
	static const char *const lifecycles[NR_LIFECYCLES] = {
		"HKID_ASSIGNED",
		"KEYS_CONFIGURED",
		"BLOCKED",
		"TEARDOWN",
	};
	static const char *const op_states[NR_OP_STATES] = {
		"UNINITIALIZED", "INITIALIZED", "RUNNABLE",	 "LIVE_EXPORT",
		"PAUSED_EXPORT", "POST_EXPORT", "MEMORY_IMPORT", "STATE_IMPORT",
		"POST_IMPORT",	 "LIVE_IMPORT", "FAILED_IMPORT",
	};
	const struct control_page *p = control_page(module, tdr);
	const struct td *td = p ? p->td : NULL;

	*show = (struct tdx_show_td){.lifecycle = "none", .op_state = "none"};
	show->kot_lock = module->kot.words->lock;
	if (!td)
		return;
	show->sept_tree_lock = td->tree.tree_lock;
	show->epoch_lock = td->track.lock;
	show->op_state_lock = td->state.op_state_lock;
	show->tdr_lock = pamt_peek(module, tdr, LEVEL_4K).entry->lock;
	show->epoch = td->track.epoch;
	show->refcount[0] = td->track.refcount[0];
	show->refcount[1] = td->track.refcount[1];
	show->chldcnt = td->tdr.chldcnt;
	show->lifecycle = lifecycles[td->tdr.lifecycle];
	show->op_state = op_states[td->state.op_state];
	show->assoc_vcpus = td->state.num_assoc_vcpus;
}

static const char *vcpu_state_name(u32 state)
{
	switch (state) {
	case VCPU_READY:
		return "READY";
	case VCPU_ACTIVE:
		return "ACTIVE";
	case VCPU_DISABLED:
		return "DISABLED";
	default:
		return "UNINITIALIZED";
	}
}

void tdx_show_vcpu(struct tdx_module *module, hpa_t tdvpr,
		   struct tdx_show_vcpu *show)
{
	const struct control_page *p = control_page(module, tdvpr);
	const struct tdvps *vcpu = p ? p->vcpu : NULL;
	u32 i;

	*show = (struct tdx_show_vcpu){.state = "none"};
	if (!vcpu)
		return;
	show->state = vcpu_state_name(vcpu->state);
	show->epf_count = vcpu->epf_count;
	show->epf_listed = vcpu->head.epf_listed;
	for (i = 0; i < vcpu->head.epf_listed; i++)
		show->epf_list[i] = vcpu->epf_list[i];
	show->vcpu_epoch = vcpu->head.epoch;
	show->associated = vcpu->head.assoc_lpid != NO_LP;
	show->in_guest = vcpu->state == VCPU_ACTIVE;
}

/* ----------------------------------------------------------- word names */

static bool within(const void *word, const void *base, size_t size)
{
	uintptr_t at = (uintptr_t)word - (uintptr_t)base;

	return base && at < size;
}

static const char *td_word_name(const struct td *td, const void *word)
{
	if (word == &td->state.op_state_lock)
		return "tdcs.op_state_lock";
	if (word == &td->tree.tree_lock)
		return "tdcs.sept_tree_lock";
	if (word == &td->track.lock)
		return "tdcs.epoch_lock";
	if (word == &td->track.refcount[0])
		return "tdcs.refcount[0]";
	if (word == &td->track.refcount[1])
		return "tdcs.refcount[1]";
	if (word == &td->track.epoch)
		return "tdcs.epoch+refcounts(16B)";
	if (word == &td->state.num_assoc_vcpus)
		return "tdcs.num_assoc_vcpus";
	if (word == &td->state.num_vcpus)
		return "tdcs.num_vcpus";
	return word == &td->tdr.chldcnt ? "tdr.chldcnt" : NULL;
}

static const char *control_word_name(const struct control_page *p,
				     const void *word)
{
	if (p->sept && within(word, p->sept->entry, sizeof(p->sept->entry)))
		return "sept-entry";
	if (p->vcpu && word == &p->vcpu->head.assoc_lpid)
		return "tdvps.assoc_lpid";
	return p->td ? td_word_name(p->td, word) : NULL;
}

struct word_search {
	const void *word;
	const char *name;
};

static void search_chunk(void *ctx, hpa_t base, struct pamt_chunk *chunk)
{
	struct word_search *s = ctx;
	unsigned i, k;

	(void)base;
	if (s->name)
		return;
	if (within(s->word, chunk->entry, sizeof(chunk->entry)))
		s->name = "pamt4k";
	for (i = 0; i < ENTRIES / CONTROL_GROUP; i++) {
		const struct control_group *g = chunk->control[i];

		for (k = 0; g && k < CONTROL_GROUP && !s->name; k++)
			s->name = control_word_name(&g->page[k], s->word);
	}
}

static const char *pamt_word_name(const struct tdmr *t, const void *word)
{
	u64 gibs = t->size >> 30, i;

	if (within(word, t->entry, gibs * sizeof(*t->entry)))
		return "pamt1g";
	for (i = 0; i < gibs; i++)
		if (t->block[i] && within(word, t->block[i]->entry,
					  sizeof(t->block[i]->entry)))
			return "pamt2m";
	return NULL;
}

const char *tdx_word_name(const struct tdx_module *module, const void *word)
{
	struct word_search s = {word, NULL};
	const struct kot *k = &module->kot;
	u32 i;

	for (i = 0; i < module->tdmrs && !s.name; i++)
		s.name = pamt_word_name(&module->tdmr[i], word);
	for (i = 0; i < module->platform.packages && !s.name; i++)
		if (word == &module->wbt[i].lock)
			s.name = "wbt.entry_lock";
	if (!s.name && word == &k->words->lock)
		s.name = "kot.lock";
	if (!s.name &&
	    within(word, k->words->wbinvd, 2 * k->hkids * sizeof(u32)))
		s.name = "kot.entry";
	pamt_each_chunk(module, search_chunk, &s);
	return s.name ? s.name : "?";
}
