#!/usr/bin/env bash
# A few random clusters through podwire verify: full agreement is required. make soak N=200 takes more.
set -uo pipefail
cd "$(dirname "$0")/../.."
skip() { echo "skipped: $1"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }
unshare -Urnm true 2>/dev/null || unshare -nm true 2>/dev/null || skip "this machine does not allow network namespaces"
for tool in python3 iptables-restore ip6tables-restore ipset; do command -v $tool >/dev/null || [ -x /usr/sbin/$tool ] || skip "$tool is not installed"; done
exec tests/differential/fidelity.sh ${CLUSTERS:-3} ${SEED:-7}
