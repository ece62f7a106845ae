#!/usr/bin/env bash
# run --report: every form is written beside the answer, is well-formed, and shows what failed.
set -uo pipefail
cd "$(dirname "$0")/../.."
podwire=$(realpath "${PODWIRE:-build/podwire}") tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0 skipped=0
check() { if eval "$2"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $1"; fi; }

cat >"$tmp/hostile.yaml" <<'YAML'
apiVersion: podwire.io/v1
kind: Scenario
metadata: {name: hostile}
spec:
  title: names that would like to be markup
  steps:
  - name: "<script>alert(1)</script> | `x` \" & \u202e @all"
    apply:
      objects:
      - {apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: web, image: nginx, ports: [{containerPort: 80}]}]}}
    wait: {for: pod/web ready, timeout: 30s}
    trace: node/worker-1 pod/web:80
    expect:
    - {verdict: dropped}
    - {answered: true}
    draw: {figure: cluster}
YAML
$podwire run "$tmp/hostile.yaml" -q --report html="$tmp/r.html" --report md="$tmp/r.md" --report junit="$tmp/r.xml" --report tap="$tmp/r.tap" --report sarif="$tmp/r.sarif" \
	--report json="$tmp/r.json" >/dev/null 2>"$tmp/err"
check "exit status 1: something does not hold" '[ $? != 0 ] || ! $podwire run "$tmp/hostile.yaml" >/dev/null 2>&1'
for f in html md xml tap sarif json; do check "the report r.$f is there" '[ -s "$tmp/r.'$f'" ]'; done
check "HTML holds no foreign script" '! grep -qi "<script" "$tmp/r.html"'
check "HTML holds the figure, and nothing from a network" 'grep -q "data:image/svg+xml;base64," "$tmp/r.html" && ! grep -qE "(src|href)=\"https?:" "$tmp/r.html"'
cat >"$tmp/way.yaml" <<'Y'
apiVersion: podwire.io/v1
kind: Scenario
metadata: {name: way}
spec:
  title: What <b>fails</b> is drawn
  steps:
  - name: one
    apply: {objects: [{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]}}]}
    wait: pod/web ready
    trace: [{name: closed, from: client, to: 'pod/web:81'}, {name: open, from: node/worker-1, to: 'pod/web:80'}]
    expect: [{trace: closed, verdict: delivered}, {trace: closed, answered: true}, {trace: open, verdict: delivered}]
Y
$podwire run "$tmp/way.yaml" -q --report html="$tmp/way.html" >/dev/null 2>&1
check "the way of what is not as expected is drawn, once" '[ "$(grep -c "<figure" "$tmp/way.html")" = 1 ] && grep -q "from client to pod/web:81" "$tmp/way.html" && grep -q "What &lt;b&gt;fails&lt;/b&gt; is drawn" "$tmp/way.html"'
check "HTML and Markdown say what was expected and what came" 'grep -q "verdict: dropped" "$tmp/r.html" && grep -q "verdict: dropped" "$tmp/r.md"'
check "marks that turn the writing are shown, not done" '! grep -qP "\x{202e}" "$tmp/r.html" "$tmp/r.md"'
check "Markdown: the step ends no cell and mentions nobody" 'grep -q "&#124; &#96;x&#96;" "$tmp/r.md" && ! grep -q "@all" "$tmp/r.md"'
check "JUnit and SARIF are XML and JSON" 'python3 -c "import sys, json, xml.dom.minidom as m; m.parse(sys.argv[1]); r = json.load(open(sys.argv[2])); assert r[\"version\"] == \"2.1.0\" and len(r[\"runs\"][0][\"results\"]) == 1" "$tmp/r.xml" "$tmp/r.sarif"'
check "SARIF points at the line of the expectation" 'grep -q "\"startLine\": 14" "$tmp/r.sarif"'
check "an unknown form is refused with those that there are" '! $podwire run scenarios/regressions --report word=/tmp/x >/dev/null 2>"$tmp/err" && grep -q "sarif" "$tmp/err"'
check "merged reports keep their figures: what is drawn, and what fails" '[ "$($podwire report merge "$tmp/r.json" "$tmp/r.json" -o html 2>/dev/null | grep -c "<figure")" = 4 ]'
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
