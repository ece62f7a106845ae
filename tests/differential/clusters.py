#!/usr/bin/env python3
"""Random clusters: what podwire walks against what this kernel does.

clusters.py gen SEED FILE [--mode nftables|iptables] [--family ipv4|ipv6|dual] [--requests yes]   writes objects of a random cluster
clusters.py talk PODWIRE FILE SCRIPT [FLAG…]    inside fresh namespaces that SCRIPT (podwire rules -o sh) builds: makes every connection and compares

A connection is made several times. Each of its ends must be one that the walk foresees: who answers, whose address it sees, refused, or silence.
Prints one line for each difference, what features the cluster had, and a closing line `N passed, N failed, 0 skipped`."""
import ctypes, json, os, random, socket, subprocess, sys, threading, time
from concurrent.futures import ThreadPoolExecutor

NODES = ["control-plane", "worker-1", "worker-2"]


def networks(r, family, out, features):
    """How packets travel between nodes: pools of Calico's, flannel's backend. Each network ignores the other's objects."""
    way = r.choice(["Never", "VXLAN", "CrossSubnet"])
    features.append("pool " + way)
    for name, cidr in (("four", "10.244.0.0/16"), ("six", "fd00:10:244::/56")):
        if family in ("dual", "ipv4" if name == "four" else "ipv6"):
            out.append({"apiVersion": "crd.projectcalico.org/v1", "kind": "IPPool", "metadata": {"name": name},
                        "spec": {"cidr": cidr, "ipipMode": "Never", "vxlanMode": {"Never": "Never", "VXLAN": "Always", "CrossSubnet": "CrossSubnet"}[way],
                                 "natOutgoing": r.random() < 0.7, "blockSize": 26 if name == "four" else 122}})
    backend = r.choice([{"Type": "vxlan"}, {"Type": "host-gw"}, {"Type": "vxlan", "VNI": 7}, {"Type": "vxlan", "DirectRouting": True}])
    features.append("flannel " + backend["Type"])
    out.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kube-flannel-cfg", "namespace": "kube-flannel"},
                "data": {"net-conf.json": json.dumps({"Network": "10.244.0.0/16", "EnableIPv6": family != "ipv4", "Backend": backend})}})


def proxy(r, mode, family, out, features):
    """How kube-proxy is told to work, and the nodes' zones."""
    conf = {"apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration", "mode": mode}
    if r.random() < 0.2:
        conf[mode] = {"masqueradeAll": True}
        features.append("masqueradeAll")
    if r.random() < 0.3:
        conf["nodePortAddresses"] = r.choice([["primary"], ["0.0.0.0/0", "::/0"], ["127.0.0.0/8"], ["172.18.0.0/30"], ["10.244.0.0/16", "fd00:10:244::/56"]])
        features.append("nodePortAddresses")
    if len(conf) > 3:
        out.append(conf)
    if r.random() < 0.4:
        features.append("zones")
        return ["a", "b", r.choice(["a", "b"])]
    return None


