/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/laws.h"

const struct variant variants[] = {
	{"build", {{"pages", 20}, {"racers", 0}}},
	{"build", {{"pages", 20}, {"racers", 3}}},
	{"fault-in", {{"pages", 24}, {"stuck_percent", 0}}},
	{"fault-in", {{"pages", 24}, {"stuck_percent", 50}}},
	{"fault-in", {{"pages", 24}, {"stuck_ns", 5000}}},
	{"fault-in", {{"pages", 24}, {"layout", LAYOUT_INTERLEAVED}}},
	{"fault-in",
	 {{"pages", 24}, {"layout", LAYOUT_SHARED}, {"accept", ACCEPT_NONE}}},
	{"fault-in", {{"pages", 24}, {"accept", ACCEPT_ON_VE}}},
	{"fault-in", {{"pages", 3}, {"page_size", PAGE_2M}}},
	{"accept", {{"pages", 24}}},
	{"accept", {{"pages", 24}, {"layout", LAYOUT_SHARED}}},
	{"track", {{"pages", 24}, {"others", OTHERS_INSIDE}}},
	{"track", {{"pages", 24}, {"others", OTHERS_HALTED}}},
	{"track", {{"pages", 24}, {"tick_ns", 2000}}},
	{"track",
	 {{"pages", 24}, {"others", OTHERS_FAULTING}, {"host_threads", 3}}},
	{"track", {{"pages", 24}, {"stuck_percent", 50}}},
	{"block-remove", {{"pages", 40}, {"others", OTHERS_HALTED}}},
	{"block-remove", {{"pages", 40}, {"piece", 7}, {"tick_ns", 2000}}},
	{"block-remove",
	 {{"pages", 40}, {"others", OTHERS_FAULTING}, {"tick_ns", 2000}}},
	{"block-remove",
	 {{"pages", 24},
	  {"others", OTHERS_FAULTING},
	  {"where", 1},
	  {"tick_ns", 1000}}},
	{"block-remove",
	 {{"pages", 24}, {"stuck_percent", 50}, {"host_threads", 3}}},
	{"block-remove", {{"pages", 3}, {"page_size", PAGE_2M}}},
	{"block-remove", {{"pages", 16}, {"piece", 3}, {"by", 1}}},
	{"block-remove", {{"pages", 16}, {"piece", 0}, {"by", 2}}},
	{"convert", {{"pages", 6}}},
	{"convert", {{"pages", 6}, {"converters", 1}}},
	{"convert", {{"pages", 1}, {"rounds", 1}, {"page_size", PAGE_2M}}},
	{"reclaim", {{"pages", 16}}},
	{"reclaim", {{"pages", 16}, {"order", 1}}},
	{"reclaim", {{"pages", 16}, {"host_threads", 3}}},
	{"reclaim", {{"pages", 8}, {"tds", 2}, {"host_threads", 4}}},
	{"reclaim", {{"pages", 2}, {"page_size", PAGE_2M}}},
	{"reclaim", {{"pages", 2}, {"page_size", PAGE_2M}, {"order", 1}}},
	{"zero-step", {{"pages", 24}}},
	{"zero-step", {{"pages", 24}, {"attackers", 3}, {"stuck_ns", 3000}}},
	{"churn", {{"pages", 4}}},
	{"churn", {{"pages", 2}, {"page_size", PAGE_2M}}},
	{"churn",
	 {{"pages", 4}, {"layout", LAYOUT_INTERLEAVED}, {"host_threads", 3}}},
	{"prefault", {{"pages", 16}}},
	{"prefault", {{"pages", 16}, {"host_threads", 3}}},
	{"prefault", {{"pages", 2}, {"page_size", PAGE_2M}}},
	{.workload = NULL},
};

static void broken(const struct cell *c, const char *law, double a, double b)
{
	size_t i;

	print_error("%s", c->variant->workload);
	for (i = 0; i < SETTINGS && c->variant->set[i].knob; i++)
		print_error(" %s=%lld", c->variant->set[i].knob,
			    (long long)c->variant->set[i].value);
	fail_msg("; %s, %s, %u vCPUs, %s: %s: %.9g and %.9g", c->backend->name,
		 c->policy->name, c->vcpus, cell_status_name(c->sample.status),
		 law, a, b);
}

