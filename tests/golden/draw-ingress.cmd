draw ingress -f scenarios/figures/ingress-multicontainer.yaml -o dot
