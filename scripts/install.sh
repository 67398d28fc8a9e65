#!/usr/bin/env bash
# Builds the kernel and the library and installs the kernelspec.
set -euo pipefail
source "$(dirname "$0")/env.sh"
source "$SWATH_ROOT/scripts/stages.sh"
source "$SWATH_ROOT/scripts/build.sh"
cd "$SWATH_ROOT"

build_stages
[ "${STOP_AFTER:-}" = build ] || stage "install the kernel" install_kernel
stage_table
