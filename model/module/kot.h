/* SPDX-License-Identifier: GPL-2.0-only */
/* The key ownership table: who has which HKID, and what is still cached. */
#ifndef TDMEM_MODULE_KOT_H
#define TDMEM_MODULE_KOT_H

#include "model/module/td.h"

/** Every package has to write this HKID's lines back; KOT exclusive. */
void kot_flush_everywhere(const struct call *c, u32 hkid);
/** This package has; KOT shared. */
void kot_package_flushed(const struct call *c, u32 hkid, u32 package);
/** Has every package?  KOT exclusive. */
bool kot_is_flushed(const struct call *c, u32 hkid);

#endif
