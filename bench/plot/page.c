/* SPDX-License-Identifier: GPL-2.0-only */
/* index.html: all pictures of a run of the program, without a script. */
#include <stdlib.h>
#include <string.h>

#include "bench/export/export.h"
#include "bench/plot/chart.h"
#include "bench/plot/plot.h"

static void put_head(FILE *f)
{
	const struct plot_file *css = &plot_page_css;

	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	      "<meta charset=\"utf-8\"/>\n"
	      "<meta name=\"viewport\" content=\"width=device-width, "
	      "initial-scale=1\"/>\n"
	      "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
	      "<meta http-equiv=\"Content-Security-Policy\" "
	      "content=\"default-src 'none'; img-src 'self' file:; "
	      "style-src 'unsafe-inline'\"/>\n"
	      "<title>tdmem: pictures</title>\n<style>\n",
	      f);
	fwrite(css->text, 1, (size_t)(css->end - css->text), f);
	fputs("</style>\n</head>\n<body>\n", f);
}

/* Alternate texts, "what" and its link, for each form of a picture. */
static void put_links(FILE *f, const struct plot_entry *entry)
{
	static const struct {
		const char *ending, *text;
	} links[] = {
		{"-light.svg", "SVG"}, {"-dark.svg", "SVG, dark"},
		{"-light.png", "PNG"}, {"-dark.png", "PNG, dark"},
		{".tsv", "data"},      {".gp", "script"},
	};

	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		fprintf(f, "%s<a href=\"%s%s\">%s</a>", i ? " " : "",
			entry->name, links[i].ending, links[i].text);
}

static void put_picture(FILE *f, const struct plot_entry *entry)
{
	fprintf(f,
		"<figure id=\"%s\">\n<picture>"
		"<source media=\"(prefers-color-scheme: dark)\" "
		"srcset=\"%s-dark.svg\"/>"
		"<img src=\"%s-light.svg\" alt=\"",
		entry->name, entry->name, entry->name);
	plot_put_html(f, entry->kind->title);
	fputs(entry->group ? ", " : "", f);
	plot_put_html(f, entry->group ? entry->group->name : "");
	fputs(". ", f);
	plot_put_html(f, entry->alt);
	fputs("\"/></picture>\n<figcaption>", f);
	plot_put_html(f, entry->alt);
	fputs("<br/>", f);
	put_links(f, entry);
	fputs("</figcaption>\n</figure>\n", f);
}

/* ------------------------------------------------------------------ groups */

/* What is not there is said, and why. */
static void put_left_out(FILE *f, const struct plot_section *s,
			 const struct plot_group *group)
{
	const char *separator = "<p class=\"left-out\">Not drawn: ";
	bool any = false;

	for (size_t i = 0; i < s->n; i++) {
		const struct plot_entry *entry = &s->entry[i];

		if (entry->group != group || !entry->why)
			continue;
		fputs(separator, f);
		plot_put_html(f, entry->kind->title);
		fputs(" (", f);
		plot_put_html(f, entry->why);
		fputs(")", f);
		separator = "; ";
		any = true;
	}
	fputs(any ? ".</p>\n" : "", f);
}

static void put_bad_cell(FILE *f, const struct plot_group *g, size_t i)
{
	const struct plot_cell *cell = &g->cell[i];
	char *reason = export_plain(cell->cell->reason);

	fputs("<li>", f);
	plot_put_html(f, g->line[i / g->nvcpus].label);
	fprintf(f, " at %u vCPUs: <strong>%s</strong> ",
		g->vcpus[i % g->nvcpus], plot_status_name(cell));
	plot_put_html(f, reason ? reason : "?");
	fputs("</li>\n", f);
	free(reason);
}

/* Cells that did not end ok, once more in words. */
static void put_bad_cells(FILE *f, const struct plot_group *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->nlines * g->nvcpus; i++)
		n += plot_status(&g->cell[i]) != NULL;
	if (n == 0)
		return;
	fprintf(f,
		"<details class=\"bad\"><summary>%zu of %zu cells did not end "
		"ok</summary>\n<ul>\n",
		n, g->nlines * g->nvcpus);
	for (size_t i = 0; i < g->nlines * g->nvcpus; i++)
		if (plot_status(&g->cell[i]))
			put_bad_cell(f, g, i);
	fputs("</ul>\n</details>\n", f);
}

static void put_group(FILE *f, const struct plot_section *s,
		      const struct plot_group *g)
{
	if (g) {
		fprintf(f, "<section id=\"%s%s\">\n<h3>", s->set->prefix,
			g->slug);
		plot_put_html(f, g->name);
		fputs("</h3>\n<p>", f);
		plot_put_html(f, g->summary);
		fputs("</p>\n", f);
		put_bad_cells(f, g);
	}
	for (size_t i = 0; i < s->n; i++)
		if (s->entry[i].group == g && !s->entry[i].why)
			put_picture(f, &s->entry[i]);
	put_left_out(f, s, g);
	fputs(g ? "</section>\n" : "", f);
}

/* -------------------------------------------------------------------- page */

static void put_contents(FILE *f, const struct plot_section *s)
{
	fputs("<nav>\n<ul>\n", f);
	for (size_t i = 0; i < s->set->ngroups; i++) {
		fprintf(f, "<li><a href=\"#%s%s\">", s->set->prefix,
			s->set->group[i].slug);
		plot_put_html(f, s->set->group[i].name);
		fputs("</a></li>\n", f);
	}
	fputs("</ul>\n</nav>\n", f);
}

static void put_section(FILE *f, const struct plot_section *s)
{
	fputs("<h2>", f);
	plot_put_html(f, s->title);
	fputs("</h2>\n<p class=\"about\">", f);
	plot_put_html(f, s->set->footer);
	fputs("</p>\n", f);
	put_contents(f, s);
	put_group(f, s, NULL);
	for (size_t i = 0; i < s->set->ngroups; i++)
		put_group(f, s, &s->set->group[i]);
}

int plot_page_write(const struct plot_section *section, size_t n, struct err *e)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	int status;

	if (!f)
		return err_set(e, EXIT_FAILED, "out of memory");
	put_head(f);
	fputs("<main>\n<h1>tdmem</h1>\n", f);
	for (size_t i = 0; i < n; i++)
		put_section(f, &section[i]);
	fputs("</main>\n</body>\n</html>\n", f);
	status = ferror(f);
	status |= fclose(f);
	if (status)
		status = err_set(e, EXIT_FAILED, "out of memory");
	else
		status = plot_save(section->set->options, section, "index.html",
				   text, size, e);
	free(text);
	return status;
}
