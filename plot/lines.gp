# SPDX-License-Identifier: GPL-2.0-only
#
# Lines over vCPUs, with bands, in one or several panels.  Cells without a
# value are gaps; how they ended stands above the panel, a row a line.

# Left of a panel: ticks, and names of the rows of letters.
left_w = 74.0
do for [r=1:rows] {
	left_w = max(left_w, strlen(label[row_line[r]]) * char + 10)
}
left_w = min(left_w, max(74.0, 0.45 * W))

grid_columns = int(min(panels, max(1, floor(W / (left_w + 226)))))
grid_rows = ceil(panels / (1.0 * grid_columns))
grid_columns = int(ceil(panels / (1.0 * grid_rows)))
panel_w = W / (1.0 * grid_columns)
marks_h = 15.0 * rows
panel_h = marks_h + (panels == 1 ? max(280, min(0.48 * W, 560)) : \
	max(250, min(0.6 * panel_w, 400)))

legends = lines + (ideal ? 1 : 0)
array entry[legends + 1]
entry[legends + 1] = ''
longest = 5
do for [i=1:lines] {
	entry[i] = label[i]
	longest = max(longest, strlen(label[i]))
}
if (ideal) { entry[legends] = 'ideal' }
legend = 'lines'
legend_w = longest * char + 55
legend_h = legend_height(legends, legend_w)
H = int(head + grid_rows * panel_h + legend_h + foot)

# One vCPU count: lines side by side, with bars in place of bands.
xmin = vcpus[1]
xmax = vcpus[counts]
single = xmin == xmax
place(v) = single ? 0 : log(v / (1.0 * xmin)) / log(xmax / (1.0 * xmin)) * \
	(panel_w - left_w - 40)
x_low = single ? xmin / 1.6 : xmin / 1.12
x_high = single ? xmax * 1.6 : xmax * 1.12
dodge(i) = single ? 1.5 ** ((i - (lines + 1) / 2.0) / lines) : 1
file = name.'.tsv'

do for [theme in 'light dark'] {
do for [form in 'svg png'] {
	load 'tdmem-begin.gp'
	set logscale x 2
	set xrange [x_low:x_high]
	do for [k=1:panels] {
		column_k = (k - 1) % grid_columns
		row_k = (k - 1) / grid_columns
		left = column_k * panel_w + left_w
		top = head + row_k * panel_h + (panels > 1 ? 22 : 8) + marks_h
		bottom = head + (row_k + 1) * panel_h - 44
		set lmargin at screen X(left)
		set rmargin at screen X((column_k + 1) * panel_w - 16)
		set tmargin at screen Y(top)
		set bmargin at screen Y(bottom)
		unset label
		if (panels > 1) {
			set label panel[k] at screen X(left), \
				screen Y(top - marks_h - 12) left \
				textcolor rgb ink
		}
		do for [m=1:marks] {
			set label mark_text[m] at first mark_x[m], \
				screen Y(top - 15 * (mark_row[m] - 0.5)) \
				center textcolor rgb colour(row_line[mark_row[m]])
		}
		do for [r=1:rows] {
			set label cut(label[row_line[r]], left_w - 6) at \
				screen X(left - 6), screen Y(top - 15 * (r - 0.5)) \
				right textcolor rgb colour(row_line[r])
		}
		unset logscale y
		if (ylog[k]) { set logscale y 10 }
		set yrange [ymin[k]:ymax[k]]
		eval 'set ytics nomirror ('.yticks[k].')'
		# From the right, and none that would touch the last one.
		set xtics nomirror ('' xmax)
		last = 1e9
		do for [v=counts:1:-1] {
			if (last - place(vcpus[v]) >= 30) {
				last = place(vcpus[v])
				set xtics add (sprintf('%d', vcpus[v]) vcpus[v])
			}
		}
		set xlabel 'vCPUs' offset 0,label_up textcolor rgb ink
		set label ylabel[k] at screen X(left - 62), graph 0.5 center \
			rotate by 90 textcolor rgb ink
		c = 4 + (k - 1) * 4
		plot for [i=1:(single ? 0 : lines)] file index i-1 using \
				1:(column(c + 1)):(column(c + 2)) \
				with filledcurves fillstyle transparent solid \
				0.18 noborder fillcolor rgb colour(i) notitle, \
			for [i=1:(single ? lines : 0)] file index i-1 using \
				($1 * dodge(i)):(column(c)): \
				(column(c + 1)):(column(c + 2)) \
				with yerrorbars linecolor rgb colour(i) \
				linewidth 1.5 pointtype 0 notitle, \
			for [i=lines+1:lines+(k == 1 ? ideal : 0)] file \
				index lines using 1:2 with lines dashtype 3 \
				linewidth 1.5 linecolor rgb faint notitle, \
			for [i=1:lines] file index i-1 using \
				($1 * dodge(i)):(column(c)) with linespoints \
				linecolor rgb colour(i) dashtype dashes(i) \
				linewidth 2 pointtype point(i) pointsize 0.8 \
				notitle
	}
	unset multiplot
	unset output
}}
