#!/usr/bin/env bash
# Connections that a lab keeps: opened by one command, remembered by the next, forgotten in virtual time.
set -uo pipefail
cd "$(dirname "$0")/../.."
podwire=$(realpath "${PODWIRE:-build/podwire}") work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
export PODWIRE_LAB=$work/lab.db
passed=0 failed=0
check() { if eval "$2"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED  $1"; fi; }
cat >"$work/web.yaml" <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 3, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec: {containers: [{name: c, image: alpine}]}
YAML
$podwire apply -f "$work/web.yaml" >/dev/null
outcomes() { $podwire trace "$@" -o json | python3 -c 'import json, sys; print(" ".join(sorted(o["endpoint"]["pod"] for o in json.load(sys.stdin)["outcomes"])))'; }
check "nothing is remembered at first" '[ -z "$($podwire show conntrack)" ] && [ "$(outcomes pod/client svc/web:80 | wc -w)" = 3 ]'
check "connect opens one" '$podwire connect pod/client svc/web:80 --as mine | grep -q "kept as connection mine"'
chosen=$(outcomes --connection mine)
check "it leads to one server" '[ "$(wc -w <<<"$chosen")" = 1 ]'
check "a new connection sticks to it" '[ "$(outcomes pod/client svc/web:80)" = "$chosen" ]'
check "conntrack shows it on the client's node" '$podwire show conntrack | grep -q "ESTABLISHED src=.* dport=80 .*ASSURED"'
check "affinity shows it" '$podwire show affinity | grep -q "expires 60s"'
$podwire advance 61s >/dev/null
check "affinity expires, the connection does not" '[ "$(outcomes pod/client svc/web:80 | wc -w)" = 3 ] && [ "$(outcomes --connection mine)" = "$chosen" ]'
$podwire delete pod client >/dev/null; $podwire advance 60s >/dev/null
check "without its client there is no connection" '! $podwire trace --connection mine 2>"$work/err" >/dev/null && grep -q "not there any more" "$work/err"'
check "one that never was is an error" '! $podwire trace --connection other 2>"$work/err" >/dev/null && grep -q "there is no connection \"other\"" "$work/err"'
check "export keeps it" '$podwire export | grep -q "keep: mine"'
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
