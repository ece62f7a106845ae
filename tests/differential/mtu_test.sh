#!/usr/bin/env bash
# What is too large for a tunnel: its sender, behind a node port's NAT, is told by the node, as the walk says.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "only root may make network namespaces with names"
needs ip nft python3 bridge
unshare -nm nft add table ip probe 2>/dev/null || skip "this kernel has no nftables"
unshare -nm ip link add probe type vxlan id 1 dstport 4789 2>/dev/null || skip "this kernel has no vxlan"

cat >"$work/objects.yaml" <<'Y'
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
name: podwire
nodes: [{role: control-plane}, {role: worker}, {role: worker}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: kube-flannel-cfg, namespace: kube-flannel}
data: {net-conf.json: '{"Network": "10.244.0.0/16", "Backend": {"Type": "vxlan"}}'}
---
apiVersion: v1
kind: Pod
metadata: {name: b, labels: {app: b}}
spec: {nodeName: podwire-worker2, containers: [{name: c, image: dns, ports: [{containerPort: 53, protocol: UDP}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: s}
spec: {type: NodePort, selector: {app: b}, ports: [{port: 53, protocol: UDP, nodePort: 30053}]}
Y
cat >"$work/talk.py" <<'P'
import ctypes, errno, os, socket, threading
libc = ctypes.CDLL(None, use_errno=True)

def enter(ns):
    assert libc.setns(os.open("/run/netns/" + ns, os.O_RDONLY), 0x40000000) == 0

enter("pod.default.b")
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("", 53))

def serve():
    while True:
        _, who = server.recvfrom(9999)
        server.sendto(b"ok", who)

threading.Thread(target=serve, daemon=True).start()
enter("client")
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, 10, 2)      # IP_MTU_DISCOVER: always DF
s.connect(("172.18.0.3", 30053))
s.settimeout(3)

def ask(size):
    try:
        s.send(b"x" * size)
        return s.recv(99).decode()
    except TimeoutError:
        return "silence"
    except OSError as e:
        return errno.errorcode[e.errno]

print(ask(1422), ask(1423), ask(1423), s.getsockopt(socket.IPPROTO_IP, 14))      # IP_MTU
P
walk() { "$podwire" trace client node/podwire-worker:30053 --protocol udp --size "$1" --df -f "$work/objects.yaml" --cni flannel 2>/dev/null | grep '^→'; }
has "what fits is delivered" "delivered" "$(walk 1422)"
has "what does not is lost" "1451 bytes with DF do not fit into the MTU of 1450 of flannel.1 in node/podwire-worker" "$(walk 1423)"
has "and its sender is told" "its sender is told" "$(walk 1423)"
"$podwire" rules -f "$work/objects.yaml" --cni flannel -o sh >"$work/build.sh"
is "so it is in the kernel" "ok EMSGSIZE EMSGSIZE 1450" "$(timeout 60 unshare -nm bash -c "bash '$work/build.sh' >/dev/null 2>&1 && python3 '$work/talk.py'; :")"     # the shell stays: the networks between the nodes live in its namespace
finish
