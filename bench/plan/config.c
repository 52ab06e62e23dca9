/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* asprintf */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/plan/config_impl.h"
#include "bench/result/upgrade.h"

#define NS_PER_MS 1000000ull

/*
 * What a config may leave out.  Two 56-core packages are what the published
 * measurements on Sapphire Rapids were made on; the limits are far above what
 * any scenario needs between two steps of progress.
 */
#define DEFAULT_TOPOLOGY    "pack:2 core:56 pu:2"
#define DEFAULT_COSTS	    "costs/spr.json"	     /* beside the config */
#define REPOSITORY_COSTS    "configs/costs/spr.json" /* from its top */
#define DEFAULT_COLUMN	    "typ"
#define DEFAULT_JITTER	    0.05
#define DEFAULT_LIVELOCK_MS 100
#define DEFAULT_MAX_MS	    600000
#define MAX_LIMIT_MS	    86400000

static const char *const columns[] = {"low", "typ", "high", NULL};

static int parse_schema(void *ctx, json_t *value, const struct at *at)
{
	const char *s;

	(void)ctx;
	if (parse_string(value, &s, at))
		return -1;
	if (strcmp(s, "tdmem-config/1") != 0)
		return at_bad(at, "expected \"tdmem-config/1\", not \"%.40s\"",
			      s);
	return 0;
}

/* It becomes part of a file name. */
static int parse_config_name(void *ctx, json_t *value, const struct at *at)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";
	struct config *c = ctx;

	if (parse_string(value, &c->name, at))
		return -1;
	if (strlen(c->name) > 64 || c->name[0] == '.' || c->name[0] == '-' ||
	    c->name[0] == '\0' || c->name[strspn(c->name, allowed)])
		return at_bad(at, "expected 1 to 64 of a-z A-Z 0-9 - _ . and "
				  "neither - nor . first");
	return 0;
}

static const char *backend_name(const void *ctx, size_t index)
{
	const struct backend *b = ((const struct backend *const *)ctx)[index];

	return b ? b->name : NULL;
}

static int parse_backend(void *ctx, json_t *value, const struct at *at)
{
	struct config *c = ctx;
	const char *name;
	int index;

	if (parse_string(value, &name, at))
		return -1;
	index = parse_name(name, "backend", backend_name, backends, at);
	if (index < 0)
		return -1;
	c->backend = backends[index];
	return 0;
}

static int parse_topology(void *ctx, json_t *value, const struct at *at)
{
	return parse_string(value, &((struct config *)ctx)->topology, at);
}

/* "0,2,4-7", "none": whether there are such CPUs is found out later. */
static int parse_pin(void *ctx, json_t *value, const struct at *at)
{
	return parse_string(value, &((struct config *)ctx)->pin, at);
}

char *config_relative(const char *config_file, const char *path)
{
	const char *slash = strrchr(config_file, '/');
	int folder = slash ? (int)(slash - config_file) + 1 : 0;
	char *full;

	if (path[0] == '/' ||
	    asprintf(&full, "%.*s%s", folder, config_file, path) < 0)
		return strdup(path);
	if (access(full, F_OK) != 0 && access(path, F_OK) == 0) {
		free(full);
		return strdup(path);
	}
	return full;
}

/* The default table, for configs in the repository and for others. */
static char *default_costs(const char *config_file)
{
	char *path = config_relative(config_file, DEFAULT_COSTS);

	if (!path || access(path, F_OK) == 0)
		return path;
	free(path);
	return config_relative(config_file, REPOSITORY_COSTS);
}

static int parse_costs(void *ctx, json_t *value, const struct at *at)
{
	struct config *c = ctx;
	const char *path;

	if (parse_string(value, &path, at))
		return -1;
	c->costs = config_relative(c->file, path);
	return c->costs ? 0 : at_bad(at, "out of memory");
}

static int parse_column(void *ctx, json_t *value, const struct at *at)
{
	struct config *c = ctx;

	if (parse_string(value, &c->column, at))
		return -1;
	return parse_name(c->column, "column", array_name, columns, at) < 0 ? -1
									    : 0;
}

static int parse_jitter(void *ctx, json_t *value, const struct at *at)
{
	return parse_number(value, 0, 0.5, &((struct config *)ctx)->jitter, at);
}

static int parse_clear(void *ctx, json_t *value, const struct at *at)
{
	return parse_bool(value, &((struct config *)ctx)->clear_removed, at);
}

