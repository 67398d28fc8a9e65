#!/usr/bin/env bash
# Builds the library as the one shared object that all cells use, and gathers what compiling a cell needs.
#
#   scripts/build-dylib.sh [OUT]      OUT defaults to $CARGO_TARGET_DIR/release/lib-swath (target/release/lib-swath)
#
# CARGO_FLAGS adds flags for cargo, such as `--features cuda` or `--locked`.
#
# libswath.so looks for its own libraries in OUT/lib first (RUNPATH), which is empty unless a GDAL was put there.
# Contract with the kernel (`EngineOptions::lib_dir` is OUT) and with `swath install`, which copies OUT or what cells need of it:
#   OUT/libswath.so       the library; needs libstd-*.so of the toolchain and the system's libgdal, and of the C library no
#                         newer version than RHEL 8 has (scripts/glibc/stubs.py)
#   OUT/libswath.rmeta    its metadata, uncompressed: what rustc reads for every cell
#   OUT/deps/             metadata of the crates the library's public items mention, and the proc-macro crates they
#                         re-export (hard links where the file system allows, copies otherwise)
#   OUT/swath-api/        the library's sources, with those of swath-boxes as its module `boxes`, under a manifest without
#                         dependencies
#   OUT/swath-help/       the same library as `swath/`, and beside it the sources of the crates whose types it gives to users
#                         (Burn, geo), without what those depend on: what rust-analyzer reads, and nobody compiles
#   OUT/lib/, OUT/share/  not made here: the place for a GDAL that is brought along, with its tables (kernel/src/natives.rs)
#   OUT/toolchain         the sysroot (`rustc --print sysroot`) whose rustc must compile the cells; `swath install` writes
#                         `../toolchain` where it brings the compiler along
#   OUT/rustc-version     `rustc -vV` of that toolchain, to tell a toolchain that was replaced in place
# OUT is complete or, after a failure, untouched: everything is made in OUT.new and renamed.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
out=${1:-$target/release/lib-swath}
new=$out.new
rm -rf "$new"
mkdir -p "$new/deps"

# The nodes of a cluster may have an older C library than the machine that builds.
link=()
if linker=$(python3 scripts/glibc/stubs.py "$target/glibc"); then link=(-C "linker=$linker")
else echo "the library will need the C library of this machine, or a newer one" >&2; fi

# --message-format=json names every file that took part; the lines of other crates than ours name their metadata.
messages=$new/messages.json
# shellcheck disable=SC2086,SC2016  # CARGO_FLAGS is a list of flags; $ORIGIN is for the loader.
cargo rustc --release -p swath --lib --crate-type dylib ${CARGO_FLAGS:-} --message-format=json-render-diagnostics -- \
    -C prefer-dynamic "${link[@]}" -C 'link-arg=-Wl,-rpath,$ORIGIN/lib' "--emit=metadata=$target/release/libswath.rmeta,link" >"$messages"
cp --reflink=auto "$target/release/libswath.so" "$new/libswath.so"
cp --reflink=auto "$target/release/libswath.rmeta" "$new/libswath.rmeta"

sed -n 's/.*"reason":"compiler-artifact".*"filenames":\[\([^]]*\)\].*/\1/p' "$messages" | tr ',' '\n' | tr -d '"' |
    grep -E '/deps/lib[^/]*\.(rmeta|so)$' | grep -v '/libswath[-.]' | sort -u | while read -r file; do
    ln -f "$file" "$new/deps/" 2>/dev/null || cp --reflink=auto "$file" "$new/deps/"
done
# Macros are shared objects that the compiler loads, linked long ago; those that change are copies from here on.
if [ ${#link[@]} -gt 0 ]; then python3 scripts/glibc/rebind.py 2.28 "$new"/deps/*.so; fi

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

# A package NAME with its library in ROOT, that uses OTHERS. Everything that a feature brings is switched on.
help_manifest() {
    local name=$1 edition=$2 root=$3 feature other
    shift 3
    printf '[package]\nname = "%s"\nversion = "0.1.0"\nedition = "%s"\npublish = false\n' "$name" "$edition"
    printf '\n[lib]\npath = "%s"\n\n[features]\ndefault = ["std", "autodiff", "optim", "store"]\n' "$root"
    for feature in std autodiff optim store; do printf '%s = []\n' "$feature"; done
    printf '\n[dependencies]\n'
    for other in "$@"; do printf '%s = { path = "../%s" }\n' "$other" "$other"; done
}

# Each of these uses those before it.
others=()
for name in geo-types burn-std burn-tensor burn-core burn-nn burn-optim burn; do
    found=$(sed -n 's/.*"manifest_path":"\([^"]*\/'"$name"'-[0-9][^"/]*\)\/Cargo.toml".*/\1/p' "$messages" | head -n 1)
    # Where a crate is not to be found, rust-analyzer knows less, and everything else works.
    [ -d "$found/src" ] || { echo "no sources of $name: completion will not know it" >&2; continue; }
    mkdir -p "$new/swath-help/$name"
    cp -r "$found/src" "$new/swath-help/$name/src"
    edition=$(sed -n 's/^edition = "\(.*\)"/\1/p' "$found/Cargo.toml")
    help_manifest "$name" "${edition:-2021}" src/lib.rs "${others[@]}" >"$new/swath-help/$name/Cargo.toml"
    others+=("$name")
done
# The algorithms of geo are traits, which no cell has in scope without asking; its shapes are those of geo-types.
mkdir -p "$new/swath-help/geo/src" "$new/swath-help/swath"
echo 'pub use geo_types::*;' >"$new/swath-help/geo/src/lib.rs"
help_manifest geo 2021 src/lib.rs "${others[@]}" >"$new/swath-help/geo/Cargo.toml"
help_manifest swath 2024 ../../swath-api/src/lib.rs "${others[@]}" geo >"$new/swath-help/swath/Cargo.toml"
rm "$messages"

rustc --print sysroot >"$new/toolchain"
rustc -vV >"$new/rustc-version"
rm -rf "$out.old"
[ ! -e "$out" ] || mv "$out" "$out.old"
mv "$new" "$out"
rm -rf "$out.old"
echo "$out"
