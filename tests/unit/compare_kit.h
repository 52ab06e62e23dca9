/* SPDX-License-Identifier: GPL-2.0-only */
/* Comparisons that nobody measured: a small one to look at, and random ones. */
#ifndef TDMEM_TESTS_UNIT_COMPARE_KIT_H
#define TDMEM_TESTS_UNIT_COMPARE_KIT_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bench/base/arena.h"
#include "bench/compare/compare.h"

struct kit {
	struct arena *arena;
	struct compare_request request;
	struct samples samples[6];
	struct comparison c;
	uint64_t random; /* state */
};

static inline void *kit_alloc(struct kit *kit, size_t n, size_t size)
{
	void *p = arena_alloc(kit->arena, n ? n : 1, size);

	if (!p)
		abort();
	return p;
}

static inline void kit_begin(struct kit *kit, size_t nsides, const char *top)
{
	*kit = (struct kit){.arena = arena_new()};
	kit->request = (struct compare_request){
		.alpha = 0.05,
		.confidence = 0.95,
		.material = 0.01,
		.seed = 1,
	};
	kit->c = (struct comparison){.request = &kit->request,
				     .by = "result",
				     .nsides = nsides,
				     .rounds = 1000};
	kit->c.side = kit_alloc(kit, nsides, sizeof(*kit->c.side));
	for (size_t i = 0; i < nsides; i++) {
		kit->samples[i].top = json_loads(top, 0, NULL);
		kit->samples[i].modelled = true;
		kit->c.side[i].samples = kit->samples + i;
		kit->c.side[i].repeats = (char *)"10";
	}
}

static inline void kit_end(struct kit *kit)
{
	for (size_t i = 0; i < kit->c.nsides; i++)
		json_decref(kit->samples[i].top);
	for (size_t i = 0; i < kit->c.nrows; i++)
		json_decref(kit->c.row[i].axes);
	arena_free(kit->arena);
}

/* The next group with room for so many rows; groups and rows have room. */
static inline struct compare_group *kit_group(struct kit *kit, size_t nrows)
{
	struct comparison *c = &kit->c;
	struct compare_group *group = c->group + c->ngroups;

	group->first = c->nrows;
	group->nrows = nrows;
	for (size_t i = 0; i < nrows; i++) {
		struct compare_row *row = c->row + c->nrows + i;

		row->group = c->ngroups;
		row->cell = i;
		row->key = kit_alloc(kit, c->nkeys, sizeof(*row->key));
		row->side = kit_alloc(kit, c->nsides, sizeof(*row->side));
		row->change = kit_alloc(kit, c->nsides, sizeof(*row->change));
	}
	c->ngroups++;
	c->nrows += nrows;
	return group;
}

/* ------------------------------------------------------------------- random */

static inline uint64_t kit_random(struct kit *kit, uint64_t below)
{
	kit->random ^= kit->random << 13;
	kit->random ^= kit->random >> 7;
	kit->random ^= kit->random << 17;
	return kit->random % below;
}

/* What names are made of: harmless, meaningful somewhere, wide, or broken. */
static const char *const kit_bits[] = {
	"a",
	"policy",
	"kick-once",
	"64",
	"0.5",
	" ",
	"  ",
	"|",
	"`",
	"```",
	"<b>",
	"&amp;",
	"\"",
	"'",
	"\\",
	"$(id)",
	"[x](y)",
	"\n",
	"\t",
	"\033[2J",
	"\033[31m",
	"\x01",
	"\x7f",
	"\xc3\xa9",
	"~",
	"..",
	"%s%n",
	"@",
	"\xe6\xbc\xa2\xe5\xad\x97", /* two wide characters */
	"e\xcc\x81\xcc\x81",	    /* combining accents */
	"\xf0\x9f\x98\x80",	    /* an emoji */
	"\xe2\x80\xae",		    /* right-to-left override */
	"\xe2\x80\x8b",		    /* zero width space */
	"\xe2\x80\xa8",		    /* line separator */
	"\xc2\x85",		    /* next line, a C1 control */
	"\xee\x80\x80",		    /* private use */
	"\xff",
	"\xc3", /* no UTF-8 */
	"aVeryLongWordThatHasNoPlaceToBreakItAndGoesOnAndOnAndOnAndOnAndOn",
};

