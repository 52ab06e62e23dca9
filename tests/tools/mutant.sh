# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The program with a patch of tests/mutations, for scripts that have sourced
# tests/cli/lib.sh.  The patched file is compiled and linked before the
# library that the program TDMEM was linked with; nothing else is built.

mutant_build=$(dirname "$TDMEM")
mutant_flags=(-std=gnu11 -O1 -w)
case $(basename "$mutant_build") in
address* | undefined* | thread*)
	mutant_flags+=("-fsanitize=$(basename "$mutant_build" | tr - ,)") ;;
esac
read -ra mutant_libs <<<"$(env -u MAKEFLAGS -u MFLAGS make -s \
	--no-print-directory -C "$root" print-libs)"

# Is what it is linked with there?  Else a skip says so.
can_mutate() {
	[ -e "$mutant_build/libtdmem.a" ] &&
		[ -e "$mutant_build/bench/tdmem.o" ] && return
	skip "the library is not beside $TDMEM"
	return 1
}

# mutant PATCH: the program with that patch is $dir/tdmem
mutant() {
	local file
	file=$(sed -n 's|^--- a/||p' "$1")
	rm -rf "$dir/tree"
	mkdir -p "$dir/tree/$(dirname "$file")"
	cp "$root/$file" "$dir/tree/$file"
	patch -s -p1 -d "$dir/tree" <"$1" &&
		"${CC:-gcc}" "${mutant_flags[@]}" -I"$root" -c \
			-o "$dir/mutated.o" "$dir/tree/$file" &&
		"${CC:-gcc}" "${mutant_flags[@]}" -o "$dir/tdmem" \
			"$mutant_build/bench/tdmem.o" "$dir/mutated.o" \
			"$mutant_build/libtdmem.a" "${mutant_libs[@]}"
}
