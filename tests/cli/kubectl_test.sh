#!/usr/bin/env bash
# The verbs that kubectl has, from the outside: what they say, what they change, how they end.
. "$(dirname "$0")/lib.sh"
p() { "$podwire" "$@"; }
quiet_of() { ! says "$@"; }                        # it does not print the text
cat >web.yaml <<'YAML'
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 2, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: w, image: "nginx:1"}, {name: side, image: "busybox:1", command: [sleep, infinity]}]}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: v1
kind: Pod
metadata: {name: alone}
spec: {nodeName: worker-1, containers: [{name: c, image: busybox, command: [sleep, infinity]}]}
YAML
check "nothing is there yet: a dry run says what would be made" says "deployment.apps/web created (dry run)" p apply -f web.yaml --dry-run
check "and makes no lab" test ! -e podwire.db
check "apply" p apply -f web.yaml -q
check "apply again" says "service/web unchanged" p apply -f web.yaml
check "no difference" status 0 p diff -f web.yaml

check "get: singular with its group where there are several kinds" says "deployment.apps/web   2/2" p get deploy,svc
check "get -o name" says "poddisruptionbudget.policy/web" p get pdb -o name
check "get -o custom-columns" says "web   10.96" p get svc web -o custom-columns=N:.metadata.name,IP:.spec.clusterIP
check "get -o jsonpath" says "[80]" p get svc web -o 'jsonpath=[{.spec.ports[*].port}]'
check "get --sort-by refuses a path that nobody has" status 2 p get svc --sort-by .spec.nothing
check "get endpoints" says ":8080" p get endpoints web
{ printf 'apiVersion: v1\nkind: Service\nmetadata: {name: many, labels: {team: a}}\nspec: {clusterIP: None, selector: {app: many}, ports: [{port: 80}]}\n'
  printf -- '---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: many}\nspec: {replicas: 1010, selector: {matchLabels: {app: many}}, template: {metadata: {labels: {app: many}}, spec: {containers: [{name: c, image: i}]}}}\n'
  for k in 1 2 3 4 5 6 7 8 9 10; do printf -- '---\napiVersion: v1\nkind: Node\nmetadata: {name: n%d}\n' $k; done; } >"many.yaml"
"$podwire" get endpoints many -f "many.yaml" -o yaml >"many.out"
check "endpoints of many slices are one subset, of 1000 addresses at most" says "1000 1" echo "$(grep -c ' ip: ' "many.out")" "$(grep -c '^- addresses:\|^  addresses:' "many.out")"
check "and say that some are left out" says "endpoints.kubernetes.io/over-capacity: truncated" cat "many.out"
check "and whose they are" says "endpoints.kubernetes.io/managed-by: endpoint-controller" cat "many.out"
check "and that the Service has no address" says 'service.kubernetes.io/headless: ""' cat "many.out"
check "get of nothing" says "No resources found in default namespace." p get jobs
check "get of one that is not there" status 1 p get svc wbe
check "and what was perhaps meant" says 'services "wbe" not found; did you mean "web"?' p get svc wbe
check "describe" says "2 Running / 0 Waiting / 0 Succeeded / 0 Failed" p describe rs
check "an unknown kind" status 2 p get gizmos

