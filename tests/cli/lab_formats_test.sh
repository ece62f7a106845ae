#!/usr/bin/env bash
# Labs that older podwires wrote. tests/cli/labs/format-N.sql.gz: one of each older user_version, as SQL; format-N.seen.gz: what look.sh showed of it by the podwire that wrote it.
# A question refuses them and leaves every byte as it is; a command that writes brings them up to date, and nothing is lost, the past neither.
set -uo pipefail
cd "$(dirname "$0")/../.."
podwire=$PWD/build/podwire labs=$PWD/tests/cli/labs
version=$(sed -n 's/^#define LAB_VERSION //p' sim/lab/lab.h)
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
passed=0 failed=0
check() { local name=$1; shift; if "$@" >out 2>&1; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED  $name"; tail -5 out; fi; }
says() { local want=$1; shift; grep -qF -- "$want" <<<"$("$@" 2>&1)"; }
status() { local want=$1; shift; "$@" >/dev/null 2>&1; [ $? = "$want" ]; }
same() { diff "$1" "$2" >diff.out || { head -5 diff.out; return 1; }; }
sql() { python3 -c 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.executescript(sys.stdin.read()); c.commit()' "$1"; }
number() { python3 -c 'import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])' "$1" "$2"; }
make() { rm -f lab.db lab.db-wal lab.db-shm; gzip -dc "$labs/format-$1.sql.gz" | sql lab.db; cp lab.db was.db; }
unchanged() { cmp lab.db was.db && [ ! -s lab.db-wal ]; }
goes_on() { "$podwire" scale deploy/web -n shop --replicas 5 && "$podwire" advance 1m && [ "$("$podwire" get pods -n shop -l app=web -o name | wc -l)" = 5 ]; }
export PODWIRE_LAB=lab.db

for n in $(seq 1 $((version - 1))); do
	make "$n"
	check "format $n: it is one" [ "$(number lab.db 'PRAGMA user_version')" = "$n" ]
	for question in "get pods -A" "events -A" "trace deploy/web svc/web:80 -n shop" "export"; do
		check "format $n: $question says what to do" says "written by an older podwire: a command that changes it, such as podwire advance 0s, brings it up to date" "$podwire" $question
		check "format $n: $question is bad input" status 2 "$podwire" $question
	done
	check "format $n: asking changed no byte" unchanged
	check "format $n: a command that fails brings nothing up to date" status 2 "$podwire" apply -f nowhere.yaml
	check "format $n: and changed no byte" unchanged
	check "format $n: a command that writes does" "$podwire" advance 0s
	check "format $n: it is one of today" [ "$(number lab.db 'PRAGMA user_version')" = "$version" ]
	gzip -dc "$labs/format-$n.seen.gz" >want
	# the command that brought it up to date stands behind all others
	bash "$labs/look.sh" "$podwire" >have 2>&1
	sed -i '/^  - name: advance 0s$/,$d' have
	sed -i '/ [a-z-]*\/kube-root-ca\.crt /d; /^ServiceAccount [a-z-]*\/default /d' have         # of every cluster: made when somebody asks for its kind
	check "format $n: nothing is lost" same want have
	check "format $n: it goes on" goes_on
	[ "$n" -lt 4 ] || continue              # from there on no table is made
	make "$n"
	for t in $(seq "$n" 3); do
		sql lab.db <<<"CREATE TABLE IF NOT EXISTS $(case $t in 1) echo shape ;; 2) echo bundle ;; *) echo whole ;; esac)(x)"
	done
	cp lab.db was.db
	check "format $n: one that cannot be brought up to date says so" says "cannot make its tables" "$podwire" advance 0s
	check "format $n: and is left as it is" unchanged
done
make $((version - 1))
sql lab.db <<<"PRAGMA user_version=$((version + 1))"; cp lab.db was.db
check "a newer format is refused" says "was written by a newer podwire" "$podwire" advance 0s
check "and changed by nothing" unchanged
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
