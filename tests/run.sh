#!/usr/bin/env bash
# The whole suite: gcc and clang without a warning, the unit, conformance and differential tests as they are and under the address and undefined
# behaviour sanitizers, then the program as people run it. Ends with the sum of all.
set -uo pipefail
cd "$(dirname "$0")/.."
passed=0 failed=0 skipped=0
say() { printf '\n== %s\n' "$*"; }
count() {                                       # adds up the closing line of a run: N passed, N failed, N skipped
	local line
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$1" | tail -1)
	[ -n "$line" ] || { failed=$((failed + 1)); return; }
	passed=$((passed + $(sed -E 's/^([0-9]+) passed.*/\1/' <<<"$line")))
	failed=$((failed + $(sed -E 's/.* ([0-9]+) failed.*/\1/' <<<"$line")))
	skipped=$((skipped + $(sed -nE 's/.* ([0-9]+) skipped.*/\1/p' <<<"$line" | grep . || echo 0)))
}
check() {                                       # check NAME COMMAND…: one test that passes by its exit status
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then passed=$((passed + 1)); printf 'ok      %s\n' "$name"; else failed=$((failed + 1)); printf 'FAILED  %s\n%s\n' "$name" "$(tail -20 <<<"$out")"; fi
}
log=$(mktemp) logs=$(mktemp -d); trap 'rm -rf "$log" "$logs"' EXIT
# Scripts wait for kernels and terminals more than they work: several run at the same time, and are told one after another. Without root those that count what they
# leave behind have no PID namespace of their own.
at_once=$([ "$(id -u)" = 0 ] && echo "${JOBS:-4}" || echo 1)
log_of() { echo "$logs/$(tr / - <<<"$1")"; }
run_all() {                                     # run_all SCRIPT…: what each says is in log_of SCRIPT
	printf '%s\n' "$@" | xargs -P "$at_once" -I{} sh -c 'bash "$1" >"$2/$(echo "$1" | tr / -)" 2>&1' sh {} "$logs"
	true
}

tell() {                                        # tell LOG LINES: what failed, wherever it stands, and the end
	grep -A12 '^FAILED' "$1" | head -100
	tail -n "$2" "$1"
}

say "gcc"
check "builds without a warning" make -s -j2 all build/unit
# The linker takes the first of two functions of one name out of the archive, and says nothing.
check "no name is defined twice" sh -c '! nm -A --defined-only build/libpodwire.a | awk "\$(NF-1) ~ /^[TDBR]\$/ {print \$NF}" | sort | uniq -d | grep .'
say "unit, conformance and differential tests"
build/unit >"$log" 2>&1; tail -n 40 "$log"; count "$log"
say "clang, with the address and undefined behaviour sanitizers"
check "builds without a warning" make -s -j2 BUILD=build-san CC=clang CFLAGS="-O1 -g -fno-omit-frame-pointer" SAN="-fsanitize=address,undefined -fno-sanitize-recover=undefined" build-san/unit build-san/podwire
# What they find is written beside the binaries: a test that only looks at what is printed may not see it.
sanitizers=$PWD/build-san/found
rm -f "$sanitizers".*
export ASAN_OPTIONS=detect_leaks=1:log_path=$sanitizers UBSAN_OPTIONS=log_path=$sanitizers LSAN_OPTIONS=suppressions=$PWD/tests/leaks.supp:print_suppressions=0
if ! build-san/podwire version >/dev/null 2>&1 && grep -qs 'LeakSanitizer has encountered a fatal error' "$sanitizers".*; then
	echo "skipped: leaks cannot be looked for where processes may not be traced"; skipped=$((skipped + 1))
	ASAN_OPTIONS=detect_leaks=0:log_path=$sanitizers
	rm -f "$sanitizers".*
fi
build-san/unit >"$log" 2>&1; tail -n 12 "$log"; count "$log"
quick=$(ls tests/cli/*_test.sh | grep -v 'scale_test\|policy_test')     # without those that take minutes, and have a limit on memory
PODWIRE=build-san/podwire run_all $quick
for t in $quick; do
	grep -q ' 0 failed' "$(log_of "$t")" || { say "$t"; tell "$(log_of "$t")" 12; }
	count "$(log_of "$t")"
done
check "the sanitizers found nothing" sh -c '! cat "$1".* 2>/dev/null' sh "$sanitizers"
unset ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS
run_all tests/differential/*_test.sh tests/tui/*_test.sh tests/golden/*_test.sh tests/conformance/*_test.sh tests/cli/*_test.sh
for t in tests/*/*_test.sh; do
	[ -e "$t" ] || continue
	say "$t"
	tell "$(log_of "$t")" 25
	count "$(log_of "$t")"
done
say "the sum"
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