/* Short ones mostly, long ones as well; `all` 0: only harmless bits. */
static inline char *kit_name(struct kit *kit)
{
	size_t n =
		kit_random(kit, 4) ? kit_random(kit, 4) : kit_random(kit, 40);
	char *name = kit_alloc(kit, 1, n * 80 + 1);

	for (size_t i = 0; i < n; i++)
		strcat(name,
		       kit_bits[kit_random(kit, sizeof(kit_bits) /
							sizeof(*kit_bits))]);
	return name;
}

static inline double kit_number(struct kit *kit)
{
	static const double odd[] = {0,	    -0.0,   1,	     1e-300, 1e300,
				     -1e18, 999.95, 99999.5, 1e15,   -3.5};
	size_t kind = kit_random(kit, 12);

	if (kind == 0)
		return (double)NAN;
	if (kind == 1)
		return kit_random(kit, 2) ? (double)INFINITY
					  : -(double)INFINITY;
	if (kind < 5)
		return odd[kit_random(kit, sizeof(odd) / sizeof(*odd))];
	return (double)kit_random(kit, 1000000) *
	       pow(10, (double)kit_random(kit, 16) - 6);
}

static inline struct interval kit_interval(struct kit *kit)
{
	return (struct interval){kit_number(kit), kit_number(kit), 0.95};
}

static inline void kit_random_row(struct kit *kit, struct compare_row *row)
{
	static const char *const status[] = {"ok", "ok", "ok", "livelock",
					     "vm-bugged"};

	row->axes = json_pack("{si}", "vcpus", (int)kit_random(kit, 100));
	for (size_t i = 0; i < kit->c.nkeys; i++)
		row->key[i] = kit_name(kit);
	for (size_t i = 0; i < kit->c.nsides; i++) {
		row->side[i] = (struct estimate){
			.there = kit_random(kit, 10) > 0,
			.n = kit_random(kit, 12),
			.median = kit_number(kit),
			.interval = kit_interval(kit),
			.low = kit_number(kit),
			.high = kit_number(kit),
			.mean = kit_number(kit),
			.hmean = kit_number(kit),
			.deviation = kit_number(kit),
		};
		row->side[i].status = kit_random(kit, 30)
					      ? status[kit_random(kit, 5)]
					      : kit_name(kit);
		if (!row->side[i].there)
			row->side[i] = (struct estimate){.status = "",
							 .median = (double)NAN};
		row->change[i] = (struct change){
			.ratio = kit_number(kit),
			.interval = kit_interval(kit),
			.test = {kit_number(kit), kit_number(kit),
				 kit_number(kit), kit_random(kit, 2) > 0},
			.p = kit_random(kit, 9)
				     ? (double)kit_random(kit, 10001) / 1e4
				     : (double)NAN,
			.needed = kit_random(kit, 4) ? kit_random(kit, 40)
						     : SIZE_MAX,
		};
		row->change[i].verdict =
			i ? (enum verdict)kit_random(kit, VERDICT_CHANGED + 1)
			  : VERDICT_NONE;
		kit->c.count[row->change[i].verdict] += i > 0;
	}
}

static inline void kit_random_aspects(struct kit *kit)
{
	struct comparison *c = &kit->c;

	c->naspects = kit_random(kit, 5);
	c->aspect = kit_alloc(kit, c->naspects, sizeof(*c->aspect));
	for (size_t i = 0; i < c->naspects; i++) {
		struct compare_aspect *aspect = c->aspect + i;

		aspect->name = kit_name(kit);
		aspect->same = kit_random(kit, 2);
		aspect->compared = !aspect->same && kit_random(kit, 2);
		aspect->value = kit_alloc(kit, c->nsides, sizeof(char *));
		for (size_t j = 0; j < c->nsides; j++)
			aspect->value[j] = kit_name(kit);
	}
}

