#!/usr/bin/env bash
# Builds the GPU bench and gathers what it needs on a machine with an NVIDIA driver, CUDA's headers and NVRTC, but without
# Rust and without GDAL: .gpu/ at the root of the checkout, less than 64 MiB. Then, there: bash benches/gpu/run.sh
set -euo pipefail
source "$(dirname "$0")/../../scripts/env.sh"
cd "$SWATH_ROOT"

out=$SWATH_ROOT/.gpu
rm -rf "$out"
mkdir -p "$out/lib"
binary=$(cargo_fast bench --profile release -p swath --features cuda --bench gpu --no-run 2>&1 | tee /dev/stderr |
    sed -n 's/.*Executable .*(\(.*\))$/\1/p' | tail -1)
strip -o "$out/gpu-bench" "$binary"
xz -T0 -6 "$out/gpu-bench"

# GDAL with everything that it needs, as rasterio's wheel carries it: 25 MB where Debian's takes 150. The C interface that
# we call is the same.
wheels=$(mktemp -d)
python3 -m pip download --quiet --no-deps --only-binary=:all: --python-version 3.12 --implementation cp \
    --platform manylinux_2_28_x86_64 --platform manylinux2014_x86_64 -d "$wheels" rasterio
python3 - "$wheels" "$out/lib" <<'PYTHON'
import pathlib, sys, zipfile
wheel = next(pathlib.Path(sys.argv[1]).glob("rasterio-*.whl"))
out = pathlib.Path(sys.argv[2])
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if name.startswith("rasterio.libs/") or "/proj_data/proj.db" in name:
            (out / pathlib.Path(name).name).write_bytes(archive.read(name))
PYTHON
tar -C "$out" -cJf "$out/lib.tar.xz" lib
rm -rf "$out/lib" "$wheels"
du -sh "$out"
