#!/usr/bin/env bash
# What scripts rely on beyond single commands: rules as JSON, moments of a question about files, neighbours, completion.
. "$(dirname "$0")/lib.sh"
cat >web.yaml <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 2, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: w, image: nginx, ports: [{containerPort: 80}]}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
YAML
json() { local what=$1; shift; "$@" >said && python3 -c "import json, sys; d = json.load(open('said')); sys.exit(0 if ($what) else 1)"; }

for mode in nftables iptables; do
	printf 'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: %s\n' $mode >$mode.yaml
	check "$mode: rules -o json has the rules of rules -o nft, one by one" python3 - "$podwire" $mode <<'P'
import json, re, subprocess, sys
podwire, mode = sys.argv[1:]
ask = lambda form: subprocess.run([podwire, "rules", "-f", "web.yaml", "-f", mode + ".yaml", "--node", "worker-1", "-o", form], capture_output=True, text=True, check=True).stdout
nft, iptables, node = ask("nft"), re.sub(r" -m comment --comment (\"[^\"]*\"|\S+)", "", ask("iptables")), json.loads(ask("json"))["nodes"][0]
rules = [(t["tool"], r["text"]) for t in node["tables"] for c in t["chains"] for r in c["rules"]]
assert len(rules) > 20, len(rules)
for tool, text in rules:
    assert text in (nft if tool == "nft" else iptables), (tool, text)
assert any(r["dst"] == "default" for r in node["routes"]) and any(l["ifname"] == "eth0" for l in node["links"])
P
done
check "a Service's element names its manifest with --causes" json "any(c.get('file') == 'web.yaml' and c['line'] == 9 for t in d['nodes'][0]['tables'] for s in t['sets'] for e in s['elements'] for c in e['causes'])" \
	"$podwire" rules -f web.yaml -o json --causes --node worker-1
check "without, there are none" sh -c "! '$podwire' rules -f web.yaml -o json | grep -q causes"
check "all nodes" json "len(d['nodes']) == 3" "$podwire" rules -f web.yaml -o json
check "a node that is not there" status 1 "$podwire" rules -f web.yaml -o json --node nix

check "--at: nothing runs yet" says "ContainerCreating" "$podwire" get pods -f web.yaml --at 0.5s
check "--at: later than settled" says "60s" "$podwire" get pods -f web.yaml --at 60s
check "a Service has no endpoint yet" says "rejected" "$podwire" trace ip/127.0.0.1@worker-1 svc/web:80 -f web.yaml --at 0.5s --cni bridge
check "--each asks from every Pod of a workload" json "len({a['from']['name'] for a in d}) == 2 and all(a['outcomes'][0]['verdict'] == 'delivered' for a in d)" \
	"$podwire" trace deploy/web svc/web:80 -f web.yaml --each -o json
check "each one's answer stands apart" sh -c "[ \$('$podwire' trace deploy/web svc/web:80 -f web.yaml --each | grep -c '^pod/default/web-.* → svc/web') = 2 ]"
check "one that is not as expected ends no other" sh -c "[ \$('$podwire' trace deploy/web svc/web:81 -f web.yaml --each 2>&1 >/dev/null | grep -c '^podwire: pod/default/web-') = 2 ]"
check "of which the exit status is 1" status 1 "$podwire" trace deploy/web svc/web:81 -f web.yaml --each
check "what trace alone does goes with no other command" says "--pcap does not go with why" "$podwire" why -f web.yaml svc/web --pcap x
check "a Pod is no workload" says '--each: "pod/web" is no workload' "$podwire" trace pod/web svc/web:80 -f web.yaml --each
check "and a capture has one way" status 2 "$podwire" trace deploy/web svc/web:80 -f web.yaml --each --pcap x
check "a revision is a lab's" status 2 "$podwire" get pods -f web.yaml --at rev:3
check "not a time" status 2 "$podwire" get pods -f web.yaml --at soon

