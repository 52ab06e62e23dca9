/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a reader of a comparison must know: what was run, on what, how often,
 * and how it was tested.
 */
#include <math.h>
#include <string.h>

#include "bench/base/layout.h"
#include "bench/compare/doc.h"

/* ------------------------------------------------- of the results' own top */

/* Of a result; "" when it does not say. */
typedef const char *top_text_fn(struct compare_doc *doc, const json_t *top);

/* The sides of one run of `tdmem run --baseline`, which goes in rounds. */
static const json_t *baseline(const struct comparison *c)
{
	const struct samples *samples = c->nsides ? c->side[0].samples : NULL;

	if (!samples || !c->by || strcmp(c->by, "side") != 0)
		return NULL;
	return json_object_get(samples->top, "baseline");
}

/* What a side's result says; of a baseline run what it says of that side. */
static const json_t *top_of(const struct comparison *c, size_t i)
{
	const json_t *base = baseline(c);

	if (base && strcmp(c->side[i].label, "base") == 0)
		return base;
	return c->side[i].samples ? c->side[i].samples->top : NULL;
}

/* The text of all sides, each one once. */
static const char *of_all(struct compare_doc *doc, top_text_fn *text)
{
	const struct comparison *c = doc->c;
	const char *list = "";

	for (size_t i = 0; i < c->nsides; i++) {
		const char *item = text(doc, top_of(c, i));
		bool seen = false;

		for (size_t j = 0; j < i && !seen; j++)
			seen = strcmp(text(doc, top_of(c, j)), item) == 0;
		if (!seen && *item)
			list = doc_join(doc, list, " | ", item);
	}
	return *list ? list : NULL;
}

static const json_t *member(const json_t *top, const char *a, const char *b)
{
	return json_object_get(json_object_get(top, a), b);
}

static const char *string(struct compare_doc *doc, const json_t *value)
{
	const char *text = json_string_value(value);

	return text ? doc_plain(doc, text) : "";
}

/* Workloads are a list of names or an object by name. */
static const char *workloads(struct compare_doc *doc, const json_t *config)
{
	const json_t *all = json_object_get(config, "workloads");
	const char *list = "", *name;
	json_t *value;
	size_t i;

	json_array_foreach(all, i, value) list =
		doc_join(doc, list, ", ", string(doc, value));
	json_object_foreach((json_t *)all, name, value) list =
		doc_join(doc, list, ", ", doc_plain(doc, name));
	return list;
}

static const char *what_text(struct compare_doc *doc, const json_t *top)
{
	const json_t *config = json_object_get(top, "config");

	return doc_join(doc, string(doc, json_object_get(config, "name")), ": ",
			workloads(doc, config));
}

static const char *what(struct compare_doc *doc)
{
	return of_all(doc, what_text);
}

static const char *backend_text(struct compare_doc *doc, const json_t *top)
{
	return string(doc, member(top, "config", "backend"));
}

static bool any_modelled(const struct compare_doc *doc, bool modelled)
{
	for (size_t i = 0; i < doc->c->nsides; i++)
		if (doc->c->side[i].samples &&
		    doc->c->side[i].samples->modelled == modelled)
			return true;
	return false;
}

/* Sides that are model output, or those that are not. */
static const char *sides_that(struct compare_doc *doc, bool modelled)
{
	const char *list = "";

	for (size_t i = 0; i < doc->c->nsides; i++)
		if (doc->c->side[i].samples &&
		    doc->c->side[i].samples->modelled == modelled)
			list = doc_join(doc, list, ", ", side_label(doc, i));
	return list;
}

static bool any_on_host(const struct compare_doc *doc)
{
	for (size_t i = 0; i < doc->c->nsides; i++)
		if (doc->c->side[i].samples &&
		    doc->c->side[i].samples->real_cpus)
			return true;
	return false;
}

static const char *backend(struct compare_doc *doc)
{
	const char *name = of_all(doc, backend_text), *kind;

	if (!any_modelled(doc, true))
		kind = "measured";
	else if (!any_modelled(doc, false))
		kind = "model output, not a measurement";
	else
		kind = doc_print(doc, "model output is %s; measured is %s",
				 sides_that(doc, true), sides_that(doc, false));
	return doc_join(doc, name ? name : "", ": ", kind);
}

static const char *host_text(struct compare_doc *doc, const json_t *top)
{
	static const char *const part[] = {"cpu", "kernel", "host"};
	const char *list = "";

	for (size_t i = 0; i < sizeof(part) / sizeof(*part); i++)
		list = doc_join(
			doc, list, ", ",
			string(doc, member(top, "environment", part[i])));
	return list;
}

/* Where virtual time was computed makes no difference to it. */
static const char *host(struct compare_doc *doc)
{
	return any_on_host(doc) ? of_all(doc, host_text) : NULL;
}

static const char *topology_text(struct compare_doc *doc, const json_t *top)
{
	const json_t *config = json_object_get(top, "config");

	if (samples_any(top, "real_cpus"))
		return string(doc, member(top, "environment", "topology"));
	return string(doc, member(config, "host", "topology"));
}

