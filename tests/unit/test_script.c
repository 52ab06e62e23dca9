/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Module scripts: the recorded ones hold line by line, a wrong expectation is
 * found where it is, and whatever is not a script is turned down.
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <jansson.h>

#include "bench/script/script.h"

#define TDMR                                                                   \
	"{\"op\":\"tdmr\",\"base\":\"0x100000000\","                           \
	"\"size\":\"0x100000000\"}\n"
#define TD                                                                     \
	"{\"op\":\"td\",\"td\":0,\"vcpus\":1,\"gpaw\":48,"                     \
	"\"state\":\"runnable\"}\n"
#define TRACK(expect)                                                          \
	"{\"op\":\"call\",\"name\":\"TDH.MEM.TRACK\",\"td\":0,"                \
	"\"expect\":{\"status\":\"" expect "\"}}\n"

struct outcome {
	struct script_result result;
	struct err err;
	int ret;
	char *out, *diag;
};

static struct outcome run_text(const char *text, size_t len, bool keep_going)
{
	struct outcome o = {.ret = 0};
	size_t out_size, diag_size;
	FILE *in = fmemopen((char *)(uintptr_t)text, len, "r");
	FILE *out = open_memstream(&o.out, &out_size);
	FILE *diag = open_memstream(&o.diag, &diag_size);
	const struct script_options options = {
		.name = "x.jsonl",
		.out = out,
		.diag = diag,
		.keep_going = keep_going,
	};

	assert_non_null(in);
	assert_non_null(out);
	assert_non_null(diag);
	o.ret = script_run(in, &options, &o.result, &o.err);
	fclose(in);
	fclose(out);
	fclose(diag);
	return o;
}

static void outcome_free(struct outcome *o)
{
	free(o->out);
	free(o->diag);
}

/* ------------------------------------------------------- recorded scripts */

static const char *const recorded[] = {
	"a1_lifecycle_4k",   "a2_lifecycle_2m",	 "a4_unblock",
	"b6_vcpu_lifecycle", "c3_host_priority", "d1_epochs",
	"e1_threshold",	     "e6_two_vcpus",	 "f1_pamt",
	"g00_random",	     "g01_random",	 "g02_random",
	"g03_random",	     "h_race_mapped4k",
};

static void replay(const char *path, size_t *mismatches)
{
	struct script_options options = {.name = path, .keep_going = true};
	struct script_result result;
	FILE *in = fopen(path, "r");
	struct err e;
	int ret;

	assert_non_null(in);
	options.diag = stderr;
	ret = script_run(in, &options, &result, &e);
	fclose(in);
	if (ret)
		print_message("%s\n", e.text);
	print_message("%-36s %6zu lines %6zu answers %4zu mismatches\n", path,
		      result.lines, result.expectations, result.mismatches);
	*mismatches += result.mismatches + (ret ? 1 : 0);
	assert_true(result.lines > 0);
}

static void test_recorded(void **state)
{
	size_t mismatches = 0, i;
	char path[80];

	(void)state;
	for (i = 0; i < sizeof(recorded) / sizeof(*recorded); i++) {
		snprintf(path, sizeof(path), "tests/module/%s.jsonl",
			 recorded[i]);
		replay(path, &mismatches);
	}
	assert_int_equal(mismatches, 0);
}

static void test_own(void **state)
{
	size_t mismatches = 0, i;
	glob_t found;

	(void)state;
	assert_int_equal(glob("tests/module/own_*.jsonl", 0, NULL, &found), 0);
	for (i = 0; i < found.gl_pathc; i++)
		replay(found.gl_pathv[i], &mismatches);
	globfree(&found);
	assert_int_equal(mismatches, 0);
}

/* ------------------------------------------------------------ mismatches */

