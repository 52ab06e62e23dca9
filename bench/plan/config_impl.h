/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of the config reader only. */
#ifndef TDMEM_BENCH_PLAN_CONFIG_IMPL_H
#define TDMEM_BENCH_PLAN_CONFIG_IMPL_H

#include "bench/base/json.h"
#include "bench/base/names.h"
#include "bench/plan/config.h"

/* Members of the document: struct config is the context. */
int parse_workloads(void *ctx, json_t *value, const struct at *at);
int parse_axes(void *ctx, json_t *value, const struct at *at);
int parse_repeat(void *ctx, json_t *value, const struct at *at);

/** The rule of a config that has none. */
struct repeat_rule default_repeat(void);

/** A knob's value, checked against its table. */
int parse_knob(const struct knob *knob, json_t *value, int64_t *out,
	       const struct at *at);

/** Index of a knob of a workload; -1 if it has none of that name. */
int workload_knob(const struct workload *workload, const char *name);

/** A policy: a name, or an object with the two halves. */
int parse_policy(json_t *value, struct policy_choice *out, const struct at *at);

/** Apply one "path=value" to the document. */
int apply_set(const char *set, json_t *root, struct err *e);

/** Path of a file that a config names: see config_load(). */
char *config_relative(const char *config_file, const char *path);

#endif
