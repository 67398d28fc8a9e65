#!/usr/bin/env bash
# Opens JupyterLab on notebooks/. Builds and installs first where that was not done.
set -euo pipefail
source "$(dirname "$0")/env.sh"
cd "$SWATH_ROOT"

if [ ! -x "$SWATH_VENV/bin/jupyter-lab" ] || ! ls "$SWATH_VENV"/share/jupyter/kernels/swath/kernel.json >/dev/null 2>&1; then
    bash scripts/install.sh
fi
# As root JupyterLab asks for this flag; a container is where people are root.
root_flag=()
[ "$(id -u)" != 0 ] || root_flag=(--allow-root)
exec "$SWATH_VENV/bin/jupyter-lab" "${root_flag[@]}" --notebook-dir "$SWATH_ROOT/notebooks" ${LAB_ARGS:-}
