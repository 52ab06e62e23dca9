/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* asprintf */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/base/json.h"
#include "bench/run/cell.h"
#include "bench/run/remote.h"
#include "bench/run/sides.h"

/* --------------------------------------------------------------- one side */

static int load_topology(struct side *s, struct err *e)
{
	bool real = s->config.backend->real_cpus;
	struct at root = at_root(s->config.file, e);
	struct at host = at_key(&root, "host");
	struct at here = at_key(&host, real ? "pin" : "topology");
	struct err why;
	int status;

	if (real)
		status = topology_load_cpus(s->config.pin, &s->topology,
					    &s->os_cpu, &why);
	else
		status = topology_load(s->config.topology, &s->topology, &why);
	return status ? at_bad(&here, "%s", why.text) : 0;
}

static int load_costs(struct side *s, struct err *e)
{
	struct at root = at_root(s->config.file, e);
	struct at host = at_key(&root, "host");
	struct at here = at_key(&host, "costs");

	if (access(s->config.costs, R_OK) != 0)
		return at_bad(&here, "%.120s: cannot be opened: %s",
			      s->config.costs, strerror(errno));
	return costs_load(s->config.costs, s->config.column, &s->costs, e);
}

static int load_side(struct side *s, const char *file, struct err *e)
{
	if (config_load(file, s->set.v, s->set.n, &s->config, e) ||
	    load_topology(s, e) || load_costs(s, e))
		return -1;
	return check_scenarios(&s->config, e);
}

/* What is set on both sides, then what is on one of them. */
static int join_sets(struct side *s, const struct strings *both,
		     const struct strings *one, struct err *e)
{
	size_t n = both->n + one->n;

	s->set.v = calloc(n + 1, sizeof(*s->set.v));
	if (!s->set.v)
		return err_set(e, EXIT_FAILED, "out of memory");
	for (size_t i = 0; i < n; i++)
		s->set.v[i] = i < both->n ? both->v[i] : one->v[i - both->n];
	s->set.n = n;
	return 0;
}

/* One run has one repeat rule: the base takes that of the other side. */
static int set_repeat(struct side *base, const struct config *rules,
		      struct err *e)
{
	json_t *repeat = json_object_get(rules->root, "repeat");
	char *text = repeat ? json_dumps(repeat, JSON_COMPACT) : NULL;

	if (asprintf(&base->repeat_set, "repeat=%s", text ? text : "{}") < 0) {
		base->repeat_set = NULL;
		free(text);
		return err_set(e, EXIT_FAILED, "out of memory");
	}
	free(text);
	base->set.v[base->set.n++] = base->repeat_set;
	return 0;
}

static void free_side(struct side *s)
{
	topology_free(&s->topology);
	free(s->os_cpu);
	costs_free(&s->costs);
	config_free(&s->config);
	free(s->set.v);
	free(s->repeat_set);
}

/* ----------------------------------------------------------------- the base */

/* A config is an object of JSON, whatever its mode; a program is not. */
static bool is_program(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), c = ' ';
	struct stat st;
	bool regular;
	FILE *f;

	if (fd < 0)
		return access(path, X_OK) == 0;
	regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	f = fdopen(fd, "r");
	if (!f) {
		close(fd);
		return false;
	}
	while (regular && isspace(c))
		c = fgetc(f);
	fclose(f);
	return regular && c != '{' && access(path, X_OK) == 0;
}

/* So that a run does not go on with another program of the same name. */
static void take_fingerprint(struct side *s)
{
	struct stat st;

	if (stat(s->binary, &st) == 0)
		snprintf(s->fingerprint, sizeof(s->fingerprint),
			 "%lld bytes, %lld.%09ld", (long long)st.st_size,
			 (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

static int load_base(struct side *base, const struct sides_request *r,
		     const struct config *rules, struct err *e)
{
	const char *file = r->baseline;

	if (join_sets(base, &r->set, &r->set_baseline, e) ||
	    set_repeat(base, rules, e))
		return -1;
	if (is_program(r->baseline)) {
		base->binary = r->baseline;
		file = r->config;
		take_fingerprint(base);
		if (remote_version(base->binary, base->version,
				   sizeof(base->version), e))
			return -1;
	}
	return load_side(base, file, e);
}

int sides_load(const struct sides_request *r, struct sides *sides,
	       struct err *e)
{
	struct side *new;
	int status;

	*sides = (struct sides){.n = r->baseline ? 2 : 1};
	new = &sides->side[sides->n - 1];
	status = join_sets(new, &r->set, &r->set_new, e) ||
		 load_side(new, r->config, e);
	if (status == 0 && r->baseline) {
		struct side *base = &sides->side[0];

		status = load_base(base, r, &new->config, e) ||
			 sides_alike(base, new, e);
		base->config.side = "base";
		new->config.side = "new";
	}
	if (status)
		sides_free(sides);
	return status ? -1 : 0;
}

void sides_free(struct sides *sides)
{
	for (size_t i = 0; i < sides->n; i++)
		free_side(&sides->side[i]);
	*sides = (struct sides){0};
}

const struct side *sides_cell(const struct sides *sides, size_t index,
			      struct cell *cell)
{
	const struct side *side = &sides->side[index % sides->n];

	plan_cell(&side->config, index / sides->n, cell);
	return side;
}
