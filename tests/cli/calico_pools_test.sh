#!/usr/bin/env bash
# What Pods ask of Calico by annotation, and which pools serve whom. Sources: calico cni-plugin/pkg/k8s/k8s.go CmdAddK8s; libcalico-go lib/ipam determinePools,
# filterPoolsByUse, AssignIP.
. "$(dirname "$0")/lib.sh"
cat >cluster.yaml <<'YAML'
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
networking: {podSubnet: '10.244.0.0/16,fd00:10:244::/56', serviceSubnet: '10.96.0.0/16,fd00:10:96::/112'}
---
apiVersion: crd.projectcalico.org/v1
kind: IPPool
metadata: {name: a-services}
spec: {cidr: 10.90.0.0/24, allowedUses: [LoadBalancer]}
---
apiVersion: crd.projectcalico.org/v1
kind: IPPool
metadata: {name: a-team}
spec: {cidr: 10.91.0.0/24, allowedUses: [Workload], namespaceSelector: "team == 'red'"}
---
apiVersion: crd.projectcalico.org/v1
kind: IPPool
metadata: {name: a-tunnels}
spec: {cidr: 10.93.0.0/24, allowedUses: [Tunnel], vxlanMode: Always}
---
apiVersion: crd.projectcalico.org/v1
kind: IPPool
metadata: {name: b-off}
spec: {cidr: 10.92.0.0/24, disabled: true}
---
apiVersion: crd.projectcalico.org/v1
kind: IPPool
metadata: {name: main}
spec: {cidr: 10.244.0.0/16, vxlanMode: Always}
---
apiVersion: crd.projectcalico.org/v1
kind: IPPool
metadata: {name: six}
spec: {cidr: 'fd00:10:244::/56'}
---
apiVersion: v1
kind: Namespace
metadata: {name: red, labels: {team: red}}
YAML

