/* SPDX-License-Identifier: GPL-2.0-only */
#include <stddef.h>

#include "bench/trend/print.h"

extern const struct trend_form trend_text, trend_json, trend_mail;

const struct trend_form *const trend_forms[] = {
	&trend_text,
	&trend_json,
	&trend_mail,
	NULL,
};
