/* SPDX-License-Identifier: GPL-2.0-only */
/* What a host is said to lack for VMs, and what it is said to take. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "kvm/can.h"
#include "kvm/memory.h"

/* "" in why: it can. */
struct expected {
	struct kvm_answers answers;
	const char *why, *cure;
};

static void hold(const struct expected *x, size_t i, bool can,
		 const struct ability *a)
{
	if (can != !x->why[0] || can != !a->why[0])
		fail_msg("row %zu: %s", i, can ? "it can" : a->why);
	if (!can && (!strstr(a->why, x->why) || !strstr(a->cure, x->cure)))
		fail_msg("row %zu: %s; %s", i, a->why, a->cure);
}

static void what_there_is_no_kvm_for(void **state)
{
	static const struct expected rows[] = {
		{{.api = 12}, "", ""},
		{{.error = ENOENT, .cpu = KVM_CPU_VMX},
		 "no /dev/kvm",
		 "modprobe kvm_intel"},
		{{.error = ENODEV, .cpu = KVM_CPU_SVM},
		 "no /dev/kvm",
		 "modprobe kvm_amd"},
		{{.error = ENXIO}, "neither VMX nor SVM", "firmware"},
		{{.error = ENOENT, .hypervisor = true},
		 "neither VMX nor SVM",
		 "kvm_intel.nested=1"},
		{{.error = ENOENT, .cpu = KVM_CPU_SVM, .hypervisor = true},
		 "no /dev/kvm",
		 "modprobe kvm_amd"},
		{{.error = EACCES},
		 "/dev/kvm: Permission denied",
		 "usermod -aG kvm"},
		{{.error = EPERM}, "Operation not permitted", "container"},
		{{.error = EMFILE}, "Too many open files", ""},
		{{.api = 11}, "API version 11, expected 12", "2.6.22"},
	};
	struct ability a;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		hold(&rows[i], i, kvm_can_run(&rows[i].answers, &a), &a);
}

static const struct memory_kind *kind(const char *name)
{
	const struct memory_kind *k = memory_kinds;

	while (strcmp(k->name, name) != 0)
		k++;
	return k;
}

static void hold_all(const char *name, const struct expected *rows, size_t n)
{
	struct ability a;

	for (size_t i = 0; i < n; i++)
		hold(&rows[i], i,
		     kvm_can_have(&rows[i].answers, kind(name), &a), &a);
}

static void what_memory_lacks(void **state)
{
	static const struct expected anonymous[] = {{{.api = 12}, "", ""}};
	static const struct expected mapped[] = {
		{{.guest_memfd = 1, .guest_memfd_flags = 3}, "", ""},
		{{.guest_memfd = 1, .guest_memfd_flags = 7}, "", ""},
		{{.major = 6, .minor = 1},
		 "KVM_CAP_GUEST_MEMFD is 0, needed 0x1 (Linux 6.1)",
		 "Linux 6.18"},
		{{.guest_memfd = 1, .guest_memfd_flags = 1},
		 "KVM_CAP_GUEST_MEMFD_FLAGS is 0x1, needed 0x3",
		 "Linux 6.18"},
	};
	static const struct expected private[] = {
		{{.vm_types = 3, .guest_memfd = 1, .attributes = 8}, "", ""},
		{{.vm_types = 0x21, .guest_memfd = 1, .attributes = 8},
		 "KVM_CAP_VM_TYPES is 0x21, needed 0x2",
		 "KVM_SW_PROTECTED_VM"},
		{{.vm_types = 3, .attributes = 8}, "KVM_CAP_GUEST_MEMFD", ""},
		{{.vm_types = 3, .guest_memfd = 1},
		 "KVM_CAP_MEMORY_ATTRIBUTES is 0, needed 0x8",
		 ""},
	};

	(void)state;
	hold_all("anonymous", anonymous, 1);
	hold_all("guest-memfd", mapped, sizeof(mapped) / sizeof(*mapped));
	hold_all("private", private, sizeof(private) / sizeof(*private));
}

static void one_line_has_both(void **state)
{
	const struct ability a = {.why = "no A", .cure = "B"};
	const struct ability hopeless = {.why = "no A", .cure = ""};
	char line[40];

	(void)state;
	ability_line(&a, line, sizeof(line));
	assert_string_equal(line, "no A; it takes B");
	ability_line(&hopeless, line, sizeof(line));
	assert_string_equal(line, "no A");
}

static void a_path_is_asked(void **state)
{
	struct kvm_answers a;

	(void)state;
	assert_int_equal(kvm_ask(&a, "/dev/null/kvm"), -1);
	assert_int_equal(a.error, ENOTDIR);
	assert_true(a.major >= 2);
}

/* Whatever this host has: there is a reason where, and only where, it can't. */
static void this_host_is_asked(void **state)
{
	struct ability list[16], all;
	struct kvm_answers a;
	int fd = kvm_ask(&a, "/dev/kvm");
	size_t n = kvm_abilities(list, 16);

	(void)state;
	assert_int_equal(fd < 0, a.error != 0);
	if (fd >= 0)
		close(fd);
	if (!kvm_can_run(&a, &all)) {
		assert_int_equal(n, 0);
		return;
	}
	assert_int_equal(n, 5);
	assert_string_equal(list[0].name, "anonymous");
	assert_int_equal(kvm_abilities(list, 2), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_there_is_no_kvm_for),
		cmocka_unit_test(what_memory_lacks),
		cmocka_unit_test(one_line_has_both),
		cmocka_unit_test(a_path_is_asked),
		cmocka_unit_test(this_host_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
