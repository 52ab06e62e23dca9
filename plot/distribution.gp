# SPDX-License-Identifier: GPL-2.0-only
#
# A whole distribution, a line a policy, over percentiles that are stretched
# towards 100.

panel_h = max(300, min(0.5 * W, 600))
legends = lines
array entry[legends + 1]
entry[legends + 1] = ''
longest = 5
do for [i=1:lines] {
	entry[i] = label[i]
	longest = max(longest, strlen(label[i]))
}
legend = 'lines'
legend_w = longest * char + 55
legend_h = legend_height(legends, legend_w)
H = int(head + panel_h + legend_h + foot)
file = name.'.tsv'

do for [theme in 'light dark'] {
do for [form in 'svg png'] {
	load 'tdmem-begin.gp'
	set lmargin at screen X(74)
	set rmargin at screen X(W - 24)
	set tmargin at screen Y(head + 8)
	set bmargin at screen Y(head + panel_h - 44)
	set logscale x 10
	set logscale y 10
	set xrange [1:xmax * 1.3]
	set yrange [ymin:ymax]
	eval 'set ytics nomirror ('.yticks.')'
	set xtics nomirror ('0' 1, '90' 1e1, '99' 1e2, '99.9' 1e3, '99.99' 1e4, \
		'99.999' 1e5, '99.9999' 1e6, '99.99999' 1e7, \
		'99.999999' 1e8, '99.9999999' 1e9)
	set xlabel 'percentile' offset 0,label_up textcolor rgb ink
	set label cut(operation, 200).' latency' at screen X(12), graph 0.5 \
		center rotate by 90 textcolor rgb ink
	# Points only every so often, and not all lines' at the same places.
	plot for [i=1:lines] file index i-1 using 1:3 with lines \
			linecolor rgb colour(i) dashtype dashes(i) \
			linewidth 2 notitle, \
		for [i=1:lines] file index i-1 every 9::(i * 2) using 1:3 \
			with points linecolor rgb colour(i) \
			pointtype point(i) pointsize 0.8 notitle
	unset multiplot
	unset output
}}
