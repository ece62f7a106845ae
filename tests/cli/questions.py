"""Asks podwire the questions that come with real captures, and compares. usage: questions.py PODWIRE CAPTURES"""
import json, os, re, subprocess, sys, tempfile

podwire, captures = sys.argv[1:3]
lab = tempfile.mkdtemp()


def run(*args):
    return subprocess.run([podwire, *args], capture_output=True, text=True, cwd=lab)


def outcomes(q, source, target, protocol):
    args = ["trace", source, target, "-o", "json", "--protocol", protocol, "--dataplane", path(q)]
    if q.get("node_addresses"):
        args += ["--node-ip", ",".join(q["node_addresses"])]
    if q.get("in_iface"):
        args += ["--in", q["in_iface"]]
    return json.loads(run(*args).stdout)["outcomes"]


def path(q):
    return os.path.join(captures, q["path"].split("/", 1)[1])


def at(address):
    return f"{address['ip']}:{address['port']}" if address and "port" in address else address and address["ip"]


def trace(q):
    want = q["expect"]
    verdicts = {"delivered-local": "delivered", "forwarded": "delivered"}
    got = outcomes(q, q["from"], q["to"].replace("NODEIP", "node"), q["protocol"])
    if "verdict" in want and {o["verdict"] for o in got} != {verdicts.get(want["verdict"], want["verdict"])}:
        return f"verdicts {[o['verdict'] for o in got]}"
    if "endpoints" in want and sorted(at(o["endpoint"]) for o in got) != sorted(want["endpoints"]):
        return f"endpoints {[at(o['endpoint']) for o in got]}"
    if "dnat" in want and sorted(at(o["dnat"]) for o in got) != sorted(want["dnat"]):
        return f"dnat {[at(o['dnat']) for o in got]}"
    if "snat" in want and {o["snat"]["ip"] for o in got} != {want["snat"]}:
        return "snat"
    masq = want.get("masqueraded")
    for o in got:
        if masq is not None and o["masqueraded"] != (masq[at(o["dnat"])] if isinstance(masq, dict) else masq):
            return f"masqueraded {o['masqueraded']}"
    return None


def endpoints(q):
    want = q["expect"]
    if "/clusters/" in q["path"]:
        run("import", path(q), "--lab", q["capture"] + ".db")
        ask = ["--lab", q["capture"] + ".db"]
        got = json.loads(run("trace", "client", f"node/node1:{want['nodePort']}", "-o", "json", *ask).stdout)["outcomes"]
        return None if sorted(at(o["endpoint"]) for o in got) == sorted(want["endpoints"]) else "endpoints"
    service = re.search(r"\((\d[\d.]+:\d+)(?:/(\w+))?\)", q["question"])
    got = {at(o["dnat"]): o["probability"] for o in outcomes(q, "client", service[1], service[2] or "tcp")}
    return None if (got == want if isinstance(want, dict) else sorted(got) == sorted(want)) else f"endpoints {got}"


def route(q):
    args = ["show", "route", q["to"], "--dataplane", path(q)] + (["--in", q["iif"]] if q.get("iif") else [])
    line = run(*args).stdout.split()
    for key, value in q["expect"].items():
        words = {"vtep": "vtep", "lladdr": "lladdr", "onlink": "onlink"}
        if key == "onlink":
            ok = "onlink" in line
        else:
            ok = words.get(key, key) in line and line[line.index(words.get(key, key)) + 1] == str(value)
        if not ok:
            return f"{key} in \"{' '.join(line)}\""
    return None


def no_route(q):
    return "a route" if "10.32.0.0/12" in run("show", "routes", "--dataplane", path(q)).stdout else None


def missing_sets(q):
    got = len(json.loads(run("show", "capture", "-o", "json", "--dataplane", path(q)).stdout)["missingSets"])
    return None if got == q["expect"] else f"{got} sets"


def sets(q):
    text = run("rules", "--dataplane", path(q)).stdout
    body = re.search(r"set cali40all-vxlan-net \{.*?\n\t\}", text, re.S)[0]
    return None if re.findall(r"\d+\.\d+\.\d+\.\d+", body) == q["expect"] else body


def not_ready(q):
    run("import", path(q), "--lab", "pods.db")
    for name, why in q["expect"].items():
        ns, pod = name.split("/")
        text = run("get", "pod", pod, "-n", ns, "-o", "yaml", "--lab", "pods.db").stdout + run("get", "pod", pod, "-n", ns, "--lab", "pods.db").stdout
        for word in re.split(r": ?", why):
            if word.lower() not in text.lower():
                return f"{name}: no {word}"
    return None


ask = {"trace": trace, "endpoints": endpoints, "route": route, "routes-warning": no_route, "ipsets-missing": missing_sets, "sets": sets, "not-ready-pods": not_ready}
wrong = 0
for q in json.load(open(os.path.join(captures, "QUESTIONS.json"))):
    try:
        why = ask[q["kind"]](q)
    except (ValueError, KeyError, TypeError, IndexError) as e:
        why = repr(e)
    if why:
        wrong += 1
        print(f"FAILED  {q['id']}: {why}; expected {json.dumps(q['expect'])}")
sys.exit(wrong != 0)
