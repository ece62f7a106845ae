#!/usr/bin/env bash
# Real proxies: in a lab that is up the Pods of controllers and Gateways are HAProxies, whose configuration follows from the routing table and from every change.
. "$(dirname "$0")/lib.sh"
needs nft iptables-restore ipset haproxy openssl

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
# ask HOST PATH: the answer's first line and its body, from the client outside
ask() { "$podwire" exec client -- bash -c "exec 3<>/dev/tcp/$at/80 && printf 'GET $2 HTTP/1.1\r\nHost: $1\r\nConnection: close\r\n\r\n' >&3 && cat <&3" 2>&1; }
code() { ask "$@" | head -1 | cut -d' ' -f2; }

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
preflight() { "$podwire" exec client -- bash -c "exec 3<>/dev/tcp/$at/80 && printf 'OPTIONS /shared HTTP/1.1\r\nHost: app.test\r\nOrigin: $1\r\nAccess-Control-Request-Method: PUT\r\nConnection: close\r\n\r\n' >&3 && cat <&3" | tr -d '\r'; }
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

# a mesh: sidecars behind the real redirect rules
version() {                                     # version N REPLICAS: of the reviews
	printf '{apiVersion: apps/v1, kind: Deployment, metadata: {name: reviews-v%d, namespace: shop}, spec: {replicas: %d, selector: {matchLabels: {app: reviews, version: v%d}}, ' "$1" "$2" "$1"
	printf 'template: {metadata: {labels: {app: reviews, version: v%d}}, spec: {containers: [{name: r, image: nginx, ports: [{containerPort: 9080}]}]}}}}\n---\n' "$1"
}
{ version 1 1; version 2 2; cat; } >mesh.yaml <<'YAML'
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {selector: {app: reviews}, ports: [{name: http, port: 80, targetPort: 9080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: page, namespace: shop}
spec: {containers: [{name: p, image: nginx, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: outside}
spec: {selector: {app: outside}, ports: [{port: 81, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: outside, labels: {app: outside}}
spec: {containers: [{name: p, image: nginx, ports: [{containerPort: 8080}]}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
spec: {host: reviews, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec:
  hosts: [reviews]
  http:
  - match: [{headers: {end-user: {exact: jason}}}]
    route: [{destination: {host: reviews, subset: v2}}]
  - match: [{uri: {prefix: /old}}]
    rewrite: {uri: /new}
    route: [{destination: {host: reviews, subset: v1}, weight: 75}, {destination: {host: reviews, subset: v2}, weight: 25}]
  - fault: {abort: {percentage: {value: 100}, httpStatus: 418}}
    match: [{uri: {exact: /teapot}}]
    route: [{destination: {host: reviews, subset: v1}}]
  - fault: {delay: {percentage: {value: 50}, fixedDelay: 300ms}}
    match: [{uri: {exact: /slow}}]
    route: [{destination: {host: reviews, subset: v1}}]
  - route: [{destination: {host: reviews, subset: v1}}]
YAML
if [ "$(id -u)" = 0 ]; then
	check "a mesh comes up" "$podwire" up -q --controller istio.io/gateway-controller -f mesh.yaml
	is "with a sidecar in each Pod that has one" 4 "$("$podwire" ps | grep '^pod/shop/' | grep -c 'haproxy(')"
	said=$("$podwire" verify --sample 200 -v 2>&1)
	is "and real connections and requests end as the model's" 0 "$(grep -c DIFFERS <<<"$said")"
	is "among them one to a subset, by a header" 1 "$(grep -c 'reviews.shop.svc.cluster.local/ from pod/shop/page, end-user: jason: 200 by reviews-v2' <<<"$said")"
	has "half of them after an injected delay" 'reviews.shop.svc.cluster.local/slow from pod/shop/page: 200 .*after 300 ms' "$said"
	is "and an injected fault" 1 "$(grep -c 'reviews.shop.svc.cluster.local/teapot from pod/shop/page: 418' <<<"$said")"
	at=$("$podwire" get svc -n shop reviews -o jsonpath='{.spec.clusterIP}' -f mesh.yaml --controller istio.io/gateway-controller)
	page() { "$podwire" exec -n shop page -- bash -c "exec 3<>/dev/tcp/$at/80 && printf 'GET /teapot HTTP/1.1\r\nHost: reviews\r\nConnection: close\r\n\r\n' >&3 && head -1 <&3" | cut -d' ' -f2; }
	is "a request passes the sidecar" 418 "$(page)"
	"$podwire" exec -n shop page -- sh -c 'PATH=$PATH:/usr/sbin; iptables -t nat -F OUTPUT'
	is "and goes around it where the redirect rules are gone" 200 "$(page)"
	"$podwire" down -q
	# identities: mutual TLS, who may ask for what, and a Gateway between
	cat >identities.yaml <<'YAML'
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: strict, namespace: shop}
spec: {mtls: {mode: STRICT}, portLevelMtls: {9081: {mode: PERMISSIVE}}, selector: {matchLabels: {app: reviews}}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: reviews, namespace: shop}
spec:
  selector: {matchLabels: {app: reviews}}
  rules:
  - from: [{source: {principals: [cluster.local/ns/shop/sa/page]}}]
    to: [{operation: {methods: [GET], paths: ["/ok*", /teapot, /new]}}]
  - from: [{source: {namespaces: [podwire-system]}}]
    to: [{operation: {hosts: [inside.test], notPaths: ["/private*"]}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: shop}
spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: shop}
spec:
  parentRefs: [{name: gw}]
  hostnames: [shop.test]
  rules:
  - matches: [{path: {type: PathPrefix, value: /in}}]
    filters:
    - {type: URLRewrite, urlRewrite: {hostname: inside.test, path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}
    - {type: ResponseHeaderModifier, responseHeaderModifier: {add: [{name: X-Answer, value: "42"}]}}
    backendRefs: [{name: reviews, port: 80}]
  - matches: [{path: {type: PathPrefix, value: /private}}]
    filters: [{type: URLRewrite, urlRewrite: {hostname: inside.test}}]
    backendRefs: [{name: reviews, port: 80}]
YAML
	sed 's/^spec: {containers: \[{name: p,/spec: {serviceAccountName: page, containers: [{name: p,/' mesh.yaml >named.yaml
	printf -- '---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: page, namespace: shop}\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: page}\n' >>named.yaml
	mesh=(--controller istio.io/gateway-controller -f named.yaml -f identities.yaml)
	check "a mesh with identities comes up" "$podwire" up -q "${mesh[@]}"
	said=$("$podwire" verify -v --tries 2 2>&1)
	is "and every request and connection ends as the model's" 0 "$(grep -c DIFFERS <<<"$said")"
	has "an identity that is allowed" 'reviews.shop.svc.cluster.local/ok[^ ]* from pod/shop/page: 200' "$said"
	has "a path that is not" 'reviews.shop.svc.cluster.local/ from pod/shop/page: 403' "$said"
	has "a plain connection is reset" 'reviews.shop.svc.cluster.local/ from pod/default/outside: rejected' "$said"
	has "through the Gateway's proxy and the sidecar behind it" 'shop.test/in from client, at gateway/shop/gw: 200 by reviews-v[12].* asked for /' "$said"
	has "through three: its own sidecar, the Gateway, the sidecar behind it" 'shop.test/in from pod/shop/page, at svc/podwire-system/gateway-shop-gw: 200 by' "$said"
	has "where a policy says no" 'shop.test/private from pod/shop/page, at svc/podwire-system/gateway-shop-gw: 403' "$said"
	"$podwire" trace --mode linux pod/shop/page http://shop.test/in --resolve gateway/shop/gw -o json >trace.json
	is "trace shows the connections of all three" "page page gateway-shop-gw-* reviews-*" "$(python3 -c '
import json, re
o = json.load(open("trace.json"))["outcomes"][0]
print(*[re.sub("-[0-9a-z]+-[0-9a-z]+$", "-*", o[k][0]["netns"].split("/")[2]) for k in ("hops", "nextProxyHops", "backendHops", "applicationHops")])' | sed 's/reviews-v[12]-\*/reviews-*/')"
	dir=/run/podwire/proxies/shop.page
	has "its certificate has the SPIFFE identity for its name" 'URI:spiffe://cluster.local/ns/shop/sa/page' "$("$podwire" exec -n shop page -- openssl x509 -in $dir/identity.pem -noout -ext subjectAltName)"
	"$podwire" exec -n shop page -- sh -c "PATH=\$PATH:/usr/sbin; cd $dir && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj / -addext subjectAltName=URI:spiffe://cluster.local/ns/shop/sa/page \
		-keyout k -out c 2>/dev/null && cat c k >identity.pem && haproxy -D -f haproxy.cfg -p pid -sf \$(cat pid)" 2>&1
	has "one that another authority has signed is not taken" 'DIFFERS .*/ok[^ ]* from pod/shop/page' "$("$podwire" verify 2>&1)"
	"$podwire" down -q
	printf 'apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: tokens, namespace: shop}\nspec: {}\n' >tokens.yaml
	is "tokens are not looked at, and that is said" 1 "$("$podwire" up --controller istio.io/gateway-controller -f mesh.yaml -f tokens.yaml 2>&1 | grep -c 'no sidecar of the mesh runs: RequestAuthentication')"
	"$podwire" down -q
	# a controller that has a sidecar itself: what comes in passes it, and what the controller sends to endpoints goes out as it is, without an identity
	cat >injected.yaml <<'YAML'
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: ingress-nginx, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx, labels: {app: ing}}
spec:
  replicas: 1
  selector: {matchLabels: {app: ing}}
  template:
    metadata: {labels: {app: ing}}
    spec: {containers: [{name: controller, image: registry.k8s.io/ingress-nginx/controller:v1.11.0, args: [/nginx-ingress-controller, --controller-class=k8s.io/ingress-nginx, --publish-service=$(POD_NAMESPACE)/ingress-nginx-controller], ports: [{name: http, containerPort: 80},{name: https, containerPort: 443}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
spec: {type: LoadBalancer, selector: {app: ing}, ports: [{name: http, port: 80, targetPort: http},{name: https, port: 443, targetPort: https}]}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: k8s.io/ingress-nginx}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec: {ingressClassName: nginx, rules: [{host: app.test, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: up, namespace: shop, annotations: {nginx.ingress.kubernetes.io/service-upstream: "true", nginx.ingress.kubernetes.io/upstream-vhost: web.shop.svc.cluster.local}}
spec: {ingressClassName: nginx, rules: [{host: up.test, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {replicas: 1, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: w, image: nginx, ports: [{containerPort: 8080}]}]}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec: {hosts: [web], http: [{match: [{uri: {prefix: /old}}], rewrite: {uri: /new}, route: [{destination: {host: web}}]}, {route: [{destination: {host: web}}]}]}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: shop}
spec: {mtls: {mode: STRICT}}
YAML
	check "a controller with a sidecar comes up" "$podwire" up -q --controller istio.io/gateway-controller -f injected.yaml
	said=$("$podwire" verify --sample 150 -v 2>&1)
	is "and every request ends as the model's" 0 "$(grep -c DIFFERS <<<"$said")"
	has "endpoints are dialled without an identity" 'GET http://app.test[:0-9]*/ from client.*: 502' "$said"
	has "a Service with one" 'GET http://up.test[:0-9]*/ from client.*: 200 by web-' "$said"
	"$podwire" down -q
	# protocols of ports, tcp routes, what a Sidecar lets its Pods see
	cat >scopes.yaml <<'YAML'
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: far}
---
apiVersion: v1
kind: Pod
metadata: {name: page, namespace: shop, labels: {app: page}}
spec: {containers: [{name: p, image: nginx, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: free, namespace: shop, labels: {app: free}}
spec: {containers: [{name: p, image: nginx, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db1, namespace: shop, labels: {app: db, version: v1}}
spec: {containers: [{name: p, image: nginx, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db2, namespace: shop, labels: {app: db, version: v2}}
spec: {containers: [{name: p, image: nginx, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{name: tcp-db, port: 5432, targetPort: 8080}, {name: any, port: 7000, targetPort: 8080}, {name: http-admin, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: other, namespace: far}
spec: {selector: {app: other}, ports: [{name: http, port: 80, targetPort: 8080}, {name: tcp-x, port: 5432, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: other, namespace: far, labels: {app: other}}
spec: {containers: [{name: p, image: nginx, ports: [{containerPort: 8080}]}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: db, namespace: shop}
spec: {host: db, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: db, namespace: shop}
spec:
  hosts: [db]
  tcp:
  - match: [{port: 5432}]
    route: [{destination: {host: db, subset: v1, port: {number: 5432}}, weight: 75}, {destination: {host: db, subset: v2, port: {number: 5432}}, weight: 25}]
  http:
  - route: [{destination: {host: db, subset: v2}}]
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: page, namespace: shop}
spec: {workloadSelector: {labels: {app: page}}, outboundTrafficPolicy: {mode: REGISTRY_ONLY}, egress: [{hosts: ["./*"]}]}
YAML
	check "a mesh with tcp routes and a Sidecar comes up" "$podwire" up -q --controller istio.io/gateway-controller -f scopes.yaml
	said=$("$podwire" verify --sample 300 -v 2>&1)
	is "and real connections and requests end as the model's" 0 "$(grep -c DIFFERS <<<"$said")"
	at=$("$podwire" get svc -n shop db -o jsonpath='{.spec.clusterIP}' -f scopes.yaml --controller istio.io/gateway-controller)
	far=$("$podwire" get svc -n far other -o jsonpath='{.spec.clusterIP}' -f scopes.yaml --controller istio.io/gateway-controller)
	from() { "$podwire" exec -n shop "$1" -- bash -c "exec 3<>/dev/tcp/$2/$3 && printf 'GET / HTTP/1.1\r\nHost: $4\r\nConnection: close\r\n\r\n' >&3 && cat <&3" 2>&1; }
	is "a share of the connections for each subset" "db1 db2" "$(for n in $(seq 40); do from page "$at" 5432 db; done | grep -o '"pod": "shop/db[12]' | cut -d/ -f2 | sort -u | xargs)"
	has "what a Sidecar hides is refused" '^HTTP/1.1 502' "$(from page "$far" 80 other.far)"
	has "and seen by the others" '"pod": "far/other"' "$(from free "$far" 80 other.far)"
	"$podwire" down -q
	if as_nobody unshare -Urn true 2>/dev/null; then
		chmod 755 "$work"
		check "without root the redirect rules cannot be made, and that is said" says "name user 1337, which a lab of an ordinary user has not" as_nobody "$podwire" verify --controller istio.io/gateway-controller -f mesh.yaml
	fi
else
	check "the redirect rules cannot be made, and that is said" says "name user 1337, which a lab of an ordinary user has not" "$podwire" verify --controller istio.io/gateway-controller -f mesh.yaml
	echo "skipped: sidecars run as another user, which only root's labs have" && skipped=$((skipped + 1))
fi
finish
