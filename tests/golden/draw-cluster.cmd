draw cluster -f scenarios/figures/shop.yaml -o mermaid
