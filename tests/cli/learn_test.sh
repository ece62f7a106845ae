#!/usr/bin/env bash
# Lessons: the list, handouts, and that every lesson holds.
set -uo pipefail
cd "$(dirname "$0")/../.."
podwire=$(realpath "${PODWIRE:-build/podwire}") work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
passed=0 failed=0
check() { if eval "$2"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED  $1"; fi; }
check "there are 25 lessons or more" '[ "$($podwire learn -o json | python3 -c "import json, sys; print(len(json.load(sys.stdin)))")" -ge 25 ]'
check "all of them hold" '$podwire run scenarios/lessons -q >"$work/run"'
check "a handout has what podwire shows" '$podwire learn hairpin -o md | grep -q "which sees 172.18.0.3"'
check "the learner is not told the answer" '! $podwire learn hairpin -o md | grep -q "^Answer:"'
check "the teacher is" '$podwire learn hairpin -o md -v | grep -q "^Answer: 1"'
check "all of them make one page" '$podwire learn all -o html >"$work/all.html" && [ "$(grep -c "<h2>" "$work/all.html")" -ge 25 ] && ! grep -q "This does not hold" "$work/all.html"'
check "a page is well formed" 'sed "1d" "$work/all.html" | sed "s/<meta [^>]*>//" | python3 -c "import sys, xml.dom.minidom; xml.dom.minidom.parseString(sys.stdin.buffer.read())"'
check "one that is not there is said" '! $podwire learn nothing -o md 2>"$work/err" && grep -q "no lesson is called" "$work/err"'
# A lesson counts only if breaking its fact turns it red.
cp -r scenarios/lessons "$work/lessons"
sed -i "s/masqueraded: true/masqueraded: false/" "$work"/lessons/10-hairpin.yaml
sed -i "s/verdict: dropped, reason: externalTrafficPolicy/verdict: delivered/" "$work"/lessons/14-local-policy.yaml
check "a lesson that is wrong fails" '! $podwire run "$work/lessons/10-hairpin.yaml" -q >/dev/null && ! $podwire run "$work/lessons/14-local-policy.yaml" -q >/dev/null'
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
