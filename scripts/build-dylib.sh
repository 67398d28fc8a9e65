#!/usr/bin/env bash
# Builds the library as the one shared object that all cells use, and gathers what compiling a cell needs.
#
#   scripts/build-dylib.sh [OUT]      OUT defaults to $CARGO_TARGET_DIR/release/lib-swath (target/release/lib-swath)
#
# CARGO_FLAGS adds flags for cargo, such as `--features cuda` or `--locked`.
#
# Contract with the kernel (`EngineOptions::lib_dir` is OUT) and with `swath install`, which copies OUT as a whole:
#   OUT/libswath.so       the library; needs libstd-*.so of the toolchain and the system's libgdal
#   OUT/libswath.rmeta    its metadata, uncompressed: what rustc reads for every cell
#   OUT/deps/             metadata of the crates the library's public items mention, and the proc-macro crates they
#                         re-export (hard links where the file system allows, copies otherwise)
#   OUT/swath-api/        the library's sources, with those of swath-boxes as its module `boxes`, under a manifest without
#                         dependencies: what rust-analyzer reads
#   OUT/toolchain         the sysroot (`rustc --print sysroot`) whose rustc must compile the cells
#   OUT/rustc-version     `rustc -vV` of that toolchain, to tell a toolchain that was replaced in place
# OUT is complete or, after a failure, untouched: everything is made in OUT.new and renamed.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
out=${1:-$target/release/lib-swath}
new=$out.new
rm -rf "$new"
mkdir -p "$new/deps"

# --message-format=json names every file that took part; the lines of other crates than ours name their metadata.
messages=$new/messages.json
# shellcheck disable=SC2086  # CARGO_FLAGS is a list of flags.
cargo rustc --release -p swath --lib --crate-type dylib ${CARGO_FLAGS:-} --message-format=json-render-diagnostics -- \
    -C prefer-dynamic "--emit=metadata=$target/release/libswath.rmeta,link" >"$messages"
cp --reflink=auto "$target/release/libswath.so" "$new/libswath.so"
cp --reflink=auto "$target/release/libswath.rmeta" "$new/libswath.rmeta"

sed -n 's/.*"reason":"compiler-artifact".*"filenames":\[\([^]]*\)\].*/\1/p' "$messages" | tr ',' '\n' | tr -d '"' |
    grep -E '/deps/lib[^/]*\.(rmeta|so)$' | grep -v '/libswath[-.]' | sort -u | while read -r file; do
    ln -f "$file" "$new/deps/" 2>/dev/null || cp --reflink=auto "$file" "$new/deps/"
done
rm "$messages"

mkdir -p "$new/swath-api"
cp -r src "$new/swath-api/src"
# rust-analyzer knows no other crate here: the one that the library re-exports becomes the module that users see.
cp -r boxes/src "$new/swath-api/src/boxes"
mv "$new/swath-api/src/boxes/lib.rs" "$new/swath-api/src/boxes/mod.rs"
find "$new/swath-api/src/boxes" -name '*.rs' -exec sed -i 's/\bcrate::/crate::boxes::/g' {} +
sed -i 's/^pub use swath_boxes as boxes;$/pub mod boxes;/' "$new/swath-api/src/lib.rs"
grep -q '^pub mod boxes;$' "$new/swath-api/src/lib.rs"
cat >"$new/swath-api/Cargo.toml" <<'MANIFEST'
[package]
name = "swath"
version = "0.1.0"
edition = "2024"
publish = false

# What cargo must expect when it runs at all: the prebuilt dylib is handed over in place of a build.
[lib]
crate-type = ["dylib"]

[workspace]
MANIFEST

rustc --print sysroot >"$new/toolchain"
rustc -vV >"$new/rustc-version"
rm -rf "$out.old"
[ ! -e "$out" ] || mv "$out" "$out.old"
mv "$new" "$out"
rm -rf "$out.old"
echo "$out"
