#!/usr/bin/env bash
# The main job on real input: Kubernetes manifests become a lab, packets are traced through it, figures are drawn. Everything lands in demo/.
set -euo pipefail
cd "$(dirname "$0")/.."
podwire=build/podwire shop=scenarios/figures/ingress-multicontainer.yaml
rm -rf demo && mkdir demo
export PODWIRE_LAB=demo/shop.db
say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() { printf '$ %s\n' "${*/#build\/podwire/podwire}"; "$@"; }

say "A Deployment and a Service become Pods, addresses and rules."
cat >demo/web.yaml <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 30080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec: {containers: [{name: shell, image: alpine, command: [sleep, infinity]}]}
YAML
run $podwire apply -f demo/web.yaml
run $podwire get pods -o wide
say "What happens between curl http://web and the answer."
run $podwire trace pod/client http://web/
say "The same from outside, by a node's port."
run $podwire trace client node/worker-1:30080
say "What the node is told."
$podwire rules --node worker-1 -o nft >demo/worker-1.nft
echo "$ podwire rules --node worker-1 -o nft   # $(wc -l <demo/worker-1.nft) lines in demo/worker-1.nft"
say "Scenarios: lessons and regressions, with their figures."
run $podwire run scenarios --out demo
for f in clusterip:clusterip ingress:ingress-multicontainer calico:calico-cluster cluster:calico-cluster; do
	$podwire draw "${f%:*}" -f "scenarios/figures/${f#*:}.yaml" --out "demo/${f%:*}.png"
done
say "In demo/:"
ls demo
