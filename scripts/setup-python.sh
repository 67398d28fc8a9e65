#!/usr/bin/env bash
# A private Python environment with JupyterLab; `tests` adds what the tests need. Nothing outside it is touched.
set -euo pipefail
source "$(dirname "$0")/env.sh"

lists=("$SWATH_ROOT/scripts/requirements.txt")
[ "${1:-}" = tests ] && lists+=("$SWATH_ROOT/tests/python/requirements.txt")

if ! "$SWATH_VENV/bin/python" -c 'import pip' >/dev/null 2>&1; then
    echo "python: making $SWATH_VENV"
    rm -rf "$SWATH_VENV"
    python3 -m venv "$SWATH_VENV"
fi
for list in "${lists[@]}"; do
    stamp=$SWATH_VENV/.swath-$(basename "$(dirname "$list")")
    if ! cmp -s "$list" "$stamp"; then
        "$SWATH_VENV/bin/pip" install --quiet --disable-pip-version-check -r "$list"
        cp "$list" "$stamp"
    fi
done
"$SWATH_VENV/bin/python" - <<'END'
import importlib.metadata, platform, sys
print(f"python: {platform.python_version()}, JupyterLab {importlib.metadata.version('jupyterlab')} in {sys.prefix}")
END
