#!/usr/bin/env bash
# Cluster DNS in real namespaces: the resolver of the C library, in Pods, gets what podwire dns says; and it gets nothing where the simulation says that nothing arrives.
. "$(dirname "$0")/lib.sh"
needs getent nft python3

cat >objects.yaml <<'YAML'
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: postgres, ports: [{containerPort: 5432, name: sql}]}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: db}, spec: {clusterIP: None, selector: {app: db}, ports: [{name: sql, port: 5432}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{name: http, port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: alias}, spec: {type: ExternalName, externalName: web.default.svc.cluster.local}}
---
{apiVersion: v1, kind: Service, metadata: {name: outside}, spec: {type: ExternalName, externalName: www.example.com}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {nodeName: worker-2, containers: [{name: web, image: nginx, ports: [{containerPort: 80}]}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: shell, labels: {app: shell}}, spec: {nodeName: worker-1, containers: [{name: shell, image: nginx}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: own}, spec: {dnsPolicy: None, dnsConfig: {nameservers: [10.96.0.10], searches: [svc.cluster.local], options: [{name: ndots, value: '2'}]}, containers: [{name: own, image: nginx}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: node-dns}, spec: {dnsPolicy: Default, containers: [{name: own, image: nginx}]}}
YAML
{ echo '{apiVersion: v1, kind: Service, metadata: {name: many}, spec: {clusterIP: None, ports: [{port: 80}]}}'; echo ---
	printf '{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, metadata: {name: many-1, labels: {kubernetes.io/service-name: many}}, ports: [{port: 80}], endpoints: ['
	for k in $(seq 90); do printf '%s{addresses: [192.0.2.%d], conditions: {ready: true}}' "$([ $k = 1 ] || echo ', ')" $k; done; echo ']}'; } >many.yaml
printf 'www.example.com. IN CNAME host.example.com.\nhost.example.com. IN A 192.0.2.80\n' >zone
cat >deny.yaml <<'YAML'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: no-udp}
spec: {podSelector: {matchLabels: {app: shell}}, policyTypes: [Egress], egress: [{ports: [{port: 53, protocol: TCP}, {port: 80, protocol: TCP}]}]}
YAML
addresses() { "$podwire" exec "$1" -- timeout 20 getent ahostsv4 "$2" | awk '{print $1}' | sort -u | tr '\n' ' '; }
modelled() { "$podwire" dns "$1" "$2" -o json | python3 -c 'import json,sys; print("".join(sorted(a + " " for a in json.load(sys.stdin)["answers"])))'; }
same() { local real model; real=$(addresses "$1" "$2"); model=$(modelled "pod/$1" "$2"); [ -n "$real" ] && [ "$real" = "$model" ] || { echo "real: $real, model: $model"; false; }; }
nothing() { [ -z "$(addresses "$1" "$2")" ]; }
# From ports of its own: a question that has the port of an earlier one is part of its connection, which goes on past new rules (with five ports to choose from nearly each does).
refused() { "$podwire" exec "$1" -- sh -c 'echo 20000 29999 >/proc/sys/net/ipv4/ip_local_port_range' && nothing "$@"; }

echo "== names"
"$podwire" apply -q -f objects.yaml -f many.yaml --zone zone >/dev/null
check "up" "$podwire" up -q
for name in web db web.default web.default.svc.cluster.local db-0.db db-1.db.default.svc alias outside www.example.com kubernetes kube-dns.kube-system; do
	check "pod/shell asks for $name" same shell $name
done
check "ninety addresses do not fit into a datagram: it asks again by TCP" same shell many
check "as CoreDNS saw" sh -c "for p in \$('$podwire' get pods -n kube-system -l k8s-app=kube-dns -o name); do '$podwire' logs -n kube-system \$p; done | grep -q 'many.default.svc.cluster.local. tcp\"'"
for name in nobody nobody.default.svc.cluster.local default.svc.cluster.local elsewhere.example.com; do check "pod/shell asks for $name: nothing" nothing shell $name; done
check "its resolv.conf is that of dnsPolicy and dnsConfig" says "options ndots:2" "$podwire" exec own -- cat /etc/resolv.conf
check "a short name with it" same own web.default
check "and one that its search list does not complete" nothing own web
check "dnsPolicy Default: the node's server" says "nameserver 203.0.113.1" "$podwire" exec node-dns -- cat /etc/resolv.conf
check "which knows the names outside" same node-dns www.example.com
check "and none of the cluster" nothing node-dns web.default.svc.cluster.local
check "by TCP as well" says 192.0.2.80 "$podwire" exec node-dns -- python3 -c 'import socket, struct
q = struct.pack(">HHHHHH", 7, 256, 1, 0, 0, 0) + b"\4host\7example\3com\0" + struct.pack(">HH", 1, 1)
s = socket.create_connection(("203.0.113.1", 53), 5); s.sendall(struct.pack(">H", len(q)) + q); print(socket.inet_ntoa(s.recv(512)[-4:]))'
if command -v curl >/dev/null; then check "curl http://web/" says '"pod": "default/web"' "$podwire" exec shell -- curl -s --max-time 20 http://web/; fi
check "CoreDNS has it in its log" sh -c "for p in \$('$podwire' get pods -n kube-system -l k8s-app=kube-dns -o name); do '$podwire' logs -n kube-system \$p; done | grep -q 'A IN web.default.svc.cluster.local. udp\" NOERROR'"
check "all names, from all Pods" "$podwire" verify --sample 60
check "as a report for CI" sh -c "'$podwire' verify --sample 20 -o junit | python3 -c 'import sys, xml.dom.minidom as m; d = m.parse(sys.stdin).documentElement; sys.exit(d.getAttribute(\"failures\") != \"0\" or int(d.getAttribute(\"tests\")) < 2)'"
check "and as a page with the cluster" sh -c "'$podwire' verify --sample 5 -o html | grep -q 'data:image/svg'"
check "in JSON" sh -c "'$podwire' verify --sample 40 -o json | python3 -c 'import json,sys; n = json.load(sys.stdin)[\"names\"]; sys.exit(n[\"asked\"] != 40 or n[\"agree\"] != 40)'"

echo "== the zone follows the objects"
"$podwire" delete svc web -q >/dev/null 2>&1
check "a Service that is gone" nothing shell web
"$podwire" apply -q -f objects.yaml >/dev/null 2>&1
check "and is back" same shell web
"$podwire" scale statefulset/db --replicas 3 -q >/dev/null 2>&1
check "a member more" same shell db
check "with a name of its own" same shell db-2.db

echo "== what breaks it"
"$podwire" apply -q -f deny.yaml >/dev/null 2>&1
check "a policy that leaves UDP 53 out" refused shell web
check "others are not concerned" same own web.default
check "the simulation agrees" "$podwire" verify --sample 60
"$podwire" delete -f deny.yaml -q >/dev/null 2>&1
check "without it" same shell web
zone() { "$podwire" exec shell -- sh -c 'for p in /proc/[0-9]*; do [ "$(cat $p/comm 2>/dev/null)" = podwire-zone ] && echo ${p#/proc/}; done'; }
one=$(zone); "$podwire" exec shell -- kill -9 "$one"
check "the name server that is killed comes back" same shell web
check "as another process" test -n "$(zone)" -a "$(zone)" != "$one"
check "rules are taken away" "$podwire" exec node/worker-1 -- nft delete table ip kube-proxy
check "rules that somebody took away" nothing shell web
check "verify tells of it" status 1 "$podwire" verify --sample 40
"$podwire" down -q
"$podwire" up -q
"$podwire" fault dns >/dev/null 2>&1; "$podwire" advance 5s -q >/dev/null 2>&1
check "CoreDNS that is down" nothing shell web
check "as the simulation has it" "$podwire" verify --sample 40
"$podwire" heal dns >/dev/null 2>&1; "$podwire" advance 10m -q >/dev/null 2>&1
check "and up again" same shell web
"$podwire" down -q

echo "== scenarios that look names up"
for s in 15-search-domains 16-headless 18-egress-and-dns; do check "$s" "$podwire" run --mode linux "$root/scenarios/lessons/$s.yaml"; done
if [ "$(id -u)" = 0 ] && as_nobody unshare -Urn test -x "$podwire" 2>/dev/null; then
	chmod 755 "$work"
	check "all of it as nobody" as_nobody "$podwire" verify -f objects.yaml --zone zone --sample 60
else
	skipped=$((skipped + 1)); echo "skipped: no user namespace for nobody, or a folder that nobody may enter"
fi
finish
