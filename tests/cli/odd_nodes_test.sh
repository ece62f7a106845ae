#!/usr/bin/env bash
# Captured nodes that are not a plain kube-proxy's: several next hops, throw routes, VRFs, IPVS from the node itself, programs at links, rules of nft that no walk knows. What cannot be
# known is said, and nothing is guessed.
. "$(dirname "$0")/lib.sh"
mkdir plain
cat >plain/ip-addr.txt <<'EOF'
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    inet 127.0.0.1/8 scope host lo
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq state UP group default qlen 1000
    inet 192.0.2.10/24 brd 192.0.2.255 scope global eth0
3: eth1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq state UP group default qlen 1000
    inet 10.1.0.1/16 brd 10.1.255.255 scope global eth1
EOF
cat >plain/ip-route.txt <<'EOF'
default via 192.0.2.1 dev eth0
10.1.0.0/16 dev eth1 proto kernel scope link src 10.1.0.1
192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.10
10.9.0.0/16 proto static metric 100
	nexthop via 10.1.0.8 dev eth1 weight 1
	nexthop via 10.1.0.9 dev eth1 weight 3
10.10.0.0/16 proto bird metric 32
	nexthop via 10.1.0.8 dev eth1 weight 1
	nexthop via 192.0.2.9 dev eth0 weight 1
10.11.0.0/16  encap mpls  200 via 10.1.0.8 dev eth1
throw 10.14.0.0/16
prohibit 10.15.0.0/16 metric 20
EOF
printf '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n' >plain/iptables-save.txt
trace() { "$podwire" trace --dataplane "$@"; }
check "next hops on one link: the way is known" says "delivered (10.9.1.1:80)" trace plain node 10.9.1.1:80
check "on two links: the hash decides" says "has several next hops, and which one a connection takes its hash decides" trace plain node 10.10.1.1:80
check "of which the exit status is 5" status 5 trace plain node 10.10.1.1:80
check "what a transcript's later commands are called with is not asked of its earlier ones" sh -c "mkdir one && {
	echo '\$ ip addr'; cat plain/ip-addr.txt; echo '\$ ip route'; cat plain/ip-route.txt; echo '\$ ss -tln'
	printf 'State  Recv-Q Send-Q Local Address:Port Peer Address:Port\nLISTEN 0      128    0.0.0.0:22         0.0.0.0:*\n'
	echo '\$ iptables-save'; sed 's/^:POSTROUTING.*/&\n-A POSTROUTING -o eth1 -j MASQUERADE --random-fully/' plain/iptables-save.txt; } >one/node.txt &&
	'$podwire' trace --dataplane one ip/192.0.2.77 192.0.2.10:23 2>&1 | grep -q 'refused'"
check "next hops of a route that is left out are not another's" sh -c "cp -r plain group && printf '10.12.0.0/16 via 10.1.0.8 dev eth1\nmulticast 239.0.0.0/8 proto static\n\tnexthop via 192.0.2.9 dev eth0 weight 1\n' >>group/ip-route.txt &&
	'$podwire' trace --dataplane group node 10.12.1.1:80 2>&1 | grep -q 'delivered (10.12.1.1:80)'"
check "a packet that is dropped whichever hop it takes is dropped" sh -c "cp -r plain both && sed -i 's/FORWARD ACCEPT/FORWARD DROP/' both/iptables-save.txt &&
	'$podwire' trace --dataplane both ip/192.0.2.77 10.10.1.1:80 2>&1 | grep -q 'dropped.*policy of chain FORWARD'"
check "a throw route sends the look-up on, and there is nothing" says "has no route to 10.14.1.1" trace plain node 10.14.1.1:80
check "one that wraps packets is noted" says "a route that wraps packets (encap mpls)" "$podwire" show capture --dataplane plain
check "as JSON too" sh -c "mkdir json && cp plain/ip-addr.txt plain/iptables-save.txt json/ && printf '[{\"dst\":\"default\",\"gateway\":\"192.0.2.1\",\"dev\":\"eth0\"},{\"dst\":\"10.10.0.0/16\",\"protocol\":\"bird\",\"nexthops\":[{\"gateway\":\"10.1.0.8\",\"dev\":\"eth1\",\"weight\":1},{\"gateway\":\"192.0.2.9\",\"dev\":\"eth0\",\"weight\":1}]}]\n' >json/ip-j-route.json &&
	'$podwire' trace --dataplane json node 10.10.1.1:80 2>&1 | grep -q 'several next hops'"

cat >vrf.session <<'EOF'
root@n1:~# ip rule
0:	from all lookup local
1000:	from all lookup [l3mdev-table]
32766:	from all lookup main
root@n1:~# ip route show table all
default via 192.0.2.1 dev eth0
default via 10.60.0.254 dev eth2 table 1001
192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.10
root@n1:~# ip -d addr
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq state UP group default qlen 1000
    inet 192.0.2.10/24 brd 192.0.2.255 scope global eth0
