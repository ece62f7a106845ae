#!/usr/bin/env bash
# Golden files: golden.sh accept writes those of every test that has them anew (then look at git diff); golden.sh check compares. A test reads $GOLDEN.
set -uo pipefail
cd "$(dirname "$0")/.."
case "${1-}" in accept | check) ;; *) echo "usage: tests/golden.sh accept|check" >&2; exit 2 ;; esac
export GOLDEN=$1
make -s build/unit || exit 1
tests=$(grep -l 'getenv("GOLDEN")' $(find tests -name '*_test.c') 2>/dev/null)
status=0
for t in $tests; do build/unit "$t" | tail -1 || status=1; done
for t in $(grep -ls 'GOLDEN' tests/*/*_test.sh); do bash "$t" | tail -1 || status=1; done
git --no-pager diff --stat -- 'tests/*golden*' 2>/dev/null
exit $status
