/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* cpu_set_t */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/observe/noise.h"
#include "bench/result/encode.h"

#define CPUS "/sys/devices/system/cpu/"

/* Above these something is said: the first two in %, interrupts of a CPU. */
static const double steal_limit = 1, busy_limit = 5, interrupt_limit = 2000;

static FILE *open_file(const struct noise_cpus *c, const char *path)
{
	char whole[512];

	snprintf(whole, sizeof(whole), "%s%s", c->root ? c->root : "", path);
	return fopen(whole, "re");
}

/* The first line of a file; false: there is none. */
static bool read_line(const struct noise_cpus *c, const char *path, char *buf,
		      size_t size)
{
	FILE *f = open_file(c, path);
	bool good = f && fgets(buf, (int)size, f);

	if (f)
		fclose(f);
	if (good)
		buf[strcspn(buf, "\n")] = '\0';
	return good;
}

static bool is_chosen(const struct noise_cpus *c, uint64_t cpu)
{
	if (!c->os_cpu)
		return true;
	for (uint32_t i = 0; i < c->n; i++)
		if (c->os_cpu[i] == cpu)
			return true;
	return false;
}

/* ------------------------------------------------------------------ ticks */

/* user nice system idle iowait irq softirq steal; guest is in user. */
enum { IDLE = 3, IOWAIT = 4, STEAL = 7, STAT_FIELDS = 8 };

static void add_ticks(const char *fields, struct noise_ticks *ticks)
{
	uint64_t v[STAT_FIELDS] = {0};
	char *end;

	for (int i = 0; i < STAT_FIELDS; i++, fields = end) {
		v[i] = strtoull(fields, &end, 10);
		ticks->all += v[i];
		if (i != IDLE && i != IOWAIT && i != STEAL)
			ticks->busy += v[i];
	}
	ticks->steal += v[STEAL];
	ticks->cpus++;
}

bool noise_ticks(const struct noise_cpus *c, struct noise_ticks *ticks)
{
	FILE *f = open_file(c, "/proc/stat");
	char line[512], *end;

	*ticks = (struct noise_ticks){.cpus = 0};
	while (f && fgets(line, sizeof(line), f)) {
		uint64_t cpu;

		if (strncmp(line, "cpu", 3) != 0 ||
		    !isdigit((unsigned char)line[3]))
			continue;
		cpu = strtoull(line + 3, &end, 10);
		if (is_chosen(c, cpu))
			add_ticks(end, ticks);
	}
	if (f)
		fclose(f);
	return ticks->cpus > 0;
}

double noise_steal_ns(const struct noise_ticks *from,
		      const struct noise_ticks *to)
{
	double hz = (double)sysconf(_SC_CLK_TCK);

	if (!to->cpus || to->steal < from->steal || hz <= 0)
		return 0;
	return (double)(to->steal - from->steal) / hz * 1e9 / to->cpus;
}

/*
 * Interrupts of these CPUs so far.  The first line says which CPU a column is
 * of; a line without a number in each column is of the whole machine.
 */
static bool count_interrupts(const struct noise_cpus *c, uint64_t *sum)
{
	FILE *f = open_file(c, "/proc/interrupts");
	char *line = NULL, *p, *end;
	size_t room = 0, n = 0;
	uint64_t cpu[1024];

	*sum = 0;
	if (f && getline(&line, &room, f) > 0)
		for (p = line; n < 1024 && (p = strstr(p, "CPU")); p = end)
			cpu[n++] = strtoull(p + 3, &end, 10);
	while (f && getline(&line, &room, f) > 0) {
		uint64_t of_line = 0;
		size_t i;

		p = strchr(line, ':');
		for (i = 0; p && i < n; i++, p = end) {
			uint64_t v = strtoull(p + (*p == ':'), &end, 10);

			if (end == p + (*p == ':'))
				break;
			if (is_chosen(c, cpu[i]))
				of_line += v;
		}
		if (i == n)
			*sum += of_line;
	}
	free(line);
	if (f)
		fclose(f);
	return n > 0;
}

/* --------------------------------------------------------------- the look */

struct look {
	const struct noise_cpus *cpus;
	json_t *noise, *warnings;
	int bad;
};

static void put(struct look *l, const char *key, json_t *value)
{
	l->bad |= json_object_set_new(l->noise, key, value);
}

__attribute__((format(printf, 2, 3))) static void
warn_of(struct look *l, const char *format, ...)
{
	char text[160];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	l->bad |= json_array_append_new(l->warnings, json_bytes(text));
}

/* Of the first of them: they are set alike, or the host is a riddle. */
static void look_at_governor(struct look *l)
{
	uint32_t first = l->cpus->os_cpu ? l->cpus->os_cpu[0] : 0;
	char path[96], text[64];

	snprintf(path, sizeof(path),
		 CPUS "cpu%" PRIu32 "/cpufreq/scaling_governor", first);
	if (!read_line(l->cpus, path, text, sizeof(text)))
		return;
	put(l, "governor", json_bytes(text));
	if (strcmp(text, "performance") != 0)
		warn_of(l,
			"the frequency governor is \"%s\": the clock follows "
			"the load; \"performance\" is steadier",
			text);
}

