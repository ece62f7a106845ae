#!/usr/bin/env bash
# What podwire prints, kept as files: NAME.cmd holds the words behind `podwire` (one line), NAME.out what comes out. Coordinates are no part of it: figures are kept as
# DOT or Mermaid, or as the structure of their SVG (a .cmd that begins with "svg-structure"). GOLDEN=accept (make golden-accept) takes what comes out now.
set -uo pipefail
cd "$(dirname "$0")/../.."
podwire=${PODWIRE:-build/podwire} passed=0 failed=0 differs=$(mktemp)
trap 'rm -f "$differs"' EXIT
structure() { sed -E 's/ (d|points|x|y|cx|cy|rx|ry|width|height|viewBox|transform|textLength|font-size|stroke-width)="[^"]*"//g'; }
answer() {                                      # of one .cmd file
	local words
	read -r words <"$1"
	if [ "${words%% *}" = svg-structure ]; then eval "$podwire ${words#svg-structure }" 2>&1 | structure; else eval "$podwire $words" 2>&1; fi
}
for cmd in tests/golden/*.cmd; do
	out=${cmd%.cmd}.out
	[ "${GOLDEN-}" = accept ] && answer "$cmd" >"$out"
	if diff -u "$out" <(answer "$cmd") >"$differs"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $cmd"; head -20 "$differs"; fi
done
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" 0
[ "$failed" = 0 ]
