/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of events to what the kernel takes, and what can be counted here. */
#include <ctype.h>
#include <errno.h>
#include <perfmon/pfmlib_perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/base/files.h"
#include "bench/observe/counters.h"
#include "bench/observe/counters_impl.h"
#include "bench/result/metrics.h"

#define DEFAULT_LIST                                                           \
	"task-clock,context-switches,cpu-migrations,page-faults,cycles,"       \
	"instructions,cache-misses"

int counter_open(const struct perf_event_attr *attr, int group)
{
	return (int)syscall(SYS_perf_event_open, attr, 0, -1, group,
			    PERF_FLAG_FD_CLOEXEC);
}

int counters_paranoid(void)
{
	FILE *f = fopen("/proc/sys/kernel/perf_event_paranoid", "re");
	int level = -100;

	if (f && fscanf(f, "%d", &level) != 1)
		level = -100;
	if (f)
		fclose(f);
	return level;
}

/* -------------------------------------------------- what is possible here */

static void say_refused(char *why, size_t size)
{
	int level = counters_paranoid();

	/* Who is root has the capability, unless it was taken away. */
	if (level > 1 && geteuid() != 0)
		snprintf(why, size,
			 "refused: perf_event_paranoid is %d; it needs 1 or "
			 "less, or CAP_PERFMON",
			 level);
	else
		snprintf(why, size,
			 "refused by the kernel or by a filter of system calls "
			 "around this program");
}

void counter_why(int error, char *why, size_t size)
{
	switch (error) {
	case ENOENT:
	case ENODEV:
	case EOPNOTSUPP:
		snprintf(why, size,
			 "no PMU that counts it (in a guest: the hypervisor "
			 "gives none)");
		break;
	case EACCES:
	case EPERM:
		say_refused(why, size);
		break;
	case ENOSYS:
		snprintf(why, size, "the kernel has no perf_event_open");
		break;
	case EINVAL:
		snprintf(why, size, "it cannot be counted for a thread");
		break;
	default:
		snprintf(why, size, "%s", strerror(error));
	}
}

/* Switches and migrations happen in the kernel: without it nothing is left. */
static bool only_in_kernel(const struct perf_event_attr *attr)
{
	return attr->type == PERF_TYPE_SOFTWARE &&
	       (attr->config == PERF_COUNT_SW_CONTEXT_SWITCHES ||
		attr->config == PERF_COUNT_SW_CPU_MIGRATIONS);
}

static void try_here(struct counter *c)
{
	int fd = counter_open(c->attr, -1);
	int error = errno;

	if (fd < 0 && (error == EACCES || error == EPERM) &&
	    !c->attr->exclude_kernel && !only_in_kernel(c->attr)) {
		c->attr->exclude_kernel = 1;
		c->attr->exclude_hv = 1;
		fd = counter_open(c->attr, -1);
		error = errno;
		c->user_only = fd >= 0;
	}
	if (fd < 0)
		counter_why(error, c->missing, sizeof(c->missing));
	else
		close(fd);
}

/* ------------------------------------------------------------------ names */

static bool good_name(const char *name)
{
	static const char others[] = "_-:.=";

	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr(others, *p))
			return false;
	return name[0] && strlen(name) <= COUNTER_NAME;
}

static int encode(struct counter *c, struct err *e)
{
	pfm_perf_encode_arg_t arg = {.size = sizeof(arg), .attr = c->attr};
	int status = pfm_get_os_event_encoding(c->name, PFM_PLM0 | PFM_PLM3,
					       PFM_OS_PERF_EVENT, &arg);

	if (status != PFM_SUCCESS)
		return err_set(e, EXIT_USAGE,
			       "--counters: \"%s\": %s (libpfm, on this CPU)",
			       c->name, pfm_strerror(status));
	c->attr->size = sizeof(*c->attr);
	c->attr->read_format = PERF_FORMAT_GROUP |
			       PERF_FORMAT_TOTAL_TIME_ENABLED |
			       PERF_FORMAT_TOTAL_TIME_RUNNING;
	return 0;
}

static int add_name(struct counters *c, const char *name, struct err *e)
{
	struct counter *new = &c->v[c->n];

	if (!good_name(name))
		return err_set(e, EXIT_USAGE,
			       "--counters: \"%.60s\": expected a name of 1 to "
			       "%d of A-Z a-z 0-9 _ - : . =",
			       name, COUNTER_NAME);
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->v[i].name, name) == 0)
			return err_set(e, EXIT_USAGE,
				       "--counters: \"%s\" is there twice",
				       name);
	if (c->n == COUNTERS_MAX)
		return err_set(e, EXIT_USAGE,
			       "--counters: expected at most %d names",
			       COUNTERS_MAX);
	strcpy(new->name, name);
	new->attr = calloc(1, sizeof(*new->attr));
	if (!new->attr)
		return err_set(e, EXIT_FAILED, "out of memory");
	c->n++;
	if (encode(new, e))
		return -1;
	try_here(new);
	/* Only a leader is switched; its group follows. */
	new->attr->disabled = 1;
	return 0;
}