gets() { local want=$1 have; shift; have=$(p get "$@" -o name 2>&1); [ "$(xargs <<<"$have")" = "$want" ] || { echo "$have"; false; }; }
check "get --field-selector: a Pod's node" gets pod/alone pods --field-selector spec.nodeName=worker-1,spec.restartPolicy==Always,metadata.name=alone
check "what is absent has its default" gets "pod/alone" pods --field-selector spec.hostNetwork=false,status.phase=Running,status.podIP!= -l '!app'
check "a Pod that names no account has the default one" gets pod/alone pods --field-selector spec.serviceAccountName=default,metadata.name=alone
check "describe: the priority as admitted" says "Priority:         0" p describe pod alone
check "with -l, both hold" gets "" pods --field-selector metadata.name=alone -l app=web
check "!= and several kinds" gets "service/kubernetes service/web poddisruptionbudget.policy/web" svc,pdb,secrets --field-selector metadata.namespace!=kube-system,metadata.name!=nobody -l 'app!=web' --sort-by metadata.name
check "a Service's type" gets service/kubernetes svc --field-selector spec.clusterIP=10.96.0.1,spec.type=ClusterIP
check "a node's" gets "node/control-plane node/worker-1 node/worker-2" nodes --field-selector spec.unschedulable=false
check "events by what they are about" says "Started" p get events --field-selector involvedObject.kind=Pod,involvedObject.name=alone,type=Normal,source=kubelet
check "and not by others" says "No resources found" p get events --field-selector involvedObject.name=alone,type=Warning
check "events --for" says "pod/alone" p events --for pod/alone --no-headers
check "and of nothing else" sh -c "! '$podwire' events --for pods/alone --no-headers | grep -v pod/alone"
check "events --types" says "No events found" p events --for pod/alone --types Warning
check "in any case" says "Started" p events --for pod/alone --types=normal,Warning
check "another type" says "valid --types are Normal or Warning" p events --types Bad
check "not an object" says "must be in resource/name form" p events --for alone
check "a field that cannot select" says 'Unable to find "/v1, Resource=pods" that match label selector "app=web", field selector "spec.color=red": field label not supported: spec.color' p get pods -l app=web --field-selector spec.color=red
check "is bad input" status 2 p get pods --field-selector spec.color=red
check "of a kind that has none of its own" says '"a.b" is not a known field selector: only "metadata.name", "metadata.namespace"' p get ingress --field-selector a.b=c
check "no operator" says "invalid selector: 'x'; can't understand 'x'" p get pods --field-selector x
check "an escape that is none" says 'invalid escape sequence: \x' p get pods --field-selector 'metadata.name=a\x'
check "a name and a selector" status 2 p get pods alone -l app=web
check "a name in all namespaces" says "a resource cannot be retrieved by name across all namespaces" p get pod alone -A
check "get -L takes several" says "APP   TIER" p get pods -L app,tier
check "custom columns print maps as kubectl does" says "map[app:web]" p get svc web -o custom-columns=S:.spec.selector
check "names in the order they were asked in, a table for each run" sh -c "'$podwire' get pod/alone svc/web pod/alone | grep -c '^NAME' | grep -qx 3"
cat >many.yaml <<'YAML'
{apiVersion: v1, kind: Pod, metadata: {name: p-10}, spec: {containers: [{name: c, image: x}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: p-9}, spec: {containers: [{name: c, image: x, readinessProbe: {exec: {command: ["false"]}}}]}}
YAML
check "--sort-by counts the numbers in names" gets "pod/p-9 pod/p-10" pods -f many.yaml --sort-by .metadata.name
check "a probe whose command is false never succeeds" says "p-9    0/1     Running" p get pods -f many.yaml --at 30s

check "scale" says "deployment.apps/web scaled" p scale deploy/web --replicas 3
sed 's/nginx:1/nginx:2/; s/replicas: 2, //' web.yaml >no-replicas.yaml
check "apply without replicas takes them away, as three-way merges do" says "deployment.apps/web configured" p apply -f no-replicas.yaml
p scale deploy/web --replicas 3 -q
check "scale needs a name, a selector or --all" status 2 p scale deploy --replicas 3
check "and patch" status 2 p patch deploy -p '{}'
check "an option of another command" says "--limits does not go with label" p label svc web a=b --limits cpu=1
check "of another part of set" says "--list does not go with set image" p set image deploy/web w=nginx:3 --list
check "scale only from the number that is expected" says "Expected replicas to be 5, was 3" p scale deploy/web --replicas 4 --current-replicas 5
check "or version" says "Expected resource version to be 1, was" p scale deploy/web --replicas 4 --resource-version 1
check "a number of -1 or more" status 2 p scale deploy/web --replicas 4 --current-replicas=-2
check "from the right one" says "scaled" p scale deploy/web --replicas 3 --current-replicas 3
check "a label set and removed" says 'can not both modify and remove label "a"' p label svc web a=b a-
check "labels of all" says "service/web labeled" p label svc --all x=y
check "what labels there are" says "x=y" p label svc web --list
p label svc --all x- -q
check "several by name" says "service/kubernetes labeled" p label svc web kubernetes x=y
check "or each with its kind" says "deployment.apps/web labeled" p label svc/web deploy/web x=z --overwrite
check "a name behind the first change" says '"kubernetes" is neither KEY=VALUE nor KEY-' p label svc web z=y kubernetes
p label svc,deploy --all x- -q
check "what apply never said stays" says "deployment.apps/web unchanged" p apply -f no-replicas.yaml
check "three of them" says "web    3/3" p get deploy web
check "strategic: containers merge by name" p patch deploy web -p '{"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "busybox:2"}]}}}}'
check "both are there" says "nginx:2 busybox:2" p get deploy web -o 'jsonpath={.spec.template.spec.containers[*].image}'
check "merge: lists are replaced" says "patched" p patch svc web --type merge -p '{spec: {ports: [{port: 81, targetPort: 8080}]}}'
check "json" says "service/web patched" p patch svc web --type json -p '[{"op": "test", "path": "/spec/ports/0/port", "value": 81}, {"op": "replace", "path": "/spec/ports/0/port", "value": 80}]'
check "json that does not fit" status 2 p patch svc web --type json -p '[{"op": "remove", "path": "/spec/nothing"}]'
check "a patch that the API server refuses" says 'spec.ports[0].port: Invalid value' p patch svc web --type merge -p '{spec: {ports: [{port: 99999}]}}'
check "and nothing has changed" says "80" p get svc web -o 'jsonpath={.spec.ports[0].port}'
check "and no place of the file is named for what the patch brought" quiet_of "web.yaml:1" p patch svc web --type merge -p '{spec: {ports: [{port: 99999}]}}'
check "json names defaults and what was assigned as well" says "service/web patched" p patch svc web --type json -p '[{"op": "test", "path": "/spec/type", "value": "ClusterIP"}, {"op": "test", "path": "/spec/ports/0/protocol", "value": "TCP"}, {"op": "replace", "path": "/spec/sessionAffinity", "value": "ClientIP"}]'
check "they are what they were set to" says "ClientIP" p get svc web -o 'jsonpath={.spec.sessionAffinity}'
check "json back" says "service/web patched" p patch svc web --type json -p '[{"op": "replace", "path": "/spec/sessionAffinity", "value": "None"}]'
check "no change" says "patched (no change)" p patch svc web --type merge -p '{spec: {ports: [{port: 80, targetPort: 8080}]}}'

check "label" says "service/web labeled" p label svc web tier=front
check "not without --overwrite" status 1 p label svc web tier=back
check "with it" says "labeled" p label svc web tier=back --overwrite
check "and away" says "unlabeled" p label svc web tier-
check "diff sees what was changed by hand" status 1 p diff -f web.yaml

check "set image" says "image updated" p set image deploy/web w=nginx:3
check "of a container that is not there" status 1 p set image deploy/web x=nginx:3
check "rollout status" says 'deployment "web" successfully rolled out' p rollout status deploy/web
check "rollout history" says "4          <none>" p rollout history deploy/web
check "rollout undo" says "rolled back" p rollout undo deploy/web
check "it is the one before" says "nginx:2" p get deploy web -o 'jsonpath={.spec.template.spec.containers[0].image}'
check "rollout pause" says "paused" p rollout pause deploy/web
check "twice is a failure" status 1 p rollout pause deploy/web
p set image deploy/web w=nginx:9 -q
check "while paused nothing rolls" says "web    3/3     0 " p get deploy web
check "rollout resume" says "resumed" p rollout resume deploy/web
check "rollout restart" says "restarted" p rollout restart deploy/web
cat >ds.yaml <<'YAML'
{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: "x:1"}]}}}}
YAML
check "a DaemonSet" status 0 p apply -f ds.yaml
check "its first revision has none before it" says "no last revision to roll back to" p rollout undo ds/agent
check "a template's first generation" says 1 p get ds agent -o 'jsonpath={.metadata.annotations.deprecated\.daemonset\.template\.generation}'
check "another image" status 0 p set image ds/agent c=x:2
check "its second" says 2 p get ds agent -o 'jsonpath={.metadata.annotations.deprecated\.daemonset\.template\.generation}'
check "its history" says "2          <none>" p rollout history ds/agent
check "one revision in full" says "Image:        x:1" p rollout history ds/agent --revision=1
check "a revision that never was" says "unable to find specified revision 7 in history" p rollout undo ds/agent --to-revision=7
check "undo" says "daemonset.apps/agent rolled back" p rollout undo ds/agent
check "the old image is back" says "x:1" p get ds agent -o 'jsonpath={.spec.template.spec.containers[0].image}'
check "as the newest revision" says "3          <none>" p rollout history ds/agent
p delete ds agent -q
check "rollout of what does not roll" status 2 p rollout status svc/web