4: red: <NOARP,MASTER,UP,LOWER_UP> mtu 65575 qdisc noqueue state UP group default qlen 1000
    link/ether 52:54:00:00:00:04 brd ff:ff:ff:ff:ff:ff promiscuity 0 minmtu 1280 maxmtu 65575
    vrf table 1001
5: eth2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq master red state UP group default qlen 1000
    link/ether 52:54:00:00:00:05 brd ff:ff:ff:ff:ff:ff
    inet 10.60.0.1/24 scope global eth2
EOF
check "what comes in by a link of a VRF is routed by its table" says "default via 10.60.0.254 dev eth2 table 1001" trace vrf.session ip/10.60.0.9 10.50.1.1:80 --in eth2
check "all else is not" says "default via 192.0.2.1 dev eth0" trace vrf.session ip/192.0.2.7 10.50.1.1:80 --in eth0
sed '/vrf table/d' vrf.session >untold.session
check "a VRF whose table was not listed" says 'ip rule "1000:	from all lookup [l3mdev-table]" cannot be judged' trace untold.session ip/10.60.0.9 10.50.1.1:80 --in eth2

cp -r plain ipvs
printf 'IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\nTCP  10.96.0.1:443 rr\n  -> 10.1.0.5:6443                Masq    1      4          0\nTCP  10.96.0.2:80 wlc\n  -> 10.1.0.7:80                  Route   2      0          0\n' >ipvs/ipvsadm.txt
check "IPVS takes what the node itself sends, though the address is not its own" says "becomes   192.0.2.10:40000 → 10.1.0.5:6443" trace ipvs node 10.96.0.1:443
check "but not what it forwards" says "delivered (10.96.0.1:443)" trace ipvs ip/10.1.0.9 10.96.0.1:443
check "direct routing is not known" says "IPVS forwards by direct routing or a tunnel, which is not modelled" trace ipvs node 10.96.0.2:80

cp -r plain xdp; sed -i 's/mtu 1500 qdisc mq state UP/mtu 1500 xdp\/id:77 qdisc mq state UP/' xdp/ip-addr.txt
check "a program at a link" says "eBPF programs (eth0)" trace xdp ip/192.0.2.77 192.0.2.10:22
cp -r plain cilium; printf '4: cilium_net@cilium_host: <BROADCAST,MULTICAST,NOARP,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000\n5: cilium_host@cilium_net: <BROADCAST,MULTICAST,NOARP,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000\n' >>cilium/ip-addr.txt
check "Cilium" says "eBPF programs (cilium_net)" trace cilium node 10.1.0.9:80
check "which is in the capture's notes" says "eBPF programs see packets before the rules do (cilium_net)" "$podwire" show capture --dataplane cilium

cp -r plain nft; rm nft/iptables-save.txt
cat >nft/ruleset.nft <<'EOF'
table inet fw { # handle 3
	comment "site firewall"
	counter hits { packets 14 bytes 2000 }
	quota q1 { over 25 mbytes }
	ct helper ftp { type "ftp" protocol tcp; l3proto ip; }
	synproxy sp { mss 1460 wscale 7 timestamp sack-perm }
	flowtable ft {
		hook ingress priority filter
		devices = { eth0, eth1 }
		counter
	}
	set blocked {
		type ipv4_addr
		flags interval,timeout
		auto-merge
		counter
		elements = { 198.51.100.0/24 counter packets 1 bytes 60 timeout 1h expires 59m }
	}
	chain input {
		type filter hook input priority filter; policy drop;
		ct state vmap { invalid : drop, established : accept, related : accept }
		ip saddr @blocked counter packets 2 bytes 120 drop comment "blocked; really"
		tcp dport 22 limit rate 3/minute burst 5 packets counter name "hits" accept
		tcp dport 81 quota name "q1" accept
		tcp dport 82 queue num 0-3 bypass
		tcp dport 83 ct helper set "ftp" accept
		tcp dport 84 synproxy name "sp"
		tcp dport 85 log prefix "x: " group 2 snaplen 64 accept
		tcp dport 86 osf name "Linux" accept
		tcp dport 87 meta hour "08:00"-"17:00" accept
		tcp dport 88 @th,0,16 0x1 accept
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		ip protocol { tcp, udp } flow add @ft
		iifname "eth0" oifname "eth1" accept
	}
}
EOF
for port in 22 85; do check "port $port is open" says "delivered to node/node" trace nft ip/192.0.2.77 192.0.2.10:$port; done
for port in 81 82 83 84 86 87 88; do check "port $port: cannot be told, and its rule is named" sh -c "'$podwire' trace --dataplane nft ip/192.0.2.77 192.0.2.10:$port 2>&1 | grep -q 'cannot tell, because .* in chain input of node/node cannot be judged'"; done
check "a port of no rule is closed" says "by the policy of chain input" trace nft ip/192.0.2.77 192.0.2.10:99
check "an element with counter and timeout" says "blocked; really" trace nft ip/198.51.100.7 192.0.2.10:22
check "a flowtable hurries connections on and decides nothing" says "delivered (10.1.0.8:80)" trace nft ip/192.0.2.77 10.1.0.8:80
finish
