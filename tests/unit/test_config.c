/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>

#include "bench/plan/config_impl.h"
#include "tests/unit/config_kit.h"

#define GOOD                                                                   \
	"'workloads': ['track'], 'axes': {'policy': ['spin'], 'vcpus': [1]}"
#define AXES	   "'axes': {'policy': ['spin'], 'vcpus': [1]}"
#define WITH(axes) "'workloads': ['fault-in'], 'axes': {" axes "}"

static void defaults(void **state)
{
	struct config c;

	(void)state;
	kit_config(GOOD, &c);
	assert_string_equal(c.backend->name, "sim");
	assert_int_equal(c.repeat.min, 3);
	assert_int_equal(c.repeat.max, 3);
	assert_int_equal(c.repeat.warmup, 0);
	assert_true(c.repeat.ci_width < 0);
	assert_true(c.repeat.time_s == 0);
	assert_string_equal(c.column, "typ");
	assert_string_equal(c.costs, "configs/costs/spr.json");
	assert_true(c.clear_removed);
	assert_true(c.jitter == 0.05);
	assert_int_equal(c.livelock_ns, 100000000);
	assert_int_equal(c.seed, 1);
	assert_int_equal(config_cells(&c), 1);
	config_free(&c);
}

static void everything_is_taken(void **state)
{
	struct config c;

	(void)state;
	kit_config("'backend': 'sim',"
		   "'workloads': {'fault-in': {'pages': 7, 'accept': 'none'},"
		   "              'track': {}},"
		   "'axes': {'vcpus': [2, 1024], 'policy': ['eagain',"
		   "  {'fault': 'spin', 'removal': 'spin'},"
		   "  {'fault': 'eagain', 'removal': 'kick-once'}]},"
		   "'repeat': {'count': 9}, 'retry_limit': 5, 'seed': 77,"
		   "'host': {'topology': 'pu:4', 'costs': '/c.json',"
		   "  'column': 'high', 'jitter': 0.5, 'clear_removed': false},"
		   "'limits': {'livelock_ms': 1.5, 'max_ms': 0}",
		   &c);
	assert_int_equal(c.nworkloads, 2);
	assert_int_equal(
		c.workloads[0]
			.value[workload_knob(c.workloads[0].workload, "pages")],
		7);
	assert_int_equal(c.axes[0].kind, AXIS_POLICY);
	assert_string_equal(c.axes[0].policy[0].label, "eagain");
	/* halves that have a name together are the policy of that name */
	assert_string_equal(c.axes[0].policy[1].label, "spin");
	assert_string_equal(c.axes[0].policy[2].label, "eagain/kick-once");
	assert_null(c.axes[0].policy[2].policy.name);
	assert_int_equal(c.axes[1].vcpus[1], 1024);
	assert_int_equal(c.repeat.min, 9);
	assert_int_equal(c.repeat.max, 9);
	assert_int_equal(c.retry_limit, 5);
	assert_int_equal(c.seed, 77);
	assert_string_equal(c.topology, "pu:4");
	assert_string_equal(c.costs, "/c.json");
	assert_false(c.clear_removed);
	assert_int_equal(c.livelock_ns, 1500000);
	assert_int_equal(c.max_ns, 0);
	assert_int_equal(config_cells(&c), 12);
	config_free(&c);
}

static void top_is_checked(void **state)
{
	(void)state;
	kit_refused("", "t.json: workloads: missing");
	kit_refused("'workloads': ['track']", "t.json: axes: missing");
	kit_refused(GOOD ", 'sead': 1",
		    "t.json: sead: unknown key \"sead\"; did you mean "
		    "\"seed\"?");
	kit_refused(GOOD ", 'seed': -1", "t.json: seed: -1 is below 0");
	kit_refused(GOOD ", 'seed': 1.5",
		    "t.json: seed: expected an integer, not a number with a "
		    "fraction");
	kit_refused(GOOD ", 'backend': 'sin'",
		    "t.json: backend: unknown backend \"sin\"; did you mean "
		    "\"sim\"?");
	kit_refused(GOOD ", 'repeat': {'count': 0}",
		    "t.json: repeat.count: 0 is below 1");
	kit_refused(GOOD ", 'repeat': 3",
		    "t.json: repeat: expected an object, not an integer");
	kit_refused(GOOD ", 'limits': {'max_ms': -1}",
		    "t.json: limits.max_ms: -1 is below 0");
}

