/* SPDX-License-Identifier: GPL-2.0-only */
/* A claim's file: tdmem-claim/1. */
#include <stdio.h>
#include <string.h>

#include "bench/base/names.h"
#include "bench/explore/explore.h"
#include "bench/plan/config_impl.h"

enum { MAX_FILE = 1 << 20 };

/* --------------------------------------------------------- what is claimed */

static const struct {
	const char *name;
	tdx_status status;
} statuses[] = {
	{"TDX_OPERAND_BUSY", TDX_OPERAND_BUSY},
	{"TDX_PREVIOUS_TLB_EPOCH_BUSY", TDX_PREVIOUS_TLB_EPOCH_BUSY},
	{"TDX_OPERAND_BUSY_HOST_PRIORITY", TDX_OPERAND_BUSY_HOST_PRIORITY},
	{"TDX_TLB_TRACKING_NOT_DONE", TDX_TLB_TRACKING_NOT_DONE},
	{"TDX_GPA_RANGE_NOT_BLOCKED", TDX_GPA_RANGE_NOT_BLOCKED},
	{"TDX_EPT_WALK_FAILED", TDX_EPT_WALK_FAILED},
	{"TDX_EPT_ENTRY_STATE_INCORRECT", TDX_EPT_ENTRY_STATE_INCORRECT},
	{"TDX_PAGE_METADATA_INCORRECT", TDX_PAGE_METADATA_INCORRECT},
	{"TDX_PAGE_SIZE_MISMATCH", TDX_PAGE_SIZE_MISMATCH},
	{"TDX_PAGE_ALREADY_ACCEPTED", TDX_PAGE_ALREADY_ACCEPTED},
	{"TDX_VCPU_ASSOCIATED", TDX_VCPU_ASSOCIATED},
};

static const char *status_name(const void *ctx, size_t index)
{
	(void)ctx;
	return index < sizeof(statuses) / sizeof(*statuses)
		       ? statuses[index].name
		       : NULL;
}

static const char *check_name_at(const void *ctx, size_t index)
{
	(void)ctx;
	return claim_checks[index].name;
}

static const char *call_name_at(const void *ctx, size_t index)
{
	(void)ctx;
	return index < NR_TDX_CALLS ? tdx_call_name((enum tdx_call)index)
				    : NULL;
}

static int add_limit(struct claim *claim, const struct claim_limit *limit,
		     const struct at *at)
{
	if (claim->limits == CLAIM_LIMITS)
		return at_bad(at, "more than %d of these", CLAIM_LIMITS);
	claim->limit[claim->limits++] = *limit;
	return 0;
}

/* CALL=N */
static int add_max_tries(struct claim *claim, const char *text,
			 const struct at *at)
{
	char name[64];
	unsigned tries;
	char rest;
	int call;

	if (sscanf(text, "%63[^=]=%u%c", name, &tries, &rest) != 2 || !tries ||
	    tries > 1000000)
		return at_bad(at, "expected \"max-tries:CALL=N\", N from 1");
	call = parse_name(name, "call", call_name_at, NULL, at);
	if (call < 0)
		return -1;
	return add_limit(claim,
			 &(struct claim_limit){
				 .call = tdx_call_name((enum tdx_call)call),
				 .tries = tries},
			 at);
}

/* STATUS or CALL=STATUS */
static int add_never(struct claim *claim, const char *text, const struct at *at)
{
	const char *equal = strchr(text, '=');
	struct claim_limit limit = {0};
	char name[64];
	int index;

	if (equal) {
		snprintf(name, sizeof(name), "%.*s", (int)(equal - text), text);
		index = parse_name(name, "call", call_name_at, NULL, at);
		if (index < 0)
			return -1;
		limit.call = tdx_call_name((enum tdx_call)index);
	}
	index = parse_name(equal ? equal + 1 : text, "status", status_name,
			   NULL, at);
	if (index < 0)
		return -1;
	limit.status = statuses[index].status;
	return add_limit(claim, &limit, at);
}

int claim_add_check(struct claim *claim, const char *text, const struct at *at)
{
	int index;

	if (!strncmp(text, "max-tries:", 10))
		return add_max_tries(claim, text + 10, at);
	if (!strncmp(text, "never:", 6))
		return add_never(claim, text + 6, at);
	index = parse_name(text, "claim", check_name_at, NULL, at);
	if (index < 0)
		return -1;
	claim->checks |= claim_checks[index].bit;
	return 0;
}

