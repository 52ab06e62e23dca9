/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files of plot/, so that the program needs no folder of its own: each
 * as plot_file_NAME up to plot_file_NAME_end.
 */
	.macro file name, path
	.globl	plot_file_\name, plot_file_\name\()_end
plot_file_\name:
	.incbin	"\path"
plot_file_\name\()_end:
	.byte	0
	.endm

	.section .rodata
	file	theme, "plot/theme.gp"
	file	begin, "plot/begin.gp"
	file	lines, "plot/lines.gp"
	file	stacks, "plot/stacks.gp"
	file	distribution, "plot/distribution.gp"
	file	heatmap, "plot/heatmap.gp"
	file	page, "plot/page.css"

	.section .note.GNU-stack, "", %progbits