check "show neigh: the Pod's gateway" says "169.254.1.1 dev eth0 lladdr ee:ee:ee:ee:ee:ee REACHABLE" "$podwire" show neigh -f web.yaml deploy/web
check "a bare name as a source: what it means" says "did you mean node/worker-1?" "$podwire" trace worker-1 svc/web:80 -f web.yaml
check "show neigh: a tunnel's, and where it leads" says "dev flannel.1 dst 172.18.0.4 self permanent" "$podwire" show neigh -f web.yaml --cni flannel node/worker-1
"$podwire" apply -f web.yaml >/dev/null; "$podwire" fault node worker-2
check "show neigh: a dead node does not answer" says "172.18.0.4 dev eth0 FAILED" "$podwire" show neigh node/worker-1

for name in $("$podwire" get deploy,svc,pods -o name -f web.yaml); do
	check "$name: what -o name prints is taken" status 0 "$podwire" get "$name" -f web.yaml
done
check "with its version, too" status 0 "$podwire" get deployments.v1.apps web -f web.yaml
check "not of another group" status 2 "$podwire" get deployments.batch web -f web.yaml
check "as an end" status 0 "$podwire" trace deployment.apps/web svc/web:80 -f web.yaml
check "of timelines" status 0 "$podwire" timeline deployment.apps/web -f web.yaml

completes() {                                   # completes WANT WORD…: one of what is offered for the last word
	local want=$1
	shift
	bash -c 'PATH=$(dirname "$1"):$PATH; want=$2; shift 2; eval "$(podwire completion bash)"; compopt() { :; }; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _podwire
		printf "%s\n" "${COMPREPLY[@]}" | grep -qxF -- "$want"' - "$podwire" "$want" "$@"
}
check "completes a command" completes trace podwire tr
check "completes an option of that command" completes --protocol podwire trace --pro
check "completes a lesson" completes hairpin podwire learn hair
check "and what else may stand there" completes export podwire learn ex
check "but not the list's head" eval '! completes LESSON podwire learn LES'
check "not of another" sh -c "! '$podwire' completion bash | grep ' init) ' | grep -q -- --protocol"
check "completes a value" completes flannel podwire trace --cni ''
check "completes a kind" completes ingresses podwire get ingr
check "completes what is shown" completes neigh podwire show nei
check "and then of what" completes pod/ podwire show neigh po
check "completes a file where one is taken" completes web.yaml podwire draw --out we
check "completes a figure" completes clusterip podwire draw clus
check "completes a name of the lab" completes svc/web podwire trace svc/w
check "completes a name of files" completes svc/web podwire trace -f web.yaml svc/w
check "completes a table of show" completes scale-down podwire show sc
if command -v fish >/dev/null; then
	fish_offers() { PATH=$(dirname "$podwire"):$PATH fish -c "podwire completion fish | source; complete -C '$2'" | cut -f 1 | grep -qxF -- "$1"; }
	check "fish completes a name of the lab" fish_offers svc/web "podwire describe svc/w"
	check "fish completes a name of files" fish_offers svc/web "podwire trace -f web.yaml pod/client svc/w"
	check "fish completes a table of show" fish_offers scale-down "podwire show sc"
else
	skipped=$((skipped + 3)); echo "skipped: fish is not here"
fi
if command -v zsh >/dev/null; then
	zsh_offers() { PATH=$(dirname "$podwire"):$PATH zsh -c 'source <(podwire completion zsh); setopt ksharrays; COMP_WORDS=(podwire trace ""); COMP_CWORD=2; _podwire; echo "${COMPREPLY[*]}"' 2>&1 | grep -qxF -- "$1"; }
	check "zsh completes, and says nothing else" zsh_offers "pod/ svc/ deploy/ node/ client"
else
	skipped=$((skipped + 1)); echo "skipped: zsh is not here"
fi
check "fish has every command" sh -c "'$podwire' completion fish | grep -c __fish_use_subcommand | grep -qx \"\$('$podwire' help | grep -c '^  [a-z]')\""
check "another shell" status 2 "$podwire" completion tcsh

