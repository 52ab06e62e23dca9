# SPDX-License-Identifier: GPL-2.0-only
#
# Sourced by run.sh: where the rig's kernel and QEMU come from.  Debian's
# backports have newer ones than a Debian 12; they are fetched with package
# lists of our own and unpacked into $dir, so that the system's sources and
# packages stay as they are.  What cannot be had falls back to the system's.
#
# Sets $kernel and $modules (empty: all is built in), $qemu and $machine.
# shellcheck shell=sh disable=SC2016,SC2154

kernel_pattern='^linux-binary-7\.2\.[0-9]+\+[a-z0-9]+-cloud-amd64$'
older_pattern='^linux-image-6\.12\..*-cloud-amd64$'

no_rig() {
	echo "rig: $*" >&2
	exit 125
}

need() { # program package
	command -v "$1" >/dev/null 2>&1 || no_rig "no $1: install $2"
}

# apt with the lists of the backports; all it keeps is in $dir/apt.
newer() { # program argument...
	program=$1
	shift
	"$program" -o "Dir::Etc::sourcelist=$dir/apt/sources" \
		-o Dir::Etc::sourceparts=- \
		-o "Dir::State::lists=$dir/apt/lists" \
		-o "Dir::Cache=$dir/apt/cache" -o APT::Sandbox::User=root \
		-o Acquire::Retries=1 -o Acquire::http::Timeout=15 "$@"
}

# The mirror that this system gets its own release from.
mirror() {
	# shellcheck disable=SC1091
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	apt-get indextargets --format '$(SITE) $(RELEASE)' 2>/dev/null |
		awk -v release="$codename" '$2 == release { print $1; exit }'
}

# A day later it is tried again.
gave_up() {
	[ -n "$(find "$dir/apt/failed" -mmin -1440 2>/dev/null)" ]
}

give_up() { # why
	echo "rig: nothing newer than this system's: $*" >&2
	mkdir -p "$dir/apt"
	: >"$dir/apt/failed"
	return 1
}

# Once a run.
update() {
	[ -z "${updated:-}" ] || return 0
	site=$(mirror)
	[ -n "$site" ] || give_up "no mirror of Debian known" || return 1
	mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial"
	for suite in bookworm-backports trixie-backports; do
		echo "deb $site $suite main"
	done >"$dir/apt/sources"
	newer apt-get update -qq >&2 || give_up "apt-get update" || return 1
	updated=yes
}

# Download packages and unpack them together as $dir/NAME.
unpack() { # apt name package...
	apt=$1 goal=$2
	shift 2
	into=$(mktemp -d "$dir/fetch.XXXXXX")
	if (cd "$into" && $apt download -qq "$@" >&2); then
		for deb in "$into"/*.deb; do
			dpkg -x "$deb" "$into/root"
		done
		rm -rf "${dir:?}/$goal"
		mv "$into/root" "$dir/$goal"
	fi
	rm -rf "$into"
	[ -d "$dir/$goal" ]
}

# The newest of the packages with such a name.
newest() { # apt-cache pattern
	$1 search --names-only "$2" 2>/dev/null | cut -d' ' -f1 | sort -V |
		tail -n 1
}

fetch_newer_kernel() {
	! gave_up && update || return 1
	name=$(newest "newer apt-cache" "$kernel_pattern")
	[ -n "$name" ] || give_up "no linux-binary-7.2.*" || return 1
	unpack "newer apt-get" newer "$name" \
		"$(echo "$name" | sed 's/^linux-binary/linux-modules/')" ||
		give_up "cannot download $name"
}

fetch_older_kernel() {
	name=$(newest apt-cache "$older_pattern")
	[ -n "$name" ] ||
		no_rig "no linux-image-6.12.*-cloud-amd64: apt-get update?"
	unpack "apt-get -o APT::Sandbox::User=root" older "$name" ||
		no_rig "cannot download $name"
}

# Sets $tree: where what was fetched is.
find_tree() {
	need apt-get apt
	tree=$dir/newer
	[ ! -d "$tree" ] && ! fetch_newer_kernel || return 0
	tree=$dir/older
	[ -d "$tree" ] || fetch_older_kernel
}

in_tree() { # name of a file
	find "$tree" -name "$1" | head -n 1
}

find_kernel() {
	modules=
	if [ -n "${TDMEM_RIG_KERNEL:-}" ]; then
		kernel=$TDMEM_RIG_KERNEL
		[ -r "$kernel" ] || no_rig "cannot read $kernel"
		return
	fi
	find_tree
	kernel=$(in_tree 'vmlinuz*')
	for name in irqbypass kvm kvm-amd; do
		modules="$modules $(in_tree "$name.ko*")"
	done
}

# Its major version; nothing when it does not run.
qemu_version() { # program
	"$1" --version 2>/dev/null | sed -n '1s/.*version \([0-9]*\).*/\1/p'
}

fetch_qemu() {
	! gave_up && update || return 1
	version=$(newer apt-cache madison qemu-system-x86 |
		awk '$3 ~ /:10\..*bpo12/ { print $3; exit }')
	[ -n "$version" ] || give_up "no QEMU 10 for Debian 12" || return 1
	unpack "newer apt-get" qemu "qemu-system-x86=$version" \
		"qemu-system-common=$version" "qemu-system-data=$version" ||
		give_up "cannot download QEMU $version"
}

# With 7.2 two threads of emulation crash now and then.
find_qemu() {
	own=$dir/qemu/usr/bin/qemu-system-x86_64
	share=
	threads=multi
	qemu=qemu-system-x86_64
	if [ "$(qemu_version "$qemu")" -lt 10 ]; then
		if { [ -x "$own" ] || fetch_qemu; } &&
			[ -n "$(qemu_version "$own")" ]; then
			qemu=$own
			share="-L $dir/qemu/usr/share/qemu
				-L /usr/share/seabios -L /usr/share/qemu"
		else
			threads=single
		fi
	fi
	machine="-machine q35 -accel tcg,thread=$threads -cpu EPYC -smp 2
		-m 1G $share"
}
