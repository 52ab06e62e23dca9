#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Run a program on a kernel with a real /dev/kvm, whatever this machine has:
# QEMU emulates a CPU with nested SVM and boots a kernel with an initramfs of
# busybox, the program and the libraries that it is linked with.  It is for
# function, not for performance: an exit takes about 140 us there.
#
# Usage: run.sh PROGRAM [ARG...]
# The program's stdout and stderr come to stdout.  Exit status: the program's,
# 126 if that is above 126 or it was killed; 125 when there is no rig here, for
# the reason on stderr; 124 when it did not end in time.
#
# TDMEM_RIG_KERNEL   an image with KVM, AMD's part and virtio built in; without
#                    it Debian's cloud kernel, fetched by apt-get
# TDMEM_RIG_DIR      where that kernel and a newer QEMU are kept (build/rig)
# TDMEM_RIG_FILES    more files for the folder that the program runs in
# TDMEM_RIG_SECONDS  limit of the whole (60)

set -eu

dir=${TDMEM_RIG_DIR:-$(dirname "$0")/../../build/rig}
seconds=${TDMEM_RIG_SECONDS:-60}
append='console=ttyS0 quiet panic=-1 oops=panic mitigations=off nokaslr
	cryptomgr.notests no_timer_check tsc=reliable'
# shellcheck source=tests/rig/fetch.sh
. "$(dirname "$0")/fetch.sh"

# What a file is linked with, at the same paths; nothing for other files.
add_libraries() { # root file
	ldd "$2" 2>/dev/null | grep -o '/[^ ]*' | while read -r lib; do
		mkdir -p "$1$(dirname "$lib")"
		cp -L "$lib" "$1$lib"
	done
}

add_program() { # root program
	cp "$2" "$1/rig/program"
	add_libraries "$1" "$2"
	for file in ${TDMEM_RIG_FILES:-}; do
		cp -RL "$file" "$1/rig/"
		add_libraries "$1" "$file"
	done
}

add_modules() { # root
	for module in $modules; do
		name=$(basename "${module%.xz}")
		case $module in
		*.xz) xz -dc "$module" >"$1/modules/$name" ;;
		*) cp "$module" "$1/modules/$name" ;;
		esac
		echo "insmod /modules/$name" >>"$1/load"
	done
}

# The program's words as one line of shell.
quoted() {
	for word in "$@"; do
		printf " '"
		printf '%s' "$word" | sed "s/'/'\\\\''/g"
		printf "'"
	done
}

# A status has 7 bits on its way out: QEMU exits with 2 * status + 1.
add_init() { # root argument...
	root=$1
	shift
	cat >"$root/init" <<-INIT
	#!/bin/sh
	PATH=/bin
	mount -t proc none /proc
	mount -t sysfs none /sys
	mount -t devtmpfs none /dev
	mount -t debugfs none /sys/kernel/debug
	. /load
	mount -t tmpfs none /tmp
	cd /rig
	./program$(quoted "$@") >/dev/vport0p1 2>&1 </dev/null
	status=\$?
	[ \$status -le 126 ] || status=126
	/bin/leave \$status
	poweroff -f
	INIT
	chmod 755 "$root/init"
}

initramfs() { # root archive
	(cd "$1" && find . | busybox cpio -o -H newc 2>/dev/null) >"$2"
}

[ $# -ge 1 ] || no_rig "usage: run.sh PROGRAM [ARG...]"
[ "$(uname -m)" = x86_64 ] || no_rig "this is not an x86-64 machine"
need qemu-system-x86_64 qemu-system-x86
need busybox busybox-static
need xz xz-utils
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
find_kernel
find_qemu

work=$(mktemp -d "$dir/run.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 125' INT TERM
for name in bin proc sys dev tmp rig modules; do
	mkdir -p "$work/root/$name"
done
${CC:-cc} -O2 -static -o "$work/root/bin/leave" "$(dirname "$0")/leave.c" ||
	no_rig "cannot build leave.c"
cp "$(command -v busybox)" "$work/root/bin/busybox"
for applet in sh mount insmod poweroff cat rm; do
	ln -s busybox "$work/root/bin/$applet"
done
: >"$work/root/load"
add_modules "$work/root"
add_program "$work/root" "$1"
shift
add_init "$work/root" "$@"
initramfs "$work/root" "$work/initrd"

: >"$work/out"
status=0
# shellcheck disable=SC2086
timeout -k 5 "$seconds" "$qemu" $machine -nodefaults \
	-no-user-config -display none -serial "file:$work/console" -no-reboot \
	-device isa-debug-exit,iobase=0xf4,iosize=1 \
	-device virtio-serial-pci -chardev "file,id=o,path=$work/out" \
	-device virtserialport,chardev=o,name=out \
	-kernel "$kernel" -initrd "$work/initrd" -append "$(echo $append)" \
	>"$work/qemu" 2>&1 </dev/null || status=$?
cat "$work/out"
case $status in
*[13579]) exit $((status / 2)) ;;
124 | 137)
	echo "rig: did not end within $seconds s" >&2
	code=124 ;;
*)
	echo "rig: QEMU ended with $status and no status of the program" >&2
	code=125 ;;
esac
grep -v "TCG doesn't support" "$work/qemu" >&2 || true
cat "$work/console" >&2
exit $code