# ---- a Service before the document that brings its range
cat >service.yaml <<'EOF'
apiVersion: v1
kind: Service
metadata: {name: both}
spec: {ipFamilyPolicy: RequireDualStack, selector: {app: web}, ports: [{port: 80}]}
EOF
cat >two-ranges.yaml <<'EOF'
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
networking: {podSubnet: "10.244.0.0/16,fd00:10:244::/56", serviceSubnet: "10.96.0.0/16,fd00:10:96::/112"}
EOF
check "a question: the range may come behind the Service" says '"fd00:10:96:' "$podwire" get svc both -f service.yaml -f two-ranges.yaml -o 'jsonpath={.spec.clusterIPs}'
check "a lab: likewise" says "service/both created" "$podwire" --lab both.db apply -f service.yaml -f two-ranges.yaml
check "and has both addresses" says '"fd00:10:96:' "$podwire" --lab both.db get svc both -o 'jsonpath={.spec.clusterIPs}'
cat >early.yaml <<'EOF'
apiVersion: v1
kind: Service
metadata: {name: early, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Service
metadata: {name: port}
spec: {selector: {app: web}, ports: [{port: 0}]}
EOF
check "a Service before its Namespace is refused, as by kubectl apply" says 'early.yaml:3:36: Service "early": namespaces "shop" not found' "$podwire" --lab early.db apply -f early.yaml
check "and stays refused" status 2 "$podwire" --lab early.db apply -f early.yaml
check "without a range: refused as the API server does" says 'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services' "$podwire" get svc -f service.yaml
check "a document without a kind is an error, not a crash" status 2 sh -c "echo 'a: 1' | '$podwire' get svc -f -"

# ---- the configuration that clusters are made with
cat >kind.yaml <<'EOF'
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
name: lab
nodes:
- role: control-plane
  labels: {zone: a}
  kubeadmConfigPatches:
  - |
    kind: InitConfiguration
    nodeRegistration:
      kubeletExtraArgs: {node-labels: "ingress-ready=true"}
      taints: []
- role: worker
  kubeadmConfigPatches: ["kind: JoinConfiguration\nnodeRegistration: {taints: [{key: only, effect: NoSchedule}]}"]
networking: {kubeProxyMode: iptables}
kubeadmConfigPatches:
- |
  kind: ClusterConfiguration
  networking: {dnsDomain: corp.local}
  apiServer: {extraArgs: {service-node-port-range: 20000+99}}
- |
  kind: KubeProxyConfiguration
  iptables: {masqueradeAll: true}
EOF
check "kind's patches: a label of the first node" says "ingress-ready=true" "$podwire" get node lab-control-plane -f kind.yaml --show-labels
check "beside its own" says "zone=a" "$podwire" get node lab-control-plane -f kind.yaml --show-labels
check "no taint of it" says "[]" "$podwire" get node lab-control-plane -f kind.yaml -o 'jsonpath=[{.spec.taints}]'
check "a taint of the worker" says '"key":"only"' "$podwire" get node lab-worker -f kind.yaml -o 'jsonpath={.spec.taints}'
check "the cluster's domain" says NOERROR "$podwire" dns -f kind.yaml cluster kubernetes.default.svc.corp.local
check "the mode of kube-proxy stays" says "KUBE-SERVICES" "$podwire" rules -f kind.yaml --node lab-worker -o iptables
check "and everything is masqueraded" sh -c "! '$podwire' rules -f kind.yaml --node lab-worker -o iptables | grep 'cluster IP' | grep -- '! -s'"
printf 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 20100}]}\n' >high.yaml
check "node ports end where it says" says "The range of valid ports is 20000-20099" "$podwire" --lab high.db apply -f kind.yaml -f high.yaml
refused() {                                     # refused PATH KIND-AND-VERSION BODY: with the path, and exit status 2
	printf 'apiVersion: %s\nkind: %s\n%s\n' "${2#* }" "${2% *}" "$3" >bad.yaml
	says "$1" "$podwire" get svc -f bad.yaml && status 2 "$podwire" get svc -f bad.yaml
}
kind="Cluster kind.x-k8s.io/v1alpha4" kubeadm="ClusterConfiguration kubeadm.k8s.io/v1beta4" proxy="KubeProxyConfiguration kubeproxy.config.k8s.io/v1alpha1"
check "a mode that there is not" refused 'networking.kubeProxyMode: Unsupported value: "foo"' "$kind" 'networking: {kubeProxyMode: foo}'
check "a family that there is not" refused 'networking.ipFamily: Unsupported value: "IPv6"' "$kind" 'networking: {ipFamily: IPv6}'
check "a range of one family where both are asked for" refused 'networking.podSubnet: Invalid value: "10.1.0.0/16"' "$kind" 'networking: {ipFamily: dual, podSubnet: 10.1.0.0/16}'
check "a role that there is not" refused 'nodes[0].role: Unsupported value: "boss"' "$kind" 'nodes: [{role: boss}]'
check "a label that is none" refused "nodes[0].labels: Invalid value: \"it's\"" "$kind" "nodes: [{role: worker, labels: {a: \"it's\"}}]"
check "a cluster's name that is none" refused 'name: Invalid value: "a b: c"' "$kind" 'name: "a b: c"'
check "a patch without a kind" refused 'kubeadmConfigPatches[0]: Required value' "$kind" 'kubeadmConfigPatches: ["a: 1"]'
check "a Pod range that is none" refused 'networking.podSubnet: Invalid value: "foo"' "$kubeadm" 'networking: {podSubnet: foo}'
check "a domain that is none" refused 'networking.dnsDomain: Invalid value: "a}: {' "$kubeadm" 'networking: {dnsDomain: "a}: {"}'
check "a range of ports that is none" refused 'apiServer.extraArgs[service-node-port-range]: Invalid value: "9-8"' "$kubeadm" 'apiServer: {extraArgs: {service-node-port-range: 9-8}}'
check "a mode of kube-proxy that there is not" refused 'mode: Unsupported value: "userspace"' "$proxy" 'mode: userspace'
check "a bit that there is not" refused 'iptables.masqueradeBit: Invalid value: 32' "$proxy" 'iptables: {masqueradeBit: 32}'
check "an address of DNS that is none" refused "clusterDNS[0]: Invalid value: \"a'b\"" "KubeletConfiguration kubelet.config.k8s.io/v1beta1" "clusterDNS: [\"a'b\"]"
check "what no check has seen breaks nothing" status 0 "$podwire" get svc -A -f bad.yaml --validate ignore
printf 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\nnodeRegistration: {name: x}\n---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nnetworking: {serviceSubnet: 10.60.0.0/16}\n' >kubeadm.yaml
check "kubeadm's file, InitConfiguration included" says 10.60.0.1 "$podwire" get svc -f kubeadm.yaml
printf 'apiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\nmetadata: {name: more}\nspec: {cidrs: [10.99.0.0/24]}\n' >more.yaml
check "a ServiceCIDR adds to the range" says 10.96.0.1 "$podwire" get svc -f more.yaml
check "the API server's own replaces it" says 10.99.0.1 sh -c "sed 's/name: more/name: kubernetes/' more.yaml | '$podwire' get svc -f -"
printf 'apiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\nmetadata: {name: six}\nspec: {cidrs: ["fd00:99::/112"]}\n' >six.yaml
check "but brings no family of its own" says 'this cluster is not configured for dual-stack services' "$podwire" get svc -f six.yaml -f service.yaml
check "a pool of a cloud that is none" says '--cloud-lb: "foo" is not a CIDR' "$podwire" get svc -f more.yaml --cloud-lb foo

