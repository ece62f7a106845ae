#!/usr/bin/env bash
# A lab from the outside: what is done by hand can be looked at as it was, exported, and replayed to the same cluster.
. "$(dirname "$0")/lib.sh"
cat >web.yaml <<'YAML'
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 2, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: w, image: nginx}]}}}
YAML
check "a question without a lab says what to do" says "podwire init or apply makes one" "$podwire" get pods
check "and is bad input" status 2 "$podwire" get pods
check "an apply that fails leaves no lab behind" sh -c "echo 'kind: Servce' >bad.yaml; ! '$podwire' apply -f bad.yaml 2>/dev/null && ! ls podwire.db* 2>/dev/null"
check "apply makes a lab" "$podwire" apply -f web.yaml
check "init does not take it away" says "holds a lab already" "$podwire" init
check "advance says how far it is, and what happened" says "t=3" "$podwire" advance 30s
check "rules that nobody writes: it says who writes which" says "write nftables" "$podwire" rules --node worker-1 -o iptables
check "a fault says that it lasts" says "podwire heal" "$podwire" fault bgp worker-1
check "and that it is mended" says "mended: bgp worker-1" "$podwire" heal bgp worker-1
check "scale" "$podwire" scale deploy/web --replicas 3
check "delete" "$podwire" delete svc/web
check "it is gone" status 1 "$podwire" get svc web
check "before, it was there" says "web" "$podwire" get svc web --at 10s
check "an hour ahead nothing is known" says "has come to" "$podwire" get pods --at 1h
"$podwire" get all,nodes -A -o yaml >lab.yaml 2>/dev/null
"$podwire" export >again.yaml
check "the export is a scenario that holds" "$podwire" run again.yaml
check "its end is the same cluster" sh -c "'$podwire' get deploy,rs,pods -A -o name >a; '$podwire' get deploy,rs,pods -A -o name -f again.yaml >b; cmp a b"
check "the file and its log are the whole lab" sh -c "mkdir -p elsewhere && cp podwire.db podwire.db-wal elsewhere && '$podwire' get pods -A -o name >a; '$podwire' --lab elsewhere/podwire.db get pods -A -o name >b; test -s a && cmp a b"
check "a wrong document changes nothing" sh -c "echo 'kind: Servce' >bad.yaml; '$podwire' get pods -o yaml >a; ! '$podwire' apply -f bad.yaml; '$podwire' get pods -o yaml >b; cmp a b"
echo "no lab at all, only a text that is long enough to look at" >text.db
check "another file is refused" says "not a lab" "$podwire" --lab text.db get pods
check "and left alone" says "no lab at all" cat text.db
for k in $(seq 1 12); do                # killed at any moment, the lab opens and goes on
	(timeout -s KILL "0.00$((k % 9 + 1))" "$podwire" apply -f web.yaml; true) >/dev/null 2>&1
done 2>/dev/null
check "after kills, the lab is whole" "$podwire" apply -f web.yaml
check "and answers" says "web" "$podwire" get svc web
finish
