#!/usr/bin/env bash
# podwire up: the cluster in real namespaces. What the kernel has is what the dataplane says, real connections end as the walk says, commands work as kubectl's do, and
# nothing stays behind, whoever is killed when.
. "$(dirname "$0")/lib.sh"
needs nft iptables-restore ipset

{ deployment web 2 '{containerPort: 8080}, {containerPort: 8081, protocol: UDP}'
	service web 'type: NodePort, ports: [{name: http, port: 80, targetPort: 8080, nodePort: 30080}, {name: udp, port: 81, targetPort: 8081, protocol: UDP}]'
	service nobody 'ports: [{port: 80}]'
	echo '{apiVersion: v1, kind: Pod, metadata: {name: shell, labels: {role: client}}, spec: {nodeName: worker-1, containers: [{name: shell, image: alpine}]}}'; } >objects.yaml
cat >policy.yaml <<'YAML'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress, Egress], ingress: [{from: [{podSelector: {matchLabels: {role: client}}}], ports: [{port: 8080}]}]}
YAML
iptables_mode >iptables.yaml
dual_stack >dual.yaml
before=$(what_is_there)

echo "== the kernel has what the dataplane says, and connections end as the walk says"
for cni in calico flannel bridge; do
	check "$cni, kube-proxy nftables" "$podwire" verify -f objects.yaml --cni $cni
	check "$cni, kube-proxy iptables" "$podwire" verify -f objects.yaml -f iptables.yaml --cni $cni --sample 100
done
check "calico with policies" "$podwire" verify -f objects.yaml -f policy.yaml
sed 's/nodeName: worker-1, //' objects.yaml >any.yaml
check "both families" "$podwire" verify -f any.yaml -f dual.yaml --sample 200
rm any.yaml
is "nothing is left" "$before" "$(settle "$before")"

echo "== a lab that is up"
check "up" "$podwire" up -f objects.yaml -q
is "a second one is refused" 2 "$("$podwire" up -f objects.yaml 2>/dev/null; echo $?)"
is "exec in a Pod" "shell" "$("$podwire" exec shell -- hostname)"
is "its exit status is handed on" 7 "$("$podwire" exec pod/shell -- sh -c 'exit 7'; echo $?)"
is "a command that is not there" 127 "$("$podwire" exec pod/shell -- no-such-command 2>/dev/null; echo $?)"
is "a container that is not there" 1 "$("$podwire" exec shell -c nope -- true 2>/dev/null; echo $?)"
is "the Pod's own resolv.conf" "nameserver 10.96.0.10" "$("$podwire" exec shell -- grep nameserver /etc/resolv.conf)"
is "standard input only where it is asked for" "0 5" "$(echo word | "$podwire" exec shell -- wc -c | tr -d ' ') $(echo word | "$podwire" exec -i shell -- wc -c | tr -d ' ')"
is "exec on a node" "172.18.0.3" "$("$podwire" exec node/worker-1 -- ip -4 -o addr show eth0 | sed -E 's/.*inet ([0-9.]+).*/\1/')"
pod=$("$podwire" get pods -f objects.yaml -l app=web -o 'jsonpath={.items[0].metadata.name}')
ip=$("$podwire" get pods -f objects.yaml -l app=web -o 'jsonpath={.items[0].status.podIP}')
is "a container answers and says who asked" "default/$pod web" "$("$podwire" exec shell -- bash -c "exec 3<>/dev/tcp/$ip/8080; echo hello >&3; head -1 <&3" | cut -d' ' -f1,2)"
has "its log has the connection" connection "$("$podwire" logs "$pod")"
is "ps shows all namespaces" "$(("$("$podwire" get pods -A -f objects.yaml -o name | wc -l)" - 6 + 3 + 2))" "$(($("$podwire" ps | wc -l) - 1))"
check "verify in the lab" "$podwire" verify --sample 60
"$podwire" exec node/worker-1 -- ip route del default
out=$("$podwire" verify --sample 1 2>&1); is "a route that somebody took away is found" 1 $?
grep -q "route default via 172.18.0.1 dev eth0" <<<"$out" && ok "and named" || bad "and named" "$out"
check "down" "$podwire" down -q
is "nothing is left" "$before" "$(settle "$before")"

