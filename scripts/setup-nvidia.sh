#!/usr/bin/env bash
# NVRTC, headers and the assembler ptxas of one CUDA version from NVIDIA's wheels, laid out as CUDA is: the folder is printed.
# usage: setup-nvidia.sh 12|13
set -euo pipefail
source "$(dirname "$0")/env.sh"
version=$1
root=$SWATH_CACHE/nvidia/cuda$version
case $version in
13) wheels=("nvidia-cuda-nvrtc==13.0.*" "nvidia-cuda-runtime==13.0.*" "nvidia-cuda-cccl==13.0.*" "nvidia-cuda-crt==13.0.*" "nvidia-cuda-nvcc==13.0.*") ;;
12) wheels=("nvidia-cuda-nvrtc-cu12==12.4.*" "nvidia-cuda-runtime-cu12==12.4.*" "nvidia-cuda-cccl-cu12==12.4.*" "nvidia-cuda-nvcc-cu12==12.4.*") ;;
*) echo "usage: setup-nvidia.sh 12|13" >&2; exit 2 ;;
esac
if [ ! -e "$root/.complete" ]; then
    rm -rf "$root"
    "$SWATH_VENV/bin/pip" install --quiet --disable-pip-version-check --no-deps --target "$root/wheels" "${wheels[@]}" >&2
    nvidia=$root/wheels/nvidia
    mkdir -p "$root/include" "$root/lib" "$root/bin"
    if [ "$version" = 13 ]; then
        cp -rs "$nvidia"/cu13/include/. "$root/include"
        ln -s "$nvidia"/cu13/lib/libnvrtc* "$root/lib"
        ln -s "$nvidia/cu13/bin/ptxas" "$root/bin"
    else
        cp -rs "$nvidia"/cuda_runtime/include/. "$root/include"
        ln -s "$nvidia/cuda_cccl/include" "$root/include/cccl"
        ln -s "$nvidia/cuda_nvcc/include/crt" "$root/include/crt"
        ln -s "$nvidia"/cuda_nvrtc/lib/libnvrtc* "$root/lib"
        ln -s "$nvidia/cuda_nvcc/bin/ptxas" "$root/bin"
    fi
    touch "$root/.complete"
fi
echo "$root"
