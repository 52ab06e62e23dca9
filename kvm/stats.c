/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kvm/stats.h"

enum { MOST_DESCRIPTORS = 1024, MOST_NAME = 256 };

static const struct {
	const char *name; /* KVM's */
	const char *metric;
	bool of_vm; /* else the sum over vCPUs */
	bool level; /* what is at the end; else by how much it grew */
} rows[] = {
	{"pf_taken", "kvm.pf_taken", false, false},
	{"pf_fixed", "kvm.pf_fixed", false, false},
	{"pf_spurious", "kvm.pf_spurious", false, false},
	{"pf_emulate", "kvm.pf_emulate", false, false},
	{"exits", "kvm.exits", false, false},
	{"remote_tlb_flush", "kvm.remote_tlb_flush", true, false},
	{"remote_tlb_flush_requests", "kvm.remote_tlb_flush_requests", true,
	 false},
	{"pages_4k", "kvm.pages_4k", true, true},
	{"pages_2m", "kvm.pages_2m", true, true},
};

enum { NR_ROWS = sizeof(rows) / sizeof(*rows) };

/** The VM or a vCPU: where its values are in what its descriptor reads. */
struct source {
	int fd;		   /* -1: none */
	off_t at[NR_ROWS]; /* 0: it has no such value */
};

struct kvm_stats {
	uint32_t nsources;
	struct source *source; /* the VM, then vCPUs */
	bool begun, ended;
	/* Sums over the sources; NaN: none has it. */
	double first[NR_ROWS], last[NR_ROWS];
};

/* ---------------------------------------------------------------- opening */

static bool read_all(int fd, void *to, size_t bytes, off_t at)
{
	return pread(fd, to, bytes, at) == (ssize_t)bytes;
}

static void find_rows(struct source *s, const struct kvm_stats_header *head,
		      bool of_vm)
{
	size_t bytes = sizeof(struct kvm_stats_desc) + head->name_size;
	union {
		struct kvm_stats_desc desc;
		char bytes[sizeof(struct kvm_stats_desc) + MOST_NAME + 1];
	} one = {.bytes = ""};
	uint32_t i, k;

	for (i = 0; i < head->num_desc; i++) {
		if (!read_all(s->fd, &one, bytes,
			      (off_t)(head->desc_offset + i * bytes)))
			return;
		for (k = 0; k < NR_ROWS; k++) {
			if (rows[k].of_vm == of_vm &&
			    strcmp(rows[k].name, one.desc.name) == 0)
				s->at[k] = (off_t)head->data_offset +
					   one.desc.offset;
		}
	}
}

static void open_source(struct source *s, int fd, bool of_vm)
{
	struct kvm_stats_header head;

	s->fd = ioctl(fd, KVM_GET_STATS_FD, NULL);
	if (s->fd < 0)
		return;
	if (read_all(s->fd, &head, sizeof(head), 0) &&
	    head.name_size <= MOST_NAME && head.num_desc <= MOST_DESCRIPTORS)
		find_rows(s, &head, of_vm);
}

struct kvm_stats *kvm_stats_open(const struct vmm *vm)
{
	struct kvm_stats *stats = calloc(1, sizeof(*stats));
	uint32_t i;

	if (!stats)
		return NULL;
	stats->source = calloc(vm->nvcpus + 1ull, sizeof(*stats->source));
	if (!stats->source) {
		free(stats);
		return NULL;
	}
	stats->nsources = vm->nvcpus + 1;
	open_source(&stats->source[0], vm->fd, true);
	for (i = 0; i < vm->nvcpus; i++)
		open_source(&stats->source[i + 1], vm->vcpu[i].fd, false);
	return stats;
}

void kvm_stats_leave(struct kvm_stats *stats)
{
	uint32_t i;

	for (i = 0; stats && i < stats->nsources; i++) {
		if (stats->source[i].fd >= 0)
			close(stats->source[i].fd);
	}
	if (stats)
		stats->nsources = 0;
}

void kvm_stats_free(struct kvm_stats *stats)
{
	if (!stats)
		return;
	kvm_stats_leave(stats);
	free(stats->source);
	free(stats);
}

/* ---------------------------------------------------------------- reading */

static double sum(const struct kvm_stats *stats, uint32_t row)
{
	double total = NAN;
	uint64_t value;
	uint32_t i;

	for (i = 0; i < stats->nsources; i++) {
		const struct source *s = &stats->source[i];

		if (s->at[row] &&
		    read_all(s->fd, &value, sizeof(value), s->at[row]))
			total = (isnan(total) ? 0 : total) + (double)value;
	}
	return total;
}

void kvm_stats_read(struct kvm_stats *stats, bool begin)
{
	uint32_t i;

	/* The first begin, and ends after it: guests may say anything. */
	if (!stats || !stats->nsources || begin == stats->begun)
		return;
	for (i = 0; i < NR_ROWS; i++)
		*(begin ? &stats->first[i] : &stats->last[i]) = sum(stats, i);
	stats->begun |= begin;
	stats->ended |= !begin;
}

/* NaN, when it was not counted, is what a sample has where nothing is. */
static double result(const struct kvm_stats *stats, uint32_t row)
{
	return stats->last[row] - (rows[row].level ? 0 : stats->first[row]);
}

/*
 * Faults that ended in none of these ways were retried, or came out as errors,
 * which end a cell.
 */
static void set_retried(const struct kvm_stats *stats, struct sample *sample)
{
	enum { TAKEN, FIXED, SPURIOUS, EMULATE };

	sample_set(sample, "kvm.pf_retried",
		   result(stats, TAKEN) - result(stats, FIXED) -
			   result(stats, SPURIOUS) - result(stats, EMULATE));
}

void kvm_stats_metrics(const struct kvm_stats *stats, struct sample *sample)
{
	uint32_t i;

	if (!stats || !stats->begun || !stats->ended)
		return;
	for (i = 0; i < NR_ROWS; i++)
		sample_set(sample, rows[i].metric, result(stats, i));
	set_retried(stats, sample);
}
