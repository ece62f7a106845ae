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
says_not() { ! says "$@"; }
queries() { local want=$1; shift; p dns "$@" -o json 2>/dev/null | python3 -c "import json, sys; print(' '.join(q['name'] + '=' + q['rcode'] for q in json.load(sys.stdin)['queries']))" >said; [ "$(cat said)" = "$want" ] || { cat said; false; }; }

check "a name is known, and its Pod answers" status 0 p trace -f web.yaml pod/client http://web/
check "a host's Pod asks the node's nameserver" queries "kubernetes.default.=NXDOMAIN" -f web.yaml pod/host kubernetes.default
check "and is told so" says "ClusterFirstWithHostNet asks cluster DNS" p trace -f web.yaml pod/host http://web.default/
check "the other policy asks cluster DNS" says 10.96.0.1 p dns -f web.yaml pod/host-first kubernetes.default
check "why: by the policy of names" says "[dns-policy]" p why -f web.yaml pod/host web.default:80
check "a node does not ask cluster DNS" says "is outside" p trace -f web.yaml node/worker-1 web.default.svc.cluster.local:80
check "without --zone it is said what is taken to be so outside" says "names outside the cluster are taken not to exist; --zone" p dns -f web.yaml pod/client www.example.com
check "of cluster DNS itself, too" says "taken not to exist" p dns -f web.yaml cluster www.example.com
printf 'there.example. 30 IN A 192.0.2.1\n' >there.zone
check "with it nothing is" says_not "taken not to exist" p dns -f web.yaml --zone there.zone pod/client www.example.com
check "nor of the cluster's own names" says_not "taken not to exist" p dns -f web.yaml cluster wbe.default.svc.cluster.local
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