void same(const struct cell *c, const char *law, double a, double b)
{
	if (!(fabs(a - b) <= 1e-9 * fabs(a)))
		broken(c, law, a, b);
}

void at_most(const struct cell *c, const char *law, double a, double b)
{
	if (!(a <= b))
		broken(c, law, a, b);
}

double value(const struct cell *c, const char *name)
{
	return kit_value(&c->sample, name);
}

/* What is left out was not done. */
double number(const struct cell *c, const char *name)
{
	double v = value(c, name);

	return isnan(v) ? 0 : v;
}

static const struct hist *hist(const struct cell *c, const char *name)
{
	return kit_hist(&c->sample, name);
}

static double recorded(const struct cell *c, const char *name)
{
	const struct hist *h = hist(c, name);

	return h ? (double)h->count : 0;
}

static double sum(const struct cell *c, const char *name)
{
	const struct hist *h = hist(c, name);

	return h ? (double)h->sum : 0;
}

/* Calls that did not end BUSY: of these calls, those that did their work. */
static double done(const struct cell *c, const char *call)
{
	char calls[64], busy[64];

	snprintf(calls, sizeof(calls), "%s.calls", call);
	snprintf(busy, sizeof(busy), "%s.busy", call);
	return number(c, calls) - number(c, busy);
}

static int64_t setting(const struct cell *c, const char *name)
{
	struct knob_values values = {c->kit.workload->knobs, c->kit.value};

	return knob(&values, name);
}

static bool is(const struct cell *c, const char *workload)
{
	return !strcmp(c->variant->workload, workload);
}

bool removal_is(const struct cell *c, const char *half)
{
	return !strcmp(removal_policy_name(c->policy->removal), half);
}

/* --------------------------------------------------------- any cell's laws */

/* All measured time is somewhere. */
static void time_is_whole(const struct cell *c)
{
	static const char *const of[] = {"time", "host_time"};
	size_t i;
	u32 w;

	for (i = 0; i < 2; i++) {
		double all = 0, least = 0;
		char name[32];

		for (w = 0; w < NR_WHERES; w++) {
			double part;

			snprintf(name, sizeof(name), "%s.%s", of[i],
				 where_name((enum where)w));
			part = value(c, name);
			all += part;
			least = fmin(least, part);
		}
		if (isnan(all))
			continue;
		at_most(c, "time is 100 %", fabs(all - 100), 1e-6);
		same(c, "no time is negative", least, 0);
	}
}

/* Metrics "<prefix>.busy.<operand>", added up. */
static double busy_by_operand(const struct cell *c, const char *prefix)
{
	double all = 0;
	char start[64];
	size_t i;

	snprintf(start, sizeof(start), "%s.busy.", prefix);
	for (i = 0; i < metric_count(); i++) {
		if (!strncmp(metric_at(i)->name, start, strlen(start)))
			all += c->sample.value[i];
	}
	return all;
}

static void calls_add_up(const struct cell *c)
{
	double calls = 0, busy = 0;
	u32 i;

	for (i = 0; i < NR_TDX_CALLS; i++) {
		const char *prefix = metric_call_prefix((enum tdx_call)i);
		char name[64];
		double n, b;

		snprintf(name, sizeof(name), "%s.calls", prefix);
		n = value(c, name);
		if (isnan(n))
			continue;
		snprintf(name, sizeof(name), "%s.busy", prefix);
		b = value(c, name);
		calls += n;
		busy += b;
		at_most(c, name, b, n);
		same(c, "busy by operand", b, busy_by_operand(c, prefix));
		snprintf(name, sizeof(name), "%s.latency", prefix);
		same(c, name, recorded(c, name), n);
		snprintf(name, sizeof(name), "%s.retries", prefix);
		if (hist(c, name))
			same(c, name, sum(c, name), n);
	}
	same(c, "calls.total", number(c, "calls.total"), calls);
	same(c, "calls.busy", number(c, "calls.busy"), busy);
	if (calls > 0)
		same(c, "calls.busy_per_1000", busy / calls * 1000,
		     value(c, "calls.busy_per_1000"));
}

static const char *const ops[] = {"fault", "accept",  "convert", "removal",
				  "track", "build",   "reclaim", "teardown",
				  "ioctl", "prefault"};

