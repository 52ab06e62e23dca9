/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <string.h>

#include "bench/base/json.h"
#include "bench/base/names.h"
#include "bench/plan/costs.h"

enum column { LOW, TYP, HIGH, NR_COLUMNS };
static const char *const columns[] = {"low", "typ", "high", NULL};
static const char *const marks[] = {"measured", "derived", "assumption", NULL};

/* One million seconds: nothing that is modelled takes longer. */
#define MAX_PS 1e18

static const struct unit {
	const char *name;
	double ps;
} units[] = {{"ps", 1}, {"ns", 1e3}, {"us", 1e6}, {"ms", 1e9}, {NULL, 0}};

static const char *unit_name(const void *ctx, size_t index)
{
	return ((const struct unit *)ctx)[index].name;
}

/* --------------------------------------------------------------- entries */

#define NOWHERE SIZE_MAX
#define TO(m)	offsetof(struct model_costs, m)
#define UNUSED(name, help)                                                     \
	{                                                                      \
		{name, help}, {NOWHERE, NOWHERE}, NOWHERE, 0                   \
	}
#define PART(name, help, m)                                                    \
	{                                                                      \
		{name, help}, {TO(m), NOWHERE}, NOWHERE, 0                     \
	}
#define PART2(name, help, m, n)                                                \
	{                                                                      \
		{name, help}, {TO(m), TO(n)}, NOWHERE, 0                       \
	}
