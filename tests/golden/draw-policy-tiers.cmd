draw policy -f scenarios/regressions/policies-in-tiers.yaml -o mermaid
