/* SPDX-License-Identifier: GPL-2.0-only */
/* The files of dashboard/, which are built in, as the files of a site. */
#include <string.h>

#include "bench/trend/dashboard_impl.h"

/* dashboard_blobs.S has the bytes, with a NUL after each. */
#define BLOB(symbol) extern const char symbol[], symbol##_end[]

BLOB(dashboard_page_html);
BLOB(dashboard_style_css);
BLOB(dashboard_common_js);
BLOB(dashboard_chart_js);
BLOB(dashboard_overview_js);
BLOB(dashboard_workload_js);
BLOB(dashboard_run_js);
BLOB(dygraph_js);
BLOB(dygraph_css);
BLOB(dygraph_licence);

/** A file as it is. */
struct blob {
	const char *name, *bytes, *end;
};

static const char mark_text[] =
	"This folder is written by tdmem trend --html, all of it, each time.\n"
	"Open index.html.  lib/ is dygraphs, under the licence beside it.\n";

static const struct blob blobs[] = {
	{"style.css", dashboard_style_css, dashboard_style_css_end},
	{"common.js", dashboard_common_js, dashboard_common_js_end},
	{"chart.js", dashboard_chart_js, dashboard_chart_js_end},
	{"overview.js", dashboard_overview_js, dashboard_overview_js_end},
	{"workload.js", dashboard_workload_js, dashboard_workload_js_end},
	{"run.js", dashboard_run_js, dashboard_run_js_end},
	{"lib/dygraph.min.js", dygraph_js, dygraph_js_end},
	{"lib/dygraph.min.css", dygraph_css, dygraph_css_end},
	{"lib/dygraph-licence.txt", dygraph_licence, dygraph_licence_end},
	{SITE_MARK, mark_text, mark_text + sizeof(mark_text) - 1},
};

/** What one page has of its own; dashboard/page.html is what all have. */
struct page {
	const char *name, *title;
	const char *script[4]; /* in the order in which they run */
};

static const struct page pages[] = {
	{"index.html",
	 "tdmem history",
	 {"data/index.js", "data/overview.js", "overview.js"}},
	{"run.html", "Run", {"data/index.js", "data/series.js", "run.js"}},
	{"workload.html",
	 "Workload",
	 {"data/index.js", "lib/dygraph.min.js", "chart.js", "workload.js"}},
};

static bool put_blob(FILE *f, const void *arg)
{
	const struct blob *blob = arg;

	fwrite(blob->bytes, 1, (size_t)(blob->end - blob->bytes), f);
	return true; /* an error stays with the file */
}

static void put_scripts(FILE *f, const struct page *page)
{
	for (size_t i = 0; i < 4 && page->script[i]; i++)
		fprintf(f, "<script src=\"%s\"></script>\n", page->script[i]);
}

static bool put_page(FILE *f, const void *arg)
{
	static const char title[] = "{{title}}", scripts[] = "{{scripts}}";
	const char *at = dashboard_page_html, *mark;

	while ((mark = strstr(at, "{{"))) {
		fwrite(at, 1, (size_t)(mark - at), f);
		if (!strncmp(mark, title, strlen(title))) {
			fputs(((const struct page *)arg)->title, f);
			at = mark + strlen(title);
		} else {
			put_scripts(f, arg);
			at = mark + strlen(scripts);
		}
	}
	fputs(at, f);
	return true;
}

int site_write_pages(const struct site *site, struct err *e)
{
	for (size_t i = 0; i < sizeof(blobs) / sizeof(blobs[0]); i++)
		if (site_write_file(site, blobs[i].name, put_blob, &blobs[i],
				    e))
			return -1;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (site_write_file(site, pages[i].name, put_page, &pages[i],
				    e))
			return -1;
	return 0;
}

int site_check_library(struct err *e)
{
	if (!dygraph_js[0]) /* what is not there is a lone NUL */
		return err_set(e, EXIT_UNSUPPORTED,
			       "dashboard: this tdmem was built without the "
			       "chart library dygraphs (Debian: "
			       "libjs-dygraphs); build again with it");
	return 0;
}