echo "== the kernel follows each change of the lab, by difference"
"$podwire" apply -f objects.yaml -q >/dev/null
check "up from a lab" "$podwire" up -q
one=$("$podwire" exec node/worker-1 -- cat /proc/1/stat | cut -d' ' -f22)
follow scale deploy/web --replicas 4
follow apply -f policy.yaml
follow delete svc web
follow fault node worker-1
follow heal node worker-1
follow fault kubeProxy worker-2
follow apply -f objects.yaml
follow heal kubeProxy worker-2
follow fault link worker-2
follow heal link worker-2
follow scale deploy/web --replicas 1
follow delete -f policy.yaml
is "it was one lab all the time" "$one" "$("$podwire" exec node/worker-1 -- cat /proc/1/stat | cut -d' ' -f22)"
check "down" "$podwire" down -q
rm -f "$work"/lab.db*
is "nothing is left" "$before" "$(settle "$before")"

echo "== scenarios"
for s in figures/calico-cluster figures/clusterip lessons/12-nodeport-source-ip; do check "$s" "$podwire" run --mode linux "$root/scenarios/$s.yaml"; done
is "what cannot be tried is skipped" 1 "$("$podwire" run --mode linux "$root/scenarios/regressions/default-deny.yaml" | grep -c 'skipped mode linux')"
is "nothing is left" "$before" "$(settle "$before")"

echo "== whoever is killed"
for round in 1 2 3; do
	"$podwire" up -f objects.yaml -q & up=$!
	sleep 0.0$((round * 2)); kill -9 $up 2>/dev/null; wait $up 2>/dev/null
	"$podwire" down -q 2>/dev/null
done
is "up, in the middle of its work" "$before" "$(settle "$before")"
"$podwire" up -f objects.yaml -q
init=$(ps -e --no-headers -o pid,comm | awk '$2 == "podwire" {print $1; exit}')
kill -9 "$init"; while kill -0 "$init" 2>/dev/null; do sleep 0.01; done
"$podwire" ps >/dev/null 2>&1; is "the first process: the next command says that nothing is up" 1 $?
is "and nothing is left" "$before" "$(settle "$before")"
"$podwire" up -f objects.yaml -q
kill_in node/worker-1 'pause\ pod/default/shell\ '
for _ in $(seq 50); do "$podwire" exec shell -- true 2>/dev/null && break; sleep 0.05; done
check "a pause: its Pod's namespaces are made again" "$podwire" verify --sample 60
"$podwire" down -q
for n in $(seq ${CYCLES:-5}); do "$podwire" up -f objects.yaml -q && "$podwire" down -q || bad "cycle $n"; done
is "${CYCLES:-5} times up and down" "$before" "$(settle "$before")"

