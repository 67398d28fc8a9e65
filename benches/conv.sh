#!/usr/bin/env bash
# Convolutions, training steps and prediction of whole networks, ours and PyTorch's in turns.
# usage: conv.sh [THREADS] [ROUNDS] [GROUP…]   two threads and two rounds by default; groups: ops steps inference
set -euo pipefail
source "$(dirname "$0")/../scripts/env.sh"
cd "$SWATH_ROOT"

threads=${1:-2}
rounds=${2:-2}
groups=("${@:3}")
[ ${#groups[@]} -gt 0 ] || groups=(ops steps inference)
bash scripts/setup-torch.sh
cargo_fast bench --profile release -p swath --bench conv --no-run
for group in "${groups[@]}"; do
    for round in $(seq "$rounds"); do
        printf '\n%s, round %s, ours\n' "$group" "$round"
        RAYON_NUM_THREADS=$threads cargo bench --quiet --profile release -p swath --bench conv -- "$group"
        printf '%s, round %s, PyTorch\n' "$group" "$round"
        "$SWATH_TORCH_VENV/bin/python" benches/peers/conv.py "$threads" "$group"
    done
done
