#!/usr/bin/env bash
# why: each fault is found by its name, with its evidence, and what is suggested works when it is done.
. "$(dirname "$0")/lib.sh"
# finds CODE WORDS ARGS…: exit status 1, and both stand in the answer
finds() { local code=$1 words=$2; shift 2; "$podwire" why "$@" >said 2>&1; [ $? = 1 ] && grep -qF "[$code]" said && grep -qF -- "$words" said || { cat said; false; }; }
notes() { local code=$1; shift; "$podwire" why "$@" >said 2>&1; [ $? = 0 ] && grep -qF "[$code]" said || { cat said; false; }; }
healthy() { "$podwire" why "$@" >said 2>&1 || { cat said; false; }; }
base='
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: front}}
    spec: {containers: [{name: w, image: nginx, ports: [{containerPort: 8080, name: http}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client, labels: {app: client}}
spec: {containers: [{name: c, image: busybox, command: [sleep, infinity]}]}'
svc() { printf 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: %s%s\n' "$1" "$base"; }
svc '{selector: {app: web}, ports: [{port: 80, targetPort: http}]}' >good.yaml
check "a healthy Service" healthy -f good.yaml svc/web
check "a healthy Pod" healthy -f good.yaml pod/client
check "a healthy way says that a connection is balanced once" notes balanced-once -f good.yaml pod/client svc/web:80

svc '{selector: {app: wbe}, ports: [{port: 80, targetPort: http}]}' >selector.yaml
check "a selector that misses by a letter" finds selector-misses "app=wbe, and 2 Pods have app=web" -f selector.yaml svc/web
check "with file and line" finds selector-misses "spec.selector.app: wbe  (selector.yaml:4)" -f selector.yaml svc/web
check "and a patch that was tried" finds selector-misses "tried on a copy: 2 of 2 endpoints ready" -f selector.yaml svc/web
check "from the caller's side the same" finds selector-misses "tried on a copy: it arrives and is answered" -f selector.yaml pod/client svc/web:80
svc '{selector: {app: web, tier: back}, ports: [{port: 80, targetPort: http}]}' >tier.yaml
check "one of two labels" finds selector-misses "tier=back, and 2 Pods have tier=front" -f tier.yaml svc/web
svc '{selector: {app: web, release: v1}, ports: [{port: 80, targetPort: http}]}' >absent.yaml
check "a label that they do not have" finds selector-misses "2 Pods have no label release" -f absent.yaml svc/web
svc '{selector: {app: nothing-like-it}, ports: [{port: 80}]}' >nothing.yaml
check "nothing near" finds nothing-selected "no Pod has the labels" -f nothing.yaml svc/web
svc '{selector: {app: web}, ports: [{port: 80, targetPort: htp}]}' >name.yaml
check "a port name that nobody has" finds port-name-unknown '"targetPort":"http"' -f name.yaml svc/web
svc '{selector: {app: web}, ports: [{port: 80, targetPort: 9999}]}' >port.yaml
check "a port where nobody listens" finds target-port "leads to 9999" -f port.yaml svc/web
svc '{selector: {app: web}, ports: [{port: 80, targetPort: http}]}' | sed 's/replicas: 2/replicas: 0/' >zero.yaml
check "scaled to zero" finds scaled-to-zero '"replicas":1' -f zero.yaml svc/web
svc '{type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: http}]}' >lb.yaml
{ cat lb.yaml; printf -- '---\napiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: p, namespace: metallb-system}\nspec: {addresses: [192.0.2.0/28]}\n'; } >unheard.yaml
check "a load balancer's address that nobody announces" notes load-balancer-unannounced -f unheard.yaml svc/web
check "a load balancer that nobody makes" notes load-balancer-pending -f lb.yaml svc/web
svc '{type: NodePort, externalTrafficPolicy: Local, selector: {app: web}, ports: [{port: 80, targetPort: http, nodePort: 30080}]}' >local.yaml
check "policy Local" notes local-policy -f local.yaml svc/web
svc '{type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: http, nodePort: 30080}]}' >nodeport.yaml
check "a source that is lost on the way" notes source-rewritten -f nodeport.yaml client node/control-plane:30080
printf 'apiVersion: v1\nkind: Service\nmetadata: {name: db}\nspec: {ports: [{port: 5432}]}\n---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: db-1}\naddressType: IPv4\nports: [{name: "", port: 5432}]\nendpoints: [{addresses: [192.0.2.7]}]\n' >slice.yaml
check "a slice that belongs to nobody" finds slice-unlabelled "kubernetes.io/service-name" -f slice.yaml svc/db
sed 's/metadata: {name: web}/metadata: {name: web, namespace: shop}/;1,/^---/!s/namespace: shop/namespace: default/' good.yaml >ns.yaml; printf -- '---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n' >>ns.yaml
check "Pods in another namespace" finds wrong-namespace "a Service selects only in its own" -f ns.yaml svc/shop/web
check "a name in another namespace" finds wrong-namespace "call it web.shop" -f ns.yaml pod/client web:80
check "a name that is nearly right" finds unresolved 'perhaps "web" was meant' -f good.yaml pod/client wen:80
check "a Service that is not there, but elsewhere" grep -q "there is one in namespace shop" <("$podwire" why -f ns.yaml svc/web 2>&1)

pod() { printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: p%s}\nspec: %s\n' "${2:-}" "$1"; }
pod '{containers: [{name: c, image: busybox, command: [sh, -c, exit 3]}]}' >crash.yaml
check "a crash loop" finds crash-loop "exit code 3" -f crash.yaml pod/p
pod '{containers: [{name: c, image: busybox, resources: {requests: {cpu: "100"}}}]}' >big.yaml
check "too large" finds insufficient "resources.requests.cpu: 100" -f big.yaml pod/p
pod '{nodeSelector: {kubernetes.io/hostname: worker1}, containers: [{name: c, image: busybox}]}' >node.yaml
check "a node that nobody is" finds node-selector "perhaps kubernetes.io/hostname=worker-1 was meant" -f node.yaml pod/p
(for k in 1 2 3; do pod '{containers: [{name: c, image: nginx, ports: [{containerPort: 80, hostPort: 8080}]}]}' $k; echo ---; done) >host.yaml
check "a hostPort that is taken" finds host-port-conflict "holds 8080/TCP there" -f host.yaml pod/p3
pod '{containers: [{name: c, image: nginx}]}' >plain.yaml
check "no Pod network" finds cni-missing "install a Pod network" -f plain.yaml --cni none pod/p
check "and its nodes" finds cni-missing "cni plugin not initialized" -f plain.yaml --cni none node/worker-1
printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: p, annotations: {podwire.io/c.image: missing}}\nspec: {containers: [{name: c, image: nginx:none}]}\n' >image.yaml
check "an image that is not there" finds image "nginx:none" -f image.yaml pod/p
printf 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}, annotations: {podwire.io/c.ready: never}}, spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 8080}], readinessProbe: {httpGet: {port: 81}}}]}}}\n' >probe.yaml
check "a probe that asks another port" finds probe "it asks port 81, and the containers declare others" -f probe.yaml deploy/d
pod '{containers: [{name: c, image: nginx}], readinessGates: [{conditionType: example.io/ok}]}' >gate.yaml
check "a readiness gate" finds readiness-gate "example.io/ok" -f gate.yaml pod/p
pod '{containers: [{name: c, image: nginx}], volumes: [{name: v, configMap: {name: conf}}]}' >ref.yaml
pod '{containers: [{name: c, image: nginx}], volumes: [{name: v, configMap: {name: conf, optional: true}}, {name: w, secret: {secretName: key, optional: true}}]}' >optional.yaml
check "one that may be missing is not missed" sh -c "'$podwire' why -f optional.yaml pod/p >said && ! grep -q reference-missing said"
check "a ConfigMap that is not there" notes reference-missing -f ref.yaml pod/p

