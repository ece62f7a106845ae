#!/usr/bin/env python3
"""Runs cases against podwire's command line and says where it differs.

usage: run.py [--podwire PATH] [--only SUBSTRING] [--open] [--quiet] FILE|DIR...

Each case is one JSON object (or a file holds an array of them). What a case holds is in README.md beside this
file; how an end is named and what the JSON answers mean is in docs/cli.md. Nothing here knows
the right answers: they stand in the cases. Exit status 0 if every case holds. The last line is the figure.
"""
import argparse, base64, collections, ipaddress, json, os, subprocess, sys, tempfile

def listing(objects):
    return {"apiVersion": "v1", "kind": "List", "items": [with_certificate(o) for o in objects]}

made = {}
def with_certificate(o):
    """A TLS Secret whose tls.crt says "made for NAME,NAME" gets a fresh self-signed pair for these names."""
    text = (o.get("data") or {}).get("tls.crt", "") if o.get("kind") == "Secret" else ""
    if not text.startswith("made for "):
        return o
    names = text[len("made for "):]
    if names not in made:
        with tempfile.TemporaryDirectory() as d:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650", "-keyout", f"{d}/k", "-out", f"{d}/c",
                            "-subj", f"/CN={names.split(',')[0]}", "-addext", "subjectAltName=" + ",".join(f"DNS:{n}" for n in names.split(","))], check=True, capture_output=True)
            made[names] = [base64.b64encode(open(f"{d}/{x}", "rb").read()).decode() for x in "ck"]
    return {**o, "data": dict(zip(("tls.crt", "tls.key"), made[names]))}

class Podwire:
    def __init__(self, path):
        self.path = path

    def call(self, args, objects, stdin=None, timeout=60):
        with tempfile.TemporaryDirectory(prefix="podwire-case-") as d:
            f = os.path.join(d, "objects.json")
            with open(f, "w") as out:
                json.dump(listing(objects), out)
            try:
                p = subprocess.run([self.path, *args, "-f", f, "-o", "json"], input=stdin, capture_output=True, text=True,
                                   timeout=timeout, cwd=d, env={**os.environ, "NO_COLOR": "1"})
            except subprocess.TimeoutExpired:
                return 124, "", f"no answer in {timeout} s"
            return p.returncode, p.stdout, p.stderr

    def batch(self, objects, questions, flags=()):
        stdin = "".join(json.dumps(q) + "\n" for q in questions)
        rc, out, err = self.call(["trace", "--batch", "-", *flags], objects, stdin)
        lines = [l for l in out.splitlines() if l.strip()]
        if len(lines) != len(questions):
            raise Trouble(f"{len(lines)} answers to {len(questions)} questions (exit {rc}): {first(err)}")
        answers = [json.loads(l) for l in lines]
        for q, a in zip(questions, answers):
            if "error" in a:
                raise Trouble(f"{q['from']} {q['to']}: {a['error']}")
        return answers

class Trouble(Exception):
    pass

def first(text):
    return text.strip().splitlines()[0][:300] if text.strip() else "nothing on stderr"

def hostport(ip, port):
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"

def same_ends(have, want):
    norm = lambda s: sorted({f"{ipaddress.ip_address(x.rsplit(':', 1)[0].strip('[]'))}|{x.rsplit(':', 1)[1]}" for x in s})
    return norm(have) == norm(want)

# ---- kube-proxy: what one node's rules do to the first packet of a connection

