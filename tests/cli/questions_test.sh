#!/usr/bin/env bash
# Every command of docs/questions.md runs and prints what stands behind its arrow; the lines of one question share a lab.
set -uo pipefail
cd "$(dirname "$0")/../.."
podwire=$(realpath "${PODWIRE:-build/podwire}")
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
passed=0 failed=0
while IFS= read -r line; do
	case $line in
	'**'*) rm -f "$work"/lab.db*; question=${line%%.*} ;;
	'    podwire '*)
		command=${line#    podwire } want=
		case $command in *→*) want=${command##*→ }; command=${command%%→*} ;; esac
		command=${command//q\//scenarios\/questions\/}
		# shellcheck disable=SC2086
		said=$("$podwire" --lab "$work/lab.db" $command 2>&1)
		if [ -z "$want" ] || grep -qF -- "$want" <<<"$said"; then passed=$((passed + 1)); else failed=$((failed + 1)); printf 'FAILED  %s: podwire %s\n%s\n' "${question#\*\*}" "$command" "$(tail -4 <<<"$said")"; fi ;;
	esac
done <docs/questions.md
for n in $(seq 60); do          # none is left out: "**28, 29, 30. …" answers three
	grep -qE "^\*\*([0-9]+, )*$n[,.]" docs/questions.md && passed=$((passed + 1)) || { failed=$((failed + 1)); echo "FAILED  question $n is not in docs/questions.md"; }
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
