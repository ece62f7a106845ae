draw trace pod/client svc/web:80 -f scenarios/figures/clusterip.yaml -o dot
