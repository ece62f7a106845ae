draw trace deploy/email svc/redis:80 -n shop -f scenarios/figures/shop.yaml -o mermaid
