/* SPDX-License-Identifier: GPL-2.0-only */
/* Configs made from text, for the tests of what is done with them. */
#ifndef TDMEM_TESTS_CONFIG_KIT_H
#define TDMEM_TESTS_CONFIG_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bench/plan/config.h"

/* A good config with these members more; single quotes stand for double. */
static inline json_t *kit_document(const char *more)
{
	char text[4096];
	json_error_t error;
	json_t *root;

	snprintf(text, sizeof(text),
		 "{'schema': 'tdmem-config/1', 'name': 't'%s%s}",
		 more[0] ? ", " : "", more);
	for (char *p = text; *p; p++)
		if (*p == '\'')
			*p = '"';
	root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		fail_msg("%s: %s", text, error.text);
	return root;
}

static inline void kit_config(const char *more, struct config *config)
{
	struct err e = {.text = ""};

	if (config_parse("t.json", kit_document(more), config, &e))
		fail_msg("%s", e.text);
}

/* The config is refused with exactly this. */
static inline void kit_refused(const char *more, const char *text)
{
	struct config config;
	struct err e = {.text = ""};

	assert_int_equal(
		config_parse("t.json", kit_document(more), &config, &e), -1);
	assert_string_equal(e.text, text);
	assert_int_equal(e.status, EXIT_USAGE);
	assert_null(config.root);
}

#endif
