/* SPDX-License-Identifier: GPL-2.0-only */
/* perf and Intel PCM beside a run: what is asked of them, what they write. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "bench/observe/counters_env.h"
#include "bench/observe/pcm.h"
#include "bench/observe/perf.h"

/* -------------------------------------------------------------------- perf */

static void only_harmless_options_of_perf_are_taken(void **state)
{
	static const char *const bad[][2] = {
		{"", "expected stat or record"},
		{"top", "expected stat or record"},
		{"stat -p", "expected -e or -d"},
		{"stat sleep 5", "expected -e or -d"},
		{"stat -e", "-e needs a value"},
		{"record -o x", "expected -e, -F, -c, -g or --call-graph"},
	};
	struct perf p;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(perf_choose(&p, bad[i][0], &e), -1);
		assert_int_equal(e.status, EXIT_USAGE);
		assert_non_null(strstr(e.text, bad[i][1]));
		perf_free(&p);
	}
	assert_int_equal(perf_choose(&p, "record -g  -F 99", &e), 0);
	assert_int_equal(p.nargv, 5);
	assert_string_equal(p.argv[4], "99");
	assert_true(p.record);
	perf_free(&p);
}

static FILE *file_of(const char *text)
{
	FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	assert_non_null(f);
	return f;
}

static const char *text_of(const json_t *list, size_t i, const char *key)
{
	return json_string_value(json_object_get(json_array_get(list, i), key));
}

static double number_of(const json_t *list, size_t i, const char *key)
{
	return json_number_value(json_object_get(json_array_get(list, i), key));
}

static void perf_stat_is_read(void **state)
{
	FILE *f = file_of("# started on Sat Jan 31 12:00:00 2026\n"
			  "\n"
			  "591.35;msec;task-clock;591351408;100.00;0.3;CPUs\n"
			  "50;;cpu/event=0x3c,umask=0x0/u;591;40.25;84.5;/sec\n"
			  "<not supported>;;cycles;0;100.00;;\n"
			  "<not counted>;;branches;0;0.00;;\n"
			  ";;;;;12.0;of all slots\n"
			  "nan;;odd;1;100.00;;\n"
			  "cut off;;\n");
	json_t *list = perf_stat_events(f);

	(void)state;
	fclose(f);
	assert_int_equal(json_array_size(list), 5);
	assert_string_equal(text_of(list, 0, "event"), "task-clock");
	assert_string_equal(text_of(list, 0, "unit"), "msec");
	assert_true(number_of(list, 0, "value") == 591.35);
	assert_string_equal(text_of(list, 1, "event"),
			    "cpu/event=0x3c,umask=0x0/u");
	assert_true(number_of(list, 1, "running") == 40.25);
	assert_string_equal(text_of(list, 2, "missing"), "not supported");
	assert_string_equal(text_of(list, 3, "missing"), "not counted");
	assert_null(json_object_get(json_array_get(list, 3), "value"));
	assert_string_equal(text_of(list, 4, "missing"), "nan");
	json_decref(list);
}

/* --------------------------------------------------------------------- PCM */

/* Two packages; the second has lost a channel.  Numbers are padded. */
static const char memory_csv[] =
	",,SKT0,SKT0,SKT0,SKT0,SKT1,SKT1,SKT1,SKT1,System,System,System\n"
	"Date,Time,Mem Read (MB/s),Mem Write (MB/s),P. Write (T/s),"
	"Memory (MB/s),Mem Read (MB/s),Mem Write (MB/s),P. Write (T/s),"
	"Memory (MB/s),Read,Write,Memory\n"
	"2026-01-31,12:00:00.123,    9.00,    9.00,         9,    9.00,"
	"    9.00,    9.00,         9,    9.00,      9.00,      9.00,     9.0\n"
	"2026-01-31,12:00:01.456, 1500.50,  700.25,      1234, 2200.75,"
	"        ,  300.00,       N/A,  300.00,   1500.50,   1000.25,  2500.75";

static void memory_bandwidth_of_pcm_memory_is_read(void **state)
{
	struct pcm_memory memory;
	FILE *f = file_of(memory_csv);
	json_t *list = pcm_figures(f, 4, &memory);

	(void)state;
	fclose(f);
	/* All but two that are no numbers, of the last row. */
	assert_int_equal(json_array_size(list), 9);
	assert_string_equal(text_of(list, 0, "of"), "SKT0");
	assert_string_equal(text_of(list, 0, "name"), "Mem Read (MB/s)");
	assert_true(number_of(list, 0, "value") == 1500.5);
	assert_null(text_of(list, 0, "unit"));
	assert_string_equal(text_of(list, 6, "of"), "System");
	assert_string_equal(text_of(list, 6, "unit"), "MB/s");
	assert_true(memory.read == 1500.5e6);
	assert_true(memory.write == 1000.25e6);
	json_decref(list);
}