static void test_mismatch(void **state)
{
	static const char text[] = TDMR TD TRACK("0x0")
		TRACK("0x8000020100000000") TRACK("0x1") TRACK("0x0");
	struct outcome o = run_text(text, sizeof(text) - 1, false);

	(void)state;
	assert_int_equal(o.ret, 0);
	assert_int_equal(o.result.mismatches, 1);
	assert_int_equal(o.result.first_mismatch, 4);
	assert_int_equal(o.result.lines, 4);
	assert_non_null(strstr(o.diag, "x.jsonl:4: $.status: expected "
				       "\"0x8000020100000000\" "
				       "(TDX_PREVIOUS_TLB_EPOCH_BUSY), got "
				       "\"0x0\" (TDX_SUCCESS)"));
	outcome_free(&o);
	o = run_text(text, sizeof(text) - 1, true);
	assert_int_equal(o.result.mismatches, 2);
	assert_int_equal(o.result.first_mismatch, 4);
	assert_int_equal(o.result.lines, 6);
	assert_non_null(strstr(o.diag, "x.jsonl:5: "));
	outcome_free(&o);
}

/* A member that the answer lacks, a value of another kind, a list. */
static void test_mismatch_kinds(void **state)
{
	static const char *const expect[] = {
		"{\"rcx\":\"0x0\"}",	    "{\"epoch\":1}",
		"{\"refcount\":[0]}",	    "{\"refcount\":[0,1]}",
		"{\"refcount\":{\"a\":0}}",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(expect) / sizeof(*expect); i++) {
		char text[512];
		struct outcome o;
		int n;

		n = snprintf(text, sizeof(text),
			     TDMR TD "{\"op\":\"show\",\"what\":\"epoch\","
				     "\"td\":0,\"expect\":%s}\n",
			     expect[i]);
		o = run_text(text, (size_t)n, false);
		assert_int_equal(o.ret, 0);
		assert_int_equal(o.result.first_mismatch, 3);
		outcome_free(&o);
	}
}

/* Hex strings are equal by value, however they are written. */
static void test_equal(void **state)
{
	static const char text[] = TDMR TD
		"{\"op\":\"show\",\"what\":\"epoch\",\"td\":0,\"expect\":"
		"{\"epoch\":\"0x0000000000000001\",\"refcount\":[0,0],"
		"\"raw_lock\":\"0x0\"}}\n"
		"\n"
		"{\"op\":\"show\",\"what\":\"kot\"}";
	struct outcome o = run_text(text, sizeof(text) - 1, false);

	(void)state;
	assert_int_equal(o.ret, 0);
	assert_int_equal(o.result.mismatches, 0);
	assert_int_equal(o.result.lines, 4);
	assert_int_equal(o.result.expectations, 3);
	outcome_free(&o);
}

/* --------------------------------------------------------------- answers */

