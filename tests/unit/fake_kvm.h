/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A KVM that offers TDs, in this process: a test that is linked with the
 * --wrap options of the Makefile gets it for /dev/kvm.  It keeps the states
 * that the kernel keeps and refuses what the kernel refuses, as read from
 * Linux 7.3; a vCPU runs fake_guest.c.  Descriptors and mappings are real, so
 * that what is left open can be counted.
 *
 * fake_calls.c takes calls over and lets them fail, fake_kvm.c has /dev/kvm
 * and VMs, fake_memory.c slots and pages, fake_td.c the commands of TDs,
 * fake_guest.c KVM_RUN; fake_module.c is the TDX module, fake_agent.c what runs
 * on a vCPU.
 */
#ifndef TDMEM_TESTS_FAKE_KVM_H
#define TDMEM_TESTS_FAKE_KVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest-agent/td.h"
#include "kvm/uapi_tdx.h"
#include "model/machine/context.h"

/* ----------------------------------------------------------- for tests */

/** What a vCPU does instead of its script. */
enum fake_guest {
	FAKE_AGENT, /* the script */
	FAKE_FATAL, /* ReportFatalError */
	FAKE_TRIPLE_FAULT,
	FAKE_MMIO,
	FAKE_ENTER_FAILS, /* TDH.VP.ENTER gives a status nobody expects */
	FAKE_FAIL_ENTRY,
	FAKE_POISON,	     /* touches a page whose memory is broken */
	FAKE_GET_QUOTE,	     /* asks for a quote, is refused, then the script */
	FAKE_OTHER_EVENT,    /* a system event that is none of a TD */
	FAKE_BEYOND,	     /* touches private memory that no slot has */
	FAKE_CONVERT_BEYOND, /* MapGPA of it */
	FAKE_UNACCEPTED,     /* touches a page without ACCEPT */
	FAKE_IMPLICIT,	     /* touches shared what is private, and back */
};

struct fake_options {
	enum fake_guest guest;
	uint64_t init_status; /* of the module, to KVM_TDX_INIT_VM */
	unsigned no_entropy;  /* so many KVM_TDX_INIT_VM give EAGAIN */
	unsigned piece; /* INIT_MEM_REGION is interrupted after so many pages;
			   0: never */
	unsigned busy_adds;	   /* so many single pages give EBUSY */
	unsigned finalize_us;	   /* FINALIZE_VM is done, and comes back then */
	unsigned busy_conversions; /* so many attribute calls give EAGAIN */
	unsigned max_vcpus;	   /* 0: 8 */
	bool only_ordinary;	   /* KVM_CAP_VM_TYPES without TDs */
};

/** Begin anew; all of the last VM must have been closed. */
void fake_kvm_begin(const struct fake_options *options);

/** Descriptors and mappings that are left, of what was made since then. */
unsigned fake_kvm_left(void);

/** What was first refused because it is wrong; NULL: nothing. */
const char *fake_kvm_complaint(void);

/** From 1: the call that fails, with that one of its plausible errors. */
void fake_kvm_fail(unsigned nth, unsigned error);

/** Name and errno of what fake_kvm_fail() made fail; NULL: did not come. */
const char *fake_kvm_failed(int *error);

/** Pages that are measured, accepted, converted; MSIs that were sent. */
struct fake_counts {
	unsigned measured, accepted, converted, punched, msis, released;
};
struct fake_counts fake_kvm_counts(void);

/** A word of measured private memory; aborts if the page is not measured. */
uint64_t fake_kvm_private_word(uint64_t gpa);

/* -------------------------------------------------- among its own files */

enum {
	FAKE_FDS = 256,
	FAKE_SLOTS = 128,
	FAKE_VCPUS = 16,
	FAKE_GFNS = 2 << 20, /* up to 8 GiB */
	FAKE_RUN_BYTES = 3 * 4096,
	FAKE_CPUIDS = 100,     /* that KVM supports */
	FAKE_TD_CPUIDS = 70,   /* that a TD can have */
	FAKE_VCPU_CPUIDS = 90, /* that it has */
};

