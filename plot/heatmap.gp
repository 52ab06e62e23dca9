# SPDX-License-Identifier: GPL-2.0-only
#
# A table of changes with colours: blue is more than the baseline, orange is
# less, and without colour is what did not end ok.

row_h = 30.0
names_w = 60.0
do for [r=1:rows] {
	names_w = max(names_w, strlen(row[r].at[r]) * char + 16)
}
names_w = min(names_w, W * 0.42)
column_w = (W - names_w - 16) / (1.0 * columns)
names_h = 26.0
right_w = 16.0
# Where names do not fit side by side they stand askew.
longest = 1
do for [c=1:columns] { longest = max(longest, strlen(column_name[c])) }
askew = longest * char > column_w - 6
if (askew) {
	# The last one leans over the edge of the last column.
	right_w = max(16, min(strlen(column_name[columns]), 22) * char * 0.87 - \
		column_w / 2 + 8)
	names_h = min(longest, 22) * char * 0.5 + 20
	column_w = (W - names_w - right_w) / (1.0 * columns)
}

legends = 0
legend = ''
legend_h = 0
H = int(head + names_h + rows * row_h + 12 + foot)
file = name.'.tsv'
# Columns too narrow for "~ +12.3 %" have no percent sign and smaller print.
small = column_w < 72
brief(text) = small && text[strlen(text):*] eq '%' ? \
	text[1:strlen(text) - 2] : text
limit(v) = v > scale ? scale : v < -scale ? -scale : v

do for [theme in 'light dark'] {
do for [form in 'svg png'] {
	load 'tdmem-begin.gp'
	set lmargin at screen X(names_w)
	set rmargin at screen X(W - right_w)
	set tmargin at screen Y(head + names_h)
	set bmargin at screen Y(head + names_h + rows * row_h)
	set border 0
	unset grid
	set xrange [-0.5:columns - 0.5]
	set yrange [rows - 0.5:-0.5]
	unset xtics
	unset ytics
	unset colorbox
	if (theme eq 'dark') {
		set palette defined (-1 '#8F3F00', 0 '#22272C', 1 '#00568A')
	} else {
		set palette defined (-1 '#F0A35E', 0 '#F4F4F4', 1 '#7FBBE3')
	}
	set cbrange [-scale:scale]
	do for [r=1:rows] {
		set label cut(row[r], names_w - 10 - strlen(at[r]) * char). \
			at[r] at screen X(names_w - 8), first r - 1 right \
			textcolor rgb ink
	}
	do for [c=1:columns] {
		if (askew) {
			set label cut(column_name[c], 22 * char) at \
				first c - 1, screen Y(head + names_h - 8) \
				left rotate by 30 textcolor rgb ink
		} else {
			set label column_name[c] at first c - 1, \
				screen Y(head + names_h - 12) center \
				textcolor rgb ink
		}
	}
	size = (small ? 9.5 : 12) * (form eq 'svg' ? 1 : 0.75)
	plot file using (strcol(4) eq 'ok' ? 1/0 : $1):2: \
			($1 - 0.48):($1 + 0.48):($2 - 0.46):($2 + 0.46) with \
			boxxyerror fillstyle solid 1 noborder \
			fillcolor rgb grid_colour notitle, \
		file using ($3 == $3 ? $1 : 1/0):2: \
			($1 - 0.48):($1 + 0.48):($2 - 0.46):($2 + 0.46): \
			(limit($3)) with boxxyerror \
			fillstyle solid 1 noborder fillcolor palette notitle, \
		file using 1:2:(brief(strcol(5))) with labels \
			font ','.sprintf('%g', size) textcolor rgb ink notitle
	unset multiplot
	unset output
}}
