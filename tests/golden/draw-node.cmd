draw node/worker-1 -f scenarios/figures/clusterip.yaml -o mermaid
