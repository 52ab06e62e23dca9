/* SPDX-License-Identifier: GPL-2.0-only */
/* Writing what gnuplot reads: data, scripts of pictures, common scripts. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/base/arena.h"
#include "bench/plot/chart.h"
#include "bench/plot/plot.h"

/* ------------------------------------------------------------------- files */

/* A result takes long to make: no picture may be written over it. */
static bool is_result(const struct plot_set *set, int fd)
{
	struct stat a, b;

	if (fstat(fd, &a))
		return true;
	for (size_t i = 0; i < set->nresults; i++)
		if (stat(set->result[i]->path, &b) == 0 &&
		    a.st_dev == b.st_dev && a.st_ino == b.st_ino)
			return true;
	return !S_ISREG(a.st_mode);
}

static bool write_all(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t n = write(fd, text, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		size -= (size_t)n;
	}
	return true;
}

int plot_save(const struct plot_options *options,
	      const struct plot_section *section, const char *name,
	      const char *text, size_t size, struct err *e)
{
	int dir = open(options->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Pictures are made again in seconds: no need to sync. */
	int fd = dir < 0 ? -1
			 : openat(dir, name,
				  O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK |
					  O_CLOEXEC,
				  0666);
	bool good = fd >= 0;

	if (good && is_result(section->set, fd)) {
		errno = EEXIST;
		good = false;
	}
	good = good && ftruncate(fd, 0) == 0 && write_all(fd, text, size);
	if (!good)
		err_set(e, EXIT_FAILED, "%.300s/%s: cannot be written: %s",
			options->dir, name, strerror(errno));
	if (fd >= 0 && close(fd) && good) {
		err_set(e, EXIT_FAILED, "%.300s/%s: cannot be written: %s",
			options->dir, name, strerror(errno));
		good = false;
	}
	if (dir >= 0)
		close(dir);
	return good ? 0 : -1;
}

int plot_scripts_write(const struct plot_section *section, struct err *e)
{
	for (size_t i = 0; plot_files[i].name; i++) {
		const struct plot_file *file = &plot_files[i];

		if (plot_save(section->set->options, section, file->name,
			      file->text, (size_t)(file->end - file->text), e))
			return -1;
	}
	return 0;
}

/* ---------------------------------------------------------------- pictures */

void plot_put_labels(FILE *f, const struct plot_group *g)
{
	fprintf(f, "lines = %zu\n", g->nlines);
	plot_put_array(f, "label", g->nlines);
	for (size_t i = 0; i < g->nlines; i++) {
		plot_put_element(f, "label", i + 1, g->line[i].label);
	}
}

void plot_put_vcpus(FILE *f, const struct plot_group *g)
{
	fprintf(f, "counts = %zu\n", g->nvcpus);
	plot_put_array(f, "vcpus", g->nvcpus);
	for (size_t i = 0; i < g->nvcpus; i++)
		fprintf(f, "vcpus[%zu] = %u\n", i + 1, g->vcpus[i]);
}

static void put_data_head(const struct plot_picture *p)
{
	fprintf(p->data, "# %s%s%s\n# %s\n# metric: %s\n", p->kind->title,
		p->group ? ": " : "", p->group ? p->group->name : "",
		p->set->footer, p->kind->metrics);
}

static void put_script_head(const struct plot_picture *p)
{
	FILE *f = p->script;

	fprintf(f,
		"# Draw it again: gnuplot %s.gp; in another width: "
		"gnuplot -e W=1600 %s.gp\n"
		"if (!exists('W')) W = %ld\n",
		p->name, p->name, p->set->options->width);
	plot_put_string(f, "name", p->name);
	plot_put_string(f, "title", p->kind->title);
}

static void put_script_tail(const struct plot_picture *p)
{
	const struct plot_group *g = p->group;
	FILE *f = p->script;
	bool own = p->subtitle[0] || !g;

	plot_put_string(f, "subtitle", own ? p->subtitle : g->name);
	plot_put_string(f, "summary", own ? "" : g->summary);
	plot_put_string(f, "footer", p->set->footer);
	plot_put_string(f, "note", p->note);
	fprintf(f, "load 'tdmem-theme.gp'\nload 'tdmem-%s.gp'\n",
		p->kind->script);
}

/* What a picture is written into. */
struct texts {
	char *text[3];
	size_t size[3];
	FILE *f[3];
};

static bool open_texts(struct texts *t)
{
	bool good = true;

	*t = (struct texts){0};
	for (int i = 0; i < 3; i++) {
		t->f[i] = open_memstream(&t->text[i], &t->size[i]);
		good &= t->f[i] != NULL;
	}
	return good;
}

static bool close_texts(struct texts *t)
{
	bool good = true;

	for (int i = 0; i < 3; i++) {
		if (!t->f[i])
			continue;
		good &= !ferror(t->f[i]);
		good &= fclose(t->f[i]) == 0;
		t->f[i] = NULL;
	}
	return good;
}

static int save_picture(const struct plot_section *section,
			const struct plot_picture *p, const struct texts *t,
			struct err *e)
{
	static const char *const ending[] = {"tsv", "gp"};

	for (int i = 0; i < 2; i++) {
		char name[160];

		snprintf(name, sizeof(name), "%s.%s", p->name, ending[i]);
		if (plot_save(p->set->options, section, name, t->text[i],
			      t->size[i], e))
			return -1;
	}
	return 0;
}

static int write_picture(struct plot_section *section, struct plot_picture *p,
			 struct texts *t, struct err *e)
{
	struct plot_entry *entry = &section->entry[section->n++];
	struct arena *arena = section->set->arena;
	bool drawn;

	p->data = t->f[0];
	p->script = t->f[1];
	p->alt = t->f[2];
	put_data_head(p);
	put_script_head(p);
	drawn = p->kind->write(p);
	put_script_tail(p);
	if (!close_texts(t))
		return err_set(e, EXIT_FAILED, "out of memory");
	*entry = (struct plot_entry){
		.kind = p->kind,
		.group = p->group,
		.name = p->name,
		.alt = arena_text(arena, t->text[2]),
		.why = drawn ? NULL : arena_text(arena, p->why),
	};
	if (!entry->alt || (!drawn && !entry->why))
		return err_set(e, EXIT_FAILED, "out of memory");
	return drawn ? save_picture(section, p, t, e) : 0;
}

static int add_picture(struct plot_section *section,
		       const struct plot_kind *kind,
		       const struct plot_group *group, struct err *e)
{
	const struct plot_set *set = section->set;
	struct plot_picture p = {.set = set, .group = group, .kind = kind};
	struct texts texts;
	int status = -1;

	p.name = arena_print(set->arena, "%s%s%s%s", set->prefix,
			     group ? group->slug : "", group ? "-" : "",
			     kind->name);
	if (p.name && open_texts(&texts))
		status = write_picture(section, &p, &texts, e);
	else
		err_set(e, EXIT_FAILED, "out of memory");
	if (p.name)
		close_texts(&texts);
	for (int i = 0; p.name && i < 3; i++)
		free(texts.text[i]);
	return status;
}

int plot_section_write(struct plot_section *section, const struct plot_set *set,
		       struct err *e)
{
	size_t kinds = 0;

	while (plot_kinds[kinds].name)
		kinds++;
	section->set = set;
	section->n = 0;
	section->entry = arena_alloc(set->arena, kinds * (set->ngroups + 1),
				     sizeof(*section->entry));
	if (!section->entry)
		return err_set(e, EXIT_FAILED, "out of memory");
	for (size_t k = 0; k < kinds; k++)
		if (plot_kinds[k].whole && set->nresults == 1 &&
		    add_picture(section, &plot_kinds[k], NULL, e))
			return -1;
	for (size_t g = 0; g < set->ngroups; g++)
		for (size_t k = 0; k < kinds; k++)
			if (!plot_kinds[k].whole &&
			    (set->nresults == 1 || plot_kinds[k].overlay) &&
			    add_picture(section, &plot_kinds[k], &set->group[g],
					e))
				return -1;
	return 0;
}
