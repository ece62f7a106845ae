"""Rules that podwire (or upstream's kube-proxy) wrote, read back and printed from what was understood: the same rules. With a kernel at hand (unshare -n) also after nft and
iptables had them and listed them again: as text, as JSON, as iptables -L. usage: readers.py PODWIRE CASES"""
import json, os, subprocess, sys, tempfile

podwire, cases = sys.argv[1:3]
work = tempfile.mkdtemp()
passed, failed, skipped = 0, 0, 0


def call(*args, stdin=None):
    p = subprocess.run(args, capture_output=True, text=True, input=stdin, timeout=120)
    return p.returncode, p.stdout, p.stderr


def understood(name, text, form):
    """What podwire makes of a listing, spelled by podwire."""
    path = os.path.join(work, name)
    with open(path, "w") as f:
        f.write(text)
    return lines(call(podwire, "rules", "-q", "-o", form, "--dataplane", path)[1])


def lines(text):
    return sorted(line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("# Generated") and not line.startswith("#"))


def same(name, have, want, ignore=()):
    global passed, failed
    have = [x for x in have if not any(i in x for i in ignore)]
    want = [x for x in want if not any(i in x for i in ignore)]
    if have == want:
        passed += 1
        return
    failed += 1
    print(f"FAILED  {name}")
    for sign, a, b in (("-", want, have), ("+", have, want)):
        for x in [x for x in a if x not in b][:3]:
            print(f"   {sign} {x[:220]}")


def hash_of(name):
    return sum(name.encode())


def in_kernel(script, stdin):
    code, out, err = call("unshare", "-n", "sh", "-c", script, stdin=stdin)
    return out if code == 0 else None


kernel = in_kernel("nft -f - && nft list ruleset", "table ip x {\n}\n") is not None and in_kernel("iptables-restore && iptables-save", "*nat\nCOMMIT\n") is not None
done = set()
for case in json.load(open(os.path.join(cases, "kubeproxy/cases.json"))):
    objects = case["objects"] + ([case["proxyConfig"]] if case.get("proxyConfig") else [])
    form = "nft" if case.get("mode") == "nftables" else "iptables"
    path = os.path.join(work, "objects.json")
    with open(path, "w") as f:
        json.dump({"apiVersion": "v1", "kind": "List", "items": objects}, f)
    code, text, err = call(podwire, "rules", "-q", "-o", form, "-f", path)
    if code:
        failed += 1
        print(f"FAILED  {case['id']}: {err[:200]}")
        continue
    first = text.split("\n# node/", 1)[0]           # one node is enough
    sets = ("--match-set", "ipset ")                        # their members stand in no listing of rules
    same(case["id"] + " read back", understood("again", first, form), lines(first), sets)
    if not kernel or form in done and len(done) > 1 and int(case["id"][-2:]) % 6:
        continue
    done.add(form)
    if form == "nft":
        listed = in_kernel("nft -f - && nft list ruleset", first)
        if listed is None:
            skipped += 1
            continue
        want = understood("listed", listed, form)
        same(case["id"] + " listed by nft -a", understood("handles", in_kernel("nft -f - && nft -a list ruleset", first), form), want)
        same(case["id"] + " listed by nft -j", understood("json", in_kernel("nft -f - && nft -j list ruleset", first), form), want, ("counter", "comment \""))
    else:
        if "--match-set" in first:
            continue
        listed = in_kernel("iptables-restore && iptables-save", first)
        if listed is None:
            skipped += 1
            continue
        want = understood("listed", listed, form)
        same(case["id"] + " listed by iptables-save", want, lines(first))
        for table in ("nat", "filter"):
            name = f"iptables_-t_{table}_-nvxL"
            one = lambda text: sorted(x for x in text if x.startswith("-A") and "-m recent" not in x)
            part = listed.split(f"*{table}\n", 1)[-1].split("COMMIT", 1)[0]
            same(f"{case['id']} {name}", one(understood(name, in_kernel(f"iptables-restore && iptables -t {table} -nvxL", first), form)),
                 one(understood("part", f"*{table}\n{part}COMMIT\n", form)))
            same(f"{case['id']} iptables -t {table} -S", one(understood(f"iptables-S-{table}.txt", in_kernel(f"iptables-restore && iptables -t {table} -S", first), form)),
                 one(understood("part", f"*{table}\n{part}COMMIT\n", form)))
golden = os.path.join(cases, "golden")
for case in json.load(open(os.path.join(golden, "cases.json"))):
    code, text, err = call(sys.executable, os.path.join(golden, "normalise.py"), "render", case["id"])
    if code or not text:
        skipped += 1
        continue
    form = "iptables" if "COMMIT" in text else "nft"
    if form == "nft":              # commands: the kernel turns them into a listing
        text = in_kernel("nft -f - && nft list ruleset", text) if kernel and hash_of(case["id"]) % 8 == 0 else None
        if not text:
            continue
    path = os.path.join(work, "golden-in")
    with open(path, "w") as f:
        f.write(text)
    out = os.path.join(work, "golden-out")
    with open(out, "w") as f:
        f.write(call(podwire, "rules", "-q", "-o", form, "--dataplane", path)[1])
    code, diff, err = call(sys.executable, os.path.join(golden, "normalise.py"), "diff2", path, out)
    if code == 0:
        passed += 1
    else:
        failed += 1
        print(f"FAILED  {case['id']}: {(diff or err)[:400]}")
if not kernel:
    print("skipped: no network namespaces, nft or iptables here")
    skipped += 1
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(failed != 0)
