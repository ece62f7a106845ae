#!/usr/bin/env bash
# compare: which connections a change of manifests changes, and what a Pod network changes.
. "$(dirname "$0")/lib.sh"
says() { local rc=$1 want=$2; shift 2; "$podwire" compare "$@" >said 2>&1; [ $? = "$rc" ] && grep -qF -- "$want" said || { cat said; false; }; }
cat >a.yaml <<'YAML'
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 30080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 3, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: w, image: nginx, ports: [{containerPort: 8080}]}]}}}
---
apiVersion: v1
kind: Pod
metadata: {name: client, labels: {app: client}}
spec: {containers: [{name: c, image: busybox, command: [sleep, infinity]}]}
YAML
(cat a.yaml; printf -- '---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny}\nspec: {podSelector: {matchLabels: {app: web}}}\n') >deny.yaml
sed 's/nginx,/nginx:2,/; s/replicas: 3/replicas: 2/' a.yaml >image.yaml
sed 's/targetPort: 8080/targetPort: 81/' a.yaml >port.yaml
sed 's/NodePort, selector/NodePort, externalTrafficPolicy: Local, selector/' a.yaml >local.yaml
(cat a.yaml; printf -- '---\napiVersion: v1\nkind: Service\nmetadata: {name: more}\nspec: {selector: {app: web}, ports: [{port: 81, targetPort: 8080}]}\n') >more.yaml
check "the same" says 0 "none of" a.yaml a.yaml
check "another image and other names of Pods change no connection" says 0 "none of" a.yaml image.yaml
check "a policy that denies: lost" says 1 "NetworkPolicy default/deny, deny.yaml" a.yaml deny.yaml
check "the other way: gained" says 1 "gained" deny.yaml a.yaml
check "another port: refused" says 1 "refused" a.yaml port.yaml
check "policy Local: the source is seen as it is" says 1 "different" a.yaml local.yaml
check "a new Service" says 1 "svc/default/more:81" a.yaml more.yaml
check "as JSON" says 1 '"change": "lost"' a.yaml deny.yaml -o json
check "one side alone" says 2 "two sets" a.yaml
check "a file that is not there" says 2 "nothing.yaml" a.yaml nothing.yaml
check "three Pod networks" says 0 "VXLAN, UDP: 50 bytes" --cni calico,flannel,bridge -f a.yaml
check "their MTU" says 0 '"its MTU": "1450"' --cni calico,flannel -f a.yaml -o json
cat >ends.yaml <<'YAML'
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: web}
spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: w, image: nginx, ports: [{containerPort: 8080}]}]}}}
YAML
rows() { "$podwire" compare --cni calico,bridge -f ends.yaml -o json | python3 -c 'import json,sys; f=json.load(sys.stdin)[sys.argv[1]]; print(f["Pod to svc/default/web"], "/", f["back to itself"])' "$1" >rows; grep -qx "$2" rows || { cat rows; false; }; }
check "a Pod behind the Service itself: another endpoint is the way, back to itself is told apart" rows calico "delivered, .* / delivered, .*"
check "a bridge without hairpin mode loses only that" rows bridge "delivered, .* / lost, .*"
{ cat ends.yaml; for k in 1 2 3 4 5 6 7 8; do printf -- '---\napiVersion: v1\nkind: Node\nmetadata: {name: n%s}\nstatus: {addresses: [{type: InternalIP, address: 172.18.0.%s}], conditions: [{type: Ready, status: "True"}]}\n' $k $k; done; } >many.yaml
"$podwire" compare --cni calico,bridge -f many.yaml >out.many
check "a few nodes, one by one" says 0 "rules on worker-1" --cni calico,bridge -f ends.yaml
check "of many, those that are alike in one row" test "$(grep -c '^rules on .*alike' out.many)" = 1 -a "$(grep -c '^rules on' out.many)" -lt 6
check "the numbers of each in JSON" says 0 "\"rules on n8\"" --cni calico,bridge -f many.yaml -o json
check "Pods of one node, on a port that is there" sh -c "'$podwire' compare --cni calico,bridge -f ends.yaml | grep -q '^Pod to Pod, one node .* delivered'"
check "one that is not known" says 2 "weave" --cni calico,weave -f a.yaml
finish
