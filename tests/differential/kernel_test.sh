#!/usr/bin/env bash
# Real Linux against the walk: the script of `rules -o sh` builds a small cluster's namespaces, real connections are made in them, and each must end as the
# trace says: who answers, and whose address it sees. Everything happens in namespaces of its own.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "only root may make network namespaces with names"
needs ip nft python3 iptables-restore
unshare -nm nft add table ip probe 2>/dev/null || skip "this kernel has no nftables"
cat >"$work/objects.yaml" <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {nodeName: worker-1, containers: [{name: web, image: nginx, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: near}
spec: {nodeName: worker-1, containers: [{name: shell, image: alpine, command: [sleep, infinity]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: far}
spec: {nodeName: worker-2, containers: [{name: shell, image: alpine, command: [sleep, infinity]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: stranger}
spec: {nodeName: worker-2, containers: [{name: shell, image: alpine, command: [sleep, infinity]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 30080}]}
---
apiVersion: v1
kind: Service
metadata: {name: nobody}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
YAML
cat >>"$work/policy.yaml" <<'YAML'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: quiet}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}
YAML
cat >"$work/talk.py" <<'PY'
import ctypes, json, os, socket, subprocess, sys, threading, time
podwire, work = sys.argv[1], sys.argv[2]
libc = ctypes.CDLL(None, use_errno=True)
def inside(ns, fn):
    """Runs fn in a thread that has entered the namespace; sockets made there belong to it."""
    out = []
    def go():
        fd = os.open("/run/netns/" + ns, os.O_RDONLY)
        if libc.setns(fd, 0x40000000): out.append(OSError(ctypes.get_errno())); return
        os.close(fd)
        try: out.append(fn())
        except Exception as e: out.append(e)
    t = threading.Thread(target=go); t.start(); t.join()
    return out[0]
def listen(ns, port):
    s = inside(ns, lambda: socket.create_server(("0.0.0.0", port)))
    def serve():
        while True:
            c, peer = s.accept()
            c.sendall(peer[0].encode()); c.close()
    threading.Thread(target=serve, daemon=True).start()
listen("pod.default.web", 8080)
def real(ns, addr, port):
    def go():
        try:
            c = socket.create_connection((addr, port), timeout=1.5)
            seen = c.recv(100).decode(); c.close()
            return "delivered", seen
        except ConnectionRefusedError: return "refused", None
        except (TimeoutError, socket.timeout): return "dropped", None
        except OSError as e: return ("refused", None) if e.errno in (111,) else ("error %s" % e, None)
    return inside(ns, go)
files = ["-f", work + "/objects.yaml", "-f", work + "/policy.yaml"]
def sim(frm, to):
    p = subprocess.run([podwire, "trace", *files, frm, to, "-o", "json", *sys.argv[3:]], capture_output=True, text=True)
    return json.loads(p.stdout)["outcomes"]
ip = lambda kind, name, path: subprocess.run([podwire, "get", *files, kind, name, "-o", "jsonpath=" + path, *sys.argv[3:]], capture_output=True, text=True).stdout.strip()
web, vip, none = ip("pod", "web", "{.status.podIP}"), ip("svc", "web", "{.spec.clusterIP}"), ip("svc", "nobody", "{.spec.clusterIP}")
node = json.loads(subprocess.run([podwire, "get", *files, "node", "worker-2", "-o", "json", *sys.argv[3:]], capture_output=True, text=True).stdout)
node = [a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP"][0]
passed = failed = 0
for frm, ns, addr, port in [
        ("pod/near", "pod.default.near", web, 8080), ("pod/far", "pod.default.far", web, 8080), ("pod/near", "pod.default.near", vip, 80),
        ("pod/far", "pod.default.far", vip, 80), ("pod/far", "pod.default.far", none, 80), ("node/worker-2", "node.worker-2", vip, 80),
        ("node/worker-1", "node.worker-1", web, 8080), ("client", "client", node, 30080), ("node/worker-1", "node.worker-1", node, 30080),
        ("pod/web", "pod.default.web", vip, 80), ("pod/web", "pod.default.web", none, 80), ("pod/far", "pod.default.far", web, 8081)]:
    want = set()
    for o in sim(frm, "%s:%d" % (addr, port)):
        reached = o["verdict"] == "delivered" and o.get("answered", True)
        seen = o.get("sourceSeen") if reached else None
        verdict = "refused" if o["verdict"] == "rejected" else o["verdict"]     # a program cannot tell an ICMP error from a reset
        want.add(("delivered", seen.get("ip", seen.get("address")) if isinstance(seen, dict) else seen) if reached
                 else ("dropped" if verdict == "delivered" else verdict, None))
    have = real(ns, addr, port)
    ok = have in want
    passed += ok; failed += not ok
    print("%s %-14s to %s:%d: Linux %s, walk %s" % ("ok     " if ok else "FAILED ", frm, addr, port, have, sorted(map(str, want))))
print("%d passed, %d failed, 0 skipped" % (passed, failed))
sys.stdout.flush()
os._exit(0)
PY
for cni in calico flannel; do
	"$podwire" rules -f "$work/objects.yaml" -f "$work/policy.yaml" --cni $cni -o sh >"$work/build.sh" 2>/dev/null
	timeout 60 unshare -nm bash -c "bash '$work/build.sh' && python3 '$work/talk.py' '$podwire' '$work' --cni $cni" >"$work/log" 2>&1
	echo "$cni"; cat "$work/log"
	add_up "$work/log"
done
finish
