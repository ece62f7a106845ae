draw calico -f scenarios/figures/calico-cluster.yaml -o dot
