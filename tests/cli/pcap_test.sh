#!/usr/bin/env bash
# trace --pcap: Wireshark's own reader opens the file and finds each hop, its interface, the packet as it was there, and the comment.
set -uo pipefail
cd "$(dirname "$0")/../.."
podwire=$(realpath "${PODWIRE:-build/podwire}") tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0 skipped=0
check() { if eval "$2"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $1"; fi; }
capture() { $podwire trace -f "$1" "${@:2}" --pcap "$tmp/a.pcapng" >/dev/null 2>&1; [ -s "$tmp/a.pcapng" ]; }
field() { tshark -n -r "$tmp/a.pcapng" -T fields "$@" 2>/dev/null; }

figures=scenarios/figures
check "a capture is written, and begins as pcapng does" 'capture $figures/clusterip.yaml pod/client svc/web:80 && [ "$(head -c4 "$tmp/a.pcapng" | od -An -tx1 | tr -d " ")" = 0a0d0d0a ]'
check "the same question gives the same bytes" 'cp "$tmp/a.pcapng" "$tmp/b.pcapng"; capture $figures/clusterip.yaml pod/client svc/web:80; cmp -s "$tmp/a.pcapng" "$tmp/b.pcapng"'
check "a file that cannot be written is an error that names it" '! $podwire trace -f $figures/clusterip.yaml pod/client svc/web:80 --pcap /nonexistent/a.pcapng >/dev/null 2>"$tmp/err" && grep -q "/nonexistent/a.pcapng" "$tmp/err"'
check "with --mode linux there are none, and the message says what to do" '! $podwire trace --mode linux pod/a pod/b --pcap x 2>"$tmp/err" && grep -q "^podwire: --pcap .*tcpdump -i any -w x" "$tmp/err"'
if ! command -v tshark >/dev/null; then
	echo "skipped: tshark is not installed, so nobody else reads the captures"
	printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" 9
	[ "$failed" = 0 ]; exit
fi
check "the first packet leaves the client's socket for the ClusterIP" 'field -e frame.interface_name -e ip.dst -e tcp.dstport | head -1 | grep -qP "^pod/default/client\t10\.96\.[0-9.]+\t80$"'
check "behind prerouting it goes to a Pod's own address" 'field -Y "frame.comment contains \"destination becomes\"" -e ip.dst -e tcp.dstport | grep -qP "^10\.244\.[0-9.]+\t8080$"'
check "the comment has the rule" 'field -e frame.comment | grep -q "rule: meta l4proto tcp dnat"'
check "the answer is a SYN, ACK from the ClusterIP in the end" 'field -Y "frame.comment contains \"and back\"" -e ip.src -e tcp.flags.str | tail -1 | grep -qP "^10\.96\.[0-9.]+\t.*A··S"'
check "every checksum is right, nothing is malformed" '[ -z "$(tshark -n -r "$tmp/a.pcapng" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -Y "ip.checksum.status == 0 || tcp.checksum.status == 0 || _ws.malformed" 2>&1 | grep -v Running)" ]'
capture $figures/clusterip.yaml client node/worker-1:30080 --protocol udp --size 100
check "UDP carries its payload" 'field -Y udp -e udp.length | grep -q "^108$"'
capture $figures/clusterip.yaml pod/client deploy/web:99 --protocol udp
check "nobody listens: the answer is port unreachable, and carries the packet that it speaks of" 'field -Y "icmp.type == 3 && icmp.code == 3" -e udp.dstport | tail -1 | grep -q "^99$"'
capture $figures/clusterip.yaml pod/client deploy/web:99
check "nobody listens on TCP: the answer is a reset" 'field -Y tcp.flags.reset==1 -e tcp.srcport | tail -1 | grep -q "^99$"'
capture scenarios/regressions/default-deny.yaml pod/client pod/web:81
check "a dropped packet says where and why in its last comment" 'field -e frame.comment | tail -1 | grep -q "dropped.*default/deny"'
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