static int add_names(struct counters *c, char *text, struct err *e)
{
	for (char *name = strsep(&text, ","); name; name = strsep(&text, ","))
		if (add_name(c, name, e))
			return -1;
	return 0;
}

int counters_load(const char *list, struct counters *c, struct err *e)
{
	char *text = strdup(strcmp(list, "default") ? list : DEFAULT_LIST);
	int status;

	*c = (struct counters){.list = strdup(list)};
	c->v = calloc(COUNTERS_MAX, sizeof(*c->v));
	if (!text || !c->list || !c->v)
		status = err_set(e, EXIT_FAILED, "out of memory");
	else if (pfm_initialize() != PFM_SUCCESS)
		status = err_set(e, EXIT_UNSUPPORTED,
				 "--counters: libpfm cannot be used here");
	else
		status = add_names(c, text, e);
	free(text);
	if (status)
		counters_free(c);
	else
		files_allow();
	return status;
}

void counters_free(struct counters *c)
{
	for (size_t i = 0; c->v && i < c->n; i++)
		free(c->v[i].attr);
	free(c->v);
	free(c->list);
	*c = (struct counters){.n = 0};
}

/* ---------------------------------------------------------------- results */

bool counters_have(const struct counters *c, const char *metric)
{
	static const char begin[] = "counter.", running[] = ".running";
	const char *name = metric + strlen(begin);

	if (strncmp(metric, begin, strlen(begin)) != 0)
		return false;
	for (size_t i = 0; c && i < c->n; i++) {
		size_t n = strlen(c->v[i].name);

		if (strncmp(name, c->v[i].name, n) == 0 &&
		    (!name[n] || strcmp(name + n, running) == 0))
			return true;
	}
	return false;
}

/* Events that nobody wants; of the others more may be good or bad. */
static enum direction direction_of(const struct counter *c)
{
	if (strstr(c->name, "miss") || strstr(c->name, "MISS") ||
	    strstr(c->name, "fault") || only_in_kernel(c->attr))
		return LOWER_IS_BETTER;
	return NO_DIRECTION;
}

static bool is_clock(const struct perf_event_attr *attr)
{
	return attr->type == PERF_TYPE_SOFTWARE &&
	       (attr->config == PERF_COUNT_SW_TASK_CLOCK ||
		attr->config == PERF_COUNT_SW_CPU_CLOCK);
}

static json_t *table_row(const char *unit, enum direction direction,
			 const char *help)
{
	return json_pack("{sssssbss}", "unit", unit, "direction",
			 direction_name(direction), "histogram", 0, "help",
			 help);
}

int counters_metrics(const struct counters *c, json_t *table)
{
	int bad = 0;

	for (size_t i = 0; i < c->n; i++) {
		const struct counter *v = &c->v[i];
		char name[COUNTER_NAME + 20];

		snprintf(name, sizeof(name), "counter.%s", v->name);
		bad |= json_object_set_new(
			table, name,
			table_row(is_clock(v->attr) ? "ns" : "events",
				  direction_of(v),
				  v->user_only
					  ? "of all strands while measured, in "
					    "user mode only"
					  : "of all strands while measured"));
		strcat(name, ".running");
		bad |= json_object_set_new(
			table, name,
			table_row("%", NO_DIRECTION,
				  "share of the time that it was counted; the "
				  "value is scaled up"));
	}
	return bad;
}

json_t *counters_facts(const struct counters *c)
{
	json_t *facts = json_object();
	int bad = 0;

	for (size_t i = 0; facts && i < c->n; i++) {
		const struct counter *v = &c->v[i];
		json_t *fact = json_object();

		if (v->missing[0])
			bad |= json_object_set_new(fact, "missing",
						   json_string(v->missing));
		if (v->user_only)
			bad |= json_object_set_new(fact, "user_only",
						   json_true());
		bad |= json_object_set_new(facts, v->name, fact);
	}
	if (!bad)
		return facts;
	json_decref(facts);
	return NULL;
}

void counters_warn(const struct counters *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct counter *v = &c->v[i];

		if (v->missing[0])
			fprintf(stderr, "tdmem: counter %s is missing: %s\n",
				v->name, v->missing);
		if (v->user_only)
			fprintf(stderr,
				"tdmem: counter %s counts user mode only: "
				"perf_event_paranoid is %d\n",
				v->name, counters_paranoid());
	}
}
