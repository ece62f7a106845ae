#!/usr/bin/env bash
# import and --dataplane as people use them: dumps of living clusters into a lab, captured nodes, exit statuses.
set -uo pipefail
cd "$(dirname "$0")/../.."
podwire=$(realpath "${PODWIRE:-build/podwire}"); top=$PWD
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
passed=0 failed=0 skipped=0
is() { if [ "$2" = "$3" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); printf 'FAILED  %s\n  have: %s\n  want: %s\n' "$1" "$2" "$3"; fi; }
has() { if grep -qF -- "$3" <<<"$2"; then passed=$((passed + 1)); else failed=$((failed + 1)); printf 'FAILED  %s\n  have: %s\n  want: %s\n' "$1" "$2" "$3"; fi; }

cat >dump.json <<'D'
{"kind":"NodeList","apiVersion":"v1","items":[{"metadata":{"name":"n1","uid":"1"},"spec":{"podCIDR":"10.9.1.0/24"},"status":{"addresses":[{"type":"InternalIP","address":"192.0.2.1"}],"conditions":[{"type":"Ready","status":"True"}]}}]}
{"kind":"PodList","apiVersion":"v1","items":[
{"metadata":{"name":"a","namespace":"shop","uid":"2","labels":{"app":"a"}},"spec":{"nodeName":"n1","containers":[{"name":"c","image":"i","ports":[{"containerPort":80}]}]},"status":{"phase":"Running","podIP":"10.9.1.5","hostIP":"192.0.2.1","conditions":[{"type":"Ready","status":"True"}],"containerStatuses":[{"name":"c","ready":true,"image":"i","imageID":"","restartCount":0,"state":{"running":{}}}]}},
{"metadata":{"name":"b","namespace":"shop","uid":"3","labels":{"app":"b"}},"spec":{"nodeName":"n2","containers":[{"name":"c","image":"i","ports":[{"containerPort":80}]}]},"status":{"phase":"Running","podIP":"10.9.2.5","hostIP":"192.0.2.2","conditions":[{"type":"Ready","status":"True"}],"containerStatuses":[{"name":"c","ready":true,"image":"i","imageID":"","restartCount":0,"state":{"running":{}}}]}}]}
==== START logs for container c of pod shop/a ====
{"kind":"Pod"}
==== END logs for container c of pod shop/a ====
{"kind":"ServiceList","apiVersion":"v1","items":[
{"metadata":{"name":"b","namespace":"shop","uid":"4"},"spec":{"clusterIP":"10.96.7.7","selector":{"app":"b"},"ports":[{"port":80}]}},
{"metadata":{"name":"manual","namespace":"shop","uid":"5"},"spec":{"clusterIP":"10.96.7.8","ports":[{"port":80}]}}]}
D
out=$("$podwire" import dump.json 2>&1); is "import succeeds" $? 0
has "counts objects" "$out" "5 objects from 1 file"
has "says what is derived" "$out" "the endpoints of 1 Service"
has "derives nodes" "$out" "1 Node from the Pods"
has "says what is missing" "$out" "no NetworkPolicies"
is "addresses stay" "$("$podwire" get pod -n shop b -o 'jsonpath={.status.podIP}')" "10.9.2.5"
is "ClusterIPs stay" "$("$podwire" get svc -n shop b -o 'jsonpath={.spec.clusterIP}')" "10.96.7.7"
is "no CoreDNS is invented" "$("$podwire" get pods -A -o name | grep -c dns)" 0
has "the derived endpoint" "$("$podwire" trace -n shop pod/a svc/b:80 -o json)" '"ip": "10.9.2.5"'
"$podwire" trace -n shop pod/a svc/manual:80 >/dev/null 2>&1; is "a Service without selector is unknown" $? 5
"$podwire" trace -n shop pod/a svc/b:80 -f dump.json --validate warn >/dev/null 2>&1; is "the same without a lab" $? 0
cat >old.yaml <<'D'
{apiVersion: v1, kind: Node, metadata: {name: n1, uid: u1, creationTimestamp: "2026-01-01T00:00:00Z"}, status: {conditions: [{type: Ready, status: "True", lastHeartbeatTime: "2026-01-03T00:00:00Z"}]}}
D
"$podwire" import --lab old.db old.yaml >/dev/null 2>&1
has "ages count from the latest time in the dump" "$("$podwire" get node n1 --lab old.db)" "2d"
"$podwire" import nothing.json >/dev/null 2>&1; is "a file that is not there" $? 2
printf 'Name: x\n' >text; "$podwire" import text >/dev/null 2>&1; is "a file without objects" $? 2

