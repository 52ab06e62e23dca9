/* SPDX-License-Identifier: GPL-2.0-only */
#include <stddef.h>

#include "bench/compare/print.h"

/* clang-format off */
#define FORMS(X) \
	X(compare_form_text) \
	X(compare_form_mail) \
	X(compare_form_lkp) \
	X(compare_form_mmtests) \
	X(compare_form_markdown) \
	X(compare_form_json)
/* clang-format on */

#define DECLARE(form) extern const struct compare_form form;
FORMS(DECLARE)

#define LIST(form) &form,
const struct compare_form *const compare_forms[] = {FORMS(LIST) NULL};