#define WHOLE(name, help, m, kind, words)                                      \
	{                                                                      \
		{name, help}, {TO(m), NOWHERE}, TO(tdx.kind##_ps), words       \
	}
#define WHOLE2(name, help, m, n, kind, words)                                  \
	{                                                                      \
		{name, help}, {TO(m), TO(n)}, TO(tdx.kind##_ps), words         \
	}

/*
 * What a table must hold, and where in the model's costs it goes.  A whole
 * call has a fixed part as well and how many operations on lock words and
 * S-EPT entries the module's own code makes in it.
 */
static const struct entry {
	struct cost_name text;
	size_t to[2];
	size_t fixed;
	unsigned lock_words;
} entries[] = {
	UNUSED("vmx_round_trip", "VM exit and entry, no TD; not used"),
	PART("seamcall", "SEAMCALL + SEAMRET, fixed part", tdx.seamcall_ps),
	PART("tdcall", "TDCALL, fixed part", tdx.tdcall_ps),
	UNUSED("td_round_trip", "TD exit + host + re-entry; used in parts"),
	PART("td_exit", "TD exit", tdx.td_exit_ps),
	PART("exit_handling", "KVM's handling of any exit", kvm.exit_ps),
	PART("td_enter", "VP.ENTER, from the call to the guest",
	     tdx.td_enter_ps),
	WHOLE("sept_add", "TDH.MEM.SEPT.ADD", tdx.call_ps[TDH_MEM_SEPT_ADD],
	      seamcall, 21),
	WHOLE("page_add", "TDH.MEM.PAGE.ADD", tdx.call_ps[TDH_MEM_PAGE_ADD],
	      seamcall, 13),
	WHOLE("mr_extend", "TDH.MR.EXTEND, 256 bytes",
	      tdx.call_ps[TDH_MR_EXTEND], seamcall, 6),
	WHOLE("page_aug", "TDH.MEM.PAGE.AUG", tdx.call_ps[TDH_MEM_PAGE_AUG],
	      seamcall, 20),
	WHOLE("accept_4k", "TDG.MEM.PAGE.ACCEPT, 4K",
	      tdx.call_ps[TDG_MEM_PAGE_ACCEPT], tdcall, 3),
	WHOLE("accept_2m", "TDG.MEM.PAGE.ACCEPT, 2M", tdx.accept_2m_ps, tdcall,
	      3),
	WHOLE("range_block", "TDH.MEM.RANGE.BLOCK",
	      tdx.call_ps[TDH_MEM_RANGE_BLOCK], seamcall, 14),
	WHOLE("range_unblock", "TDH.MEM.RANGE.UNBLOCK",
	      tdx.call_ps[TDH_MEM_RANGE_UNBLOCK], seamcall, 14),
	WHOLE("mem_track", "TDH.MEM.TRACK", tdx.call_ps[TDH_MEM_TRACK],
	      seamcall, 10),
	WHOLE("page_remove", "TDH.MEM.PAGE.REMOVE",
	      tdx.call_ps[TDH_MEM_PAGE_REMOVE], seamcall, 17),
	WHOLE("sept_remove", "TDH.MEM.SEPT.REMOVE",
	      tdx.call_ps[TDH_MEM_SEPT_REMOVE], seamcall, 17),
	WHOLE("page_relocate", "TDH.MEM.PAGE.RELOCATE",
	      tdx.call_ps[TDH_MEM_PAGE_RELOCATE], seamcall, 20),
	WHOLE("page_promote", "TDH.MEM.PAGE.PROMOTE, to 2M",
	      tdx.call_ps[TDH_MEM_PAGE_PROMOTE], seamcall, 1044),
	WHOLE2("page_demote_2m", "TDH.MEM.PAGE.DEMOTE, 2M", tdx.demote_ps,
	       tdx.call_ps[TDH_MEM_PAGE_DEMOTE], seamcall, 24),
	WHOLE("page_wbinvd", "TDH.PHYMEM.PAGE.WBINVD, 4K",
	      tdx.call_ps[TDH_PHYMEM_PAGE_WBINVD], seamcall, 6),
	WHOLE("page_reclaim", "TDH.PHYMEM.PAGE.RECLAIM, 4K",
	      tdx.call_ps[TDH_PHYMEM_PAGE_RECLAIM], seamcall, 9),
	WHOLE("cache_wb", "TDH.PHYMEM.CACHE.WB, one package",
	      tdx.call_ps[TDH_PHYMEM_CACHE_WB], seamcall, 5),
	PART("fault_software", "KVM software of one private fault",
	     kvm.fault_ps),
	PART("remove_software", "KVM software of one removed page",
	     kvm.remove_page_ps),
	PART("reclaim_software", "KVM software of one reclaimed page",
	     kvm.reclaim_page_ps),
	PART("clear_4k", "clear of 4K, 64 MOVDIR64B + fence", kvm.clear_4k_ps),
	PART("flush_4k", "64 CLFLUSHOPT + fence", kvm.flush_4k_ps),
	PART("kick_base", "one round of kicks, sender's part",
	     kvm.kick_base_ps),
	PART("kick_vcpu", "kick, more for each vCPU inside", kvm.kick_vcpu_ps),
	PART("vcpu_ioctl", "fixed part of a vCPU ioctl", kvm.vcpu_ioctl_ps),
	PART2("line_local", "atomic operation, line in own cache",
	      tdx.line_local_ps, line.local_ps),
	PART("line_complex", "cache line from the same complex",
	     line.complex_ps),
	PART("line_socket", "cache line from the same package", line.socket_ps),
	PART("line_remote", "cache line from another package", line.remote_ps),
};

enum { NR_ENTRIES = sizeof(entries) / sizeof(entries[0]) };

size_t cost_count(void)
{
	return NR_ENTRIES;
}

const struct cost_name *cost_at(size_t index)
{
	return &entries[index].text;
}

double cost_least(size_t index, double seamcall, double tdcall,
		  double line_local)
{
	const struct entry *e = &entries[index];
	double fixed = e->fixed == TO(tdx.tdcall_ps) ? tdcall : seamcall;

	return e->fixed == NOWHERE ? 0 : fixed + e->lock_words * line_local;
}

static const char *entry_name(const void *ctx, size_t index)
{
	(void)ctx;
	return index < NR_ENTRIES ? entries[index].text.name : NULL;
}

/* -------------------------------------------------------------- one entry */

/* One line of the table, as it is written. */
struct cost_line {
	const char *name, *unit, *mark, *source;
	double value[NR_COLUMNS];
};

static int parse_entry_name(void *ctx, json_t *value, const struct at *at)
{
	return parse_string(value, &((struct cost_line *)ctx)->name, at);
}

static int parse_unit(void *ctx, json_t *value, const struct at *at)
{
	struct cost_line *line = ctx;

	if (parse_string(value, &line->unit, at))
		return -1;
	return parse_name(line->unit, "unit", unit_name, units, at) < 0 ? -1
									: 0;
}

static int parse_mark(void *ctx, json_t *value, const struct at *at)
{
	struct cost_line *line = ctx;

	if (parse_string(value, &line->mark, at))
		return -1;
	return parse_name(line->mark, "mark", array_name, marks, at) < 0 ? -1
									 : 0;
}

static int parse_source(void *ctx, json_t *value, const struct at *at)
{
	struct cost_line *line = ctx;

	if (parse_string(value, &line->source, at))
		return -1;
	return line->source[0] ? 0 : at_bad(at, "expected a source, not \"\"");
}

static int parse_figure(json_t *value, double *out, const struct at *at)
{
	return parse_number(value, 0, MAX_PS, out, at);
}

static int parse_low(void *ctx, json_t *value, const struct at *at)
{
	return parse_figure(value, &((struct cost_line *)ctx)->value[LOW], at);
}

static int parse_typ(void *ctx, json_t *value, const struct at *at)
{
	return parse_figure(value, &((struct cost_line *)ctx)->value[TYP], at);
}

static int parse_high(void *ctx, json_t *value, const struct at *at)
{
	return parse_figure(value, &((struct cost_line *)ctx)->value[HIGH], at);
}

static const struct member line_members[] = {
	{"name", true, parse_entry_name}, {"unit", true, parse_unit},
	{"low", true, parse_low},	  {"typ", true, parse_typ},
	{"high", true, parse_high},	  {"mark", true, parse_mark},
	{"source", true, parse_source},	  {NULL, false, NULL},
};

/* ---------------------------------------------------------------- a table */

/* While a table is read: all columns, and where each entry was. */
struct reader {
	struct model_costs model[NR_COLUMNS];
	bool seen[NR_ENTRIES];
	size_t place[NR_ENTRIES]; /* in the list */
};

static void put(struct model_costs *model, size_t offset, double ps)
{
	u64 v = (u64)llround(ps);

	if (offset != NOWHERE)
		memcpy((char *)model + offset, &v, sizeof(v));
}

static u64 get(const struct model_costs *model, size_t offset)
{
	u64 v;

	memcpy(&v, (const char *)model + offset, sizeof(v));
	return v;
}

static int check_order(const struct cost_line *line, const struct at *at)
{
	struct at typ = at_key(at, "typ"), high = at_key(at, "high");

	if (line->value[TYP] < line->value[LOW])
		return at_bad(&typ, "%g is below low, %g", line->value[TYP],
			      line->value[LOW]);
	if (line->value[HIGH] < line->value[TYP])
		return at_bad(&high, "%g is below typ, %g", line->value[HIGH],
			      line->value[TYP]);
	return 0;
}

static int store_line(struct reader *r, const struct cost_line *line,
		      size_t index, const struct at *at)
{
	struct at name_at = at_key(at, "name"), unit_at = at_key(at, "unit");
	int e = parse_name(line->name, "cost", entry_name, NULL, &name_at);
	double ps;

	if (e < 0)
		return -1;
	if (r->seen[e])
		return at_bad(&name_at, "\"%s\" is there twice", line->name);
	r->seen[e] = true;
	r->place[e] = index;
	ps = units[find_name(line->unit, unit_name, units)].ps;
	for (int c = 0; c < NR_COLUMNS; c++) {
		if (line->value[c] * ps > MAX_PS)
			return at_bad(&unit_at, "%g %s is too long",
				      line->value[c], line->unit);
		put(&r->model[c], entries[e].to[0], line->value[c] * ps);
		put(&r->model[c], entries[e].to[1], line->value[c] * ps);
	}
	return check_order(line, at);
}

static int parse_entries(void *ctx, json_t *value, const struct at *at)
{
	struct reader *r = ctx;
	size_t i;
	json_t *v;

	if (!json_is_array(value))
		return at_bad(at, "expected a list of costs");
	json_array_foreach(value, i, v)
	{
		struct at here = at_index(at, i);
		struct cost_line line;

		if (parse_object(v, line_members, &line, &here) ||
		    store_line(r, &line, i, &here))
			return -1;
	}
	for (size_t e = 0; e < NR_ENTRIES; e++)
		if (!r->seen[e])
			return at_bad(at, "the cost \"%s\" is missing",
				      entries[e].text.name);
	return 0;
}

/* A whole call cannot be less than what is always in it. */
static int check_whole(const struct reader *r, size_t e, enum column c,
		       const struct at *at)
{
	const struct model_costs *m = &r->model[c];
	struct at list = at_key(at, "entries");
	struct at element = at_index(&list, r->place[e]);
	struct at here = at_key(&element, columns[c]);
	u64 least;

	if (entries[e].fixed == NOWHERE)
		return 0;
	least = get(m, entries[e].fixed) +
		entries[e].lock_words * m->tdx.line_local_ps;
	if (get(m, entries[e].to[0]) >= least)
		return 0;
	return at_bad(&here,
		      "%g ns is below %g ns, the fixed part and %u lock words",
		      (double)get(m, entries[e].to[0]) / 1e3,
		      (double)least / 1e3, entries[e].lock_words);
}

/* A round trip contains both halves of a SEAMCALL and their lock words. */
static int check_round_trip(const struct reader *r, enum column c,
			    const struct at *at)
{
	enum { ENTER_AND_EXIT_WORDS = 16 };
	const struct tdx_costs *t = &r->model[c].tdx;
	u64 least = t->seamcall_ps + ENTER_AND_EXIT_WORDS * t->line_local_ps;

	if (t->td_enter_ps + t->td_exit_ps >= least)
		return 0;
	return at_bad(at,
		      "td_enter + td_exit, %s: %g ns is below %g ns, the fixed "
		      "part and %d lock words",
		      columns[c],
		      (double)(t->td_enter_ps + t->td_exit_ps) / 1e3,
		      (double)least / 1e3, ENTER_AND_EXIT_WORDS);
}

static int check_sums(const struct reader *r, const struct at *at)
{
	for (int c = 0; c < NR_COLUMNS; c++) {
		for (size_t e = 0; e < NR_ENTRIES; e++)
			if (check_whole(r, e, (enum column)c, at))
				return -1;
		if (check_round_trip(r, (enum column)c, at))
			return -1;
	}
	return 0;
}

static int parse_schema(void *ctx, json_t *value, const struct at *at)
{
	const char *s;

	(void)ctx;
	if (parse_string(value, &s, at))
		return -1;
	return strcmp(s, "tdmem-costs/1") == 0
		       ? 0
		       : at_bad(at, "expected \"tdmem-costs/1\", not \"%.40s\"",
				s);
}

static int parse_text(void *ctx, json_t *value, const struct at *at)
{
	const char *ignored;

	(void)ctx;
	return parse_string(value, &ignored, at);
}

static const struct member document[] = {
	{"schema", true, parse_schema},
	{"name", true, parse_text},
	{"description", false, parse_text},
	{"entries", true, parse_entries},
	{NULL, false, NULL},
};

int costs_parse(const char *path, json_t *root, const char *column,
		struct costs *costs, struct err *e)
{
	struct at at = at_root(path, e);
	struct reader r = {0};

	*costs = (struct costs){.root = root, .path = path, .column = column};
	if (parse_object(root, document, &r, &at) || check_sums(&r, &at)) {
		costs_free(costs);
		return -1;
	}
	costs->model = r.model[find_name(column, array_name, columns)];
	return 0;
}

int costs_load(const char *path, const char *column, struct costs *costs,
	       struct err *e)
{
	json_t *root = json_read(path, COSTS_MAX_BYTES, e);

	memset(costs, 0, sizeof(*costs));
	return root ? costs_parse(path, root, column, costs, e) : -1;
}

void costs_free(struct costs *costs)
{
	json_decref(costs->root);
	memset(costs, 0, sizeof(*costs));
}