def policy(r, k, apps, family):
    """One NetworkPolicy: any mix of peers, ports and directions."""
    blocks = ([["172.18.0.0/16"], ["203.0.113.0/24"], ["10.244.0.0/16", "10.244.128.0/17"], ["0.0.0.0/0", "10.244.0.0/17", "172.18.0.4/32"], ["10.96.0.0/16"]] if family != "ipv6" else []) + \
             ([["fd00:10:244::/56"], ["::/0", "fd00:10:244:0:8000::/65"]] if family != "ipv4" else [])
    labels = lambda: r.choice([{"matchLabels": {"app": r.choice(apps)}}, {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": [r.choice(apps)]}]}, {}])

    def peer():
        x = r.random()
        if x < 0.4:
            return {"podSelector": labels()}
        if x < 0.6:
            return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": r.choice(["default", "other", "kube-system"])}}, **({"podSelector": labels()} if r.random() < 0.5 else {})}
        block = r.choice(blocks)
        return {"ipBlock": {"cidr": block[0], **({"except": block[1:]} if len(block) > 1 else {})}}

    def port():
        x = r.random()
        if x < 0.3:
            return {"port": r.choice([8080, 8081, 5353]), "protocol": r.choice(["TCP", "TCP", "UDP"])}
        if x < 0.6:
            return {"port": r.choice(["http", "dns"]), "protocol": r.choice(["TCP", "UDP"])}
        return {"port": 5000, "endPort": r.choice([8080, 9000]), "protocol": r.choice(["TCP", "UDP"])} if x < 0.85 else {"protocol": r.choice(["TCP", "UDP"])}

    def rules(key):
        return [{**({key: [peer() for _ in range(r.randint(1, 2))]} if r.random() < 0.8 else {}), **({"ports": [port() for _ in range(r.randint(1, 2))]} if r.random() < 0.5 else {})}
                for _ in range(r.choice([0, 1, 1, 2]))]
    types = r.choice([["Ingress"], ["Egress"], ["Ingress", "Egress"]])
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": f"n{k}", "namespace": r.choice(["default", "default", "other"])},
            "spec": {"podSelector": labels(), "policyTypes": types, **({"ingress": rules("from")} if "Ingress" in types else {}), **({"egress": rules("to")} if "Egress" in types else {})}}


def tiered(seed, apps, family):
    """Calico's own policies, tiers, sets of networks and cluster-wide policies; drawn apart, so that a seed's cluster is what it was without them."""
    r = random.Random(seed * 13 + 5)
    nets = ([["10.244.0.0/16"], ["10.244.128.0/17", "203.0.113.0/24"], ["172.18.0.0/16"]] if family != "ipv6" else []) + ([["fd00:10:244::/56"], ["fd00:10:244:0:8000::/65", "2001:db8::/32"]] if family != "ipv4" else [])
    select = lambda: r.choice(["all()", f"app == '{r.choice(apps)}'", f"app != '{r.choice(apps)}'", f"app in {{'{r.choice(apps)}', '{r.choice(apps)}'}}", "!has(app)", f"has(app) && !(app == '{r.choice(apps)}')"])

    def side(ports):
        e = {}
        if r.random() < 0.5:
            e["selector"] = r.choice([select(), "net == 'some'"])
        if r.random() < 0.25:
            e["namespaceSelector"] = r.choice(["all()", "global()", f"projectcalico.org/name == '{r.choice(['default', 'other'])}'", "kubernetes.io/metadata.name != 'other'"])
        if r.random() < 0.2:
            e["nets"] = r.choice(nets)
        if r.random() < 0.15:
            e["notNets"] = r.choice(nets)
        if r.random() < 0.1:
            e["notSelector"] = select()
        if ports:
            e[ports] = r.choice([[8080], [8080, 8081, 5353], ["5000:9000"], ["http"], ["dns", 8081], ["8000:8080", "http"]])
        return e

    def calico_rule(d):
        proto = r.choice([None, None, "TCP", "UDP"])
        ports = proto and r.choice([None, "ports", "ports", "notPorts"])
        other, own = ("source", "destination") if d == "ingress" else ("destination", "source")
        out = {"action": r.choice(["Allow", "Allow", "Deny", "Pass", "Log"]), other: side(ports if d == "egress" else None)}
        if d == "ingress" and ports:
            out[own] = {ports: side(ports)[ports]}
        elif r.random() < 0.1:
            out[own] = side(None)
        if proto:
            out["protocol"] = proto
        elif r.random() < 0.15:
            out["notProtocol"] = r.choice(["TCP", "UDP"])
        return out

    def one_family(rule):
        """Calico refuses a rule with nets of both families: those of the first that it names stay."""
        first = None
        for end in ("source", "destination"):
            for key in ("nets", "notNets"):
                if key in rule.get(end, {}):
                    six = ":" in rule[end][key][0]
                    first = six if first is None else first
                    if six != first:
                        del rule[end][key]
        return rule

    def calico(k):
        name, tier = f"c{k}", r.choice(["default", "default", "early"])
        types = r.choice([["Ingress"], ["Egress"], ["Ingress", "Egress"]])
        spec = {"tier": tier, "order": r.choice([10, 1000, 2000]), "selector": select(), "types": types}
        for t in types:
            spec[t.lower()] = [one_family(calico_rule(t.lower())) for _ in range(r.randint(0, 3))]
        if r.random() < 0.5:
            return {"apiVersion": "projectcalico.org/v3", "kind": "GlobalNetworkPolicy", "metadata": {"name": name}, "spec": spec}
        return {"apiVersion": "projectcalico.org/v3", "kind": "NetworkPolicy", "metadata": {"name": name, "namespace": r.choice(["default", "other"])}, "spec": spec}

    def cluster_wide(k):
        labels = lambda: r.choice([{"matchLabels": {"app": r.choice(apps)}}, {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": [r.choice(apps)]}]}, {}])
        peer = lambda to: {"networks": r.choice(nets)} if to and r.random() < 0.3 else {"pods": {"namespaceSelector": {}, "podSelector": labels()}}
        rule = lambda to: {"action": r.choice(["Accept", "Deny", "Pass"]), "to" if to else "from": [peer(to)],
                           **({"protocols": [{r.choice(["tcp", "udp"]): {"destinationPort": r.choice([{"number": 8080}, {"range": {"start": 5000, "end": 9000}}])}}]} if r.random() < 0.6 else {})}
        return {"apiVersion": "policy.networking.k8s.io/v1alpha2", "kind": "ClusterNetworkPolicy", "metadata": {"name": f"w{k}"},
                "spec": {"tier": r.choice(["Admin", "Baseline"]), "priority": r.randint(0, 9), "subject": {"pods": {"namespaceSelector": {}, "podSelector": labels()}},
                         "ingress": [rule(False) for _ in range(r.randint(0, 2))], "egress": [rule(True) for _ in range(r.randint(0, 2))]}}
    out = [{"apiVersion": "projectcalico.org/v3", "kind": "Tier", "metadata": {"name": "early"}, "spec": {"order": 100, "defaultAction": r.choice(["Deny", "Pass"])}},
           {"apiVersion": "projectcalico.org/v3", "kind": "GlobalNetworkSet", "metadata": {"name": "some", "labels": {"net": "some"}}, "spec": {"nets": sum(nets[:2], [])}}]
    return out + [calico(k) for k in range(r.randint(0, 3))] + [cluster_wide(k) for k in range(r.randint(0, 2))] if r.random() < 0.4 else []


def by_hand(r, i, pods, family):
    """A Service whose endpoints somebody wrote: terminating ones, such as serve no more, an address outside."""
    v6 = family == "ipv6"
    ends = [{"addresses": ["2001:db8:113::a" if v6 else "203.0.113.10"], "conditions": r.choice([{}, {"ready": False}, {"ready": False, "terminating": True}])}]
    port = 8080
    return [{"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"h{i}"}, "spec": {"type": r.choice(["ClusterIP", "NodePort"]), "ports": [{"port": 90 + i, "targetPort": port}]}},
            {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": f"h{i}-1", "labels": {"kubernetes.io/service-name": f"h{i}"}},
             "addressType": "IPv6" if v6 else "IPv4", "endpoints": ends, "ports": [{"name": "", "port": port}]}]


def proxied(seed, services):
    """Requests: an Ingress and a Gateway's routes to those Services, for the controllers k8s.io/ingress-nginx and example.net/gateway; and probes."""
    r, out = random.Random(seed * 7 + 1), []
    tcp = [s for s in services if s["spec"]["ports"][0].get("protocol", "TCP") == "TCP"]
    if not tcp:
        return out
    port = lambda s: s["spec"]["ports"][0]["port"]
    for i in range(r.randint(1, 3)):
        paths = [{"path": p, "pathType": r.choice(["Prefix", "Exact"]), "backend": {"service": {"name": s["metadata"]["name"], "port": {"number": port(s)}}}}
                 for p in r.sample(["/", "/a", "/a/b", "/c", "/d/"], r.randint(1, 3)) for s in [r.choice(tcp)]]
        notes = r.choice([{}, {}, {"nginx.ingress.kubernetes.io/rewrite-target": "/new"}, {"nginx.ingress.kubernetes.io/whitelist-source-range": "203.0.113.0/24,2001:db8::/32"},
                          {"nginx.ingress.kubernetes.io/app-root": "/home"}])
        out.append({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": f"i{i}", "annotations": notes},
                    "spec": {"ingressClassName": "nginx", **({"tls": [{"hosts": [f"h{i}.test"]}]} if r.random() < 0.3 else {}),
                             "rules": [{"host": r.choice([f"h{i}.test", f"*.w{i}.test"]), "http": {"paths": paths}}]}})
    routes = []
    for i in range(r.randint(1, 3)):
        match = {"path": {"type": r.choice(["PathPrefix", "Exact"]), "value": r.choice(["/x", "/x/y", "/z"])}}
        if r.random() < 0.3:
            match["method"] = r.choice(["GET", "POST"])
        if r.random() < 0.3:
            match["headers"] = [{"name": "X-Kind", "value": r.choice(["one", "two"])}]
        filters = [r.choice([{"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "X-Set", "value": "1"}], "remove": ["X-Gone"]}},
                             {"type": "URLRewrite", "urlRewrite": {"hostname": "in.test", "path": {"type": "ReplaceFullPath", "replaceFullPath": "/w"}}},
                             {"type": "CORS", "cors": {"allowOrigins": ["https://*.ok.test"], "allowMethods": ["GET"]}},
                             {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"add": [{"name": "X-Answer", "value": "42"}]}}])] if r.random() < 0.6 else []
        routes.append({"matches": [match], "filters": filters, "backendRefs": [{"name": s["metadata"]["name"], "port": port(s), "weight": r.randint(1, 3)} for s in r.sample(tcp, min(len(tcp), r.randint(1, 2)))]})
    return out + [
        {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "nginx"}, "spec": {"controller": "k8s.io/ingress-nginx"}},
        {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": "gc"}, "spec": {"controllerName": "example.net/gateway"}},
        {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"name": "gw"}, "spec": {"gatewayClassName": "gc", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]}},
        {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "r"}, "spec": {"parentRefs": [{"name": "gw"}], "hostnames": ["app.test"], "rules": routes}}]


def gen(seed, path, mode, family, requests=False):
    r, out, features = random.Random(seed), [], []
    subnets = {"ipv4": ("10.244.0.0/16", "10.96.0.0/16"), "ipv6": ("fd00:10:244::/56", "fd00:10:96::/112"),
               "dual": ("10.244.0.0/16,fd00:10:244::/56", "10.96.0.0/16,fd00:10:96::/112")}[family]
    out.append({"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "name": "podwire", "nodes": [{"role": "control-plane"}, {"role": "worker"}, {"role": "worker"}],
                "networking": {"podSubnet": subnets[0], "serviceSubnet": subnets[1], "ipFamily": family, "kubeProxyMode": mode}})
    networks(r, family, out, features)
    zones = proxy(r, mode, family, out, features)
    for node, zone in zip(out[0]["nodes"], zones or []):
        node["labels"] = {"topology.kubernetes.io/zone": zone}
    out.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}})
    apps = ["a", "b", "c"]
    pods = []
    for i in range(r.randint(5, 7)):
        node, app = r.choice(["podwire-worker", "podwire-worker2", "podwire-control-plane"]), r.choice(apps)
        ports = [{"name": "http", "containerPort": r.choice([8080, 8081])}]
        if r.random() < 0.4:
            ports.append({"name": "dns", "containerPort": 5353, "protocol": "UDP"})
        if r.random() < 0.3:
            ports[-1]["hostPort"] = 9000 + i
            if r.random() < 0.3:
                ports[-1]["hostIP"] = r.choice(["127.0.0.1", "0.0.0.0", "172.18.0.3"])
            features.append("hostPort" + ("/UDP" if len(ports) > 1 else ""))
        spec = {"nodeName": node, "terminationGracePeriodSeconds": 0, "containers": [{"name": "c", "image": "server", "ports": ports}]}
        if r.random() < 0.15 and "hostPort" not in ports[-1]:
            spec["hostNetwork"] = True
            ports[0]["containerPort"] = 8100 + i
            del ports[1:]
            features.append("hostNetwork")
        if r.random() < 0.15:
            spec["readinessGates"] = [{"conditionType": "example.com/never"}]
            features.append("unready")
        pods.append(f"p{i}")
        ns = "other" if r.random() < 0.2 else "default"
        out.append({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"p{i}", "namespace": ns, "labels": {"app": app}}, "spec": spec})
    for i in range(r.randint(5, 7)):
        kind = r.choice(["ClusterIP", "NodePort", "LoadBalancer"])
        udp = r.random() < 0.25
        port = {"name": "x", "port": 80 + i, "targetPort": "dns" if udp else r.choice(["http", 8080]), "protocol": "UDP" if udp else "TCP"}
        spec = {"type": kind, "selector": {"app": r.choice(apps + ["nobody"])}, "ports": [port]}
        if r.random() < 0.2:
            spec["ports"].append({"name": "y", "port": 180 + i, "targetPort": r.choice(["http", 8081, "none"])})
        if zones and r.random() < 0.6:
            spec["trafficDistribution"] = r.choice(["PreferSameZone", "PreferSameNode"])
            features.append("trafficDistribution")
        if r.random() < 0.15:
            spec["publishNotReadyAddresses"] = True
            features.append("publishNotReady")
        status = None
        if kind != "ClusterIP" and r.random() < 0.5:
            spec["externalTrafficPolicy"] = "Local"
            features.append("externalTrafficPolicy")
        if r.random() < 0.3:
            spec["internalTrafficPolicy"] = "Local"
            features.append("internalTrafficPolicy")
        if r.random() < 0.2:
            spec["sessionAffinity"] = "ClientIP"
            features.append("sessionAffinity")
        if r.random() < 0.3:
            spec["externalIPs"] = ([f"198.51.100.{i + 1}"] if family != "ipv6" else []) + ([f"2001:db8:99::{i + 1}"] if family != "ipv4" else [])
            features.append("externalIPs")
        if kind == "LoadBalancer":
            status = {"loadBalancer": {"ingress": [{"ip": ip, "ipMode": r.choice(["VIP", "VIP", "Proxy"])} for ip in
                                                   ([f"192.0.2.{i + 1}"] if family != "ipv6" else []) + ([f"2001:db8:98::{i + 1}"] if family != "ipv4" else [])]}}
            if r.random() < 0.4:
                spec["loadBalancerSourceRanges"] = r.sample(["203.0.113.0/24", "10.244.0.0/16", "172.18.0.0/16"] if family == "ipv4" else
                                                            ["fd00:10:244::/56", "2001:db8::/64", "172.18.0.3/32", "10.244.0.0/16"], r.randint(1, 2))
                features.append("sourceRanges")
        if family == "dual":
            spec["ipFamilyPolicy"] = r.choice(["SingleStack", "PreferDualStack"])
        features.append(kind + ("/UDP" if udp else ""))
        svc = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"s{i}"}, "spec": spec}
        if status:
            svc["status"] = status
        out.append(svc)
    for i in range(r.choice([0, 0, 1, 2, 3])):
        features.append("NetworkPolicy")
        out.append(policy(r, i, apps, family))
    extra = tiered(seed, apps, family)
    if extra:
        features.append("policies in tiers")
        out += extra
    if r.random() < 0.3:
        features.append("slices by hand")
        out += by_hand(r, 0, pods, family)
    if r.random() < 0.1:
        out[-1]["metadata"].setdefault("labels", {})["service.kubernetes.io/service-proxy-name"] = "other"
    if requests:
        out += proxied(seed, [o for o in out if o["kind"] == "Service"])
        for p in (o for o in out if o["kind"] == "Pod" and not o["spec"].get("readinessGates")):
            c = p["spec"]["containers"][0]
            c["readinessProbe"] = {"httpGet": {"path": "/healthz", "port": c["ports"][0]["containerPort"]}}
    with open(path, "w") as f:
        json.dump({"apiVersion": "v1", "kind": "List", "items": out}, f)
    print("features", ", ".join(sorted(set(features))))


