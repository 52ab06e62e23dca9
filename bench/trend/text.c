/* SPDX-License-Identifier: GPL-2.0-only */
/* Histories as text: for a terminal, and for a mail of ASCII. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/base/layout.h"
#include "bench/base/table.h"
#include "bench/trend/print.h"

enum { MAIL_WIDTH = 75 };

struct printer {
	const struct trend *t;
	const struct trend_style *style;
	FILE *f;
	size_t width;
	bool mail;
	struct arena *arena; /* texts of this document */
	struct trend_found *found;
	size_t nfound;
	bool alone;  /* there is but one config on one host */
	bool failed; /* out of memory */
};

/* The text, or an empty one when memory ran out on the way. */
static const char *made(struct printer *p, const char *text)
{
	p->failed |= !text;
	return text ? text : "";
}

static const char *plain(struct printer *p, const char *text)
{
	return made(p, layout_plain(p->arena, text, p->mail));
}

static void line(struct printer *p, const char *head, size_t indent,
		 const char *text)
{
	layout_wrap(p->f, p->width, head, indent, made(p, text));
}

static const char *figure(struct printer *p, const char *unit, double value)
{
	char buf[FIGURE];

	if (isnan(value))
		return "-";
	if (strcmp(unit, "1/s") == 0)
		return made(p, arena_text(p->arena, format_rate(value, buf)));
	if (strcmp(unit, "ns") == 0 && value >= 0)
		return made(p, arena_text(p->arena,
					  format_ns((uint64_t)llround(value),
						    buf)));
	return made(p, arena_print(p->arena, "%s %s", format_count(value, buf),
				   plain(p, unit)));
}

static const char *percent(struct printer *p, double ratio)
{
	if (!isfinite(ratio))
		return "from 0";
	return made(p, arena_print(p->arena, "%+.*f%%",
				   fabs(ratio) < 0.0995 ? 1 : 0, 100 * ratio));
}

/* ---------------------------------------------------------------- changes */

static const struct trend_run *run_of(const struct printer *p,
				      const struct trend_found *found)
{
	return &p->t->run[found->series->point[found->change->point].run];
}

/* The run that the changes below begin with. */
static void print_run(struct printer *p, const struct trend_run *run)
{
	const char *text =
		arena_print(p->arena, "%s, %s%s%s%s%s",
			    run->time[0] ? run->time : "no time", run->path,
			    run->commit[0] ? ", commit " : "", run->commit,
			    run->kernel[0] ? ", " : "", run->kernel);

	fputc('\n', p->f);
	line(p, "  since ", 8, text ? plain(p, text) : NULL);
}

static void print_levels(struct printer *p, const struct trend_found *found)
{
	const struct trend_change *c = found->change;
	const char *unit = found->series->unit, *head, *text;

	head = arena_print(p->arena, "    %s  ", c->id);
	if (c->status)
		text = arena_print(p->arena, "%s -> %s",
				   figure(p, unit, c->before),
				   plain(p, c->status));
	else
		text = arena_print(
			p->arena, "%s, %s -> %s, confidence %.1f%%",
			percent(p, c->ratio), figure(p, unit, c->before),
			figure(p, unit, c->after), 100 * c->confidence);
	line(p, made(p, head), 6, text);
}

static const char *origin(struct printer *p, const struct trend_series *s)
{
	return made(p, arena_print(p->arena, "%s on %s", s->config,
				   s->host[0] ? s->host : "no host"));
}

static void print_series(struct printer *p, const struct trend_series *s)
{
	const char *text = arena_print(p->arena, "%s %s: %s%s%s", s->workload,
				       s->cell, s->metric, p->alone ? "" : "; ",
				       p->alone ? "" : origin(p, s));

	line(p, "      ", 8, text ? plain(p, text) : NULL);
}

static void print_change(struct printer *p, const struct trend_found *found)
{
	print_levels(p, found);
	print_series(p, found->series);
	if (found->change->acknowledged)
		line(p, "      acknowledged: ", 8,
		     plain(p, found->change->acknowledged));
}

/* ---------------------------------------------------------------- sections */

struct section {
	const char *title;
	enum trend_kind kind;
	bool acknowledged;
	bool in_mail;
};

static const struct section sections[] = {
	{"regressed", TREND_REGRESSED, false, true},
	{"improved", TREND_IMPROVED, false, true},
	{"changed, of no direction", TREND_CHANGED, false, true},
	{"regressed, acknowledged", TREND_REGRESSED, true, false},
	{"improved, acknowledged", TREND_IMPROVED, true, false},
	{"changed, acknowledged", TREND_CHANGED, true, false},
};

enum { NR_SECTIONS = sizeof(sections) / sizeof(sections[0]) };

static bool belongs(const struct section *s, const struct trend_change *c)
{
	return c->kind == s->kind && !c->acknowledged == !s->acknowledged;
}

