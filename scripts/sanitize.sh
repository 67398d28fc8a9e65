#!/usr/bin/env bash
# The unsafe code and the index arithmetic of swath-cpu and swath-boxes under Miri: reads of what is not written, addresses
# outside their allocation, aliasing, data races. usage: sanitize.sh [PACKAGE…]
# Miri comes with a nightly toolchain, which rustup fetches once (`SWATH_NIGHTLY` names another). Where there is none, the
# same tests run under AddressSanitizer, whose runtime the stable toolchain has: it sees addresses, nothing else.
set -euo pipefail
source "$(dirname "$0")/env.sh"
cd "$SWATH_ROOT"
unset RUSTUP_TOOLCHAIN

nightly=${SWATH_NIGHTLY:-nightly}
packages=("$@")
[ ${#packages[@]} -gt 0 ] || packages=(swath-cpu swath-boxes)
if ! rustup run "$nightly" cargo miri --version >/dev/null 2>&1; then
    rustup toolchain install "$nightly" --profile minimal --component miri --component rust-src || true
fi
# Flags of its own need folders of their own.
export CARGO_TARGET_DIR=$CARGO_TARGET_DIR/sanitize
if rustup run "$nightly" cargo miri --version >/dev/null 2>&1; then
    # crossbeam, below rayon, keeps to Tree Borrows only, and makes pointers of numbers; rayon's threads are never joined.
    export MIRIFLAGS="-Zmiri-disable-isolation -Zmiri-tree-borrows -Zmiri-permissive-provenance -Zmiri-ignore-leaks"
    export RAYON_NUM_THREADS=2
    for package in "${packages[@]}"; do
        # Readers of files have no index arithmetic of their own, and thousands of files to read, which is hours under Miri.
        cargo "+$nightly" miri test -p "$package" --lib -- --skip formats::
    done
    # The same with the instructions that most processors take.
    if [[ " ${packages[*]} " == *" swath-cpu "* ]] && [ "$(uname -m)" = x86_64 ]; then
        RUSTFLAGS="-Ctarget-feature=+avx2,+fma" CARGO_TARGET_DIR=$CARGO_TARGET_DIR/avx2 \
            cargo "+$nightly" miri test -p swath-cpu --lib
    fi
else
    host=$(rustc -vV | sed -n 's/^host: //p')
    for package in "${packages[@]}"; do
        RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address -Cdebug-assertions=on -Coverflow-checks=on" \
            cargo test --release --target "$host" -p "$package" --lib
    done
fi