# ---- a Corefile that people have added to
cat >corefile.yaml <<'EOF'
apiVersion: v1
kind: ConfigMap
metadata: {name: coredns, namespace: kube-system}
data:
  Corefile: |
    (common) {
        rewrite name old.default.svc.cluster.local web.default.svc.cluster.local
    }
    .:53 {
        errors
        health { lameduck 5s }
        import common
        import custom/*.override
        rewrite stop {
          name regex (.*)\.my\.zone {1}.default.svc.cluster.local answer auto
        }
        rewrite name suffix .plain.zone .default.svc.cluster.local   # resolvers differ
        template IN A tpl.example.com {
          answer "{{ .Name }} 60 IN A 10.8.8.8"
        }
        hosts {
          10.9.9.9 db.example.com DB2.example.com
          fd00::9 db.example.com
          fallthrough
        }
        kubernetes cluster.local in-addr.arpa ip6.arpa {
           pods insecure
           fallthrough in-addr.arpa ip6.arpa
        }
        forward . /etc/resolv.conf
        file /zones/db.example.org example.org
    }
    corp.example:53 {
        forward . 10.1.2.3
    }
    consul.example:53 {
        forward . 10.96.0.1
    }
    import custom/*.server
---
apiVersion: v1
kind: ConfigMap
metadata: {name: coredns-custom, namespace: kube-system}
data:
  more.server: |
    only.hosts:53 {
        hosts {
          10.7.7.7 a.only.hosts
        }
    }
  more.override: |
    rewrite name exact alias.example web.default.svc.cluster.local
EOF
printf 'corp.example. IN SOA ns. me. 1 1 1 1 1\nx.corp.example. IN A 10.3.3.3\n' >corp.zone
c() { p dns -f web.yaml -f corefile.yaml --zone corp.zone cluster "$@"; }
check "rewrite: a name for another, from a snippet" says NOERROR c old.default.svc.cluster.local
check "by expression, the answer's name back" says NOERROR c web.my.zone
check "without that, resolvers differ" status 5 c web.plain.zone
check "from the ConfigMap of additions" says NOERROR c alias.example
check "hosts: an address" says 10.9.9.9 c db2.example.com
check "of the other family" says fd00::9 c db.example.com --type AAAA
check "and its name" says db.example.com c 9.9.9.10.in-addr.arpa --type PTR
check "no such type: NODATA" says NOERROR c db2.example.com --type AAAA
check "the other names go on" says NXDOMAIN c other.example.com
check "unless hosts ends it" says SERVFAIL c b.only.hosts
check "its own server, added" says 10.7.7.7 c a.only.hosts
check "template: cannot tell" status 5 c tpl.example.com
check "of another type: not asked" says NXDOMAIN c tpl.example.com --type AAAA
check "file: behind forward in the text, before it in CoreDNS" status 5 c www.example.org
check "and says so" says "plugin file of the Corefile may answer for www.example.org" c www.example.org
check "a stub domain: what is known outside" says 10.3.3.3 c x.corp.example
check "a stub domain that is a Service: cannot tell" says "what Service default/kubernetes answers is not known" c y.consul.example
check "what is the cluster's own stays" says NOERROR c web.default.svc.cluster.local
check "a connection by such a name" status 5 p trace -f web.yaml -f corefile.yaml pod/client tpl.example.com:80

# In a scenario: of what cannot be told nothing else holds, nor its contrary.
scenario() { printf 'apiVersion: podwire.io/v1\nkind: Scenario\nmetadata: {name: s}\nspec:\n  files: [web.yaml, corefile.yaml]\n  steps:\n  - dns: {from: cluster, name: tpl.example.com}\n    expect: [%s]\n' "$1" >scenario.yaml; p run scenario.yaml; }
check "a scenario may expect that" scenario '{rcode: UNKNOWN}'
check "and cannot take it for a failure" status 1 scenario '{rcode: SERVFAIL}'
check "nor for none" status 1 scenario '{not: {rcode: NOERROR}}'

# The block of the server that is asked, whatever stands before it.
cat >blocks.yaml <<'EOF'
apiVersion: v1
kind: ConfigMap
metadata: {name: coredns, namespace: kube-system}
data:
  Corefile: |
    # kubernetes cluster.local { pods insecure }
    other.example:53 {
        kubernetes other.example {
           pods disabled
        }
    }
    .:53 {
        kubernetes cluster.local {
           pods insecure
           ttl 17
        }
    }
EOF
b() { p dns -f web.yaml -f blocks.yaml cluster "$@"; }
check "Pods' names as its block has them" says 10.1.2.3 b 10-1-2-3.default.pod.cluster.local
check "and as the other's" says NXDOMAIN b 10-1-2-3.default.pod.other.example

# ---- /etc/hosts, which is asked before DNS
cat >hosts.yaml <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: alone}
spec:
  subdomain: sub
  hostAliases: [{ip: 10.96.0.1, hostnames: [api.example, api2]}, {ip: fd00::1, hostnames: [api.example]}]
  containers: [{name: c, image: registry.k8s.io/pause, ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: host}
spec: {hostNetwork: true, hostAliases: [{ip: 10.96.0.1, hostnames: [api.example]}], containers: [{name: c, image: registry.k8s.io/pause}]}
EOF
h() { p "$1" -f hosts.yaml "${@:2}"; }
check "an alias is an address, and nobody is asked" says '"queries": [],' h dns pod/alone API2 -o json
check "of its family" says fd00::1 h dns pod/alone api.example -6
check "not as an absolute name" says NXDOMAIN h dns pod/alone api.example.
check "not for other types" says NXDOMAIN h dns pod/alone api.example --type SRV
check "on the node's network as well" says 10.96.0.1 h dns pod/host api.example
check "a connection by it" says "delivered to node/control-plane (172.18.0.2:6443)" h trace pod/alone api.example:443
check "localhost is the Pod itself, by loopback" says "(127.0.0.1:80), which sees 127.0.0.1; answered" h trace pod/alone http://localhost/
check "its own name" says "delivered to pod/default/alone" h trace pod/alone alone:80
check "and with its subdomain" says "nobody is asked" h dns pod/alone alone.sub.default.svc.cluster.local
check "a Pod on the node's network has no such name" says NXDOMAIN h dns pod/host host
check "localhost of a node" says "which sees 127.0.0.1; answered" h trace node/worker-1 localhost:10250
check "no name at all" status 2 "$podwire" dns -f "$root/scenarios/figures/clusterip.yaml" pod/client ""
finish