/** Of a page of the guest. */
enum fake_page {
	PAGE_PRIVATE = 1, /* attribute */
	PAGE_MAPPED = 2,  /* in the S-EPT */
	PAGE_ACCEPTED = 4,
	PAGE_MEASURED = 8,
};

struct fake_slot {
	uint64_t gpa, bytes, at;
	int gmem; /* -1: none */
};

enum fake_td_state { TD_NONE, TD_INITIALIZED, TD_RUNNABLE };

struct fake_vcpu {
	struct fake_vm *vm;
	int fd; /* -1: closed */
	uint32_t id;
	struct kvm_run *run; /* a mapping of the fake's own */
	bool x2apic, initialized, started, apic_on, msi;
	bool converts; /* left by MapGPA, whose answer is still to come */
	struct context host, guest;
	int error; /* of the KVM_RUN that ends */
};

struct fake_vm {
	unsigned long type;
	bool x2apic_api, split_irqchip, hypercalls, bugged;
	enum fake_td_state td;
	bool ve_disable;
	struct fake_slot slot[FAKE_SLOTS];
	struct fake_vcpu vcpu[FAKE_VCPUS];
	uint32_t nvcpus;
	uint8_t *page; /* FAKE_GFNS of enum fake_page */
};

/** What a descriptor is of. */
enum fake_object { FAKE_NOTHING, FAKE_SYSTEM, FAKE_VM, FAKE_VCPU, FAKE_GMEM };
extern enum fake_object fake_kind[FAKE_FDS];
/* A new one, with so many bytes to map; its end. */
int fake_object(enum fake_object what, const char *name, size_t bytes);
void fake_object_close(int fd);
int fake_ioctl(int fd, unsigned long request, void *arg);

/* Above 0: the caller is the fake itself. */
extern _Thread_local unsigned fake_inside;
/* Is this the call that has to fail?  Errors end with 0. */
bool fake_fails(const char *name, const int *errors);

extern struct fake_options fake_options;
extern struct fake_counts fake_counts;
extern struct fake_vm fake_vm;

/*
 * All calls of the driver hold one lock; a guest that runs does not, but for
 * what it does to pages.
 */
void fake_lock(void);
void fake_unlock(void);

/** Remember what is wrong, and refuse: -1 with errno. */
int fake_refuse(int error, const char *what);
/** Refuse without a word: the driver has to expect this. */
int fake_expected(int error);

bool fake_slot_of(uint64_t gpa, const struct fake_slot **slot);
void *fake_shared(uint64_t gpa); /* shared memory at it; aborts if none */
void fake_private(uint64_t gpa, void *data, size_t bytes, bool write);
int fake_set_slot(const struct kvm_userspace_memory_region2 *r, bool plain);
int fake_set_attributes(const struct kvm_memory_attributes *a);
int fake_check_gmem(const struct kvm_create_guest_memfd *g);
int fake_prefault(struct kvm_pre_fault_memory *p);
void fake_punch(int gmem, uint64_t offset, uint64_t bytes);

int fake_td_command(struct kvm_tdx_cmd *cmd, struct fake_vcpu *vcpu);
bool fake_cpuid_supported(struct kvm_cpuid2 *cpuid);

/* In the guest: the vCPU, and the GPA of a #VE that nobody has asked for. */
extern _Thread_local struct fake_vcpu *fake_current;
extern _Thread_local uint64_t fake_ve;
/* Leave KVM_RUN; back when the driver runs this vCPU again. */
void fake_leave(int error, uint32_t reason);
void fake_leave_if_kicked(void);
void fake_bug(void);
bool fake_has(uint64_t gpa, uint8_t bit);
void fake_fault_in(uint64_t gpa);
void fake_touch_shared(uint64_t gpa);
void fake_tdcall(struct td_registers *r);
enum agent_result fake_touch(uint64_t gpa);
void fake_agent(struct fake_vcpu *vcpu);

int fake_run(struct fake_vcpu *vcpu);
int fake_signal_msi(const struct kvm_msi *msi);

#endif
