#!/usr/bin/env bash
# The book (docs/, by mdBook) and the API reference (rustdoc), both into out/book. usage: docs.sh [book|api]…
# mdBook comes from crates.io, is built once (`MDBOOK_VERSION`) and kept in the cache.
set -euo pipefail
source "$(dirname "$0")/env.sh"
cd "$SWATH_ROOT"

MDBOOK_VERSION=${MDBOOK_VERSION:-0.5.4}
tools=$SWATH_CACHE/tools/mdbook-$MDBOOK_VERSION
out=${SWATH_BOOK:-$SWATH_ROOT/out/book}
parts=${*:-book api}
wants() { [[ " $parts " == *" $1 "* ]]; }

# An mdBook on PATH serves as well if it is the very version: what it writes changes between releases.
find_mdbook() {
    if [ -x "$tools/bin/mdbook" ]; then echo "$tools/bin/mdbook"; return; fi
    local found
    found=$(command -v mdbook || true)
    if [ -n "$found" ] && [ "$("$found" --version)" = "mdbook v$MDBOOK_VERSION" ]; then echo "$found"; fi
}

# Without its web server and watcher, which take two thirds of the build.
install_mdbook() {
    echo "docs: building mdBook $MDBOOK_VERSION, once, into $tools" >&2
    CARGO_TARGET_DIR=$tools/build cargo_fast install mdbook --version "$MDBOOK_VERSION" --locked --quiet \
        --no-default-features --features search --root "$tools" >&2
    rm -rf "$tools/build"
}

if wants book; then
    mdbook=$(find_mdbook)
    [ -n "$mdbook" ] || { install_mdbook; mdbook=$(find_mdbook); }
    rm -rf "$out"
    "$mdbook" build docs --dest-dir "$out"
    echo "docs: the book is $out/index.html"
fi

# Only of our crates, so that nothing of the dependencies is compiled but their metadata, which clippy and checks share.
if wants api; then
    RUSTDOCFLAGS="-D warnings" cargo_fast doc --release --no-deps -p swath -p swath-boxes
    rm -rf "$out/api"
    mkdir -p "$out"
    cp -r "$CARGO_TARGET_DIR/doc" "$out/api"
    echo "docs: the API reference is $out/api/swath/index.html"
fi
