#!/usr/bin/env bash
# Whoever is killed when, and whatever is full: the lab stays whole or goes as a whole, the next command mends what it can, and nothing stays behind. Processes, namespaces,
# links, mounts and files are counted. ROUNDS (3) of each.
set -uo pipefail
cd "$(dirname "$0")/../.." && set -- "${1:-}" && self=tests/differential/crash_test.sh
# In a PID namespace of its own: what is counted is this test's alone.
[ "$(id -u)" != 0 ] || [ "${1:-}" = inside ] || { unshare -pfm --mount-proc true 2>/dev/null && exec unshare -pfm --mount-proc bash "$self" inside; }
podwire=$PWD/build/podwire work=$(mktemp -d) passed=0 failed=0 skipped=0 rounds=${ROUNDS:-3}
export PODWIRE_LAB=$work/lab.db
trap '"$podwire" down -q 2>/dev/null; umount "$work/small" 2>/dev/null; rm -rf "$work"' EXIT
skip() { echo "skipped: $1"; echo "$passed passed, $failed failed, $((skipped + 1)) skipped"; exit 0; }
ok() { passed=$((passed + 1)); echo "ok      $1"; }
bad() { failed=$((failed + 1)); echo "FAILED  $1"; [ $# -gt 1 ] && printf '%s\n' "$2" | head -20; }
is() { [ "$2" = "$3" ] && ok "$1" || bad "$1" "expected: $2
got:      $3"; }
check() { local name=$1 out; shift; out=$("$@" 2>&1) && ok "$name" || bad "$name" "$out"; }
unshare -Urnm true 2>/dev/null || unshare -nm true 2>/dev/null || skip "this machine does not allow network namespaces"
command -v nft >/dev/null || [ -x /usr/sbin/nft ] || skip "nft is not installed"
cat >"$work/objects.yaml" <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 4, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: nginx, ports: [{containerPort: 8080}]}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
YAML
what_is_there() { ls -l /proc/*/ns/net 2>/dev/null | sed 's/.*-> //' | sort -u | wc -l; ps -e --no-headers -o comm | grep -cE '^(pause|workload|podwire|podwire-zone|bird)$'; wc -l </proc/self/mountinfo; ls /sys/class/net | wc -l
	ls "$work" | grep -v '^lab.db'; find /dev/shm /run -name '*podwire*' 2>/dev/null | wc -l; }
settle() { for _ in $(seq 100); do [ "$(what_is_there)" = "$1" ] && break; sleep 0.05; done; what_is_there; }
inside() { "$podwire" exec node/worker-1 -- sh -c "$1" 2>/dev/null; }
agrees() { local k; for k in $(seq 40); do "$podwire" verify --sample 20 >"$work/.said" 2>&1 && break; sleep 0.1; done; "$podwire" verify --sample 40; }
before=$(what_is_there)

echo "== a command that changes a lab"
"$podwire" apply -q -f "$work/objects.yaml" >/dev/null; "$podwire" up -q
for n in $(seq "$rounds"); do
	"$podwire" scale deploy/web --replicas $((4 + n % 2 * 30)) -q >/dev/null 2>&1 & one=$!
	sleep 0.0$((n % 9 + 1)); kill -9 $one 2>/dev/null; wait $one 2>/dev/null
done
"$podwire" advance 1s -q >/dev/null 2>&1
check "killed at any moment: after the next one lab and kernel agree" agrees

echo "== pauses"
for n in $(seq "$rounds"); do inside 'for p in /proc/[0-9]*; do case "$(tr "\0" " " <$p/cmdline 2>/dev/null)" in "pause pod/"*) kill -9 ${p#/proc/};; esac; done'; sleep 0.1; done
check "all of Pods: each sandbox is made anew" agrees
"$podwire" exec client -- sh -c 'for p in /proc/[0-9]*; do [ "$(tr "\0" " " <$p/cmdline 2>/dev/null)" = "pause node/worker-1 " ] && kill -9 ${p#/proc/}; done' 2>/dev/null
check "a node's: its network is made anew" agrees
inside 'for p in /proc/[0-9]*; do case "$(tr "\0" " " <$p/cmdline 2>/dev/null)" in *workload*) kill -9 ${p#/proc/};; esac; done' 2>/dev/null
"$podwire" advance 30s -q >/dev/null 2>&1
check "containers: started again" agrees
"$podwire" down -q; rm -f "$work"/lab.db* "$work/.said"
is "nothing is left" "$before" "$(settle "$before")"

echo "== a full disk"
if [ "$(id -u)" = 0 ] && mkdir "$work/small" && mount -t tmpfs -o size=3m tmpfs "$work/small" 2>/dev/null; then
	export PODWIRE_LAB=$work/small/lab.db
	"$podwire" apply -q -f "$work/objects.yaml" >/dev/null
	check "up" "$podwire" up -q
	dd if=/dev/zero of="$work/small/fill" bs=4k 2>/dev/null
	out=$("$podwire" scale deploy/web --replicas 90 2>&1); is "a change is refused" "no" "$([ $? != 0 ] && echo no || echo yes)"
	grep -qiE "full|space" <<<"$out" && ok "and says why" || bad "and says why" "$out"
	check "lab and kernel agree as before" agrees
	rm "$work/small/fill"
	check "with room again it works" "$podwire" scale deploy/web --replicas 8 -q
	inside 'dd if=/dev/zero of=/run/fill bs=64k 2>/dev/null; true'
	check "the lab's own files have no room: its network works" agrees
	"$podwire" scale deploy/web --replicas 10 -q >/dev/null 2>&1
	inside 'rm /run/fill'
	check "and all is well when they have" sh -c "'$podwire' scale deploy/web --replicas 12 -q"
	check "lab and kernel agree" agrees
	"$podwire" down -q
	dd if=/dev/zero of="$work/small/fill" bs=4k 2>/dev/null
	"$podwire" up -q >/dev/null 2>&1; "$podwire" down -q >/dev/null 2>&1
	umount "$work/small"; rmdir "$work/small"; rm -f "$work/.said"
	is "nothing is left" "$before" "$(settle "$before")"
else
	skipped=$((skipped + 1)); echo "skipped: a small file system needs root"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
