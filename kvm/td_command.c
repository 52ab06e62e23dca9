/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "kvm/td_command.h"
#include "model/module/module.h" /* the names of statuses */

int td_command(int fd, struct kvm_tdx_cmd *cmd)
{
	cmd->hw_error = 0; /* KVM takes nothing else */
	return ioctl(fd, KVM_MEMORY_ENCRYPT_OP, cmd);
}

int td_failed(const struct kvm_tdx_cmd *cmd, struct err *e)
{
	static const char *const names[] = {
		[KVM_TDX_CAPABILITIES] = "KVM_TDX_CAPABILITIES",
		[KVM_TDX_INIT_VM] = "KVM_TDX_INIT_VM",
		[KVM_TDX_INIT_VCPU] = "KVM_TDX_INIT_VCPU",
		[KVM_TDX_INIT_MEM_REGION] = "KVM_TDX_INIT_MEM_REGION",
		[KVM_TDX_FINALIZE_VM] = "KVM_TDX_FINALIZE_VM",
		[KVM_TDX_GET_CPUID] = "KVM_TDX_GET_CPUID",
	};
	const char *error = strerror(errno);
	char status[128];

	if (!cmd->hw_error)
		return err_set(e, EXIT_FAILED, "tdx: %s: %s", names[cmd->id],
			       error);
	tdx_status_print(cmd->hw_error, status, sizeof(status));
	return err_set(e, EXIT_FAILED, "tdx: %s: %s, the SEAMCALL gave %s",
		       names[cmd->id], error, status);
}