/* Each line of the output is JSON and says which line it answers. */
static void test_output(void **state)
{
	static const char text[] = TDMR TD
		"{\"op\":\"lock\",\"what\":\"sept-tree\",\"td\":0,"
		"\"mode\":\"exclusive\"}\n"
		"{\"op\":\"call\",\"name\":\"TDH.MEM.RANGE.BLOCK\",\"td\":0,"
		"\"gpa\":\"0x0\",\"level\":3}\n";
	struct outcome o = run_text(text, sizeof(text) - 1, false);
	char *line, *save = NULL;
	json_t *json = NULL;
	json_int_t n = 0;

	(void)state;
	for (line = strtok_r(o.out, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		json_decref(json);
		json = json_loads(line, 0, NULL);
		assert_non_null(json);
		assert_int_equal(
			json_integer_value(json_object_get(json, "line")), ++n);
	}
	assert_int_equal(n, 4);
	assert_string_equal(json_string_value(json_object_get(json, "status")),
			    "0x8000020000000092");
	assert_string_equal(json_string_value(json_object_get(json, "text")),
			    "TDX_OPERAND_BUSY | SEPT_TREE");
	json_decref(json);
	outcome_free(&o);
}

#define TREE                                                                   \
	"{\"op\":\"call\",\"name\":\"TDH.MEM.SEPT.ADD\",\"td\":0,"             \
	"\"gpa\":\"0x0\",\"level\":3,\"hpa\":\"0x150000000\"}\n"               \
	"{\"op\":\"call\",\"name\":\"TDH.MEM.SEPT.ADD\",\"td\":0,"             \
	"\"gpa\":\"0x0\",\"level\":2,\"hpa\":\"0x150001000\"}\n"               \
	"{\"op\":\"call\",\"name\":\"TDH.MEM.SEPT.ADD\",\"td\":0,"             \
	"\"gpa\":\"0x0\",\"level\":1,\"hpa\":\"0x150002000\"}\n"
#define ON_GPA "\"td\":0,\"gpa\":\"0x0\",\"level\":0"
#define INITIALIZED                                                            \
	"{\"op\":\"td\",\"td\":0,\"vcpus\":1,\"gpaw\":48,"                     \
	"\"state\":\"initialized\"}\n"

/*
 * Between AUG's store of the entry and its store of the PAMT type a REMOVE of
 * the same page meets a page without a type.  That is one point of the call,
 * right before it counts the page (facts 14, 1).
 */
static void test_halt(void **state)
{
	int at, halts = 0, ran = 0;

	(void)state;
	for (at = 0; at < 20; at++) {
		char text[2048];
		struct outcome o;
		int n;

		n = snprintf(
			text, sizeof(text),
			TDMR INITIALIZED TREE
			"{\"op\":\"race\",\"at\":%d,\"outer\":{\"op\":\"call\","
			"\"name\":\"TDH.MEM.PAGE.AUG\"," ON_GPA
			",\"hpa\":\"0x150010000\"},\"inner\":{\"op\":\"call\","
			"\"name\":\"TDH.MEM.PAGE.REMOVE\"," ON_GPA "}}\n"
			"{\"op\":\"reset\"}\n" TDMR TD,
			at);
		o = run_text(text, (size_t)n, false);
		if (o.ret)
			print_message("%s\n", o.err.text);
		assert_int_equal(o.ret, 0);
		assert_int_equal(o.result.lines, 9);
		ran += !!strstr(o.out, "\"ran\": true");
		if (strstr(o.out, "\"halt\": \"0x0003:10\"")) {
			assert_non_null(
				strstr(o.out, "\"xadd64 tdr.chldcnt\""));
			halts++;
		}
		assert_null(strstr(o.out, "\"halt\": \"?\""));
		outcome_free(&o);
	}
	assert_int_equal(halts, 1);
	assert_true(ran > 15);
}

/* -------------------------------------------------------------- bad input */

#define ACCEPT                                                                 \
	"{\"op\":\"call\",\"name\":\"TDG.MEM.PAGE.ACCEPT\",\"td\":0,"          \
	"\"vcpu\":0,\"gpa\":\"0x0\",\"level\":0}"

struct bad {
	const char *text;
	const char *message; /* starts with FILE:LINE */
};

static const struct bad bad[] = {
	{"{", "x.jsonl:1: $: expected a JSON object"},
	{TDMR "[]\n", "x.jsonl:2: $: expected an object"},
	{TDMR "7\n", "x.jsonl:2: $: expected a JSON object"},
	{"{}{}\n", "x.jsonl:1: $: expected a JSON object"},
	{"{\"op\":\"reset\",\"op\":\"reset\"}\n",
	 "x.jsonl:1: $: expected a JSON object"},
	{"{}\n", "x.jsonl:1: $.op: missing, expected a string"},
	{"{\"op\":3}\n", "x.jsonl:1: $.op: wrong type, expected a string"},
	{"{\"op\":\"fly\"}\n", "x.jsonl:1: $.op: no such step: \"fly\""},
	{"{\"op\":\"reset\",\"td\":0}\n",
	 "x.jsonl:1: $.td: unknown key for this step"},
	{"{\"op\":\"reset\",\"expect\":[]}\n",
	 "x.jsonl:1: $.expect: expected an object"},
	{"{\"op\":\"tdmr\",\"base\":4294967296,\"size\":\"0x40000000\"}\n",
	 "x.jsonl:1: $.base: expected a hex string"},
	{"{\"op\":\"tdmr\",\"base\":\"100000000\",\"size\":\"0x1\"}\n",
	 "x.jsonl:1: $.base: expected a hex string"},
	{"{\"op\":\"tdmr\",\"base\":\"0x11112222333344445\","
	 "\"size\":\"0x1\"}\n",
	 "x.jsonl:1: $.base: expected a hex string"},
	{"{\"op\":\"tdmr\",\"base\":\"0x1000\",\"size\":\"0x40000000\"}\n",
	 "x.jsonl:1: $.base: expected a multiple of 1 GiB"},
	{"{\"op\":\"tdmr\",\"base\":\"0x40000000\",\"size\":\"0x0\"}\n",
	 "x.jsonl:1: $.size: expected a multiple of 1 GiB, not 0"},
	{"{\"op\":\"tdmr\",\"base\":\"0xffffffffc0000000\","
	 "\"size\":\"0x80000000\"}\n",
	 "x.jsonl:1: $.base: expected a range of physical memory"},
	{TDMR TDMR, "x.jsonl:2: $.base: expected a range"},
	{TD, "x.jsonl:1: $.op: expected a \"tdmr\" first"},
	{TDMR TD TD, "x.jsonl:3: $.td: this TD exists already"},
	{TDMR "{\"op\":\"td\",\"td\":4,\"vcpus\":1,\"gpaw\":48,"
	      "\"state\":\"runnable\"}\n",
	 "x.jsonl:2: $.td: expected an integer from 0 to 3"},
	{TDMR "{\"op\":\"td\",\"td\":0,\"vcpus\":1.5,\"gpaw\":48,"
	      "\"state\":\"runnable\"}\n",
	 "x.jsonl:2: $.vcpus: expected an integer from 0 to 7"},
	{TDMR "{\"op\":\"td\",\"td\":0,\"vcpus\":1,\"gpaw\":50,"
	      "\"state\":\"runnable\"}\n",
	 "x.jsonl:2: $.gpaw: expected an integer out of 48|52"},
	{TDMR "{\"op\":\"td\",\"td\":0,\"vcpus\":1,\"gpaw\":48,"
	      "\"state\":\"run\"}\n",
	 "x.jsonl:2: $.state: expected a string out of runnable|"},
	{TDMR "{\"op\":\"td\",\"td\":0,\"vcpus\":1,\"gpaw\":48}\n",
	 "x.jsonl:2: $.state: missing, expected a string out of"},
	{"{\"op\":\"call\",\"name\":\"TDH.FLY\"}\n",
	 "x.jsonl:1: $.name: no call of that name: \"TDH.FLY\""},
	{"{\"op\":\"call\",\"name\":\"TDH.MEM.TRACK\",\"td\":0}\n",
	 "x.jsonl:1: $.td: there is no TD 0"},
	{TDMR TD "{\"op\":\"call\",\"name\":\"TDH.MEM.TRACK\",\"td\":0,"
		 "\"gpa\":\"0x0\"}\n",
	 "x.jsonl:3: $.gpa: unknown key for this step"},
	{TDMR TD "{\"op\":\"enter\",\"td\":0,\"vcpu\":1}\n",
	 "x.jsonl:3: $.vcpu: expected an integer below 1"},
	{TDMR TD "{\"op\":\"exit\",\"td\":0,\"vcpu\":0}\n",
	 "x.jsonl:3: $.vcpu: vCPU 0 of TD 0 is not in the guest"},
	{TDMR TD "{\"op\":\"call\",\"name\":\"TDG.MEM.PAGE.ACCEPT\",\"td\":0,"
		 "\"vcpu\":0,\"gpa\":\"0x0\",\"level\":0}\n",
	 "x.jsonl:3: $.vcpu: vCPU 0 of TD 0 is not in the guest"},
	{"{\"op\":\"lock\",\"what\":\"vcpu\",\"td\":0,\"vcpu\":0}\n",
	 "x.jsonl:1: $.what: \"vcpu\" can't be locked"},
	{"{\"op\":\"show\",\"what\":\"moon\"}\n",
	 "x.jsonl:1: $.what: \"moon\" can't be shown"},
	{"{\"op\":\"lock\",\"what\":\"kot\"}\n",
	 "x.jsonl:1: $.mode: missing, expected a string out of"},
	{"{\"op\":\"call\",\"name\":\"TDH.PHYMEM.PAGE.RECLAIM\"}\n",
	 "x.jsonl:1: $.hpa: missing"},
	{TDMR TD "{\"op\":\"call\",\"name\":\"TDH.PHYMEM.PAGE.RECLAIM\","
		 "\"page\":\"tdcs\",\"td\":0}\n",
	 "x.jsonl:3: $.index: missing"},
	{"{\"op\":\"race\",\"at\":0,\"outer\":{\"op\":\"reset\"},"
	 "\"inner\":{\"op\":\"reset\"}}\n",
	 "x.jsonl:1: $.outer: expected a \"call\" or an \"enter\""},
	{"{\"op\":\"race\",\"at\":0}\n",
	 "x.jsonl:1: $.outer: missing, expected an object"},
	{"{\"op\":\"race\",\"at\":0,\"outer\":{\"op\":\"call\","
	 "\"name\":\"TDH.MEM.TRACK\",\"td\":9}}\n",
	 "x.jsonl:1: $.outer.td: expected an integer from 0 to 3"},
	{TDMR TD "{\"op\":\"enter\",\"td\":0,\"vcpu\":0}\n"
		 "{\"op\":\"race\",\"at\":0,\"outer\":" ACCEPT
		 ",\"inner\":" ACCEPT "}\n",
	 "x.jsonl:4: $.inner.vcpu: one vCPU can't do two things"},
	{"{\"op\":\"tsc\",\"add\":1000000000000000}\n"
	 "{\"op\":\"tsc\",\"add\":-1}\n",
	 "x.jsonl:2: $.add: expected an integer"},
};

static void test_bad_input(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct outcome o =
			run_text(bad[i].text, strlen(bad[i].text), true);

		if (!o.ret ||
		    strncmp(o.err.text, bad[i].message, strlen(bad[i].message)))
			fail_msg("\"%s\": expected \"%s\", got \"%s\"",
				 bad[i].text, bad[i].message,
				 o.ret ? o.err.text : "success");
		assert_int_equal(o.err.status, EXIT_USAGE);
		assert_null(strchr(o.err.text, '\n'));
		outcome_free(&o);
	}
}

