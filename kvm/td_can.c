/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kvm/td_can.h"
#include "kvm/uapi_tdx.h"

#define MODULE "/sys/module/kvm_intel"

/* Linux 6.16 is the first whose KVM runs TDs. */
enum { FIRST_MAJOR = 6, FIRST_MINOR = 16 };

/* ------------------------------------------------------------ finding out */

static void path_of(char path[256], const char *root, const char *file)
{
	snprintf(path, 256, "%s%s", root, file);
}

static char read_char(const char *root, const char *file)
{
	char path[256];
	FILE *f;
	int c;

	path_of(path, root, file);
	f = fopen(path, "re");
	if (!f)
		return 0;
	c = fgetc(f);
	fclose(f);
	return c == EOF ? 0 : (char)c;
}

static bool has_word(const char *root, const char *file, const char *word)
{
	char path[256], text[128];
	bool found = false;
	FILE *f;

	path_of(path, root, file);
	f = fopen(path, "re");
	while (f && !found && fscanf(f, "%127s", text) == 1)
		found = strcmp(text, word) == 0;
	if (f)
		fclose(f);
	return found;
}

void td_host_read(struct td_host *host, const char *root)
{
	char path[256];

	path_of(path, root, MODULE);
	*host = (struct td_host){
		.kvm_intel = access(path, F_OK) == 0,
		.parameter = read_char(root, MODULE "/parameters/tdx"),
		.platform =
			has_word(root, "/proc/cpuinfo", "tdx_host_platform"),
	};
}

/* ---------------------------------------------------------------- judging */

static bool too_old(const struct kvm_answers *a)
{
	return a->major < FIRST_MAJOR ||
	       (a->major == FIRST_MAJOR && a->minor < FIRST_MINOR);
}

enum obstacle { OLD, NOT_INTEL, NOT_BUILT, NO_PLATFORM, OFF, NOT_STARTED };

static enum obstacle first_obstacle(const struct td_host *h,
				    const struct kvm_answers *a)
{
	if (too_old(a))
		return OLD;
	if (!h->kvm_intel)
		return NOT_INTEL;
	if (!h->parameter)
		return NOT_BUILT;
	if (!h->platform)
		return NO_PLATFORM;
	return h->parameter == 'Y' || h->parameter == '1' ? NOT_STARTED : OFF;
}

bool td_host_can(const struct td_host *host, const struct kvm_answers *a,
		 struct ability *ability)
{
	static const struct {
		const char *why, *cure;
	} says[] = {
		[OLD] = {"this Linux is older than 6.16",
			 "Linux 6.16 or newer, built with "
			 "CONFIG_KVM_INTEL_TDX"},
		[NOT_INTEL] = {"no module kvm_intel",
			       "an Intel CPU with TDX, and there sudo modprobe "
			       "kvm_intel tdx=1"},
		[NOT_BUILT] = {"kvm_intel has no parameter tdx",
			       "a kernel built after scripts/config -e "
			       "INTEL_TDX_HOST -e KVM_INTEL_TDX"},
		[NO_PLATFORM] = {"no tdx_host_platform in /proc/cpuinfo",
				 "a CPU with TDX, and TDX and TME-MT switched "
				 "on in the firmware"},
		[OFF] = {"kvm_intel.tdx=N",
			 "sudo modprobe -r kvm_intel && sudo modprobe "
			 "kvm_intel tdx=1; if it stays N: sudo dmesg | grep "
			 "-i tdx"},
		[NOT_STARTED] = {"the TDX module did not start",
				 "what sudo dmesg | grep -i tdx asks for"},
	};
	enum obstacle at = first_obstacle(host, a);

	*ability = (struct ability){.what = "TDs", .cure = ""};
	if (a->vm_types >> KVM_X86_TDX_VM & 1)
		return true;
	snprintf(ability->why, sizeof(ability->why),
		 "KVM_CAP_VM_TYPES is %#x, needed bit %d for TDs: %s (Linux "
		 "%u.%u)",
		 a->vm_types, KVM_X86_TDX_VM, says[at].why, a->major, a->minor);
	ability->cure = says[at].cure;
	return false;
}
