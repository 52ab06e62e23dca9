# SPDX-License-Identifier: GPL-2.0-only
#
# What all pictures have in common: colours, sizes, how texts are cut.  W is
# the width in pixels; the height follows from what there is to show.

set encoding utf8
font = 12.0                     # pixels
char = 7.2                      # pixels, of an average character
line = 18.0                     # pixels from one line of text to the next

# Okabe and Ito's colours, which readers with any colour vision can tell
# apart, in an order that begins with the strongest contrasts.  What is too
# faint on the ground of a theme is replaced by a darker or lighter one.
light_colours = '#0072B2 #D55E00 #009E73 #CC79A7 #E69F00 #56B4E9 #000000 #8A7A00'
dark_colours  = '#56B4E9 #E8702A #00B584 #CC79A7 #F0E442 #3D8FD1 #FFFFFF #E69F00'
colour(i) = word(theme eq 'dark' ? dark_colours : light_colours, (i - 1) % 8 + 1)

# Points and dashes differ as well; after eight lines dashes go on alone.
point(i) = int(word('7 5 9 11 13 6 4 8 10 12 1 2', (i - 1) % 12 + 1))
dashes(i) = (i - 1) % 5 + 1

cut(text, pixels) = strlen(text) * char <= pixels ? text : \
	text[1:int(pixels / char) - 2].'..'
max(a, b) = a > b ? a : b
min(a, b) = a < b ? a : b

# Screen coordinates of pixels from the left and from the top.
X(pixels) = pixels / (W * 1.0)
Y(pixels) = 1 - pixels / (H * 1.0)

head = 50.0                     # title and subtitle

# The footer: parts that end in '; ', as many to a line as there is room for.
array foot_text[40]
foot_texts = 0
do for [t=1:2] {
	rest = t == 1 ? footer : note
	filled = ''
	while (strlen(rest) > 0) {
		end = strstrt(rest, '; ')
		piece = end ? rest[1:end + 1] : rest
		rest = end ? rest[end + 2:*] : ''
		if (filled ne '' && strlen(filled.piece) * char > W - 24) {
			foot_texts = foot_texts + 1
			foot_text[foot_texts] = filled
			filled = ''
		}
		filled = filled.piece
	}
	foot_texts = foot_texts + 1
	foot_text[foot_texts] = filled
}
foot = foot_texts * 17.0 + 10

# Entries of so many pixels each fill rows.
legend_columns(width) = max(1, floor((W - 20) / width))
legend_height(n, width) = ceil(n / (1.0 * legend_columns(width))) * line + 8