static void test_line_too_long(void **state)
{
	const size_t len = SCRIPT_LINE_MAX + 2;
	char *text = malloc(len);
	struct outcome o;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', len);
	text[SCRIPT_LINE_MAX] = '\n';
	o = run_text(text, len, false);
	assert_int_equal(o.ret, 0);
	outcome_free(&o);
	text[SCRIPT_LINE_MAX] = ' ';
	o = run_text(text, len, false);
	assert_int_equal(o.ret, -1);
	assert_non_null(strstr(o.err.text, "x.jsonl:1: $: expected a line of"));
	outcome_free(&o);
	free(text);
}

/* Any number of vCPUs can be sent to the host's LP; host calls go elsewhere. */
static void test_other_lp(void **state)
{
	static const char text[] =
		TDMR "{\"op\":\"td\",\"td\":0,\"vcpus\":3,\"gpaw\":48,"
		     "\"state\":\"runnable\"}\n"
		     "{\"op\":\"enter\",\"td\":0,\"vcpu\":0,\"lp\":\"other\","
		     "\"expect\":{\"status\":\"0x0\"}}\n"
		     "{\"op\":\"enter\",\"td\":0,\"vcpu\":1,\"lp\":\"other\","
		     "\"expect\":{\"status\":\"0x0\"}}\n"
		     "{\"op\":\"enter\",\"td\":0,\"vcpu\":2,\"lp\":\"other\","
		     "\"expect\":{\"status\":\"0x0\"}}\n"
		     "{\"op\":\"show\",\"what\":\"epoch\",\"td\":0,"
		     "\"expect\":{\"refcount\":[0,3]}}\n" TRACK("0x0") TRACK(
			     "0x8000020100000000") "{\"op\":\"exit\",\"td\":0,"
						   "\"vcpu\":0}\n"
						   "{\"op\":\"exit\",\"td\":0,"
						   "\"vcpu\":1}\n"
						   "{\"op\":\"exit\",\"td\":0,"
						   "\"vcpu\":2}\n" TRACK("0x0");
	struct outcome o = run_text(text, sizeof(text) - 1, false);

	(void)state;
	assert_int_equal(o.ret, 0);
	assert_int_equal(o.result.mismatches, 0);
	assert_int_equal(o.result.lines, 12);
	outcome_free(&o);
}

