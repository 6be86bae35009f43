#!/bin/sh
# Prints the path of Chromium. Without Chromium, it is installed first when this runs as root on Debian.
find_chromium() {
	for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome-stable google-chrome; do
		[ -n "$name" ] && command -v "$name" && return
	done
	return 1
}

find_chromium && exit
if [ "$(id -u)" = 0 ] && grep -q '^ID=debian' /etc/os-release 2>/dev/null; then
	echo "Installing Chromium" >&2
	{ apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium; } >/dev/null && find_chromium && exit
fi
cat >&2 <<-END
	The tests in a browser need Chromium, which was not found. Install it (Debian: apt-get install chromium; Ubuntu: Google
	Chrome's package; Fedora: dnf install chromium; macOS: brew install --cask chromium), or name it: CHROMIUM=/path/to/chromium make e2e
END
exit 1
