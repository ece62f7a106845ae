#!/usr/bin/env bash
# Kubernetes' own oracles: the cases in tests/conformance/cases, put to the command line. What podwire does not meet, and why, stands in cases/exceptions.tsv.
set -uo pipefail
cd "$(dirname "$0")/../.."
cases=tests/conformance/cases work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
for tool in python3 openssl; do command -v $tool >/dev/null || { echo "skipped: $tool is not installed"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }; done
grep -v '^#' $cases/exceptions.tsv | cut -f1 | sort >"$work/allowed"
for group in dns httproute ingress kubeproxy netpol; do
	python3 -B $cases/run.py $cases/$group >"$work/$group"
done
python3 -B $cases/golden/compare.py --podwire build/podwire >"$work/golden"
python3 -B $cases/golden/compare.py --podwire build/podwire --cases $cases/golden/random.json >"$work/random"
cat "$work"/dns "$work"/httproute "$work"/ingress "$work"/kubeproxy "$work"/netpol "$work"/golden "$work"/random | sed -nE 's/^differs +([^ ]+).*/\1/p' | sort -u >"$work/differ"
unexpected=$(comm -13 "$work/allowed" "$work/differ"); met=$(comm -23 "$work/allowed" "$work/differ")
for c in $unexpected; do grep -h -A12 "^differs  *$c " "$work"/* | head -13; done
for c in $met; do echo "$c is met: take it out of $cases/exceptions.tsv"; done
passed=0
for group in dns httproute ingress kubeproxy netpol golden random; do
	n=$(tail -1 "$work/$group" | sed -nE 's/^([0-9]+) passed, .*/\1/p')
	[ -n "$n" ] || { echo "$group: no figure"; unexpected="$unexpected $group"; continue; }
	echo "$group: $(tail -1 "$work/$group")"
	passed=$((passed + n))
done
echo "not met for a known reason: $(comm -12 "$work/allowed" "$work/differ" | wc -l)"
failed=$(wc -w <<<"$unexpected $met")
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
