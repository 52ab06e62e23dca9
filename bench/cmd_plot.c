/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/base/arena.h"
#include "bench/base/args.h"
#include "bench/commands.h"
#include "bench/plot/plot.h"

enum { MAX_RESULTS = 4, LABEL = 24 };

static const char help_text[] =
	"Writes into DIR: index.html, which shows all pictures; each picture "
	"as SVG and\n"
	"PNG, light and dark; its data (.tsv) and its script (.gp), so that "
	"\"gnuplot\n"
	"NAME.gp\" in DIR draws it again.  docs/plot.md describes the "
	"pictures.  Without\n"
	"gnuplot data and scripts are written, and the exit status is 4.\n"
	"\n"
	"Several results: one section each, and before them what can be laid "
	"over each\n"
	"other.\n"
	"\n"
	"Example: tdmem plot results/quick-20260131-1.json -o pictures\n";

/* All results and what is made of them; one owner. */
struct plot {
	struct plot_options options;
	struct samples result[MAX_RESULTS];
	const struct samples *pointer[MAX_RESULTS];
	const char *label[MAX_RESULTS];
	size_t n;
	struct plot_set set[MAX_RESULTS + 1]; /* the last: all together */
	struct plot_section section[MAX_RESULTS + 1];
	size_t sections;
	struct arena *arena;
};

static int no_memory(struct err *e)
{
	return err_set(e, EXIT_FAILED, "out of memory");
}

/* ----------------------------------------------------------------- results */

/* Name of the file without folder and ending. */
static const char *label_of(struct plot *p, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t n = strlen(name);
	char *base;

	if (n > 5 && strcmp(name + n - 5, ".json") == 0)
		n -= 5;
	base = arena_textn(p->arena, name, n);
	return base ? plot_text(p->arena, base, LABEL) : NULL;
}

static int load(struct plot *p, const struct operands *operands, struct err *e)
{
	for (size_t i = 0; i < operands->n; i++) {
		if (samples_load(operands->v[i], plot_wanted, NULL,
				 &p->result[i], e))
			return -1;
		p->pointer[i] = &p->result[i];
		p->n++;
		p->label[i] = label_of(p, operands->v[i]);
		if (!p->label[i])
			return no_memory(e);
		if (p->result[i].ncells == 0)
			return err_set(e, EXIT_USAGE,
				       "%s: cells: expected at least one",
				       operands->v[i]);
	}
	return 0;
}

/* ------------------------------------------------------------------- texts */

static const char *repeats_of(struct plot *p, const struct plot_set *set)
{
	size_t least = SIZE_MAX, most = 0;

	for (size_t r = 0; r < set->nresults; r++) {
		for (size_t i = 0; i < set->result[r]->ncells; i++) {
			const struct samples_cell *cell =
				&set->result[r]->cell[i];

			if (strcmp(cell->status, "ok") != 0)
				continue;
			if (cell->nrepeats < least)
				least = cell->nrepeats;
			if (cell->nrepeats > most)
				most = cell->nrepeats;
		}
	}
	if (least >= most)
		return arena_print(p->arena, "%zu repeat%s", most,
				   most == 1 ? "" : "s");
	return arena_print(p->arena, "%zu to %zu repeats", least, most);
}

static const char *made(const struct plot_set *set)
{
	size_t modelled = 0;

	for (size_t r = 0; r < set->nresults; r++)
		modelled += set->result[r]->modelled;
	if (modelled == 0)
		return "measured";
	return modelled == set->nresults ? "model output, not a measurement"
					 : "model output and measurements";
}

static const char *member(const struct samples *s, const char *object,
			  const char *name)
{
	const char *text = json_string_value(
		json_object_get(json_object_get(s->top, object), name));

	return text ? text : "?";
}

static const char *footer_of(struct plot *p, const struct plot_set *set)
{
	const char *repeats = repeats_of(p, set);
	bool partial = false;
	char *text = arena_text(p->arena, "");

	for (size_t r = 0; text && r < set->nresults; r++) {
		const char *name = plot_text(
			p->arena, member(set->result[r], "config", "name"), 40);

		partial |= set->result[r]->partial;
		text = name ? arena_print(p->arena, "%s%s%s", text,
					  r ? " and " : "config ", name)
			    : NULL;
	}
	if (!text || !repeats)
		return NULL;
	text = arena_print(p->arena, "%s; %s; %s%s; tdmem %s", text, made(set),
			   repeats,
			   partial ? "; interrupted, not complete" : "",
			   member(set->result[0], "tool", "version"));
	return text ? plot_text(p->arena, text, 200) : NULL;
}

/* -------------------------------------------------------------------- sets */

static int add_section(struct plot *p, size_t first, size_t n,
		       const char *prefix, const char *title, struct err *e)
{
	struct plot_set *set = &p->set[p->sections];
	struct plot_section *section = &p->section[p->sections];

	*set = (struct plot_set){
		.options = &p->options,
		.result = p->pointer + first,
		.label = p->label + first,
		.nresults = n,
		.prefix = prefix,
		.arena = p->arena,
	};
	set->footer = footer_of(p, set);
	section->title = title;
	section->set = set;
	if (!set->footer || !title || !prefix)
		return no_memory(e);
	if (plot_set_fill(set, e))
		return -1;
	if (n > 1)
		plot_set_keep_shared(set);
	p->sections += set->ngroups > 0;
	return 0;
}