# ---- captured nodes
mkdir n; cat >n/iptables-save <<'D'
*nat
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.9.1.5:6443
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -s 198.51.100.0/24 -m set --match-set gone src -j DROP
COMMIT
D
printf '1: lo: <LOOPBACK,UP> mtu 65536\n    inet 127.0.0.1/8 scope host lo\n2: eth0: <BROADCAST,UP> mtu 1500\n    inet 192.0.2.1/24 scope global eth0\n' >n/ip-addr.txt
printf 'default via 192.0.2.254 dev eth0\n192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.1\n10.9.1.0/24 dev cni0 scope link\n' >n/ip-route.txt
has "walks a captured node" "$("$podwire" trace --dataplane n ip/10.9.1.7 10.96.0.1:443 -o json 2>/dev/null)" '"ip": "10.9.1.5"'
"$podwire" trace --dataplane n ip/198.51.100.7 10.9.1.5:80 >/dev/null 2>&1; is "a missing ipset is unknown" $? 5
"$podwire" trace --dataplane n ip/203.0.113.7 10.9.1.5:80 >/dev/null 2>&1; is "and where it is not asked, it does not matter" $? 0
has "says which sets" "$("$podwire" show capture --dataplane n -o json 2>/dev/null)" '"gone"'
has "as ip route get" "$("$podwire" show route 10.9.1.5 --dataplane n 2>/dev/null)" "dev cni0"
"$podwire" rules --dataplane n 2>/dev/null >again; mkdir n2; cp again n2/iptables-save; cp n/ip-* n2/
is "rules print what was read" "$("$podwire" rules --dataplane n2 2>/dev/null)" "$(cat again)"
"$podwire" trace --dataplane nowhere node 1.2.3.4:5 >/dev/null 2>&1; is "a capture that is not there" $? 2
"$podwire" trace --dataplane n pod/x 1.2.3.4:5 >/dev/null 2>&1; is "an end that a capture cannot have" $? 2

# ---- what nodes have against what the objects imply
cat >shop.yaml <<'D'
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
D
for mode in nft iptables; do
	conf=kubeproxy-$mode.yaml; printf 'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: %s\n' "${mode/nft/nftables}" >"$conf"
	{ "$podwire" rules -f shop.yaml -f "$conf" -o $mode; "$podwire" rules -f shop.yaml -f "$conf" -o ip; } >all.txt
	[ $mode = iptables ] && { printf 'create cali40masq-ipam-pools hash:net family inet\nadd cali40masq-ipam-pools 10.244.0.0/16\ncreate cali40all-ipam-pools hash:net family inet\nadd cali40all-ipam-pools 10.244.0.0/16\n' >sets
		for n in control-plane worker-1 worker-2; do printf '# node/%s\n' $n; cat sets; done >>all.txt; }
	out=$("$podwire" compare --dataplane all.txt -f shop.yaml -f "$conf" 2>&1); is "$mode: nodes have what the objects imply" "$?: $(tail -1 <<<"$out")" "0: $(grep -oE '^[0-9]+ asked' <<<"$out"), 0 differ, 0 cannot be told"
	sed -E 's/(dnat to |--to-destination |: )[0-9.]+(:| \. )8080/\110.244.9.9\28080/g' all.txt >broken.txt
	"$podwire" compare --dataplane broken.txt -f shop.yaml -f "$conf" >out 2>/dev/null; is "$mode: a wrong endpoint shows" $? 1
	has "$mode: and where" "$(cat out)" "10.244.9.9:8080"
	[ $mode = iptables ] && { grep -v cali40 all.txt >gap.txt; "$podwire" compare --dataplane gap.txt -f shop.yaml -f "$conf" >/dev/null 2>&1; is "a gap makes no difference where it decides nothing" $? 0; }
