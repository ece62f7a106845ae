#!/usr/bin/env bash
# podwire up: the cluster in real namespaces. What the kernel has is what the dataplane says, real connections end as the walk says, commands work as kubectl's do, and
# nothing stays behind, whoever is killed when.
set -uo pipefail
cd "$(dirname "$0")/../.." && set -- "${1:-}" && self=tests/differential/up_test.sh
# In a PID namespace of its own: what is counted is this test's alone.
[ "$(id -u)" != 0 ] || [ "${1:-}" = inside ] || { unshare -pfm --mount-proc true 2>/dev/null && exec unshare -pfm --mount-proc bash "$self" inside; }
podwire=$PWD/build/podwire work=$(mktemp -d) passed=0 failed=0 skipped=0
export PODWIRE_LAB=$work/lab.db
trap '"$podwire" down -q 2>/dev/null; rm -rf "$work"' EXIT
skip() { echo "skipped: $1"; echo "$passed passed, $failed failed, $((skipped + 1)) skipped"; exit 0; }
ok() { passed=$((passed + 1)); echo "ok      $1"; }
bad() { failed=$((failed + 1)); echo "FAILED  $1"; [ $# -gt 1 ] && printf '%s\n' "$2" | head -20; }
is() { [ "$2" = "$3" ] && ok "$1" || bad "$1" "expected: $2
got:      $3"; }
check() { local name=$1 out; shift; out=$("$@" 2>&1) && ok "$name" || bad "$name" "$out"; }
unshare -Urnm true 2>/dev/null || unshare -nm true 2>/dev/null || skip "this machine does not allow network namespaces"
for tool in nft iptables-restore ipset; do command -v $tool >/dev/null || [ -x /usr/sbin/$tool ] || skip "$tool is not installed"; done

cat >"$work/objects.yaml" <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx, ports: [{containerPort: 8080}, {containerPort: 8081, protocol: UDP}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: shell, labels: {role: client}}
spec: {nodeName: worker-1, containers: [{name: shell, image: alpine}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080, nodePort: 30080}, {name: udp, port: 81, targetPort: 8081, protocol: UDP}]}
---
apiVersion: v1
kind: Service
metadata: {name: nobody}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
YAML
cat >"$work/policy.yaml" <<'YAML'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress, Egress], ingress: [{from: [{podSelector: {matchLabels: {role: client}}}], ports: [{port: 8080}]}]}
YAML
cat >"$work/iptables.yaml" <<'YAML'
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
YAML
cat >"$work/dual.yaml" <<'YAML'
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
name: dual
networking: {ipFamily: dual, podSubnet: "10.244.0.0/16,fd00:10:244::/56", serviceSubnet: "10.96.0.0/16,fd00:10:96::/112"}
YAML
what_is_there() { ls -l /proc/*/ns/net 2>/dev/null | sed 's/.*-> //' | sort -u | wc -l; ps -e --no-headers | grep -cE ' (pause|workload|podwire|podwire-zone)$'; wc -l </proc/self/mountinfo; ls /sys/class/net | wc -l; ls "$work"; }
settle() { for _ in $(seq 100); do [ "$(what_is_there)" = "$1" ] && break; sleep 0.05; done; what_is_there; }
before=$(what_is_there)

echo "== the kernel has what the dataplane says, and connections end as the walk says"
for cni in calico flannel bridge; do
	check "$cni, kube-proxy nftables" "$podwire" verify -f "$work/objects.yaml" --cni $cni
	check "$cni, kube-proxy iptables" "$podwire" verify -f "$work/objects.yaml" -f "$work/iptables.yaml" --cni $cni --sample 100
done
check "calico with policies" "$podwire" verify -f "$work/objects.yaml" -f "$work/policy.yaml"
sed 's/nodeName: worker-1, //' "$work/objects.yaml" >"$work/any.yaml"
check "both families" "$podwire" verify -f "$work/any.yaml" -f "$work/dual.yaml" --sample 200
rm "$work/any.yaml"
is "nothing is left" "$before" "$(settle "$before")"

echo "== a lab that is up"
check "up" "$podwire" up -f "$work/objects.yaml" -q
is "a second one is refused" 2 "$("$podwire" up -f "$work/objects.yaml" 2>/dev/null; echo $?)"
is "exec in a Pod" "shell" "$("$podwire" exec shell -- hostname)"
is "its exit status is handed on" 7 "$("$podwire" exec pod/shell -- sh -c 'exit 7'; echo $?)"
is "a command that is not there" 127 "$("$podwire" exec pod/shell -- no-such-command 2>/dev/null; echo $?)"
is "a container that is not there" 1 "$("$podwire" exec shell -c nope -- true 2>/dev/null; echo $?)"
is "the Pod's own resolv.conf" "nameserver 10.96.0.10" "$("$podwire" exec shell -- grep nameserver /etc/resolv.conf)"
is "standard input only where it is asked for" "0 5" "$(echo word | "$podwire" exec shell -- wc -c | tr -d ' ') $(echo word | "$podwire" exec -i shell -- wc -c | tr -d ' ')"
is "exec on a node" "172.18.0.3" "$("$podwire" exec node/worker-1 -- ip -4 -o addr show eth0 | sed -E 's/.*inet ([0-9.]+).*/\1/')"
pod=$("$podwire" get pods -f "$work/objects.yaml" -l app=web -o 'jsonpath={.items[0].metadata.name}')
ip=$("$podwire" get pods -f "$work/objects.yaml" -l app=web -o 'jsonpath={.items[0].status.podIP}')
is "a container answers and says who asked" "default/$pod web" "$("$podwire" exec shell -- bash -c "exec 3<>/dev/tcp/$ip/8080; echo hello >&3; head -1 <&3" | cut -d' ' -f1,2)"
"$podwire" logs "$pod" | grep -q connection && ok "its log has the connection" || bad "its log has the connection" "$("$podwire" logs "$pod")"
is "ps shows all namespaces" "$(("$("$podwire" get pods -A -f "$work/objects.yaml" -o name | wc -l)" - 6 + 3 + 2))" "$(($("$podwire" ps | wc -l) - 1))"
check "verify in the lab" "$podwire" verify --sample 60
"$podwire" exec node/worker-1 -- ip route del default
out=$("$podwire" verify --sample 1 2>&1); is "a route that somebody took away is found" 1 $?
grep -q "route default via 172.18.0.1 dev eth0" <<<"$out" && ok "and named" || bad "and named" "$out"
check "down" "$podwire" down -q
is "nothing is left" "$before" "$(settle "$before")"

echo "== the kernel follows each change of the lab, by difference"
follow() { "$podwire" "$@" -q >/dev/null 2>"$work/said" || bad "$*" "$(cat "$work/said")"; check "$*" "$podwire" verify --sample 80; }
"$podwire" apply -f "$work/objects.yaml" -q >/dev/null
check "up from a lab" "$podwire" up -q
one=$("$podwire" exec node/worker-1 -- cat /proc/1/stat | cut -d' ' -f22)
follow scale deploy/web --replicas 4
follow apply -f "$work/policy.yaml"
follow delete svc web
follow fault node worker-1
follow heal node worker-1
follow fault kubeProxy worker-2
follow apply -f "$work/objects.yaml"
follow heal kubeProxy worker-2
follow fault link worker-2
follow heal link worker-2
follow scale deploy/web --replicas 1
follow delete -f "$work/policy.yaml"
is "it was one lab all the time" "$one" "$("$podwire" exec node/worker-1 -- cat /proc/1/stat | cut -d' ' -f22)"
check "down" "$podwire" down -q
rm -f "$work"/lab.db* "$work/said"
is "nothing is left" "$before" "$(settle "$before")"

echo "== scenarios"
for s in figures/calico-cluster figures/clusterip lessons/12-nodeport-source-ip; do check "$s" "$podwire" run --mode linux scenarios/$s.yaml; done
is "what cannot be tried is skipped" 1 "$("$podwire" run --mode linux scenarios/regressions/default-deny.yaml | grep -c 'skipped mode linux')"
is "nothing is left" "$before" "$(settle "$before")"

echo "== whoever is killed"
for round in 1 2 3; do
	"$podwire" up -f "$work/objects.yaml" -q & up=$!
	sleep 0.0$((round * 2)); kill -9 $up 2>/dev/null; wait $up 2>/dev/null
	"$podwire" down -q 2>/dev/null
done
is "up, in the middle of its work" "$before" "$(settle "$before")"
"$podwire" up -f "$work/objects.yaml" -q
init=$(ps -e --no-headers -o pid,comm | awk '$2 == "podwire" {print $1; exit}')
kill -9 "$init"; while kill -0 "$init" 2>/dev/null; do sleep 0.01; done
"$podwire" ps >/dev/null 2>&1; is "the first process: the next command says that nothing is up" 1 $?
is "and nothing is left" "$before" "$(settle "$before")"
"$podwire" up -f "$work/objects.yaml" -q
"$podwire" exec node/worker-1 -- sh -c 'for p in /proc/[0-9]*; do [ "$(tr "\0" " " <$p/cmdline)" = "pause pod/default/shell " ] && kill -9 ${p#/proc/}; done'
for _ in $(seq 50); do "$podwire" exec shell -- true 2>/dev/null && break; sleep 0.05; done
check "a pause: its Pod's namespaces are made again" "$podwire" verify --sample 60
"$podwire" down -q
for n in $(seq ${CYCLES:-5}); do "$podwire" up -f "$work/objects.yaml" -q && "$podwire" down -q || bad "cycle $n"; done
is "${CYCLES:-5} times up and down" "$before" "$(settle "$before")"

echo "== BIRD"
if command -v bird >/dev/null || [ -x /usr/sbin/bird ]; then
	birds() { ps -e --no-headers -o comm | grep -cx bird; }
	{ grep -v "^name" "$work/dual.yaml"; echo 'nodes: [{role: control-plane}, {role: worker}, {role: worker}]'; } >"$work/three.yaml"
	"$podwire" apply -q -f "$work/three.yaml" -f "$work/objects.yaml" >/dev/null
	at=worker-1
	check "up with a BIRD on each node" "$podwire" up --bird
	is "they run" 3 "$(birds)"
	check "their routes are those of the dataplane" "$podwire" verify --sample 60
	is "sessions of both families" 4 "$("$podwire" exec "node/$at" -- birdc -s "/run/podwire/bird/$at.ctl" show protocols | grep -c '^Mesh_.* Established')"
	"$podwire" scale deploy/web --replicas 150 -q >/dev/null
	check "more blocks: BIRD tells of them" "$podwire" verify --sample 60
	"$podwire" exec "node/$at" -- sh -c "kill -9 \$(cat /run/podwire/bird/$at.pid)"
	check "one that was killed: no route is lost" "$podwire" verify --sample 60
	for _ in $(seq 100); do [ "$(birds)" = 3 ] && break; sleep 0.05; done
	is "and it is started again, as in calico-node" 3 "$(birds)"
	to_at() { "$podwire" exec node/worker-2 -- ip -4 route | grep -c "via 172.18.0.3 dev eth0 proto bird"; }
	had=$(to_at)
	"$podwire" fault bgp "$at" -q >/dev/null 2>&1; "$podwire" advance 60s -q >/dev/null 2>&1
	is "a BIRD that is stopped: the others keep its routes (graceful restart)" "2 $had" "$(birds) $(to_at)"
	"$podwire" advance 140s -q >/dev/null 2>&1
	is "until the simulation's clock says that they are gone" "2 0" "$(birds) $(to_at)"
	check "as the simulation has them" "$podwire" verify --sample 60
	"$podwire" heal bgp "$at" -q >/dev/null 2>&1; "$podwire" advance 10s -q >/dev/null 2>&1
	is "healed: they are back" "3 $had" "$(birds) $(to_at)"
	"$podwire" fault link "$at" -q >/dev/null 2>&1
	check "a link that is cut is silent" "$podwire" verify --sample 40
	"$podwire" advance 300s -q >/dev/null 2>&1
	is "its routes go by BGP's hold time" 0 "$(to_at)"
	"$podwire" heal link "$at" -q >/dev/null 2>&1; "$podwire" advance 20s -q >/dev/null 2>&1
	check "and come back with it" "$podwire" verify --sample 60
	is "all of them" "3 $had" "$(birds) $(to_at)"
	"$podwire" down -q; rm -f "$work"/lab.db* "$work/three.yaml"
	v3() { printf -- '---\napiVersion: projectcalico.org/v3\nkind: %s\nmetadata: {name: %s}\nspec: {%s}\n' "$@"; }
	mesh_is() { "$podwire" up --bird -q -f "$work/objects.yaml" -f "$work/bgp.yaml" && check "$1" "$podwire" verify --sample 40; "$podwire" down -q; }
	v3 BGPConfiguration default 'nodeToNodeMeshEnabled: false' >"$work/bgp.yaml"; mesh_is "without a mesh no node has routes to others"
	v3 IPPool four 'cidr: 10.244.0.0/16, vxlanMode: Never, disableBGPExport: true' >"$work/bgp.yaml"; mesh_is "a pool that is not exported"
	{ v3 BGPConfiguration default 'nodeToNodeMeshEnabled: false'; v3 BGPPeer rr "nodeSelector: '!has(rr)', peerSelector: has(rr)"
	for n in 0:control-plane 1:worker-1 2:worker-2; do printf -- '---\napiVersion: v1\nkind: Node\nmetadata: {name: %s%s}\nstatus: {addresses: [{type: InternalIP, address: 172.18.0.%d}], conditions: [{type: Ready, status: "True"}]}\n' "${n#*:}" \
		"$([ ${n%:*} = 0 ] && echo ', labels: {rr: "1"}, annotations: {projectcalico.org/RouteReflectorClusterID: 1.0.0.1}')" $((2 + ${n%:*})); done; } >"$work/bgp.yaml"; mesh_is "a route reflector"
	rm "$work/bgp.yaml"
	"$podwire" up --bird -q -f "$work/objects.yaml"
	init=$(ps -e --no-headers -o pid,comm | awk '$2 == "podwire" {print $1; exit}')
	kill -9 "$init"; while kill -0 "$init" 2>/dev/null; do sleep 0.01; done; "$podwire" ps >/dev/null 2>&1
	is "the first process is killed: no BIRD survives it" "0 $before" "$(birds) $(settle "$before")"
	check "no mesh: said, and no BIRD" sh -c "'$podwire' up --bird -f '$work/objects.yaml' --cni flannel | grep -q 'no BIRD'"
	"$podwire" down -q
	is "nothing is left of them" "0 $before" "$(birds) $(settle "$before")"
else
	skipped=$((skipped + 1)); echo "skipped: bird is not installed"
fi

echo "== without root"
if [ "$(id -u)" = 0 ] && setpriv --reuid=65534 --regid=65534 --clear-groups unshare -Urn true 2>/dev/null; then
	chmod 777 "$work"
	check "verify as nobody" setpriv --reuid=65534 --regid=65534 --clear-groups "$podwire" verify -f "$work/objects.yaml" --sample 100
	check "up as nobody" setpriv --reuid=65534 --regid=65534 --clear-groups "$podwire" up -f "$work/objects.yaml" -q
	check "down as nobody" setpriv --reuid=65534 --regid=65534 --clear-groups "$podwire" down -q
	command -v bird >/dev/null || [ -x /usr/sbin/bird ] && { check "up as nobody, with BIRDs" setpriv --reuid=65534 --regid=65534 --clear-groups "$podwire" up --bird -f "$work/objects.yaml" -q; } ||
		check "up as nobody, again" setpriv --reuid=65534 --regid=65534 --clear-groups "$podwire" up -f "$work/objects.yaml" -q
	is "another user is refused" 2 "$("$podwire" ps >/dev/null 2>&1; echo $?)"
	check "down as nobody" setpriv --reuid=65534 --regid=65534 --clear-groups "$podwire" down -q
	is "nothing is left" "$before" "$(settle "$before")"
else
	skipped=$((skipped + 1)); echo "skipped: no user namespace for nobody"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
