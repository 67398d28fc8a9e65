#!/usr/bin/env bash
# From a fresh machine to executed tutorials: every step that is already done is skipped.
set -euo pipefail
source "$(dirname "$0")/env.sh"
source "$SWATH_ROOT/scripts/stages.sh"
source "$SWATH_ROOT/scripts/build.sh"
cd "$SWATH_ROOT"

fetch() { "$(swath_binary)" data fetch "$1"; }

build_stages
stage "install the kernel" install_kernel
stage "data: Banepa" fetch banepa
stage "data: EfficientNet-Lite0 weights" fetch efficientnet-lite0
for notebook in notebooks/*.ipynb; do
    [ -e "$notebook" ] || continue
    stage "run $(basename "$notebook")" "$SWATH_VENV/bin/python" scripts/run_notebooks.py ${IN_PLACE:+--in-place} "$notebook"
done
stage_table
cat <<END

Executed notebooks: $SWATH_ROOT/out/notebooks (.ipynb and .html), their files: $SWATH_ROOT/notebooks/out
$(grep -h '^    SCORE ' "$SWATH_LOGS"/*-run-*.log 2>/dev/null | sed 's/^ *SCORE /  score: /')

Next: make lab
END
