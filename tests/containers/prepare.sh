#!/bin/sh
# Installs the container engine and debootstrap where they are missing and this is root on Debian (or Ubuntu), makes a root file system with
# Debian's Python 3.13 once, and prints where its archive is.
set -eu
cache="${XDG_CACHE_HOME:-$HOME/.cache}/retainstream"
archive="$cache/debian-trixie-python3.13.tar"

refuse() {
	echo "The tests in Lambda containers need $1" >&2
	exit 1
}

[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || refuse "Linux on x86-64: functions are run as they are shipped for that processor."
[ "$(id -u)" = 0 ] || refuse "root: they start a container engine of their own."
for program in dockerd:docker.io docker:docker.io debootstrap:debootstrap ip:iproute2; do
	command -v "${program%:*}" >/dev/null && continue
	grep -qE '^ID=(debian|ubuntu)' /etc/os-release 2>/dev/null || refuse "${program%:*}, and none was found. Install it."
	echo "Installing ${program#*:}" >&2
	{ apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${program#*:}"; } >/dev/null ||
		refuse "${program%:*}, and apt-get could not install ${program#*:}."
done

if [ ! -s "$archive" ]; then
	echo "Making a root file system with Debian's Python 3.13, which is kept in $cache" >&2
	mkdir -p "$cache"
	work="$(mktemp -d "$cache/root-XXXXXX")"
	trap 'rm -rf "$work"' EXIT
	mirror="$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' 2>/dev/null | head -n 1)"
	debootstrap --variant=minbase --include=python3,ca-certificates trixie "$work/root" ${mirror:+"$mirror"} >"$work/log" 2>&1 || {
		tail -n 20 "$work/log" >&2
		refuse "a root file system, and debootstrap could not make one."
	}
	rm -rf "$work/root/var/cache/apt" "$work/root/var/lib/apt/lists"
	tar -C "$work/root" --one-file-system -cf "$work/archive.tar" .
	mv "$work/archive.tar" "$archive"
fi
echo "$archive"
