#!/usr/bin/env bash
# Names as Pods see them: which nameserver is asked, whether it answers, what a C library does then, and how it is told.
. "$(dirname "$0")/lib.sh"
cat >web.yaml <<'YAML'
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client, labels: {app: client}}
spec: {containers: [{name: c, image: busybox}]}
---
apiVersion: v1
kind: Pod
metadata: {name: host}
spec: {hostNetwork: true, containers: [{name: c, image: busybox}]}
---
apiVersion: v1
kind: Pod
metadata: {name: host-first}
spec: {hostNetwork: true, dnsPolicy: ClusterFirstWithHostNet, containers: [{name: c, image: busybox}]}
---
apiVersion: v1
kind: Pod
metadata: {name: two}
spec: {dnsPolicy: None, dnsConfig: {nameservers: [10.96.0.99, 10.96.0.10], searches: [default.svc.cluster.local]}, containers: [{name: c, image: busybox}]}
YAML
policy() { printf 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: %s}\nspec: {podSelector: {matchLabels: {app: client}}, policyTypes: [Egress], egress: [%s]}\n' "$@"; }
policy none '' >none.yaml
policy no-dns '{to: [{podSelector: {matchLabels: {app: web}}}]}' >no-dns.yaml
policy tcp '{to: [{podSelector: {matchLabels: {app: web}}}]}, {ports: [{protocol: TCP, port: 53}]}' >tcp.yaml
policy udp '{to: [{podSelector: {matchLabels: {app: web}}}]}, {ports: [{protocol: UDP, port: 53}]}' >udp.yaml
p() { "$podwire" "$@"; }
queries() { local want=$1; shift; p dns "$@" -o json 2>/dev/null | python3 -c "import json, sys; print(' '.join(q['name'] + '=' + q['rcode'] for q in json.load(sys.stdin)['queries']))" >said; [ "$(cat said)" = "$want" ] || { cat said; false; }; }

check "a name is known, and its Pod answers" status 0 p trace -f web.yaml pod/client http://web/
check "a host's Pod asks the node's nameserver" queries "kubernetes.default.=NXDOMAIN" -f web.yaml pod/host kubernetes.default
check "and is told so" says "ClusterFirstWithHostNet asks cluster DNS" p trace -f web.yaml pod/host http://web.default/
check "the other policy asks cluster DNS" says 10.96.0.1 p dns -f web.yaml pod/host-first kubernetes.default
check "why: by the policy of names" says "[dns-policy]" p why -f web.yaml pod/host web.default:80
check "a node does not ask cluster DNS" says "is outside" p trace -f web.yaml node/worker-1 web.default.svc.cluster.local:80
check "a nameserver that nobody has, then one that answers" says NOERROR p dns -f web.yaml pod/two web

check "no egress at all: glibc asks the name itself as well" queries "web.default.svc.cluster.local.=TIMEOUT web.=TIMEOUT" -f web.yaml -f none.yaml pod/client web
check "musl gives up with the first" queries "web.default.svc.cluster.local.=TIMEOUT" -f web.yaml -f none.yaml pod/client web --resolver musl
check "a name with five dots is asked first" queries "a.b.c.d.e.f.=TIMEOUT a.b.c.d.e.f.default.svc.cluster.local.=TIMEOUT" -f web.yaml -f none.yaml pod/client a.b.c.d.e.f
check "the way to the Pod alone is not enough" says "unresolved" p trace -f web.yaml -f no-dns.yaml pod/client http://web/
check "its address would be" status 0 p trace -f web.yaml -f no-dns.yaml pod/client svc/web:80
check "why: nobody to ask, and who forbids it" says "[policy-egress]" p why -f web.yaml -f no-dns.yaml pod/client web:80
check "TCP alone is the forgotten UDP rule" says "unresolved" p trace -f web.yaml -f tcp.yaml pod/client http://web/
check "with UDP it works" status 0 p trace -f web.yaml -f udp.yaml pod/client http://web/

p apply -q -f web.yaml; p fault dns -q
check "its processes have ended: port unreachable ends the search at once" queries "web.default.svc.cluster.local.=UNREACHABLE" pod/client web
check "the container is shown as it is" says Error p get pods -n kube-system
p advance 3s >/dev/null
check "kube-proxy has heard of it" says "has no ready endpoint" p dns pod/client web
check "why: the Pods behind" says "[crash-loop]" p why pod/client web:80
check "names outside neither" says "unresolved" p trace pod/client http://example.com/
check "an address needs no name" status 0 p trace pod/client svc/web:80
p heal dns -q; p advance 6m >/dev/null
check "mended" status 0 p dns pod/client web
finish
