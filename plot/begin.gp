# SPDX-License-Identifier: GPL-2.0-only
#
# Begin one form of a picture: theme ('light', 'dark') and form ('svg',
# 'png') are set.  Draws title, legend and footer; panels come after it.
# legend: 'lines' or 'boxes'; legends: how many; entry[i]: their texts.

reset
set encoding utf8
if (theme eq 'dark') {
	ground = '#14171A'
	ink = '#E8E8E8'
	faint = '#A8B0B8'
	grid_colour = '#343A40'
} else {
	ground = '#FFFFFF'
	ink = '#1A1A1A'
	faint = '#595F66'
	grid_colour = '#DDDDDD'
}
if (form eq 'svg') {
	set terminal svg size W,H noenhanced font 'sans-serif,12' \
		background ground linewidth 1
} else {
	set terminal pngcairo size W,H noenhanced font 'sans-serif,9' \
		background ground linewidth 1
}
set output name.'-'.theme.'.'.form
set datafile separator "\t"
set multiplot

set border 0
unset tics
set xrange [0:1]
set yrange [0:1]
set lmargin at screen 0
set rmargin at screen 1
# Higher than the legend, which needs some air to be laid out.
set tmargin at screen Y(H - foot - legend_h - 40)
set bmargin at screen Y(H - foot + 40)
# In SVG gnuplot takes a weight for a part of the font's name.
big = form eq 'svg' ? 'sans-serif,15' : 'sans-serif:Bold,11.25'
set label 1 cut(title, (W - 20) / 1.3) at screen X(12), screen Y(16) \
	left font big textcolor rgb ink
both = subtitle.(summary eq '' ? '' : ': '.summary)
if (strlen(both) * char > W - 24) { both = cut(subtitle, W - 24) }
set label 2 both at screen X(12), screen Y(36) left \
	textcolor rgb faint
do for [t=1:foot_texts] {
	set label cut(foot_text[t], W - 24) at screen X(12), \
		screen Y(H - foot + 17 * t - 6) left textcolor rgb faint
}

if (legends > 0) {
	set key inside center center horizontal Left reverse \
		textcolor rgb ink samplen 2.5 spacing 1.1 maxcols \
		legend_columns(legend_w)
}
if (legends > 0 && legend eq 'lines') {
	plot NaN notitle, for [i=1:lines] keyentry with linespoints \
		linecolor rgb colour(i) dashtype dashes(i) linewidth 2 \
		pointtype point(i) title entry[i], \
		for [i=lines+1:legends] keyentry with lines \
		linecolor rgb faint dashtype 3 linewidth 1.5 title entry[i]
}
if (legends > 0 && legend eq 'boxes') {
	plot NaN notitle, for [i=1:legends] keyentry with boxes \
		fillstyle solid 1 noborder fillcolor rgb colour(i) \
		title entry[i]
}
if (legends == 0) {
	plot NaN notitle
}
unset label
unset key
set border 3 linecolor rgb faint linewidth 1
set grid xtics ytics linetype 1 linecolor rgb grid_colour linewidth 0.7
set tics nomirror out scale 0.6 textcolor rgb ink
# In SVG gnuplot's lines are higher, and what is below axes is further down.
label_up = form eq 'svg' ? 1.0 : 0.4
set xtics offset 0,(form eq 'svg' ? 0.4 : 0)