static const char *topology(struct compare_doc *doc)
{
	return of_all(doc, topology_text);
}

static const char *costs_text(struct compare_doc *doc, const json_t *top)
{
	const char *column = string(doc, member(top, "costs", "column"));

	if (*column)
		column = doc_print(doc, "column %s", column);
	return doc_join(doc, string(doc, member(top, "costs", "path")), ", ",
			column);
}

static const char *costs(struct compare_doc *doc)
{
	return any_modelled(doc, true) ? of_all(doc, costs_text) : NULL;
}

static const char *tool_text(struct compare_doc *doc, const json_t *top)
{
	return doc_join(doc, string(doc, member(top, "tool", "name")), " ",
			string(doc, member(top, "tool", "version")));
}

static const char *tool(struct compare_doc *doc)
{
	return of_all(doc, tool_text);
}

/* ------------------------------------------------------- of the comparison */

static const char *repeats(struct compare_doc *doc)
{
	const struct comparison *c = doc->c;
	const char *list = "";
	bool alike = true;

	for (size_t i = 1; i < c->nsides; i++)
		alike = alike &&
			strcmp(c->side[0].repeats, c->side[i].repeats) == 0;
	for (size_t i = 0; i < c->nsides && !alike; i++)
		list = doc_join(doc, list, ", ",
				doc_print(doc, "%s: %s", side_label(doc, i),
					  doc_plain(doc, c->side[i].repeats)));
	if (alike && c->nsides)
		list = doc_print(doc, "%s of each cell on each side",
				 doc_plain(doc, c->side[0].repeats));
	if (baseline(c))
		list = doc_print(doc,
				 "%s; both sides in one run, interleaved in "
				 "rounds of random order",
				 list);
	return *list ? list : NULL;
}

static const char *test(struct compare_doc *doc)
{
	const struct comparison *c = doc->c;
	size_t exact = 0, normal = 0;
	char alpha[FIGURE];

	for (size_t i = 0; i < c->nrows; i++)
		for (size_t j = 1; j < c->nsides; j++)
			if (c->row[i].change[j].verdict != VERDICT_NONE)
				c->row[i].change[j].test.exact ? exact++
							       : normal++;
	return doc_print(
		doc,
		"two-sided Mann-Whitney U%s; p after Holm's correction over "
		"%zu comparison%s, family-wise error rate %s",
		exact && normal ? ", exact or (large n) normal approximation"
		: exact		? ", exact"
		: normal	? ", normal approximation"
				: "",
		c->tests, c->tests == 1 ? "" : "s",
		figure_share(c->request->alpha, alpha));
}

static const char *intervals(struct compare_doc *doc)
{
	char share[FIGURE];

	return doc_print(doc,
			 "%s; +- reaches from the median to the farther end: "
			 "order statistics of the repeats, of p50 to p99.9 a "
			 "bootstrap; [,] is of the change in %%: bootstrap "
			 "over repeats, %zu rounds",
			 figure_share(doc->c->request->confidence, share),
			 doc->c->rounds);
}

static const char *material(struct compare_doc *doc)
{
	char share[FIGURE];

	return doc_print(doc,
			 "better, worse or changed if p is at most %.4g and "
			 "the change is larger than %s; otherwise ~",
			 doc->c->request->alpha,
			 figure_share(doc->c->request->material, share));
}

static const char *sign(struct compare_doc *doc)
{
	(void)doc;
	return "+ means that the new value is higher; better/worse says "
	       "which way is good";
}

const char *aspect_text(struct compare_doc *doc,
			const struct compare_aspect *aspect)
{
	size_t n = aspect->same ? 1 : doc->c->nsides;
	const char *values = "";

	for (size_t i = 0; i < n; i++) {
		const char *value = doc_plain(doc, aspect->value[i]);

		values = doc_join(doc, values, " | ", *value ? value : "-");
	}
	return doc_print(doc, "%s: %s", doc_plain(doc, aspect->name), values);
}

static const char *compared(struct compare_doc *doc)
{
	const struct comparison *c = doc->c;
	const char *list = "";

	for (size_t i = 0; i < c->naspects; i++)
		if (!c->aspect[i].same && c->aspect[i].compared)
			list = doc_join(doc, list, "; ",
					aspect_text(doc, c->aspect + i));
	return *list ? list : NULL;
}

const char *side_label(struct compare_doc *doc, size_t i)
{
	const char *label = doc_plain(doc, doc->c->side[i].label);

	return *label ? label : "-";
}

const char *side_text(struct compare_doc *doc, size_t i)
{
	const struct compare_side *side = doc->c->side + i;
	const char *label = side_label(doc, i);

	if (!side->path || strcmp(side->path, side->label) == 0)
		return label;
	return doc_print(doc, "%s (%s)", label, doc_plain(doc, side->path));
}

/* clang-format off */
const struct compare_fact compare_facts_short[] = {
	{"backend", backend},
	{"test", test},
	{"verdict", material},
	{NULL, NULL},
};

