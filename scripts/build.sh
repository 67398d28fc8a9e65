# Sourced after env.sh and stages.sh: the stages that the tutorials, the lab, the tests and the benches share.

# TIMINGS=1 lets cargo write what it waited for: $CARGO_TARGET_DIR/cargo-timings (scripts/build_waits.py reads it).
build_kernel() { (cd "$SWATH_ROOT" && cargo_fast build --release -p swath-kernel ${TIMINGS:+--timings}); }

build_library() {
    (cd "$SWATH_ROOT" && MALLOC_CONF=$SWATH_MALLOC_CONF bash scripts/build-dylib.sh)
}

swath_binary() { echo "$CARGO_TARGET_DIR/release/swath"; }

# Into the private environment, so that its JupyterLab finds the kernel and nothing else on the machine changes.
install_kernel() {
    if [ -n "${USER_INSTALL:-}" ]; then "$(swath_binary)" install --user
    else "$(swath_binary)" install --prefix "${PREFIX:-$SWATH_VENV}"; fi
}

build_stages() {
    stage "system packages" bash "$SWATH_ROOT/scripts/setup-system.sh" "${1:-}"
    stage "Rust toolchain" bash "$SWATH_ROOT/scripts/setup-rust.sh"
    stage "Python environment" bash "$SWATH_ROOT/scripts/setup-python.sh" "${1:-}"
    stage "build the kernel" build_kernel
    stage "build the library" build_library
}
