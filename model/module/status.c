/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of statuses, operands and calls. */
#include <inttypes.h>
#include <stdio.h>

#include "model/module/module.h"

struct named {
	u64 value;
	const char *name;
};

#define STATUS(name)                                                           \
	{                                                                      \
		name, #name                                                    \
	}
static const struct named statuses[] = {
	STATUS(TDX_SUCCESS),
	STATUS(TDX_NON_RECOVERABLE_VCPU),
	STATUS(TDX_NON_RECOVERABLE_TD),
	STATUS(TDX_INTERRUPTED_RESUMABLE),
	STATUS(TDX_INTERRUPTED_RESTARTABLE),
	STATUS(TDX_OPERAND_INVALID),
	STATUS(TDX_OPERAND_ADDR_RANGE_ERROR),
	STATUS(TDX_OPERAND_BUSY),
	STATUS(TDX_PREVIOUS_TLB_EPOCH_BUSY),
	STATUS(TDX_OPERAND_BUSY_HOST_PRIORITY),
	STATUS(TDX_HOST_PRIORITY_BUSY_TIMEOUT),
	STATUS(TDX_PAGE_METADATA_INCORRECT),
	STATUS(TDX_TD_ASSOCIATED_PAGES_EXIST),
	STATUS(TDX_TD_FATAL),
	STATUS(TDX_TDCS_NOT_ALLOCATED),
	STATUS(TDX_LIFECYCLE_STATE_INCORRECT),
	STATUS(TDX_OP_STATE_INCORRECT),
	STATUS(TDX_NO_VCPUS),
	STATUS(TDX_TDCX_NUM_INCORRECT),
	STATUS(TDX_VCPU_STATE_INCORRECT),
	STATUS(TDX_VCPU_ASSOCIATED),
	STATUS(TDX_VCPU_NOT_ASSOCIATED),
	STATUS(TDX_KEY_GENERATION_FAILED),
	STATUS(TDX_TD_KEYS_NOT_CONFIGURED),
	STATUS(TDX_KEY_CONFIGURED),
	STATUS(TDX_WBCACHE_NOT_COMPLETE),
	STATUS(TDX_HKID_NOT_FREE),
	STATUS(TDX_NO_HKID_READY_TO_WBCACHE),
	STATUS(TDX_WBCACHE_RESUME_ERROR),
	STATUS(TDX_FLUSHVP_NOT_DONE),
	STATUS(TDX_EPT_WALK_FAILED),
	STATUS(TDX_EPT_ENTRY_NOT_PRESENT),
	STATUS(TDX_GPA_RANGE_NOT_BLOCKED),
	STATUS(TDX_GPA_RANGE_ALREADY_BLOCKED),
	STATUS(TDX_TLB_TRACKING_NOT_DONE),
	STATUS(TDX_EPT_INVALID_PROMOTE_CONDITIONS),
	STATUS(TDX_PAGE_ALREADY_ACCEPTED),
	STATUS(TDX_PAGE_SIZE_MISMATCH),
	STATUS(TDX_EPT_ENTRY_STATE_INCORRECT),
	STATUS(TDX_EPT_PAGE_NOT_FREE),
};

static const struct named operands[] = {
	{OPERAND_RAX, "RAX"},
	{OPERAND_RCX, "RCX"},
	{OPERAND_RDX, "RDX"},
	{OPERAND_RBX, "RBX"},
	{OPERAND_R8, "R8"},
	{OPERAND_R9, "R9"},
	{OPERAND_R10, "R10"},
	{OPERAND_R11, "R11"},
	{OPERAND_TDR, "TDR"},
	{OPERAND_TDCX, "TDCX"},
	{OPERAND_TDVPR, "TDVPR"},
	{OPERAND_TDCS, "TDCS"},
	{OPERAND_SEPT_TREE, "SEPT_TREE"},
	{OPERAND_TD_EPOCH, "TD_EPOCH"},
	{OPERAND_OP_STATE, "OP_STATE"},
	{OPERAND_KOT, "KOT"},
	{OPERAND_KET, "KET"},
	{OPERAND_WBCACHE, "WBCACHE"},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *find(const struct named *table, size_t count, u64 value)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (table[i].value == value)
			return table[i].name;
	return NULL;
}

const char *tdx_operand_name(u32 operand)
{
	return find(operands, COUNT(operands), operand);
}

/* ACCEPT puts the level, not an operand, in the low half of these. */
static bool has_level(tdx_status status)
{
	return (status & TDX_STATUS_MASK) == TDX_PAGE_ALREADY_ACCEPTED ||
	       (status & TDX_STATUS_MASK) == TDX_PAGE_SIZE_MISMATCH;
}

