#!/usr/bin/env bash
# Draws every figure that docs/figures.md shows, by the commands that stand in it.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p docs/figures
sed -n 's/^    podwire \(draw .*--out docs\/figures\/.*\)$/\1/p' docs/figures.md | while read -r words; do eval "build/podwire $words"; done
ls docs/figures/*.png
