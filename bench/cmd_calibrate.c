/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "bench/base/args.h"
#include "bench/base/document.h"
#include "bench/base/json.h"
#include "bench/base/names.h"
#include "bench/base/output.h"
#include "bench/calibrate/calibrate.h"
#include "bench/commands.h"

struct request {
	const char *format, *table, *base, *seamcalls;
};

static int write_table(const struct request *l, const struct calibration *c,
		       const struct costs *base, struct err *e)
{
	struct output out;
	json_t *root = calibrate_table(c, base, e);
	int status;

	if (!root)
		return -1;
	status = output_open(&out, l->table, e);
	if (status == 0) {
		json_dumpf(root, out.file, JSON_INDENT(1));
		fputc('\n', out.file);
		status = output_commit(&out, e);
	}
	json_decref(root);
	return status;
}

static int put(const struct request *l, const struct calibration *c,
	       struct err *e)
{
	json_t *root;

	if (strcmp(l->format, "json")) {
		calibrate_print(c, stdout);
		return 0;
	}
	root = calibrate_json(c);
	if (!root)
		return err_set(e, EXIT_FAILED, "out of memory");
	json_dumpf(root, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(root);
	return 0;
}

/* What the request names, before anything is measured. */
static int load(const struct request *l, struct costs *base,
		struct samples *result, struct err *e)
{
	struct at at = at_root("calibrate: --format", e);

	if (parse_name(l->format, "form", array_name, document_text_json, &at) <
	    0)
		return -1;
	if (l->seamcalls && document_is_one_of(l->table, &l->seamcalls, 1))
		return args_bad("calibrate", e, "--output is the result,",
				l->table);
	if (l->table &&
	    (output_check(l->table, e) || costs_load(l->base, "typ", base, e)))
		return -1;
	return l->seamcalls ? calibrate_load_seamcalls(l->seamcalls, result, e)
			    : 0;
}

static int run(const struct request *l, struct err *e)
{
	struct calibration c;
	struct costs base = {0};
	struct samples result = {0};
	int status = 0;

	if (load(l, &base, &result, e) || calibrate(&c, e) ||
	    calibrate_seamcalls(&c, l->seamcalls ? &result : NULL, e) ||
	    put(l, &c, e) || (l->table && write_table(l, &c, &base, e)))
		status = -1;
	samples_free(&result);
	costs_free(&base);
	return status;
}

static const char text[] =
	"Prints what this host's primitives cost: medians and 95 % intervals, "
	"in ns.\n"
	"With -o a cost table is written: the base with what was measured in "
	"its place.\n"
	"SEAMCALLs take a TDX host, and there a run before:\n"
	"tdmem run CONFIG --probe seamcall -o RESULT\n"
	"\n"
	"Example:\n"
	"  tdmem calibrate -o here.json\n"
	"  tdmem run configs/quick.json --set host.costs=here.json\n";

int cmd_calibrate(int argc, char **argv)
{
	struct request l = {.format = "text", .base = "configs/costs/spr.json"};
	const struct option_spec options[] = {
		{"format", 'f', OPTION_STRING, "FORM", "text or json [text]",
		 &l.format, 0, 0},
		{"output", 'o', OPTION_STRING, "TABLE",
		 "write a cost table for sim and threads", &l.table, 0, 0},
		{"base", 'b', OPTION_STRING, "TABLE",
		 "what cannot be measured [configs/costs/spr.json]", &l.base, 0,
		 0},
		{"seamcalls", 's', OPTION_STRING, "RESULT",
		 "of the backend tdx with --probe seamcall", &l.seamcalls, 0,
		 0},
		{.name = NULL},
	};
	const struct command_spec spec = {
		.name = "calibrate",
		.operands = "",
		.summary = "Measure this host's primitives.",
		.text = text,
		.options = options,
	};
	struct operands operands;
	struct err e;
	int status = args_parse(&spec, argc, argv, &operands, &e);

	if (status == 0)
		status = run(&l, &e);
	else if (status > 0)
		status = EXIT_DONE;
	return status < 0 ? fail(&e) : status;
}
