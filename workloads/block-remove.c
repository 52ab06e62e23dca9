/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whole removal of pages (BLOCK, TRACK, kick, REMOVE, WBINVD) while vCPUs
 * run.  BUSY comes from TRACK against VP.ENTER (others ticking), from BLOCK
 * and REMOVE against ACCEPT of the same pages (others faulting in the same
 * range), and from all of them against the VP.ENTERs of vCPUs that are stuck.
 */
#include "workloads/range.h"

enum { ELSEWHERE, SAME };
static const char *const places[] = {"elsewhere", "same", NULL};

static const struct knob pages = {
	.name = "pages",
	.type = KNOB_INT,
	.unit = "pages",
	.def = 512,
	.min = 1,
	.max = 1 << 20,
	.help = "pages in all, each removed once",
};

static const struct knob piece = {
	.name = "piece",
	.type = KNOB_INT,
	.unit = "pages",
	.def = 32,
	.min = 0,
	.max = 1 << 20,
	.help = "pages of one hole; 0: one hole for all",
};

enum { BY_HOLE, BY_ATTRIBUTES, BY_SLOT };
static const char *const ways[] = {"hole", "attributes", "slot", NULL};

static const struct knob by = {
	.name = "by",
	.type = KNOB_CHOICE,
	.unit = "",
	.def = BY_HOLE,
	.choices = ways,
	.help = "a hole in the guest_memfd, pages made shared, or a memslot "
		"that is deleted and made again",
};

static const struct knob where = {
	.name = "where",
	.type = KNOB_CHOICE,
	.unit = "",
	.def = ELSEWHERE,
	.choices = places,
	.help = "others that fault: in memory of their own, or again and "
		"again in the range that is being removed",
};

static const struct knob *const knobs[] = {&pages, &piece,	&by,
					   &where, RANGE_KNOBS, NULL};

static int make(const struct knob_values *values, uint32_t vcpus,
		struct scenario *s, struct err *err)
{
	uint64_t hole = (uint64_t)knob(values, "piece");
	struct range_work work = {
		.opcode = HOST_PUNCH,
		.arg = hole << (knob(values, "page_size") == PAGE_2M ? 9 : 0),
		.contested = knob(values, "where") == SAME,
	};

	if (knob(values, "by") != BY_HOLE) {
		if (work.contested)
			return err_set(err, EXIT_USAGE,
				       "by: what has been made shared or has "
				       "no memslot can't be touched: where is "
				       "elsewhere");
		work.opcode = knob(values, "by") == BY_SLOT ? HOST_SLOT
							    : HOST_CONVERT;
		work.arg = 0;
		work.piece = hole;
	}
	return range_make(&workload_block_remove, values, vcpus, &work, s, err);
}

const struct workload workload_block_remove = {
	.name = "block-remove",
	.summary = "whole removal of pages while vCPUs run, fault or accept",
	.operation = "removal",
	.knobs = knobs,
	.make = make,
};
