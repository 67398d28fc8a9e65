#!/usr/bin/env bash
# The figures of benches/README.md. usage: bench.sh [GROUP…]   groups: cells start chips scenes augment training conv, and before, installed, maps, normalization, rasterize, stack, wheel (after `make wheel`)
set -euo pipefail
source "$(dirname "$0")/env.sh"
source "$SWATH_ROOT/scripts/stages.sh"
source "$SWATH_ROOT/scripts/build.sh"
cd "$SWATH_ROOT"

groups=${*:-start cells chips scenes augment training conv}
wants() { [[ " $groups " == *" $1 "* ]]; }

build_stages tests
stage "install the kernel" install_kernel
! wants start || stage "kernel start" "$SWATH_VENV/bin/python" benches/start.py
! wants cells || stage "cells through the wire" "$SWATH_VENV/bin/python" benches/cells.py
! wants installed || stage "an installation for others" "$SWATH_VENV/bin/python" benches/installed.py --packed
! wants before || stage "cells beside those of an earlier kernel" "$SWATH_VENV/bin/python" benches/before.py
! wants chips || stage "chips per second" bash -c 'source scripts/env.sh && cargo_fast bench -p swath --profile release --bench chips'
! wants scenes || stage "chips per second from many scenes" bash -c 'source scripts/env.sh && cargo_fast bench -p swath --profile release --bench scenes'
! wants maps || stage "a large map, scored and traced" bash -c 'source scripts/env.sh && cargo_fast bench -p swath --profile release --bench maps'
! wants rasterize || stage "polygons opened and drawn" bash -c 'source scripts/env.sh && cargo_fast bench -p swath --profile release --bench rasterize'
! wants stack || stage "a stack of three resolutions" bash -c 'source scripts/env.sh && cargo_fast bench -p swath --profile release --bench stack'
! wants normalization || stage "normalization by each scene" bash -c 'source scripts/env.sh && cargo_fast bench -p swath --profile release --bench normalization'
! wants augment || stage "chips per second, changed at random" bash -c 'source scripts/env.sh && cargo_fast bench -p swath --profile release --bench augment'
! wants wheel || stage "from a wheel to the first result" "$SWATH_VENV/bin/python" benches/wheel.py
! wants training || stage "training images per second" bash benches/training.sh
! wants conv || stage "convolutions, steps and prediction" bash benches/conv.sh
stage_table
