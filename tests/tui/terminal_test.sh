#!/usr/bin/env bash
# The program in a terminal that tmux plays: keys, sizes, signals, and what the terminal is like afterwards. Waits for what it wants to see, never for a time.
set -uo pipefail
cd "$(dirname "$0")/../.."
podwire=$PWD/build/podwire
files=$PWD/scenarios/figures/calico-cluster.yaml
passed=0 failed=0
if ! command -v tmux >/dev/null; then
	echo "skipped: tmux is not installed"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
export LC_ALL=C.UTF-8 LANG=C.UTF-8
unset NO_COLOR TMUX PODWIRE_LAB
work=$(mktemp -d)
export TMPDIR=$work/tmp; mkdir "$TMPDIR"
server=podwire-test-$$
tm() { tmux -L "$server" -f /dev/null "$@"; }
trap 'tm kill-server 2>/dev/null; rm -rf "$work"' EXIT
keys() { tm send-keys -t t "$@"; }
screen() { tm capture-pane -p -t t; }
wait_for() {                                    # until the screen holds the text; 20 s at most
	local k
	for k in $(seq 200); do screen | grep -qF -- "$1" && return 0; sleep 0.1; done
	echo "never seen: $1"; screen | grep -v '^$' | head -12; return 1
}
gone() { local k; for k in $(seq 200); do screen | grep -qF -- "$1" || return 0; sleep 0.1; done; echo "still there: $1"; return 1; }
check() { local name=$1; shift; if "$@" >"$work/out" 2>&1; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED  $name"; tail -14 "$work/out"; fi; }
pid() { tm list-panes -t t -F '#{pane_pid}' | xargs -I{} pgrep -P {} -f 'podwire.* tui' | head -1; }
start() { keys "clear; $* tui -f $files" Enter; wait_for "q quit"; }
sane() {                                        # the shell's terminal is as before: it echoes, and shows what is typed
	keys "clear; stty -a | grep -c ' icanon.* echo ' ; echo back''again" Enter
	wait_for backagain
	local mode; mode=$(tm display -p -t t '#{alternate_on} #{mouse_any_flag} #{cursor_flag}')
	[ "$mode" = "0 0 1" ] || { echo "terminal: $mode"; return 1; }
}

tm new-session -d -s t -x 100 -y 30 "cd '$work' && PS1='\$ ' exec bash --norc --noprofile -i"
wait_for '$'
check "starts with the map" start "$podwire"
check "shows nodes and Services" wait_for "default/cart"
keys ':po' Enter
check ": goes to a list" wait_for "NAMESPACE"
keys '/stock' Enter Enter
check "search and Enter open a Pod" wait_for "netns pod/default/stock"
keys q
check "q goes back" wait_for "Cluster › Pods"
keys -l $'\e[M \x2d\x2a'
check "a click selects" wait_for "▸ ● kube-system"
keys -l '/stock'; keys Enter
keys ':trace deploy/stock svc/cart' Enter
check "a trace" wait_for "hop 1"
keys Right Right
check "steps on" wait_for "10.96."
check "shows the packet after" wait_for "▔▔▔"
keys Left
check "and back" wait_for "hop 2"
keys c
check "copies" wait_for "copied: "
tm resize-window -t t -x 80 -y 24
check "a smaller window" wait_for "1 ● "
fits() { local l; screen | while IFS= read -r l; do [ "${#l}" -le "$1" ] || return 1; done; }
check "fits it" fits 80
tm resize-window -t t -x 38 -y 9
check "too small a window says so" wait_for "podwire needs 40×10"
tm resize-window -t t -x 132 -y 43
check "a large window" wait_for "hop 2"
for k in 1 2 3 4 5 6 7 8; do tm resize-window -t t -x $((90 + k)) -y $((25 + k)); done
tm resize-window -t t -x 100 -y 30
check "a storm of sizes ends at the last" wait_for "hop 2"
keys Escape
check "Esc goes back" wait_for "Cluster › Pods"
keys Escape
check "and on to the map" wait_for "q quit"
keys x
check "a menu of faults" wait_for "the node dies"
keys 5
check "one key breaks" wait_for "broken: bgp"
keys u
check "undo" wait_for "undone: fault bgp"
check "nothing is broken any more" gone "broken: bgp"
keys '?'
check "help" wait_for "in this view"
keys Q
check "Q quits" gone "in this view"
check "the terminal is restored" sane
check "no lab is left behind" sh -c '! ls "${TMPDIR:-/tmp}"/podwire-tui-* 2>/dev/null | grep -q .'

check "starts again" start "$podwire"
keys C-z
check "Ctrl-Z stops" wait_for "Stopped"
check "with the terminal restored" sane
keys 'fg' Enter
check "fg comes back" wait_for "default/cart"
kill -TSTP "$(pid)"
check "SIGTSTP stops" wait_for "Stopped"
check "with the terminal restored, too" sane
keys 'fg' Enter
check "and comes back" wait_for "default/cart"
keys ':set glyphs ascii' Enter
check "ASCII" wait_for "+: Services"
keys q
check "quits" gone "q quit"

# a lab: what is changed stays, the past can be looked at, compared with, and left
"$podwire" apply --lab "$work/lab.db" -f tests/tui/shop.yaml >/dev/null 2>&1
keys "clear; $podwire tui --lab $work/lab.db" Enter
check "a lab" wait_for "shop/web"
keys ':scale deploy/web --replicas 3 -n shop' Enter
check "a command changes it" wait_for "3 endpoints"
keys ':at rev:1' Enter
check "the past" wait_for "PAST"
keys ':advance 1s' Enter
check "cannot be changed" wait_for "this is the past"
keys A
check "A returns" wait_for "3 endpoints"
keys ':advance 40s' Enter
keys v
check "events" wait_for "1 column ="
keys ':compare 0s' Enter
check "two moments side by side" wait_for "gone"
keys Escape
keys m
check "the matrix" wait_for "from ↓  to →"
keys Right Down
check "explains" wait_for "verdict"
keys ':learn nodeport-source-ip' Enter
check "a lesson" wait_for "step 1 of 4"
keys Right
check "goes on" wait_for "step 2 of 4"
keys q
check "and is left" gone "step 2 of 4"
keys Q
check "quits again" gone "verdict"
check "the shell's podwire sees the change" sh -c "'$podwire' get deploy web -n shop --lab '$work/lab.db' | grep -q 3/3"

for signal in TERM HUP INT QUIT SEGV BUS ABRT; do
	check "starts before SIG$signal" start "$podwire"
	p=$(pid)
	kill -"$signal" "$p"
	check "SIG$signal ends it" gone "q quit"
	check "the terminal is restored after SIG$signal" sane
done
check "NO_COLOR" start "NO_COLOR=1 $podwire"
check "has no colour" sh -c "! tmux -L $server capture-pane -pe -t t | grep -q '\\[3[0-7]m\\|38;5'"
keys q
check "LANG=C" start "LC_ALL=C $podwire"
check "is ASCII" wait_for "+: Services"
keys q
check "TERM=linux" start "TERM=linux $podwire"
keys q
keys "clear; TERM=nonsense $podwire tui -f $files; echo status \$?" Enter
check "an unknown terminal is told" wait_for "is not known here"
check "exit status 3" wait_for "status 3"
check "no terminal at all" sh -c "'$podwire' tui -f '$files' </dev/null >/dev/null 2>'$work/e'; [ \$? = 3 ] && grep -q 'needs a terminal' '$work/e'"
check "a wrong theme is bad input" sh -c "'$podwire' tui --theme blue -f '$files' 2>'$work/e'; [ \$? = 2 ] && grep -q 'dark, light or mono' '$work/e'"
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
