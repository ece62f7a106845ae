#!/usr/bin/env bash
# A lab of some hundred Pods: stopping and reopening it changes nothing, a kill loses at most the command in flight, two seeds differ only where Kubernetes
# is random, and a small command makes at most one flush.
. "$(dirname "$0")/lib.sh"
same() { cmp "$1" "$2" && [ -s "$1" ]; }
nodes() { for i in $(seq 1 50); do printf 'apiVersion: v1\nkind: Node\nmetadata: {name: n%d, labels: {topology.kubernetes.io/zone: z%d}}\n---\n' "$i" $((i % 3)); done; }
apps() {                                        # apps FROM TO: Deployments of 5 Pods with their Services
	for i in $(seq "$1" "$2"); do
		printf 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d%d}\nspec: {replicas: 5, selector: {matchLabels: {app: d%d}}, template: {metadata: {labels: {app: d%d}}, spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]}}}\n---\n' "$i" "$i" "$i"
		printf 'apiVersion: v1\nkind: Service\nmetadata: {name: s%d}\nspec: {selector: {app: d%d}, ports: [{port: 80}]}\n---\n' "$i" "$i"
	done
}
all() { "$podwire" get deploy,rs,pods,svc,endpointslices,nodes -A -o yaml "$@"; }
nodes >nodes.yaml; apps 1 40 >one.yaml; apps 41 60 >two.yaml; cat nodes.yaml one.yaml two.yaml >both.yaml

# The lab is read and written between all commands, once more or once less: nothing comes of it.
life() {
	local between=$1
	"$podwire" apply -f nodes.yaml -f one.yaml >/dev/null; $between
	"$podwire" apply -f two.yaml --no-settle >/dev/null; $between
	"$podwire" advance 1500ms >/dev/null; $between
	"$podwire" scale deploy/d3 --replicas 9 >/dev/null; $between
	"$podwire" advance 1m >/dev/null; $between
	"$podwire" delete deploy/d5 >/dev/null; $between
	"$podwire" advance 2m >/dev/null; $between
}
export PODWIRE_LAB=a.db; life true
all >a.yaml; "$podwire" events -A >a.events
export PODWIRE_LAB=again.db; life "$podwire apply -f nodes.yaml --no-settle" >/dev/null
all >b.yaml; "$podwire" events -A >b.events
export PODWIRE_LAB=a.db
check "reopening changes no object" same a.yaml b.yaml
check "and no event" same a.events b.events
all >c.yaml
check "looking changes nothing" same a.yaml c.yaml
"$podwire" get pods -A --at rev:400 -o yaml >past.1; PODWIRE_LAB=again.db "$podwire" get pods -A --at rev:400 -o yaml >past.2
check "the past is still there" same past.1 past.2

# Applying twice changes nothing.
"$podwire" get pods -A -o name >x; "$podwire" apply -f two.yaml | grep -vc unchanged >changed; "$podwire" get pods -A -o name >y
check "applying again changes nothing" sh -c 'cmp x y && [ "$(cat changed)" = 0 ]'

# In two steps or at once: the same objects.
PODWIRE_LAB=b.db "$podwire" apply -f nodes.yaml -f one.yaml >/dev/null; PODWIRE_LAB=b.db "$podwire" apply -f two.yaml >/dev/null
PODWIRE_LAB=c.db "$podwire" apply -f both.yaml >/dev/null
for l in b c; do PODWIRE_LAB=$l.db "$podwire" get deploy,rs,pods,svc -A -o name >$l.names; done
check "in two steps or at once" same b.names c.names

# Two seeds: other names and ClusterIPs, the same work.
PODWIRE_LAB=s.db "$podwire" apply --seed 7 -f both.yaml >/dev/null
for l in c s; do
	PODWIRE_LAB=$l.db "$podwire" get pods -A -o wide | awk 'NR > 1 { sub(/-[a-z0-9]*$/, "", $2); print $2, $3, $4, $5, $8 }' | sort >$l.pods
	PODWIRE_LAB=$l.db "$podwire" get pods -A -o name | sort >$l.raw
	PODWIRE_LAB=$l.db "$podwire" get endpointslices -A -o yaml | grep -c 'ready: true' >$l.ready
done
check "another seed gives other names" sh -c '! cmp -s c.raw s.raw'
check "and the same Pods on the same nodes" same c.pods s.pods
check "and as many endpoints" same c.ready s.ready

# A rollout with seven slices: each is written many times between two looks at them.
roll() { printf 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: big}\nspec: {replicas: 650, selector: {matchLabels: {app: big}}, template: {metadata: {labels: {app: big}}, spec: {containers: [{name: c, image: "nginx:%s"}]}}}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: big}\nspec: {selector: {app: big}, ports: [{port: 80}]}\n' "$1"; }
roll 1 >r1.yaml; roll 2 >r2.yaml
PODWIRE_LAB=r.db "$podwire" apply -f nodes.yaml -f r1.yaml >/dev/null
check "a rollout of 650 Pods" env PODWIRE_LAB=r.db "$podwire" apply -f r2.yaml
check "all new, each an endpoint once" sh -c "[ \"\$(PODWIRE_LAB=r.db '$podwire' get endpointslices -o yaml | grep -c 'ready: true')\" = 650 ] && [ \"\$(PODWIRE_LAB=r.db '$podwire' get pods -l app=big -o yaml | grep -c 'image: nginx:2')\" -ge 650 ]"

# Killed at any moment, the lab holds what the last whole command left, or that of the one that was killed.
was=5 lost=0
for k in $(seq 1 25); do
	want=$((k % 7 + 1))
	"$podwire" scale deploy/d1 --replicas "$want" >/dev/null 2>&1 &
	pid=$!
	sleep "0.0$((RANDOM % 60 + 10))"
	kill -9 "$pid" 2>/dev/null; wait "$pid" 2>/dev/null
	now=$("$podwire" get deploy d1 -o 'jsonpath={.spec.replicas}' 2>&1)
	if [ "$now" = "$want" ]; then was=$want; elif [ "$now" != "$was" ]; then lost=$((lost + 1)); echo "after kill $k: $now, neither $was nor $want"; fi
done 2>/dev/null
check "a kill loses at most the command in flight" test "$lost" = 0
check "and the lab goes on" "$podwire" scale deploy/d1 --replicas 3
check "with as many Pods as it says" sh -c "[ \$('$podwire' get pods -l app=d1 -o name | wc -l) -ge 3 ]"

# Small commands do not wait for the disk, but where one of them takes the log into the file; so the log stays short, as every command reads it.
if strace -o trace -e trace=fdatasync,fsync "$podwire" scale deploy/d2 --replicas 4 >/dev/null 2>&1 && [ -s trace ]; then
	none=0
	for k in $(seq 1 12); do
		strace -o trace -e trace=fdatasync,fsync "$podwire" scale deploy/d2 --replicas $((k % 4 + 1)) >/dev/null 2>&1
		grep -qE "^f(data)?sync" trace || none=$((none + 1))
	done
	check "most commands make no flush ($none of 12)" test "$none" -ge 8
	check "and the log is short" sh -c '[ "$(stat -c %s "${PODWIRE_LAB:-podwire.db}-wal")" -lt 2000000 ]'
else
	skipped=$((skipped + 1)); echo "skipped  flushes: strace is not there, or may not trace"
fi
finish
