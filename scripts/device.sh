#!/usr/bin/env bash
# The device suite (tests/device) where no GPU is. usage: device.sh build|vulkan|cuda [CC [VERSION]]
#   build     the library for CUDA and Vulkan with its device tests, and the stand-in for NVIDIA's driver
#   vulkan    on SwiftShader, a Vulkan driver that computes on the processor: Debian's chromium brings it along
#   cuda      on the stand-in, as a GPU of compute capability CC (80) with CUDA VERSION (13): kernels are compiled by NVRTC and
#             launched, but not run; then ptxas assembles what was compiled
# SWATH_DEVICE_TESTS names tests, as `cargo test` takes them.
set -euo pipefail
source "$(dirname "$0")/env.sh"
cd "$SWATH_ROOT"
read -ra named <<<"${SWATH_DEVICE_TESTS:-}"

build() {
    cargo_fast test --release -p swath --features cuda,vulkan --test device "$@"
}

# One process for all tests, so that each kernel is compiled once; and one after another, as each waits for the device. Without
# cargo, which would build anew where variables of CUDA change.
suite() {
    (cd "$work" && "$@" CUBECL_AUTOTUNE_LEVEL="${CUBECL_AUTOTUNE_LEVEL:-minimal}" "$tests" --test-threads=1 "${named[@]}" \
        2> >(grep -v third_party/swiftshader >&2))
}

prepared() {
    tests=$(build --no-run 2>&1 | tee /dev/stderr | sed -n 's/.*Executable .*(\(.*\))$/\1/p')
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
}

case ${1:-} in
build)
    cargo_fast build --release -p swath-driver-stand-in
    # The bench for GPUs, too: nobody compiles it until a GPU is at hand.
    build --test cuda_build --bench gpu --no-run
    ;;
vulkan)
    chromium=/usr/lib/chromium
    driver=$chromium/vk_swiftshader_icd.json
    [ -f "$driver" ] || { echo "device: no SwiftShader; apt-get install chromium" >&2; exit 1; }
    # Only the loader: Chromium's folder holds other libraries that the system has, too.
    prepared
    ln -s "$chromium/libvulkan.so.1" "$work/libvulkan.so.1"
    suite env LD_LIBRARY_PATH="$work${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" VK_ICD_FILENAMES="$driver" VK_DRIVER_FILES="$driver" \
        SWATH_DEVICE=vulkan SWATH_UNCHECKED_DEVICE=1
    ;;
cuda)
    capability=${2:-80}
    cuda=$(bash scripts/setup-nvidia.sh "${3:-13}")
    prepared
    mkdir "$work/ptx"
    ln -s "$CARGO_TARGET_DIR/release/libcuda.so" "$work/libcuda.so.1"
    suite env LD_LIBRARY_PATH="$work:$cuda/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" CUDA_PATH="$cuda" SWATH_DEVICE=cuda \
        SWATH_NUMBERS=0 STAND_IN_CC="$capability" STAND_IN_PTX="$work/ptx"
    # As NVRTC was told: from 90 on with what only this architecture has.
    architecture=sm_$capability
    [ "$capability" -lt 90 ] || architecture=${architecture}a
    find "$work/ptx" -name '*.ptx' -print0 |
        xargs -0 -P "$(nproc)" -I{} "$cuda/bin/ptxas" -arch="$architecture" -O0 -o /dev/null {}
    echo "assembled for $architecture: $(find "$work/ptx" -name '*.ptx' | wc -l) kernels"
    ;;
*)
    sed -n '2,8p' "$0" >&2
    exit 2
    ;;
esac