static size_t count(const struct printer *p, const struct section *s)
{
	size_t n = 0;

	for (size_t i = 0; i < p->nfound; i++)
		n += belongs(s, p->found[i].change);
	return n;
}

static void print_section(struct printer *p, const struct section *s)
{
	const struct trend_run *last = NULL;
	size_t n = count(p, s);

	if (n == 0)
		return;
	fprintf(p->f, "\n%s: %zu\n", s->title, n);
	for (size_t i = 0; i < p->nfound; i++) {
		const struct trend_run *run;

		if (!belongs(s, p->found[i].change))
			continue;
		run = run_of(p, &p->found[i]);
		if (run != last)
			print_run(p, run);
		last = run;
		print_change(p, &p->found[i]);
	}
}

/* -------------------------------------------------------------------- head */

/* Whether it is model output, as the numbers of both kinds look alike. */
static const char *kind_of_runs(const struct trend *t)
{
	size_t modelled = 0;

	for (size_t i = 0; i < t->nruns; i++)
		modelled += t->run[i].modelled;
	if (modelled == 0)
		return "measured";
	return modelled == t->nruns ? "model output"
				    : "in part model output, in part measured";
}

static bool one_origin(const struct trend *t)
{
	for (size_t i = 1; i < t->nseries; i++)
		if (strcmp(t->series[i].config, t->series[0].config) != 0 ||
		    strcmp(t->series[i].host, t->series[0].host) != 0)
			return false;
	return t->nseries > 0;
}

static void print_head(struct printer *p)
{
	const struct trend *t = p->t;
	const char *dir = plain(p, t->dir), *text;

	if (t->nruns == 0) {
		text = arena_print(p->arena, "%s: no results", dir);
		line(p, "", 2, text);
		return;
	}
	text = arena_print(
		p->arena, "%s: %zu run%s from %s to %s, %zu series, %s", dir,
		t->nruns, t->nruns == 1 ? "" : "s", plain(p, t->run[0].time),
		plain(p, t->run[t->nruns - 1].time), t->nseries,
		kind_of_runs(t));
	line(p, "", 2, text);
	if (p->alone)
		line(p, "", 2, plain(p, origin(p, &t->series[0])));
	text = arena_print(p->arena,
			   "changes of %g%% and more, newest first; + is more, "
			   "which is better for rates and worse for latencies",
			   100 * p->style->rule->material);
	line(p, "", 2, text);
}

static const char *plural(struct printer *p, size_t n, const char *what)
{
	return made(p, arena_print(p->arena, "%zu %s%s", n, what,
				   n == 1 ? "" : "s"));
}

static void print_verdict(struct printer *p)
{
	size_t hidden = 0;
	const char *text;

	for (size_t i = 0; i < NR_SECTIONS; i++)
		if (sections[i].acknowledged)
			hidden += count(p, &sections[i]);
	text = arena_print(p->arena, "%s, %s; %zu acknowledged",
			   plural(p, count(p, &sections[0]), "regression"),
			   plural(p, count(p, &sections[1]), "improvement"),
			   hidden);
	fputc('\n', p->f);
	line(p, "", 2, text);
}

/* ---------------------------------------------------------------- the whole */

static void print_all(struct printer *p)
{
	p->alone = one_origin(p->t);
	print_head(p);
	for (size_t i = 0; i < NR_SECTIONS; i++)
		if (!p->mail || sections[i].in_mail)
			print_section(p, &sections[i]);
	if (p->t->nruns)
		print_verdict(p);
	if (p->mail && p->style->command) {
		fputc('\n', p->f);
		p->failed |=
			!layout_command(p->f, p->width, 2, p->style->command);
	}
}

static bool print(const struct trend *t, const struct trend_style *style,
		  FILE *f, bool mail)
{
	struct printer p = {
		.t = t,
		.style = style,
		.f = f,
		.width = mail ? MAIL_WIDTH : TABLE_WIDTH,
		.mail = mail,
		.arena = arena_new(),
	};

	p.found = trend_newest_first(t, &p.nfound);
	p.failed = !p.arena || !p.found;
	if (!p.failed)
		print_all(&p);
	free(p.found);
	arena_free(p.arena);
	return !p.failed;
}

static bool print_text(const struct trend *t, const struct trend_style *style,
		       FILE *f)
{
	return print(t, style, f, false);
}

static bool print_mail(const struct trend *t, const struct trend_style *style,
		       FILE *f)
{
	return print(t, style, f, true);
}

extern const struct trend_form trend_text, trend_mail;

const struct trend_form trend_text = {
	.name = "text",
	.summary = "for a terminal",
	.print = print_text,
};

const struct trend_form trend_mail = {
	.name = "mail",
	.summary =
		"plain ASCII, at most 75 columns, what is acknowledged counted",
	.print = print_mail,
};