const struct compare_fact compare_facts[] = {
	{"run", what},
	{"backend", backend},
	{"host", host},
	{"topology", topology},
	{"costs", costs},
	{"tool", tool},
	{"repeats", repeats},
	{"compared", compared},
	{"test", test},
	{"intervals", intervals},
	{"verdict", material},
	{"sign", sign},
	{NULL, NULL},
};
/* clang-format on */

/* ----------------------------------------------------------------- summary */

static const char *counts(struct compare_doc *doc)
{
	static const struct {
		enum verdict verdict;
		const char *text;
	} part[] = {
		{VERDICT_BETTER, "better"},
		{VERDICT_WORSE, "worse"},
		{VERDICT_CHANGED, "changed"},
		{VERDICT_SAME, "the same (~)"},
		{VERDICT_TOO_FEW, "with too few repeats (~ n<)"},
		{VERDICT_NONE, "without a value on both sides"},
	};
	const char *list = "";
	size_t n = 0;

	for (size_t i = 0; i < sizeof(part) / sizeof(*part); i++) {
		size_t count = doc->c->count[part[i].verdict];

		n += part[i].verdict == VERDICT_NONE ? 0 : count;
		/* Better and worse are told even when there is none. */
		if (count || i < 2)
			list = doc_join(
				doc, list, ", ",
				doc_print(doc, "%zu %s", count, part[i].text));
	}
	return doc_print(doc, "%zu comparison%s: %s", n, n == 1 ? "" : "s",
			 list);
}

static const char *too_few(struct compare_doc *doc)
{
	const struct comparison *c = doc->c;
	size_t most = 0;

	if (!c->count[VERDICT_TOO_FEW])
		return NULL;
	for (size_t i = 0; i < c->nrows; i++)
		for (size_t j = 1; j < c->nsides; j++) {
			const struct change *change = c->row[i].change + j;

			if (change->verdict == VERDICT_TOO_FEW &&
			    change->needed > most)
				most = change->needed;
		}
	if (most > 1000)
		return "too few repeats to ever be significant: more than "
		       "1000 are needed on each side; compare fewer metrics "
		       "or cells";
	return doc_print(doc,
			 "too few repeats to ever be significant: %zu are "
			 "needed on each side",
			 most);
}

static const char *only(struct compare_doc *doc)
{
	const size_t *n = doc->c->only;

	if (!n[0] && !n[1])
		return NULL;
	return doc_print(doc,
			 "not compared: %zu only in the base, %zu not "
			 "in the base",
			 n[0], n[1]);
}

/* The largest change of a verdict; NULL: there is none. */
static const char *extreme(struct compare_doc *doc, enum verdict verdict)
{
	const struct comparison *c = doc->c;
	const struct compare_row *most = NULL;
	const struct compare_group *group;
	char change[FIGURE];
	const char *text;
	size_t side = 0;

	for (size_t i = 0; i < c->nrows; i++)
		for (size_t j = 1; j < c->nsides; j++) {
			const struct change *one = c->row[i].change + j;

			if (one->verdict != verdict ||
			    (most && !(fabs(one->ratio) >
				       fabs(most->change[side].ratio))))
				continue;
			most = c->row + i;
			side = j;
		}
	/* One or two are seen anyway. */
	if (!most || c->count[verdict] < 3)
		return NULL;
	group = c->group + most->group;
	text = doc_print(doc, "%s %s: %s %s",
			 figure_change(most->change[side].ratio, change),
			 doc_plain(doc, group->workload),
			 doc_plain(doc, group->name),
			 row_cell(doc, most, " ", true));
	if (c->nsides == 2)
		return text;
	return doc_print(doc, "%s, %s", text, side_label(doc, side));
}

static const char *best(struct compare_doc *doc)
{
	return extreme(doc, VERDICT_BETTER);
}

static const char *worst(struct compare_doc *doc)
{
	return extreme(doc, VERDICT_WORSE);
}

/* clang-format off */
const struct compare_fact compare_summary[] = {
	{"result", counts},
	{"best", best},
	{"worst", worst},
	{"repeats", too_few},
	{"cells", only},
	{NULL, NULL},
};
/* clang-format on */

void compare_each_fact(struct compare_doc *doc, const struct compare_fact *fact,
		       compare_fact_fn *print)
{
	for (; fact->name; fact++) {
		const char *text = fact->text(doc);

		if (text)
			print(doc, fact->name, text);
	}
}

void compare_each_warning(struct compare_doc *doc, compare_fact_fn *print)
{
	const struct comparison *c = doc->c;

	for (size_t i = 0; i < c->naspects; i++)
		if (!c->aspect[i].same && !c->aspect[i].compared)
			print(doc, "WARNING",
			      doc_print(doc, "differs, though not compared: %s",
					aspect_text(doc, c->aspect + i)));
	for (size_t i = 0; i < c->nsides; i++)
		if (side_is_partial(c, i))
			print(doc, "WARNING",
			      doc_print(doc,
					"incomplete, the run was "
					"interrupted: %s",
					side_text(doc, i)));
}
