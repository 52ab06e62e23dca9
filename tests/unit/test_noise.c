/* SPDX-License-Identifier: GPL-2.0-only */
/* Noise: files of a host as the kernel documents them, and what is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "bench/observe/noise.h"

struct host {
	char root[64];
};

static void put_file(const struct host *h, const char *path, const char *text)
{
	char whole[256];
	FILE *f;

	snprintf(whole, sizeof(whole), "%s%s", h->root, path);
	for (char *p = whole + strlen(h->root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(whole, 0700);
		*p = '/';
	}
	f = fopen(whole, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int make_host(void **state)
{
	static struct host host;

	strcpy(host.root, "/tmp/test_noise.XXXXXX");
	*state = &host;
	return mkdtemp(host.root) ? 0 : -1;
}

static int remove_host(void **state)
{
	const struct host *h = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", h->root);
	return system(command);
}

static const char stat_text[] = "cpu  700 0 0 0 0 0 0 70 0 0\n"
				"cpu0 10 1 2 500 7 3 4 20 6 0\n"
				"cpu1 600 0 0 0 0 0 0 0 0 0\n"
				"cpu10 90 0 0 0 0 0 0 50 0 0\n"
				"intr 1 2 3\n";

static void ticks_are_of_the_chosen_cpus(void **state)
{
	const struct host *h = *state;
	const uint32_t chosen[] = {10, 0};
	struct noise_cpus c = {chosen, 2, h->root};
	struct noise_ticks ticks, later;

	assert_false(noise_ticks(&c, &ticks));
	put_file(h, "/proc/stat", stat_text);
	assert_true(noise_ticks(&c, &ticks));
	assert_int_equal(ticks.cpus, 2);
	assert_int_equal(ticks.steal, 70);
	assert_int_equal(ticks.busy, 10 + 1 + 2 + 3 + 4 + 90);
	assert_int_equal(ticks.all, 547 + 140);
	later = ticks;
	later.steal += 6;
	assert_true(noise_steal_ns(&ticks, &later) ==
		    3e9 / (double)sysconf(_SC_CLK_TCK));
	c.os_cpu = NULL;
	assert_true(noise_ticks(&c, &ticks));
	assert_int_equal(ticks.cpus, 3);
}

static const char *warning(const json_t *noise, size_t i)
{
	const char *text = json_string_value(
		json_array_get(json_object_get(noise, "warnings"), i));

	return text ? text : "";
}

static void what_is_not_there_is_absent(void **state)
{
	const struct host *h = *state;
	const struct noise_cpus c = {NULL, 1, h->root};
	json_t *noise = noise_look(&c, 1);

	assert_int_equal(json_object_size(noise), 1);
	assert_string_equal(warning(noise, 0), "");
	json_decref(noise);
}

static void a_noisy_host_is_warned_of(void **state)
{
	const struct host *h = *state;
	const uint32_t chosen[] = {3};
	const struct noise_cpus c = {chosen, 1, h->root};
	json_t *noise;

	put_file(h, "/sys/devices/system/cpu/cpu3/cpufreq/scaling_governor",
		 "powersave\n");
	put_file(h, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
		 "performance\n");
	put_file(h, "/sys/devices/system/cpu/intel_pstate/no_turbo", "0\n");
	put_file(h, "/sys/devices/system/cpu/smt/active", "1\n");
	put_file(h, "/sys/devices/system/cpu/isolated", "3-5\n");
	put_file(h, "/proc/loadavg", "1.50 1.25 1.00 1/100 42\n");
	put_file(h, "/proc/interrupts",
		 "           CPU0       CPU3\n"
		 "  1:          7          9   IO-APIC   1-edge  i8042\n"
		 "LOC:        100        200   Local timer interrupts\n"
		 "ERR:          0\n");
	noise = noise_look(&c, 1);
	assert_string_equal(
		json_string_value(json_object_get(noise, "governor")),
		"powersave");
	assert_true(json_is_true(json_object_get(noise, "turbo")));
	assert_true(json_is_true(json_object_get(noise, "smt")));
	assert_string_equal(
		json_string_value(json_object_get(noise, "isolated")), "3-5");
	assert_true(json_number_value(json_object_get(noise, "load")) == 1.5);
	assert_true(json_is_number(json_object_get(noise, "interrupts_per_s")));
	assert_non_null(strstr(warning(noise, 0), "powersave"));
	assert_non_null(strstr(warning(noise, 1), "turbo"));
	assert_non_null(strstr(warning(noise, 2), "SMT"));
	assert_string_equal(warning(noise, 3), "");
	json_decref(noise);
}

/* One repeat of 1 s on one strand. */
static void add(struct noise_sums *sums, double steal_ms, double preempted)
{
	json_t *m =
		json_pack("{sfsfsfsf}", "run.steal", steal_ms * 1e6, "run.time",
			  1e9, "run.preempted", preempted, "run.measured", 1e9);

	noise_add(sums, m);
	json_decref(m);
}

static size_t notes_of(const struct noise_sums *sums, bool oversubscribed,
		       const char *what)
{
	json_t *notes = json_array();
	size_t n;

	assert_int_equal(noise_notes(sums, oversubscribed, notes), 0);
	n = json_array_size(notes);
	if (n)
		assert_non_null(strstr(
			json_string_value(json_array_get(notes, 0)), what));
	json_decref(notes);
	return n;
}

static void cells_out_of_line_are_marked(void **state)
{
	struct noise_sums quiet = {.run_ns = 0}, steal = quiet, cpu = quiet;
	struct noise_sums steps = quiet;
	json_t *step = json_pack("{sfsf}", "run.steal", 1e7, "run.time", 1e6);
	json_t *scaled = json_pack("{sf}", "counter.cycles.running", 40.0);

	(void)state;
	assert_int_equal(notes_of(&quiet, false, ""), 0);
	add(&quiet, 10, 3);
	assert_int_equal(notes_of(&quiet, false, ""), 0);
	/* In runs of 1 ms one step is ten times all the time. */
	for (int i = 0; i < 4; i++)
		noise_add(&steps, step);
	assert_int_equal(notes_of(&steps, false, ""), 0);
	add(&steal, 20, 0);
	add(&steal, 10, 0);
	assert_int_equal(notes_of(&steal, false, "took 1.5 %"), 1);
	add(&cpu, 0, 50);
	assert_int_equal(notes_of(&cpu, false, "preempted 50 times"), 1);
	assert_int_equal(notes_of(&cpu, true, ""), 0);
	noise_add(&quiet, scaled);
	assert_int_equal(notes_of(&quiet, false, "40 %"), 1);
	json_decref(scaled);
	json_decref(step);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ticks_are_of_the_chosen_cpus,
						make_host, remove_host),
		cmocka_unit_test_setup_teardown(what_is_not_there_is_absent,
						make_host, remove_host),
		cmocka_unit_test_setup_teardown(a_noisy_host_is_warned_of,
						make_host, remove_host),
		cmocka_unit_test(cells_out_of_line_are_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
