#!/usr/bin/env bash
# rules -o bird: BIRD itself reads what is printed, for each kind of cluster and each node.
. "$(dirname "$0")/lib.sh"
bird=$(PATH=$PATH:/usr/sbin:/sbin command -v bird)
[ -n "$bird" ] || echo "bird is not installed: nothing of this is read by it"
v3() { printf -- '---\napiVersion: projectcalico.org/v3\nkind: %s\nmetadata: {name: %s}\nspec: {%s}\n' "$@"; }
kind() { printf 'kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes: [{role: control-plane}, {role: worker}, {role: worker}]\nnetworking: {%s}\n' "$1"; }
cat >web.yaml <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 90, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: w, image: nginx}]}}}
YAML
kind '' >plain.yaml
kind "ipFamily: dual, podSubnet: '10.244.0.0/16,fd00:10:244::/56', serviceSubnet: '10.96.0.0/16,fd00:10:96::/112'" >dual.yaml
kind "ipFamily: ipv6, podSubnet: 'fd00:10:244::/56', serviceSubnet: 'fd00:10:96::/112'" >six.yaml
{ kind ''; v3 BGPConfiguration default 'nodeToNodeMeshEnabled: false, asNumber: 65001'; v3 BGPPeer a "peerIP: '192.0.2.1:1790', asNumber: 64999"; v3 BGPPeer b 'nodeSelector: "all()", peerSelector: "all()"'
  v3 BGPPeer c "node: worker-1, peerIP: '[2001:db8::1]:179', asNumber: 4200000000"; } >peers.yaml
{ cat dual.yaml; v3 IPPool four 'cidr: 10.244.0.0/17, ipipMode: Always'; v3 IPPool more 'cidr: 10.244.128.0/17, vxlanMode: Never, ipipMode: Never'
  v3 IPPool six "cidr: 'fd00:10:244::/56', blockSize: 122, disableBGPExport: true"; } >mixed.yaml
{ kind ''; v3 BGPConfiguration default 'listenPort: 1790, serviceClusterIPs: [{cidr: 10.96.0.0/16}], serviceExternalIPs: [{cidr: 198.51.100.0/24}], communities: [{name: blue, value: "64512:100"}],
    prefixAdvertisements: [{cidr: 10.244.0.0/16, communities: [blue, "64512:1:2"]}], nodeMeshPassword: {secretKeyRef: {name: bgp, key: mesh}}'
  v3 BGPPeer tor 'peerIP: 192.0.2.1, asNumber: 64999, filters: [no-services], password: {secretKeyRef: {name: bgp, key: nokey}}'
  v3 BGPFilter no-services 'exportV4: [{action: Reject, matchOperator: In, cidr: 10.96.0.0/16, prefixLength: {min: 24, max: 32}}, {action: Accept, interface: "eth9"}], importV4: [{action: Reject}]'
  printf -- '---\napiVersion: v1\nkind: Secret\nmetadata: {name: bgp, namespace: kube-system}\ndata: {mesh: c2VjcmV0}\n'
  printf -- '---\napiVersion: v1\nkind: Pod\nmetadata: {name: one, labels: {app: one}}\nspec: {nodeName: worker-1, containers: [{name: c, image: nginx}]}\n'
  printf -- '---\napiVersion: v1\nkind: Service\nmetadata: {name: local}\nspec: {type: NodePort, externalTrafficPolicy: Local, externalIPs: [198.51.100.9], selector: {app: one}, ports: [{port: 80}]}\n'; } >services.yaml
for f in plain dual six peers mixed services; do
	for node in $("$podwire" get nodes -f web.yaml -f $f.yaml -o name); do
		node=${node#*/}
		check "$f: $node is printed" sh -c "'$podwire' rules -f web.yaml -f $f.yaml -o bird --node $node >$f-$node.conf && grep -q '^router id' $f-$node.conf"
		if [ -n "$bird" ]; then check "$f: BIRD accepts that of $node" "$bird" -p -c $f-$node.conf; else skipped=$((skipped + 1)); fi
	done
done
one=$(ls six-*.conf | head -1)
check "each node has as many sessions of each family as there are other nodes" sh -c "for f in dual-*.conf; do [ \$(grep -c 'Mesh_172' \$f) = 2 ] && [ \$(grep -c '^protocol bgp Mesh_f' \$f) = 2 ] || exit 1; done"
check "a node without IPv4 has a router id from its name" grep -q 'from its name' "$one"
check "peers are nodes where a peerSelector says so" sh -c "[ \$(grep -c '^protocol bgp Node_172' peers-worker-1.conf) = 2 ]"
check "felix keeps the pool that is encapsulated" sh -c "cat mixed-*.conf | grep -q 'net ~ 10.244.0.0/17 then reject; # felix'"
check "Service ranges are told by each node, and not written into the kernel" sh -c "for f in services-*.conf; do [ \$(grep -c 'net ~ 10.96.0.0/16 then' \$f) = 2 ] || exit 1; done"
check "an address with externalTrafficPolicy Local is told by the node of its Pod alone" sh -c "[ \$(grep -l '198.51.100.9/32' services-*.conf | wc -l) = 1 ] && grep -q '198.51.100.9/32 blackhole; # Service default/local' services-worker-1.conf"
check "communities, by name and by value" sh -c "grep -q 'bgp_community.add((64512, 100))' services-worker-1.conf && grep -q 'bgp_large_community.add((64512, 1, 2))' services-worker-1.conf"
check "the port stands on both sides" sh -c "grep -q 'local port 1790 as 64512' services-worker-1.conf && grep -q 'neighbor 172.18.0.2 port 1790 as' services-worker-1.conf"
check "a password is not shown, and one that is missing is said" sh -c "grep -q 'password \"\*\*\*\"' services-worker-1.conf && ! grep -q secret services-worker-1.conf && grep -q 'no password: key nokey of Secret bgp is not there' services-worker-1.conf"
check "a BGPFilter is asked before the rest" grep -q "export filter { 'bgp_no-services_exportFilterV4'(); calico_export_ipv4(); reject; };" services-worker-1.conf
check "show bgp says what a node tells" sh -c "'$podwire' show bgp -f web.yaml -f services.yaml | grep -q '10.96.0.0/16 (serviceClusterIPs)'"
check "show bgp says where no session is" sh -c "{ cat plain.yaml; printf -- '---\napiVersion: projectcalico.org/v3\nkind: BGPConfiguration\nmetadata: {name: default}\nspec: {nodeToNodeMeshEnabled: false}\n'; } >off.yaml; '$podwire' show bgp -f web.yaml -f off.yaml | grep -q 'no BGP sessions: the node-to-node mesh is off'"
check "without BGP there is a sentence" sh -c "'$podwire' rules -f web.yaml --cni bridge -o bird | grep -q '^# node/worker-1: no BGP here: the Pod network is bridge'"
check "a capture has none" sh -c "! '$podwire' rules --dataplane . -o bird 2>err && grep -q 'follows from objects' err"
finish