(cat good.yaml; printf -- '---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny}\nspec: {podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {app: other}}}]}]}\n') >policy.yaml
check "a policy" finds policy-ingress "wants app=other; default/client has app=client" -f policy.yaml pod/client svc/web:80
check "and one that allows it, tried" finds policy-ingress "tried on a copy: it arrives and is answered" -f policy.yaml pod/client svc/web:80
sed 's/podSelector: {matchLabels: {app: web}}, ingress.*/podSelector: {}, policyTypes: [Ingress, Egress]}/' policy.yaml >both.yaml
check "both ends deny: the two that allow it, tried together" finds policy-egress "tried on a copy: it arrives and is answered" -f both.yaml pod/client svc/web:80
"$podwire" why -f both.yaml pod/client svc/web:80 | sed -n "s/.*\$ echo '\(.*\)' | podwire apply -f -/\1/p" >pair.json
check "and so they do" status 0 "$podwire" trace -f both.yaml -f pair.json pod/client "pod/$("$podwire" get -f both.yaml pods -l app=web -o 'jsonpath={.items[0].metadata.name}'):8080"
sed 's/app: client/hash.example.io: client, controller-revision-hash: x1/' policy.yaml >hash.yaml
check "by the labels that people gave, whatever they are called" finds policy-ingress '"from":[{"podSelector":{"matchLabels":{"hash.example.io":"client"}}}]' -f hash.yaml pod/client svc/web:80
sed 's/{name: deny}/{name: deny-allow-ingress}/' policy.yaml | sed -n '/NetworkPolicy/,$p' | (cat policy.yaml; printf -- '---\napiVersion: networking.k8s.io/v1\nkind: '; sed 's/^kind: //') >taken.yaml
check "under a name that no policy has" finds policy-ingress '"name":"deny-allow-ingress-2"' -f taken.yaml pod/client svc/web:80
sed 's/app: other}}}\]/app: client}}}], ports: [{port: 80}]/' policy.yaml >icmp.yaml
one_pod=$("$podwire" get -f good.yaml pods -l app=web -o 'jsonpath={.items[0].metadata.name}')
check "ports let no ICMP through" finds policy-ingress "ports[0].protocol: allows TCP; asked is ICMP" -f icmp.yaml --protocol icmp pod/client "pod/$one_pod"
check "and a rule without ports does" finds policy-ingress "tried on a copy: it arrives and is answered" -f icmp.yaml --protocol icmp pod/client "pod/$one_pod"
(cat good.yaml; printf -- '---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\nspec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 81}}}}]}}]}\n') >ingress.yaml
check "an Ingress without a class" finds ingress-class "names no class" -f ingress.yaml ingress/web
check "whose backend has no such port" finds backend-port "its only port is 80" -f ingress.yaml ingress/web

