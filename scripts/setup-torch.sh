#!/usr/bin/env bash
# PyTorch with what the comparisons with it need, in an environment of its own: 6 GB, only where it is asked for.
set -euo pipefail
source "$(dirname "$0")/env.sh"
if ! "$SWATH_TORCH_VENV/bin/python" -c 'import torch, torchvision, safetensors, pytest, pytest_timeout' 2>/dev/null; then
    [ -x "$SWATH_TORCH_VENV/bin/python" ] || python3 -m venv "$SWATH_TORCH_VENV"
    "$SWATH_TORCH_VENV/bin/pip" install --quiet torch torchvision safetensors pytest pytest-timeout
fi
"$SWATH_TORCH_VENV/bin/python" -c 'import torch, torchvision; print("PyTorch", torch.__version__, "torchvision", torchvision.__version__)'
