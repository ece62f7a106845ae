#!/usr/bin/env bash
# The reference CNI plugins, executed as a runtime does, make the links, addresses, routes and hostPort rules that the dataplane says: rule for rule, host-local's
# addresses in its order; and what is otherwise is shown.
. "$(dirname "$0")/lib.sh"
plugins=${CNI_BIN:-/usr/lib/cni}
for p in loopback bridge host-local portmap; do [ -x "$plugins/$p" ] || skip "$plugins/$p is not there (package containernetworking-plugins)"; done
needs nft iptables-restore

{ deployment web 5
	service web 'type: NodePort, ports: [{name: http, port: 80, targetPort: 8080, nodePort: 30080}]'
	cat; } >objects.yaml <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: front}
spec:
  nodeName: worker-1
  containers: [{name: front, image: nginx, ports: [{containerPort: 80, hostPort: 8080}, {containerPort: 81, hostPort: 8081, protocol: UDP}, {containerPort: 82, hostPort: 8082, hostIP: 127.0.0.1}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: stays}
spec: {nodeName: worker-2, containers: [{name: c, image: nginx}]}
YAML
iptables_mode >iptables.yaml
dual_stack >dual.yaml
sed 's/nodeName: worker-1$/nodeSelector: {}/' objects.yaml >any.yaml
with="--cni bridge --cni-bin $plugins"

echo "== the plugins' wiring is the dataplane's"
check "kube-proxy nftables" "$podwire" verify -f objects.yaml $with --sample 60
check "kube-proxy iptables" "$podwire" verify -f objects.yaml -f iptables.yaml $with --sample 60
check "both families" "$podwire" verify -f any.yaml -f dual.yaml $with --sample 60

echo "== a lab that they have wired"
"$podwire" init --cni bridge -q && "$podwire" apply -q -f objects.yaml >/dev/null
check "up" "$podwire" up -q --cni-bin "$plugins"
has "verify says who wired it" "wired 9 Pods" "$("$podwire" verify --sample 20)"
has "the node's end has the plugin's name" "cni0" "$("$podwire" exec node/worker-1 -- ip -o link show type veth)"
follow scale deploy/web --replicas 9
follow scale deploy/web --replicas 4
follow scale deploy/web --replicas 6
is "host-local holds one address for each Pod of the node" "$("$podwire" get pods -A -o wide | grep -c ' 10\.244\.1\.')" "$("$podwire" exec node/worker-1 -- sh -c 'ls /run/podwire/cni/*/kindnet/10.244.1.* | wc -l')"
"$podwire" delete pod/front -q >/dev/null
out=$("$podwire" verify --sample 1 -v); is "what portmap leaves on a node without hostPorts is a difference" 1 $?
has "and is shown" "CNI-HOSTPORT-DNAT" "$out"
is "DEL took the Pod's mappings away" 0 "$("$podwire" exec node/worker-1 -- iptables-save -t nat | grep -c 'CNI-DN-')"
"$podwire" apply -q -f objects.yaml >/dev/null
"$podwire" exec pod/front -- ip route del default
out=$("$podwire" verify --sample 1); is "a route that somebody took out of a Pod is found" 1 $?
has "and named" "routes of pod/default/front" "$out"
kill_in node/worker-1 'pause\ pod/default/front\ '
for _ in $(seq 100); do "$podwire" exec pod/front -- ip route 2>/dev/null | grep -q default && break; sleep 0.05; done
check "a sandbox that is lost is made anew, by DEL and ADD" "$podwire" verify --sample 20
"$podwire" down -q; rm -f "$work"/lab.db*

echo "== addresses"
"$podwire" init --cni bridge -q && "$podwire" apply -q -f objects.yaml >/dev/null
"$podwire" scale deploy/web --replicas 2 -q >/dev/null; "$podwire" scale deploy/web --replicas 7 -q >/dev/null
check "up of a lab in which Pods have come and gone" "$podwire" up -q --cni-bin "$plugins"
out=$("$podwire" verify --sample 20); is "host-local, which knows nothing of them, gives others" 1 $?
has "which are shown" "the address that host-local gives to pod/default/web" "$out"
grep DIFFERS <<<"$out" | grep -qv "address that host-local" && bad "all else is the same" "$out" || ok "all else is the same"
"$podwire" down -q

echo "== what cannot be"
out=$("$podwire" up -f objects.yaml --cni-bin "$plugins" 2>&1); is "another network is refused" 2 $?
has "with the remedy" "--cni bridge" "$out"
out=$("$podwire" up -f objects.yaml --cni bridge --cni-bin "$work" 2>&1); is "a plugin that is not there" 3 $?
has "is named with its package" "containernetworking-plugins" "$out"
mkdir "$work/bin"; for p in loopback host-local portmap; do ln -s "$plugins/$p" "$work/bin/$p"; done
printf '#!/bin/sh\necho '"'"'{"cniVersion":"1.0.0","code":7,"msg":"no bridge today","details":"try again"}'"'"'\nexit 1\n' >"$work/bin/bridge"; chmod +x "$work/bin/bridge"
out=$("$podwire" up -f objects.yaml --cni bridge --cni-bin "$work/bin" 2>&1); is "a plugin that fails" 3 $?
has "says what it said" "no bridge today; try again" "$out"
finish