static int make_sections(struct plot *p, struct err *e)
{
	if (p->n == 1)
		return add_section(p, 0, 1, "", p->label[0], e);
	if (add_section(p, 0, p->n, "all-", "All results together", e))
		return -1;
	for (size_t i = 0; i < p->n; i++)
		if (add_section(p, i, 1, arena_print(p->arena, "r%zu-", i + 1),
				p->label[i], e))
			return -1;
	return 0;
}

/* ----------------------------------------------------------------- command */

static int make_folder(const char *dir, struct err *e)
{
	struct stat st;

	if (mkdir(dir, 0777) == 0)
		return 0;
	if (errno == EEXIST && stat(dir, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	return err_set(e, EXIT_FAILED, "%s: cannot be made a folder: %s", dir,
		       strerror(errno));
}

static bool baseline_known(const struct plot *p)
{
	const char *name = p->options.baseline;

	for (size_t s = 0; name && s < p->sections; s++)
		for (size_t g = 0; g < p->set[s].ngroups; g++)
			for (size_t l = 0; l < p->set[s].group[g].nlines; l++)
				if (strcmp(p->set[s].group[g].line[l].policy,
					   name) == 0)
					return true;
	return !name;
}

static int write_sections(struct plot *p, struct err *e)
{
	for (size_t i = 0; i < p->sections; i++)
		if (plot_section_write(&p->section[i], &p->set[i], e))
			return -1;
	return 0;
}

static void count(const struct plot *p, size_t *drawn, size_t *left_out)
{
	*drawn = *left_out = 0;
	for (size_t s = 0; s < p->sections; s++) {
		for (size_t i = 0; i < p->section[s].n; i++) {
			*drawn += p->section[s].entry[i].drawn;
			*left_out += p->section[s].entry[i].why != NULL;
		}
	}
}

static int run(struct plot *p, const struct operands *operands, struct err *e)
{
	size_t drawn, left_out;

	if (!p->options.dir || !p->options.dir[0])
		return err_set(e, EXIT_USAGE,
			       "plot: --output is missing: expected a folder; "
			       "see tdmem plot --help");
	p->arena = arena_new();
	if (!p->arena)
		return no_memory(e);
	if (load(p, operands, e) || make_sections(p, e))
		return -1;
	if (!baseline_known(p))
		return err_set(e, EXIT_USAGE,
			       "plot: --baseline: no policy \"%.60s\" in the "
			       "results",
			       p->options.baseline);
	if (make_folder(p->options.dir, e) || write_sections(p, e) ||
	    plot_scripts_write(&p->section[0], e) ||
	    plot_draw(p->section, p->sections, e) ||
	    plot_page_write(p->section, p->sections, e))
		return -1;
	count(p, &drawn, &left_out);
	fprintf(stderr, "%zu pictures, %zu left out; look at %s/index.html\n",
		drawn, left_out, p->options.dir);
	return 0;
}

static int parse(struct plot *p, int argc, char **argv,
		 struct operands *operands, struct err *e)
{
	const struct option_spec options[] = {
		{"output", 'o', OPTION_STRING, "DIR",
		 "folder for the pictures; made when missing", &p->options.dir,
		 0, 0},
		{"baseline", 'b', OPTION_STRING, "POLICY",
		 "what the heat map compares with [the first]",
		 &p->options.baseline, 0, 0},
		{"vcpus", 'n', OPTION_NUMBER, "N",
		 "count for distributions and heat map [the highest of all]",
		 &p->options.vcpus, 1, UINT32_MAX},
		{"width", 'w', OPTION_NUMBER, "PIXELS",
		 "of the pictures [1000]", &p->options.width, 480, 4096},
		{"oversubscribed", 0, OPTION_FLAG, NULL,
		 "draw cells with more vCPUs than CPUs as well",
		 &p->options.oversubscribed, 0, 0},
		{.name = NULL},
	};
	const struct command_spec spec = {
		.name = "plot",
		.operands = "RESULT...",
		.min_operands = 1,
		.max_operands = MAX_RESULTS,
		.summary = "Draw what results say.",
		.text = help_text,
		.options = options,
	};

	return args_parse(&spec, argc, argv, operands, e);
}

int cmd_plot(int argc, char **argv)
{
	struct plot *p = calloc(1, sizeof(*p));
	struct operands operands;
	struct err e;
	int status;

	if (!p) {
		no_memory(&e);
		return fail(&e);
	}
	p->options.width = 1000;
	status = parse(p, argc, argv, &operands, &e);
	if (status == 0)
		status = run(p, &operands, &e);
	for (size_t i = 0; i < p->n; i++)
		samples_free(&p->result[i]);
	arena_free(p->arena);
	free(p);
	return status < 0 ? fail(&e) : EXIT_DONE;
}
