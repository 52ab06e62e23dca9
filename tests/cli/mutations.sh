#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Each patch in tests/mutations breaks the model of the module or of KVM, and
# names a claim of configs/explore that must then be decided otherwise.  The
# patched file is compiled and linked before the library, which the program
# TDMEM was linked with; nothing else is built.

. "$(dirname "$0")/lib.sh"

build=$(dirname "$TDMEM")
cd "$root" || exit 1

if [ ! -e "$build/libtdmem.a" ] || [ ! -e "$build/bench/tdmem.o" ]; then
	skip "the library is not beside $TDMEM"
	finish
fi
flags=(-std=gnu11 -O1 -w)
case $(basename "$build") in
address* | undefined* | thread*)
	flags+=("-fsanitize=$(basename "$build" | tr - ,)") ;;
esac
read -ra libs <<<"$(env -u MAKEFLAGS -u MFLAGS make -s --no-print-directory \
	-C "$root" print-libs)"

# mutant PATCH: the program with that patch is $dir/tdmem
mutant() {
	local file
	file=$(sed -n 's|^--- a/||p' "$1")
	rm -rf "$dir/tree"
	mkdir -p "$dir/tree/$(dirname "$file")"
	cp "$file" "$dir/tree/$file"
	patch -s -p1 -d "$dir/tree" <"$1" &&
		"${CC:-gcc}" "${flags[@]}" -I"$root" -c -o "$dir/mutated.o" \
			"$dir/tree/$file" &&
		"${CC:-gcc}" "${flags[@]}" -o "$dir/tdmem" \
			"$build/bench/tdmem.o" "$dir/mutated.o" \
			"$build/libtdmem.a" "${libs[@]}"
}

for patch in "$root"/tests/mutations/*.patch; do
	name=$(basename "$patch" .patch)
	claim=$(sed -n 's/^# claim: //p' "$patch")
	mutant "$patch" 2>"$err" || {
		fail "$name: cannot be built"
		continue
	}
	check "$name: $claim does find it" \
		status 3 "$dir/tdmem" explore --scenario "$claim"
done

finish