libc = ctypes.CDLL(None, use_errno=True)


def inside(ns, fn):
    """Runs fn in a thread of its own that has entered the namespace: what it makes belongs there."""
    out = []

    def go():
        fd = os.open("/run/netns/" + ns, os.O_RDONLY)
        if libc.setns(fd, 0x40000000):
            raise OSError(ctypes.get_errno(), "setns " + ns)
        os.close(fd)
        try:
            out.append(fn())
        except Exception as e:
            out.append(e)
    t = threading.Thread(target=go)
    t.start()
    t.join()
    return out[0]


def plain(addr):
    return addr[7:] if addr.startswith("::ffff:") else addr


def serve(ns, name, port, udp):
    """Answers with its own name and the address that it sees."""
    def tcp():
        s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("::", port))
        s.listen(64)
        return s

    def datagrams():
        socks = []
        for fam, any_ in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            s = socket.socket(fam, socket.SOCK_DGRAM)
            if fam == socket.AF_INET6:
                s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            s.bind((any_, port))
            socks.append(s)
        return socks

    def loop(s):
        while True:
            c, peer = s.accept()
            try:
                c.sendall(f"{name} {plain(peer[0])}".encode())
            except OSError:
                pass
            c.close()

    def uloop(s):
        while True:
            _, peer = s.recvfrom(100)
            try:
                s.sendto(f"{name} {plain(peer[0])}".encode(), peer)
            except OSError:
                pass
    made = inside(ns, datagrams if udp else tcp)
    if isinstance(made, Exception):
        raise made
    for s in made if udp else [made]:
        threading.Thread(target=uloop if udp else loop, args=(s,), daemon=True).start()