(printf 'apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec: {hard: {pods: 1}}\n---\n'; cat probe.yaml | sed "s/spec: {selector/spec: {replicas: 2, selector/") >quota.yaml
check "cores are no bytes" says "requested: requests.cpu=1024, used: requests.cpu=0, limited: requests.cpu=1" "$podwire" events -f <(sed 's/pods: 1/requests.cpu: 1/; s/containers: \[{name: c,/containers: [{name: c, resources: {requests: {cpu: 1024}},/' quota.yaml)
check "a quota" finds quota "exceeded quota: q" -f quota.yaml deploy/d

cat >spaces.yaml <<'YAML'
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: Service, metadata: {name: db, namespace: shop}, spec: {selector: {app: db}, ports: [{port: 5432}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: shop, labels: {app: db}}, spec: {containers: [{name: c, image: postgres, ports: [{containerPort: 5432}]}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: direct}, spec: {clusterIP: None, selector: {app: u}, ports: [{port: 80, targetPort: 53}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: names}, spec: {selector: {app: u}, ports: [{port: 53, targetPort: dns}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: u, labels: {app: u}}, spec: {containers: [{name: c, image: x, ports: [{name: dns, containerPort: 53, protocol: UDP}]}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: client}, spec: {containers: [{name: c, image: busybox, command: [sleep, infinity]}]}}
YAML
check "a name in another namespace" finds wrong-namespace "call it db.shop" -f spaces.yaml pod/client db:5432
check "a namespace that is misspelled" finds wrong-namespace "there is no namespace shopp; a Service db is in shop" -f spaces.yaml pod/client db.shopp:5432
check "the wrong namespace written out" finds wrong-namespace "namespace default has no Service db; there is one in shop" -f spaces.yaml pod/client db.default:5432
printf 'apiVersion: v1\nkind: Service\nmetadata: {name: db}\nspec: {selector: {app: db}, ports: [{port: 5432}]}\n---\n' | cat - spaces.yaml >both.yaml
check "of a namespace that is not there, though the caller's has one of that name" finds wrong-namespace "there is no namespace prod; a Service db is in" -f both.yaml pod/client db.prod:5432
check "by its long name" finds wrong-namespace "there is no namespace prod" -f both.yaml pod/client db.prod.svc.cluster.local:5432
check "a name outside is not one of a namespace" finds unresolved "has no address" -f both.yaml pod/client db.example.com:5432
sed 's/name: http}\]/name: http}], readinessProbe: {httpGet: {path: \/, port: 9999}}/' good.yaml >probed.yaml
check "a probe of a port that is not declared is noted" notes probe-port -f probed.yaml "pod/$("$podwire" get pods -o name -f probed.yaml | sed -n 's|^pod/\(web-.*\)|\1|p' | head -1)"
printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  initContainers: [{name: side, image: x, restartPolicy: Always, ports: [{containerPort: 9999}]}]\n  containers: [{name: c, image: x, ports: [{containerPort: 80}], readinessProbe: {httpGet: {port: 9999}}}]\n' >sidecar.yaml
check "a probe of a port that a sidecar declares is not" sh -c "'$podwire' why -f sidecar.yaml pod/p >said 2>&1; grep -q 'it runs and is ready' said && ! grep probe-port said"
agnhost() { printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {restartPolicy: Never, containers: [{name: c, image: r.io/agnhost:2.53%s}]}\n' "$1" >agnhost.yaml; }
agnhost ", args: [connect, 'web:80']"; check "a status that nobody looked at is noted" notes agnhost-status -f agnhost.yaml pod/p
agnhost ', ports: [{containerPort: 80}]'; check "an agnhost that pauses, and declares a port" notes agnhost-pause -f agnhost.yaml pod/p
agnhost ', args: [netexec], readinessProbe: {httpGet: {port: 80}}'; check "a probe of a port that agnhost does not serve fails" finds probe "connection refused" -f agnhost.yaml pod/p
check "a port that the Service does not have" finds service-port "it has 5432/TCP" -f spaces.yaml pod/client db.shop:80
check "a headless Service's port" finds headless-port "nobody turns port 80 into 53" -f spaces.yaml pod/client direct:80
check "a name of another protocol, mended on a copy" finds port-protocol "tried on a copy: 1 of 1 endpoints ready" -f spaces.yaml svc/names
check "an end in another namespace" grep -q "there is one in namespace shop" <("$podwire" why -f spaces.yaml pod/client svc/db:5432 2>&1)

cat >volumes.yaml <<'YAML'
{apiVersion: v1, kind: PersistentVolume, metadata: {name: disk}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], storageClassName: manual, hostPath: {path: /b}}}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: large}, spec: {storageClassName: manual, accessModes: [ReadWriteOnce], resources: {requests: {storage: 5Gi}}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: user}, spec: {containers: [{name: c, image: nginx}], volumes: [{name: v, persistentVolumeClaim: {claimName: large}}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: lost}, spec: {containers: [{name: c, image: nginx}], volumes: [{name: v, persistentVolumeClaim: {claimName: gone}}]}}
YAML
check "a claim that no volume satisfies" finds claim-unbound "PersistentVolume disk  spec: is too small" -f volumes.yaml pvc/large
printf '{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: old, annotations: {volume.beta.kubernetes.io/storage-class: slow}}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}\n' >old.yaml
check "a claim whose class stands in the old annotation" finds claim-unbound 'there is no StorageClass "slow"' -f old.yaml -f volumes.yaml pvc/old
check "and the Pod that waits for it" finds claim-unbound "pod has unbound immediate PersistentVolumeClaims" -f volumes.yaml pod/user
printf '{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: own}, spec: {storageClassName: fast, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}\n' >alone.yaml
check "where nothing is told of classes and volumes, a claim is taken to be served" notes claim-assumed -f alone.yaml pvc/own
check "a claim that is not there" finds claim-missing 'the claim "gone"' -f volumes.yaml pod/lost

# What a real kubelet wrote, and a scheduler: statuses and Event objects of a dump.
cat >dump.yaml <<'YAML'
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Node, metadata: {name: node1}, status: {addresses: [{type: InternalIP, address: 10.0.0.1}], conditions: [{type: Ready, status: "True"}]}}
- apiVersion: v1
  kind: Pod
  metadata: {name: pull}
  spec: {nodeName: node1, containers: [{name: c, image: example.com/none}]}
  status: {phase: Pending, containerStatuses: [{name: c, ready: false, restartCount: 0, state: {waiting: {reason: ErrImagePull, message: "x509: certificate is not valid"}}}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: memory}
  spec: {nodeName: node1, restartPolicy: Never, containers: [{name: c, image: x, resources: {limits: {memory: 100Mi}}}]}
  status: {phase: Failed, containerStatuses: [{name: c, ready: false, restartCount: 0, state: {terminated: {reason: OOMKilled, exitCode: 137}}}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: gpu}
  spec: {containers: [{name: c, image: x, resources: {requests: {nvidia.com/gpu: 5}}}]}
  status: {phase: Pending, conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, message: "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: init}
  spec: {nodeName: node1, initContainers: [{name: i, image: x, command: [wge]}], containers: [{name: c, image: x}]}
  status:
    phase: Pending
    initContainerStatuses: [{name: i, ready: false, restartCount: 1, state: {waiting: {reason: RunContainerError, message: "exec: wge: executable file not found"}}, lastState: {terminated: {reason: ContainerCannotRun, exitCode: 127}}}]
    containerStatuses: [{name: c, ready: false, restartCount: 0, state: {waiting: {reason: PodInitializing}}}]
- apiVersion: v1
  kind: Pod
  metadata: {name: mount}
  spec: {nodeName: node1, containers: [{name: c, image: x}], volumes: [{name: v, secret: {secretName: s}}]}
  status: {phase: Pending, containerStatuses: [{name: c, ready: false, restartCount: 0, state: {waiting: {reason: ContainerCreating}}}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: silent}
  spec: {nodeName: node1, containers: [{name: c, image: x}]}
  status: {phase: Pending, containerStatuses: [{name: c, ready: false, restartCount: 0, state: {waiting: {reason: ContainerCreating}}}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: config}
  spec: {nodeName: node1, containers: [{name: c, image: x}]}
  status: {phase: Pending, containerStatuses: [{name: c, ready: false, restartCount: 0, state: {waiting: {reason: CreateContainerConfigError, message: "secret \"s\" not found"}}}]}
- {apiVersion: v1, kind: Event, metadata: {name: mount.1}, type: Warning, reason: FailedMount, message: "MountVolume.SetUp failed for volume v : secret not found", involvedObject: {kind: Pod, name: mount, namespace: default}}
YAML
of_dump() { finds "$1" "$2" -f dump.yaml --validate warn "$3"; }
check "a dump: an image, in the runtime's words" of_dump image "certificate is not valid" pod/pull
check "a dump: out of memory" of_dump oom-killed "resources.limits.memory: 100Mi" pod/memory
check "a dump: what no node has" of_dump insufficient "enough nvidia.com/gpu" pod/gpu
check "a dump: an init container" of_dump container-run "last ContainerCannotRun with exit code 127" pod/init
check "a dump: its Event objects" of_dump mount-failed "event FailedMount" pod/mount
check "a dump: without events that is said" of_dump container-creating "no event is here that says why" pod/silent
check "a dump: a reference of a container" of_dump container-config 'secret "s" not found' pod/config
check "a dump: the status column" grep -q "Init:RunContainerError" <("$podwire" get pods -f dump.yaml --validate warn 2>&1)

# What ten other clusters have wrong with them
svc '{selector: {app: web}, ports: [{port: 8080}]}' | sed 's/name: http}/name: http, protocol: UDP}/' >udp.yaml
check "a number that is a port of the other protocol" finds port-protocol '"protocol":"UDP","targetPort":8080' -f udp.yaml svc/web
check "asked by that protocol it works, tried" finds port-protocol "tried on a copy: it arrives and is answered" -f udp.yaml --protocol udp pod/client svc/web:8080
check "asked by the other a patch does not help, and none is shown" sh -c "'$podwire' why -f udp.yaml pod/client svc/web:8080 >said; grep -q port-protocol said && ! grep -q 'tried on a copy' said"
sed 's/    spec: {containers/    spec: {nodeName: worker-1, containers/' local.yaml >one-node.yaml
check "what is dropped for policy Local has its remedy" finds local-policy '"externalTrafficPolicy":"Cluster"' -f one-node.yaml client node/worker-2:30080
check "a ClusterIP is nobody's outside" finds cluster-ip-outside "let web be of type NodePort" -f good.yaml client svc/web:80
check "nor is a Pod's address" finds pod-ip-outside "outside the nodes nobody has a route" -f good.yaml client "pod/$one_pod:8080"
check "an address of a Pod that is gone" finds no-such-pod "10.244.99.99" -f good.yaml pod/client 10.244.99.99:80
check "an address of a Service that is gone" finds no-such-service "10.96.77.77" -f good.yaml pod/client 10.96.77.77:80
(printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {HOST: db}\n---\n'; pod '{containers: [{name: c, image: nginx, env: [{name: H, valueFrom: {configMapKeyRef: {name: conf, key: HOTS}}}, {name: O, valueFrom: {configMapKeyRef: {name: conf, key: OTHER, optional: true}}}], envFrom: [{secretRef: {name: key}}]}]}') >keys.yaml
check "a key that is not there" notes key-missing -f keys.yaml pod/p
check "nearly one that is" grep -q 'perhaps "HOST" was meant' said
check "a Secret of the environment" grep -q 'envFrom.0.secretRef.name: key' said
check "a key that may be missing is not missed" sh -c '! grep -q OTHER said'
sed 's/replicas: 2/replicas: 5/; s/    spec: {containers/    spec: {affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io\/hostname, labelSelector: {matchLabels: {app: web}}}]}}, containers/' good.yaml >five.yaml
check "what several Pods lack is said once" finds pod-affinity "and 2 more: its Pod (anti-)affinity" -f five.yaml deploy/web
check "and only once" test "$(grep -c '\[pod-affinity\]' said)" = 1
sed 's/    spec: {containers/    spec: {topologySpreadConstraints: [{maxSkew: 1, topologyKey: rack, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: web}}}], containers/' good.yaml >rack.yaml
check "nodes in no domain" finds topology-spread "metadata.labels.rack: (absent)" -f rack.yaml deploy/web
(printf 'apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec: {hard: {limits.memory: 1Gi}}\n---\n'; sed '/^kind: Pod$/,$d' good.yaml | sed '$d' | sed '$d') >says-not.yaml
check "a quota that counts what the Pods do not say" finds create-refused "let a LimitRange of the namespace give defaults" -f says-not.yaml svc/web
check "no rolling update where nothing rolls" sh -c '! grep -q rolling said'
cat >set.yaml <<'YAML'
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {serviceName: database, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: postgres, ports: [{containerPort: 5432}]}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: db}, spec: {clusterIP: None, selector: {app: db}, ports: [{port: 5432}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: client}, spec: {containers: [{name: c, image: busybox, command: [sleep, infinity]}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: host}, spec: {selector: {matchLabels: {app: h}}, template: {metadata: {labels: {app: h}}, spec: {hostNetwork: true, containers: [{name: c, image: busybox, command: [sleep, infinity]}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: hand}, spec: {ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Endpoints, metadata: {name: hand}, subsets: [{addresses: [{ip: 192.0.2.7}], ports: [{name: http, port: 80}]}]}
---
{apiVersion: batch/v1, kind: CronJob, metadata: {name: nightly}, spec: {schedule: "0 3 * * *", suspend: true, jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox}]}}}}}}
YAML
check "a serviceName that is no Service's" notes governing-service -f set.yaml sts/db
check "a Pod's name below another Service" finds pod-name 'named below the Service "database"' -f set.yaml pod/client db-0.db:5432
check "the host's resolver, and what mends it" finds dns-policy '"dnsPolicy":"ClusterFirstWithHostNet"' -f set.yaml deploy/host db:5432
check "a port's name, mended" finds slice-port-name '"name":"http"' -f set.yaml svc/hand
check "a CronJob that is suspended" finds suspended '"suspend":false' -f set.yaml cronjob/nightly
cat >ways.yaml <<'YAML'
{apiVersion: v1, kind: Namespace, metadata: {name: back}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: back}, spec: {selector: {app: web}, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: back, labels: {app: web}}, spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: gc}, spec: {controllerName: example.com/gw}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: gw}, spec: {gatewayClassName: gc, listeners: [{name: http, port: 80, protocol: HTTP}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: far}, spec: {parentRefs: [{name: gw}], hostnames: [far.example.com], rules: [{backendRefs: [{name: web, namespace: back, port: 80}]}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: tls}, spec: {parentRefs: [{name: gw, sectionName: htpp}], hostnames: [tls.example.com], rules: [{backendRefs: [{name: web, port: 80}]}]}}
---
{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: nginx}, spec: {controller: k8s.io/ingress-nginx}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: in, namespace: back}, spec: {ingressClassName: nginx, tls: [{hosts: [in.example.com], secretName: cert}], rules: [{host: in.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}}
YAML
check "a backend that nobody granted" finds reference-not-granted "tried on a copy: it is accepted" -f ways.yaml --controller example.com/gw httproute/far
check "seen by the client" finds reference-not-granted "tried on a copy: it arrives and is answered" -f ways.yaml --controller example.com/gw client http://far.example.com/
check "a listener that there is not" finds route-listener '"sectionName":"http"' -f ways.yaml --controller example.com/gw httproute/tls
check "seen by the client, who finds no address" finds route-listener "perhaps sectionName" -f ways.yaml --controller example.com/gw client http://tls.example.com/
check "a 404 of the proxy's is no answer" finds http-status "the proxy answers 404" -f ways.yaml --controller example.com/gw --resolve gateway/default/gw client http://tls.example.com/
check "a Gateway that nobody serves" finds gateway-no-controller "install the controller" -f ways.yaml gateway/gw
check "a host of an Ingress that nobody serves" finds ingress-no-address "which serves in.example.com" -f ways.yaml client http://in.example.com/
check "whose certificate is not there" grep -q '\[tls-secret\]' said

cat >bounds.yaml <<'YAML'
{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: all}, spec: {minAvailable: 2, selector: {matchLabels: {app: web}}}}
---
{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: none}, spec: {minAvailable: 1, selector: {matchLabels: {app: wbe}}}}
---
{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: web}, spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, minReplicas: 2, maxReplicas: 6}}
---
{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: wbe}, spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: wbe}, maxReplicas: 6}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: nobody}, spec: {podSelector: {matchLabels: {app: wbe}}, policyTypes: [Ingress]}}
YAML
check "a budget that lets nobody go" finds no-disruptions "of 2 Pods 2 must be there" -f good.yaml -f bounds.yaml pdb/all
check "a budget of nobody" notes selects-nobody -f good.yaml -f bounds.yaml pdb/none
check "an autoscaler of what there is not" finds scale-target '"name":"web"' -f good.yaml -f bounds.yaml hpa/wbe
check "an autoscaler without metrics" finds no-metrics "install metrics-server" -f good.yaml -f bounds.yaml --at 20s hpa/web
check "a policy of nobody" notes selects-nobody -f good.yaml -f bounds.yaml netpol/nobody

