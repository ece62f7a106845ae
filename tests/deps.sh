#!/usr/bin/env bash
# Installs the Debian packages that podwire's build and tests need and that are not there yet: as root or by sudo; else it says the one line.
set -euo pipefail
packages="gcc make pkg-config clang libclang-rt-14-dev libcjson-dev libyaml-dev libsqlite3-dev zlib1g-dev libgraphviz-dev graphviz fonts-liberation libncurses-dev libmnl-dev libnftables-dev libcunit1-dev
	nftables iptables ipset iproute2 containernetworking-plugins bird2 haproxy dnsmasq-base tmux openssl python3 tzdata"
missing=
for p in $packages; do
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ]; then as=; elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then as=sudo; else
	echo "podwire needs these packages:  apt install$missing" >&2
	exit 3
fi
echo "installing:$missing"
$as apt-get update -qq
DEBIAN_FRONTEND=noninteractive $as apt-get install -y -qq --no-install-recommends $missing >/dev/null