def proxy_objects(case):
    node, cluster, objs = case["node"], case["cluster"], []
    proxy = dict(case["proxyConfig"])
    proxy.setdefault("mode", case["_mode"])
    objs.append(proxy)
    objs.append({"apiVersion": "kubeadm.k8s.io/v1beta4", "kind": "ClusterConfiguration",
                 "networking": {"podSubnet": ",".join(cluster.get("podCIDRs", [])), "serviceSubnet": ",".join(cluster.get("serviceCIDRs", []))},
                 "apiServer": {"extraArgs": [{"name": "service-node-port-range", "value": cluster.get("serviceNodePortRange", "30000-32767")}]}})
    v6 = cluster.get("ipFamily") == "IPv6"
    ips = sorted(node["localIPs"], key=lambda a: ((":" in a) != v6, a != node["ip"]))
    labels = {"kubernetes.io/hostname": node["name"], **(node.get("labels") or {})}
    objs.append(node_object(node["name"], ips, labels))
    for i, o in enumerate(case.get("otherNodes", [])):
        name, lab = (o, {}) if isinstance(o, str) else (o["name"], o.get("labels") or {})
        objs.append(node_object(name, [f"192.168.0.{100 + i}", f"2001:db8::{100 + i}"], {"kubernetes.io/hostname": name, **lab}))
    for ns in sorted({o["metadata"].get("namespace", "default") for o in case["objects"]}):
        objs.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ns}})
    return objs + case["objects"]

def node_object(name, ips, labels):
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels},
            "status": {"addresses": [{"type": "InternalIP", "address": a} for a in ips] + [{"type": "Hostname", "address": name}],
                       "conditions": [{"type": "Ready", "status": "True"}]}}

def run_kubeproxy(pw, case):
    for mode in (["nftables", "iptables"] if case["mode"] == "both" else [case["mode"]]):
        case["_mode"] = mode
        where = case["node"]["name"]
        qs = [{"from": f"ip/{f['sourceIP']}@{where}", "to": hostport(f["destIP"], f["destPort"]), "protocol": f["protocol"].lower()} for f in case["flows"]]
        for flow, got in zip(case["flows"], pw.batch(proxy_objects(case), qs)):
            yield f"{mode}: {flow['name']}", judge_flow(flow["expect"], got.get("outcomes", []))

def judge_flow(want, outcomes):
    if not outcomes:
        return "no outcome"
    verdicts = sorted({o["verdict"] for o in outcomes})
    ends = [hostport(o["dnat"]["ip"], o["dnat"]["port"]) for o in outcomes if o.get("dnat")]
    masq = any(o.get("masqueraded") for o in outcomes)
    v = want["verdict"]
    if v == "passthrough" or want.get("local"):
        if ends:
            return f"rewritten to {ends}"
        if want.get("local"):
            return None if verdicts == ["delivered"] else f"verdict {verdicts}, not delivered on the node"
        return f"verdict {verdicts}: a rule stopped it" if set(verdicts) & {"rejected", "dropped"} else None
    if v != "delivered":
        return None if verdicts == [v] else f"verdict {verdicts}, not {v}"
    if verdicts != ["delivered"]:
        return f"verdict {verdicts}, not delivered"
    if not same_ends(ends, want["endpoints"]):
        return f"endpoints {sorted(ends)}, not {sorted(want['endpoints'])}"
    if masq != bool(want.get("masqueraded")):
        return f"masqueraded {masq}"
    p = sum(o["probability"] for o in outcomes)
    return None if abs(p - 1) < 1e-6 else f"probabilities add up to {p}"

# ---- NetworkPolicy: who reaches whom

def run_matrix(pw, case):
    for want in case["expect"]:
        outside = [n for n in want["names"] if "/" not in n]
        rc, out, err = pw.call(["matrix", "--port", str(want["port"]), "--protocol", want["protocol"].lower(), *(["--with-external", ",".join(outside)] if outside else [])], case["objects"])
        label = f"{want['protocol']}/{want['port']}"
        try:
            got = json.loads(out)
        except ValueError:
            raise Trouble(f"{label}: exit {rc}: {first(err)}")
        at = {n: i for i, n in enumerate(got["names"])}
        bad = [f"{a}->{b} is {'allowed' if not ok else 'denied'}" for a, row in zip(want["names"], want["allowed"]) for b, ok in zip(want["names"], row)
               if ok is not None and (a not in at or b not in at or got["allowed"][at[a]][at[b]] != ok)]
        yield label, f"{len(bad)} cells differ: {', '.join(bad[:3])}" if bad else None

# ---- objects that the API server accepts or refuses

