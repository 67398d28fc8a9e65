#!/usr/bin/env bash
# The pinned compiler and the standard library's sources (rust-analyzer reads them for completion).
set -euo pipefail
source "$(dirname "$0")/env.sh"
cd "$SWATH_ROOT"

if ! command -v cargo >/dev/null 2>&1; then
    echo "Rust is not on PATH. Install it as https://rustup.rs says (no root needed), then run make again." >&2
    exit 1
fi
if ! cargo --version >/dev/null 2>&1; then
    echo "rust: fetching toolchain $pinned"
    rustup toolchain install "$pinned" --profile minimal --component rust-src,rustfmt,clippy
fi
version=$(rustc --version)
case "$version" in
    "rustc $pinned "*) ;;
    *) echo "rust: $version in place of the pinned $pinned; library and cells use the same one, so this works" ;;
esac
sysroot=$(rustc --print sysroot)
if [ ! -e "$sysroot/lib/rustlib/src/rust/library/std/src/lib.rs" ]; then
    if command -v rustup >/dev/null 2>&1 && rustup component add rust-src; then :; else
        echo "rust: no sources of the standard library; completion of std methods will be missing." >&2
        echo "      With rustup: rustup component add rust-src. On Debian: apt-get install rust-src, and RUST_SRC_PATH." >&2
    fi
fi
echo "rust: $version in $sysroot, building into $CARGO_TARGET_DIR"
