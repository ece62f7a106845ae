# For tests in real namespaces; to be sourced. Beside what tests/cli/lib.sh has: a lab of the test's own that goes when it ends, tests that are told when they pass,
# what stays behind, and manifests that many need.
# As root in a PID namespace of its own: what is counted is this test's alone.
[ "$(id -u)" != 0 ] || [ "${1:-}" = inside ] || { unshare -pfm --mount-proc true 2>/dev/null && exec unshare -pfm --mount-proc bash "$0" inside; }
. "$(dirname "${BASH_SOURCE[0]}")/../cli/lib.sh"
export PODWIRE_LAB=$work/lab.db
trap '"$podwire" down -q 2>/dev/null; rm -rf "$work"' EXIT

skip() { echo "skipped: $1"; skipped=$((skipped + 1)); finish; exit; }
needs() {                                       # needs PROGRAM…: without one of them the test is skipped
	local tool
	for tool; do command -v "$tool" >/dev/null || [ -x "/usr/sbin/$tool" ] || skip "$tool is not installed"; done
}
unshare -Urnm true 2>/dev/null || unshare -nm true 2>/dev/null || skip "this machine does not allow network namespaces"

# ---- tests
ok() { passed=$((passed + 1)); echo "ok      $1"; }
bad() { failed=$((failed + 1)); echo "FAILED  $1"; [ $# -gt 1 ] && printf '%s\n' "$2" | head -20; }
is() {                                          # is NAME EXPECTED GOT
	[ "$2" = "$3" ] && ok "$1" || bad "$1" "expected: $2
got:      $3"
}
has() { grep -q -- "$2" <<<"$3" && ok "$1" || bad "$1" "$3"; }      # has NAME PATTERN TEXT
check() {                                       # check NAME COMMAND…: passes by its exit status; leaves no file behind, as that of tests/cli does
	local name=$1 out
	shift
	out=$("$@" 2>&1) && ok "$name" || bad "$name" "$out"
}
follow() {                                      # follow COMMAND…: a change of the lab, after which kernel and simulation agree
	local said
	said=$("$podwire" "$@" -q 2>&1 >/dev/null) || bad "$*" "$said"
	check "$*" "$podwire" verify --sample 80
}
add_up() {                                      # add_up LOG: the counts of another test, which its last line has
	local line rest
	line=$(tail -1 "$1")
	case $line in
	*" passed, "*) rest=${line#*, }; passed=$((passed + ${line%% *})) failed=$((failed + ${rest%% *})) ;;
	*) failed=$((failed + 1)); tail -20 "$1" ;;
	esac
}
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
kill_in() {                                     # kill_in TARGET PATTERN: the processes there whose command line is that, with a blank behind each word
	"$podwire" exec "$1" -- sh -c 'for p in /proc/[0-9]*; do case "$(tr "\0" " " <$p/cmdline 2>/dev/null)" in '"$2"') kill -9 ${p#/proc/} ;; esac; done' 2>/dev/null
}
what_is_there() {
	ls -l /proc/*/ns/net 2>/dev/null | sed 's/.*-> //' | sort -u | wc -l
	ps -e --no-headers -o comm | grep -cE '^(pause|workload|podwire|podwire-zone|bird)$'
	wc -l </proc/self/mountinfo; ls /sys/class/net | wc -l; ls "$work"; find /dev/shm /run -name '*podwire*' 2>/dev/null | wc -l
}
settle() { for _ in $(seq 100); do [ "$(what_is_there)" = "$1" ] && break; sleep 0.05; done; what_is_there; }  # settle BEFORE: what there is when it is that again, or stays

# ---- manifests
deployment() {                                  # deployment NAME REPLICAS [PORTS]: Pods with the label app: NAME
	printf '{apiVersion: apps/v1, kind: Deployment, metadata: {name: %s}, spec: {replicas: %d, selector: {matchLabels: {app: %s}}, template: {metadata: {labels: {app: %s}}, spec: {containers: [{name: %s, image: nginx, ports: [%s]}]}}}}\n---\n' \
		"$1" "$2" "$1" "$1" "$1" "${3:-{containerPort: 8080\}}"
}
service() { printf '{apiVersion: v1, kind: Service, metadata: {name: %s}, spec: {selector: {app: %s}, %s}}\n---\n' "$1" "$1" "$2"; }   # service NAME SPEC
iptables_mode() { echo '{apiVersion: kubeproxy.config.k8s.io/v1alpha1, kind: KubeProxyConfiguration, mode: iptables}'; }
dual_stack() {                                  # dual_stack [NODES]
	printf '{kind: Cluster, apiVersion: kind.x-k8s.io/v1alpha4, name: dual, networking: {ipFamily: dual, podSubnet: "10.244.0.0/16,fd00:10:244::/56", serviceSubnet: "10.96.0.0/16,fd00:10:96::/112"}%s}\n' "${1:+, nodes: [$1]}"
}