def run_validity(pw, case):
    rc, out, err = pw.call(["apply", "--dry-run"], [case["object"]])
    yield case.get("name", "valid"), None if rc == (0 if case["valid"] else 2) else f"exit {rc}, {'valid' if case['valid'] else 'invalid: ' + case.get('why', '')}: {first(err)}"

# ---- Ingress, HTTPRoute: where a request goes

def run_requests(pw, case):
    controllers = case.get("controllers") or sorted({o["spec"]["controllerName"] for o in case["objects"] if o["kind"] == "GatewayClass"})
    flags = [x for c in controllers for x in ("--controller", c)]
    qs = [question(r, controllers) for r in case["requests"]]
    for r, got in zip(case["requests"], pw.batch(case["objects"], qs, flags) if qs else []):
        yield r["name"], judge_request(r["expect"], got.get("outcomes", []))
    yield from run_status(pw, case, flags)
    if "expectInvalid" in case:
        rc, out, err = pw.call(["apply", "--dry-run", *flags], case["objects"] + [case["apply"]])
        yield f"invalid {case['expectInvalid']}", None if rc == 2 and case["expectInvalid"] in err else f"exit {rc}: {first(err)}"

def question(r, controllers):
    scheme, host = r.get("scheme", "http"), r.get("host") or ""
    name = (r.get("sni") if scheme == "https" else host) or host or "nohost.invalid"
    port = r.get("port", 443 if scheme == "https" else 80)
    at = f"gateway/{r['gateway']}" if r.get("gateway") else f"controller/{r['expect'].get('controller') or r.get('controller') or controllers[0]}"
    headers = dict(r.get("headers", {}))
    if host and host != name:
        headers["Host"] = host
    return {"from": r.get("from", "client"), "to": f"{scheme}://{name}:{port}{r.get('path', '/')}", "resolve": at, "method": r.get("method", "GET"), "headers": headers,
            **({"backendResponseHeaders": r["backendResponseHeaders"]} if r.get("backendResponseHeaders") else {})}

def run_status(pw, case, flags):
    want, seen = case.get("expectStatus", {}), {}
    def status(kind, name):
        if kind not in seen:
            got = answer(pw, ["get", kind, "-A", *flags], case["objects"])
            seen[kind] = {f"{o['metadata'].get('namespace', 'default')}/{o['metadata']['name']}": o.get("status") or {} for o in got["items"]}
        return seen[kind].get(name, {})
    for e in want.get("ingresses", []):
        has = bool(status("ingresses", e["ingress"]).get("loadBalancer", {}).get("ingress"))
        yield f"status of {e['ingress']}", None if has == bool(e["servedBy"]) else f"address: {has}, served by {e['servedBy']}"
    for e in want.get("routes", []):
        parents = [p for p in status("httproutes", e["route"]).get("parents", []) if f"{p['parentRef'].get('namespace') or e['route'].split('/')[0]}/{p['parentRef']['name']}" == e["gateway"]]
        have = {c["type"]: c for p in parents for c in p["conditions"]}
        yield f"status of {e['route']}", judge_conditions(e, have)
    for e in want.get("listeners", []):
        at = next((l for l in status("gateways", e["gateway"]).get("listeners", []) if l["name"] == e["listener"]), {})
        wrong = None if at.get("attachedRoutes") == e["attachedRoutes"] else f"attachedRoutes {at.get('attachedRoutes')}, not {e['attachedRoutes']}"
        yield f"listener {e['listener']} of {e['gateway']}", wrong or judge_conditions(e, {c["type"]: c for c in at.get("conditions", [])})

def judge_conditions(want, have):
    for key, kind, reason in (("accepted", "Accepted", "reason"), ("resolvedRefs", "ResolvedRefs", "resolvedRefsReason")):
        c = have.get(kind, {})
        if key in want and c.get("status") != ("True" if want[key] else "False"):
            return f"{kind} is {c.get('status')}, not {want[key]}"
        if want.get(reason) and c.get("reason") != want[reason]:
            return f"{kind} reason {c.get('reason')}, not {want[reason]}"
    return None