/* Damaged scripts end in an answer or a message, never otherwise. */
static void test_damaged(void **state)
{
	static const char whole[] = TDMR TD TREE TRACK(
		"0x0") "{\"op\":\"enter\",\"td\":0,\"vcpu\":0}\n"
		       "{\"op\":\"fault\",\"td\":0,\"vcpu\":0,\"gpa\":"
		       "\"0x5000\","
		       "\"rip\":\"0x1000\",\"expect\":{\"status\":\"0x30\"}}\n";
	char text[sizeof(whole)];
	uint64_t x = 1;
	int i, turned_down = 0;

	(void)state;
	for (i = 0; i < 3000; i++) {
		struct outcome o;
		size_t len = sizeof(whole) - 1;

		memcpy(text, whole, sizeof(whole));
		x = x * 6364136223846793005u + 1442695040888963407u;
		text[(x >> 33) % len] = (char)(x >> 24);
		if (x >> 60 == 0)
			len = (x >> 40) % len + 1;
		o = run_text(text, len, true);
		turned_down += o.ret != 0;
		outcome_free(&o);
	}
	assert_true(turned_down > 1000);
}

/* ----------------------------------------------------------- the command */

static int command(const char *script, const char *option)
{
	char name[] = "module", file[] = "/tmp/test_script.XXXXXX";
	char *argv[] = {name, file, (char *)(uintptr_t)option, NULL};
	int fd = mkstemp(file), ret;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, script, strlen(script)),
			 (ssize_t)strlen(script));
	close(fd);
	ret = cmd_module(option ? 3 : 2, argv);
	unlink(file);
	return ret;
}

