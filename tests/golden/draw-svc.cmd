draw svc/web -f scenarios/figures/clusterip.yaml -o mermaid
