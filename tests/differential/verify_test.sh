#!/usr/bin/env bash
# A few random clusters through podwire verify, and one of both families with an ingress controller, a Gateway and probes: full agreement is required.
# make soak N=200 takes more.
. "$(dirname "$0")/lib.sh"
needs python3 iptables-restore ip6tables-restore ipset
clusters() { "$root/tests/differential/fidelity.sh" "$@" >"$work/log" 2>&1; grep -v ' passed, ' "$work/log"; add_up "$work/log"; }
clusters "${CLUSTERS:-3}" "${SEED:-7}"
needs haproxy
REQUESTS=1 FAMILY=dual clusters 1 "${SEED:-7}"
finish