check "cordon" says "node/worker-1 cordoned" p cordon worker-1
check "twice" says "node/worker-1 already cordoned" p cordon worker-1
check "get nodes" says "Ready,SchedulingDisabled" p get nodes
check "uncordon" says "node/worker-1 uncordoned" p uncordon worker-1
printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: scratch}\nspec: {nodeName: worker-1, volumes: [{name: v, emptyDir: {}}], containers: [{name: c, image: nginx}]}\n' >scratch.yaml
p apply -q -f scratch.yaml
check "describe says what an emptyDir is" says "EmptyDir (a temporary directory that shares a pod's lifetime)" p describe pod scratch
check "drain refuses Pods with an emptyDir" says "cannot delete Pods with local storage (use --delete-emptydir-data to override): default/scratch" p drain worker-1 --ignore-daemonsets --force
p delete pod scratch >/dev/null 2>&1; p uncordon worker-1 >/dev/null
check "drain refuses Pods of DaemonSets" says "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)" p drain worker-1
check "and Pods without a controller" says "declare no controller (use --force to override): default/alone" p drain worker-1 --ignore-daemonsets
check "drain" says "node/worker-1 drained" p drain worker-1 --ignore-daemonsets --force
check "nobody is left there" sh -c "! '$podwire' get pods -o wide | grep worker-1"
p scale deploy/web --replicas 1 -q; p uncordon worker-1 -q
node=$(p get pods -l app=web -o 'jsonpath={.items[0].spec.nodeName}')
check "a budget stops a drain" says "would violate the pod's disruption budget. The disruption budget web needs 1 healthy pods and has 1 currently" p drain "$node" --ignore-daemonsets --force --timeout 20s
p uncordon "$node" -q
check "taint" says "node/worker-2 tainted" p taint nodes worker-2 a=b:NoSchedule
check "untaint" says "node/worker-2 untainted" p taint nodes worker-2 a:NoSchedule-
check "taint all" says "node/worker-1 tainted" p taint nodes --all a=b:PreferNoSchedule
check "untaint two of them" says "node/worker-1 untainted" p taint nodes worker-2 worker-1 a-
p taint nodes control-plane a- -q
check "a wrong effect" status 2 p taint nodes worker-2 a=b:NoStart