static void host_is_checked(void **state)
{
	(void)state;
	kit_refused(GOOD ", 'host': {'jitter': 0.51}",
		    "t.json: host.jitter: 0.51 is above 0.5");
	kit_refused(GOOD ", 'host': {'column': 'best'}",
		    "t.json: host.column: unknown column \"best\"; expected "
		    "one of low, typ, high");
	kit_refused(GOOD ", 'host': {'clear_removed': 1}",
		    "t.json: host.clear_removed: expected true or false, not "
		    "an integer");
	kit_refused(GOOD ", 'host': {'topology': []}",
		    "t.json: host.topology: expected a string, not a list");
}

static void memory_is_of_the_backend(void **state)
{
	static const char real[] = "'workloads': ['fault-in'], 'axes': "
				   "{'vcpus': [1]}, 'backend': 'kvm'";
	char text[200];
	struct config c;

	(void)state;
	kit_config(real, &c);
	assert_int_equal(c.memory, 0);
	config_free(&c);
	snprintf(text, sizeof(text), "%s, 'host': {'memory': 'private'}", real);
	kit_config(text, &c);
	assert_string_equal(c.backend->memories(NULL, c.memory), "private");
	config_free(&c);
	snprintf(text, sizeof(text), "%s, 'host': {'memory': 'privat'}", real);
	kit_refused(text, "t.json: host.memory: unknown memory \"privat\"; did "
			  "you mean \"private\"?");
	kit_refused(GOOD ", 'host': {'memory': 'private'}",
		    "t.json: host.memory: the backend sim has no memory to "
		    "choose");
}

static void workloads_are_checked(void **state)
{
	(void)state;
	kit_refused("'workloads': [], " AXES,
		    "t.json: workloads: expected at least one workload");
	kit_refused("'workloads': ['trak'], " AXES,
		    "t.json: workloads[0]: unknown workload \"trak\"; did you "
		    "mean \"track\"?");
	kit_refused("'workloads': ['track', 'track'], " AXES,
		    "t.json: workloads[1]: \"track\" is there twice");
	kit_refused("'workloads': {'fault-in': {'pags': 1}}, " AXES,
		    "t.json: workloads.fault-in.pags: unknown knob \"pags\"; "
		    "did you mean \"pages\"?");
	kit_refused("'workloads': {'fault-in': {'pages': 0}}, " AXES,
		    "t.json: workloads.fault-in.pages: 0 is below 1");
	kit_refused("'workloads': {'fault-in': {'pages': true}}, " AXES,
		    "t.json: workloads.fault-in.pages: expected an integer, "
		    "not a truth value");
	kit_refused("'workloads': {'fault-in': {'accept': 'frist'}}, " AXES,
		    "t.json: workloads.fault-in.accept: unknown choice "
		    "\"frist\"; did you mean \"first\"?");
	kit_refused("'workloads': {'fault-in': 3}, " AXES,
		    "t.json: workloads.fault-in: expected an object of knobs");
}

static void axes_are_checked(void **state)
{
	(void)state;
	kit_refused(WITH("'policy': ['spin'], 'vcpus': [1, 2, 4, 0]"),
		    "t.json: axes.vcpus[3]: 0 is below 1");
	kit_refused(WITH("'policy': ['spin'], 'vcpus': [1025]"),
		    "t.json: axes.vcpus[0]: 1025 is above 1024");
	kit_refused(WITH("'policy': ['spin'], 'vcpus': [1, 2, 1]"),
		    "t.json: axes.vcpus[2]: the same as [0]");
	kit_refused(WITH("'policy': ['spin'], 'vcpus': []"),
		    "t.json: axes.vcpus: expected at least one value");
	kit_refused(WITH("'policy': ['spin'], 'vcpus': 1"),
		    "t.json: axes.vcpus: expected a list of values");
	kit_refused(WITH("'policy': ['spin']"), "t.json: axes.vcpus: missing");
	kit_refused(WITH("'vcpus': [1]"), "t.json: axes.policy: missing");
	kit_refused(WITH("'policy': ['spin'], 'vcpus': [1], 'pages': [1, 0]"),
		    "t.json: axes.pages[1]: 0 is below 1");
	kit_refused(WITH("'policy': ['spin'], 'vcpus': [1], 'pages': [3, 3]"),
		    "t.json: axes.pages[1]: the same as [0]");
	kit_refused(WITH("'policy': ['spin'], 'vcpus': [1], 'page': [1]"),
		    "t.json: axes.page: unknown axis \"page\"; did you mean "
		    "\"pages\"?");
	kit_refused("'workloads': ['fault-in', 'build'], 'axes': {'policy': "
		    "['spin'], 'vcpus': [1], 'accept': ['none']}",
		    "t.json: axes.accept: the workload \"build\" has no such "
		    "knob");
	kit_refused("'workloads': {'fault-in': {'pages': 1}}, 'axes': "
		    "{'policy': ['spin'], 'vcpus': [1], 'pages': [2]}",
		    "t.json: axes.pages: workloads.fault-in sets it as well");
}

