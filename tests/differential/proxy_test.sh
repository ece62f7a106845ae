#!/usr/bin/env bash
# Real proxies: in a lab that is up the Pods of controllers and Gateways are HAProxies, whose configuration follows from the routing table and from every change.
. "$(dirname "$0")/proxies.sh"

{ deployment web 2
	service web 'ports: [{name: http, port: 80, targetPort: 8080}]'
	service nobody 'ports: [{port: 80}]'
	cat; } >web.yaml <<'YAML'
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx, annotations: {ingressclass.kubernetes.io/is-default-class: "true"}}
spec: {controller: k8s.io/ingress-nginx}
YAML
cat >ingress.yaml <<'YAML'
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  tls: [{hosts: [tls.test], secretName: missing}]
  rules:
  - host: tls.test
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: plain}
spec:
  rules:
  - host: "*.bar.test"
    http: {paths: [{path: /x, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}, {path: /no, pathType: Exact, backend: {service: {name: nobody, port: {number: 80}}}}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api, annotations: {nginx.ingress.kubernetes.io/rewrite-target: "/$2"}}
spec:
  rules:
  - host: api.test
    http: {paths: [{path: "/api(/|$)(.*)", pathType: ImplementationSpecific, backend: {service: {name: web, port: {number: 80}}}}]}
YAML
# ask HOST PATH: the answer, for the client outside
ask() { request "$at" 80 "GET $2" "$1" client; }
code() { ask "$@" | code_of; }

check "a lab with a controller" "$podwire" apply -q --controller k8s.io/ingress-nginx -f web.yaml -f ingress.yaml
is "it comes up with a proxy" 1 "$("$podwire" up 2>&1 | grep -c '1 HAProxies as controllers')"
at=$("$podwire" get svc -n podwire-system k8s-io-ingress-nginx -o jsonpath='{.status.loadBalancer.ingress[0].ip}')
is "a route leads to a Pod" 200 "$(code a.bar.test /x/y)"
is "with the client's address" 1 "$(ask a.bar.test /x | grep -c '"x-forwarded-for": "203.0.113.10"')"
is "a path is taken by elements" 404 "$(code a.bar.test /xy)"
is "a wildcard covers one label" 404 "$(code a.b.bar.test /x)"
is "a Service without endpoints is 503" 503 "$(code a.bar.test /no)"
is "a path is rewritten" 1 "$(ask api.test /api/v1 | grep -c '"path": "/v1"')"
is "plain HTTP is sent to https" 308 "$(code tls.test /)"
is "the fake certificate is shown" 1 "$("$podwire" exec client -- sh -c "openssl s_client -connect $at:443 -servername tls.test </dev/null 2>/dev/null" | grep -c 'subject=.*Fake Certificate')"
is "ps lists it" 1 "$("$podwire" ps | grep -c 'haproxy(')"

sed -i 's,path: /x,path: /new,' ingress.yaml
pid=$("$podwire" ps | grep -o 'haproxy([0-9]*)')
check "a change of the Ingress" "$podwire" apply -q -f ingress.yaml
is "is followed: the new path" 200 "$(code a.bar.test /new)"
is "and not the old one" 404 "$(code a.bar.test /x)"
[ "$pid" != "$("$podwire" ps | grep -o 'haproxy([0-9]*)')" ] && ok "by a new process" || bad "by a new process" "$pid"
check "no endpoints any more" "$podwire" scale -q deploy/web --replicas 0
is "are followed" 503 "$(code a.bar.test /new)"
check "one endpoint" "$podwire" scale -q deploy/web --replicas 1
is "is followed" 200 "$(code a.bar.test /new)"
check "verify agrees on every request" "$podwire" verify --sample 60
said=$("$podwire" trace --mode linux client http://a.bar.test/new?a=1 2>&1)
has "trace sends a request, and shows the kernel's way of it" 'client .* to .*:80' "$said"
has "the proxy's own connection" 'pod/podwire-system/k8s-io-ingress-nginx[^ ]* .*:8080, out by eth0' "$said"
has "and the answer" '→ HTTP/1.1 200 OK' "$said"
"$podwire" trace --mode linux client http://a.bar.test/new -o json >trace.json
is "the same as JSON" "200 /new default/web-* True client pod/podwire-system/k8s-io-ingress-nginx-*" "$(python3 - <<'PY'
import json, re
o = json.load(open("trace.json"))["outcomes"][0]
cut = lambda s: re.sub("-[0-9a-z]+-[0-9a-z]+$", "-*", s)
print(o["http"]["status"], o["http"]["request"]["path"], cut(o["endpoint"]["namespace"] + "/" + o["endpoint"]["pod"]), o["answered"], o["hops"][0]["netns"], cut(o["backendHops"][0]["netns"]))
PY
)"
pod=$("$podwire" ps | sed -n 's,^pod/podwire-system/\([^ ]*\).*,\1,p') dir=/run/podwire/proxies/podwire-system.$("$podwire" ps | sed -n 's,^pod/podwire-system/\([^ ]*\).*,\1,p')
# another configuration than the table's: sabotage SED
sabotage() { "$podwire" exec -n podwire-system "pod/$pod" -- sh -c "PATH=\$PATH:/usr/sbin; sed -i -e '$1' $dir/haproxy.cfg && haproxy -D -f $dir/haproxy.cfg -p $dir/pid -sf \$(cat $dir/pid)" 2>&1; }
differs() { local out; out=$("$podwire" verify 2>&1); [ $? = 1 ] && grep -q "$2" <<<"$out" && ok "$1" || bad "$1" "$out"; }
sabotage 's,-- ./new.$,-- /old,'
differs "verify sees a rule that is missing" 'DIFFERS .*http://one.bar.test/new from client'
sabotage 's/set-header X-Forwarded-For.*/set-header X-Forwarded-For 192.0.2.1/'
differs "verify sees a header that is wrong" 'the backend saw X-Forwarded-For: 192.0.2.1, not 203.0.113.10'
sabotage 's/code 308/code 302/'
differs "verify sees a status that is wrong" 'kernel *302 to https://tls.test'
check "another change of the Ingress" "$podwire" annotate -q ingress/plain a=b
check "the controller goes" "$podwire" scale -q -n podwire-system deploy/k8s-io-ingress-nginx --replicas 0
is "and its proxy" 0 "$("$podwire" ps | grep -c 'haproxy(')"
check "verify agrees" "$podwire" verify --sample 100
check "down" "$podwire" down -q

# a scenario with requests, played in the kernel
played=$("$podwire" run --mode linux "$root"/scenarios/regressions/ingress-requests.yaml 2>&1)
is "a scenario with requests plays in namespaces" 1 "$(grep -c ' 0 failed, 0 skipped' <<<"$played")"

# a Gateway: listeners by host, certificates by name, precedence, weights, filters
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=tls.test -addext "subjectAltName=DNS:tls.test,DNS:*.tls.test" -keyout "$work/key" -out "$work/crt" 2>/dev/null
cat >gateway.yaml <<YAML
apiVersion: v1
kind: Secret
metadata: {name: tls}
type: kubernetes.io/tls
data: {tls.crt: $(base64 -w0 "$work/crt"), tls.key: $(base64 -w0 "$work/key")}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: gc}
spec: {controllerName: example.net/gateway}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  gatewayClassName: gc
  listeners:
  - {name: http, port: 80, protocol: HTTP}
  - {name: tls, port: 443, protocol: HTTPS, hostname: tls.test, tls: {certificateRefs: [{name: tls}]}}
  - {name: wild, port: 443, protocol: HTTPS, hostname: "*.tls.test", tls: {certificateRefs: [{name: tls}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r}
spec:
  parentRefs: [{name: gw}]
  hostnames: [app.test, "*.tls.test"]
  rules:
  - matches: [{path: {type: PathPrefix, value: /a}, headers: [{name: X-Kind, value: "it's {1}"}], queryParams: [{name: q, value: "1"}]}]
    filters:
    - {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-Set, value: "50% off"}], add: [{name: X-Add, value: b}], remove: [X-Gone]}}
    - {type: URLRewrite, urlRewrite: {hostname: in.test, path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}}}
    - {type: ResponseHeaderModifier, responseHeaderModifier: {add: [{name: X-Answer, value: "42"}]}}
    backendRefs: [{name: web, port: 80, weight: 3}, {name: nobody, port: 80}]
  - matches: [{path: {type: Exact, value: /old}, method: GET}]
    filters: [{type: RequestRedirect, requestRedirect: {scheme: https, path: {type: ReplaceFullPath, replaceFullPath: /new}, statusCode: 301}}]
  - matches: [{path: {type: RegularExpression, value: "/v[0-9]+/.*"}}]
    backendRefs: [{name: web, port: 80}]
  - matches: [{path: {value: /shared}}]
    filters: [{type: CORS, cors: {allowOrigins: ["https://*.app.test", "http://plain.test:8080"], allowMethods: [GET, PUT], allowHeaders: ["*"], exposeHeaders: [X-Answer], allowCredentials: true, maxAge: 60}}]
    backendRefs: [{name: web, port: 80}]
  - matches: [{path: {value: /public}}]
    filters: [{type: CORS, cors: {allowOrigins: ["*"], allowMethods: ["*"]}}]
    backendRefs: [{name: nobody, port: 80}]
