#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Unpack the newest version of a package that newer suites of this machine's
# own mirror have, without touching the system's sources.  It is kept and used
# again; remove the folder to look for a newer one.
#
# Usage: newer.sh PACKAGE FOLDER SUITE...
# Prints the folder's subfolder that it is unpacked in.  Exit status 1 with the
# reason on stderr when it can't be had.

set -eu

fail() {
	echo "newer.sh: $*" >&2
	exit 1
}

[ $# -ge 3 ] || fail "usage: newer.sh PACKAGE FOLDER SUITE..."
package=$1 folder=$2
shift 2
if [ -d "$folder/$package" ]; then
	echo "$folder/$package"
	exit
fi
command -v apt-get >/dev/null && command -v dpkg >/dev/null ||
	fail "no apt-get: this is not a Debian-like system"
# Of a machine with several archives, the one that has the main suites.
site=$(apt-get indextargets --format '$(SITE)' | sort -u | grep -v security |
	head -n 1)
[ -n "$site" ] || fail "apt knows no archive: apt-get update?"

mkdir -p "$folder"
work=$(mktemp -d "$(cd "$folder" && pwd)/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
for suite in "$@"; do
	echo "deb $site $suite main" >>"$work/sources"
done
apt() { # program argument...
	program=$1
	shift
	(cd "$work" && timeout 120 "$program" -qq \
		-o Dir::Etc::sourcelist="$work/sources" \
		-o Dir::Etc::sourceparts=- -o Dir::State::lists="$work/lists" \
		-o Dir::Cache="$work/cache" -o APT::Sandbox::User=root "$@") \
		>"$work/log" 2>&1
}
apt apt-get update || fail "$site: $(tail -n 1 "$work/log")"
apt apt-cache madison "$package" || true
version=$(cut -d'|' -f2 "$work/log" | tr -d ' ' | sort -V | tail -n 1)
[ -n "$version" ] || fail "no $package in $* of $site"
apt apt-get download "$package=$version" ||
	fail "cannot download $package $version: $(tail -n 1 "$work/log")"
dpkg -x "$work"/*.deb "$work/root"
echo "$version" >"$work/root/version"
mv "$work/root" "$folder/$package"
echo "$folder/$package"
