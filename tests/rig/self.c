/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Says what the rig gives: self LAST-WORD.  Its exit status is the API version
 * of KVM, of which there is one, 12; 1 when no VM can be made.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0ul);

	printf("[%s]\n", argc > 1 ? argv[argc - 1] : "");
	if (vm < 0) {
		perror("/dev/kvm");
		return 1;
	}
	return ioctl(kvm, KVM_GET_API_VERSION, 0ul);
}
