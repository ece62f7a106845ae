draw clusterip -f scenarios/figures/clusterip.yaml -o dot
