#!/usr/bin/env bash
# What lives in the namespaces: containers that end and are started again, sidecars that keep what an application logs, volumes at their places; and what a machine lacks is
# said, never passed over.
. "$(dirname "$0")/lib.sh"
needs nft python3 curl

echo "== features"
"$podwire" version -o json >features.json
there() { python3 -c 'import json,sys; sys.exit(not next(f["there"] for f in json.load(open("features.json"))["features"] if f["name"] == sys.argv[1]))' "$1"; }
check "tried, and told as a table" says "nf_tables" "$podwire" version -v
check "in JSON, with a reason for each that is missing" python3 -c 'import json; f = json.load(open("features.json"))["features"]; assert len(f) > 30 and all(x["there"] or x["why"] for x in f)'
check "veth is there where namespaces are" there veth
check "without -v they are not tried" sh -c "[ \$('$podwire' version | wc -l) = 1 ]"
check "a format that is none" status 2 "$podwire" version -o yaml
for kind in ipip vxlan dummy wireguard; do      # by another program's word
	more=; [ $kind = vxlan ] && more='id 7 dstport 4789'
	real=no told=no; unshare -Urn ip link add probe0 type $kind $more 2>/dev/null && real=yes; there $kind && told=yes
	check "$kind: ip says so, too" [ "$told" = "$real" ]
done
scenario() { printf '{apiVersion: podwire.io/v1, kind: Scenario, metadata: {name: %s}, spec: {%s}}\n' "$1" "$2" >"$1.yaml"; }
pods='apply: {objects: [{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, image: a, ports: [{containerPort: 80}, {containerPort: 9, protocol: SCTP}]}]}}, {apiVersion: v1, kind: Pod, metadata: {name: b}, spec: {nodeName: worker-2, containers: [{name: b, image: b}]}}]}'
scenario sctp "steps: [{name: s, $pods, trace: {from: pod/b, to: 'pod/a:9', protocol: sctp}, expect: [{verdict: delivered}]}]"
scenario slow "steps: [{name: s, $pods, fault: {link: worker-2, delay: 10ms}, trace: {from: pod/b, to: 'pod/a:80'}, expect: [{verdict: delivered}]}]"
scenario ipip "steps: [{name: s, apply: {objects: [{apiVersion: crd.projectcalico.org/v1, kind: IPPool, metadata: {name: default-ipv4-ippool}, spec: {cidr: 10.244.0.0/16, ipipMode: Always}}]}}, {name: t, $pods, trace: {from: pod/b, to: 'pod/a:80'}, expect: [{verdict: delivered}]}]"
if there SCTP; then check "SCTP" "$podwire" run --mode linux sctp.yaml; else check "without SCTP: skipped, with the reason" says "skipped mode linux: it needs SCTP" "$podwire" run --mode linux sctp.yaml; fi
check "the kernel hears of what a kube-proxy writes later, too" says "12 passed, 0 failed, 0 skipped" "$podwire" run --mode linux "$root/scenarios/regressions/rollout-traffic.yaml"
check "from loopback to loopback" says "15 passed, 0 failed" "$podwire" run --mode linux "$root/scenarios/lessons/01-network-namespace.yaml"
check "a node without an address is no network" says "node b has no address" "$podwire" verify -f <(printf '%s\n' '{apiVersion: v1, kind: Node, metadata: {name: a}, status: {addresses: [{type: InternalIP, address: 10.0.0.1}]}}' --- '{apiVersion: v1, kind: Node, metadata: {name: b}}')
check "delay of a link: skipped" says "skipped mode linux: delay of a link" "$podwire" run --mode linux slow.yaml
"$podwire" run --mode linux "$root"/scenarios/regressions/link{s,-sizes}.yaml "$root/scenarios/lessons/29-mtu.yaml" >played 2>&1
check "links that carry less: packets and streams of a given size" says "3 scenarios: 39 passed, 0 failed, 0 skipped" tail -1 played
check "a connection that stays open: skipped" says "skipped mode linux: connections that stay open" "$podwire" run --mode linux "$root/scenarios/lessons/09-one-connection-one-pod.yaml"
if there ipip; then check "IPIP" "$podwire" run --mode linux ipip.yaml; else
	check "without ipip: skipped, with the reason" says "skipped mode linux: it needs ipip" "$podwire" run --mode linux ipip.yaml
	check "and counted as skipped" says "0 passed, 0 failed, 1 skipped" "$podwire" run --mode linux ipip.yaml