/* Traffic is in GB over the time; a package's own READ is not the system's. */
static const char package_csv[] =
	"System,System,System,System,System,System,System,"
	"System Pack C-States,System,Socket 0,Socket 0,Socket 0,"
	"Proc Energy (Joules),\n"
	"Date,Time,EXEC,IPC,L3MISS,READ,WRITE,C6res%,Proc Energy (Joules),"
	"READ,WRITE,TEMP,SKT0,\n"
	"2026-01-31,12:00:01.456,0.52,1.10,12.5,8.00,2.00,1.5,310.25,8.50,"
	"2.50,N/A,310.25,\n";

static void figures_of_packages_are_read(void **state)
{
	struct pcm_memory memory;
	FILE *f = file_of(package_csv);
	json_t *list = pcm_figures(f, 4, &memory);

	(void)state;
	fclose(f);
	assert_int_equal(json_array_size(list), 10);
	assert_string_equal(text_of(list, 2, "unit"), "millions");
	assert_string_equal(text_of(list, 6, "name"), "Proc Energy (Joules)");
	assert_true(number_of(list, 6, "value") == 310.25);
	assert_string_equal(text_of(list, 7, "of"), "Socket 0");
	assert_string_equal(text_of(list, 7, "unit"), "GB");
	assert_true(memory.read == 2e9);
	assert_true(memory.write == 0.5e9);
	json_decref(list);
}

static void what_is_no_csv_of_pcm_has_no_figures(void **state)
{
	static const char *const texts[] = {
		"\n", "a,b\n", ",,System\nDate,Time,Read\n",
		",,System\nTime,Date,Read\n1,2,3\n",
		"Date,Time,Read\n2026-01-31,12:00:00.000,3\n"};
	struct pcm_memory memory;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		FILE *f = file_of(texts[i]);
		json_t *list = pcm_figures(f, 1, &memory);

		fclose(f);
		assert_int_equal(json_array_size(list), 0);
		assert_true(isnan(memory.read) && isnan(memory.write));
		json_decref(list);
	}
}

/* --------------------------------------------------------------- processes */

static const struct companion_kind first = {.package = "p", .stdio = true};
static const struct companion_kind last = {
	.package = "p", .stdio = true, .last_line = true};

static void run_shell(struct companion *c, const struct companion_kind *kind,
		      const char *script)
{
	const char *const argv[] = {"sh", "-c", script, NULL};

	companion_init(c, kind);
	companion_start(c, argv);
}

static void a_companion_is_told_and_answers(void **state)
{
	struct companion c;

	(void)state;
	run_shell(&c, &first, "while read x; do echo noise; echo did $x; done");
	/* More than it can hold comes by. */
	for (int i = 0; i < 40; i++) {
		companion_ask(&c, "this\n");
		assert_true(companion_heard(&c, "did this\n", 10000));
	}
	assert_false(companion_heard(&c, "did that\n", 1));
	companion_end(&c, 0);
	assert_string_equal(c.missing, "");
	companion_free(&c);
}

static void a_companion_that_dies_says_why(void **state)
{
	static const char script[] =
		"printf 'Error:\\nno rights\\nmore\\n' >&2; read x; exit 1";
	struct companion c;

	(void)state;
	for (int i = 0; i < 2; i++) {
		run_shell(&c, i ? &last : &first, script);
		companion_ask(&c, "begin\n");
		assert_false(companion_heard(&c, "begin\n", 10000));
		assert_string_equal(c.missing, i ? "it ended early: more"
						 : "it ended early: no rights");
		/* Whoever goes on asking is neither stopped nor kept waiting.
		 */
		companion_ask(&c, "begin\n");
		assert_false(companion_heard(&c, "begin\n", 10000));
		companion_end(&c, SIGINT);
		companion_free(&c);
	}
}

static void a_program_that_is_not_there_is_named(void **state)
{
	const char *const argv[] = {"tdmem-no-such-program", NULL};
	struct companion c;
	struct ability a;

	(void)state;
	companion_init(&c, &first);
	companion_start(&c, argv);
	assert_string_equal(c.missing, "tdmem-no-such-program is not in PATH "
				       "(package p)");
	companion_free(&c);
	ability_of_program("perf", "/nowhere:", &a);
	assert_string_equal(a.why, "perf is not in PATH");
	assert_string_equal(a.cure, "the package linux-perf");
	ability_of_program("sh", "/nowhere:/bin", &a);
	assert_string_equal(a.why, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_harmless_options_of_perf_are_taken),
		cmocka_unit_test(perf_stat_is_read),
		cmocka_unit_test(memory_bandwidth_of_pcm_memory_is_read),
		cmocka_unit_test(figures_of_packages_are_read),
		cmocka_unit_test(what_is_no_csv_of_pcm_has_no_figures),
		cmocka_unit_test(a_companion_is_told_and_answers),
		cmocka_unit_test(a_companion_that_dies_says_why),
		cmocka_unit_test(a_program_that_is_not_there_is_named),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