static int parse_memory(void *ctx, json_t *value, const struct at *at)
{
	struct config *c = ctx;
	const char *name;
	int index;

	if (parse_string(value, &name, at))
		return -1;
	if (!c->backend->memories)
		return at_bad(at, "the backend %s has no memory to choose",
			      c->backend->name);
	index = parse_name(name, "memory", c->backend->memories, NULL, at);
	c->memory = index < 0 ? 0 : (uint32_t)index;
	return index < 0 ? -1 : 0;
}

static int parse_host(void *ctx, json_t *value, const struct at *at)
{
	static const struct member members[] = {
		{"topology", false, parse_topology},
		{"pin", false, parse_pin},
		{"costs", false, parse_costs},
		{"column", false, parse_column},
		{"jitter", false, parse_jitter},
		{"clear_removed", false, parse_clear},
		{"memory", false, parse_memory},
		{NULL, false, NULL},
	};

	return parse_object(value, members, ctx, at);
}

static int parse_ms(json_t *value, uint64_t *ns, const struct at *at)
{
	double ms;

	if (parse_number(value, 0, MAX_LIMIT_MS, &ms, at))
		return -1;
	*ns = (uint64_t)(ms * (double)NS_PER_MS);
	return 0;
}

static int parse_livelock(void *ctx, json_t *value, const struct at *at)
{
	return parse_ms(value, &((struct config *)ctx)->livelock_ns, at);
}

static int parse_max(void *ctx, json_t *value, const struct at *at)
{
	return parse_ms(value, &((struct config *)ctx)->max_ns, at);
}

static int parse_limits(void *ctx, json_t *value, const struct at *at)
{
	static const struct member members[] = {
		{"livelock_ms", false, parse_livelock},
		{"max_ms", false, parse_max},
		{NULL, false, NULL},
	};

	return parse_object(value, members, ctx, at);
}

static int parse_retry_limit(void *ctx, json_t *value, const struct at *at)
{
	int64_t limit;

	if (parse_int(value, 0, UINT32_MAX, &limit, at))
		return -1;
	((struct config *)ctx)->retry_limit = (uint32_t)limit;
	return 0;
}

static int parse_seed(void *ctx, json_t *value, const struct at *at)
{
	int64_t seed;

	if (parse_int(value, 0, INT64_MAX, &seed, at))
		return -1;
	((struct config *)ctx)->seed = (uint64_t)seed;
	return 0;
}

/* In this order: axes are checked against workloads and backend. */
static const struct member document[] = {
	{"schema", true, parse_schema},
	{"name", true, parse_config_name},
	{"backend", false, parse_backend},
	{"workloads", true, parse_workloads},
	{"axes", true, parse_axes},
	{"repeat", false, parse_repeat},
	{"host", false, parse_host},
	{"limits", false, parse_limits},
	{"retry_limit", false, parse_retry_limit},
	{"seed", false, parse_seed},
	{NULL, false, NULL},
};

int config_parse(const char *file, json_t *root, struct config *config,
		 struct err *e)
{
	struct at at = at_root(file, e);

	*config = (struct config){
		.root = root,
		.file = file,
		.backend = backends[0],
		.repeat = default_repeat(),
		.topology = DEFAULT_TOPOLOGY,
		.column = DEFAULT_COLUMN,
		.jitter = DEFAULT_JITTER,
		.clear_removed = true,
		.livelock_ns = DEFAULT_LIVELOCK_MS * NS_PER_MS,
		.max_ns = DEFAULT_MAX_MS * NS_PER_MS,
		.seed = 1,
	};
	if (upgrade_top(&upgrade_configs, root, &at) ||
	    parse_object(root, document, config, &at)) {
		config_free(config);
		return -1;
	}
	if (!config->costs)
		config->costs = default_costs(file);
	if (!config->costs) {
		config_free(config);
		return err_set(e, EXIT_FAILED, "out of memory");
	}
	return 0;
}

int config_load(const char *file, const char *const *set, size_t nset,
		struct config *config, struct err *e)
{
	json_t *root = json_read(file, CONFIG_MAX_BYTES, e);

	memset(config, 0, sizeof(*config));
	if (!root)
		return -1;
	for (size_t i = 0; i < nset; i++) {
		if (apply_set(set[i], root, e)) {
			json_decref(root);
			return -1;
		}
	}
	return config_parse(file, root, config, e);
}

void config_free(struct config *config)
{
	for (size_t i = 0; i < config->nworkloads; i++)
		free(config->workloads[i].value);
	free(config->workloads);
	for (size_t i = 0; i < config->naxes; i++) {
		if (config->axes[i].kind == AXIS_POLICY)
			free(config->axes[i].policy);
		else if (config->axes[i].kind == AXIS_VCPUS)
			free(config->axes[i].vcpus);
	}
	free(config->costs);
	json_decref(config->root);
	memset(config, 0, sizeof(*config));
}
