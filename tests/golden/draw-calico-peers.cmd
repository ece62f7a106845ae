draw calico -f tests/tui/shop.yaml -f tests/tui/foreign.yaml -n shop -o mermaid 2>/dev/null