(cat good.yaml; printf -- '---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web}\n---\n'; pod '{serviceAccountName: webb, containers: [{name: c, image: nginx}]}') >account.yaml
check "a ServiceAccount that is not there" notes reference-missing -f account.yaml pod/p
check "nearly one that is" grep -q 'perhaps "web" was meant' said
(cat good.yaml; printf -- '---\n'; sed -n '/^kind: Deployment/,/containers/p' good.yaml | sed '1s/^/apiVersion: apps\/v1\n/; s/{name: web}/{name: other}/; s/tier: front/tier: back/; s/containerPort: 8080, name: http/containerPort: 6379/') | sed 's/targetPort: http/targetPort: 8080/' >wide.yaml
check "a selector that takes in another workload" finds selects-others '"selector":{"tier":"front"}' -f wide.yaml svc/web
check "the patch helps" grep -q 'tried on a copy: 2 of 2 endpoints ready' said
printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: p, annotations: {podwire.io/c.exits: 137 after 5s}}\nspec: {containers: [{name: c, image: x, resources: {limits: {memory: 10Mi}}}]}\n' >again.yaml
check "one that runs, and has not always" notes restarts -f again.yaml --at 8s pod/p
check "with its limit" grep -q 'resources.limits.memory: 10Mi' said
printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: p, annotations: {podwire.io/i.exits: never}}\nspec: {initContainers: [{name: i, image: x}], containers: [{name: c, image: x}]}\n' >hung.yaml
check "an init container that waits" finds init-runs "logs p -c i" -f hung.yaml pod/p
printf 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {nodeSelector: {node-role.kubernetes.io/control-plane: ""}, containers: [{name: c, image: x}]}}}\n' >tainted.yaml
check "the nodes that it asks for are tainted" finds taint "the nodes with the labels that it asks for have a taint" -f tainted.yaml deploy/d
check "and a toleration helps" grep -q 'tried on a copy: 1 of 1 ready' said
p() { "$podwire" "$@" >/dev/null 2>&1; }
p apply -f good.yaml
node=$("$podwire" get pods -l app=web -o 'jsonpath={.items[0].spec.nodeName}')
pod=$("$podwire" get pods -l app=web -o 'jsonpath={.items[0].metadata.name}')
p fault node "$node"; p advance 2m
check "a node that fell silent" finds node-silent "Unknown since" "node/$node"
check "takes its Pods' readiness away" finds node-silent "the control plane took its Pods' readiness away" "pod/$pod"
p advance 6m
check "and later they are Terminating for ever" finds terminating-on-dead-node "only the kubelet" "pod/$pod"
check "as JSON" grep -q '"code": "terminating-on-dead-node"' <("$podwire" why "pod/$pod" -o json)