static void look_at_turbo(struct look *l)
{
	static const struct {
		const char *path;
		char on;
	} files[] = {{CPUS "intel_pstate/no_turbo", '0'},
		     {CPUS "cpufreq/boost", '1'}};
	char text[16];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		if (!read_line(l->cpus, files[i].path, text, sizeof(text)))
			continue;
		put(l, "turbo", json_boolean(text[0] == files[i].on));
		if (text[0] == files[i].on)
			warn_of(l, "turbo is on: the clock depends on heat and "
				   "on other cores");
		return;
	}
}

int noise_binding(void)
{
	/* 8192 CPUs, the most that a kernel of today is built for. */
	cpu_set_t mine[8];

	if (sched_getaffinity(0, sizeof(mine), mine) ||
	    sched_setaffinity(0, sizeof(mine), mine))
		return errno;
	return 0;
}

static void look_at_binding(struct look *l)
{
	int error = l->cpus->os_cpu ? noise_binding() : 0;

	if (error)
		warn_of(l,
			"threads cannot be bound to CPUs (%s): they run "
			"wherever the kernel puts them",
			strerror(error));
}

static void look_at_host(struct look *l)
{
	char text[256];

	look_at_binding(l);

	look_at_governor(l);
	look_at_turbo(l);
	if (read_line(l->cpus, CPUS "smt/active", text, sizeof(text))) {
		put(l, "smt", json_boolean(text[0] == '1'));
		if (text[0] == '1')
			warn_of(l, "SMT is on: siblings share a core");
	}
	if (read_line(l->cpus, CPUS "isolated", text, sizeof(text)))
		put(l, "isolated", json_bytes(text));
	if (read_line(l->cpus, "/proc/loadavg", text, sizeof(text)))
		put(l, "load", json_real(strtod(text, NULL)));
}

static double look_at_ticks(struct look *l, const char *key, uint64_t part,
			    uint64_t all)
{
	double percent = all ? (double)part / (double)all * 100 : 0;

	if (all)
		put(l, key, json_real(percent));
	return percent;
}

static void look_at_time(struct look *l, const struct noise_ticks *a,
			 const struct noise_ticks *b)
{
	uint64_t all = b->all - a->all;
	double steal =
		look_at_ticks(l, "steal_percent", b->steal - a->steal, all);
	double busy = look_at_ticks(l, "busy_percent", b->busy - a->busy, all);

	if (steal > steal_limit)
		warn_of(l, "the hypervisor took %.0f %% of the CPUs' time",
			steal);
	if (busy > busy_limit)
		warn_of(l, "the CPUs were %.0f %% busy before the run", busy);
}

static void look_at_interrupts(struct look *l, uint64_t n, double seconds,
			       uint32_t cpus)
{
	double rate = (double)n / seconds / (cpus ? cpus : 1);

	put(l, "interrupts_per_s", json_real(rate));
	if (rate > interrupt_limit)
		warn_of(l, "%.0f interrupts a second on each of the CPUs",
			rate);
}

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What changes while it is looked at. */
static void look_for_a_while(struct look *l, unsigned look_ms)
{
	const struct timespec pause = {look_ms / 1000,
				       look_ms % 1000 * 1000000L};
	struct noise_ticks before, after;
	uint64_t irqs, more;
	bool ticks = noise_ticks(l->cpus, &before);
	bool interrupts = count_interrupts(l->cpus, &irqs);
	double begin = seconds_now();

	nanosleep(&pause, NULL);
	if (ticks && noise_ticks(l->cpus, &after))
		look_at_time(l, &before, &after);
	if (interrupts && count_interrupts(l->cpus, &more))
		look_at_interrupts(l, more - irqs, seconds_now() - begin,
				   ticks ? before.cpus : l->cpus->n);
}

json_t *noise_look(const struct noise_cpus *cpus, unsigned look_ms)
{
	struct look l = {
		.cpus = cpus, .noise = json_object(), .warnings = json_array()};

	if (!l.noise || !l.warnings) {
		json_decref(l.noise);
		json_decref(l.warnings);
		return NULL;
	}
	look_at_host(&l);
	look_for_a_while(&l, look_ms);
	put(&l, "warnings", l.warnings);
	if (!l.bad)
		return l.noise;
	json_decref(l.noise);
	return NULL;
}

void noise_warn(const json_t *noise)
{
	const json_t *warnings = json_object_get(noise, "warnings");

	for (size_t i = 0; i < json_array_size(warnings); i++)
		fprintf(stderr, "tdmem: noise: %s\n",
			json_string_value(json_array_get(warnings, i)));
}
