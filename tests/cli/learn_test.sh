#!/usr/bin/env bash
# Lessons: the list, handouts, and that every lesson holds.
set -uo pipefail
cd "$(dirname "$0")/../.."
podwire=$(realpath "${PODWIRE:-build/podwire}") work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
passed=0 failed=0
check() { if eval "$2"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED  $1"; fi; }
check "there are 25 lessons or more" '[ "$($podwire learn -o json | python3 -c "import json, sys; print(len(json.load(sys.stdin)))")" -ge 25 ]'
check "all of them hold" '$podwire run scenarios/lessons -q >"$work/run"'
check "a handout has what podwire shows" '$podwire learn hairpin -o md | grep -q "which sees 172.18.0.3"'
check "the learner is not told the answer" '! $podwire learn hairpin -o md | grep -q "^Answer:"'
check "the teacher is" '$podwire learn hairpin -o md -v | grep -q "^Answer: 1"'
check "a task is shown as the learner meets it" '$podwire learn named-port -o md >"$work/md" && grep -q "always: rejected" "$work/md" && ! grep -q "always: delivered" "$work/md" && ! grep -q "targetPort" "$work/md"'
check "the teacher sees what solves it, and what is then" '$podwire learn named-port -o md -v >"$work/md" && grep -q "^Solution:" "$work/md" && grep -q "targetPort: http" "$work/md" && grep -q "always: delivered" "$work/md"'
check "all of them make one page" '$podwire learn all -o html >"$work/all.html" && [ "$(grep -c "<h2>" "$work/all.html")" -ge 25 ] && ! grep -q "This does not hold" "$work/all.html"'
check "with their figures, whose ids are their own" '[ "$(grep -c "<figure" "$work/all.html")" -ge 25 ] && ! grep -o " id=\"[^\"]*\"" "$work/all.html" | sort | uniq -d | grep -q .'
check "a page is well formed" 'sed "1d" "$work/all.html" | sed "s/<meta [^>]*>//" | python3 -c "import sys, xml.dom.minidom; xml.dom.minidom.parseString(sys.stdin.buffer.read())"'
check "its lines are kept, and nothing stands in for their ends" 'grep -q "^  there$" "$work/all.html" && ! grep -q "$(printf "\357\277\275")" "$work/all.html"'
check "one that is not there is said" '! $podwire learn nothing -o md 2>"$work/err" && grep -q "no lesson is called" "$work/err"'
check "any scenario is one" '$podwire learn scenarios/figures/clusterip.yaml -o md >"$work/md" && grep -q "^### 1\." "$work/md"'
check "a file without one is told" '! $podwire learn tests/tui/shop.yaml -o md 2>"$work/err" && grep -q "shop.yaml: holds no Scenario" "$work/err"'
check "and one that is not there" '! $podwire learn nothing.yaml -o md 2>"$work/err" && grep -q "nothing.yaml: No such file" "$work/err"'
# What was done is kept in a lab (tests/tui/session_test.c plays lessons in one).
$podwire init --lab "$work/l.db" >/dev/null
check "a lab without lessons says so" '! $podwire learn export --lab "$work/l.db" 2>"$work/err" && grep -q "keeps nothing of any lesson" "$work/err"'
python3 - "$work/l.db" <<'P'
import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
step = lambda **k: dict(dict(tries=0, chosen=0, right=False, hints=0, task=0, commands=[]), **k)
db.execute("INSERT INTO fact VALUES('lesson:lb-pending', ?)", [json.dumps(dict(at=1, steps=[step(tries=2, chosen=1, right=True), step(hints=1, task=1, commands=["apply -f <b>.yaml"]), step()]))])
db.execute("INSERT INTO fact VALUES('lesson:mine|<b>', ?)", [json.dumps(dict(at=0, steps=[step(commands=["get po\\n```\\n# x"])]))])
db.commit()
P
check "the list says how far" '$podwire learn --lab "$work/l.db" | grep "^lb-pending" | grep -q "2 of 3"'
check "as text" '$podwire learn export --lab "$work/l.db" | grep -qF "$ podwire apply -f <b>.yaml"'
check "as Markdown" '$podwire learn export lb-pending --lab "$work/l.db" -o md | grep -q "^- task: solved"'
check "there what was typed is quoted" '$podwire learn export lb-pending --lab "$work/l.db" -o md | grep -A1 "^\`\`\`text$" | grep -qxF "podwire apply -f <b>.yaml"'
check "and nothing from outside is markup" '$podwire learn export "mine|<b>" --lab "$work/l.db" -o md >"$work/md" && grep -q "^## mine&#124;&#60;b&#62;$" "$work/md" && [ "$(grep -c "^\`\`\`" "$work/md")" = 2 ] && ! grep -q "^# x" "$work/md"'
check "as a page, well formed" '$podwire learn export --lab "$work/l.db" -o html | sed 1d | sed "s/<meta [^>]*>//" | python3 -c "import sys, xml.dom.minidom; xml.dom.minidom.parseString(sys.stdin.buffer.read())"'
check "as JSON" '$podwire learn export --lab "$work/l.db" -o json | python3 -c "import json, sys; x = [l for l in json.load(sys.stdin) if l[\"lesson\"] == \"lb-pending\"][0]; assert x[\"step\"] == 2 and x[\"did\"][1][\"commands\"] == [\"apply -f <b>.yaml\"]"'
check "another lesson has none" '! $podwire learn export hairpin --lab "$work/l.db" 2>/dev/null'
check "reset forgets it" '$podwire learn reset lb-pending --lab "$work/l.db" >/dev/null && ! $podwire learn export lb-pending --lab "$work/l.db" 2>/dev/null && ! $podwire learn --lab "$work/l.db" | grep -q "2 of 3"'
check "reset says where there is no such lesson, and forgets nothing" '! $podwire learn reset hairpni --lab "$work/l.db" 2>"$work/o" && grep -q "did you mean \"hairpin\"" "$work/o"' 
# A lesson counts only if breaking its fact turns it red.
cp -r scenarios/lessons "$work/lessons"
sed -i "s/masqueraded: true/masqueraded: false/" "$work"/lessons/10-hairpin.yaml
sed -i "s/verdict: dropped, reason: externalTrafficPolicy/verdict: delivered/" "$work"/lessons/14-local-policy.yaml
check "a lesson that is wrong fails" '! $podwire run "$work/lessons/10-hairpin.yaml" -q >/dev/null && ! $podwire run "$work/lessons/14-local-policy.yaml" -q >/dev/null'
# Every lesson: one fact of each turned round; every task: without its solution.
rm -rf "$work/lessons"; mkdir "$work/broken"
python3 - scenarios/lessons "$work/broken" <<'P' >"$work/unbroken"
import pathlib, re, sys
facts = [(r"verdict: delivered", "verdict: dropped"), (r"verdict: (dropped|rejected|refused|lost|unroutable)", "verdict: delivered"), (r"rcode: NOERROR", "rcode: NXDOMAIN"),
         (r"rcode: NXDOMAIN", "rcode: NOERROR"), (r"exists: false", "exists: true"), (r"equals: ", "equals: not"), (r"status: 200", "status: 404"), (r"lost: 0", "lost: 1")]
for f in sorted(pathlib.Path(sys.argv[1]).glob("*.yaml")):
    text = f.read_text()
    for at, to in facts:
        broken, n = re.subn(at, to, text, count=1)
        if n:
            (pathlib.Path(sys.argv[2]) / f"fact-{f.name}").write_text(broken)
            break
    else:
        print("no fact in", f.name)
    for k, m in enumerate(re.finditer(r"^    solution:.*\n(?:(?:      .*|\s*)\n)*", text, re.M)):
        (pathlib.Path(sys.argv[2]) / f"task-{k}-{f.name}").write_text(text[:m.start()] + "    solution: {advance: 1s}\n" + text[m.end():])
P
check "each lesson has a fact that can be broken" '! grep . "$work/unbroken"'
for f in "$work"/broken/*.yaml; do check "red when broken: ${f##*/}" '! $podwire run "$f" -q >/dev/null 2>"$work/err" && ! grep -q "yaml:" "$work/err"'; done
check "a dozen broken clusters to be repaired" '[ "$(ls "$work"/broken/task-* | wc -l)" -ge 12 ]'
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
