#!/usr/bin/env bash
# What kubectl makes from a few words: create, run, expose, autoscale; and wait.
. "$(dirname "$0")/lib.sh"
p() { "$podwire" "$@"; }
dry() { local verb=$1; shift; "$podwire" "$verb" --dry-run=client -o json "$@"; }
path() { local want=$1 at=$2 have; shift 2; have=$(dry "$@" 2>&1 | python3 -c 'import json,sys
v = json.load(sys.stdin)
for k in sys.argv[1].split("."): v = v[int(k)] if isinstance(v, list) else v[k]
print(json.dumps(v, sort_keys=True))' "$at" 2>&1); [ "$have" = "$want" ] || { echo "$have"; false; }; }

check "a Deployment: its label" path '{"app": "web"}' spec.template.metadata.labels create deployment web --image=r.example:5000/a/my_app.x:1@sha256:0 --port=80 --replicas=2
check "and container, called as the image" path '{"image": "r.example:5000/a/my_app.x:1", "name": "my-app-x", "ports": [{"containerPort": 80}], "resources": {}}' spec.template.spec.containers.0 create deploy web --image=r.example:5000/a/my_app.x:1 --port=80
check "several images" path '"b"' spec.template.spec.containers.1.name create deployment web --image=a:1 --image=b
check "a command behind --" path '["sleep", "1"]' spec.template.spec.containers.0.command create deployment web --image=a -- sleep 1
check "without an image" says "--image is missing" p create deployment web
check "a number is digits alone" says '--port: "+80" is not a number from 1 to 65535' p create deployment web --image=a --port=+80
check "without a blank before them" says '--replicas: " 2" is not a number from 0 to 2147483647' p create deployment web --image=a --replicas=' 2'
check "a port that is none" says '--port: "70000" is not a number from 1 to 65535' p create deployment web --image=a --port=70000
check "a Service's ports" path '[{"name": "80-web", "port": 80, "protocol": "TCP", "targetPort": "web"}, {"name": "81", "port": 81, "protocol": "TCP", "targetPort": 81}]' spec.ports create service clusterip web --tcp=80:web --tcp=81
check "headless" path '"None"' spec.clusterIP create svc clusterip web --clusterip=None
check "a node port" path '30080' spec.ports.0.nodePort create service nodeport web --tcp=80:8080 --node-port=30080
check "a name outside" path '"example.org"' spec.externalName create service externalname web --external-name example.org
check "a type that is none" says 'is not clusterip, nodeport, loadbalancer or externalname' p create service external web --tcp=80
check "an Ingress: paths" path '[{"backend": {"service": {"name": "web", "port": {"number": 80}}}, "path": "/x", "pathType": "Prefix"}, {"backend": {"service": {"name": "api", "port": {"name": "http"}}}, "path": "/", "pathType": "Exact"}]' spec.rules.0.http.paths create ingress i --rule='a.example/x*=web:80,tls=s' --rule='a.example/=api:http,tls=s'
check "and TLS, each host once" path '[{"hosts": ["a.example", "b.example"], "secretName": "s"}]' spec.tls create ingress i --rule='a.example/x*=web:80,tls=s' --rule='a.example/=web:80,tls=s' --rule='b.example/=web:80,tls=s'
check "class, annotations, default" path '{"a/b": "c=d"}' metadata.annotations create ingress i --class=nginx --annotation a/b=c=d --default-backend=web:80
check "a rule that is none" says 'is not HOST/PATH=SERVICE:PORT' p create ingress i --rule=a.example=web:80
check "a Secret's data in base 64" path '{"a": "Yg=="}' data create secret generic s --from-literal=a=b
printf 'x: 1\n' >c.conf
check "a file" path '{"c.conf": "x: 1\n", "other": "x: 1\n"}' data create configmap c --from-file=c.conf --from-file=other=c.conf
check "a file that is not there" says "none.conf: No such file" p create configmap c --from-file=none.conf
printf '\377\0x' >raw; mkdir -p conf/below; cp c.conf conf/; printf y >conf/y
check "a file that is no text" path '"/wB4"' binaryData.raw create configmap c --from-file=raw
check "whole, in a Secret" path '{"raw": "/wB4"}' data create secret generic s --from-file=raw
check "each file of a folder" path '{"c.conf": "x: 1\n", "y": "y"}' data create configmap c --from-file=conf
check "which has no key" says "leave the key out" p create configmap c --from-file=a=conf
check "a key without a file" says '"a=" is not [KEY=]FILE' p create configmap c --from-file=a=
check "a key twice" says 'the key "raw" is given twice' p create configmap c --from-file=raw --from-literal=raw=x
check "a folder for a certificate" says "conf: Is a directory" p create secret tls s --cert=conf --key=c.conf
check "a tls Secret" path '{"tls.crt": "eDogMQo=", "tls.key": "eDogMQo="}' data create secret tls s --cert=c.conf --key=c.conf
check "a Job" path '"Never"' spec.template.spec.restartPolicy create job j --image=a
check "a CronJob" path '"OnFailure"' spec.jobTemplate.spec.template.spec.restartPolicy create cronjob j --image=a --schedule='*/5 * * * *'
check "a budget" path '"50%"' spec.minAvailable create pdb b --selector=app=web --min-available=50%
check "a Role: a rule for each group" path '[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}, {"apiGroups": ["apps"], "resources": ["deployments", "deployments/scale"], "verbs": ["get", "list"]}]' rules create role r --verb=get,list --resource=pods,deployments.apps,deploy/scale,po
check "of a resource that there is not" says 'doesn'"'"'t have a resource type "foo"' p create role r --verb=get --resource=foo
check "a ClusterRole on paths" path '[{"nonResourceURLs": ["/logs/*"], "verbs": ["get"]}]' rules create clusterrole r --verb=get --non-resource-url='/logs/*'
check "a binding's subjects" path '[{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "b", "namespace": "a"}]' subjects create rolebinding r --role=x --user=u --serviceaccount=a:b
check "of one role" says "exactly one of clusterrole or role must be specified" p create rolebinding r --role=x --clusterrole=y
check "an account without its namespace" says 'must be <namespace>:<name>' p create rolebinding r --role=x --serviceaccount=b
check "a quota" path '{"hard": {"pods": "2"}, "scopes": ["BestEffort"]}' spec create quota q --hard=pods=2 --scopes=BestEffort
check "a PriorityClass" path '-10' value create priorityclass c --value=-10 --description=x
check "a value that is no number" says "is not a number from -2147483648" p create priorityclass c --value=--5
check "a registry's Secret" path '{".dockerconfigjson": "eyJhdXRocyI6eyJ4Ijp7InVzZXJuYW1lIjoidSIsInBhc3N3b3JkIjoicCIsImF1dGgiOiJkVHB3In19fQ=="}' data create secret docker-registry s --docker-username=u --docker-password=p --docker-server=x
printf '# c\nA=b\n  X=y=z\n\nNOT_SET_ANYWHERE\n' >e.env
check "the lines of a file" path '{"A": "b", "X": "y=z"}' data create configmap c --from-env-file=e.env
check "which stand alone" says "cannot be combined" p create configmap c --from-env-file=e.env --from-literal=a=b
printf '1a=b\n' >bad.env
check "and are names" says 'bad.env:1: "1a" is not a valid key name' p create configmap c --from-env-file=bad.env
check "what kubectl's encoder writes beside" path '{"loadBalancer": {}}' status create service clusterip web --tcp=80
check "run shows the Pod" path '"Always"' spec.restartPolicy run x --image=a
check "a dry run of no Pod" says "--dry-run is for a Pod" p run scenario.yaml --dry-run
check "what does not go together" says "--image does not go with create namespace" p create namespace n --image=a
check "a kind that has no few words" says "apply -f FILE takes any kind" p create node n
check "none of these has made a lab" test ! -e podwire.db

check "create" says "deployment.apps/web created" p create deployment web --image=nginx --replicas=2 --port=80
check "again: it is there" says 'deployments.apps "web" already exists' p create deployment web --image=nginx
check "and that is no success" status 1 p create deployment web --image=nginx
check "it was never applied" sh -c "! '$podwire' get deploy web -o yaml | grep last-applied"
dry create deployment web --image=nginx --replicas=2 --port=80 >web.json
check "apply says so" says "web.json:1:1: warning: resource deployments/web is missing the kubectl.kubernetes.io/last-applied-configuration annotation" p apply -f web.json
check "once" says "deployment.apps/web unchanged" p apply -f web.json
check "create -f" status 1 p create -f web.json
check "expose" says "service/web exposed" p expose deploy/web
check "with the container's port" says "[80 80 TCP]" p get svc web -o 'jsonpath=[{.spec.ports[0].port} {.spec.ports[0].targetPort} {.spec.ports[0].protocol}]'
check "on other ports" p expose deployment web --name=two --port=8080,8443 --target-port=80 --type=NodePort
check "each with a name" says "port-1 port-2" p get svc two -o 'jsonpath={.spec.ports[*].name}'
check "what no Service can show" says "cannot expose a Node" p expose node/worker-1 --port 80
check "run" says "pod/client created" p run client --image=busybox --env=A=b -- sleep infinity
check "with its label" says "client" p get pods -l run=client
check "it reaches the Service" p trace pod/client svc/web:80 -q
check "run of a Pod without an image" says "--image is missing" p run client --labels=a=b
check "autoscale" says "horizontalpodautoscaler.autoscaling/web autoscaled" p autoscale deploy/web --min=2 --max=5 --cpu-percent=80
check "with its target" says "Deployment/web" p get hpa web
check "of what has no replicas" says "cannot autoscale a Pod" p autoscale pod/client --max=3

check "a dry run shows what expose makes, not what the server would" says "absent" sh -c "'$podwire' expose deploy/web --name=x --port=80 --dry-run=client -o yaml | grep -q clusterIP || echo absent"
printf 'apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: nightly}\nspec: {schedule: "0 0 1 1 *", jobTemplate: {metadata: {labels: {l: m}}, spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox}]}}}}}\n' | p apply -q -f -
check "a Job out of a CronJob" says "job.batch/now created" p create job now --from=cronjob/nightly
check "which is its owner" says "CronJob nightly manual m" p get job now -o "jsonpath={.metadata.ownerReferences[0].kind} {.metadata.ownerReferences[0].name} {.metadata.annotations.cronjob\.kubernetes\.io/instantiate} {.metadata.labels.l}"
check "out of something else" says "from must be an existing cronjob" p create job now2 --from=deploy/web
p delete job now -q; p delete cronjob nightly -q
check "wait for a condition" says "deployment.apps/web condition met" p wait deploy/web --for=condition=available
check "for a value" says "pod/client condition met" p wait pods --all --for=jsonpath='{.status.phase}'=Running
check "for what never comes" says "timed out waiting for the condition on pods/client" p wait pod/client --for=condition=Ready=False --timeout=5s
check "without waiting" says "condition not met for pods/client" p wait pod/client --for=condition=Ready=False --timeout=0
check "for what nobody selects" says "no matching resources found" p wait pods -l a=b --for=condition=Ready
check "a condition without a name" says "condition= needs a name" p wait pod/client --for=condition=
check "several goals, one after the other" says "2" sh -c "'$podwire' wait pod/client --for=condition=Ready --for=jsonpath='{.status.phase}'=Running | grep -c 'condition met'"
check "create comes first" says "condition met" p wait pod/client --for=condition=Ready --for=create
check "a path without a value" says "has to have a value after equal sign" p wait pod/client "--for=jsonpath={.status.phase}="
check "no path" says "jsonpath expression cannot be empty" p wait pod/client --for=jsonpath=
check "a goal that is none" status 2 p wait pod/client --for=Ready
before=$(p get deploy web -o 'jsonpath={.status.readyReplicas}')
sed -i 's/"replicas": 2/"replicas": 4/' web.json; p apply -f web.json --no-settle -q
check "a Deployment on its way" test "$before" != 4
check "is waited for" says "condition met" p wait deploy/web --for=jsonpath='{.status.readyReplicas}'=4 --timeout=2m
check "and is there" says 4 p get deploy web -o 'jsonpath={.status.readyReplicas}'
p delete pod client --no-settle -q
check "what goes is waited for" says "pod/client condition met" p wait pod/client --for=delete --timeout=60s
check "and has gone" status 1 p get pod client
check "of several kinds each" says "service/none condition met" p wait pod,svc none --for=delete
check "and each of the names" says "pod/other condition met" p wait pod,svc none other --for=delete
check "kinds and KIND/NAME together" says 'with KIND/NAME, every argument is one' p wait pod svc/none --for=delete
check "a name too much" says '"b": with KIND/NAME' p wait pod/a b --for=delete
printf '{"spec": {"replicas": 3}}\n\0x' >nul.yaml
check "a patch that is no text" says "nul.yaml: byte 27 is NUL: not a text file" p patch deploy web --patch-file nul.yaml
check "a zone that is no text" says "nul.yaml: byte 27 is NUL" p dns -f web.json --zone nul.yaml pod/x web

check "a chart's template" says "helm template CHART" sh -c "printf '{{- if .Values.x }}\nkind: Pod\n{{- end }}\n' | '$podwire' apply -f -"
mkdir kust; printf 'kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\n' >kust/kustomization.yaml
check "a kustomization" says "kustomize build DIR | podwire" p apply -f kust --dry-run
check "an option that only a living cluster has" says "podwire import -" p get pods --kubeconfig x
check "a verb that only a living cluster has" says "podwire up" p debug node/worker-1
finish