def connect(ns, addr, port, udp):
    def go():
        fam = socket.AF_INET6 if ":" in addr else socket.AF_INET
        s = socket.socket(fam, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
        s.settimeout(1.2)
        try:
            s.connect((addr, port))
            if udp:
                try:
                    s.send(b"?")
                except PermissionError:     # stopped on its way out: whether an answer was made as well shows when we listen
                    pass
            text = s.recv(200).decode()
            return ("delivered", *text.split()) if text else ("closed", None, None)
        except ConnectionRefusedError:
            return ("refused", None, None)
        except (TimeoutError, socket.timeout):
            return ("silence", None, None)
        except OSError as e:
            return ("silence" if e.errno in (22, 1, 101, 113) else f"errno {e.errno}", None, None)
        finally:
            s.close()
    got = inside(ns, go)
    return ("error", str(got), None) if isinstance(got, Exception) else got


def ask(podwire, args):
    return subprocess.run([podwire, *args], capture_output=True, text=True)


def foresee(o, pods_by_name):
    """What a program at the source's end would see of this outcome."""
    if o["verdict"] == "delivered" and o.get("answered"):
        e = o.get("endpoint") or {}
        name = e.get("pod") and f"{e.get('namespace')}/{e['pod']}" or "node/" + str(e.get("node"))
        return ("delivered", name, (o.get("sourceSeen") or {}).get("ip"))
    if o["verdict"] == "rejected" or (o["verdict"] == "refused" and "does not come back" not in o["reason"]):
        return ("refused", None, None)
    return ("silence", None, None)


def answer_always(ns):
    """Without this the kernel keeps most of its "unreachable" answers to itself."""
    def go():
        for knob, value in (("ipv4/icmp_ratelimit", "0"), ("ipv4/icmp_msgs_per_sec", "100000"), ("ipv4/icmp_msgs_burst", "100000"), ("ipv6/icmp/ratelimit", "0")):
            try:
                with open("/proc/sys/net/" + knob, "w") as f:
                    f.write(value)
            except OSError:
                pass
    inside(ns, go)


def network_addresses(nodes):
    """What the Pod network has given two nodes' interfaces: a bridge's address, a tunnel's. Not flannel's IPv6 tunnel's: to its Pods it is the subnet-router anycast
    address of their bridge, from which Linux sends no reset (net/ipv6/tcp_ipv6.c tcp_v6_send_reset); that is not modelled."""
    out = []
    for n in nodes[:2]:
        text = subprocess.run(["ip", "-n", "node." + n["metadata"]["name"], "-o", "address", "show", "scope", "global"], capture_output=True, text=True).stdout
        for dev, _, cidr in (line.split()[1:4] for line in text.splitlines()):
            if dev not in ("lo", "eth0") and "::/" not in cidr:
                out.append(cidr.split("/")[0])
    return sorted(set(out))


def talk(podwire, path, flags):
    for ns in os.listdir("/run/netns"):
        answer_always(ns)
    items = json.loads(ask(podwire, ["get", "pods,svc,nodes", "-A", "-f", path, "-o", "json", *flags]).stdout)["items"]
    pods = [i for i in items if i["kind"] == "Pod" and i["metadata"].get("namespace") == "default"]
    svcs = [i for i in items if i["kind"] == "Service" and i["metadata"].get("namespace") == "default" and i["metadata"]["name"] != "kubernetes"]
    nodes = [i for i in items if i["kind"] == "Node"]
    ns_of = {}
    for p in pods:
        name = p["metadata"]["name"]
        host = p["spec"].get("hostNetwork")
        ns = "node." + p["spec"]["nodeName"] if host else "pod.default." + name
        ns_of[name] = ns
        for port in p["spec"]["containers"][0]["ports"]:
            serve(ns, "default/" + name, port["containerPort"], port.get("protocol") == "UDP")
    serve("client", "node/None", 8080, False)          # an endpoint outside, by_hand(), is taken to listen
    targets = []
    internal = {n["metadata"]["name"]: [a["address"] for a in n["status"]["addresses"] if a["type"] == "InternalIP"] for n in nodes}
    own = network_addresses(nodes)
    for s in svcs:
        for port in s["spec"]["ports"]:
            udp = port.get("protocol") == "UDP"
            for vip in s["spec"].get("clusterIPs", []):
                if vip != "None":
                    targets.append((vip, port["port"], udp))
                    if len(targets) % 4 == 0:
                        targets.append((vip, port["port"] + 1000, udp))
            for vip in s["spec"].get("externalIPs", []) + [i["ip"] for i in s.get("status", {}).get("loadBalancer", {}).get("ingress", [])]:
                targets.append((vip, port["port"], udp))
            if port.get("nodePort"):
                for addrs in internal.values():
                    targets += [(a, port["nodePort"], udp) for a in addrs]
                targets.append(("127.0.0.1", port["nodePort"], udp))
                targets += [(a, port["nodePort"], udp) for a in own]
    for p in pods:
        for port in p["spec"]["containers"][0]["ports"]:
            udp = port.get("protocol") == "UDP"
            targets += [(i["ip"], port["containerPort"], udp) for i in p["status"]["podIPs"]]
            if port.get("hostPort") and not p["spec"].get("hostNetwork"):
                targets += [(a, port["hostPort"], udp) for a in internal[p["spec"]["nodeName"]] + ["127.0.0.1"]]
        targets += [(i["ip"], 7, False) for i in p["status"]["podIPs"][:1]]
    sources = [(f"pod/{n}", ns) for n, ns in ns_of.items() if ns.startswith("pod.")] + [(f"node/{n['metadata']['name']}", "node." + n["metadata"]["name"]) for n in nodes]
    sources.append(("client", "client"))
    jobs, lines = [], []
    for frm, ns in sources:
        for addr, port, udp in targets:
            if addr == "127.0.0.1" and not frm.startswith("node/"):
                continue
            jobs.append((frm, ns, addr, port, udp))
            lines.append(json.dumps({"from": frm, "to": f"[{addr}]:{port}" if ":" in addr else f"{addr}:{port}", "protocol": "udp" if udp else "tcp"}))
    p = subprocess.run([podwire, "trace", "--batch", "-", "-f", path, *flags], input="\n".join(lines) + "\n", capture_output=True, text=True)
    answers = [json.loads(l) for l in p.stdout.splitlines()]
    if len(answers) != len(jobs):
        print("podwire answered %d of %d: %s" % (len(answers), len(jobs), p.stderr[:500]))
        return len(jobs)

    def one(k):
        frm, ns, addr, port, udp = jobs[k]
        if "error" in answers[k]:
            return k, None, [answers[k]["error"]]
        want = {foresee(o, None) for o in answers[k]["outcomes"]}
        have = set()
        for _ in range(1 if want == {("silence", None, None)} else min(6, 2 * len(want))):
            have.add(connect(ns, addr, port, udp))
        return k, have, want
    with ThreadPoolExecutor(48) as pool:
        results = list(pool.map(one, range(len(jobs))))
    for at, (k, have, want) in enumerate(results):     # a neighbour that was still being looked for loses the first packets: a difference must last
        if have is not None and not have <= want:
            results[at] = one(k)
    bad = 0
    for k, have, want in results:
        if have is None or not have <= want:
            bad += 1
            frm, ns, addr, port, udp = jobs[k]
            print("FAILED  %s to %s port %d%s: Linux %s, walk %s" % (frm, addr, port, "/udp" if udp else "", sorted(map(str, have or [])), sorted(map(str, want))))
    print("%d passed, %d failed, 0 skipped" % (len(jobs) - bad, bad))
    return bad


if __name__ == "__main__":
    if sys.argv[1] == "gen":
        opt = dict(zip(sys.argv[4::2], sys.argv[5::2]))
        gen(int(sys.argv[2]), sys.argv[3], opt.get("--mode", "nftables"), opt.get("--family", "ipv4"), opt.get("--requests") == "yes")
    else:
        bad = talk(sys.argv[2], sys.argv[3], sys.argv[4:])
        sys.stdout.flush()
        os._exit(1 if bad else 0)