# What a Service's class and the kernel's own switch for forwarding do
(sed 's/selector: {app: web}, ports/type: LoadBalancer, loadBalancerClass: example.com\/x, &/; s/metadata: {name: web}$/&/' good.yaml) >classed.yaml
sed 's/type: LoadBalancer, loadBalancerClass: example.com.x, //; s/ports: \[{port: 80/type: LoadBalancer, &/' classed.yaml >unclassed.yaml
address() { "$podwire" get svc/web --cloud-lb 203.0.113.0/24 -f "$1" -o 'jsonpath={.status.loadBalancer.ingress[0].ip}'; }
check "the cloud leaves a Service of another class alone" test -z "$(address classed.yaml)"
check "and gives one without a class its address" test "$(address unclassed.yaml)" = 203.0.113.1
check "why says whose class nobody serves" notes load-balancer-pending -f classed.yaml --cloud-lb 203.0.113.0/24 svc/web
check "and names it" grep -qF 'the class "example.com/x"' said
check "nodes that forward nothing" finds ip-forward "net.ipv4.ip_forward is 0" -f good.yaml --kernel ip-forward=off pod/client svc/web:80
cat >causes.yaml <<'YAML'
{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {pods: "1"}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: over}
spec: {replicas: 3, progressDeadlineSeconds: 5, selector: {matchLabels: {app: over}}, template: {metadata: {labels: {app: over}}, spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]}}}
---
{apiVersion: v1, kind: Service, metadata: {name: over}, spec: {selector: {app: over}, ports: [{port: 80, targetPort: web}]}}
---
{apiVersion: batch/v1, kind: CronJob, metadata: {name: never}, spec: {schedule: 0 0 30 2 *, jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox}]}}}}}}
YAML
check "what follows from a cause stands behind it" finds progress-deadline " 1. its Pods are refused" -f causes.yaml --at 1m deploy/over
check "endpoints without the port that is asked for" finds port-name-unknown "it has 1 endpoint, and none with a port" -f causes.yaml svc/over
check "a schedule that never comes" finds never-scheduled "0 0 30 2 *" -f causes.yaml cronjob/never
cat >halfgate.yaml <<'YAML'
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: half}
spec: {listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: half}
spec: {parentRefs: [{name: half}], rules: [{backendRefs: [{port: 80}]}]}
YAML
check "a Gateway without a class is refused, as the API refuses it" status 2 "$podwire" why -f halfgate.yaml gateway/half
check "with its place" says 'halfgate.yaml:4:7: Gateway "half": spec.gatewayClassName: Required value' "$podwire" why -f halfgate.yaml gateway/half
check "and a backend without a name" says 'spec.rules[0].backendRefs[0].name: Required value' "$podwire" why -f halfgate.yaml httproute/half
finish