static void test_command(void **state)
{
	char name[] = "module", option[] = "--fast", help[] = "--help";
	char nowhere[] = "/nonexistent/x.jsonl";
	char *none[] = {name, NULL}, *wrong[] = {name, option, NULL};
	char *asks[] = {name, help, NULL}, *lost[] = {name, nowhere, NULL};

	(void)state;
	assert_int_equal(command(TDMR TD TRACK("0x0"), "--quiet"), EXIT_DONE);
	assert_int_equal(command(TDMR TD TRACK("0x1"), "--quiet"), EXIT_FAILED);
	assert_int_equal(command(TDMR TD TRACK("0x1") "{\n", "--quiet"),
			 EXIT_FAILED);
	assert_int_equal(command(TDMR TD TRACK("0x1") "{\n", "--keep-going"),
			 EXIT_USAGE);
	assert_int_equal(command(TDMR "{}\n", NULL), EXIT_USAGE);
	assert_int_equal(cmd_module(1, none), EXIT_USAGE);
	assert_int_equal(cmd_module(2, wrong), EXIT_USAGE);
	assert_int_equal(cmd_module(2, lost), EXIT_USAGE);
	assert_int_equal(cmd_module(2, asks), EXIT_DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_mismatch),
		cmocka_unit_test(test_mismatch_kinds),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_halt),
		cmocka_unit_test(test_bad_input),
		cmocka_unit_test(test_line_too_long),
		cmocka_unit_test(test_other_lp),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
