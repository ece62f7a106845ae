#!/usr/bin/env bash
# Random clusters in the kernel: every Pod network, both modes of kube-proxy, IPv4, IPv6 and dual stack, Services of all kinds, policies, host ports. Every
# connection between every source and every address must end as the walk says. SEEDS="1 2 3" for others; make soak takes many.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "only root may make network namespaces with names"
needs ip nft python3 iptables-restore ip6tables-restore ipset bridge
unshare -nm nft add table ip probe 2>/dev/null || skip "this kernel has no nftables"
unshare -nm ip link add probe type vxlan id 1 dstport 4789 2>/dev/null || skip "this kernel has no vxlan"
families=(ipv4 dual ipv6) n=0
one() {                                         # one CNI MODE FAMILY NUMBER [FACTS]: a random cluster in the kernel, perhaps with other facts of it
	local cni=$1 mode=$2 family=$3 number=$4 facts=${5:+--kernel $5}

	python3 "$root/tests/differential/clusters.py" gen "$number" "$work/objects.json" --mode "$mode" --family "$family" >"$work/features"
	"$podwire" rules -f "$work/objects.json" --cni "$cni" $facts -o sh >"$work/build.sh" 2>"$work/log" || { cat "$work/log"; failed=$((failed + 1)); return; }
	timeout 300 unshare -nm bash -c "bash '$work/build.sh' && python3 '$root/tests/differential/clusters.py' talk '$podwire' '$work/objects.json' --cni $cni $facts" >"$work/log" 2>&1
	printf '%s %s %s seed %d%s: %s\n' "$cni" "$mode" "$family" "$number" "${5:+ $5}" "$(tail -1 "$work/log")"
	cat "$work/features" >>"$work/all"
	grep ^FAILED "$work/log" | head -20
	add_up "$work/log"
}
for seed in ${SEEDS:-11}; do
	for cni in calico flannel bridge; do
		for mode in nftables iptables; do
			family=${families[$(((n + seed) % 3))]} n=$((n + 1))
			one $cni $mode $family $((seed * 100 + n))
		done
	done
	one calico nftables dual $((seed * 100 + 51)) ip-forward=off
	one bridge iptables ipv4 $((seed * 100 + 52)) ip-forward=off
	one flannel nftables ipv4 $((seed * 100 + 53)) rp-filter=strict
done
one calico iptables ipv4 3208                   # a pool that translates nothing, and an endpoint outside
echo "clusters that had"
sed 's/^features //' "$work/all" | tr ',' '\n' | sed 's/^ //' | sort | uniq -c
finish
