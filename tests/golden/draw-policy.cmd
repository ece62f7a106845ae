draw policy -f scenarios/figures/shop.yaml -o mermaid
