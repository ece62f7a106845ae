# For tests of real proxies; to be sourced. Beside what lib.sh has: requests, each on a connection of its own.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs nft iptables-restore ipset haproxy openssl

request() {                                     # request ADDRESS PORT "METHOD PATH" HOST TARGET…: the answer; other headers stand behind the host, each behind a \r\n
	local at=$1 port=$2 text="$3 HTTP/1.1\r\nHost: $4\r\nConnection: close\r\n\r\n"
	shift 4
	"$podwire" exec "$@" -- bash -c "exec 3<>/dev/tcp/$at/$port && printf '$text' >&3 && cat <&3"
}
code_of() { head -1 | cut -d' ' -f2; }          # of an answer