static int parse_claims(void *ctx, json_t *value, const struct at *at)
{
	if (!json_is_array(value) || !json_array_size(value))
		return at_bad(at, "expected a list of claims");
	for (size_t i = 0; i < json_array_size(value); i++) {
		struct at here = at_index(at, i);
		const char *text;

		if (parse_string(json_array_get(value, i), &text, &here) ||
		    claim_add_check(ctx, text, &here))
			return -1;
	}
	return 0;
}

/* ------------------------------------------------------------- operations */

static int parse_ops(struct claim_ops *ops, bool by_vcpu, json_t *value,
		     const struct at *at)
{
	size_t n = json_array_size(value);

	if (!json_is_array(value) || n > CLAIM_OPS)
		return at_bad(at, "expected a list of at most %d operations",
			      CLAIM_OPS);
	for (ops->n = 0; ops->n < n; ops->n++) {
		struct at here = at_index(at, ops->n);
		const char *text;

		if (parse_string(json_array_get(value, ops->n), &text, &here) ||
		    claim_parse_op(text, by_vcpu, &ops->op[ops->n], &here))
			return -1;
	}
	return 0;
}

static int parse_vcpu(void *ctx, json_t *value, const struct at *at)
{
	struct claim_strand *strand = ctx;
	int64_t vcpu;

	if (parse_int(value, 0, CLAIM_STRANDS - 1, &vcpu, at))
		return -1;
	strand->is_vcpu = true;
	strand->vcpu = (u32)vcpu;
	return 0;
}

static int parse_strand_name(void *ctx, json_t *value, const struct at *at)
{
	struct claim_strand *strand = ctx;
	const char *name;

	if (parse_string(value, &name, at))
		return -1;
	for (const char *p = name; *p; p++)
		if (*p < ' ' || *p > '~')
			return at_bad(at, "expected printable ASCII");
	if (!*name || strlen(name) > 16)
		return at_bad(at, "expected 1 to 16 characters");
	strcpy(strand->name, name);
	return 0;
}

static int parse_strand_setup(void *ctx, json_t *value, const struct at *at)
{
	struct claim_strand *strand = ctx;

	return parse_ops(&strand->setup, strand->is_vcpu, value, at);
}

static int parse_strand_do(void *ctx, json_t *value, const struct at *at)
{
	struct claim_strand *strand = ctx;

	if (parse_ops(&strand->body, strand->is_vcpu, value, at))
		return -1;
	for (u32 i = 0; i < strand->body.n; i++) {
		struct at here = at_index(at, i);

		if (strand->body.op[i].kind->who & IN_SETUP)
			return at_bad(&here, "only in \"setup\"");
	}
	return 0;
}

static int parse_strands(void *ctx, json_t *value, const struct at *at)
{
	static const struct member members[] = {
		{"vcpu", false, parse_vcpu},
		{"name", false, parse_strand_name},
		{"setup", false, parse_strand_setup},
		{"do", true, parse_strand_do},
		{NULL, false, NULL},
	};
	struct claim *claim = ctx;
	size_t n = json_array_size(value);

	if (!json_is_array(value) || n < 1 || n > CLAIM_STRANDS)
		return at_bad(at, "expected a list of 1 to %d strands",
			      CLAIM_STRANDS);
	for (claim->strands = 0; claim->strands < n; claim->strands++) {
		struct claim_strand *s = &claim->strand[claim->strands];
		struct at here = at_index(at, claim->strands);

		if (parse_object(json_array_get(value, claim->strands), members,
				 s, &here))
			return -1;
		if (!s->name[0] && s->is_vcpu)
			snprintf(s->name, sizeof(s->name), "vCPU %u", s->vcpu);
		if (!s->name[0])
			snprintf(s->name, sizeof(s->name), "host %u",
				 claim->strands);
		for (u32 i = 0; s->is_vcpu && i < claim->strands; i++)
			if (claim->strand[i].is_vcpu &&
			    claim->strand[i].vcpu == s->vcpu)
				return at_bad(&here, "this vCPU has a strand "
						     "already");
		if (s->is_vcpu && s->vcpu >= claim->vcpus)
			claim->vcpus = s->vcpu + 1;
	}
	return 0;
}

static int parse_setup(void *ctx, json_t *value, const struct at *at)
{
	struct claim *claim = ctx;

	return parse_ops(&claim->setup, false, value, at);
}

/* ----------------------------------------------------------------- others */

static int parse_schema(void *ctx, json_t *value, const struct at *at)
{
	const char *schema;

	(void)ctx;
	if (parse_string(value, &schema, at))
		return -1;
	return strcmp(schema, "tdmem-claim/1") != 0
		       ? at_bad(at, "expected \"tdmem-claim/1\"")
		       : 0;
}