def lower(headers):
    return {k.lower(): v for k, v in (headers or {}).items()}

def judge_request(want, outcomes):
    if want.get("connect") is False:
        return f"answered: {outcomes[0].get('http')}" if any(o.get("http") for o in outcomes) else None
    alive = [o for o in outcomes if o.get("http")]
    if not alive or len(alive) != len(outcomes):
        return f"no answer: {[(o['verdict'], o.get('reason')) for o in outcomes if not o.get('http')][:1]}"
    for alt in want.get("outcomes", [want]):
        if "outcomes" in want:
            mine = [o for o in alive if o["http"].get("backend") == alt.get("backend") and o["http"]["status"] == alt["status"]]
            share = sum(o["probability"] for o in mine)
            if abs(share - alt["probability"]) > 1e-6:
                return f"{alt.get('backend')} {alt['status']} has the share {share:.4f}, not {alt['probability']}"
        else:
            mine = alive
        for o in mine:
            wrong = judge_answer(alt, o)
            if wrong:
                return wrong
    if "endpoints" in want:
        have = {hostport(o["endpoint"]["ip"], o["endpoint"]["port"]) for o in alive}
        if not same_ends(have, want["endpoints"]):
            return f"endpoints {sorted(have)}, not {want['endpoints']}"
    if "endpointCount" in want and len({o["endpoint"]["ip"] for o in alive}) != want["endpointCount"]:
        return f"{len({o['endpoint']['ip'] for o in alive})} endpoints, not {want['endpointCount']}"
    return None

def judge_answer(want, o):
    h = o["http"]
    for key in ("status", "backend", "location", "tlsSecret", "upstream"):
        if key in want and h.get(key) != want[key]:
            return f"{key} {h.get(key)}, not {want[key]}"
    if "targetPort" in want and o["endpoint"]["port"] != want["targetPort"]:
        return f"target port {o['endpoint']['port']}, not {want['targetPort']}"
    if "mirrors" in want and sorted(h.get("mirrors") or []) != sorted(want["mirrors"]):
        return f"mirrors {h.get('mirrors')}, not {want['mirrors']}"
    for side in ("request", "response"):
        w, have = want.get(side, {}), h.get(side) or {}
        if "path" in w and have.get("path") != w["path"]:
            return f"{side} path {have.get('path')}, not {w['path']}"
        if "host" in w and have.get("host") != w["host"]:
            return f"{side} host {have.get('host')}, not {w['host']}"
        for k, v in lower(w.get("headers")).items():
            if lower(have.get("headers")).get(k) != v:
                return f"{side} header {k}: {lower(have.get('headers')).get(k)}, not {v}"
        for k in w.get("absentHeaders", []):
            if k.lower() in lower(have.get("headers")):
                return f"{side} header {k} is there"
    return None

# ---- DNS: what a Pod's resolver asks and gets

def dns_setting(case, folder):
    c = case["cluster"]
    corefile = f".:53 {{\n    kubernetes {c['domain']} in-addr.arpa ip6.arpa {{\n        pods {c['pods']}\n        fallthrough in-addr.arpa ip6.arpa\n    }}\n    forward . /etc/resolv.conf\n}}\n"
    objects = [{"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "clusterDomain": c["domain"], "clusterDNS": c["dnsIPs"]},
               {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "coredns", "namespace": "kube-system"}, "data": {"Corefile": corefile}}]
    zone, conf = os.path.join(folder, "outside.zone"), os.path.join(folder, "resolv.conf")
    with open(zone, "w") as f:
        f.writelines(f"{name} 30 IN {kind} {v}\n" for name, sets in case["external"].items() for kind, values in sets.items() for v in values)
    flags = ["--zone", zone]
    if c["nodeResolvConf"] is not None:
        with open(conf, "w") as f:
            f.write(c["nodeResolvConf"])
        flags += ["--node-resolv-conf", conf]
    else:
        flags += ["--node-resolv-conf", "none"]
    return objects, flags