# asks NAMESPACE [KEY VALUE]…: a Pod with these annotations
asks() {
	{
		printf 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: pod\n  namespace: %s\n  annotations:\n    a: b\n' "$1"
		shift
		while [ $# -gt 0 ]; do
			printf "    cni.projectcalico.org/%s: '%s'\n" "$1" "$2"
			shift 2
		done
		printf 'spec: {containers: [{name: c, image: registry.k8s.io/pause}]}\n'
	} >pod.yaml
}
fails() { local words=$1; shift; asks default "$@"; "$podwire" why pod/pod --cni calico -f cluster.yaml -f pod.yaml >said 2>&1; grep -qF -- "failed (add): $words" said || { cat said; false; }; }
# gets PATTERN NAMESPACE …: its addresses, the first family's first
gets() {
	local pattern=$1 got
	shift
	asks "$@"
	got=$("$podwire" get pod pod -n "$1" --cni calico -f cluster.yaml -f pod.yaml -o 'jsonpath={.status.podIPs[*].ip}' 2>&1)
	[[ $got =~ ^$pattern$ ]] || { echo "not $pattern: $got"; false; }
}
six='fd00:10:244:[0-9a-f:]+'

check "a list that is no JSON" fails "invalid character 's' looking for beginning of value" ipv4pools special
check "an object for a list" fails "json: cannot unmarshal object into Go value of type []string" ipv4pools '{"a": 1}'
check "a number for a name" fails "json: cannot unmarshal number into Go value of type string" ipv6pools '[1]'
check "a list that does not end" fails "invalid JSON" ipv4pools '["main",'
check "a pool that there is not" fails 'error parsing pool "nope": invalid CIDR address: nope' ipv4pools '["nope"]'
check "a range that is no pool" fails "the given pool (10.9.0.0/16) does not exist, or is not enabled" ipv4pools '["10.9.0.0/16"]'
check "a pool that is switched off" fails "the given pool (10.92.0.0/24) does not exist, or is not enabled" ipv4pools '["b-off"]'
check "a pool of the other family" fails "\"fd00:10:244::\" isn't a IPv4 address" ipv4pools '["six"]'
check "a pool that is not for Pods" fails "cannot find a qualified ippool, no pools match the required use (Workload)" ipv4pools '["a-services"]'
check "a family that there is not" fails 'error parsing ipFamilies: ["IPv5"]' ipFamilies '["IPv5"]'
check "an address without a list" fails "failed to parse IPs here for annotation \"cni.projectcalico.org/ipAddrs\": failed to parse 'here' as JSON: invalid character 'h' looking" ipAddrs here
check "no address" fails 'annotation "cni.projectcalico.org/ipAddrs" specified but empty' ipAddrs '[]'
check "no address at all" fails 'annotation "cni.projectcalico.org/ipAddrs" specified but empty' ipAddrs null
check "an address that is none" fails "invalid IP format: 10.244.7.300" ipAddrs '["10.244.7.300"]'
check "two of one family" fails 'cannot have more than one IPv4 address for "cni.projectcalico.org/ipAddrs" annotation' ipAddrs '["10.244.7.7", "10.244.7.8"]'
check "one of no pool" fails "error getting IP from IPAM: The provided IP address is not in a configured pool" ipAddrs '["1.2.3.4"]'
check "one of a pool that is not for Pods" fails 'error getting IP from IPAM: IP address 10.90.0.5 is in IP pool "a-services", which is not allowed for use "Workload" (allowedUses: [LoadBalancer])' \
	ipAddrs '["10.90.0.5"]'
check "with and without IPAM" fails "can't have both annotations: 'ipAddrs' and 'ipAddrsNoIpam' in use at the same time" ipAddrs '["10.244.7.7"]' ipAddrsNoIpam '["10.244.7.8"]'
check "past IPAM, which is not allowed" fails "requested feature is not enabled: ip_addrs_no_ipam" ipAddrsNoIpam '["10.9.9.9"]'
check "a floating address, which is not allowed" fails "requested feature is not enabled: floating_ips" floatingIPs '["192.0.2.9"]'
check "a hardware address that is none" fails "failed to parse MAC address 1c:0c:0a:c0:ff provided via cni.projectcalico.org/hwAddr" hwAddr 1c:0c:0a:c0:ff
check "a prefix that is none" fails "failed to parse '10.0.0.1' as a CIDR: invalid CIDR address: 10.0.0.1" allowedSourcePrefixes '["10.0.0.1"]'

check "who asks for nothing" gets "10\.244\..+ $six" default
check "a hardware address" gets "10\.244\..+ $six" default hwAddr 1c:0c:0a:c0:ff:ee
check "the empty list asks for nothing" gets "10\.244\..+ $six" default ipv4pools '[]'
check "a pool by its range" gets "10\.91\.0\..+ $six" default ipv4pools '["10.91.0.0/24"]'
check "a pool for one namespace's Pods" gets "10\.91\.0\..+ $six" red
check "one family" gets "$six" default ipFamilies '["IPv6"]'
check "the other" gets '10\.244\..+' default ipFamilies '["IPv4"]'
check "the address that is asked for, and no second" gets '10\.244\.9\.9' default ipAddrs '["10.244.9.9"]'
check "one of each family" gets '10\.244\.9\.9 fd00:10:244::99' default ipAddrs '["fd00:10:244::99", "10.244.9.9"]'
cp cluster.yaml kept.yaml
cat >>cluster.yaml <<'YAML'
---
apiVersion: crd.projectcalico.org/v1
kind: IPPool
metadata: {name: broken}
spec: {cidr: 10.94.0.0/24, nodeSelector: "rack = 1", vxlanMode: Always}
YAML
check "a selector that cannot be read: nobody is served" fails 'IPPool "broken": its nodeSelector "rack = 1" is no selector that Calico can read'
check "but who asks for a pool" gets "10\.91\.0\..+ $six" default ipv4pools '["a-team"]'
check "and the other family" gets "$six" default ipFamilies '["IPv6"]'
check "and tunnels: a pool that cannot be read is passed over" says "projectcalico.org/IPv4VXLANTunnelAddr: 10.93.0." "$podwire" get nodes --cni calico -f cluster.yaml -o yaml
sed -i 's/nodeSelector: "rack = 1"/namespaceSelector: "a b"/' cluster.yaml
check "of namespaces neither" fails 'IPPool "broken": its namespaceSelector "a b" is no selector that Calico can read'
mv kept.yaml cluster.yaml
check "pools are tunnels' that are for them" says "projectcalico.org/IPv4VXLANTunnelAddr: 10.93.0." "$podwire" get nodes --cni calico -f cluster.yaml -o yaml
cat >two.yaml <<'YAML'
apiVersion: crd.projectcalico.org/v1
kind: IPPool
metadata: {name: a-plain}
spec: {cidr: 10.80.0.0/16}
---
apiVersion: crd.projectcalico.org/v1
kind: IPPool
metadata: {name: b-tunnel}
spec: {cidr: 10.81.0.0/16, vxlanMode: Always}
YAML
check "and of those that have one" says "projectcalico.org/IPv4VXLANTunnelAddr: 10.81." "$podwire" get nodes --cni calico -f two.yaml -o yaml
cat >>cluster.yaml <<'YAML'
---
apiVersion: v1
kind: ConfigMap
metadata: {name: calico-config, namespace: kube-system}
data:
  cni_network_config: |-
    {"name": "k8s-pod-network", "plugins": [{"type": "calico", "mtu": __CNI_MTU__, "feature_control": {"ip_addrs_no_ipam": true}}]}
YAML
check "past IPAM, where it is allowed" gets '10\.9\.9\.9' default ipAddrsNoIpam '["10.9.9.9"]'
sed -i 's/"ip_addrs_no_ipam": true/"floating_ips": true/' cluster.yaml
asks default floatingIPs '["192.0.2.9"]'
check "where a floating address leads nobody tells" says "cannot tell: 192.0.2.9 is a floating address of pod/default/pod" "$podwire" trace --cni calico -f cluster.yaml -f pod.yaml client 192.0.2.9:80
check "any other address is known" says "unroutable" "$podwire" trace --cni calico -f cluster.yaml -f pod.yaml node/worker-1 10.91.0.77:80
finish