static void policies_are_checked(void **state)
{
	(void)state;
	kit_refused(WITH("'policy': ['spinn'], 'vcpus': [1]"),
		    "t.json: axes.policy[0]: unknown policy \"spinn\"; did "
		    "you mean \"spin\"?");
	kit_refused(WITH("'policy': [{'fault': 'spin'}], 'vcpus': [1]"),
		    "t.json: axes.policy[0].removal: missing");
	kit_refused(WITH("'policy': [{'fault': 'kick-once', 'removal': "
			 "'spin'}], 'vcpus': [1]"),
		    "t.json: axes.policy[0].fault: unknown fault half "
		    "\"kick-once\"; expected one of spin, spin16, "
		    "spin-doubling, eagain, local-retry");
	kit_refused(WITH("'policy': ['spin', {'fault': 'spin', 'removal': "
			 "'spin'}], 'vcpus': [1]"),
		    "t.json: axes.policy[1]: the same as [0]");
	kit_refused(WITH("'policy': [7], 'vcpus': [1]"),
		    "t.json: axes.policy[0]: expected the name of a policy, "
		    "or an object with \"fault\" and \"removal\"");
}

static void products_are_bounded(void **state)
{
	json_t *root = kit_document(WITH("'policy': ['spin', 'eagain']"));
	json_t *axes = json_object_get(root, "axes"), *vcpus = json_array();
	json_t *pages = json_array();
	struct err e = {.text = ""};
	struct config c;

	(void)state;
	for (int i = 1; i <= 1000; i++) {
		json_array_append_new(vcpus, json_integer(i));
		json_array_append_new(pages, json_integer(i));
	}
	json_object_set_new(axes, "vcpus", vcpus);
	json_object_set_new(axes, "pages", pages);
	assert_int_equal(config_parse("t.json", root, &c, &e), -1);
	assert_string_equal(e.text,
			    "t.json: axes: the product is above 100000 cells");
}

static void runs_are_bounded(void **state)
{
	(void)state;
	kit_refused(WITH("'policy': ['spin'], 'vcpus': [1, 2, 3, 4, 5, 6, 7, "
			 "8, 9, 10, 11]") ", 'repeat': {'count': 100000}",
		    "t.json: repeat.count: 11 cells times 100000 are above "
		    "1000000 runs");
}

static struct repeat_rule rule_of(const char *repeat)
{
	struct repeat_rule rule;
	struct config c;
	char more[400];

	snprintf(more, sizeof(more), GOOD ", 'repeat': {%s}", repeat);
	kit_config(more, &c);
	rule = c.repeat;
	config_free(&c);
	return rule;
}

static void rules_are_filled(void **state)
{
	struct repeat_rule r = rule_of("");

	(void)state;
	assert_int_equal(r.min, 3);
	assert_int_equal(r.max, 3);
	r = rule_of("'count': 7, 'warmup': 2, 'time_s': 1.5");
	assert_int_equal(r.min, 7);
	assert_int_equal(r.max, 7);
	assert_int_equal(r.warmup, 2);
	assert_true(r.time_s == 1.5);
	assert_true(r.ci_width < 0);
	/* six values are the fewest with a 95 % interval of the median */
	r = rule_of("'ci_width': 0.02");
	assert_int_equal(r.min, 6);
	assert_int_equal(r.max, 30);
	assert_true(r.ci_width == 0.02);
	r = rule_of("'min': 40");
	assert_int_equal(r.min, 40);
	assert_int_equal(r.max, 40);
	r = rule_of("'max': 4");
	assert_int_equal(r.min, 4);
	assert_int_equal(r.max, 4);
	r = rule_of("'min': 2, 'max': 9, 'ci_width': 0");
	assert_int_equal(r.min, 2);
	assert_int_equal(r.max, 9);
	assert_true(r.ci_width == 0);
}