/* A random comparison, the same one for the same seed. */
static inline void kit_random_begin(struct kit *kit, uint64_t seed)
{
	static const char *const units[] = {"ns", "1/s", "%", "calls"};
	enum { GROUPS = 4, ROWS = 30, KEYS = 9 };
	struct kit dice = {.random = seed * 0x9e3779b97f4a7c15u + 1};
	size_t nsides = 1 + kit_random(&dice, 6);
	struct comparison *c = &kit->c;
	size_t ngroups = kit_random(&dice, GROUPS);

	kit_begin(kit, nsides,
		  "{\"config\":{\"name\":\"n\\n\\u00e9|\",\"workloads\":{\"w\":"
		  "{}}},\"tool\":3,\"costs\":{\"path\":\"p\"}}");
	kit->random = dice.random;
	for (size_t i = 0; i < nsides; i++) {
		c->side[i].label = kit_name(kit);
		c->side[i].path = kit_name(kit);
		c->side[i].repeats = kit_name(kit);
		kit->samples[i].modelled = kit_random(kit, 2);
		kit->samples[i].partial = kit_random(kit, 2);
	}
	if (kit_random(kit, 2))
		c->by = kit_name(kit);
	kit_random_aspects(kit);
	c->nkeys = kit_random(kit, KEYS);
	c->key_name = kit_alloc(kit, c->nkeys, sizeof(*c->key_name));
	for (size_t i = 0; i < c->nkeys; i++)
		c->key_name[i] = kit_random(kit, 4) ? kit_name(kit) : "vcpus";
	c->group = kit_alloc(kit, GROUPS, sizeof(*c->group));
	c->row = kit_alloc(kit, GROUPS * ROWS, sizeof(*c->row));
	for (size_t i = 0; i < ngroups; i++) {
		size_t n = kit_random(kit, 3) ? kit_random(kit, 5)
					      : kit_random(kit, ROWS);
		struct compare_group *group = kit_group(kit, n);

		group->workload = kit_name(kit);
		group->operation = kit_name(kit);
		group->name = kit_name(kit);
		group->metric = kit_name(kit);
		group->quantile = kit_random(kit, 2) ? "p99" : NULL;
		group->unit = kit_random(kit, 9) ? units[kit_random(kit, 4)]
						 : kit_name(kit);
		group->better = (int)kit_random(kit, 3) - 1;
		group->modelled = kit_random(kit, 2);
		for (size_t j = 0; j < n; j++)
			kit_random_row(kit, c->row + group->first + j);
	}
	c->tests = kit_random(kit, 1000);
	c->only[0] = kit_random(kit, 3);
	c->only[1] = kit_random(kit, 3);
}

/* -------------------------------------------------------------------- small */

struct kit_values {
	const char *policy, *vcpus;
	const char *status; /* of the new side; NULL: ok */
	double base, spread, ratio, p;
	enum verdict verdict;
};

static inline void kit_fill(struct compare_row *row, const struct kit_values *v)
{
	double new = v->base *(1 + v->ratio);

	row->key[0] = v->policy;
	row->key[1] = v->vcpus;
	row->axes = json_pack("{ss, ss, si}", "workload", "w", "policy",
			      v->policy, "vcpus", atoi(v->vcpus));
	for (size_t i = 0; i < 2; i++) {
		double m = i ? new : v->base;

		row->side[i] = (struct estimate){
			.there = true,
			.status = i && v->status ? v->status : "ok",
			.n = i && v->status ? 0 : 10,
			.median = m,
			.interval = {m * (1 - v->spread), m * (1 + v->spread),
				     0.9785},
			.low = m * (1 - 2 * v->spread),
			.high = m * (1 + 2 * v->spread),
			.mean = m,
			.hmean = m,
			.deviation = m * v->spread,
		};
		if (i && v->status)
			row->side[i] =
				(struct estimate){.there = true,
						  .status = v->status,
						  .median = NAN,
						  .interval = {NAN, NAN, 0},
						  .low = NAN,
						  .high = NAN,
						  .mean = NAN,
						  .hmean = NAN,
						  .deviation = NAN};
	}
	row->change[1] = (struct change){
		.verdict = v->verdict,
		.ratio = v->ratio,
		.interval = {v->ratio - v->spread, v->ratio + v->spread, 0.95},
		.test = {100, v->p / 10, v->ratio > 0 ? 1 : -1, true},
		.p = v->p,
		.needed = 12,
	};
}