check "timeline" says "container" sh -c "'$podwire' timeline node worker-1 && echo container"
check "timeline of a Pod that is gone" says "alone" p timeline pod/alone
check "timeline -o json" says '"name": "sandbox"' p timeline pod/alone -o json
check "timeline of what never was" status 1 p timeline pod/never
check "timeline of files" says "available" p timeline deploy/web -f web.yaml

check "delete --cascade=orphan" says 'deployment.apps "web" deleted from default namespace' p delete deploy web --cascade=orphan
check "its ReplicaSets live" says "replicaset.apps/web-" p get rs -o name
check "delete --force" says "force deleted" p delete pod -l app=web --force
check "delete by kind alone is refused" status 2 p delete pods
p apply -q -f many.yaml
check "delete --field-selector" says 'pod "p-10" deleted from default namespace' p delete pods --field-selector metadata.name=p-10
check "and no other" gets pod/p-9 pods --field-selector metadata.name!=p-10 -l '!app'
check "delete --ignore-not-found" status 0 p delete svc nothing --ignore-not-found
check "but not an unknown kind" says "doesn't have a resource type" p delete nothing web --ignore-not-found
check "delete -f" says 'service "web" deleted from default namespace' p delete -f web.yaml --ignore-not-found
# What controllers have written is no change
cat >claim.yaml <<'YAML'
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}
---
{apiVersion: v1, kind: PersistentVolume, metadata: {name: disk}, spec: {accessModes: [ReadWriteOnce], capacity: {storage: 1Gi}, hostPath: {path: /x}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {replicas: 1, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: nginx}]}}}}
YAML
PODWIRE_LAB=claim.db p apply -f claim.yaml >/dev/null
check "a bound claim, its volume and a Deployment applied again are unchanged" sh -c "PODWIRE_LAB=claim.db '$podwire' apply -f claim.yaml | grep -c unchanged | grep -qx 3"
check "the claim stays bound" says Bound env PODWIRE_LAB=claim.db "$podwire" get pvc data
sed 's/replicas: 1/replicas: 2/' claim.yaml >more.yaml
check "diff shows what changes, not what the controllers wrote" sh -c "PODWIRE_LAB=claim.db '$podwire' diff -f more.yaml >out; grep -q '^+  replicas: 2' out && ! grep -q '^[-+].*revision' out"
PODWIRE_LAB=cordon.db p init >/dev/null; PODWIRE_LAB=cordon.db p advance 30s >/dev/null
PODWIRE_LAB=cordon.db p cordon worker-1 >/dev/null; PODWIRE_LAB=cordon.db p advance 5s >/dev/null; PODWIRE_LAB=cordon.db p uncordon worker-1 >/dev/null
check "cordon and uncordon are told by the kubelet" sh -c "PODWIRE_LAB=cordon.db '$podwire' events -A >out; grep -q 'NodeNotSchedulable  *node/worker-1' out && grep -q ' NodeSchedulable  *node/worker-1' out"
check "and the node stays ready as long as it was" test "$(PODWIRE_LAB=cordon.db "$podwire" events -A | grep -c 'NodeReady.*node/worker-1')" = 1
check "so do its conditions" sh -c "PODWIRE_LAB=cordon.db '$podwire' get node worker-1 -o yaml | grep -A9 'KubeletReady' | grep -q 'type: Ready' && ! PODWIRE_LAB=cordon.db '$podwire' get node worker-1 -o yaml | grep -q '00:00:3'"
"$podwire" get all,nodes -A -o name >a 2>/dev/null
p export >again.yaml
check "all of it, exported and replayed, ends in the same objects" sh -c "'$podwire' get svc,deploy,pdb -A -o name >a; '$podwire' get svc,deploy,pdb -A -o name -f again.yaml >b; cmp a b"
printf '%s\n' 'apiVersion: v1' 'kind: Pod' 'metadata: {name: evil, labels: {app: evil}}' 'spec: {containers: [{name: c, image: "x\e[2J\u202e", command: ["\e]0;t\a"], ports: [{containerPort: 80}]}]}' >evil.yaml
for c in 'get pods -o wide' 'describe pod evil' 'get pod evil -o yaml' 'timeline pod/evil' 'why pod/evil'; do
	check "$c sends no control characters to the terminal" sh -c "'$podwire' $c -f evil.yaml 2>/dev/null | LC_ALL=C grep -c '[[:cntrl:]]' | grep -qx 0"
