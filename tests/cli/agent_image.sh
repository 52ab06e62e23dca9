#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The guest agent's image is the same bytes whoever builds it where, since what
# a TD was measured with must be what somebody else can build; and it fits.

. "$(dirname "$0")/lib.sh"

unset MAKEFLAGS MFLAGS MAKELEVEL

# FOLDER O VARIABLE...: from a copy of what it is made of
build() {
	local folder=$1 o=$2
	shift 2
	mkdir -p "$folder"
	cp -r "$root/Makefile" "$root/guest-agent" "$folder/"
	env -i PATH="$PATH" "$@" make -s -C "$folder" O="$o" \
		"$o/guest-agent/image.bin" >"$out" 2>"$err"
}

check "it is built" build "$dir/one" build
check "it is built somewhere else, by somebody else" \
	build "$dir/some where/else/deeper" "$dir/objects" \
	CFLAGS=-O0 LC_ALL=C.UTF-8 TZ=Asia/Tokyo USER=nobody HOME=/nonexistent
one=$dir/one/build/guest-agent/image.bin
check "the same bytes" cmp "$one" "$dir/objects/guest-agent/image.bin"
check "at most 64 KiB" [ "$(stat -c %s "$one")" -le 65536 ]

# Of the file at its place in the program, which the host copies.
in_program() {
	$python - "$one" "$TDMEM" <<-'EOF'
		import sys
		image, program = (open(p, "rb").read() for p in sys.argv[1:])
		sys.exit(image not in program)
	EOF
}
if cmp -s "$one" "$(dirname "$TDMEM")/guest-agent/image.bin"; then
	check "it is the one in the program" in_program
else
	skip "the program was built by another compiler"
fi
finish
