#!/usr/bin/env bash
# Makes dist/swath-VERSION-py3-none-manylinux_2_28_x86_64.whl: the kernel with its compiler and GDAL, for machines that have none.
# CUDA=1 makes swath_cuda-…, whose library computes on NVIDIA GPUs as well. usage: wheel.sh [OUT]      (dist)
set -euo pipefail
source "$(dirname "$0")/env.sh"
source "$SWATH_ROOT/scripts/stages.sh"
source "$SWATH_ROOT/scripts/build.sh"
cd "$SWATH_ROOT"

out=${1:-$SWATH_ROOT/dist}
version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"/\1/p' Cargo.toml)
work=$CARGO_TARGET_DIR/wheel
build=$work/build stage=$work/stage
# RHEL 8, and what rasterio's GDAL needs; scripts/glibc/stubs.py and tests/python/test_wheel.py keep to it.
tag=manylinux_2_28_x86_64

# The programs, linked against the same old C library as the library. They lie beside those of every other build under names
# of their own, since cargo's hash of a program holds its flags.
programs() {
    local linker
    linker=$(python3 scripts/glibc/stubs.py "$CARGO_TARGET_DIR/glibc" --program)
    rm -rf "$build"
    mkdir -p "$build"
    for program in swath swath-cell; do
        cargo_fast rustc --release -p swath-kernel --bin "$program" -- -C "linker=$linker"
        cp "$CARGO_TARGET_DIR/release/$program" "$build/$program"
    done
}

# A copy of the library's folder that may be changed: metadata stays linked.
library() {
    build_library
    cp -al "$CARGO_TARGET_DIR/release/lib-swath" "$build/lib-swath"
    cp --remove-destination "$CARGO_TARGET_DIR/release/lib-swath/libswath.so" "$build/lib-swath/libswath.so"
}

native() { python3 scripts/wheel/gdal.py "$build/lib-swath" "$SWATH_CACHE/wheel"; }

# What `swath install` makes for everybody, from a shell that knows nothing of this machine.
installation() {
    rm -rf "$stage"
    mkdir -p "$stage"
    env -i PATH=/usr/bin:/bin HOME="$work" "$build/swath" install --prefix "$stage" --with-toolchain
    ! grep -rlI -e "$SWATH_ROOT" -e "$stage" -e "$HOME/" "$stage/share" "$stage/lib/swath/$version/manifest.json"
}

pack() {
    local licenses=$work/licenses expression sysroot name=swath extra=()
    sysroot=$(cat "$CARGO_TARGET_DIR/release/lib-swath/toolchain")
    expression=$(python3 scripts/wheel/licenses.py "$licenses" --toolchain "$sysroot" --libraries "$stage/lib/swath/$version/lib-swath/lib" \
        --features "$SWATH_FEATURES")
    if [ "$CUDA" = 1 ]; then
        name=swath-cuda
        # A driver loads what NVRTC of its own minor version or an older one has made: the oldest that knows the GPUs in use.
        for part in nvrtc runtime cccl nvcc; do extra+=(--require "nvidia-cuda-$part-cu12==12.4.*; extra == \"cuda12\""); done
        for part in nvrtc runtime cccl crt; do extra+=(--require "nvidia-cuda-$part==13.0.*; extra == \"cuda13\""); done
        extra+=(--extra cuda12 --extra cuda13)
    fi
    rm -f "$out/${name//-/_}"-*.whl
    python3 scripts/wheel/pack.py "$stage" "$out" --name "$name" --version "$version" --tag "$tag" --licenses "$licenses" \
        --license "$expression" --papermill python/swath-papermill/swath_papermill.py "${extra[@]}"
}

stage "system packages" bash scripts/setup-system.sh
stage "Rust toolchain" bash scripts/setup-rust.sh
stage "the programs, for an old C library" programs
stage "the library, for an old C library" library
stage "GDAL, its drivers and tables" native
stage "an installation for everybody" installation
stage "licenses and the wheel" pack
stage_table
ls -l "$out"
