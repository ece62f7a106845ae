#!/usr/bin/env bash
# Random clusters in the kernel: every Pod network, both modes of kube-proxy, IPv4, IPv6 and dual stack, Services of all kinds, policies, host ports. Every
# connection between every source and every address must end as the walk says. SEEDS="1 2 3" for others; make soak takes many.
set -uo pipefail
cd "$(dirname "$0")/../.."
podwire=$PWD/build/podwire work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
skip() { echo "skipped: $1"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }
[ "$(id -u)" = 0 ] || skip "only root may make network namespaces"
for tool in unshare ip nft python3 iptables-restore ip6tables-restore ipset bridge; do command -v $tool >/dev/null || skip "$tool is not installed"; done
unshare -nm true 2>/dev/null || skip "this machine does not allow network namespaces"
unshare -nm nft add table ip probe 2>/dev/null || skip "this kernel has no nftables"
unshare -nm ip link add probe type vxlan id 1 dstport 4789 2>/dev/null || skip "this kernel has no vxlan"
families=(ipv4 dual ipv6) passed=0 failed=0 n=0
for seed in ${SEEDS:-11}; do
	for cni in calico flannel bridge; do
		for mode in nftables iptables; do
			family=${families[$(((n + seed) % 3))]} n=$((n + 1))
			python3 tests/differential/clusters.py gen $((seed * 100 + n)) "$work/objects.json" --mode $mode --family $family >"$work/features"
			"$podwire" rules -f "$work/objects.json" --cni $cni -o sh >"$work/build.sh" 2>"$work/log" || { cat "$work/log"; failed=$((failed + 1)); continue; }
			timeout 300 unshare -nm bash -c "bash '$work/build.sh' && python3 tests/differential/clusters.py talk '$podwire' '$work/objects.json' --cni $cni" >"$work/log" 2>&1
			line=$(tail -1 "$work/log")
			printf '%s %s %s seed %d: %s\n' $cni $mode $family $((seed * 100 + n)) "$line"
			cat "$work/features" >>"$work/all"
			case $line in
			*" passed, "*) passed=$((passed + ${line%% *})); rest=${line#*, }; failed=$((failed + ${rest%% *})); grep ^FAILED "$work/log" | head -20 ;;
			*) failed=$((failed + 1)); tail -20 "$work/log" ;;
			esac
		done
	done
done
echo "clusters that had"
sed 's/^features //' "$work/all" | tr ',' '\n' | sed 's/^ //' | sort | uniq -c
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
