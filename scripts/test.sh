#!/usr/bin/env bash
# Every test, in stages. usage: test.sh [GROUP…]   groups: lint rust kernel python notebooks wheel cuda torch, and device
# All by default but device; torch, whose PyTorch takes 6 GB, only where that is installed already or when it is named.
# A failed stage does not stop the others; the last line counts what the test runners counted.
set -uo pipefail
source "$(dirname "$0")/env.sh"
source "$SWATH_ROOT/scripts/stages.sh"
source "$SWATH_ROOT/scripts/build.sh"
cd "$SWATH_ROOT"

groups=${*:-lint rust kernel python notebooks wheel cuda}
if [ $# -eq 0 ] && [ -x "$SWATH_TORCH_VENV/bin/python" ]; then groups+=" torch"; fi
wants() { [[ " $groups " == *" $1 "* ]]; }

passed=0
failed=0
skipped=0

# Reads the counts of nextest, cargo test and pytest out of a stage's log. With `were_skipped=yes` the tests that ran are
# those that an earlier stage has counted as skipped.
count() {
    local status=$1 counts
    counts=$(awk '
        /Summary \[/ && /tests? run:/ { seen = 1
            for (i = 2; i <= NF; i++) { word = $i; gsub(/[,:()]/, "", word)
                if (word == "passed") p += $(i - 1); else if (word == "failed" || word == "timed") f += $(i - 1)
                else if (word == "skipped") s += $(i - 1) } }
        /^test result:/ { seen = 1
            for (i = 2; i <= NF; i++) { word = $i; gsub(/;/, "", word)
                if (word == "passed") p += $(i - 1); else if (word == "failed") f += $(i - 1)
                else if (word == "ignored") s += $(i - 1) } }
        /^=+ .*in [0-9.]+s/ { seen = 1
            for (i = 2; i <= NF; i++) { word = $i; gsub(/,/, "", word)
                if (word == "passed" || word == "xfailed") p += $(i - 1)
                else if (word == "failed" || word == "error" || word == "errors" || word == "xpassed") f += $(i - 1)
                else if (word == "skipped") s += $(i - 1) } }
        END { printf "%d %d %d %d", seen, p, f, s }' "$stage_log")
    read -r seen p f s <<<"$counts"
    passed=$((passed + p))
    if [ -n "${were_skipped:-}" ]; then skipped=$((skipped - p - f)); else skipped=$((skipped + s)); fi
    # A stage that failed before its runner counted a failure, such as a build error, is one failure.
    if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
    failed=$((failed + f))
    # A check without a test runner, such as rustfmt, is one check.
    if [ "$status" -eq 0 ] && [ "$seen" -eq 0 ]; then passed=$((passed + 1)); fi
}

check() { local status=0; soft_stage "$@" || status=1; count "$status"; return "$status"; }

finish() {
    stage_table
    [ ! -s "$SWATH_LOGS/notes" ] || { printf '\n'; cat "$SWATH_LOGS/notes"; }
    printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    [ "$failed" -eq 0 ] && [ "$stages_failed" -eq 0 ]
    exit
}

library_features=()
[ -z "$SWATH_FEATURES" ] || library_features=(--features "$SWATH_FEATURES")

rust_tests() {
    if cargo nextest --version >/dev/null 2>&1; then cargo_fast nextest run --release --no-fail-fast "$@"
    else cargo_fast test --release --no-fail-fast "$@"; fi
}

# The tests that need more than a checkout has, such as the whole development data, as far as it is there.
tests_with_needs() {
    local found names
    found=$(python3 scripts/runnable_tests.py) || return 1
    mapfile -t names <<<"$found"
    if cargo nextest --version >/dev/null 2>&1; then
        cargo_fast nextest run --release --no-fail-fast -p swath "${library_features[@]}" --run-ignored only "${names[@]}"
    else cargo_fast test --release --no-fail-fast -p swath "${library_features[@]}" -- --ignored "${names[@]}"; fi
}

doc_tests() { cargo_fast test --release --doc -p swath "${library_features[@]}"; }

# Every warning is an error. Targets that do not need the failed one are still checked, so that one run shows more.
clippy() { cargo_fast clippy --release --all-targets --keep-going "$@" -- -D warnings; }

# Broken and ambiguous links in documentation, private items too. RUSTDOCFLAGS concerns nothing but rustdoc, so that no crate
# is compiled anew.
documentation() {
    RUSTDOCFLAGS="-D warnings" cargo_fast doc --release --no-deps --document-private-items --keep-going "$@"
}

# CI stops a run after 90 minutes: on a very slow machine what is least telling gives way, and says so.
seconds_left() { echo $((${SWATH_TEST_SECONDS:-5000} - (SECONDS - stages_began))); }

# Whether a stage that may take so many seconds ends before CI would stop the run; a note where it does not.
is_time_for() {
    [ -z "$SWATH_CI" ] || [ "$(seconds_left)" -ge "$1" ] || {
        echo "$2: no time left, $(seconds_left) s of the $1 that it may take" | tee -a "$SWATH_LOGS/notes"
        return 1
    }
}

# The CUDA build, on a GPU that answers or started without a driver. About 90 further crates and a second flavor of Burn, so
# only when the manifest (but for its benches), the lock or a source that mentions the feature changed.
cuda_build() {
    local stamp=$CARGO_TARGET_DIR/.swath-cuda-started key
    key=$(cat <(sed '/^\[\[bench\]\]/,/^$/d' Cargo.toml) Cargo.lock src/device.rs tests/cuda_build.rs $(grep -rl 'feature = "cuda"' src | sort) | sha256sum)
    if [ "$(cat "$stamp" 2>/dev/null)" = "$key" ]; then echo "unchanged since the last check"; return 0; fi
    local status=0 limit=${CUDA_BUILD_LIMIT:-2400}
    [ -z "$SWATH_CI" ] || [ "$(seconds_left)" -ge "$limit" ] || limit=$(seconds_left)
    [ "$limit" -gt 60 ] || { echo "cuda: no time left for the build" | tee -a "$SWATH_LOGS/notes"; return 0; }
    MALLOC_CONF=$SWATH_MALLOC_CONF timeout "$limit" \
        cargo test --release -p swath --features cuda --test cuda_build || status=$?
    if [ "$status" = 124 ]; then
        echo "cuda: the build did not finish in $limit s; the next run goes on from there" | tee -a "$SWATH_LOGS/notes"
        return 0
    fi
    [ "$status" -ne 0 ] || echo "$key" >"$stamp"
    return "$status"
}

python_tests() {
    "${PYTHON:-$SWATH_VENV/bin/python}" -m pytest -p no:cacheprovider -ra --durations=10 --maxfail=12 "$@"
}

fetch() { "$(swath_binary)" data fetch "$1"; }

soft_stage "system packages" bash scripts/setup-system.sh tests || { failed=1; finish; }
soft_stage "Rust toolchain" bash scripts/setup-rust.sh || { failed=1; finish; }
soft_stage "Python environment" bash scripts/setup-python.sh tests || { failed=1; finish; }

if wants lint; then
    check "rustfmt" cargo fmt --all --check
    check "floors, tests and what the features name, links and code of the book" python_tests --noconftest tests/python/test_layers.py tests/python/test_features.py tests/python/test_tests.py tests/python/test_docs.py
fi
if wants kernel || wants python || wants notebooks || wants wheel; then
    built=yes
    soft_stage "build the kernel" build_kernel || { built=no; failed=$((failed + 1)); }
    soft_stage "build the library" build_library || { built=no; failed=$((failed + 1)); }
    if [ "$built" = yes ]; then
        soft_stage "install the kernel" install_kernel || { built=no; failed=$((failed + 1)); }
    fi
fi
if wants rust; then
    check "CPU kernel tests" rust_tests -p swath-cpu
    check "box tests" rust_tests -p swath-boxes
    check "command line tests" rust_tests -p swath-cli
    check "jobs of Slurm: scripts and words" rust_tests -p swath-slurm
    check "library tests" rust_tests -p swath "${library_features[@]}"
    check "doc examples" doc_tests
fi
if wants kernel; then check "kernel and wire tests" rust_tests -p swath-kernel -p swath-link; fi
if wants python && [ "$built" = yes ]; then
    check "jupyter_kernel_test" python_tests --timeout 600 tests/python/test_kernel_conformance.py
    check "protocol and magics" python_tests --timeout 600 tests/python/test_protocol.py tests/python/test_recovery.py tests/python/test_magics.py tests/python/test_command_line.py tests/python/test_batch.py tests/python/test_magic_pipeline.py tests/python/test_many_scenes.py tests/python/test_mistakes.py tests/python/test_from_python.py tests/python/test_getting_started.py tests/python/test_docs_commands.py
    check "cells beside plain programs, random redefinitions" python_tests --timeout 900 tests/python/test_kernel_corpus.py tests/python/test_kernel_redefinition.py
    check "kernel: output, what values show, commands, evcxr's users, papermill" python_tests --timeout 900 tests/python/test_kernel_output.py tests/python/test_kernel_show.py tests/python/test_kernel_commands.py tests/python/test_kernel_evcxr_users.py tests/python/test_kernel_papermill.py
    check "kernel: dependencies, completion" python_tests --timeout 900 tests/python/test_kernel_dependencies.py tests/python/test_kernel_completion.py
    check "kernel: attacks, interrupts, the session's place" python_tests --timeout 900 tests/python/test_kernel_attacks.py tests/python/test_kernel_subscribers.py tests/python/test_kernel_interrupts.py tests/python/test_kernel_session_folder.py
    check "a cluster: jobs of Slurm, Open OnDemand, modules, copies of data for all" python_tests --timeout 900 tests/python/test_slurm.py tests/python/test_hpc.py tests/python/test_data_mirror.py tests/python/test_predict_parts.py
    check "an installation for others, what doctor finds" python_tests --timeout 900 tests/python/test_install_for_others.py tests/python/test_install_doctor.py
    check "other users of the machine" python_tests --timeout 600 tests/python/test_other_users.py
    check "files of odd kinds, against GDAL and rasterio" python_tests --timeout 900 tests/python/test_geo_cases.py tests/python/test_oracles.py tests/python/test_oracles_labels.py tests/python/test_oracles_boxes.py tests/python/test_odd_data_set.py tests/python/test_scene_fixtures.py tests/python/test_join_fixtures.py
fi
if { wants python || wants notebooks; } && [ "$built" = yes ]; then
    soft_stage "data: Banepa" fetch banepa && soft_stage "data: EfficientNet-Lite0 weights" fetch efficientnet-lite0 ||
        echo "no data: the tests that need it say so" | tee -a "$SWATH_LOGS/notes"
fi
if wants rust && [ -n "$(python3 scripts/runnable_tests.py 2>/dev/null || echo failed)" ]; then
    were_skipped=yes check "library tests that need data" tests_with_needs
fi
if wants python && [ "$built" = yes ]; then
    check "JupyterLab in Chromium" python_tests --timeout 1500 tests/python/test_lab.py tests/python/test_lab_newcomer.py
fi
if wants notebooks && [ "$built" = yes ]; then
    check "notebooks, small" python_tests --timeout 3000 tests/python/test_notebooks.py
fi
if wants torch && soft_stage "PyTorch" bash scripts/setup-torch.sh; then
    PYTHON=$SWATH_TORCH_VENV/bin/python check "exports loaded by PyTorch" python_tests --noconftest --timeout 900 \
        tests/python/test_torchvision_export.py
fi
if wants lint; then
    check "clippy: library" clippy -p swath -p swath-cpu -p swath-boxes -p swath-cli -p swath-slurm
    check "clippy: kernel" clippy -p swath-kernel -p swath-link
    check "documentation: library" documentation -p swath -p swath-cpu -p swath-boxes -p swath-cli -p swath-slurm
    check "documentation: kernel" documentation -p swath-kernel -p swath-link
fi
if wants wheel && [ "$built" = yes ] && is_time_for 1300 "the wheel"; then
    if soft_stage "make the wheel" env SWATH_LOGS="$SWATH_LOGS/wheel" bash scripts/wheel.sh; then
        check "the wheel, as somebody who has nothing else" python_tests --timeout 900 tests/python/test_wheel.py
    else failed=$((failed + 1)); fi
fi
if wants cuda; then check "CUDA build, on a GPU or started without a driver" cuda_build; fi
# Not by default yet: on SwiftShader some products are wrong, and the stand-in has not run whole (docs/features.md, GPU).
if wants device; then
    if soft_stage "build for CUDA and Vulkan" bash scripts/device.sh build; then
        check "device suite on SwiftShader (Vulkan)" bash scripts/device.sh vulkan
        check "device suite without numbers: CUDA 13 for sm_80" bash scripts/device.sh cuda 80 13
        check "device suite without numbers: CUDA 12 for sm_90" bash scripts/device.sh cuda 90 12
    else failed=$((failed + 1)); fi
fi
finish
