/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <string.h>

#include "bench/base/table.h"
#include "bench/report/impl.h"
#include "bench/stats/infer.h"

enum { LONGEST_ANSWER = 52 }; /* what fits behind the vCPUs */

static size_t count_good(const struct report_group *g, size_t vcpus)
{
	size_t n = 0;

	for (size_t p = 0; p < g->npolicies; p++)
		n += report_good(report_find(g, p, vcpus));
	return n;
}

static void append(char *buf, size_t size, const char *text)
{
	size_t n = strlen(buf);

	snprintf(buf + n, size - n, "%s", text);
}

/* Names of the policies that ended well and are best, or are not. */
static void list_policies(const struct report_group *g, size_t vcpus, bool best,
			  char *buf, size_t size)
{
	bool first = true;

	for (size_t p = 0; p < g->npolicies; p++) {
		const struct report_cell *c = report_find(g, p, vcpus);

		if (!report_good(c) || c->best != best)
			continue;
		append(buf, size, first ? "" : best ? " = " : ", ");
		append(buf, size, g->policy[p]);
		first = false;
	}
}

/* The shorter way to name them. */
static void list_best(const struct report_group *g, size_t vcpus, char *buf,
		      size_t size)
{
	size_t n = g->row[vcpus].nbest;
	size_t others = count_good(g, vcpus) - n;

	if (n == 1 || n <= others + 1) {
		append(buf, size, n > 1 ? "~ " : "");
		list_policies(g, vcpus, true, buf, size);
	} else if (others == 0) {
		append(buf, size, "~");
	} else {
		append(buf, size, "~ all but ");
		list_policies(g, vcpus, false, buf, size);
	}
}

/* "kick-once", "~" when all are alike, "~ spin = eagain", "~ n<9" */
static void name_best(const struct report_group *g, size_t vcpus, char *buf,
		      size_t size)
{
	const struct report_row *row = &g->row[vcpus];

	buf[0] = '\0';
	if (row->nbest == 0) {
		append(buf, size, "none ended ok");
		return;
	}
	list_best(g, vcpus, buf, size);
	if (strlen(buf) > LONGEST_ANSWER)
		snprintf(buf, size, "~ %zu of %zu policies", row->nbest,
			 g->npolicies);
	if (row->needed)
		snprintf(buf + strlen(buf), size - strlen(buf), " n<%zu",
			 row->needed);
	if (row->nbest == count_good(g, vcpus) && row->nbest < g->npolicies)
		append(buf, size, ", the only ok");
}

static void print_range(const struct printer *p, uint32_t from, uint32_t to)
{
	char text[32];

	if (from == to)
		snprintf(text, sizeof(text), "%u", from);
	else
		snprintf(text, sizeof(text), "%u-%u", from, to);
	fprintf(p->f, "    %9s %s  ", text, to == 1 ? "vCPU " : "vCPUs");
}

static void print_lead(const struct printer *p, double low, double high)
{
	if (isnan(low))
		return;
	if (high - low < 0.005)
		fprintf(p->f, ", %+.0f %%", low * 100);
	else
		fprintf(p->f, ", %+.0f to %+.0f %%", low * 100, high * 100);
}

/* Neighbouring vCPU counts with the same answer make one line. */
static void print_verdict(const struct printer *p, const struct report_group *g)
{
	char now[160], next[160];
	size_t i = 0;

	fprintf(p->f, "  %s\n", g->name);
	while (i < g->nvcpus) {
		double low = g->row[i].lead, high = low;
		size_t from = i;

		name_best(g, i, now, sizeof(now));
		for (i++; i < g->nvcpus; i++) {
			name_best(g, i, next, sizeof(next));
			if (strcmp(now, next) != 0)
				break;
			low = fmin(low, g->row[i].lead);
			high = fmax(high, g->row[i].lead);
		}
		print_range(p, g->vcpus[from], g->vcpus[i - 1]);
		fprintf(p->f, "%s%s%s", p->bold, now, p->end);
		print_lead(p, low, high);
		fputc('\n', p->f);
	}
}

/* As many everywhere; 0: no cell needs more. */
static size_t repeats_needed(const struct report *r)
{
	size_t most = 0;

	for (size_t i = 0; i < r->ngroups; i++)
		for (size_t v = 0; v < r->group[i].nvcpus; v++)
			if (r->group[i].row[v].needed > most)
				most = r->group[i].row[v].needed;
	return most;
}

/* Nothing is best where there is nothing to compare it with. */
void report_print_verdicts(const struct printer *p)
{
	size_t needed = repeats_needed(p->report);
	char text[600], few[100] = "";

	if (!p->report->pairs)
		return;
	if (needed)
		snprintf(few, sizeof(few),
			 " n<%zu: with fewer than %zu repeats none can be "
			 "significant.",
			 needed, needed);
	snprintf(text, sizeof(text),
		 "Which policy, at how many vCPUs: the highest median rate, "
		 "and by how much it is above the next policy. ~: no winner, "
		 "these or all cannot be told apart: the difference is not "
		 "significant (Mann-Whitney U, %.0f %% for all %zu pairs "
		 "together) or not above %.0f %%.%s",
		 DIFFERENCE_ALPHA * 100, p->report->pairs,
		 DIFFERENCE_MATERIAL * 100, few);
	fputc('\n', p->f);
	print_wrapped(p->f, 0, text);
	for (size_t i = 0; i < p->report->ngroups; i++)
		if (p->report->group[i].npolicies > 1)
			print_verdict(p, &p->report->group[i]);
}
