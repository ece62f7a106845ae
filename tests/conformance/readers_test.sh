#!/usr/bin/env bash
# Readers of rules against what podwire, kube-proxy and the kernel's own tools write (readers.py).
cd "$(dirname "$0")/../.." || exit 1
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }
exec python3 -B tests/conformance/readers.py "${PODWIRE:-build/podwire}" tests/conformance/cases
