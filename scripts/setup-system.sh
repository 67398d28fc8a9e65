#!/usr/bin/env bash
# Checks what the build needs from the system and, as root on a machine with apt, installs what is missing.
# usage: setup-system.sh [tests]      `tests` also asks for Chromium, Slurm, Ruby, Lmod
set -euo pipefail
source "$(dirname "$0")/env.sh"

missing_packages=()
missing_words=()
need() { missing_packages+=("$1"); missing_words+=("$2"); }

for_tests=${1:-}
can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }
command -v cc >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1 || command -v clang >/dev/null 2>&1 ||
    need build-essential "a C compiler and linker (conda: gcc_linux-64; modules: module load gcc)"
command -v pkg-config >/dev/null 2>&1 || [ -n "${GDAL_HOME:-}" ] ||
    need pkg-config "pkg-config (conda: pkg-config)"
pkg-config --exists gdal 2>/dev/null || [ -n "${GDAL_HOME:-}" ] ||
    need libgdal-dev "GDAL 3.4 or later with headers (conda: libgdal; modules: module load gdal), found through
      PKG_CONFIG_PATH (the folder that holds gdal.pc) or GDAL_HOME (the folder that holds include/gdal.h and lib/libgdal.so)"
python3 -c 'import venv, ensurepip' 2>/dev/null ||
    need python3-venv "Python 3.9 or later with venv and pip (conda: python; modules: module load python)"
if [ "$for_tests" = tests ]; then
    chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
    [ -n "$chromium" ] || need chromium "Chromium, for the JupyterLab test only"
    # The tests of a cluster: a Slurm of one node, Open OnDemand's templates, Lmod's modules. Those that miss something are skipped
    # and counted where packages cannot be installed.
    if can_install; then
        PATH=$PATH:/usr/sbin command -v slurmctld >/dev/null 2>&1 || need slurm-wlm "Slurm, for the tests of jobs only"
        PATH=$PATH:/usr/sbin command -v munged >/dev/null 2>&1 || need munge "munge, for the tests of jobs only"
        command -v ruby >/dev/null 2>&1 || need ruby "Ruby, for the test of the Open OnDemand app only"
        [ -f /usr/share/lmod/lmod/init/bash ] || need lmod "Lmod, for the test of the module only"
        command -v shellcheck >/dev/null 2>&1 || need shellcheck "shellcheck, for the scripts of jobs only"
    fi
fi
# Not needed, but cells link in 10 ms with it instead of 40: taken along when something is installed anyway or as root.
faster_linker() { command -v mold >/dev/null 2>&1 || command -v ld.lld >/dev/null 2>&1; }

if can_install && ! faster_linker; then missing_packages+=(mold); fi

if [ ${#missing_packages[@]} -eq 0 ]; then
    echo "system: everything needed is here (GDAL $(pkg-config --modversion gdal 2>/dev/null || echo "in $GDAL_HOME"))"
    exit 0
fi
if can_install; then
    echo "system: installing ${missing_packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -y --no-install-recommends "${missing_packages[@]}" >"$SWATH_CACHE-apt.log" 2>&1 ||
        { apt-get update && apt-get install -y --no-install-recommends "${missing_packages[@]}"; }
    rm -f "$SWATH_CACHE-apt.log"
    exit 0
fi
{
    echo "Missing on this machine, and this user cannot install packages:"
    for words in "${missing_words[@]}"; do echo "  - $words"; done
    echo "With root on Debian or Ubuntu: apt-get install ${missing_packages[*]}"
    echo "Without root, conda gives all of it:"
    echo "  conda create -n swath -c conda-forge libgdal pkg-config python gcc_linux-64 && conda activate swath"
    echo "  export GDAL_HOME=\$CONDA_PREFIX PKG_CONFIG_PATH=\$CONDA_PREFIX/lib/pkgconfig LD_LIBRARY_PATH=\$CONDA_PREFIX/lib"
    echo "Then run make again."
} >&2
exit 1
