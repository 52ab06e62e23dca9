/* SPDX-License-Identifier: GPL-2.0-only */
/* What a host is said to lack for TDs, read from copies of its /sys, /proc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kvm/td_can.h"

#define TDX_TYPES 0x21 /* KVM_CAP_VM_TYPES with bit 5 */

static void what_stands_in_the_way(void **state)
{
	static const struct {
		struct kvm_answers answers;
		struct td_host host;
		const char *why, *cure; /* NULL: nothing does */
	} rows[] = {
		{{.major = 6, .minor = 12, .vm_types = TDX_TYPES},
		 {false, 0, false},
		 NULL,
		 NULL},
		{{.major = 6, .minor = 15, .vm_types = 1},
		 {true, 0, true},
		 "older than 6.16 (Linux 6.15)",
		 "Linux 6.16 or newer"},
		{{.major = 5, .minor = 19},
		 {true, 0, true},
		 "KVM_CAP_VM_TYPES is 0, needed bit 5",
		 "Linux 6.16"},
		{{.major = 6, .minor = 16, .vm_types = 3},
		 {false, 0, true},
		 "KVM_CAP_VM_TYPES is 0x3, needed bit 5 for TDs: no module "
		 "kvm_intel",
		 "modprobe kvm_intel tdx=1"},
		{{.major = 7, .vm_types = 1},
		 {true, 0, true},
		 "no parameter tdx",
		 "INTEL_TDX_HOST"},
		{{.major = 7, .vm_types = 1},
		 {true, 'N', false},
		 "no tdx_host_platform",
		 "firmware"},
		{{.major = 7, .vm_types = 1},
		 {true, 'N', true},
		 "kvm_intel.tdx=N",
		 "sudo modprobe -r kvm_intel && sudo modprobe kvm_intel "
		 "tdx=1"},
		{{.major = 7, .vm_types = 1},
		 {true, 'Y', true},
		 "did not start",
		 "dmesg"},
	};
	struct ability a;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool can = td_host_can(&rows[i].host, &rows[i].answers, &a);

		if (can != !rows[i].why || can != !a.why[0])
			fail_msg("row %zu: %s", i, a.why);
		if (!can && (!strstr(a.why, rows[i].why) ||
			     !strstr(a.cure, rows[i].cure)))
			fail_msg("row %zu: %s; %s", i, a.why, a.cure);
	}
}

static void put(const char *root, const char *file, const char *text)
{
	char command[512];

	snprintf(command, sizeof(command),
		 "f=%s%s; mkdir -p ${f%%/*} && printf '%s' >$f", root, file,
		 text);
	assert_int_equal(system(command), 0);
}

#define MODULE "/sys/module/kvm_intel"

static void where_it_is_read(void **state)
{
	char root[] = "/tmp/test_td_can.XXXXXX", command[64];
	struct td_host host;

	(void)state;
	assert_non_null(mkdtemp(root));
	td_host_read(&host, root);
	assert_false(host.kvm_intel || host.parameter || host.platform);
	put(root, "/proc/cpuinfo", "flags: fpu not_tdx_host_platform\\n");
	put(root, MODULE "/refcnt", "0\\n");
	td_host_read(&host, root);
	assert_true(host.kvm_intel);
	assert_false(host.parameter || host.platform);
	put(root, MODULE "/parameters/tdx", "N\\n");
	put(root, "/proc/cpuinfo", "flags: fpu tdx_host_platform vmx\\n");
	td_host_read(&host, root);
	assert_int_equal(host.parameter, 'N');
	assert_true(host.platform);
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_stands_in_the_way),
		cmocka_unit_test(where_it_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