def run_dns(pw, case):
    with tempfile.TemporaryDirectory(prefix="podwire-case-") as folder:
        objects, flags = dns_setting(case, folder)
        for r in case["requests"]:
            who = f"pod/{r['from']}" if "from" in r else "cluster"
            args = ["dns", who, r["query"], "--type", r.get("type", "A"), "--resolver", r.get("resolver", "glibc"), *flags]
            yield r["name"], judge_dns(r["expect"], answer(pw, args, objects + case["objects"]))
        for r in case.get("resolvConf", []):
            got, want = answer(pw, ["dns", f"pod/{r['pod']}", *flags], objects + case["objects"]), r["expect"]
            bad = [k for k in want if (sorted(got.get(k, [])) != sorted(want[k]) if k == "options" else got.get(k, []) != want[k])]
            yield f"resolv.conf of {r['pod']}", f"{bad[0]} {got.get(bad[0])}, not {want[bad[0]]}" if bad else None

def answer(pw, args, objects):
    rc, out, err = pw.call(args, objects)
    try:
        return json.loads(out)
    except ValueError:
        raise Trouble(f"{' '.join(args[:3])}: exit {rc}: {first(err)}")

def judge_dns(want, got):
    if got.get("rcode") != want["rcode"]:
        return f"rcode {got.get('rcode')}, not {want['rcode']}"
    for key in ("answers", "cname"):
        if key in want and sorted(got.get(key) or []) != sorted(want[key]):
            return f"{key} {got.get(key)}, not {want[key]}"
    if "queries" in want:
        have = [(q["name"], q["rcode"], len(q["answers"])) for q in got["queries"]]
        if have != [(q["name"], q["rcode"], q["count"]) for q in want["queries"]]:
            return f"asked {[h[0] for h in have]}, not {[q['name'] for q in want['queries']]}"
    return None

def runner(case):
    if "flows" in case:
        return "kubeproxy", run_kubeproxy
    if "resolvConf" in case or any("query" in r for r in case.get("requests", [])):
        return "dns", run_dns
    if "requests" in case:
        return "requests", run_requests
    if "object" in case and "valid" in case:
        return "validity", run_validity
    if isinstance(case.get("expect"), list):
        return "matrix", run_matrix
    return None, None

def load(paths):
    for p in paths:
        files = [p] if os.path.isfile(p) else sorted(os.path.join(d, f) for d, _, fs in os.walk(p) for f in fs if f.endswith(".json"))
        for f in files:
            data = json.load(open(f))
            for case in data if isinstance(data, list) else [data]:
                yield f, case

def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--podwire", default="build/podwire")
    ap.add_argument("--only", default="")
    ap.add_argument("--quiet", action="store_true")
    ap.add_argument("--open", action="store_true", help="also what Kubernetes leaves open (levels majority, literal, podwire; open: true)")
    ap.add_argument("paths", nargs="+")
    a = ap.parse_args()
    pw = Podwire(os.path.abspath(a.podwire))
    tally = collections.defaultdict(lambda: [0, 0])
    for path, case in load(a.paths):
        group, run = runner(case)
        if not run or a.only not in case["id"] + case.get("source", ""):
            continue
        if not a.open and (case.get("open") or case.get("level") in ("majority", "literal", "podwire")):
            continue
        group = os.path.basename(os.path.dirname(os.path.abspath(path))) or group
        try:
            for label, wrong in run(pw, case):
                tally[group][bool(wrong)] += 1
                if wrong and not a.quiet:
                    print(f"differs  {case['id']}  {label}: {wrong}")
        except (Trouble, KeyError, TypeError, ValueError, OSError) as e:
            n = len(case.get("flows") or case.get("requests") or case.get("expect") or [1])
            tally[group][1] += n
            if not a.quiet:
                print(f"differs  {case['id']}  all {n}: {e}")
    good, bad = (sum(t[i] for t in tally.values()) for i in (0, 1))
    for g, (ok, no) in sorted(tally.items()):
        print(f"{g}: {ok} of {ok + no}")
    print(f"{good} passed, {bad} failed")
    sys.exit(0 if good and not bad else 1)

if __name__ == "__main__":
    main()
