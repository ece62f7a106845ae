#!/usr/bin/env bash
# fidelity.sh [CLUSTERS] [FIRST-SEED]: random clusters in real namespaces, each read back and asked in full (podwire verify): every Pod network, both modes of kube-proxy,
# IPv4, IPv6 and dual stack in turn. REQUESTS=1: with an ingress controller, a Gateway and probes in each; FAMILY=dual: all of it. A line for each that differs; the table of docs/fidelity.md; N passed, N failed, N skipped.
set -uo pipefail
cd "$(dirname "$0")/../.."
podwire=${PODWIRE:-$PWD/build/podwire} work=$(mktemp -d) n=${1:-200} seed=${2:-1}; trap 'rm -rf "$work"' EXIT
cnis=(calico flannel bridge) modes=(nftables iptables) families=(ipv4 dual ipv6)
sum() { python3 - "$work/all" <<'PY'
import collections, sys
rows = collections.OrderedDict()
for line in open(sys.argv[1]):
    cni, mode, family, rc, *counts = line.split()
    for key in ((cni, mode), ("all", "")):
        r = rows.setdefault(key, [0] * 10)
        for i, v in enumerate((1, *map(int, counts), int(rc != "0"))):
            r[i] += v
rows.move_to_end(("all", ""))
print("| Pod network | kube-proxy | clusters | links, addresses, neighbours, routes read back | connections | tries | agree | requests, agree | names, agree | probes, agree | not asked | clusters that differ |")
print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
for (cni, mode), r in rows.items():
    print("| %s | %s | %d | %d | %d | %d | %d | %s | %s | %s | %d | %d |" % (cni, mode, *r[:5], *(("%d, %d" % (n >> 32, n & 0xffffffff)) for n in r[5:8]), r[8], r[9]))
PY
}
failed=0
for k in $(seq "$n"); do
	cni=${cnis[$((k % 3))]} mode=${modes[$((k / 3 % 2))]} family=${FAMILY:-${families[$((k / 6 % 3))]}} s=$((seed * 1000 + k))
	python3 tests/differential/clusters.py gen $s "$work/objects.json" --mode $mode --family $family --requests "${REQUESTS:+yes}" >/dev/null
	timeout 300 "$podwire" verify -f "$work/objects.json" --cni $cni ${REQUESTS:+--controller k8s.io/ingress-nginx --controller example.net/gateway} -o json >"$work/out" 2>"$work/err"; rc=$?
	python3 - "$work/out" "$cni $mode $family $rc" >>"$work/all" <<'PY'
import json, sys
try: v = json.load(open(sys.argv[1]))
except Exception: v = {}
part = lambda name: v.get(name, {})
both = lambda name, asked: asked << 32 | part(name).get("agree", 0)
c, q = part("connections"), part("requests")
print(sys.argv[2], part("state").get("items", 0), c.get("pairs", 0), c.get("tries", 0), c.get("agree", 0), both("requests", q.get("requests", 0) - q.get("notAsked", 0)),
      both("names", part("names").get("asked", 0)), both("probes", part("probes").get("asked", 0)), sum(part(p).get("notAsked", 0) for p in ("connections", "requests", "names", "probes")))
PY
	[ $rc = 0 ] && continue
	failed=$((failed + 1)); echo "DIFFERS seed $s, $cni, $mode, $family (exit status $rc)"; cat "$work/err"; grep -A3 '"what"' "$work/out" | head -12
done
sum
echo "$((n - failed)) passed, $failed failed, 0 skipped"
[ $failed = 0 ]
