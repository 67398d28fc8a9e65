#!/usr/bin/env bash
# Training images per second, ours and PyTorch's in turns: U-Net-ResNet-18, 256 px, batch 4, two threads.
set -euo pipefail
source "$(dirname "$0")/../scripts/env.sh"
cd "$SWATH_ROOT"

torch=${SWATH_TORCH_VENV:-$SWATH_CACHE/venv-torch}
if ! "$torch/bin/python" -c 'import torch' 2>/dev/null; then
    python3 -m venv "$torch"
    "$torch/bin/pip" install --quiet torch numpy
fi
cargo_fast bench --profile release -p swath --bench training --no-run
for round in 1 2 3; do
    RAYON_NUM_THREADS=2 cargo bench --quiet --profile release -p swath --bench training
    OMP_NUM_THREADS=2 "$torch/bin/python" benches/peers/pytorch_training.py
done
