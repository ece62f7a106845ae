svg-structure draw matrix -f scenarios/figures/shop.yaml -o svg
