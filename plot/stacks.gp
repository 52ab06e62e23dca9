# SPDX-License-Identifier: GPL-2.0-only
#
# Stacked counts over vCPUs, a panel a line.  A cell without a value has no
# bar but the letter of how it ended.

grid_columns = int(min(lines, max(1, floor(W / 230.0))))
grid_rows = ceil(lines / (1.0 * grid_columns))
grid_columns = int(ceil(lines / (1.0 * grid_rows)))
panel_w = W / (1.0 * grid_columns)
panel_h = max(200, min(0.8 * panel_w, 360))

legends = parts
array entry[legends + 1]
entry[legends + 1] = ''
longest = 5
do for [i=1:parts] {
	entry[i] = part[i]
	longest = max(longest, strlen(part[i]))
}
legend = 'boxes'
legend_w = longest * char + 55
legend_h = legend_height(legends, legend_w)
H = int(head + grid_rows * panel_h + legend_h + foot)

# Names of counts need 30 pixels each.
every_nth = max(1, ceil(counts * 30.0 / (panel_w - 90)))
file = name.'.tsv'

do for [theme in 'light dark'] {
do for [form in 'svg png'] {
	load 'tdmem-begin.gp'
	set xrange [-0.6:counts - 0.4]
	set yrange [0:ymax]
	unset grid
	set grid ytics linetype 1 linecolor rgb grid_colour linewidth 0.7
	eval 'set ytics nomirror ('.yticks.')'
	set xtics nomirror ('' 0)
	do for [b=1:counts] {
		if ((counts - b) % every_nth == 0) {
			set xtics add (sprintf('%d', vcpus[b]) b - 1)
		}
	}
	do for [k=1:lines] {
		column_k = (k - 1) % grid_columns
		row_k = (k - 1) / grid_columns
		left = column_k * panel_w + 76
		top = head + row_k * panel_h + 24
		set lmargin at screen X(left)
		set rmargin at screen X((column_k + 1) * panel_w - 12)
		set tmargin at screen Y(top)
		set bmargin at screen Y(head + (row_k + 1) * panel_h - 42)
		unset label
		set label cut(label[k], panel_w - 90) at screen X(left), \
			screen Y(top - 12) left textcolor rgb ink
		do for [m=1:marks] {
			if (mark_panel[m] == k) {
				set label mark_text[m] at first mark_x[m], \
					graph 0.5 center textcolor rgb ink
			}
		}
		set xlabel 'vCPUs' offset 0,label_up textcolor rgb ink
		if (column_k == 0) {
			set label cut(ylabel, panel_h - 40) at \
				screen X(left - 64), graph 0.5 center \
				rotate by 90 textcolor rgb ink
		}
		plot for [j=1:parts] file index k-1 using 0:(0): \
			($0 - 0.38):($0 + 0.38): \
			(sum [n=1:j-1] column(n + 2)): \
			(sum [n=1:j] column(n + 2)) \
			with boxxyerror fillstyle solid 1 \
			border linecolor rgb ground \
			fillcolor rgb colour(j) linewidth 0.5 notitle
	}
	unset multiplot
	unset output
}}
