/* SPDX-License-Identifier: GPL-2.0-only */
#include <hwloc.h>
#include <stdio.h>

#include "bench/backend.h"
#include "bench/base/args.h"
#include "bench/commands.h"
#include "bench/observe/counters_env.h"
#include "bench/observe/environment.h"
#include "kvm/probe/probe.h"

static void print_text(const json_t *env, const char *label, const char *key)
{
	const char *text = json_string_value(json_object_get(env, key));

	printf("  %-9s %s\n", label, text ? text : "not known");
}

static void print_host(const json_t *env)
{
	double gib = (double)json_integer_value(
			     json_object_get(env, "memory_bytes")) /
		     (double)(1 << 30);

	puts("This host:");
	print_text(env, "name", "host");
	print_text(env, "kernel", "kernel");
	print_text(env, "CPU", "cpu");
	printf("  %-9s %lld online\n", "CPUs",
	       (long long)json_integer_value(json_object_get(env, "cpus")));
	print_text(env, "topology", "topology");
	printf("  %-9s %.1f GiB\n", "memory", gib);
	printf("  %-9s API %#x\n", "hwloc", hwloc_get_api_version());
	print_text(env, "compiler", "compiler");
}

static void print_abilities(const struct backend *b)
{
	enum { MOST = 16 };
	struct ability list[MOST];
	size_t n = b->abilities(list, MOST);

	if (n)
		printf("\nBackend %s:\n", b->name);
	for (size_t i = 0; i < n; i++)
		ability_print(&list[i], stdout);
}

static void print_backends(void)
{
	puts("\nBackends:");
	for (size_t i = 0; backends[i]; i++) {
		char why[256] = "";
		bool can = backends[i]->available(why, sizeof(why));

		printf("  %-9s %s\n", backends[i]->name, backends[i]->summary);
		printf("  %-9s %s%s\n", "",
		       can ? "runs here" : "cannot run: ", why);
	}
	for (size_t i = 0; backends[i]; i++) {
		if (backends[i]->abilities)
			print_abilities(backends[i]);
	}
}

int cmd_env(int argc, char **argv)
{
	const struct option_spec options[] = {{.name = NULL}};
	const struct command_spec spec = {
		.name = "env",
		.operands = "",
		.summary = "Tell about this host, what each backend can do "
			   "here, and why not.",
		.options = options,
	};
	struct operands operands;
	struct err e;
	int status = args_parse(&spec, argc, argv, &operands, &e);
	json_t *env;

	if (status)
		return status < 0 ? fail(&e) : EXIT_DONE;
	env = environment(argc, argv);
	if (!env) {
		err_set(&e, EXIT_FAILED, "out of memory");
		return fail(&e);
	}
	print_host(env);
	print_backends();
	counters_print_env(stdout);
	probe_print_env();
	json_decref(env);
	return EXIT_DONE;
}
