/* SPDX-License-Identifier: GPL-2.0-only */
/* What the forms of comparisons share. */
#ifndef TDMEM_BENCH_COMPARE_DOC_H
#define TDMEM_BENCH_COMPARE_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "bench/base/table.h"
#include "bench/compare/print.h"

enum { MAIL_WIDTH = 75 };

/** A document that is being printed. */
struct compare_doc {
	const struct comparison *c;
	const struct compare_style *style;
	FILE *f;
	size_t width; /* of lines */
	bool colour, ascii;
	bool failed; /* out of memory */
	struct arena *arena;
};

/** Begin; the form ends it with doc_end(). */
struct compare_doc doc_begin(const struct comparison *c,
			     const struct compare_style *style, FILE *f,
			     size_t width);
/** Free what is the document's own; false when it failed. */
bool doc_end(struct compare_doc *doc);

/* Texts of the document's; "" when out of memory. */

/** A name that can be shown, see layout_plain(). */
const char *doc_plain(struct compare_doc *doc, const char *text);
__attribute__((format(printf, 2, 3))) const char *
doc_print(struct compare_doc *doc, const char *format, ...);
/** `list`, a separator unless it is empty, `item`. */
const char *doc_join(struct compare_doc *doc, const char *list,
		     const char *separator, const char *item);

/* ---------------------------------------------------------------- figures */

/**
 * A value with four digits: of ns "10.12us", of 1/s and counts "9.531k"
 * without the unit, which the title names.  "-" for NaN.  Returns buf.
 */
const char *figure_value(double v, const char *unit, char buf[FIGURE]);
/** How far the interval goes from the median: "+-3%", "+-.4%"; "" if none. */
const char *figure_spread(const struct estimate *estimate, char buf[FIGURE]);
/** "+2.9%", "-21%"; "-" for NaN, "+inf%" from 0. */
const char *figure_change(double ratio, char buf[FIGURE]);
/** "[+1.1,+4.2]" or "[-31,-9]", in percent; "" when there is none. */
const char *figure_interval(const struct interval *interval, char buf[FIGURE]);
/** "0.004", "<.001"; "-" when there was no test. */
const char *figure_p(const struct change *change, char buf[FIGURE]);
/** "better", "~", "~ n<8"; "" for VERDICT_NONE. */
const char *figure_verdict(const struct change *change, char buf[FIGURE]);
/** A share without its sign: 0.05 is "5 %". */
const char *figure_share(double share, char buf[FIGURE]);

/* ------------------------------------------------------------------ texts */

/** "higher is better", "neither is better". */
const char *better_text(int better);
/** "fault-in: fault.rate (1/s, higher is better, model output)". */
const char *group_title(struct compare_doc *doc,
			const struct compare_group *group);
/** A group's name in one word: "fault.latency.p99" with '.'. */
const char *group_word(struct compare_doc *doc,
		       const struct compare_group *group, char glue);
/** "vCPUs" for "vcpus"; others as they are. */
const char *key_title(const char *axis);
/** "spin 64" or, with names, "policy=spin vcpus=64"; plain. */
const char *row_cell(struct compare_doc *doc, const struct compare_row *row,
		     const char *separator, bool names);
/** Of an estimate that has no value, why: "livelock", "-". */
const char *status_text(struct compare_doc *doc,
			const struct estimate *estimate);

/* ------------------------------------------------------------------- rows */

/** Did it end alike wherever it is? */
bool row_ended_alike(const struct comparison *c, const struct compare_row *row);
/** Is there a verdict better, worse or changed, or another end? */
bool row_has_change(const struct comparison *c, const struct compare_row *row);
/** Are rows without a change left out? */
bool leaves_out(const struct compare_doc *doc);
bool row_is_shown(const struct compare_doc *doc, const struct compare_row *row);

/** "block-remove policy=spin vcpus=8: ok -> livelock". */
const char *ended_text(struct compare_doc *doc, const struct compare_row *row);
/**
 * Cells that ended differently, one row of each, in order.  Returns how many;
 * *rows is the document's.
 */
size_t ended_differently(struct compare_doc *doc,
			 const struct compare_row ***rows);

/* ------------------------------------------------------------------ facts */

/** A line of a header; NULL from text(): there is nothing to say. */
struct compare_fact {
	const char *name;
	const char *(*text)(struct compare_doc *doc);
};
/** What a reader must know of how it was made; ended by a NULL name. */
extern const struct compare_fact compare_facts[];
/** The least of that, for who has just run it. */
extern const struct compare_fact compare_facts_short[];
/** How many comparisons, and what they say; ended by a NULL name. */
extern const struct compare_fact compare_summary[];

/** Prints one fact in the way of a form. */
typedef void compare_fact_fn(struct compare_doc *doc, const char *name,
			     const char *text);

/** Each fact of a list that there is something to say of. */
void compare_each_fact(struct compare_doc *doc, const struct compare_fact *fact,
		       compare_fact_fn *print);

/** Each thing that a reader must know before believing the numbers. */
void compare_each_warning(struct compare_doc *doc, compare_fact_fn *print);

/** "costs: a | b" for an aspect. */
const char *aspect_text(struct compare_doc *doc,
			const struct compare_aspect *aspect);
/** A side's label; never empty. */
const char *side_label(struct compare_doc *doc, size_t side);
/** What a side is: "LABEL (PATH)". */
const char *side_text(struct compare_doc *doc, size_t side);

/** Is it of an interrupted run that no side before it is of? */
bool side_is_partial(const struct comparison *c, size_t side);

/* ----------------------------------------------------------------- tables */

/**
 * Print the tables of all groups within the document's width, before them
 * what their shortened names stand for.
 */
void print_tables(struct compare_doc *doc);

#endif
