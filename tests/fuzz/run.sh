#!/usr/bin/env bash
# Runs every fuzz target for SECONDS_EACH (default 20) with its corpus. Needs clang's libFuzzer.
set -euo pipefail
cd "$(dirname "$0")/../.."
flags="-fsanitize=fuzzer-no-link,address,undefined"
make -s -j2 BUILD=build-fuzz CC=clang CFLAGS="-O1 -g" SAN="$flags" build-fuzz/libpodwire.a
libs="$(pkg-config --libs libcjson yaml-0.1 sqlite3 libcgraph libgvc ncursesw libmnl) -lm"
for f in tests/fuzz/fuzz_*.c; do
	name=$(basename "$f" .c)
	mkdir -p "build-fuzz/$name.new"
	clang -std=gnu17 -D_GNU_SOURCE -I. -O1 -g -fsanitize=fuzzer,address,undefined -o "build-fuzz/$name" "$f" build-fuzz/libpodwire.a $libs
	echo "== $name"
	"build-fuzz/$name" -max_total_time="${SECONDS_EACH:-20}" -rss_limit_mb=2048 -timeout=10 -artifact_prefix="build-fuzz/$name-" \
		"build-fuzz/$name.new" $( [ -d "tests/fuzz/corpus/${name#fuzz_}" ] && echo "tests/fuzz/corpus/${name#fuzz_}" ) 2>&1 | tail -3
done
