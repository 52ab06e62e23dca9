#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Install what building, running and testing tdmem needs and this machine
# lacks, by the distribution's packages.  Says what and why, changes nothing
# else.  Usage: install-packages.sh [build|check]

set -eu

what=${1:-build}

# package, the set that needs it, why
packages() {
	cat <<-LIST
	gcc build the compiler
	libc6-dev build the C library's headers
	make build the build
	pkg-config build finds the libraries' flags
	libjansson-dev build JSON: configs, results, module scripts
	libhwloc-dev build topology of this host and of modelled ones
	libutf8proc-dev build the width of names in tables
	zlib1g-dev build deflate: HdrHistogram's logs
	libpfm4-dev build names of performance counters
	libjs-dygraphs build the charts of the dashboard, built into the program
	systemtap-sdt-dev build the static probes of the backend threads
	gnuplot-nox build draws the pictures of tdmem plot
	libbpf-dev check loads the probe of a running kernel
	libcmocka-dev check unit tests
	clang check the second compiler, and compiles the probe for BPF
	libclang-rt-dev check the thread sanitizer, for the backend threads
	gdb check stops at the static probes
	linux-perf check runs beside tdmem run --perf
	pcm check runs beside tdmem run --pcm, or says why it cannot
	patch check breaks the model, to see that claims find it
	spin check checks the second model of a removal, in Promela
	python3-jsonschema check holds results and configs to their schemas
	python3-prometheus-client check reads exported OpenMetrics
	default-jre-headless check runs HdrHistogram's own programs
	libhdrhistogram-java check reads exported histograms
	mandoc check reads the manual pages
	chromium check the dashboard in a real browser
	chromium-driver check drives that browser
	python3-selenium check the browser tests are written with it
	qemu-system-x86 check emulates a machine with KVM
	busybox-static check the user space of that machine
	xz-utils check unpacks modules of its kernel
	LIST
}

missing() {
	packages | while read -r name set why; do
		[ "$set" = build ] || [ "$what" = check ] || continue
		dpkg-query -W -f '${Status}' "$name" 2>/dev/null |
			grep -q 'ok installed' || echo "$name: $why"
	done
}

if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "This is not a Debian-like system: nothing is installed." >&2
	echo "tdmem needs (names as in Debian):" >&2
	packages | while read -r name set why; do
		echo "  $name ($why)" >&2
	done
	exit 0
fi

list=$(missing)
[ -n "$list" ] || exit 0

echo "Missing packages, to be installed by apt-get:" >&2
echo "$list" | sed 's/^/  /' >&2

sudo=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null 2>&1 || {
		echo "Neither root nor sudo: install them yourself." >&2
		exit 1
	}
	sudo=sudo
fi
names=$(echo "$list" | cut -d: -f1)
export DEBIAN_FRONTEND=noninteractive
install() {
	# shellcheck disable=SC2086
	$sudo apt-get install -y -qq --no-install-recommends \
		-o Dpkg::Use-Pty=0 $names >&2
}
# The index of packages may be missing or old: fetch it when that is so.
install 2>/dev/null || {
	$sudo apt-get update -qq >&2
	install
}
