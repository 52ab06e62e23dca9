/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The dashboard's files as they are, so that the program needs nothing
 * beside it.  Paths are those that the Makefile builds from; without the
 * chart library its three are empty, which the program tells when asked.
 */
#define BLOB(symbol, path)                                                     \
	.global symbol;                                                        \
	.global symbol##_end;                                                  \
symbol:                                                                        \
	.incbin path;                                                          \
symbol##_end:                                                                  \
	.byte 0

#define NOTHING(symbol)                                                        \
	.global symbol;                                                        \
	.global symbol##_end;                                                  \
symbol:                                                                        \
symbol##_end:                                                                  \
	.byte 0

	.section .rodata
BLOB(dashboard_page_html, "dashboard/page.html")
BLOB(dashboard_style_css, "dashboard/style.css")
BLOB(dashboard_common_js, "dashboard/common.js")
BLOB(dashboard_chart_js, "dashboard/chart.js")
BLOB(dashboard_overview_js, "dashboard/overview.js")
BLOB(dashboard_workload_js, "dashboard/workload.js")
BLOB(dashboard_run_js, "dashboard/run.js")
#ifdef DYGRAPHS_JS
BLOB(dygraph_js, DYGRAPHS_JS)
BLOB(dygraph_css, DYGRAPHS_CSS)
BLOB(dygraph_licence, DYGRAPHS_LICENCE)
#else
NOTHING(dygraph_js)
NOTHING(dygraph_css)
NOTHING(dygraph_licence)
#endif
	.section .note.GNU-stack, "", %progbits