YAML
check "a Gateway comes up" "$podwire" up -q --controller example.net/gateway -f web.yaml -f gateway.yaml
said=$("$podwire" verify --sample 300 2>&1)
is "and answers every request as the model" 1 "$(grep -cE '^requests +[0-9]{2,} in [0-9]+ tries: [0-9]+ agree' <<<"$said")"
is "without a difference" 0 "$(grep -c 'DIFFERS\|not asked .* requests' <<<"$said")"
at=$("$podwire" get gateway gw -o jsonpath='{.status.addresses[0].value}' --controller example.net/gateway -f web.yaml -f gateway.yaml)
preflight() { request "$at" 80 "OPTIONS /shared" "app.test\r\nOrigin: $1\r\nAccess-Control-Request-Method: PUT" client | tr -d '\r'; }
has "a preflight request of an origin that may is answered" '^access-control-allow-methods: GET, PUT' "$(preflight https://a.b.app.test | tr A-Z a-z | sed 's/get, put/GET, PUT/')"
is "one that may not is told nothing" 0 "$(preflight https://app.test | grep -ci access-control)"
"$podwire" down -q

# a Gateway's connections: TCP by weight; on one port HTTPS, TLS that ends there, and TLS that is passed through, by the name in the hello; certificates of clients
pair() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=$2" -addext "subjectAltName=DNS:$2" -keyout "$work/$1.key" -out "$work/$1.crt" 2>/dev/null; }
secret() { printf -- '---\napiVersion: v1\nkind: Secret\nmetadata: {name: %s}\ntype: kubernetes.io/tls\ndata: {tls.crt: %s, tls.key: %s}\n' "$1" "$(base64 -w0 "$work/$1.crt")" "$(base64 -w0 "$work/$1.key")"; }
backend() { printf -- '---\napiVersion: v1\nkind: Service\nmetadata: {name: %s}\nspec: {selector: {app: %s}, ports: [{name: web, port: 80, targetPort: 8080}, {name: tls, port: 443, targetPort: 8443}]}\n' "$1" "$1"
	printf -- '---\napiVersion: v1\nkind: Pod\nmetadata: {name: %s, labels: {app: %s}}\nspec: {containers: [{name: c, image: nginx, ports: [{containerPort: 8080}]}]}\n' "$1" "$1"; }