/* A small one with something of everything. */
static inline void kit_small_begin(struct kit *kit)
{
	static const char *const keys[] = {"policy", "vcpus"};
	static const struct kit_values rate[] = {
		{"spin", "1", NULL, 50510, 0.002, -0.0004, 1, VERDICT_SAME},
		{"spin", "64", NULL, 9531, 0.021, 0.058, 0.0038,
		 VERDICT_BETTER},
		{"kick-once", "1", NULL, 50420, 0.003, -0.004, 0.34,
		 VERDICT_SAME},
		{"kick-once", "64", NULL, 8954, 0.013, -0.094, 0.00021,
		 VERDICT_WORSE},
		{"eagain", "64", "livelock", 7641, 0.012, 0, (double)NAN,
		 VERDICT_NONE},
	};
	static const struct kit_values latency[] = {
		{"spin", "1", NULL, 812, 0.004, 0.0012, 0.9, VERDICT_SAME},
		{"spin", "64", NULL, 101200, 0.08, -0.21, 0.012,
		 VERDICT_BETTER},
		{"kick-once", "64", NULL, 3204000, 0.12, 0.31, 0.061,
		 VERDICT_TOO_FEW},
	};
	static const char *const costs[] = {"typ", "high"};
	struct comparison *c = &kit->c;
	struct compare_group *group;

	kit_begin(kit, 2,
		  "{\"tool\":{\"name\":\"tdmem\",\"version\":\"0.1\"},"
		  "\"config\":{\"name\":\"quick\",\"backend\":\"sim\","
		  "\"workloads\":[\"fault-in\",\"block-remove\"],"
		  "\"host\":{\"topology\":\"pack:2 core:56 pu:2\"}},"
		  "\"costs\":{\"path\":\"costs/spr.json\",\"column\":\"typ\"}"
		  "}");
	c->side[0].label = (char *)"before";
	c->side[0].path = "results/2026-01-01-before.json";
	c->side[1].label = (char *)"kick-v2";
	c->side[1].path = "results/2026-01-01-kick-v2.json";
	c->naspects = 1;
	c->aspect = kit_alloc(kit, 1, sizeof(*c->aspect));
	*c->aspect = (struct compare_aspect){.name = "costs.column",
					     .value = (char **)costs};
	c->nkeys = 2;
	c->key_name = (const char **)keys;
	c->group = kit_alloc(kit, 2, sizeof(*c->group));
	c->row = kit_alloc(kit, 8, sizeof(*c->row));
	group = kit_group(kit, 5);
	*group = (struct compare_group){.workload = "block-remove",
					.operation = "removal",
					.name = (char *)"removal.rate",
					.metric = "removal.rate",
					.unit = "1/s",
					.better = 1,
					.modelled = true,
					.nrows = 5};
	for (size_t i = 0; i < 5; i++)
		kit_fill(c->row + i, rate + i);
	group = kit_group(kit, 3);
	*group = (struct compare_group){.workload = "block-remove",
					.operation = "removal",
					.name = (char *)"removal.latency p99",
					.metric = "removal.latency",
					.quantile = "p99",
					.unit = "ns",
					.better = -1,
					.modelled = true,
					.first = 5,
					.nrows = 3};
	for (size_t i = 0; i < 3; i++)
		kit_fill(c->row + 5 + i, latency + i);
	c->tests = 7;
	for (size_t i = 0; i < c->nrows; i++)
		c->count[c->row[i].change[1].verdict]++;
	c->status_changes = 1;
	c->only[1] = 2;
}

#endif
