# Sourced by every script: the same build environment everywhere, so that nothing is built twice.
# Flags change the identity of every crate: a build with other flags would start from nothing.

SWATH_ROOT=${SWATH_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
export SWATH_ROOT
SWATH_CACHE=${SWATH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/swath}
export SWATH_CACHE
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$SWATH_CACHE/target}
export SWATH_VENV=${SWATH_VENV:-$SWATH_CACHE/venv}
export SWATH_TORCH_VENV=${SWATH_TORCH_VENV:-$SWATH_CACHE/venv-torch}
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
# burn-cuda's loader is told the CUDA version instead of asking a toolkit that need not be there.
export CUDARC_CUDA_VERSION=${CUDARC_CUDA_VERSION:-13000}
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS RUSTDOCFLAGS CARGO_BUILD_TARGET
# A dependency of rust-analyzer's crates is compiled again whenever `CI` appears or goes: six minutes each time.
export SWATH_CI=${SWATH_CI:-${CI:-}}
unset CI

# rustc allocates gigabytes in small pieces; huge pages and no returns to the system make it a fifth faster.
export SWATH_MALLOC_CONF=thp:always,metadata_thp:always,dirty_decay_ms:-1,muzzy_decay_ms:-1

# `rust-toolchain.toml` pins a version. Where rustup has that very version under another name (such as `stable`) and
# cannot fetch, that one is used.
pinned=$(sed -n 's/^channel *= *"\(.*\)"/\1/p' "$SWATH_ROOT/rust-toolchain.toml")
if [ -z "${RUSTUP_TOOLCHAIN:-}" ] && command -v rustup >/dev/null 2>&1 &&
   ! rustup run "$pinned" rustc --version >/dev/null 2>&1; then
    for name in $(rustup toolchain list | awk '{print $1}'); do
        if rustup run "$name" rustc --version 2>/dev/null | grep -q "^rustc $pinned "; then
            export RUSTUP_TOOLCHAIN=$name
            break
        fi
    done
fi

# CUDA doubles the build, so it is a feature: on where a driver answers, or with CUDA=1; CUDA=0 keeps it off. So is Vulkan:
# on with VULKAN=1.
if [ -z "${CUDA:-}" ]; then
    if command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L >/dev/null 2>&1; then CUDA=1; else CUDA=0; fi
fi
export CUDA
if [ -z "${SWATH_FEATURES:-}" ]; then
    SWATH_FEATURES=
    [ "$CUDA" != 1 ] || SWATH_FEATURES=cuda
    [ "${VULKAN:-0}" != 1 ] || SWATH_FEATURES=${SWATH_FEATURES:+$SWATH_FEATURES,}vulkan
fi
export SWATH_FEATURES
# Read by scripts/build-dylib.sh.
export CARGO_FLAGS="${SWATH_FEATURES:+--features $SWATH_FEATURES} ${TIMINGS:+--timings}"

# cargo with rustc's allocator settings, and only for cargo: they would change the memory of our own programs.
cargo_fast() { MALLOC_CONF=$SWATH_MALLOC_CONF cargo "$@"; }
