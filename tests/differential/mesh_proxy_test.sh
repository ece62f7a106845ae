#!/usr/bin/env bash
# A mesh: sidecars are HAProxies behind the real redirect rules, with identities, policies, controllers that have a sidecar themselves, and what a Sidecar lets its Pods see.
. "$(dirname "$0")/proxies.sh"

pod() {                                         # pod NAMESPACE NAME LABELS
	printf -- '---\n{apiVersion: v1, kind: Pod, metadata: {name: %s, namespace: %s, labels: {%s}}, spec: {containers: [{name: p, image: nginx, ports: [{containerPort: 8080}]}]}}\n' "$2" "$1" "$3"
}
version() {                                     # version N REPLICAS: of the reviews
	printf '{apiVersion: apps/v1, kind: Deployment, metadata: {name: reviews-v%d, namespace: shop}, spec: {replicas: %d, selector: {matchLabels: {app: reviews, version: v%d}}, ' "$1" "$2" "$1"
	printf 'template: {metadata: {labels: {app: reviews, version: v%d}}, spec: {containers: [{name: r, image: nginx, ports: [{containerPort: 9080}]}]}}}}\n---\n' "$1"
}
{ version 1 1; version 2 2; cat <<'YAML'
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
kind: Service
metadata: {name: outside}
spec: {selector: {app: outside}, ports: [{port: 81, targetPort: 8080}]}
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
pod shop page ""; pod default outside "app: outside"; } >mesh.yaml

if [ "$(id -u)" != 0 ]; then
	check "the redirect rules cannot be made, and that is said" says "name user 1337, which a lab of an ordinary user has not" "$podwire" verify --controller istio.io/gateway-controller -f mesh.yaml
	skip "sidecars run as another user, which only root's labs have"
fi

check "a mesh comes up" "$podwire" up -q --controller istio.io/gateway-controller -f mesh.yaml
is "with a sidecar in each Pod that has one" 4 "$("$podwire" ps | grep '^pod/shop/' | grep -c 'haproxy(')"
said=$("$podwire" verify --sample 200 -v 2>&1)
is "and real connections and requests end as the model's" 0 "$(grep -c DIFFERS <<<"$said")"
is "among them one to a subset, by a header" 1 "$(grep -c 'reviews.shop.svc.cluster.local/ from pod/shop/page, end-user: jason: 200 by reviews-v2' <<<"$said")"
has "half of them after an injected delay" 'reviews.shop.svc.cluster.local/slow from pod/shop/page: 200 .*after 300 ms' "$said"
is "and an injected fault" 1 "$(grep -c 'reviews.shop.svc.cluster.local/teapot from pod/shop/page: 418' <<<"$said")"
at=$("$podwire" get svc -n shop reviews -o jsonpath='{.spec.clusterIP}' -f mesh.yaml --controller istio.io/gateway-controller)
page() { request "$at" 80 "GET /teapot" reviews -n shop -c p page | code_of; }
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
sed 's/spec: {containers: \[{name: p,/spec: {serviceAccountName: page, containers: [{name: p,/' mesh.yaml >named.yaml
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

# a gateway's own policies: of requests, and of connections that it does not read
{ cat <<'YAML'
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: edge}
spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}, {name: open, port: 9000, protocol: TCP}, {name: shut, port: 9001, protocol: TCP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: edge}
spec: {parentRefs: [{name: gw, sectionName: http}], rules: [{backendRefs: [{name: web, port: 80}]}]}
---
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: TCPRoute
metadata: {name: t, namespace: edge}
spec: {parentRefs: [{name: gw, sectionName: open}, {name: gw, sectionName: shut}], rules: [{backendRefs: [{name: web, port: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: edge}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: allow, namespace: edge}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gw}]
  rules:
  - {to: [{operation: {methods: [GET], paths: ["/open*"], ports: ["80"]}}]}
  - {from: [{source: {ipBlocks: [203.0.113.0/24]}}], to: [{operation: {ports: ["9000"]}}]}
  - {to: [{operation: {hosts: [Any.Test]}}], when: [{key: "request.headers[x-who]", values: [me]}]}
  - {from: [{source: {remoteIpBlocks: [192.0.2.0/24]}}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: deny, namespace: edge}
spec:
  action: DENY
  selector: {matchLabels: {gateway.networking.k8s.io/gateway-name: gw}}
  rules: [{to: [{operation: {paths: ["*/secret"], ports: ["80"]}}]}]
YAML
printf -- '---\n{apiVersion: v1, kind: Namespace, metadata: {name: edge}}\n'
pod edge web "app: web"; } >gate.yaml
check "a gateway with policies comes up" "$podwire" up -q --controller istio.io/gateway-controller -f gate.yaml
at=$("$podwire" get svc -n podwire-system gateway-edge-gw -o jsonpath='{.status.loadBalancer.ingress[0].ip}' -f gate.yaml --controller istio.io/gateway-controller)
gate() { request "$at" "${4:-80}" "$1" "$2${3:-}" client 2>/dev/null | code_of; }             # gate "METHOD PATH" HOST MORE PORT
is "what a policy allows passes" "200 200" "$(gate "GET /open" a.test) $(gate "POST /" any.test '\r\nX-Who: me')"
is "what none allows does not, nor with an address that only a header has" "403 403 403" \
	"$(gate "POST /open" a.test) $(gate "GET /" any.test) $(gate "GET /" a.test '\r\nX-Forwarded-For: 192.0.2.7')"
is "and what one denies does not, whoever allows it" 403 "$(gate "GET /open/secret" a.test)"
is "connections that are not read, by port" "200 " "$(gate "GET /" a.test "" 9000) $(gate "GET /" a.test "" 9001)"
said=$("$podwire" verify --sample 100 -v 2>&1)
is "and everything ends as the model's" 0 "$(grep -c DIFFERS <<<"$said")"
has "refusals among it" 'from client, at gateway/edge/gw: 403' "$said"
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
{ cat <<'YAML'
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: far}
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
pod shop page "app: page"; pod shop free "app: free"; pod shop db1 "app: db, version: v1"; pod shop db2 "app: db, version: v2"; pod far other "app: other"; } >scopes.yaml
check "a mesh with tcp routes and a Sidecar comes up" "$podwire" up -q --controller istio.io/gateway-controller -f scopes.yaml
said=$("$podwire" verify --sample 300 -v 2>&1)
is "and real connections and requests end as the model's" 0 "$(grep -c DIFFERS <<<"$said")"
at=$("$podwire" get svc -n shop db -o jsonpath='{.spec.clusterIP}' -f scopes.yaml --controller istio.io/gateway-controller)
far=$("$podwire" get svc -n far other -o jsonpath='{.spec.clusterIP}' -f scopes.yaml --controller istio.io/gateway-controller)
from() { request "$2" "$3" "GET /" "${4:-}" -n shop -c p "$1"; }           # from POD ADDRESS PORT HOST
is "a share of the connections for each subset" "db1 db2" "$(for n in $(seq 40); do from page "$at" 5432 db; done | grep -o '"pod": "shop/db[12]' | cut -d/ -f2 | sort -u | xargs)"
has "what a Sidecar hides is refused" '^HTTP/1.1 502' "$(from page "$far" 80 other.far)"
has "and seen by the others" '"pod": "far/other"' "$(from free "$far" 80 other.far)"
"$podwire" down -q

if as_nobody unshare -Urn true 2>/dev/null; then
	chmod 755 "$work"
	check "without root the redirect rules cannot be made, and that is said" says "name user 1337, which a lab of an ordinary user has not" as_nobody "$podwire" verify --controller istio.io/gateway-controller -f mesh.yaml
fi
finish
