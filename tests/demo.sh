#!/usr/bin/env bash
# The main job on real input: Kubernetes manifests become a lab, packets are traced through it, figures are drawn. Everything lands in demo/.
set -euo pipefail
cd "$(dirname "$0")/.."
podwire=build/podwire shop=scenarios/figures/ingress-multicontainer.yaml
rm -rf demo && mkdir demo
export PODWIRE_LAB=demo/shop.db
bold= plain=
[ ! -t 1 ] || bold=$'\033[1m' plain=$'\033[0m'
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
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
say "Go on:"
cat <<'END'
  build/podwire tui --lab demo/shop.db       the same cluster on screens; ? lists the keys
  build/podwire learn                        lessons; build/podwire learn clusterip plays one
  build/podwire trace -f FILE FROM TO        your own manifests, as they are
  demo/clusterip.png, demo/calico.png …      the figures; README.md and docs/figures.md say how they were made
END
