/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One repeat of one cell on /dev/kvm.  backend.c makes it, vcpu.c is what the
 * thread of a vCPU does, host.c what host threads do, guest.c reads out; they
 * wait for each other by news.c.
 */
#ifndef TDMEM_KVM_CELL_H
#define TDMEM_KVM_CELL_H

#include <pthread.h>

#include "bench/backend.h"
#include "kvm/stats.h"
#include "kvm/vmm.h"

struct kvm_cell;

/** What host threads count: pages, TDs and VMs, ioctls. */
enum kvm_did {
	KVM_DID_REMOVAL,
	KVM_DID_PREFAULT,
	KVM_DID_TEARDOWN,
	KVM_DID_BUILD,
	KVM_DID_IOCTL,
	NR_KVM_DID
};

/** A thread of this process: of a vCPU, or of a host script. */
struct kvm_cell_thread {
	struct kvm_cell *cell;
	pthread_t thread;
	bool worker, started;
	bool over;	 /* vCPU: its script, as far as it says so */
	uint32_t index;	 /* of the vCPU, or of the host script */
	uint32_t ended;	 /* atomic */
	uint32_t *loops; /* worker: times left, for each operation */
	/* Worker: what it did, in ns of CLOCK_MONOTONIC. */
	uint64_t begin_ns, end_ns;
	bool measured;
	uint64_t did[NR_KVM_DID];
	uint64_t busy; /* ioctls that race a build */
};

struct kvm_news {
	pthread_mutex_t lock;
	pthread_cond_t came;
	uint64_t count;
};

struct kvm_cell {
	const struct scenario *scenario;
	const struct cell_setup *setup;
	const struct memory_kind *memory;
	struct sample *sample;
	struct vmm vm;
	struct kvm_stats *stats;	/* NULL: none */
	struct kvm_cell_thread *thread; /* vCPUs, then workers */
	uint32_t nthreads;
	uint64_t begin_ns, ran_ns; /* before the first entry; to the last end */
	uint32_t finalizing;	   /* atomic: the TD is or will be finalized */
	uint32_t finalized;	   /* atomic: it is, and vCPUs can run */
	uint32_t gone;		   /* atomic: everybody comes to an end */
	uint32_t vcpus_over;	   /* atomic: vCPUs whose scripts are over */
	uint32_t vcpus_left;  /* atomic: threads of vCPUs that have ended */
	uint32_t unpinned;    /* atomic: threads that could not be bound */
	struct kvm_news news; /* of what is atomic, and of guests' `stop` */
	pthread_mutex_t lock; /* of sample and stats */
	bool failed;	/* the sample says why; only the first reason is kept */
	bool abandoned; /* a thread does not come back */
};

uint64_t kvm_cell_now_ns(void);
void kvm_cell_sleep_ns(uint64_t ns);
void kvm_news_init(struct kvm_news *news);
void kvm_news_destroy(struct kvm_news *news);
/** Somebody may wait for what this thread has just made true. */
void kvm_cell_tell(struct kvm_cell *cell);
/** Sleep until `there` is true. */
void kvm_cell_await(struct kvm_cell *cell,
		    bool (*there)(const struct kvm_cell *cell));
/**
 * Sleep until more was told than the `seen` times that this thread knows of
 * (0 at first), or until a time of CLOCK_MONOTONIC.  Returns how many now.
 */
uint64_t kvm_cell_await_news(struct kvm_cell *cell, uint64_t seen,
			     uint64_t until_ns);
bool kvm_cell_gone(const struct kvm_cell *cell);
/** End the cell with a status and a reason, if nobody has. */
__attribute__((format(printf, 3, 4))) void kvm_cell_end(struct kvm_cell *cell,
							enum cell_status status,
							const char *format,
							...);

/**
 * Execute a scenario once on a VM with memory of this kind: the `run` of a
 * backend.
 */
int kvm_cell_run(const struct memory_kind *memory,
		 const struct scenario *scenario,
		 const struct cell_setup *setup, struct sample *sample,
		 struct err *err);

/** A thread begins or ends to measure. */
void kvm_cell_measure(struct kvm_cell_thread *t, bool begin);

/** The script of a vCPU is over, whether it says so or does not come back. */
void kvm_cell_over(struct kvm_cell_thread *t);

/** Run a vCPU until its script has ended. */
void kvm_cell_vcpu(struct kvm_cell_thread *t);
/** Put a value of a host thread into a histogram of the sample. */
void kvm_cell_record(struct kvm_cell_thread *t, const char *metric,
		     uint64_t value);
/** Run a host script. */
void kvm_cell_host(struct kvm_cell_thread *t);
/**
 * What the VM of a cell that kvm_cell_fits() must be; *own is what shape->own
 * is, for free().  -1: no memory.
 */
int kvm_cell_shape(const struct kvm_cell *cell, struct vmm_shape *shape,
		   struct memory_part **own);
/** Can this be executed here?  If not, `why` says what cannot. */
bool kvm_cell_fits(const struct scenario *s, const struct memory_kind *kind,
		   char *why, size_t size);
/**
 * Set the metrics of the guest; what it cannot have measured ends the cell as
 * failed.  -1 with *err: no memory.
 */
int kvm_cell_guest_metrics(struct kvm_cell *cell, struct err *err);
/** Set the metrics of the host threads. */
void kvm_cell_host_metrics(const struct kvm_cell *cell);

#endif
