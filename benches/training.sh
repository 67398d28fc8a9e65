#!/usr/bin/env bash
# Training images per second, ours and PyTorch's in turns: U-Net-ResNet-18, 256 px, batch 4, two threads.
set -euo pipefail
source "$(dirname "$0")/../scripts/env.sh"
cd "$SWATH_ROOT"

bash scripts/setup-torch.sh
cargo_fast bench --profile release -p swath --bench training --no-run
for round in 1 2 3; do
    RAYON_NUM_THREADS=2 cargo bench --quiet --profile release -p swath --bench training
    OMP_NUM_THREADS=2 "$SWATH_TORCH_VENV/bin/python" benches/peers/pytorch_training.py
done
