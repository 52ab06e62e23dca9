#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make install into a folder: what is there runs from anywhere, and the manual
# pages are well-formed and tell every option of --help.  TDMEM names the
# program.

. "$(dirname "$0")/lib.sh"

env -u MAKEFLAGS -u MFLAGS make -s -C "$root" O="$(dirname "$TDMEM")" \
	DESTDIR="$dir/root" prefix=/opt/t install >"$dir/log" 2>&1
check "make install" [ $? -eq 0 ]
check "make install: says nothing" [ ! -s "$dir/log" ]
tree=$dir/root/opt/t
share=$tree/share/tdmem
check "nothing is outside of prefix" [ "$(ls "$dir/root" "$dir/root/opt" |
	tr '\n' ' ')" = "$dir/root: opt  $dir/root/opt: t " ]

mkdir "$dir/cwd"
cd "$dir/cwd" || exit 1
check "the program runs" "$tree/bin/tdmem" --version >/dev/null
check "an installed config runs from anywhere" "$tree/bin/tdmem" run \
	"$share/configs/quick.json" --set 'workloads=["track"]' \
	--set 'axes.vcpus=[1]' --set repeat.count=1 -q -o r.json >/dev/null
for f in $(cd "$root" && find configs -name '*.json'); do
	check "$f is there" cmp -s "$root/$f" "$share/$f"
done
for f in "$root"/results/*.schema.json; do
	check "$f is there" cmp -s "$f" "$share/schemas/$(basename "$f")"
done
for f in "$root"/contrib/nightly/nightly.sh \
	"$root"/contrib/nightly/tdmem-nightly.*; do
	check "$f is there" cmp -s "$f" "$share/nightly/$(basename "$f")"
done
check "documents are there" [ -s "$tree/share/doc/tdmem/export.md" ]

# ------------------------------------------------------------ manual pages

# Every --option of --help stands in the page.
tells_all() { # command, page
	local option
	for option in $("$TDMEM" "$1" --help |
		sed -n 's/^  .* --\([a-z-]*\).*/\1/p'); do
		grep -qF -- "--$option" "$2" || {
			echo "    --$option is missing"
			return 1
		}
	done
}

# The date would be that of the build, and no two builds the same.
lint() { # page
	local found
	found=$(mandoc -T lint -W warning "$1" | grep -v 'WARNING: missing date')
	[ -z "$found" ] || { echo "$found"; return 1; }
}

man=$tree/share/man/man1
commands=$("$TDMEM" --help | sed -n 's/^  tdmem \([a-z]*\) .*/\1/p')
check "commands are found" [ "$(echo "$commands" | wc -l)" -ge 6 ]
check "a page a command, and one of the program" \
	[ "$(ls "$man" | wc -l)" -eq $(($(echo "$commands" | wc -l) + 1)) ]
for command in "" $commands; do
	page=$man/tdmem${command:+-$command}.1
	check "$page is there" [ -s "$page" ]
	if ! command -v mandoc >/dev/null; then
		skip "$(basename "$page"): mandoc is not installed"
		continue
	fi
	check "$page: well-formed" lint "$page"
	mandoc -T ascii "$page" | sed 's/.\x08//g' >"$dir/text"
	check "$page: 80 columns" [ "$(wc -L <"$dir/text")" -le 80 ]
	[ -z "$command" ] || check "$page: all options" \
		tells_all "$command" "$dir/text"
done

finish