fi

echo "== a sidecar that keeps the log"
cat >shop.yaml <<'YAML'
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: logs}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, labels: {app: shop}}
spec:
  containers:
  - {name: shop, image: shop, ports: [{name: http, containerPort: 8080}], env: [{name: LOG_TARGET, value: '127.0.0.1:5140'}]}
  initContainers:
  - {name: logger, image: fluent-bit, restartPolicy: Always, ports: [{containerPort: 5140}], volumeMounts: [{name: logs, mountPath: /logs}]}
  volumes: [{name: logs, persistentVolumeClaim: {claimName: logs}}]
---
{apiVersion: v1, kind: Service, metadata: {name: shop}, spec: {selector: {app: shop}, ports: [{name: http, port: 80, targetPort: http}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: net}
spec: {containers: [{name: net, image: 'registry.k8s.io/e2e-test-images/agnhost:2.53', args: [netexec, '--http-port=8083', '--udp-port', '8084']}]}
---
{apiVersion: v1, kind: Pod, metadata: {name: porter}, spec: {containers: [{name: c, image: 'registry.k8s.io/e2e-test-images/agnhost:2.53', args: [porter], ports: [{containerPort: 8099}], env: [{name: SERVE_PORT_8098, value: x}]}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: reader}, spec: {containers: [{name: reader, image: r, ports: [{containerPort: 1}], volumeMounts: [{name: logs, mountPath: /var/old, readOnly: true}, {name: scratch, mountPath: /scratch/here}]}], volumes: [{name: logs, persistentVolumeClaim: {claimName: logs}}, {name: scratch, emptyDir: {}}]}}
YAML
"$podwire" apply -q -f shop.yaml >/dev/null
check "up" "$podwire" up -q
"$podwire" exec reader -- curl -s --max-time 20 http://shop/order/7 >/dev/null
check "what the application was asked stands in the storage" says '"GET /order/7 HTTP/1.1" 200' "$podwire" exec shop -c logger -- cat /logs/access.log
check "and in both logs" sh -c "'$podwire' logs shop | grep -q order/7 && '$podwire' logs shop logger | grep -q order/7"
if there overlayfs; then check "another Pod with the claim reads it" says order/7 "$podwire" exec reader -- cat /var/old/access.log
	check "but does not write" status 1 "$podwire" exec reader -- sh -c 'touch /var/old/x 2>/dev/null || exit 1'; fi
if there overlayfs; then check "an emptyDir stands where it is mounted" "$podwire" exec reader -- sh -c 'echo kept >/scratch/here/x && grep -q kept /scratch/here/x'; fi
check "who names no container of several is told which one it is" says 'Defaulted container "shop" out of: shop, logger (init)' "$podwire" exec shop -- true
check "and what the command's end was" says "command terminated with exit code 3" "$podwire" exec shop -c shop -- sh -c 'exit 3'
check "-q: neither" [ -z "$("$podwire" exec -q shop -- sh -c 'exit 3' 2>&1)" ]
check "a container without it has no such folder" status 2 "$podwire" exec shop -- ls /logs
"$podwire" exec shop -c logger -- sh -c 'echo mine >/logs/mine; echo mine >/podwire-was-here'
check "what is written beside the volume does not leave the lab" [ ! -e /podwire-was-here ]
check "agnhost netexec listens where its arguments say" sh -c "'$podwire' exec reader -- curl -s --max-time 20 http://\$('$podwire' get pod net -o 'jsonpath={.status.podIP}'):8083/hostname | grep -qx net"
at_porter() { "$podwire" exec reader -- curl -s -o /dev/null --max-time 20 "http://$("$podwire" get pod porter -o 'jsonpath={.status.podIP}'):$1/"; }
check "agnhost porter listens where its environment says" at_porter 8098
check "and not where it only declares" status 7 at_porter 8099
check "verify" "$podwire" verify --sample 80

check "the scenario of the figure" "$podwire" run --mode linux "$root/scenarios/figures/ingress-multicontainer.yaml"

echo "== commands of manifests"
cat >own.yaml <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: own, labels: {app: own}}
spec:
  containers:
  - {name: serve, image: python, command: [python3, -m, http.server, $(PORT)], args: [--directory, /data], env: [{name: PORT, value: '8080'}], ports: [{containerPort: 8080}], volumeMounts: [{name: d, mountPath: /data}]}
  - {name: write, image: busybox, command: [sh, -c, 'echo "hello from $HOSTNAME, $WHO" >/data/index.txt; touch /podwire-was-here; echo $PORT$(PORT) $$(PORT)XX | cat; exec sleep 1000'], env: [{name: WHO, value: me}], volumeMounts: [{name: d, mountPath: /data}]}
  - {name: alive, image: busybox, command: [sh, -c, 'touch /tmp/healthy; exec sleep 1000'], livenessProbe: {exec: {command: [cat, /tmp/healthy]}}}
  volumes: [{name: d, emptyDir: {}}]
---
{apiVersion: v1, kind: Service, metadata: {name: own}, spec: {selector: {app: own}, ports: [{port: 80, targetPort: 8080}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: ends}, spec: {containers: [{name: c, image: x, command: [sh, -c, 'sleep 1; echo dying; exit 3']}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: asker}, spec: {containers: [{name: c, image: nginx}]}}
YAML
own() { PODWIRE_LAB=own.db "$podwire" "$@"; }
own apply -q -f own.yaml >/dev/null
if there overlayfs; then
	check "up with them" own up -q --allow-commands
	check "a program of the machine's serves in the Pod, with its volume, arguments and environment" says "hello from own, me" own exec asker -- curl -s --max-time 20 http://own/index.txt
	check "what it says is its log" says 'GET /index.txt' own logs own serve
	check "what it writes beside the volume does not leave the lab" [ ! -e /podwire-was-here ]
	for _ in $(seq 100); do own logs ends 2>/dev/null | grep -q dying && own get pod ends | grep -q CrashLoopBackOff && break; sleep 0.1; done
	check "one that ends is a container that has ended" says CrashLoopBackOff own get pod ends
	check "the cluster's own are not run" says 'kube-proxy(' own ps
	check "verify: it counts that the connection is taken, and a probe by exec is made" own verify --sample 200
	own exec -q own -c alive -- rm /tmp/healthy
	check "one that fails is told" says "liveness probe of pod/default/own, container alive (exec)" own verify --sample 200
	own down -q
fi
echo "== what a container finds"
cat >inside.yaml <<'YAML'
{apiVersion: v1, kind: ConfigMap, metadata: {name: cm}, data: {color: red}}
---
{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {pw: aGVsbG8=}}
---
{apiVersion: v1, kind: Service, metadata: {name: my-db}, spec: {clusterIP: 10.96.5.5, ports: [{name: sql, port: 5432}, {name: web, port: 80, protocol: UDP}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: shop}}
spec:
  hostname: h
  subdomain: sub
  hostAliases: [{ip: 1.2.3.4, hostnames: [foo, bar]}]
  containers:
  - name: c
    image: nginx
    workingDir: /srv/podwire/data
    resources: {limits: {cpu: 1500m, memory: 64Mi}}
    envFrom: [{prefix: CM_, configMapRef: {name: cm}}, {configMapRef: {name: none, optional: true}}]
    env:
    - {name: A, value: 'x-$(CM_color)-$(MY_DB_SERVICE_HOST)-$$(A)-$(NONE)'}
    - {name: APP, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
    - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
    - {name: MEM, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}
    - {name: PW, valueFrom: {secretKeyRef: {name: s, key: pw}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: alone}, spec: {enableServiceLinks: false, containers: [{name: c, image: nginx}]}}
---
{apiVersion: v1, kind: Secret, metadata: {name: bytes}, data: {k: YQBi}}
---
{apiVersion: v1, kind: Pod, metadata: {name: bytes}, spec: {containers: [{name: c, image: nginx, env: [{name: RAW, valueFrom: {secretKeyRef: {name: bytes, key: k}}}]}]}}
YAML
inside() { PODWIRE_LAB=inside.db "$podwire" "$@"; }
export PODWIRE_OF_THE_CALLER=yes
check "up" inside up -q -f inside.yaml
inside exec web -- env >env
has() { grep -qxF -e "$1" env; }
check "literals, with what stands before them filled in" has 'A=x-red-10.96.5.5-$(A)-$(NONE)'
check "a label, a ConfigMap, a Secret" sh -c "grep -qx APP=shop env && grep -qx CM_color=red env && grep -qx PW=hello env"
check "a variable with a NUL byte is not cut: its container does not start" says "variable RAW has a NUL byte" inside exec bytes -- true
check "limits, in units" sh -c "grep -qx CPU=2 env && grep -qx MEM=64 env"
check "links to Services" sh -c "grep -qx MY_DB_SERVICE_PORT_SQL=5432 env && grep -qx MY_DB_PORT=tcp://10.96.5.5:5432 env && grep -qx MY_DB_PORT_80_UDP_PROTO=udp env && grep -qx KUBERNETES_SERVICE_HOST=10.96.0.1 env"
check "each name once, and nothing of the caller's" sh -c "! cut -d= -f1 env | sort | uniq -d | grep . && ! grep PODWIRE_OF_THE_CALLER env"
check "without enableServiceLinks the API server alone" sh -c "PODWIRE_LAB=inside.db '$podwire' exec alone -- env >few; grep -q KUBERNETES_PORT= few && ! grep MY_DB few"
if there overlayfs; then check "workingDir, made where it is missing, and not on this machine" sh -c "[ \"\$(PODWIRE_LAB=inside.db '$podwire' exec web -- pwd)\" = /srv/podwire/data ] && [ ! -e /srv/podwire ]"; fi
check "its host name, alone and in full" says "h h.sub.default.svc.cluster.local" inside exec web -- sh -c 'echo $(hostname) $(hostname -f)'
check "aliases of hosts" says "1.2.3.4" inside exec web -- getent hosts bar
check "a node has the caller's environment" says yes inside exec node/worker-1 -- printenv PODWIRE_OF_THE_CALLER
inside down -q

echo "== health by gRPC"
cat >grpc.yaml <<'YAML'
{apiVersion: v1, kind: Pod, metadata: {name: good}, spec: {containers: [{name: c, image: x, ports: [{containerPort: 9000}], readinessProbe: {grpc: {port: 9000, service: live}}, livenessProbe: {grpc: {port: 9000}}}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: late, annotations: {podwire.io/c.ready: never}}, spec: {containers: [{name: c, image: x, ports: [{containerPort: 9000}], readinessProbe: {grpc: {port: 9000, service: ready}}}]}}
YAML
long=$(printf 's%.0s' {1..300})
python3 - "$long" >>grpc.yaml <<'PY'
import sys
print('---\n{apiVersion: v1, kind: Pod, metadata: {name: long}, spec: {containers: [{name: c, image: x, ports: [{containerPort: 9000}], readinessProbe: {grpc: {port: 9000, service: %s}}}]}}' % sys.argv[1])
PY
grpc() { PODWIRE_LAB=grpc.db "$podwire" "$@"; }
grpc up -q -f grpc.yaml
check "probes are asked, and answered as the model says" sh -c "PODWIRE_LAB=grpc.db '$podwire' verify --sample 50 >probed && grep -q 'probes .* agree' probed && ! grep gRPC probed"
grpc logs pod/late >late.log; grpc logs pod/good >good.log; grpc logs pod/long >long.log
check "a service of 300 bytes is asked for by its whole name" grep -q "health check of \"$long\": SERVING" long.log
preface() { grpc exec node/worker-1 -- python3 -c 'import socket, sys, time
s = socket.create_connection((sys.argv[1], 9000), 5)
for part in sys.argv[2:]:
    s.sendall(part.encode().decode("unicode_escape").encode()); time.sleep(0.3)
s.shutdown(socket.SHUT_WR); print(s.recv(200).hex())' "$(grpc exec good -- hostname -i)" "$@"; }
check "HTTP/2 that begins in two segments is HTTP/2" says 000000040000000000 preface 'PRI * HT' 'TP/2.0\r\n\r\nSM\r\n\r\n'
check "what only began like it is echoed, after the line that says who" says 676f6f64 preface 'PRI * HT'
check "one that is not ready says so" sh -c "grep -q 'health check of \"ready\": NOT_SERVING' late.log && grep -q 'health check of \"live\": SERVING' good.log"
if [[ $(curl -V) == *HTTP2* ]]; then
	check "another program's HTTP/2 is understood" says "200 2 application/grpc" grpc exec node/worker-1 -- curl -s --max-time 5 --http2-prior-knowledge -o /dev/null -w '%{http_code} %{http_version} %{content_type}\n' -X POST --data-binary x \
		"http://$(grpc exec good -- hostname -i):9000/grpc.health.v1.Health/Check"
fi
grpc down -q

echo "== a change waits for a verify that is under way"
cat >hold.yaml <<'YAML'
{apiVersion: apps/v1, kind: Deployment, metadata: {name: w}, spec: {replicas: 3, selector: {matchLabels: {app: w}}, template: {metadata: {labels: {app: w}}, spec: {containers: [{name: w, image: w, ports: [{containerPort: 80}]}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: w}, spec: {selector: {app: w}, ports: [{port: 80}]}}
YAML
hold() { PODWIRE_LAB=hold.db "$podwire" "$@"; }
hold apply -q -f hold.yaml >/dev/null
check "up" hold up -q
hold verify >held 2>&1 & verifying=$!
for k in 4 3 5 2 6 3; do hold scale deploy/w --replicas $k >/dev/null 2>&1; done
check "it sees none of them, and agrees" wait $verifying
check "and when it has ended the kernel has followed" hold verify
hold down -q

cat >leak.yaml <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: leak}
spec:
  containers:
  - name: c
    image: busybox
    command: [sh, -c, 'for d in /mnt /mnt/more /dev /dev/shm /tmp; do touch $d/podwire-was-here; done; echo "$PATH $BAR-$(BAR)"; echo done; exec sleep 1000']
    env: [{name: PATH, value: '/usr/bin:/bin'}, {name: FOO, value: a}, {name: BAR, value: '$(FOO)$(LATER)'}, {name: FOO, value: b}, {name: LATER, value: c}]
YAML
cat >leak.sh <<'SH'
mount -t tmpfs tmpfs /mnt && mkdir /mnt/more && mount -t tmpfs tmpfs /mnt/more || exit 1
"$1" up -q --allow-commands || exit 1
for _ in $(seq 100); do "$1" logs leak 2>/dev/null | grep -q done && break; sleep 0.1; done
"$1" logs leak
"$1" exec leak -- touch /mnt/more/podwire-was-here
"$1" down -q
echo "left: $(ls /mnt/podwire-was-here /mnt/more/podwire-was-here /dev/podwire-was-here /dev/shm/podwire-was-here /tmp/podwire-was-here 2>/dev/null)"
SH
PODWIRE_LAB=leak.db "$podwire" apply -q -f leak.yaml >/dev/null
PODWIRE_LAB=leak.db unshare $([ "$(id -u)" = 0 ] || echo -Ur) -m --propagation private bash leak.sh "$podwire" >leaked 2>&1
check "what they write to other file systems of the machine does not leave the lab either" grep -qx "left: " leaked
check "their environment is as the kubelet makes it: in order, and before the runtime's own" grep -qxF '/usr/bin:/bin a$(LATER)-a' leaked
check "without the option none is run" own up -q
check "podwire's own server is there" says '"pod": "default/own"' own exec asker -- curl -s --max-time 20 http://own/
own down -q
if [ "$(id -u)" = 0 ] && as_nobody unshare -Urn test -x "$podwire" 2>/dev/null; then
	chmod 755 "$work"
	check "as nobody" as_nobody "$podwire" verify --allow-commands -f own.yaml --sample 60
fi

echo "== init containers"
cat >staged.yaml <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: staged}
spec:
  initContainers:
  - {name: first, image: a, command: [sleep, '20']}
  - {name: side, image: a, restartPolicy: Always, ports: [{containerPort: 9000}]}
  - {name: second, image: a, command: [sleep, '20']}
  containers: [{name: main, image: a, ports: [{containerPort: 80}]}]
YAML
run() { "$podwire" ps | awk '$1 == "pod/default/staged" { $1 = $2 = $3 = $4 = $5 = ""; print }' | sed 's/([0-9]*)//g; s/^ *//'; }
"$podwire" apply -q -f staged.yaml --no-settle >/dev/null 2>&1
"$podwire" advance 10s -q >/dev/null 2>&1; check "the first one alone" [ "$(run)" = first ]
"$podwire" advance 20s -q >/dev/null 2>&1; check "a sidecar stays, the second one runs" [ "$(run)" = "side second" ]
"$podwire" advance 20s -q >/dev/null 2>&1; check "then the container" [ "$(run)" = "side main" ]

echo "== a container that ends"
end() { kill_in "$1" "workload\\ $2\\ $3\\ *"; }            # end POD NS/NAME CONTAINER
soon() { for _ in $(seq 100); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done; "$@"; }
end net default/net net
check "its kubelet restarts it" soon sh -c "[ \$('$podwire' get pod net -o 'jsonpath={.status.containerStatuses[0].restartCount}') = 1 ]"
check "with the signal as its exit code" says 137 "$podwire" get pod net -o 'jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}'
check "it answers again" soon says net "$podwire" exec reader -- curl -s --max-time 5 "http://$("$podwire" get pod net -o 'jsonpath={.status.podIP}'):8083/hostname"
end net default/net net
check "the second time it waits" soon says CrashLoopBackOff "$podwire" get pod net
check "and nothing listens" sh -c "! '$podwire' exec reader -- curl -s --max-time 2 http://\$('$podwire' get pod net -o 'jsonpath={.status.podIP}'):8083/"
check "as the model has it" "$podwire" verify --sample 80
"$podwire" advance 30s -q >/dev/null 2>&1
check "until its time has come" soon says Running "$podwire" get pod net
end shop default/shop logger
check "a sidecar alone" soon sh -c "'$podwire' get pod shop -o json | python3 -c 'import json,sys; s = json.load(sys.stdin)[\"status\"]; sys.exit((s[\"initContainerStatuses\"][0][\"restartCount\"], s[\"containerStatuses\"][0][\"restartCount\"]) != (1, 0))'"
check "what it kept is still there" soon says order/7 "$podwire" exec shop -c logger -- cat /logs/access.log
"$podwire" down -q

echo "== a link that loses packets"
{ deployment far 2; service far 'ports: [{port: 80, targetPort: 8080}]'; } >far.yaml
"$podwire" down -q 2>/dev/null; rm -f "$PODWIRE_LAB"*
"$podwire" apply -q -f far.yaml && "$podwire" up -q
rules() { "$podwire" exec client -- nsenter -t 1 -n sh -c "PATH=\$PATH:/usr/sbin; nft $1 netdev podwire_losses" 2>&1; }
"$podwire" fault link worker-1 loss=40% -q >/dev/null 2>&1
is "a rule for each direction" 2 "$(rules 'list table' | grep -c 'numgen random mod 1000 < 400 drop')"
check "verify: some connections are lost, by chance, and others not" "$podwire" verify --sample 250
rules 'delete table' >/dev/null
check "and tells if none is" says "over links that lose some packets" "$podwire" verify --sample 250
"$podwire" fault link worker-1 loss=20% -q >/dev/null 2>&1
is "another share" 2 "$(rules 'list table' | grep -c 'numgen random mod 1000 < 200 drop')"
"$podwire" heal link worker-1 -q >/dev/null 2>&1
is "mended" 0 "$(rules 'list table' | grep -c drop)"
check "and all is as before" "$podwire" verify --sample 100
"$podwire" down -q

echo "== probes"
cat >probes.yaml <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: slow, labels: {app: slow}, annotations: {podwire.io/app.ready: "after 2m"}}
spec: {containers: [{name: app, image: app, ports: [{name: http, containerPort: 8080}], readinessProbe: {httpGet: {path: /same, port: http}}, livenessProbe: {httpGet: {path: /same, port: 8080}, periodSeconds: 5}, startupProbe: {tcpSocket: {port: 8080}}}]}
---
{apiVersion: v1, kind: Service, metadata: {name: slow}, spec: {selector: {app: slow}, ports: [{port: 80, targetPort: http}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: reader}, spec: {containers: [{name: reader, image: r, ports: [{containerPort: 1}]}]}}
YAML
rm -f lab.db*
"$podwire" apply -q -f probes.yaml --no-settle >/dev/null; "$podwire" advance 30s >/dev/null
check "up" "$podwire" up -q
check "made from the node, as the model has them" "$podwire" verify
log() { "$podwire" logs slow app; }
check "one that is scripted to fail fails" says '"GET /same HTTP/1.1" 503' log
check "another that asks the same path does not" says '"GET /same HTTP/1.1" 200' log
is "the last lines of it" 2 "$("$podwire" logs slow app --tail 2 | wc -l)"
check "a number of lines that is none" status 2 "$podwire" logs slow app --tail some
check "no container ran before" says 'previous terminated container "app" in pod "slow" not found' "$podwire" logs -p slow app
timeout 5 "$podwire" logs -f slow app --tail 0 >followed & follows=$!
for _ in $(seq 20); do "$podwire" exec node/worker-1 -- curl -s -o /dev/null --max-time 5 "http://$("$podwire" get pod slow -o 'jsonpath={.status.podIP}'):8080/follow-me"; grep -q follow-me followed && break; sleep 0.2; done
kill $follows; wait $follows 2>/dev/null
check "-f goes on with what is written" grep -q 'GET /follow-me HTTP/1.1' followed
check "not ready: no endpoint" sh -c "! '$podwire' exec reader -- curl -s --max-time 3 http://slow/"
check "other requests are answered" says '"pod": "default/slow"' "$podwire" exec reader -- curl -s --max-time 5 "http://$("$podwire" get pod slow -o 'jsonpath={.status.podIP}'):8080/"
"$podwire" advance 2m -q >/dev/null 2>&1
check "when it is ready the kernel leads there" says '"pod": "default/slow"' "$podwire" exec reader -- curl -s --max-time 5 http://slow/
cat >tcp.yaml <<'YAML'
{apiVersion: v1, kind: Pod, metadata: {name: tcp, annotations: {podwire.io/app.ready: "after 2m"}}, spec: {containers: [{name: app, image: app, ports: [{containerPort: 8080}], readinessProbe: {tcpSocket: {port: 8080}}, livenessProbe: {tcpSocket: {port: 8080}}}]}}
YAML
"$podwire" apply -q -f tcp.yaml --no-settle >/dev/null; "$podwire" advance 30s -q >/dev/null 2>&1
syn() { "$podwire" exec node/worker-1 -- python3 -c 'import socket, sys
s = socket.socket(); s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, int(sys.argv[2])); s.settimeout(1)
try: s.connect((sys.argv[1], 8080)); print("connected")
except OSError as e: print(type(e).__name__)' "$("$podwire" get pod tcp -o 'jsonpath={.status.podIP}')" "$1"; }
is "a TCP probe that is scripted to fail finds nobody; another, and what is no probe, does" "TimeoutError connected connected" "$(syn 28) $(syn 44) $(syn 0)"
check "as the model has it" sh -c "'$podwire' verify >probed && ! grep 'TCP probe' probed"
"$podwire" advance 2m -q >/dev/null 2>&1
is "until it is ready" connected "$(syn 28)"
"$podwire" delete pod tcp -q >/dev/null 2>&1
probes() { "$podwire" verify "$@" -o json | python3 -c 'import json,sys; p = json.load(sys.stdin)["probes"]; print(p["asked"], p["agree"])'; }
all=$(probes)
check "and all probes succeed" [ "$all" = "$(set -- $all; [ "${1:-0}" -ge 3 ] && echo "$1 $1")" ]
check "a sample that is larger than all is all" [ "$(probes --sample 1000)" = "$all" ]
check "a smaller one has its size" [ "$(probes --sample 2)" = "2 2" ]
check "a report for CI has them" says "probes: ${all% *} made from the nodes" "$podwire" verify -o tap
"$podwire" down -q
finish
