/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <hwloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "bench/base/args.h"
#include "bench/observe/environment.h"
#include "bench/result/encode.h"

#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

/* False: SOURCE_DATE_EPOCH is set and is no number of seconds. */
static bool seconds_now(time_t *at)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	char *end;
	long long value;

	*at = time(NULL);
	if (!text || !text[0])
		return true;
	errno = 0;
	value = strtoll(text, &end, 10);
	*at = (time_t)value;
	return !errno && !*end && value >= 0;
}

void time_text(char buf[TIME_TEXT])
{
	time_t at;
	struct tm utc;

	buf[0] = '\0';
	if (seconds_now(&at) && gmtime_r(&at, &utc))
		strftime(buf, TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static void add(json_t *env, const char *key, const char *value)
{
	if (value && value[0])
		json_object_set_new(env, key, json_bytes(value));
}

static void add_kernel(json_t *env)
{
	struct utsname u;
	char text[sizeof(u.sysname) + sizeof(u.release) + sizeof(u.version)];

	if (uname(&u))
		return;
	snprintf(text, sizeof(text), "%s %s %s", u.sysname, u.release,
		 u.version);
	add(env, "host", u.nodename);
	add(env, "kernel", text);
	add(env, "machine", u.machine);
}

static void add_cpu_model(json_t *env)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[512], *value;

	while (f && fgets(line, sizeof(line), f)) {
		value = strchr(line, ':');
		if (strncmp(line, "model name", 10) != 0 || !value)
			continue;
		value[strcspn(value, "\n")] = '\0';
		add(env, "cpu", value + 2);
		break;
	}
	if (f)
		fclose(f);
}

static void add_memory(json_t *env)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	if (pages > 0 && size > 0)
		json_object_set_new(env, "memory_bytes",
				    json_integer((json_int_t)pages * size));
	json_object_set_new(env, "cpus",
			    json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
}

/* As hwloc would take it back, without sizes. */
static void add_topology(json_t *env)
{
	hwloc_topology_t t;
	char text[512];

	if (hwloc_topology_init(&t))
		return;
	if (!hwloc_topology_load(t) &&
	    hwloc_topology_export_synthetic(
		    t, text, sizeof(text),
		    HWLOC_TOPOLOGY_EXPORT_SYNTHETIC_FLAG_NO_ATTRS |
			    HWLOC_TOPOLOGY_EXPORT_SYNTHETIC_FLAG_IGNORE_MEMORY) >
		    0)
		add(env, "topology", text);
	hwloc_topology_destroy(t);
}

static void add_command(json_t *env, int argc, char *const *argv)
{
	json_t *list = json_array();

	for (int i = 0; i < argc; i++)
		json_array_append_new(list, json_bytes(argv[i]));
	json_object_set_new(env, "command", list);
}

json_t *environment(int argc, char *const *argv)
{
	json_t *env = json_object();
	char now[TIME_TEXT];

	if (!env)
		return NULL;
	time_text(now);
	add(env, "time", now);
	add_kernel(env);
	add_cpu_model(env);
	add_memory(env);
	add_topology(env);
	add(env, "compiler", COMPILER);
	add_command(env, argc, argv);
	return env;
}

static int add_tag(json_t *tags, const char *text, struct err *e)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "0123456789_.-";
	size_t n = strspn(text, allowed);
	char key[41];

	if (n < 1 || n >= sizeof(key) || text[n] != '=')
		return err_set(e, EXIT_USAGE,
			       "--tag %.80s: expected KEY=VALUE, the key 1 to "
			       "40 of a-z 0-9 _ . -",
			       text);
	memcpy(key, text, n);
	key[n] = '\0';
	if (json_object_get(tags, key))
		return err_set(e, EXIT_USAGE, "--tag %s: is there twice", key);
	if (json_object_set_new(tags, key, json_bytes(text + n + 1)))
		return err_set(e, EXIT_FAILED, "out of memory");
	return 0;
}

json_t *environment_tags(const struct strings *tags, struct err *e)
{
	json_t *object = json_object();

	for (size_t i = 0; i < tags->n; i++) {
		if (add_tag(object, tags->v[i], e)) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}
