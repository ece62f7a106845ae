# For tests of the program as people call it; to be sourced. Leaves the caller in an empty folder of its own, which goes when it ends.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
podwire=$(cd "$root" && realpath "${PODWIRE:-build/podwire}") shared=${PODWIRE_SHARED:-$root/../shared}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
passed=0 failed=0 skipped=0

check() {                                       # check NAME COMMAND…: passes by its exit status; what a failed one said is shown
	local name=$1
	shift
	if "$@" >"$work/out" 2>&1; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED  $name"; tail -12 "$work/out"; fi
}
says() {                                        # says TEXT COMMAND…: it prints the text, whatever its exit status
	local want=$1 said
	shift
	said=$("$@" 2>&1)
	grep -qF -- "$want" <<<"$said" || { printf '%s\n' "$said"; false; }
}
status() {                                      # status N COMMAND…: it ends with this exit status
	local want=$1
	shift
	"$@" >/dev/null 2>&1
	set -- $?
	[ "$1" = "$want" ] || { echo "exit status $1"; false; }
}
finish() { echo "$passed passed, $failed failed, $skipped skipped"; [ "$failed" = 0 ]; }