static int parse_text(json_t *value, char *to, size_t size, const struct at *at)
{
	const char *text;

	if (parse_string(value, &text, at))
		return -1;
	if (strlen(text) >= size)
		return at_bad(at, "longer than %zu bytes", size - 1);
	strcpy(to, text);
	return 0;
}

static int parse_claim_name(void *ctx, json_t *value, const struct at *at)
{
	struct claim *claim = ctx;

	return parse_text(value, claim->name, sizeof(claim->name), at);
}

static int parse_what(void *ctx, json_t *value, const struct at *at)
{
	struct claim *claim = ctx;

	return parse_text(value, claim->what, sizeof(claim->what), at);
}

static int parse_claim_policy(void *ctx, json_t *value, const struct at *at)
{
	struct claim *claim = ctx;
	struct policy_choice choice;

	if (parse_policy(value, &choice, at))
		return -1;
	claim->policy = choice.policy;
	snprintf(claim->policy_name, sizeof(claim->policy_name), "%s",
		 choice.label);
	return 0;
}

static int parse_pages(void *ctx, json_t *value, const struct at *at)
{
	struct claim *claim = ctx;
	int64_t pages;

	if (parse_int(value, 1, CLAIM_PAGES, &pages, at))
		return -1;
	claim->pages = (u64)pages;
	return 0;
}

static int parse_huge(void *ctx, json_t *value, const struct at *at)
{
	return parse_bool(value, &((struct claim *)ctx)->huge, at);
}

static int parse_ve_disable(void *ctx, json_t *value, const struct at *at)
{
	return parse_bool(value, &((struct claim *)ctx)->ve_disable, at);
}

static int parse_expect(void *ctx, json_t *value, const struct at *at)
{
	struct claim *claim = ctx;
	const char *text;

	if (parse_string(value, &text, at))
		return -1;
	claim->expect_broken = !strcmp(text, "broken");
	if (claim->expect_broken || !strcmp(text, "holds"))
		return 0;
	return at_bad(at, "expected \"holds\" or \"broken\"");
}

static int parse_futile(void *ctx, json_t *value, const struct at *at)
{
	struct claim *claim = ctx;
	int64_t futile;

	if (parse_int(value, 0, 10000, &futile, at))
		return -1;
	claim->futile = (u32)futile;
	return 0;
}

static int parse_count(json_t *value, u64 *to, const struct at *at)
{
	int64_t count;

	if (parse_int(value, 1, INT64_MAX, &count, at))
		return -1;
	*to = (u64)count;
	return 0;
}

static int parse_executions(void *ctx, json_t *value, const struct at *at)
{
	return parse_count(value, &((struct explore_bounds *)ctx)->executions,
			   at);
}

static int parse_steps(void *ctx, json_t *value, const struct at *at)
{
	return parse_count(value, &((struct explore_bounds *)ctx)->steps, at);
}

static int parse_preemptions(void *ctx, json_t *value, const struct at *at)
{
	struct explore_bounds *bounds = ctx;

	return parse_int(value, 0, 1000, &bounds->preemptions, at);
}

static int parse_seconds(void *ctx, json_t *value, const struct at *at)
{
	struct explore_bounds *bounds = ctx;

	return parse_number(value, 0.001, 1e6, &bounds->seconds, at);
}

static int parse_bounds(void *ctx, json_t *value, const struct at *at)
{
	static const struct member members[] = {
		{"executions", false, parse_executions},
		{"steps", false, parse_steps},
		{"preemptions", false, parse_preemptions},
		{"seconds", false, parse_seconds},
		{NULL, false, NULL},
	};
	struct claim *claim = ctx;

	return parse_object(value, members, &claim->bounds, at);
}

int claim_read(const char *path, struct claim *claim, struct err *e)
{
	static const struct member members[] = {
		{"schema", true, parse_schema},
		{"name", true, parse_claim_name},
		{"what", false, parse_what},
		{"policy", true, parse_claim_policy},
		{"pages", true, parse_pages},
		{"huge", false, parse_huge},
		{"ve_disable", false, parse_ve_disable},
		{"setup", false, parse_setup},
		{"strands", true, parse_strands},
		{"claims", true, parse_claims},
		{"expect", true, parse_expect},
		{"futile", false, parse_futile},
		{"bounds", false, parse_bounds},
		{NULL, false, NULL},
	};
	json_t *root = json_read(path, MAX_FILE, e);
	struct at at = at_root(path, e);
	int ret;

	*claim = (struct claim){
		.vcpus = 1,
		.futile = 1,
		/* Enough for any file that is shipped, and an end to others. */
		.bounds = {.steps = 20000, .preemptions = -1, .seconds = 60},
	};
	if (!root)
		return -1;
	ret = parse_object(root, members, claim, &at);
	json_decref(root);
	return ret;
}
