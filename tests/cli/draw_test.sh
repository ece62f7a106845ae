#!/usr/bin/env bash
# draw as people call it: forms, themes, choices, sizes, refusals.
set -uo pipefail
cd "$(dirname "$0")/../.."
podwire=$(realpath "${PODWIRE:-build/podwire}") tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0 skipped=0
check() { if eval "$2"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $1"; fi; }
says() { grep -qF -- "$1" "$tmp/err"; }
refused() { local want=$1; shift; $podwire draw "$@" >"$tmp/out" 2>"$tmp/err"; [ $? = "$want" ] && [ ! -s "$tmp/out" ]; }
web=scenarios/figures/clusterip.yaml shop=scenarios/figures/shop.yaml

for f in "svg <?xml" "png PNG" "pdf %PDF" "dot digraph" "html <!DOCTYPE html>" "mmd flowchart"; do
	check "a file that ends in .${f%% *} is one" '$podwire draw clusterip -f $web --out "$tmp/a.${f%% *}" && head -c 200 "$tmp/a.${f%% *}" | grep -qaF -- "${f#* }"'
done
check "SVG is XML with a title and a description" 'python3 -c "import sys, xml.dom.minidom as m; d = m.parse(sys.argv[1]).documentElement; assert d.getAttribute(\"role\") == \"img\" and d.getElementsByTagName(\"title\") and d.getElementsByTagName(\"desc\")" "$tmp/a.svg"'
check "HTML asks no network and forbids itself to" 'grep -q "default-src .none." "$tmp/a.html" && ! grep -qE "(src|href)=" "$tmp/a.html"'
check "the same cluster gives the same bytes in every run" 'for k in 1 2 3 4; do $podwire draw cluster -f $shop -o svg | sha256sum; done | sort -u | wc -l | grep -qx 1'
check "the dark theme differs in colours only" 'diff <($podwire draw clusterip -f $web -o dot | sed "s/#[0-9A-Fa-f]\{6\}/COLOUR/g") <($podwire draw clusterip -f $web -o dot --theme dark | sed "s/#[0-9A-Fa-f]\{6\}/COLOUR/g")'
check "a trace takes the options of trace" '$podwire draw trace pod/client svc/web:80 --protocol udp -f $web -o mermaid | grep -q rejected'
check "focus leaves out what is far away" '$podwire draw cluster --focus svc/shop/redis --depth 1 -f $shop -o dot >"$tmp/a" && grep -q cart "$tmp/a" && ! grep -q payment "$tmp/a"'
check "collapse makes one box of a workload" '$podwire draw cluster --collapse -f $web -o dot >"$tmp/a" && grep -q "3 Pods" "$tmp/a" && ! grep -q pod-default-web "$tmp/a"'
check "compare marks what comes and goes with words" '$podwire draw compare scenarios/figures/compare/before.yaml scenarios/figures/compare/after.yaml -o mermaid >"$tmp/a" && grep -q "+ Service reviews" "$tmp/a" && grep -q "− Service ads" "$tmp/a"'
check "the same on both sides: nothing changes" '$podwire draw compare scenarios/figures/compare/before.yaml scenarios/figures/compare/before.yaml -o dot | grep -q "nothing changes"'

echo "kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes: [{role: control-plane}$(for _ in $(seq 40); do printf ', {role: worker}'; done)]" >"$tmp/big.yaml"
for k in $(seq 100); do echo "---
apiVersion: apps/v1
kind: Deployment
metadata: {name: app-$k}
spec: {replicas: $((k / 4 + 1)), selector: {matchLabels: {app: a$k}}, template: {metadata: {labels: {app: a$k}}, spec: {containers: [{name: c, image: nginx}]}}}"; done >>"$tmp/big.yaml"
check "of many Pods a summary is drawn, and the rest is counted" '$podwire draw cluster -f "$tmp/big.yaml" -o dot >"$tmp/a" && grep -q "76 more workloads" "$tmp/a" && [ "$(grep -c "workload-default" "$tmp/a")" -le 24 ] && grep -q "nodes with" "$tmp/a"'
check "a matrix of many Pods goes by namespace" '$podwire draw matrix -f "$tmp/big.yaml" -o dot | grep -q "all Pods"'

check "workloads that no policy has to do with are one list" '$podwire draw policy -f "$tmp/big.yaml" -o dot >"$tmp/a" && grep -q "open to all" "$tmp/a" && ! grep -q "workload-default" "$tmp/a"'
for mode in nftables iptables; do
	{ echo "networking: {kubeProxyMode: $mode}"; cat "$tmp/big.yaml"; echo "---
apiVersion: v1
kind: Service
metadata: {name: app}
spec: {selector: {app: a100}, ports: [{port: 80}]}"; } >"$tmp/svc.yaml"
	check "of many endpoints the first are drawn, and the rest is counted ($mode)" '$podwire draw svc/app -f "$tmp/svc.yaml" -o dot >"$tmp/a" && grep -qE "(16|17|21) more (Pods|chains)" "$tmp/a" && [ "$(grep -c "id=\"pod-default-app" "$tmp/a")" -le 9 ]'
done

check "an unknown figure: exit 2, with the nearest" 'refused 2 clusterp -f $web && says "did you mean"'
check "an unknown form: exit 2, with those that there are" 'refused 2 cluster -f $web -o word && says mermaid'
check "an unknown theme: exit 2" 'refused 2 cluster -f $web --theme pink && says light'
check "a depth that is no number: exit 2" 'refused 2 cluster -f $web --focus svc/web --depth x && says depth'
check "what is not there: exit 1, by name" 'refused 1 svc/nobody -f $web && says nobody'
check "trace without ends: exit 2" 'refused 2 trace -f $web && says "FROM TO"'
check "compare without two sides: exit 2" 'refused 2 compare $web && says "A B"'
check "a focus that is not there: exit 1" 'refused 1 cluster -f $web --focus svc/nobody && says nobody'
check "a file that cannot be written: exit 2" 'refused 2 cluster -f $web --out /nonexistent/a.svg && says /nonexistent/a.svg'
check "a scenario's figures are written where --out says" '$podwire run $web --out "$tmp" >/dev/null && [ -s "$tmp/clusterip.svg" ] && [ -s "$tmp/clusterip-trace.svg" ]'
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
