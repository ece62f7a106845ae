#!/usr/bin/env bash
# NetworkPolicy from the outside: tables in every form, why, patches that are true, gates, comparisons, lint; the reference on random clusters where it is there;
# 300,000 Pods under a memory limit.
. "$(dirname "$0")/lib.sh"
says_not() { ! says "$@"; }
json() { python3 -c "import json,sys; d=json.load(sys.stdin); sys.exit(0 if ($1) else 1)" <<<"$("${@:2}" 2>/dev/null)"; }
# Manifests: four lines each, and a separator.
object() { printf 'apiVersion: %s\nkind: %s\nmetadata: {%s}\nspec: {%s}\n---\n' "$@"; }
pod() { object v1 Pod "name: $1, ${3:-labels: {app: $1\}}" "${2:+$2, }containers: [{name: c, image: nginx, ports: [{containerPort: 80, name: http}]}]"; }       # pod NAME [SPEC [METADATA]]
policy() { object networking.k8s.io/v1 NetworkPolicy "name: $1${3:+, namespace: $3}" "$2"; }    # policy NAME SPEC [NAMESPACE]
cat >shop.yaml <<'YAML'
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: ops, labels: {team: ops}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80, name: http}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{name: c, image: postgres, ports: [{containerPort: 5432, name: pg}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: shell, namespace: ops, labels: {app: shell}}
spec: {containers: [{name: c, image: busybox}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector:
    matchLabels: {app: db}
  ingress:
  - from:
    - podSelector:
        matchLabels:
          app: api
    ports:
    - port: 5432
  - from:
    - ipBlock: {cidr: 10.0.0.0/8, except: [10.244.0.0/16]}
    ports:
    - {port: 5000, endPort: 5009}
  policyTypes: [Ingress]
YAML
m() { "$podwire" matrix -f shop.yaml -n shop "$@"; }

# ---- tables
check "text: denied" says "   2    X   ." m --port 5432
check "JSON as the contract has it" json "d['port']==5432 and d['protocol']=='TCP' and d['names']==['shop/db','shop/web'] and d['allowed']==[[True,True],[False,True]]" "$podwire" matrix -f shop.yaml -n shop --port 5432 -o json
check "several ports are several tables" json "[t['port'] for t in d['tables']]==[80,'pg'] and d['tables'][1]['allowed']==[[True,None],[False,None]]" "$podwire" matrix -f shop.yaml -n shop --port 80,pg -o json
check "a range falls apart where the answer changes" json "[(t['port'],t.get('endPort')) for t in d['tables']]==[(4998,4999),(5000,5009),(5010,5011)]" "$podwire" matrix -f shop.yaml --port 4998-5011 --with-external 10.1.2.3 -o json
check "protocol beside the port" says "UDP/53" m --port 53/udp
check "by namespace, in pairs" json "'shop' in d['names'] and d['pods'][d['names'].index('shop')]==2" "$podwire" matrix -f shop.yaml --by namespace -o json
check "by workload" says "shop/Pod/web" "$podwire" matrix -f shop.yaml --by workload
check "by class" says "ops/shell" "$podwire" matrix -f shop.yaml --by class
check "CSV" says "shop/web,shop/db,TCP/5432,0,1" m --port 5432 -o csv
check "Markdown" says "| shop/web | ✗ | ✓ |" m --port 5432 -o md
check "DOT" says '"shop/db" -> "shop/web"' m --port 5432 -o dot
check "DOT has no edge for what is denied" says_not '"shop/web" -> "shop/db"' m --port 5432 -o dot
check "SVG" says "<svg" m --port 5432 -o svg
check "labels choose" json "d['names']==['shop/db']" "$podwire" matrix -f shop.yaml -l app=db -o json
check "no such port" status 2 m --port 70000
check "no such row" status 2 m --by node
check "no such format" status 2 m -o gif

# ---- why
check "the first field that failed, with its line" says "spec.ingress[0].from[0].podSelector.matchLabels[app]: wants app=api; shop/web has app=web (shop.yaml:34)" m --port 5432 --explain web db
check "another namespace" says "without a namespaceSelector it means Pods of namespace shop" m --port 5432 --explain ops/shell db
check "excepted" says "is excepted: 10.244.0.0/16" m --port 5432 --explain ops/shell db
check "denied is status 1" status 1 m --port 5432 --explain web db
check "allowed is status 0" status 0 m --port 5005 --explain 10.1.2.3 shop/db
check "the rule that allows" says "✓ spec.ingress[1]: allows it" m --port 5005 --explain 10.1.2.3 shop/db
check "a range that is passed" says "endPort: allows 5000 to 5009; asked is 5010" m --port 5010 --explain 10.1.2.3 shop/db
check "JSON has every rule" json "not d['allowed'] and len(d['policies'][0]['rules'])==2 and d['opens']" "$podwire" matrix -f shop.yaml -n shop --port 5432 --explain web db -o json
check "SARIF with a thread flow" json "d['version']=='2.1.0' and len(d['runs'][0]['results'][0]['codeFlows'][0]['threadFlows'][0]['locations'])>=3" "$podwire" matrix -f shop.yaml -n shop --port 5432 --explain web db -o sarif
check "an end that is not there" status 1 m --explain web nobody
check "a trace says it too" says "wants app=api; shop/web has app=web" "$podwire" trace -f shop.yaml pod/shop/web pod/shop/db:5432
check "with a line for every rule of every policy, and its place" says "✗ spec.ingress[1].from[0].ipBlock.except[0]: 10.244" "$podwire" trace -f shop.yaml pod/shop/web pod/shop/db:5005
check "and as a list in JSON" json "[r['line'] for r in d['outcomes'][0]['policies'][0]['rules']]==[34,38]" "$podwire" trace -f shop.yaml pod/shop/web pod/shop/db:5432 -o json
{ cat shop.yaml; echo ---; policy deny 'podSelector: {}' shop; } >two.yaml
check "both policies that isolate it are named" says "NetworkPolicies shop/db and shop/deny isolate shop/db for ingress, and no rule of theirs allows it" "$podwire" trace -f two.yaml pod/shop/web pod/shop/db:5432
check "and their rules" says "✗ spec.ingress: has no rule: nothing is allowed (two.yaml:46)" "$podwire" trace -f two.yaml pod/shop/web pod/shop/db:5432
check "why has both, too" says "NetworkPolicies db and deny isolate the receiver db for ingress, and none of their rules lets web through" "$podwire" why -f two.yaml pod/shop/web pod/shop/db:5432
check "also where a node asks" says "and none of their rules lets 172.18.0" "$podwire" why -f two.yaml node/control-plane pod/shop/db:5432
check "with an ipBlock that was tried" says 'tried on a copy: it arrives and is answered' "$podwire" why -f two.yaml node/control-plane pod/shop/db:5432
check "who enforces nothing is told" says "flannel, which enforces no" m --cni flannel
check "and in a trace, where it matters" says "policies say otherwise" "$podwire" trace --cni flannel -f shop.yaml pod/shop/web pod/shop/db:5432
check "what nobody enforces cannot be walked" status 2 "$podwire" trace --cni flannel --enforce calico -f shop.yaml pod/shop/web pod/shop/db:5432
check "nor are rules written that nothing would meet" says_not "cali" "$podwire" rules --cni bridge --enforce calico -f shop.yaml --node worker-1
check "a network without its enforcer lets it pass" status 0 "$podwire" trace --enforce none -f shop.yaml pod/shop/web pod/shop/db:5432
check "but not where it does not" says_not "policies say otherwise" "$podwire" trace --cni flannel -f shop.yaml pod/shop/db pod/shop/web:80
check "--enforce none opens" says "   2    +   ." m --port 5432 --enforce none

# ---- labels change while the cluster lives
"$podwire" --lab labels.db apply -f shop.yaml >/dev/null 2>&1
address() { "$podwire" --lab labels.db get pod web -n shop -o 'jsonpath={.status.podIP} {.status.phase} {.status.hostIP}'; }
before=$(address)
check "a Pod gets the label that the rule wants" says "pod/web labeled" "$podwire" --lab labels.db label pod web -n shop app=api --overwrite
check "and keeps its address" [ "$before" = "$(address)" ]
check "now it may" status 0 "$podwire" --lab labels.db matrix -n shop --port 5432 --explain web db
check "and a packet comes there" status 0 "$podwire" --lab labels.db trace pod/shop/web pod/shop/db:5432
"$podwire" --lab labels.db label pod web -n shop app=web --overwrite >/dev/null 2>&1
check "and may not any more" status 1 "$podwire" --lab labels.db matrix -n shop --port 5432 --explain web db
check "nor does a packet" says "dropped" "$podwire" --lab labels.db trace pod/shop/web pod/shop/db:5432

# ---- every patch is true: applied to a lab, the answer turns
patches_hold() {                                # FROM TO PORT WANTED-STATUS
	"$podwire" matrix -f shop.yaml --port "$3" --explain "$1" "$2" -o json >why.json 2>/dev/null
	python3 - "$1" "$2" "$3" "$4" "$podwire" <<'P'
import json, os, subprocess, sys
src, dst, port, want, podwire = sys.argv[1:]
d = json.load(open('why.json'))
near = d.get('opens') or d.get('closes')
assert near, 'no patch'
for n in near:
    docs = subprocess.run([podwire, 'get', 'networkpolicy,pods,namespaces', '-A', '-o', 'json', '-f', 'shop.yaml'], capture_output=True, text=True, check=True)
    items = [i for i in json.loads(docs.stdout)['items'] if 'kube-system' not in (i['metadata'].get('namespace'), i['metadata']['name'])]
    for p in n['patches']:
        kind, name = p['object'].split('/', 1)
        o = next(i for i in items if i['kind'].lower() == kind and i['metadata']['name'] == name and i['metadata'].get('namespace') == p['namespace'])
        patch = json.loads(p['patch'])
        if p['type'] == 'merge':
            for k, v in patch['metadata']['labels'].items():
                if v is None: o['metadata']['labels'].pop(k, None)
                else: o['metadata'].setdefault('labels', {})[k] = v
        else:
            for op in patch:
                at = o
                *way, last = op['path'][1:].split('/')
                for w in way: at = at[int(w)] if isinstance(at, list) else at[w]
                if op['op'] == 'remove': del at[int(last)]
                elif last == '-': at.append(op['value'])
                else: at[last] = op['value']
    json.dump({'apiVersion': 'v1', 'kind': 'List', 'items': items}, open('patched.json', 'w'))
    rc = subprocess.run([podwire, 'matrix', '-f', 'patched.json', '--port', port, '--explain', src, dst], capture_output=True).returncode
    assert rc == int(want), (n['what'], rc)
P
}
check "patches open it" patches_hold shop/web shop/db 5432 0
check "patches open it from another namespace" patches_hold ops/shell shop/db 5432 0
check "patches open another port" patches_hold 10.1.2.3 shop/db 6000 0
check "patches close it" patches_hold 10.1.2.3 shop/db 5005 1
cp shop.yaml one.yaml
{ cat one.yaml; echo ---; policy more 'podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {}}, {namespaceSelector: {}}], ports: [{port: 5432}, {port: 81}]}]' shop; policy less 'podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]' shop; } >shop.yaml
check "two rules that allow it: two patches close it" patches_hold shop/web shop/db 5432 1
check "of which one takes a port" says '"/spec/ingress/0/ports/0"' m --port 5432 --explain web db
check "one rule, one item of it" says '"/spec/ingress/0/from/1"' m --port 81 --explain ops/shell db
cp one.yaml shop.yaml
sed 's/, namespace: [a-z]*//' shop.yaml | awk 'BEGIN { RS = "---\n"; ORS = RS } /name: (web|db)/' >nameless.yaml
printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n' | "$podwire" --lab nameless.db apply -f - >/dev/null 2>&1
"$podwire" --lab nameless.db apply -n shop -f nameless.yaml >/dev/null 2>&1
check "patches are tried also where the namespace came from the command line" says "what would open it" "$podwire" --lab nameless.db matrix -n shop --port 5432 --explain web db
check "from its own node nothing closes it" says "no policy closes it: from a Pod's own node everything is let in" "$podwire" matrix -f shop.yaml -A --port 80 --explain kube-system/"$("$podwire" get pods -A -o json -f shop.yaml | python3 -c "
import json, sys
pods = json.load(sys.stdin)['items']
node = next(p['spec']['nodeName'] for p in pods if p['metadata']['name'] == 'db')
print(next(p['metadata']['name'] for p in pods if p['spec'].get('hostNetwork') and p['spec']['nodeName'] == node))")" shop/db

# ---- gates
cat >must.yaml <<'YAML'
port: 5432
mustNot:
- {from: shop/web, to: shop/db}
- {from: {namespaceLabels: {team: ops}}, to: {namespace: shop, labels: {app: db}}, port: 5000-5009}
must:
- {from: 10.1.2.3, to: shop/db, port: 5005}
- {from: ops/*, to: shop/web, port: http}
table: |
  -         shop/db  shop/web
  shop/web     X        .
  ops/shell    X        .
YAML
check "a gate that holds" status 0 m --must must.yaml --with-external 10.1.2.3
check "and says so" says "8 of 8 expectations hold" m --must must.yaml --with-external 10.1.2.3
check "an address that was not named matches nothing" says "matches nothing" m --must must.yaml
check "which fails" status 1 m --must must.yaml
printf 'must:\n- {from: shop/web, to: shop/db, port: 5432}\n' >broken.yaml
check "what must be and is not: status 1" status 1 m --must broken.yaml
check "with the reason" says "wants app=api" m --must broken.yaml
check "with its line, for GitHub" says "::error file=broken.yaml,line=2," m --must broken.yaml -o github
for f in junit html md tap; do
	check "as $f: status 1, and the pair by name" sh -c "'$podwire' matrix -f shop.yaml --must broken.yaml -o $f >gate.$f; [ \$? = 1 ] && grep -q 'shop/db' gate.$f"
done
check "JUnit is XML, with what failed" sh -c "python3 -c 'import sys, xml.dom.minidom as m; d = m.parse(\"gate.junit\"); assert d.documentElement.getAttribute(\"failures\") == \"1\"'"
check "the page shows the table" sh -c "grep -q 'data:image/svg+xml' gate.html && grep -q '1 gate: 0 passed, 1 failed' gate.html"
check "a form that there is not" status 2 m --must broken.yaml -o word
check "a table as a page" sh -c "'$podwire' matrix -f shop.yaml -o html | grep -q '<!DOCTYPE html>'"
printf 'must:\n- {from: shop/web, too: shop/db}\n' >wrong.yaml
check "a wrong gate is bad input" status 2 m --must wrong.yaml
printf '{}\n' >empty.yaml
check "an empty gate as well" status 2 m --must empty.yaml

# ---- comparisons
sed 's/app: api/app: web/' shop.yaml >opened.yaml
check "--diff: added" says "   2    +   ." "$podwire" matrix -f opened.yaml -n shop --port 5432 --diff shop.yaml
check "--diff is status 1 where something changes" status 1 "$podwire" matrix -f opened.yaml -n shop --port 5432 --diff shop.yaml
check "--diff is status 0 where nothing does" status 0 "$podwire" matrix -f shop.yaml -n shop --port 5432 --diff shop.yaml
check "--diff in JSON" json "d['added']==[['shop/web','shop/db']] and d['removed']==[]" "$podwire" matrix -f opened.yaml -n shop --port 5432 --diff shop.yaml -o json
if command -v git >/dev/null; then
	mkdir repo && cp shop.yaml repo/ && (cd repo && git init -q . && git add . && git -c user.name=t -c user.email=t@example.com commit -qm one) && cp opened.yaml repo/shop.yaml
	check "--diff-ref of a file" says "   2    +   ." "$podwire" matrix -f repo/shop.yaml -n shop --port 5432 --diff-ref HEAD
	check "--diff-ref of a folder" says "   2    +   ." "$podwire" matrix -f repo -n shop --port 5432 --diff-ref HEAD
	check "no such commit" status 2 "$podwire" matrix -f repo -n shop --diff-ref nosuch
	check "the repository is as it was" sh -c 'cd repo && [ "$(git status --porcelain)" = " M shop.yaml" ]'
else
	skipped=$((skipped + 4)); echo "skipped: git is not here"
fi

# ---- rules: one destination a rule, as iptables has room for no more
iptables_mode='{apiVersion: kubeproxy.config.k8s.io/v1alpha1, kind: KubeProxyConfiguration, mode: iptables}'
{ pod web
	pod client
	policy named 'podSelector: {matchLabels: {app: client}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: BLOCK}}], ports: [{port: http}]}]'
	echo "$iptables_mode"; } >named.yaml
sed 's|BLOCK|10.244.0.0/16|' named.yaml >inside.yaml; sed 's|BLOCK|192.0.2.0/24|' named.yaml >beyond.yaml
sed 's|{cidr: BLOCK}|{cidr: 10.244.0.0/16, except: [10.244.128.0/17, 10.244.0.0/17]}|' named.yaml >except.yaml
for f in inside beyond except; do
	check "rules: a named port in a block has one destination ($f)" sh -c "for n in worker-1 worker-2; do '$podwire' rules -f $f.yaml --node \$n -o iptables; done >out.rules && test -s out.rules && ! grep -E -- ' -d .* -d ' out.rules"
done
check "a named port in a block" "$podwire" trace -f inside.yaml pod/client pod/web:80
check "another port of it" status 1 "$podwire" trace -f inside.yaml pod/client pod/web:81
check "a named port beyond the block" status 1 "$podwire" trace -f beyond.yaml pod/client pod/web:80
check "a named port in what the block leaves out" status 1 "$podwire" trace -f except.yaml pod/client pod/web:80

# ---- lint
{ pod web
	policy closed 'podSelector: {}, policyTypes: [Egress]'
	policy many 'podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchExpressions: [{key: app, operator: In, values: [a, b, c, d, e, f, g, h]}]}}]}]'
	pod api; } >closed.yaml
check "a policy without a rule: the JSON names none" json "d['policies'][0]['rules'][0]['rule'] is None and d['policies'][1]['rules'][0]['rule']==0" "$podwire" matrix -f closed.yaml --explain web api -o json
check "a long list of values is cut" says "wants app in (a, b, c, d, e, f and 2 more); default/api has app=api (closed.yaml:14)" "$podwire" matrix -f closed.yaml --explain web api
cat >lint.yaml <<'YAML'
apiVersion: v1
kind: Namespace
metadata: {name: b, labels: {team: b}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80, name: http}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: b, labels: {app: client}}
spec: {containers: [{name: c, image: nginx}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: slip}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress:
  - from:
    - namespaceSelector: {matchLabels: {team: b}}
    - podSelector: {matchLabels: {app: client}}
    ports: [{port: https}, {port: 53}]
  - from: [{ipBlock: {cidr: 10.96.0.0/24}}]
  - from: [{namespaceSelector: {matchLabels: {team: b}}}]
    ports: [{port: 53}]
  egress: [{}]
  policyTypes: [Ingress]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: typo}
spec: {podSelector: {matchLabels: {app: wbe}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: b}
spec:
  podSelector: {}
  egress: [{to: [{podSelector: {}}]}]
  policyTypes: [Egress]
---
apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: b, labels: {app: agent}}
spec: {hostNetwork: true, containers: [{name: c, image: agent}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: agent, namespace: b}
spec: {podSelector: {matchLabels: {app: agent}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: from-agent}
spec: {podSelector: {matchLabels: {app: web}}, ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: agent}}}]}]}
YAML
"$podwire" lint -f lint.yaml >lint.said 2>&1
check "lint: status 1 with warnings" [ $? = 1 ]
check "lint: a subject on its node's network" says "NetworkPolicy b/agent: spec.podSelector: only Pods on their nodes' network, as b/agent, have app=agent" cat lint.said
check "lint: a peer on its node's network" says "name the nodes' addresses with ipBlock" cat lint.said
for rule in peer-matches-nothing and-or-slip unknown-port-name dns-over-tcp-only block-of-services redundant-rule ignored-rules selects-nothing dns-cut-off; do
	check "lint: $rule" says "[$rule]" cat lint.said
done
cat >items.yaml <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: c, image: nginx}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: typo}
spec: {podSelector: {matchLabels: {app: wbe}}, policyTypes: [Ingress], egress: [{}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: items}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress:
  - from: [{podSelector: {}}, {podSelector: {matchLabels: {app: web}}}]
    ports: [{port: 80, endPort: 90}, {port: 85}, {port: 80, endPort: 90}]
  - from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/9, 10.128.0.0/9]}}]
  - from: [{ipBlock: {cidr: 192.168.0.0/16, except: [192.168.0.0/17, 192.168.128.0/18]}}]
YAML
cat >tier.yaml <<'YAML'
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: only-web}
spec: {selector: app == 'web', types: [Ingress], ingress: [{action: Allow, source: {selector: app == 'client'}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: c, image: x}]}
---
apiVersion: v1
kind: Pod
metadata: {name: free, labels: {app: free}}
spec: {containers: [{name: c, image: x}]}
YAML
"$podwire" lint -f tier.yaml >tier.said 2>&1
check "lint: a Pod that Calico's own policies select is not open to everybody" sh -c "! grep -q default/web tier.said"
check "lint: one that none selects is" says "Pod default/free: no policy selects its Pods" cat tier.said
tier() { printf -- '---\napiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: out}\nspec: {%s, types: [Egress]}\n' "$1" | cat tier.yaml -; }
tier "selector: app == 'web', egress: [{action: Deny, protocol: UDP, destination: {ports: [53]}}, {action: Allow}]" >nodns.yaml
tier "selector: app == 'web', egress: [{action: Deny}]" >shut.yaml
tier "selector: app == 'web', egress: [{action: Allow, http: {methods: [GET]}}]" >maybe.yaml
check "lint: which policy of a tier cuts DNS off, while other egress is open" says "warning: Pod default/web: its Pods cannot reach cluster DNS (UDP 53): GlobalNetworkPolicy out denies egress of default/web by spec.egress[0] [dns-cut-off]" "$podwire" lint -f nodns.yaml
check "lint: a note where it denies all" says "note: Pod default/web: its Pods cannot reach cluster DNS" "$podwire" lint -f shut.yaml
check "lint: nothing where it cannot be told" says_not "[dns-cut-off]" "$podwire" lint -f maybe.yaml
"$podwire" lint -f items.yaml >items.said 2>&1
check "lint: what was meant" says "no Pod in default has app=wbe; did you mean app=web?" cat items.said
check "lint: ignored rules of a policy that selects nothing" says "[ignored-rules]" cat items.said
check "lint: an item that another covers" says "items.yaml:17: note: NetworkPolicy default/items: spec.ingress[0].from[1]: from[0] of the same rule means all of it already" cat items.said
check "lint: a port that another covers" says "spec.ingress[0].ports[1]: ports[0] of the same rule allows all of it already" cat items.said
check "lint: of two equal ones, the later" sh -c "grep -q 'ports\[2\]: ports\[0\]' items.said && ! grep -q 'ports\[0\]: ports' items.said"
check "lint: a block of which nothing is left" says "items.yaml:19: warning: NetworkPolicy default/items: spec.ingress[1].from[0].ipBlock.except: leaves nothing of 10.0.0.0/8" cat items.said
check "lint: and one of which something is" says_not "leaves nothing of 192.168" cat items.said
{ for n in hosts void; do object v1 Namespace "name: $n" ''; done
	pod dns-0 '' 'namespace: kube-system, labels: {k8s-app: kube-dns}'
	policy closed 'podSelector: {matchLabels: {k8s-app: kube-dns}}, ingress: [{from: [{podSelector: {}}]}]' kube-system
	pod h 'hostNetwork: true' 'namespace: hosts'
	policy all 'podSelector: {}' hosts
	pod web
	policy web 'podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress, Egress], ingress: [
  {from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: void}}, podSelector: {}}]},
  {from: [{podSelector: {matchExpressions: [{key: app, operator: In, values: [web, db]}]}}]},
  {from: [{podSelector: {matchExpressions: [{key: app, operator: In, values: [web, web]}]}}]}], egress: [
  {to: [{namespaceSelector: {}}], ports: [{port: 53, protocol: UDP}]},
  {to: [{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: kube-dns}}}], ports: [{port: 53}]}]'; } >dns.yaml
"$podwire" lint -f dns.yaml >dns.said 2>&1
check "lint: DNS by UDP in another rule for the same peers" says_not "[dns-over-tcp-only]" cat dns.said
check "lint: DNS that lets nobody in" says "Pod default/web: its Pods cannot reach cluster DNS (UDP 53), which does not let them in [dns-cut-off]" cat dns.said
check "lint: a namespace of Pods on their nodes' network has Pods" says "NetworkPolicy hosts/all: spec.podSelector: only Pods on their nodes' network, as hosts/h, are there" cat dns.said
check "lint: every Pod of a namespace without any" says "spec.ingress[0].from[0].namespaceSelector: the selected namespaces have no Pod" cat dns.said
check "lint: a value said twice is one value" says "spec.ingress[2]: spec.ingress[1] of NetworkPolicy default/web allows all of it already" cat dns.said
check "lint: and not two" says_not "spec.ingress[1]: spec.ingress[2]" cat dns.said
sed 's/port: 53, protocol: UDP/port: 54, protocol: UDP/' dns.yaml >dns54.yaml
check "lint: another port by UDP is none" says "[dns-over-tcp-only]" "$podwire" lint -f dns54.yaml
cat >tiers.yaml <<'YAML'
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: web}
spec:
  order: 10
  selector: app == 'web'
  types: [Ingress]
  ingress:
  - {action: Allow, protocol: TCP, source: {selector: role == 'client'}, destination: {ports: [htp]}}
  - {action: Deny, source: {namespaceSelector: team == 'nobody'}}
  - {action: Allow, protocol: TCP, source: {nets: [10.0.0.0/8]}, destination: {ports: [53]}}
  - {action: Deny}
  - {action: Allow, protocol: TCP, source: {selector: app == 'db'}}
  egress: [{action: Deny}]
---
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: later}
spec: {order: 20, tier: nosuch, selector: app == 'wbe'}
---
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: guard}
spec:
  tier: Admin
  priority: 5
  subject: {namespaces: {}}
  ingress:
  - {action: Pass, from: [{namespaces: {matchLabels: {a: b}}}, {pods: {podSelector: {matchLabels: {app: ghost}}}}], protocols: [{tcp: {destinationPort: {number: 80}}}, {udp: {destinationPort: {number: 80}}}]}
  - {action: Deny, from: [{pods: {namespaceSelector: {matchLabels: {a: b}}, podSelector: {matchLabels: {c: d}}}}], protocols: [{tcp: {destinationPort: {number: 80}}}]}
  - {action: Deny, from: [{namespaces: {matchLabels: {a: b}}}], protocols: [{tcp: {destinationPort: {number: 81}}}]}
  egress:
  - {action: Deny, to: [{networks: [10.96.0.10/32]}]}
YAML
{ pod web; pod db; } >tier-pods.yaml
"$podwire" lint -f tier-pods.yaml -f tiers.yaml >tiers.said 2>&1
check "lint, tiers: whom nobody is" says "tiers.yaml:9: warning: GlobalNetworkPolicy web: spec.ingress[0].source: no Pod is role == 'client' [peer-matches-nothing]" cat tiers.said
check "lint, tiers: no such namespace" says "tiers.yaml:10: warning: GlobalNetworkPolicy web: spec.ingress[1].source: no namespace is team == 'nobody'" cat tiers.said
check "lint, tiers: a port's name" says "spec.ingress[0].destination: no container of the selected Pods calls a TCP port htp [unknown-port-name]" cat tiers.said
check "lint, tiers: DNS by TCP" says "spec.ingress[2]: port 53 is allowed by TCP only [dns-over-tcp-only]" cat tiers.said
check "lint, tiers: a rule that never decides" says "tiers.yaml:13: warning: GlobalNetworkPolicy web: spec.ingress[4]: spec.ingress[3] of GlobalNetworkPolicy web denies all of it already: it never decides [shadowed-rule]" cat tiers.said
cat >negated.yaml <<'YAML'
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: negated}
spec:
  selector: app == 'web'
  ingress:
  - {action: Deny, source: {selector: app == 'db'}}
  - {action: Allow, source: {selector: "!(has(x) && app == 'db' && has(y))"}}
YAML
check "lint, tiers: what a negation is made of is not what it means" says_not "never decides" "$podwire" lint -f tier-pods.yaml -f negated.yaml
within() { object projectcalico.org/v3 GlobalNetworkPolicy 'name: within' "selector: all(), ingress: [{action: Deny, source: $1}, {action: Allow, source: $2}]" >within.yaml; "$podwire" lint -f tier-pods.yaml -f within.yaml; }
check "lint, tiers: all Pods are not all addresses" says_not "never decides" within '{selector: all()}' '{}'
check "lint, tiers: what is said in quotes is not asked for" says_not "never decides" within '{selector: "has(b)"}' "{selector: \"app != '&& has(b) &&'\"}"
check "lint, tiers: the same parts in another order, and spelled otherwise" says "spec.ingress[1]: spec.ingress[0] of GlobalNetworkPolicy within denies all of it already" within "{selector: \"!has(x) && app=='db'\"}" "{selector: \"(app == 'db') && ! has(x) && tier in {'a'}\"}"
check "lint, tiers: one or the other is not both" says_not "never decides" within "{selector: \"app == 'db' && has(app)\"}" "{selector: \"app == 'db' || has(app)\"}"
check "lint, tiers: but not the one that does" says_not "spec.ingress[3]:" cat tiers.said
check "lint, tiers: types that lack a direction" says "spec.egress: types does not name Egress: these rules do nothing [ignored-rules]" cat tiers.said
check "lint, tiers: a tier that there is not" says "tiers.yaml:19: warning: NetworkPolicy default/later: spec.tier: there is no Tier nosuch [unknown-tier]" cat tiers.said
check "lint, tiers: a policy of nobody" says "NetworkPolicy default/later: spec.selector: no Pod in default is app == 'wbe' [selects-nothing]" cat tiers.said
check "lint, tiers: an item of several" says "spec.ingress[0].from[1]: no Pod in the selected namespaces is app == 'ghost'" cat tiers.said
check "lint, tiers: a wider peer takes a narrower one's turn" says "spec.ingress[1].from[0]: spec.ingress[0] of ClusterNetworkPolicy guard passes on all of it already" cat tiers.said
check "lint, tiers: another port is another rule" says_not "spec.ingress[2].from[0]: spec" cat tiers.said
check "lint, tiers: addresses of Services" says "spec.egress[0].to[0]: 10.96.0.10/32 lies in the range of Services" cat tiers.said
check "lint, tiers: nobody enforces them" says "the Pod network is flannel, which enforces no policy in a tier: 3 policies do nothing [not-enforced]" "$podwire" lint -f tier-pods.yaml -f tiers.yaml --cni flannel
check "lint, tiers: of one namespace" says_not "GlobalNetworkPolicy" "$podwire" lint -f tier-pods.yaml -f tiers.yaml -n default
sed 's/\[htp\]/[80]/' tiers.yaml >tiers80.yaml
check "tiers: a label that would open it" says "kubectl patch pod/db -n default --type=merge -p '{\"metadata\":{\"labels\":{\"role\":\"client\"}}}'" "$podwire" matrix -f tier-pods.yaml -f tiers80.yaml --explain default/db default/web
cat >quarantine.yaml <<'YAML'
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: quarantine}
spec: {selector: "app in {'db', 'ill'}", types: [Egress], namespaceSelector: env != 'lab', egress: [{action: Deny}]}
YAML
check "tiers: or one that the policy selects by, of the Pod" says "take the label app from Pod db" "$podwire" matrix -f tier-pods.yaml -f quarantine.yaml --explain default/db default/web
check "tiers: or of its namespace" says "give namespace default the label env=lab" "$podwire" matrix -f tier-pods.yaml -f quarantine.yaml --explain default/db default/web
object projectcalico.org/v3 GlobalNetworkPolicy 'name: both' "selector: app == 'web', types: [Ingress], ingress: [{action: Allow, source: {selector: role == 'client' && tier == 'gold'}}]" >both.yaml
check "tiers: two labels that a rule wants at once, in one patch" says "kubectl patch pod/db -n default --type=merge -p '{\"metadata\":{\"labels\":{\"role\":\"client\",\"tier\":\"gold\"}}}'" "$podwire" matrix -f tier-pods.yaml -f both.yaml --explain default/db default/web
policy both 'podSelector: {matchLabels: {app: web}}, ingress: [{from: [{namespaceSelector: {matchLabels: {env: lab}}, podSelector: {matchLabels: {role: client}}}]}]' default >both-ends.yaml
check "two labels that a rule wants, of Pod and namespace" says "give namespace default the label env=lab, and give Pod db the label role=client" "$podwire" matrix -f tier-pods.yaml -f both-ends.yaml --explain default/db default/web
check "and both are true" json 'any(len(o["patches"]) == 2 for o in d["opens"])' "$podwire" matrix -f tier-pods.yaml -f both-ends.yaml --explain default/db default/web -o json
check "lint: place" says "lint.yaml:23: warning: NetworkPolicy default/slip: spec.ingress[0].from[1]" cat lint.said
check "lint: not-enforced" says "[not-enforced]" "$podwire" lint -f lint.yaml --cni bridge
check "lint: status 0 without" status 0 "$podwire" lint -f repo/../opened.yaml -n ops
check "lint: GitHub" says "::warning file=lint.yaml,line=" "$podwire" lint -f lint.yaml -o github
check "lint: JSON" json "all(f['file']=='lint.yaml' and f['line']>0 for f in d['findings'] if f['level']=='warning')" "$podwire" lint -f lint.yaml -o json
cat >sarif.py <<'P'
import json, sys
d = json.load(sys.stdin)                        # what sarif-schema-2.1.0.json requires
assert d['version'] == '2.1.0' and isinstance(d['runs'], list) and set(d) <= {'$schema', 'version', 'runs', 'inlineExternalProperties', 'properties'}
for run in d['runs']:
    ids = [r['id'] for r in run['tool']['driver']['rules']]
    assert run['tool']['driver']['name'] and len(ids) == len(set(ids))
    for r in run['results']:
        assert r['message']['text'] and r['level'] in ('none', 'note', 'warning', 'error') and r['ruleId'] in ids
        flows = [l['location'] for f in r.get('codeFlows', []) for t in f['threadFlows'] for l in t['locations']]
        for l in r['locations'] + flows:
            assert set(l) <= {'id', 'physicalLocation', 'logicalLocations', 'message', 'annotations', 'relationships', 'properties'}
            if 'physicalLocation' in l:
                assert l['physicalLocation']['artifactLocation']['uri'] and l['physicalLocation']['region']['startLine'] >= 1
P
check "lint: SARIF has the schema's form" sh -c "'$podwire' lint -f lint.yaml -o sarif | python3 sarif.py"
check "why: SARIF has the schema's form" sh -c "'$podwire' matrix -f shop.yaml --port 5432 --explain shop/web shop/db -o sarif | python3 sarif.py"

# ---- through Services: policies see the Pod's address behind DNAT, and the source that arrives
for how in Cluster Local; do
	{ pod web 'nodeName: worker-1'
		pod client 'nodeName: worker-2'
		object v1 Service 'name: web' "type: NodePort, clusterIP: 10.96.0.80, externalTrafficPolicy: $how, selector: {app: web}, ports: [{port: 8080, targetPort: 80, nodePort: 30080}]"
		policy web 'podSelector: {matchLabels: {app: web}}, ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: 80}]}]'
		policy client 'podSelector: {matchLabels: {app: client}}, policyTypes: [Egress],
  egress: [{to: [{ipBlock: {cidr: 10.96.0.80/32}}]}, {to: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 8080}]}]'; } >np-$how.yaml
	node() { "$podwire" get node "$1" -o 'jsonpath={.status.addresses[0].address}' -f np-$how.yaml 2>/dev/null; }
	check "$how: a client by the Pod's own node keeps its address" says "delivered" "$podwire" trace -f np-$how.yaml client "$(node worker-1):30080"
	check "a ClusterIP in ipBlock or the Service's port open nothing ($how)" says "NetworkPolicy default/client isolates" "$podwire" trace -f np-$how.yaml pod/default/client svc/default/web:8080
	check "the Pod's own node gets in ($how)" says "delivered" "$podwire" trace -f np-$how.yaml node/worker-1 pod/default/web:80
	check "another node does not ($how)" says "NetworkPolicy default/web isolates" "$podwire" trace -f np-$how.yaml node/worker-2 pod/default/web:80
done
how=Cluster
check "Cluster: by another node it arrives as that node, and is denied" says "$(node worker-2)" "$podwire" trace -f np-Cluster.yaml client "$(node worker-2):30080"
check "Cluster: and the policy is named" says "NetworkPolicy default/web isolates" "$podwire" trace -f np-Cluster.yaml client "$(node worker-2):30080"

# ---- the rules, as felix names them; Linux takes them
echo "$iptables_mode" >ipt.yaml
sed 's/- port: 5432/- port: pg/' shop.yaml >named.yaml
at=$("$podwire" get pod db -n shop -o 'jsonpath={.spec.nodeName}' -f named.yaml 2>/dev/null)
"$podwire" rules -f named.yaml -o nft --node "$at" >rules.nft 2>/dev/null
"$podwire" rules -f named.yaml -f ipt.yaml -o iptables --node "$at" >rules.ipt 2>/dev/null
check "a chain for the policy" grep -q 'chain filter-cali-pi-shop/knp.default.db' rules.nft
check "a set for the port's name" grep -q '10\.244\.[0-9.]* \. tcp \. 5432' rules.nft
check "one match of an address in each rule of iptables" sh -c "! grep -E -- '-s .* -s ' rules.ipt"
if unshare -rn true 2>/dev/null && command -v nft >/dev/null; then
	check "nft takes them" unshare -rn nft -c -f rules.nft
else
	skipped=$((skipped + 1)); echo "skipped: no network namespaces, or no nft"
fi

# ---- policies in tiers: Calico's own and cluster-wide ones
cat >admin.yaml <<'YAML'
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: guard}
spec: {tier: Admin, priority: 5, subject: {pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}}, ingress: [{action: Pass, from: [{namespaces: {matchLabels: {team: ops}}}]}, {action: Deny, from: [{namespaces: {}}]}]}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: shells}
spec:
  order: 20
  selector: app == 'web'
  ingress:
  - {action: Log}
  - {action: Allow, protocol: TCP, source: {selector: app == 'shell', notNets: [192.0.2.0/24]}, destination: {ports: [http, '8000:8009']}}
YAML
printf 'must:\n- {from: ops/shell, to: shop/web}\n- {from: ops/shell, to: shop/web, port: 8000-8009}\nmustNot:\n- {from: shop/db, to: shop/web}\n- {from: ops/shell, to: shop/web, port: 81}\n' >tier-gate.yaml
t() { "$podwire" matrix -f shop.yaml -f admin.yaml "$@"; }
check "tiers: the table" json 'd["names"] == ["ops/shell", "shop/db", "shop/web"] and [r[2] for r in d["allowed"]] == [True, False, True]' t -l 'app in (web,db,shell)' -A -o json
check "tiers: who denies, with its place" says 'denied' t --explain shop/db shop/web
check "tiers: the rule that does" says 'ClusterNetworkPolicy guard selects it (admin.yaml:4)' t --explain shop/db shop/web
check "tiers: as JSON" json '(d["policies"][0]["kind"], d["policies"][0]["tier"], d["policies"][0]["denies"], d["policies"][0]["decides"]) == ("ClusterNetworkPolicy", "kube-admin", 1, True) and "denies ingress by spec.ingress[1]" in d["reason"]' t --explain shop/db shop/web -o json
check "tiers: what a rule wanted, and what is there" says "is about ports http, 8000-8009; asked is 81" t --explain ops/shell shop/web --port 81
check "tiers: by a port's name" says 'spec.ingress[1]: allows it (admin.yaml:14)' t --explain ops/shell shop/web --port http
check "tiers: a gate" status 0 t --must tier-gate.yaml
check "tiers: what would open it: a rule before the one that denies" says 'kubectl patch clusternetworkpolicies.policy.networking.k8s.io/guard --type=json' t --explain shop/db shop/web
check "tiers: what would close it: a label that the rule wants" json '(lambda p: (p["object"], p["type"], p["patch"]) == ("namespace/ops", "merge", "{\"metadata\":{\"labels\":{\"team\":null}}}"))(d["closes"][0]["patches"][0])' t --explain ops/shell shop/web -o json
object projectcalico.org/v3 GlobalNetworkPolicy 'name: open' 'types: [Ingress], ingress: [{action: Allow}]' >open.yaml
check "tiers: or the rule gone that allows it" json 'any(p["object"] == "globalnetworkpolicies.projectcalico.org/open" and p["patch"] == "[{\"op\":\"remove\",\"path\":\"/spec/ingress/0\"}]" for c in d["closes"] for p in c["patches"])' "$podwire" matrix -f shop.yaml -f open.yaml --explain ops/shell shop/web -o json
check "tiers: as SARIF" json 'len(d["runs"][0]["results"]) == 1' t --explain shop/db shop/web -o sarif
check "tiers: a trace ends there" says 'ClusterNetworkPolicy guard' "$podwire" trace -f shop.yaml -f admin.yaml -n shop pod/db pod/web:80
check "tiers: why finds it" says 'ClusterNetworkPolicy guard denies ingress by spec.ingress[1]' "$podwire" why -f shop.yaml -f admin.yaml -n shop pod/db pod/web:80
"$podwire" rules -f shop.yaml -f admin.yaml --node worker-1 >tiers.nft 2>/dev/null; "$podwire" rules -f shop.yaml -f admin.yaml --node worker-2 >>tiers.nft 2>/dev/null
check "tiers: they begin and end in the Pod's chain" sh -c "grep -q 'Start of tier kube-admin' tiers.nft && grep -q 'End of tier default. Drop if no policies passed packet' tiers.nft && ! grep -q 'End of tier kube-admin' tiers.nft"
check "tiers: flannel enforces none" json 'all(c for r in d["allowed"] for c in r)' "$podwire" matrix -f admin.yaml -f shop.yaml -l 'app in (web,shell)' -A --cni flannel -o json

# ---- what cannot be told of them: null and ?, never a guess
cat >http.yaml <<'YAML'
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: guard}
spec: {order: 5, selector: app == 'web', types: [Ingress], ingress: [{action: Allow, source: {selector: app == 'db'}, http: {methods: [GET]}}]}
YAML
printf 'must:\n- {from: shop/db, to: shop/web}\n' >http-gate.yaml
printf 'apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: odd}\nspec: {order: 5, selector: "app =~ x", types: [Ingress]}\n' >odd.yaml
sed 's/selector: "app =~ x"/ingress: [{action: Allow, source: {selector: "app =~ x"}}]/' odd.yaml >odd-peer.yaml
check "a selector that cannot be read is refused, with its place, and what was expected there" says 'odd.yaml:4:28: The GlobalNetworkPolicy "odd" is invalid: spec.selector: Invalid value: "app =~ x": is no selector that Calico takes: ==, !=, in, not in, contains, starts with or ends with was expected at "=~ x"' "$podwire" matrix -f shop.yaml -f odd.yaml
check "a selector that cannot be read: status 2" status 2 "$podwire" matrix -f shop.yaml -f odd.yaml
for f in odd odd-peer; do                       # what a living cluster holds is taken as it is
	"$podwire" import --lab $f.db shop.yaml $f.yaml >/dev/null 2>&1
	check "a selector that cannot be read ($f): what is not known is said" says "cannot tell: GlobalNetworkPolicy odd: a selector that cannot be read (spec." "$podwire" matrix --lab $f.db --explain shop/db shop/web
	check "a selector that cannot be read ($f): a trace cannot tell" status 5 "$podwire" trace --lab $f.db -n shop pod/db pod/web:80
done
check "not modelled: its cells are null, the others are as they were" json 'd["names"] == ["ops/shell", "shop/db", "shop/web"] and [r[2] for r in d["allowed"]] == [False, None, True] and d["allowed"][0][0] is True and d["allowed"][2][1] is not None' \
	"$podwire" matrix -f shop.yaml -f http.yaml -l 'app in (web,db,shell)' -A -o json
check "not modelled: the table has ?" says '? cannot be told' "$podwire" matrix -f shop.yaml -f http.yaml -A -l 'app in (web,db,shell)'
check "not modelled: --explain cannot tell (5)" status 5 "$podwire" matrix -f shop.yaml -f http.yaml --explain shop/db shop/web
check "not modelled: a gate does not hold" status 1 "$podwire" matrix -f shop.yaml -f http.yaml --must http-gate.yaml
check "not modelled: flannel enforces none" json 'all(c is not None for r in d["allowed"] for c in r)' "$podwire" matrix -f shop.yaml -f http.yaml --cni flannel -o json

# ---- the independent reference on random clusters
cd "$root" || exit 1
if [ -f "$shared/tools/netpol/difftest.py" ]; then
	cmd='build/podwire matrix -f {file} --port {port} --protocol {protocol} -o json --with-external {external}'
	seeds=${SEEDS:-200}
	reference() { (cd "$work" && python3 "$shared/tools/netpol/difftest.py" --cmd "$root/$cmd" "$@"); }
	check "reference: strict, $seeds clusters" reference --seeds "1:$seeds" --strict
	check "reference: all features, IPv4" reference --seeds "1:$((seeds / 4))"
	check "reference: all features, IPv6" reference --seeds "1:$((seeds / 4))" --family 6
	check "reference: all features, dual stack" reference --seeds "1:$((seeds / 4))" --family dual
else
	skipped=$((skipped + 4)); echo "skipped: the reference (../shared/tools/netpol) is not here"
fi

# ---- nothing of the size Pods² is ever made: 300,000 Pods, whose matrix alone would be 11 GB, in 2 GB of address space
if [ -x build/bench_policy ] || make -s build/bench_policy >/dev/null 2>&1; then
	check "300,000 Pods under a memory limit" sh -c 'ulimit -v 2000000; build/bench_policy 300k | grep -q "300000 Pods"'
else
	skipped=$((skipped + 1)); echo "skipped: bench_policy cannot be built"
fi
finish
