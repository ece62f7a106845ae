#!/usr/bin/env bash
# Whoever is killed when, and whatever is full: the lab stays whole or goes as a whole, the next command mends what it can, and nothing stays behind. Processes, namespaces,
# links, mounts and files are counted. ROUNDS (3) of each.
. "$(dirname "$0")/lib.sh"
needs nft
rounds=${ROUNDS:-3}
trap '"$podwire" down -q 2>/dev/null; umount "$work/small" 2>/dev/null; rm -rf "$work"' EXIT
{ deployment web 4; service web 'ports: [{port: 80, targetPort: 8080}]'; } >objects.yaml
inside() { "$podwire" exec node/worker-1 -- sh -c "$1" 2>/dev/null; }
agrees() { local k; for k in $(seq 40); do "$podwire" verify --sample 20 >"$work/.said" 2>&1 && break; sleep 0.1; done; "$podwire" verify --sample 40; }
before=$(what_is_there)

echo "== a command that changes a lab"
"$podwire" apply -q -f objects.yaml >/dev/null; "$podwire" up -q
for n in $(seq "$rounds"); do
	"$podwire" scale deploy/web --replicas $((4 + n % 2 * 30)) -q >/dev/null 2>&1 & one=$!
	sleep 0.0$((n % 9 + 1)); kill -9 $one 2>/dev/null; wait $one 2>/dev/null
done
"$podwire" advance 1s -q >/dev/null 2>&1
check "killed at any moment: after the next one lab and kernel agree" agrees

echo "== pauses"
for n in $(seq "$rounds"); do kill_in node/worker-1 'pause\ pod/*'; sleep 0.1; done
check "all of Pods: each sandbox is made anew" agrees
kill_in client 'pause\ node/worker-1\ '
check "a node's: its network is made anew" agrees
kill_in node/worker-1 'workload\ *'
"$podwire" advance 30s -q >/dev/null 2>&1
in_the_end() { local k said; for k in 1 2 3 4 5 6; do said=$(agrees 2>&1) && return; sleep 1; done; echo "$said"; false; }    # each end is told to the lab by a process of its own, and changes it
check "containers: started again" in_the_end
"$podwire" down -q; rm -f "$work"/lab.db* "$work/.said"
is "nothing is left" "$before" "$(settle "$before")"

echo "== a full disk"
if [ "$(id -u)" = 0 ] && mkdir "$work/small" && mount -t tmpfs -o size=3m tmpfs "$work/small" 2>/dev/null; then
	export PODWIRE_LAB=$work/small/lab.db
	"$podwire" apply -q -f objects.yaml >/dev/null
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
finish