static void rules_are_checked(void **state)
{
	(void)state;
	kit_refused(GOOD ", 'repeat': {'count': 3, 'min': 2}",
		    "t.json: repeat.min: there is a count: the number of "
		    "repeats is given already");
	kit_refused(GOOD ", 'repeat': {'count': 3, 'ci_width': 0.1}",
		    "t.json: repeat.ci_width: there is a count: the number "
		    "of repeats is given already");
	kit_refused(GOOD ", 'repeat': {'min': 5, 'max': 4}",
		    "t.json: repeat.max: 4 is below min, 5");
	kit_refused(GOOD ", 'repeat': {'min': 0}",
		    "t.json: repeat.min: 0 is below 1");
	kit_refused(GOOD ", 'repeat': {'min': 3, 'max': 5, 'ci_width': 0.1}",
		    "t.json: repeat.ci_width: max is 5: fewer than 6 repeats "
		    "have no 95 % interval");
	kit_refused(GOOD ", 'repeat': {'ci_width': 1.5}",
		    "t.json: repeat.ci_width: 1.5 is above 1");
	kit_refused(GOOD ", 'repeat': {'ci_width': -0.1}",
		    "t.json: repeat.ci_width: -0.1 is below 0");
	kit_refused(GOOD ", 'repeat': {'time_s': -1}",
		    "t.json: repeat.time_s: -1 is below 0");
	kit_refused(GOOD ", 'repeat': {'warmup': 1001}",
		    "t.json: repeat.warmup: 1001 is above 1000");
	kit_refused(GOOD ", 'repeat': {'max': 100001}",
		    "t.json: repeat.max: 100001 is above 100000");
	kit_refused(GOOD ", 'repeat': {'warm': 1}",
		    "t.json: repeat.warm: unknown key \"warm\"; did you mean "
		    "\"warmup\"?");
	kit_refused(WITH("'policy': ['spin'], 'vcpus': [1, 2, 3, 4, 5, 6, 7, "
			 "8, 9, 10]") ", 'repeat': {'max': 99999, 'warmup': 9}",
		    "t.json: repeat.max: 10 cells times 100008 are above "
		    "1000000 runs");
}

static void names_become_file_names(void **state)
{
	static const char *const bad[] = {"",	 ".x",	 "-x",	    "a/b",
					  "a b", "../x", "\xc3\xa4"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		json_t *root = kit_document(GOOD);
		struct err e = {.text = ""};
		struct config c;

		json_object_set_new(root, "name", json_string(bad[i]));
		assert_int_equal(config_parse("t.json", root, &c, &e), -1);
		assert_non_null(strstr(e.text, "t.json: name: expected"));
	}
}

/* -------------------------------------------------------------------- set */

static void set_changes_one_value(void **state)
{
	json_t *root = kit_document(GOOD);
	struct err e = {.text = ""};

	(void)state;
	assert_int_equal(apply_set("axes.vcpus=[4,8]", root, &e), 0);
	assert_int_equal(apply_set("axes.vcpus[1]=16", root, &e), 0);
	assert_int_equal(apply_set("host.column=low", root, &e), 0);
	assert_int_equal(apply_set("seed=5", root, &e), 0);
	assert_int_equal(
		json_integer_value(json_array_get(
			json_object_get(json_object_get(root, "axes"), "vcpus"),
			1)),
		16);
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(root, "host"), "column")),
			    "low");
	assert_int_equal(json_integer_value(json_object_get(root, "seed")), 5);
	json_decref(root);
}

static void bad_sets_are_refused(void **state)
{
	static const char *const bad[] = {
		"nonsense",
		"=1",
		".=1",
		"axes.vcpus[9]=1",
		"axes.vcpus[x]=1",
		"axes.vcpus[0=1",
		"name.x=1",
		"axes..x=1",
		"axes.vcpus[0].x=1",
		"axes.vcpus.x=1",
	};
	json_t *root = kit_document(GOOD), *before = json_deep_copy(root);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err e = {.text = ""};

		if (!apply_set(bad[i], root, &e))
			fail_msg("%s was taken", bad[i]);
		assert_int_equal(e.status, EXIT_USAGE);
		assert_non_null(strstr(e.text, bad[i]));
	}
	assert_true(json_equal(root, before));
	json_decref(root);
	json_decref(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(everything_is_taken),
		cmocka_unit_test(top_is_checked),
		cmocka_unit_test(host_is_checked),
		cmocka_unit_test(memory_is_of_the_backend),
		cmocka_unit_test(workloads_are_checked),
		cmocka_unit_test(axes_are_checked),
		cmocka_unit_test(policies_are_checked),
		cmocka_unit_test(products_are_bounded),
		cmocka_unit_test(runs_are_bounded),
		cmocka_unit_test(rules_are_filled),
		cmocka_unit_test(rules_are_checked),
		cmocka_unit_test(names_become_file_names),
		cmocka_unit_test(set_changes_one_value),
		cmocka_unit_test(bad_sets_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