done
cat >storage.yaml <<'END'
{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: std, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}, provisioner: example.com/disk}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: claim}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: user}, spec: {containers: [{name: c, image: nginx}], volumes: [{name: v, persistentVolumeClaim: {claimName: claim}}]}}
END
p apply -f storage.yaml -q
check "a claim and its volume are protected" says '["kubernetes.io/pvc-protection"] ["kubernetes.io/pv-protection"]' p get pvc,pv -o 'jsonpath={.items[0].metadata.finalizers} {.items[1].metadata.finalizers}'
check "which apply leaves there" says "persistentvolumeclaim/claim unchanged" p apply -f storage.yaml
p delete pvc claim -q; p advance 10m -q
check "a claim stays while a Pod uses it" says Terminating p get pvc claim
p delete pod user -q; p advance 60s -q
check "and goes after it" status 1 p get pvc claim
check "with its volume" says "" p get pv -o name
check "whose finalizers anybody may take" sh -c "'$podwire' apply -f storage.yaml -q && '$podwire' delete pvc claim -q && '$podwire' patch pvc claim -p '{\"metadata\": {\"finalizers\": null}}' && ! '$podwire' get pvc claim"
p apply -f - -q <<'END'
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 3, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: w, image: "nginx:1"}, {name: side, image: "busybox:1", command: [sleep, infinity]}]}}}}
END
check "set resources" says "resource requirements updated" p set resources deploy/web -c w --limits=cpu=200m,memory=1Gi --requests=cpu=100m
check "of one container" says '{"limits":{"cpu":"200m","memory":"1Gi"},"requests":{"cpu":"100m"}} ' p get deploy web -o 'jsonpath={.spec.template.spec.containers[0].resources} {.spec.template.spec.containers[1].resources.limits}'
check "to what" says "must specify an update to requests or limits" p set resources deploy/web
check "set env keeps the order" p set env deploy/web -c w A=1 B=2 A=3
check "and lists it" says "# Deployment web, container w" p set env deploy/web --list
check "with values" says "A=3" p set env deploy/web --list
check "a container that nobody has" says 'does not have any containers matching "none"' p set env deploy/web -c none A=1
check "set serviceaccount" says "serviceaccount updated" p set sa deploy/web builder
check "set selector" says "only supported for Services" p set selector deploy/web a=b
check "a missing object may be missing" status 0 p get pod none --ignore-not-found
check "what a path finds as JSON" says '    3' p get deploy web -o 'jsonpath-as-json={.spec.replicas}'
check "a JSON patch that tests" says "testing value /spec/replicas failed: test failed" p patch deploy web --type=json -p '[{"op": "test", "path": "/spec/replicas", "value": 9}]'
finish
