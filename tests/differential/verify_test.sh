#!/usr/bin/env bash
# A few random clusters through podwire verify: full agreement is required. make soak N=200 takes more.
. "$(dirname "$0")/lib.sh"
needs python3 iptables-restore ip6tables-restore ipset
"$root/tests/differential/fidelity.sh" "${CLUSTERS:-3}" "${SEED:-7}"
