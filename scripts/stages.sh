# Sourced: named stages with wall times, and a table of them at the end.
#
#   stage "build the kernel" command args…      stops the script when the command fails
#   soft_stage "clippy" command args…           records the failure and goes on
#
# The output of each stage is shown and kept in $SWATH_LOGS/NN-name.log; what could not be checked is a line in $SWATH_LOGS/notes.

SWATH_LOGS=${SWATH_LOGS:-$SWATH_ROOT/out/logs}
rm -rf "$SWATH_LOGS"
mkdir -p "$SWATH_LOGS"
stage_number=0
stage_rows=()
stages_failed=0
stages_began=$SECONDS

seconds_text() {
    if [ "$1" -ge 60 ]; then printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); else printf '%d s' "$1"; fi
}

soft_stage() {
    local name=$1 began=$SECONDS status=0
    shift
    stage_number=$((stage_number + 1))
    stage_log=$SWATH_LOGS/$(printf '%02d' "$stage_number")-$(printf '%s' "$name" | tr -c 'A-Za-z0-9\n' '-').log
    printf '\n==> %d. %s\n' "$stage_number" "$name"
    # A pipe through tee, with the command's own status: pipefail is set in the scripts that source this file.
    "$@" 2>&1 </dev/null | tee "$stage_log" || status=1
    local took=$((SECONDS - began)) word=ok
    if [ "$status" -ne 0 ]; then word=FAILED; stages_failed=$((stages_failed + 1)); fi
    printf '    %s: %s (%s)\n' "$name" "$(seconds_text "$took")" "$word"
    stage_rows+=("$name|$(seconds_text "$took")|$word")
    return "$status"
}

stage() {
    if ! soft_stage "$@"; then
        stage_table
        printf '\nStopped at "%s". Its output: %s\n' "$1" "$stage_log" >&2
        exit 1
    fi
}

# For what is reported but not run, such as a check whose tool is absent.
skipped_stage() { stage_rows+=("$1|skipped|$2"); printf '\n==> %s: skipped (%s)\n' "$1" "$2"; }

stage_table() {
    local row name took word
    printf '\n| stage | wall time | |\n|---|---|---|\n'
    for row in "${stage_rows[@]}"; do
        IFS='|' read -r name took word <<<"$row"
        printf '| %s | %s | %s |\n' "$name" "$took" "$word"
    done
    printf '| **all** | **%s** | |\n' "$(seconds_text $((SECONDS - stages_began)))"
}
