#!/usr/bin/env bash
# tests/cli/reference_test.sh [accept]
# docs/cli.md says what the table of commands says; every command of the examples there and in README exists.
set -uo pipefail
cd "$(dirname "$0")/../.."
podwire=$PWD/build/podwire
if [ "${1:-}" = accept ]; then
	sed '/^## Reference$/q' docs/cli.md >docs/cli.md.new && { echo; "$podwire" help -o markdown; } >>docs/cli.md.new && mv docs/cli.md.new docs/cli.md
	exit
fi
passed=0 failed=0
check() { local name=$1; shift; if "$@" >/tmp/reference.$$ 2>&1; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED  $name"; tail -12 /tmp/reference.$$; fi; rm -f /tmp/reference.$$; }
reference() { diff <(sed '1,/^## Reference$/d' docs/cli.md | sed '1{/^$/d}') <("$podwire" help -o markdown); }
commands() { local bad=0 word; for word in $(grep -hoE '^ +podwire [a-z-]+' README.md docs/*.md | awk '{print $2}' | sort -u); do "$podwire" help "$word" >/dev/null 2>&1 || { echo "$word is no command"; bad=1; }; done; return $bad; }
check "no two functions have one name" sh -c "nm build/libpodwire.a 2>/dev/null | awk '\$2 == \"T\" { print \$3 }' | sort | uniq -d | tee /dev/stderr | wc -l | grep -qx 0"
check "docs/cli.md: podwire help -o markdown prints its reference" reference
check "the commands of the examples exist" commands
for word in $("$podwire" help | sed -n '3,$s/^  \([a-z-]*\) .*/\1/p'); do check "help $word" "$podwire" help "$word"; done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
