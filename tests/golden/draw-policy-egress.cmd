draw policy -f tests/golden/draw-policy-egress.yaml -o mermaid
