#!/usr/bin/env bash
# On a machine with a GPU, with the .gpu/ that carry.sh made: checks and figures, ours and PyTorch's in turns.
# Writes $OUT/gpu.jsonl and prints a table. usage: run.sh [GROUP…]   groups: check detect predict steps epoch again memory peer
# While a group runs, nvidia-smi notes five times a second how busy the GPU is and how much memory is taken.
set -uo pipefail
cd "$(dirname "$0")/../.."
groups=${*:-check detect predict steps epoch again peer memory}
OUT=${OUT:-out/gpu}
work=${SWATH_GPU_WORK:-/tmp/swath-gpu}
mkdir -p "$OUT" "$work"
if [ ! -x "$work/gpu-bench" ]; then
    xz -dkc .gpu/gpu-bench.xz >"$work/gpu-bench" && chmod +x "$work/gpu-bench"
    tar -C "$work" -xJf .gpu/lib.tar.xz
    gdal=$(basename "$(ls "$work"/lib/libgdal*.so* | head -1)")
    ln -sfn "$gdal" "$work/lib/libgdal.so.32"
fi
export LD_LIBRARY_PATH=$work/lib:/usr/local/nvidia/lib64:${LD_LIBRARY_PATH:-} PROJ_DATA=$work/lib
# NVRTC lies in a Python package there.
nvrtc=$(python3 - <<'PYTHON' 2>/dev/null
import pathlib, nvidia
for root in nvidia.__path__:
    for found in pathlib.Path(root).rglob("libnvrtc.so.1[23]"):
        print(found.parent)
        raise SystemExit
PYTHON
)
[ -z "$nvrtc" ] || export LD_LIBRARY_PATH=$nvrtc:$LD_LIBRARY_PATH
export XDG_CACHE_HOME=$work/cache
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
for group in $groups; do
    echo "{\"group\": \"$group\"}" | tee -a "$OUT/gpu.jsonl"
    nvidia-smi --query-gpu=timestamp,utilization.gpu,memory.used --format=csv,noheader,nounits -lms 200 \
        >"$work/$group.smi" 2>/dev/null &
    watcher=$!
    case $group in
    peer) python3 benches/gpu/pytorch.py ;;
    # A second process finds the kernels that the first one tuned.
    again) "$work/gpu-bench" epoch ;;
    *) "$work/gpu-bench" "$group" ;;
    esac 2>"$work/$group.err" | tee -a "$OUT/gpu.jsonl"
    kill "$watcher" 2>/dev/null
    [ ! -s "$work/$group.err" ] || { echo "$group:"; tail -5 "$work/$group.err"; }
done
python3 benches/gpu/table.py "$OUT/gpu.jsonl" "$work"