done
if unshare -n true 2>/dev/null && command -v nft >/dev/null && command -v ip >/dev/null; then
	unshare -n sh -c "ip link set lo up && ip link add e0 type veth peer name e1 && ip addr add 192.0.2.1/24 dev e0 && ip link set e0 up && ip link set e1 up && ip route add default via 192.0.2.254 && ip rule add fwmark 0x80/0x80 lookup 100 &&
		nft add table ip x && nft add chain ip x f '{ type filter hook forward priority 0; policy drop; }' && '$podwire' capture" >node.json
	is "captures a namespace" $? 0
	"$podwire" trace --dataplane node.json ip/203.0.113.7 10.1.1.1:80 >/dev/null 2>&1; is "and walks through it" $? 1
	has "with its routes" "$("$podwire" show routes --dataplane node.json 2>/dev/null)" "default via 192.0.2.254 dev e0"
else
	echo "skipped: no network namespaces, or no nft, here"; skipped=$((skipped + 1))
fi

# ---- the questions that came with real captures
shared=${PODWIRE_SHARED:-$top/../shared}/captures
if [ -e "$shared/QUESTIONS.json" ]; then
	if python3 "$top/tests/cli/questions.py" "$podwire" "$shared"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
else
	echo "skipped: no captures beside the project"; skipped=$((skipped + 1))
fi
# An answer that comes back by a node which has not seen the connection begin: INVALID there, if it is no UDP (net/netfilter/nf_conntrack_proto_tcp.c tcp_new).
tables() { printf '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n%sCOMMIT\n*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n%sCOMMIT\n' "$1" "$2"; }
node() {
	mkdir -p "ways/$1"
	printf '1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536\n    inet 127.0.0.1/8 scope host lo\n2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500\n    link/ether 02:42:0a:00:00:0%s brd ff:ff:ff:ff:ff:ff\n    inet 10.0.0.%s/24 brd 10.0.0.255 scope global eth0\n' "$2" "$2" >"ways/$1/ip-addr.txt"
	printf '10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.%s\n' "$2" >"ways/$1/ip-route.txt"
	printf 'net.ipv4.ip_forward = 1\nnet.ipv4.conf.all.rp_filter = 0\nnet.ipv4.conf.default.rp_filter = 0\nnet.ipv4.conf.eth0.rp_filter = 0\n' >"ways/$1/sysctl.txt"
	tables '' '' >"ways/$1/iptables-save.txt"
}
back() { "$podwire" trace --dataplane ways node/a 10.0.0.2:80 --protocol "$1" 2>&1; }
node a 1; node b 2; node r 3; echo '10.0.0.1 via 10.0.0.3 dev eth0' >>ways/b/ip-route.txt
tables '' $'-A POSTROUTING -j MASQUERADE\n' >ways/r/iptables-save.txt
has "an answer that is INVALID is not masqueraded" "$(back tcp)" "10.0.0.1; answered"
has "one by UDP is" "$(back udp)" "the answer comes from 10.0.0.3, but 10.0.0.2 was asked"
tables $'-A FORWARD -m conntrack --ctstate INVALID -j DROP\n' '' >ways/r/iptables-save.txt
has "what drops INVALID drops it" "$(back tcp)" "the answer does not come back"
has "one by UDP passes" "$(back udp)" "10.0.0.1; answered"
cat >keyless.yaml <<'EOF'
{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Node, metadata: {name: n1, labels: {a: b}}},
 {apiVersion: v1, kind: Pod, metadata: {name: q}, spec: {containers: [{name: c, image: i}], affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution:
  {nodeSelectorTerms: [{matchExpressions: [{operator: DoesNotExist}]}]}}}}}]}
EOF
"$podwire" init --lab keyless.db >/dev/null; "$podwire" import --lab keyless.db keyless.yaml >/dev/null 2>&1
has "a requirement of nodes without a key holds nowhere" "$("$podwire" why --lab keyless.db pod/q 2>&1)" "no node has the labels that the Pod asks for"
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