static void rates_are_counts(const struct cell *c)
{
	double run_s =
		fmax(number(c, "run.virtual_time"), number(c, "run.time")) /
		1e9;
	size_t i;

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		char name[64];
		double count, rate;

		snprintf(name, sizeof(name), "%s.count", ops[i]);
		count = value(c, name);
		snprintf(name, sizeof(name), "%s.latency", ops[i]);
		same(c, name, recorded(c, name), isnan(count) ? 0 : count);
		snprintf(name, sizeof(name), "%s.rate", ops[i]);
		rate = value(c, name);
		if (isnan(count))
			continue;
		at_most(c, name, count / run_s, rate * (1 + 1e-9));
	}
}

static void kicks_add_up(const struct cell *c)
{
	double rounds = number(c, "kicks.rounds");

	same(c, "kick.latency", recorded(c, "kick.latency"), rounds);
	at_most(c, "kicks.ipis", number(c, "kicks.ipis"),
		(rounds + number(c, "kicks.flushes")) * c->vcpus);
	if (c->sample.status != CELL_OK)
		return;
	at_most(c, "kicks.taken", number(c, "kicks.taken"),
		number(c, "kicks.ipis"));
}

static void fairness_is_jains(const struct cell *c)
{
	double jain = value(c, "fairness.jain");
	double n = c->vcpus;

	if (is(c, "reclaim"))
		n *= (double)setting(c, "tds");
	if (isnan(jain))
		return;
	at_most(c, "fairness.jain", 1 / n, jain * (1 + 1e-9));
	at_most(c, "fairness.jain", jain, 1 + 1e-9);
}

/* --------------------------------------------- laws of cells that ended ok */

/* A kick after each TRACK, and those that the policy wants. */
static void kicks_are_the_policys(const struct cell *c)
{
	double tracks = done(c, "tdh_mem_track");
	double busy = number(c, "tdh_mem_range_block.busy") +
		      number(c, "tdh_mem_track.busy") +
		      number(c, "tdh_mem_page_remove.busy") +
		      number(c, "tdh_mem_range_unblock.busy");
	double rounds = number(c, "kicks.rounds");

	if (removal_is(c, "kick-once"))
		same(c, "kicks", rounds, tracks + busy);
	else if (removal_is(c, "kick-first"))
		same(c, "kicks", rounds, 2 * tracks);
	else if (removal_is(c, "kick-hold"))
		at_most(c, "kicks", rounds, tracks + busy / 2);
	else
		same(c, "kicks", rounds, tracks);
}

double most(const struct cell *c, const char *name)
{
	const struct hist *h = hist(c, name);

	return h ? (double)h->max : 0;
}

static void tries_are_the_policys(const struct cell *c)
{
	static const struct {
		const char *half;
		double tries;
	} limits[] = {{"eagain", 1},
		      {"kick-first", 1},
		      {"kick-once", 2},
		      {"kick-hold", 3},
		      {"spin-doubling", 1024}};
	size_t i;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (!removal_is(c, limits[i].half))
			continue;
		at_most(c, "BLOCK", most(c, "tdh_mem_range_block.retries"),
			limits[i].tries);
		at_most(c, "TRACK", most(c, "tdh_mem_track.retries"),
			limits[i].tries);
		at_most(c, "REMOVE", most(c, "tdh_mem_page_remove.retries"),
			limits[i].tries);
	}
}

static bool huge(const struct cell *c)
{
	size_t i;

	for (i = 0; c->kit.workload->knobs[i]; i++) {
		if (!strcmp(c->kit.workload->knobs[i]->name, "page_size"))
			return c->kit.value[i] == PAGE_2M;
	}
	return false;
}

static void removals_are_whole(const struct cell *c)
{
	double removed = number(c, "removal.count");

	same(c, "REMOVE", removed, done(c, "tdh_mem_page_remove"));
	if (!is(c, "reclaim"))
		same(c, "WBINVD", removed * (huge(c) ? 512 : 1),
		     number(c, "tdh_phymem_page_wbinvd.calls"));
	same(c, "BLOCK", number(c, "track.count"),
	     done(c, "tdh_mem_range_block"));
	same(c, "removal.attempts", removed, recorded(c, "removal.attempts"));
	/* Who gives up begins again for each BUSY, and only then. */
	if (removal_is(c, "eagain") && !is(c, "track"))
		same(c, "attempts",
		     number(c, "tdh_mem_range_block.busy") +
			     number(c, "tdh_mem_track.busy") +
			     number(c, "tdh_mem_page_remove.busy"),
		     sum(c, "removal.attempts") - removed);
	if (!removal_is(c, "eagain"))
		same(c, "attempts", sum(c, "removal.attempts"), removed);
}

