#!/usr/bin/env bash
# evcxr_jupyter 0.22 as its users install it, with this library as a plain path dependency, built once in a session
# folder that the bench uses again (first time: it compiles the library with all dependencies at evcxr's own profile).
set -euo pipefail
source "$(dirname "$0")/../../scripts/env.sh"

peers=$SWATH_CACHE/peers
mkdir -p "$peers/share/jupyter/kernels/evcxr"
if [ ! -x "$peers/bin/evcxr_jupyter" ]; then
    CARGO_TARGET_DIR=$peers/target cargo_fast install --locked --version 0.22.0 --root "$peers" evcxr_jupyter
    rm -rf "$peers/target"
fi
cat >"$peers/share/jupyter/kernels/evcxr/kernel.json" <<END
{"argv": ["$peers/bin/evcxr_jupyter", "--control_file", "{connection_file}"], "display_name": "Rust (evcxr)",
 "language": "rust", "interrupt_mode": "message"}
END
# The library as it is committed, in a folder of its own, with the versions that our own build has.
rm -rf "$peers/library" "/var/tmp/swath-peer-$(id -u)"
mkdir -p "$peers/library"
git -C "$SWATH_ROOT" archive HEAD | tar -x -C "$peers/library"
"$SWATH_VENV/bin/python" "$SWATH_ROOT/benches/cells.py" --prepare-peer
