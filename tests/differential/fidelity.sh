#!/usr/bin/env bash
# fidelity.sh [CLUSTERS] [FIRST-SEED]: random clusters in real namespaces, each read back and asked in full (podwire verify): every Pod network, both modes of kube-proxy,
# IPv4, IPv6 and dual stack in turn. A line for each that differs; the table of docs/fidelity.md; N passed, N failed, N skipped.
set -uo pipefail
cd "$(dirname "$0")/../.."
podwire=${PODWIRE:-$PWD/build/podwire} work=$(mktemp -d) n=${1:-200} seed=${2:-1}; trap 'rm -rf "$work"' EXIT
cnis=(calico flannel bridge) modes=(nftables iptables) families=(ipv4 dual ipv6)
sum() { python3 - "$work/all" <<'PY'
import collections, sys
rows = collections.OrderedDict()
for line in open(sys.argv[1]):
    cni, mode, family, rc, items, pairs, tries, agree, asked, *_ = line.split()
    for key in ((cni, mode), ("all", "")):
        r = rows.setdefault(key, [0] * 6)
        for i, v in enumerate((1, int(items), int(pairs), int(tries), int(agree), int(rc != "0"))):
            r[i] += v
rows.move_to_end(("all", ""))
print("| Pod network | kube-proxy | clusters | links, addresses, neighbours, routes read back | connections | tries | agree | clusters that differ |")
print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
for (cni, mode), r in rows.items():
    print("| %s | %s | %d | %d | %d | %d | %d | %d |" % (cni, mode, r[0], r[1], r[2], r[3], r[4], r[5]))
PY
}
failed=0
for k in $(seq "$n"); do
	cni=${cnis[$((k % 3))]} mode=${modes[$((k / 3 % 2))]} family=${families[$((k / 6 % 3))]} s=$((seed * 1000 + k))
	python3 tests/differential/clusters.py gen $s "$work/objects.json" --mode $mode --family $family >/dev/null
	timeout 300 "$podwire" verify -f "$work/objects.json" --cni $cni -o json >"$work/out" 2>"$work/err"; rc=$?
	python3 - "$work/out" "$cni $mode $family $rc" >>"$work/all" <<'PY'
import json, sys
try: v = json.load(open(sys.argv[1]))
except Exception: v = {"state": {"items": 0}, "connections": {"pairs": 0, "tries": 0, "agree": 0, "notAsked": 0}}
c = v["connections"]
print(sys.argv[2], v["state"]["items"], c["pairs"], c["tries"], c["agree"], c["notAsked"])
PY
	[ $rc = 0 ] && continue
	failed=$((failed + 1)); echo "DIFFERS seed $s, $cni, $mode, $family (exit status $rc)"; cat "$work/err"; grep -A3 '"what"' "$work/out" | head -12
done
sum
echo "$((n - failed)) passed, $failed failed, 0 skipped"
[ $failed = 0 ]