pair cert web.test; pair ends x.ends.test; pair inner x.pass.test; pair ca ca.test
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=me -keyout "$work/me.key" 2>/dev/null | openssl x509 -req -CA "$work/ca.crt" -CAkey "$work/ca.key" -days 30 -out "$work/me.crt" 2>/dev/null
{ cat <<'YAML'
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: example}
spec: {controllerName: example.net/gateway}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  gatewayClassName: example
  tls: {frontend: {default: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: clients}]}}}}
  listeners:
  - {name: tcp, port: 5432, protocol: TCP}
  - {name: udp, port: 53, protocol: UDP}
  - {name: https, port: 443, protocol: HTTPS, hostname: web.test, tls: {certificateRefs: [{name: cert}]}}
  - {name: ends, port: 443, protocol: TLS, hostname: "*.ends.test", tls: {mode: Terminate, certificateRefs: [{name: ends}]}}
  - {name: pass, port: 443, protocol: TLS, hostname: "*.pass.test", tls: {mode: Passthrough}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {name: db}
spec: {parentRefs: [{name: gw, sectionName: tcp}], rules: [{backendRefs: [{name: a, port: 80, weight: 3}, {name: b, port: 80, weight: 1}]}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec: {parentRefs: [{name: gw, sectionName: https}], rules: [{backendRefs: [{name: a, port: 80}]}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata: {name: ends}
spec: {parentRefs: [{name: gw, sectionName: ends}], hostnames: [x.ends.test], rules: [{backendRefs: [{name: b, port: 80}]}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata: {name: pass}
spec: {parentRefs: [{name: gw, sectionName: pass}], hostnames: [x.pass.test], rules: [{backendRefs: [{name: s, port: 443}]}]}
YAML
backend a; backend b; backend s; secret cert; secret ends
printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: clients}\ndata:\n  ca.crt: |\n'; sed 's/^/    /' "$work/ca.crt"; } >streams.yaml
check "a Gateway of connections comes up" "$podwire" up -q --controller example.net/gateway -f streams.yaml
said=$("$podwire" verify --sample 200 -v 2>&1)
is "and passes them on as the model" 0 "$(grep -c DIFFERS <<<"$said")"
has "by weight" 'GET http://any.podwire.test:5432/ from client.*: 200 by [ab] asked for /, or 200 by [ab] asked for /' "$said"
has "TLS ends, what it held goes on" 'GET https://x.ends.test/ .*: 200 by b' "$said"
has "a client without a certificate is not let in" 'GET https://web.test/ .*: rejected' "$said"
at=$("$podwire" get gateway gw -o jsonpath='{.status.addresses[0].value}' --controller example.net/gateway -f streams.yaml)
hello() { local name=$1; shift; "$podwire" exec client -- sh -c "(printf 'GET / HTTP/1.0\r\nHost: $name\r\n\r\n'; sleep 0.5) | timeout 5 openssl s_client -quiet -connect $at:443 -servername $name $* 2>&1"; }
has "one with a certificate is" '"pod": "default/a"' "$(hello web.test -cert "$work/me.crt" -key "$work/me.key")"
"$podwire" exec s -- sh -c "cd $work && (timeout 20 openssl s_server -quiet -accept 8443 -cert inner.crt -key inner.key -www >/dev/null 2>&1 &)"
sleep 0.3
has "TLS that is passed through ends at the backend" 'CN = x.pass.test' "$(hello x.pass.test)"
has "UDP is not, and that is said" 'UDP: HAProxy passes no datagrams on' "$("$podwire" rules -o haproxy --controller example.net/gateway -f streams.yaml)"
"$podwire" down -q

# an Istio Gateway that asks for certificates, and has nobody who would have signed them
{ cat <<'YAML'
apiVersion: v1
kind: Service
metadata: {name: ingress}
spec: {selector: {istio: ingress}, ports: [{name: https, port: 443, targetPort: 8443}]}
---
apiVersion: v1
kind: Pod
metadata: {name: ingress, labels: {istio: ingress}}
spec: {containers: [{name: istio-proxy, image: istio/proxyv2, args: [proxy, router], ports: [{containerPort: 8443}]}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: mutual}
spec: {selector: {istio: ingress}, servers: [{port: {number: 443, name: https, protocol: HTTPS}, tls: {mode: MUTUAL, credentialName: cert}, hosts: [web.test]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec: {hosts: [web.test], gateways: [mutual], http: [{route: [{destination: {host: a, port: {number: 80}}}]}]}
YAML
backend a; secret cert; } >mutual.yaml
check "a Gateway that asks clients for certificates comes up" "$podwire" up -q --controller istio.io/gateway-controller -f mutual.yaml
said=$("$podwire" verify --sample 200 -v 2>&1)
is "and lets in whom the model lets in" 0 "$(grep -c DIFFERS <<<"$said")"
has "nobody, where it does not say who signs them" 'GET https://web.test:8443/ .*: rejected' "$said"
"$podwire" down -q
finish
