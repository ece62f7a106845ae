draw timeline pod/shop -f scenarios/figures/ingress-multicontainer.yaml -o mermaid