echo "== BIRD"
if command -v bird >/dev/null || [ -x /usr/sbin/bird ]; then
	birds() { ps -e --no-headers -o comm | grep -cx bird; }
	dual_stack '{role: control-plane}, {role: worker}, {role: worker}' | sed 's/name: dual, //' >three.yaml
	"$podwire" apply -q -f three.yaml -f objects.yaml >/dev/null
	at=worker-1
	check "up with a BIRD on each node" "$podwire" up --bird
	is "they run" 3 "$(birds)"
	check "their routes are those of the dataplane" "$podwire" verify --sample 60
	sessions() { "$podwire" exec "node/$at" -- birdc -s "/run/podwire/bird/$at.ctl" show protocols | grep -c '^Mesh_.* Established'; }
	is "sessions of both families" 4 "$(sessions)"
	"$podwire" scale deploy/web --replicas 150 -q >/dev/null
	check "more blocks: BIRD tells of them" "$podwire" verify --sample 60
	"$podwire" exec "node/$at" -- sh -c "kill -9 \$(cat /run/podwire/bird/$at.pid)"
	check "one that was killed: no route is lost" "$podwire" verify --sample 60
	for _ in $(seq 100); do [ "$(birds)" = 3 ] && break; sleep 0.05; done
	is "and it is started again, as in calico-node" 3 "$(birds)"
	recovering() { "$podwire" exec "node/$1" -- birdc -s "/run/podwire/bird/$1.ctl" show protocols all | grep -i 'graceful restart active' >/dev/null; }    # not -q: whom it closes its end to would fail
	for _ in $(seq 200); do [ "$(sessions)" = 4 ] && ! recovering worker-2 && break; sleep 0.05; done
	is "and its sessions are up" 4 "$(sessions)"
	is "and no route is stale" "" "$(recovering worker-2 && echo "worker-2 still keeps stale routes")"
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
	"$podwire" down -q; rm -f "$work"/lab.db* three.yaml
	v3() { printf -- '---\napiVersion: projectcalico.org/v3\nkind: %s\nmetadata: {name: %s}\nspec: {%s}\n' "$@"; }
	mesh_is() { "$podwire" up --bird -q -f objects.yaml -f bgp.yaml && check "$1" "$podwire" verify --sample 40; "$podwire" down -q; }
	v3 BGPConfiguration default 'nodeToNodeMeshEnabled: false' >bgp.yaml; mesh_is "without a mesh no node has routes to others"
	v3 IPPool four 'cidr: 10.244.0.0/16, vxlanMode: Never, disableBGPExport: true' >bgp.yaml; mesh_is "a pool that is not exported"
	{ v3 BGPConfiguration default 'nodeToNodeMeshEnabled: false'; v3 BGPPeer rr "nodeSelector: '!has(rr)', peerSelector: has(rr)"
	for n in 0:control-plane 1:worker-1 2:worker-2; do printf -- '---\napiVersion: v1\nkind: Node\nmetadata: {name: %s%s}\nstatus: {addresses: [{type: InternalIP, address: 172.18.0.%d}], conditions: [{type: Ready, status: "True"}]}\n' "${n#*:}" \
		"$([ ${n%:*} = 0 ] && echo ', labels: {rr: "1"}, annotations: {projectcalico.org/RouteReflectorClusterID: 1.0.0.1}')" $((2 + ${n%:*})); done; } >bgp.yaml; mesh_is "a route reflector"
	{ v3 BGPConfiguration default 'nodeToNodeMeshEnabled: false'; v3 BGPPeer all 'nodeSelector: all(), peerSelector: all(), filters: [f]'
	v3 BGPFilter f "importV4: [{action: Reject, matchOperator: In, cidr: $("$podwire" show bgp -f objects.yaml | sed -n '/worker-1/,/^tells/s/^tells \([0-9./]*\).*/\1/p')}]"; } >bgp.yaml
	is "a BGPFilter keeps one block from two nodes" 2 "$("$podwire" show bgp -f objects.yaml -f bgp.yaml | grep -c 'does not get to .* import of BGPFilter f$')"
	mesh_is "and from their kernels"
	rm bgp.yaml
	"$podwire" up --bird -q -f objects.yaml
	init=$(ps -e --no-headers -o pid,comm | awk '$2 == "podwire" {print $1; exit}')
	kill -9 "$init"; while kill -0 "$init" 2>/dev/null; do sleep 0.01; done; "$podwire" ps >/dev/null 2>&1
	is "the first process is killed: no BIRD survives it" "0 $before" "$(birds) $(settle "$before")"
	check "no mesh: said, and no BIRD" sh -c "'$podwire' up --bird -f objects.yaml --cni flannel | grep -q 'no BIRD'"
	"$podwire" down -q
	is "nothing is left of them" "0 $before" "$(birds) $(settle "$before")"
else
	skipped=$((skipped + 1)); echo "skipped: bird is not installed"
fi

echo "== without root"
if [ "$(id -u)" = 0 ] && as_nobody unshare -Urn true 2>/dev/null; then
	chmod 777 "$work"
	check "verify as nobody" as_nobody "$podwire" verify -f objects.yaml --sample 100
	check "up as nobody" as_nobody "$podwire" up -f objects.yaml -q
	check "down as nobody" as_nobody "$podwire" down -q
	command -v bird >/dev/null || [ -x /usr/sbin/bird ] && { check "up as nobody, with BIRDs" as_nobody "$podwire" up --bird -f objects.yaml -q; } ||
		check "up as nobody, again" as_nobody "$podwire" up -f objects.yaml -q
	is "another user is refused" 2 "$("$podwire" ps >/dev/null 2>&1; echo $?)"
	check "down as nobody" as_nobody "$podwire" down -q
	is "nothing is left" "$before" "$(settle "$before")"
else
	skipped=$((skipped + 1)); echo "skipped: no user namespace for nobody"
fi
finish