/* The memory of all vCPUs, in the size that was asked for, and tables. */
static void teardowns_are_whole(const struct cell *c)
{
	double pages;

	if (!is(c, "reclaim"))
		return;
	pages = (double)(setting(c, "pages") * setting(c, "tds") * c->vcpus);
	same(c, "teardown.count", number(c, "teardown.count"),
	     (double)setting(c, "tds"));
	if (setting(c, "order"))
		at_most(c, "RECLAIM", pages, number(c, "reclaim.count"));
	same(c, "removal.count", number(c, "removal.count"),
	     setting(c, "order") ? 0 : pages);
	/* The TDR of each is written back as well. */
	same(c, "WBINVD",
	     number(c, "removal.count") * (huge(c) ? 512 : 1) +
		     (double)setting(c, "tds"),
	     number(c, "tdh_phymem_page_wbinvd.calls"));
}

static void builds_are_whole(const struct cell *c)
{
	double built = number(c, "build.count");

	same(c, "PAGE.ADD", built, done(c, "tdh_mem_page_add"));
	if (built > 0)
		same(c, "MR.EXTEND", 16 * built, done(c, "tdh_mr_extend"));
	same(c, "build.attempts", built, recorded(c, "build.attempts"));
	/* Each BUSY sends userspace back to the page. */
	same(c, "attempts", sum(c, "build.attempts") - built,
	     number(c, "tdh_mem_page_add.busy") +
		     number(c, "tdh_mr_extend.busy"));
	at_most(c, "ioctl.busy", number(c, "ioctl.busy"),
		number(c, "ioctl.count"));
}

static void faults_map_once(const struct cell *c)
{
	double pages = number(c, "fault.count");
	double mapped = recorded(c, "fault.attempts");
	double attempts = recorded(c, "map.latency");

	if (is(c, "fault-in") && setting(c, "layout") == LAYOUT_SHARED)
		pages = (double)setting(c, "pages");
	if (is(c, "fault-in") || is(c, "zero-step") || is(c, "churn")) {
		same(c, "AUG", pages, done(c, "tdh_mem_page_aug"));
		same(c, "fault.attempts", pages, mapped);
	}
	same(c, "AUG", mapped, done(c, "tdh_mem_page_aug"));
	/* Not all attempts come as far as mmu_lock, or map in the end. */
	at_most(c, "map.latency", mapped, attempts);
}

void check(const struct cell *c)
{
	if (c->sample.status == CELL_FAILED ||
	    c->sample.status == CELL_UNSUPPORTED)
		fail_msg("%s: %s", c->variant->workload, c->sample.reason);
	time_is_whole(c);
	calls_add_up(c);
	rates_are_counts(c);
	kicks_add_up(c);
	fairness_is_jains(c);
	tries_are_the_policys(c);
	if (c->sample.status != CELL_OK)
		return;
	kicks_are_the_policys(c);
	removals_are_whole(c);
	teardowns_are_whole(c);
	builds_are_whole(c);
	faults_map_once(c);
}

void default_world(struct kit_world *world, u64 arg)
{
	(void)arg;
	world->setup.livelock_ns = 10000000;
}

void begin_cell(struct cell *c, const struct backend *backend,
		const struct variant *v, const struct retry_policy *policy,
		u32 vcpus, world_fn *fn, u64 arg)
{
	struct kit_world world;
	size_t i;

	*c = (struct cell){.backend = backend,
			   .variant = v,
			   .policy = policy,
			   .vcpus = vcpus,
			   .kit = kit_defaults(kit_workload(v->workload))};
	for (i = 0; i < SETTINGS && v->set[i].knob; i++)
		kit_set(&c->kit, v->set[i].knob, v->set[i].value);
	kit_world_init(&world, policy->name, NR_CPUS);
	fn(&world, arg);
	kit_run_on(backend, &c->kit, vcpus, &world, &c->sample);
	kit_world_free(&world);
}

void end_cell(struct cell *c)
{
	sample_free(&c->sample);
}
