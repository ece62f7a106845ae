# what stands in a lab, in words that do not change with podwire's version: look.sh PODWIRE
p=$1
row='{range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name} {.metadata.uid} {.metadata.labels} {.spec.nodeName} {.status.podIP} {.status.phase} {.spec.replicas} {.spec.clusterIP} {.data}{"\n"}{end}'
for kind in nodes namespaces deployments replicasets services configmaps networkpolicies daemonsets pods; do
	for at in "" "--at 20s" "--at 0s"; do
		echo "# $kind $at"; "$p" get $kind -A $at -o jsonpath="$row"
	done
done
echo "# endpoints"; "$p" get endpointslices -A -o jsonpath='{range .items[*]}{.metadata.name} {.endpoints[*].addresses[0]}{"\n"}{end}'
echo "# events"; "$p" events -A
echo "# inputs"; "$p" export -o yaml