const char *tdx_status_print(tdx_status status, char *buf, size_t size)
{
	u32 low = (u32)status;
	const char *name =
		find(statuses, COUNT(statuses), status & TDX_STATUS_MASK);
	const char *operand = tdx_operand_name(low);

	if (!name)
		snprintf(buf, size, "0x%016" PRIx64, status);
	else if (has_level(status))
		snprintf(buf, size, "%s | level %u (0x%016" PRIx64 ")", name,
			 low, status);
	else if (!low)
		snprintf(buf, size, "%s (0x%016" PRIx64 ")", name, status);
	else if (status <= UINT32_MAX)
		snprintf(buf, size, "%s | exit reason %u (0x%016" PRIx64 ")",
			 name, low, status);
	else if (operand)
		snprintf(buf, size, "%s | %s (0x%016" PRIx64 ")", name, operand,
			 status);
	else
		snprintf(buf, size, "%s | 0x%x (0x%016" PRIx64 ")", name, low,
			 status);
	return buf;
}

static const char *const call_names[NR_TDX_CALLS] = {
	[TDH_VP_ENTER] = "TDH.VP.ENTER",
	[TDH_MNG_ADDCX] = "TDH.MNG.ADDCX",
	[TDH_MEM_PAGE_ADD] = "TDH.MEM.PAGE.ADD",
	[TDH_MEM_SEPT_ADD] = "TDH.MEM.SEPT.ADD",
	[TDH_VP_ADDCX] = "TDH.VP.ADDCX",
	[TDH_MEM_PAGE_RELOCATE] = "TDH.MEM.PAGE.RELOCATE",
	[TDH_MEM_PAGE_AUG] = "TDH.MEM.PAGE.AUG",
	[TDH_MEM_RANGE_BLOCK] = "TDH.MEM.RANGE.BLOCK",
	[TDH_MNG_KEY_CONFIG] = "TDH.MNG.KEY.CONFIG",
	[TDH_MNG_CREATE] = "TDH.MNG.CREATE",
	[TDH_VP_CREATE] = "TDH.VP.CREATE",
	[TDH_MNG_RD] = "TDH.MNG.RD",
	[TDH_MEM_PAGE_DEMOTE] = "TDH.MEM.PAGE.DEMOTE",
	[TDH_MR_EXTEND] = "TDH.MR.EXTEND",
	[TDH_MR_FINALIZE] = "TDH.MR.FINALIZE",
	[TDH_VP_FLUSH] = "TDH.VP.FLUSH",
	[TDH_MNG_VPFLUSHDONE] = "TDH.MNG.VPFLUSHDONE",
	[TDH_MNG_KEY_FREEID] = "TDH.MNG.KEY.FREEID",
	[TDH_MNG_INIT] = "TDH.MNG.INIT",
	[TDH_VP_INIT] = "TDH.VP.INIT",
	[TDH_MEM_PAGE_PROMOTE] = "TDH.MEM.PAGE.PROMOTE",
	[TDH_PHYMEM_PAGE_RDMD] = "TDH.PHYMEM.PAGE.RDMD",
	[TDH_MEM_SEPT_RD] = "TDH.MEM.SEPT.RD",
	[TDH_VP_RD] = "TDH.VP.RD",
	[TDH_PHYMEM_PAGE_RECLAIM] = "TDH.PHYMEM.PAGE.RECLAIM",
	[TDH_MEM_PAGE_REMOVE] = "TDH.MEM.PAGE.REMOVE",
	[TDH_MEM_SEPT_REMOVE] = "TDH.MEM.SEPT.REMOVE",
	[TDH_MEM_TRACK] = "TDH.MEM.TRACK",
	[TDH_MEM_RANGE_UNBLOCK] = "TDH.MEM.RANGE.UNBLOCK",
	[TDH_PHYMEM_CACHE_WB] = "TDH.PHYMEM.CACHE.WB",
	[TDH_PHYMEM_PAGE_WBINVD] = "TDH.PHYMEM.PAGE.WBINVD",
	[TDH_VP_WR] = "TDH.VP.WR",
	[TDG_MEM_PAGE_ACCEPT] = "TDG.MEM.PAGE.ACCEPT",
	[TDG_MEM_PAGE_ATTR_RD] = "TDG.MEM.PAGE.ATTR.RD",
	[TDG_MEM_PAGE_ATTR_WR] = "TDG.MEM.PAGE.ATTR.WR",
};

const char *tdx_call_name(enum tdx_call call)
{
	return (unsigned)call < NR_TDX_CALLS ? call_names[call] : "?";
}