# ---- addresses that Pods ask Calico for
cat >calico.yaml <<'EOF'
apiVersion: crd.projectcalico.org/v1
kind: IPPool
metadata: {name: main}
spec: {cidr: 10.244.0.0/16, natOutgoing: true}
---
apiVersion: crd.projectcalico.org/v1
kind: IPPool
metadata: {name: special}
spec: {cidr: 10.77.0.0/16, assignmentMode: Manual}
---
apiVersion: v1
kind: Namespace
metadata: {name: spec, annotations: {cni.projectcalico.org/ipv4pools: '["special"]'}}
---
apiVersion: v1
kind: Pod
metadata: {name: static, annotations: {cni.projectcalico.org/ipAddrs: '["10.244.5.5"]'}}
spec: {containers: [{name: c, image: registry.k8s.io/pause, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: static2, annotations: {cni.projectcalico.org/ipAddrs: '["10.244.5.5"]'}}
spec: {containers: [{name: c, image: registry.k8s.io/pause}]}
---
apiVersion: v1
kind: Pod
metadata: {name: out, annotations: {cni.projectcalico.org/ipAddrs: '["1.2.3.4"]'}}
spec: {containers: [{name: c, image: registry.k8s.io/pause}]}
---
apiVersion: v1
kind: Pod
metadata: {name: pool, annotations: {cni.projectcalico.org/ipv4pools: '["special"]'}}
spec: {containers: [{name: c, image: registry.k8s.io/pause}]}
---
apiVersion: v1
kind: Pod
metadata: {name: nopool, annotations: {cni.projectcalico.org/ipv4pools: '["nope"]'}}
spec: {containers: [{name: c, image: registry.k8s.io/pause}]}
---
apiVersion: v1
kind: Pod
metadata: {name: inns, namespace: spec}
spec: {containers: [{name: c, image: registry.k8s.io/pause}]}
---
apiVersion: v1
kind: Pod
metadata: {name: plain}
spec: {containers: [{name: c, image: registry.k8s.io/pause}]}
EOF
address_of() { "$podwire" get pod "$1" ${2:+-n "$2"} -f calico.yaml -o 'jsonpath={.status.podIP}'; }
check "the address itself" says 10.244.5.5 address_of static
check "which is there once" says "Address already assigned in block" "$podwire" why pod/static2 -f calico.yaml
check "and is of a pool" says "error getting IP from IPAM: The provided IP address is not in a configured pool" "$podwire" why pod/out -f calico.yaml
check "a pool by name, though it is given by hand only" says 10.77. address_of pool
check "a pool that there is not" says 'error parsing pool "nope": invalid CIDR address: nope' "$podwire" why pod/nopool -f calico.yaml
check "a namespace's pool" says 10.77. address_of inns spec
check "who asks for nothing" says 10.244. address_of plain
check "its packets go there" says "delivered to pod/default/static" "$podwire" trace -f calico.yaml pod/pool pod/static:80
check "a BGP peer that is no address" refused 'spec.peerIP: Invalid value: "foo"' "BGPPeer crd.projectcalico.org/v1" 'metadata: {name: peer}
spec: {peerIP: foo}'
check "an action of felix' that there is not" refused 'spec.defaultEndpointToHostAction: Unsupported value: "foo"' "FelixConfiguration crd.projectcalico.org/v1" 'metadata: {name: default}
spec: {defaultEndpointToHostAction: foo}'

# ---- words
check "-- ends the options" says "static " "$podwire" get -f calico.yaml -- pod static
check "a web address is not read, and it says so" says "podwire reads no addresses of the web" "$podwire" get pods -f https://example.com/x.yaml

# ---- MetalLB: one address for two Services
cat >shared.yaml <<'EOF'
apiVersion: v1
kind: Service
metadata: {name: s1, annotations: {metallb.universe.tf/allow-shared-ip: k}}
spec: {type: LoadBalancer, loadBalancerIP: 172.18.9.9, selector: {app: a}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: s2, annotations: {metallb.universe.tf/allow-shared-ip: k}}
spec: {type: LoadBalancer, loadBalancerIP: 172.18.9.9, selector: {app: a}, ports: [{port: 53, protocol: UDP}]}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: p, namespace: metallb-system}
spec: {addresses: [172.18.9.0/24]}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: p, namespace: metallb-system}
EOF
lb_of() { sed "$1" shared.yaml | "$podwire" get svc "$2" -f - -o 'jsonpath={.status.loadBalancer}'; }
check "two Services with one key share an address" says 172.18.9.9 lb_of '' s2
check "not a port" says '{}' lb_of 's/UDP/TCP/; s/port: 53/port: 80/' s2
check "not with another key" says '{}' lb_of '0,/allow-shared-ip: k/s//allow-shared-ip: j/' s2
check "who asks for none gets the first that fits" says 172.18.9.1 lb_of 's/loadBalancerIP: 172.18.9.9, //; s/24.}/24], avoidBuggyIPs: true}/' s2
cat >announced.yaml <<'EOF'
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: p, namespace: metallb-system, labels: {edge: "yes"}}
spec: {addresses: [172.18.9.0/24]}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: p, namespace: metallb-system}
spec: {}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]}
EOF
way_to_lb() { sed "s|spec: {}\$|spec: {$1}|" announced.yaml >announced-so.yaml; "$podwire" trace -f announced-so.yaml client lb/web:80; }
on_node() { printf 'nodeSelectors: [{matchLabels: {kubernetes.io/hostname: %s}}]' "$1"; }
check "any node may answer for an address" says "4  node/worker-" way_to_lb ''
check "nodes that the advertisement selects" says "4  node/worker-1 " way_to_lb "$(on_node worker-1)"
check "and others" says "4  node/worker-2 " way_to_lb "$(on_node worker-2)"
check "none that is kept from load balancers" says "no route to 172.18.9.0" way_to_lb "$(on_node control-plane)"
check "where none is selected nobody answers" says "no route to 172.18.9.0" way_to_lb "$(on_node nope)"
check "pools by their labels" says "delivered" way_to_lb 'ipAddressPoolSelectors: [{matchLabels: {edge: "yes"}}]'
check "pools by other labels: the address is given, and nobody speaks of it" says "no route to 172.18.9.0" way_to_lb 'ipAddressPoolSelectors: [{matchLabels: {edge: "no"}}]'
check "for other Services" says "no route to 172.18.9.0" way_to_lb 'serviceSelectors: [{matchLabels: {tier: front}}]'
prefer() { printf 'preferredNodeSelectors: [{weight: 5, preference: {matchLabels: {kubernetes.io/hostname: %s}}}]' "$1"; }
check "the node that is preferred" says "4  node/worker-1 " way_to_lb "$(prefer worker-1)"
check "whichever it is" says "4  node/worker-2 " way_to_lb "$(prefer worker-2)"
other_port() { sed "s|172.18.9.0/24|$1|" announced.yaml >other-port.yaml; "$podwire" trace -f other-port.yaml client lb/web:443; }
check "a port that the Service has not goes back to the router, and round" says "the packet goes round in circles" other_port 172.18.9.0/24
check "and the circle is told once" says "and so on in this circle, to hop 65" other_port 172.18.9.0/24
check "in the nodes' own network nobody answers for it" says "nobody on eth0 of node/worker-" other_port 172.18.0.200/29
by_bgp() { sed 's/kind: L2Advertisement/kind: BGPAdvertisement/' announced.yaml >by-bgp.yaml; "$podwire" "$@" -f by-bgp.yaml client lb/web:80; }
check "by BGP every node speaks, and flows are spread" says "which sees 172.18.0.4; answered" by_bgp trace
cat >pools.yaml <<'EOF'
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: all, namespace: metallb-system}
spec: {addresses: [172.18.1.1-172.18.1.9]}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: shop-late, namespace: metallb-system}
spec: {addresses: [172.18.2.1-172.18.2.9], serviceAllocation: {namespaces: [shop]}}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: shop-first, namespace: metallb-system}
spec: {addresses: [172.18.3.1-172.18.3.1], serviceAllocation: {priority: 10, namespaces: [shop]}}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: labelled, namespace: metallb-system}
spec: {addresses: [172.18.4.1-172.18.4.9], serviceAllocation: {priority: 5, serviceSelectors: [{matchExpressions: [{key: edge, operator: Exists}]}]}}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: l2, namespace: metallb-system}
---
apiVersion: v1
kind: Service
metadata: {name: plain, namespace: default}
spec: {type: LoadBalancer, selector: {app: a}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: first, namespace: shop}
spec: {type: LoadBalancer, selector: {app: a}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: second, namespace: shop}
spec: {type: LoadBalancer, selector: {app: a}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: edge, namespace: default, labels: {edge: "1"}}
spec: {type: LoadBalancer, selector: {app: a}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: not-ours, namespace: default, annotations: {metallb.io/address-pool: shop-late}}
spec: {type: LoadBalancer, selector: {app: a}, ports: [{port: 80}]}
EOF
gets() { "$podwire" get svc "$1" ${2:+-n "$2"} -f pools.yaml -o 'jsonpath={.status.loadBalancer}'; }
check "a pool for a namespace, by priority" says 172.18.3.1 gets first shop
check "and the one without, when that is full" says 172.18.2.1 gets second shop
check "a pool for labelled Services" says 172.18.4.1 gets edge
check "the others get what is for all" says 172.18.1.1 gets plain
check "asking for somebody else's pool does not help" says '{}' gets not-ours
finish
