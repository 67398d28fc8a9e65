# Swath. `make tutorial` builds, installs and runs the tutorials; `make lab` opens JupyterLab; `make test` runs every test.
# CUDA=1 builds with CUDA (on by itself where an NVIDIA driver answers), CUDA=0 without.
# PREFIX=DIR installs the kernel under DIR/share/jupyter instead of the private environment.

SHELL := bash

.PHONY: help tutorial lab test sanitize soak bench docs install build wheel lint format clean

help:
	@echo 'make tutorial   on a fresh machine: install what is missing, build, run the tutorials, print the scores'
	@echo 'make lab        open JupyterLab on notebooks/ (after make tutorial, or by itself)'
	@echo 'make install    build and install the kernel "Rust (Swath)"; USER_INSTALL=1 for ~/.local/share/jupyter'
	@echo 'make wheel      dist/swath-…whl: the kernel with compiler and GDAL, for pip on machines that have none; CUDA=1 for GPUs'
	@echo 'make test       every test; TEST="rust kernel python" for some of the groups, TEST=torch for those with PyTorch (6 GB)'
	@echo 'make sanitize   the unsafe code of swath-cpu, and swath-boxes, under Miri (or AddressSanitizer)'
	@echo 'make soak       two hours of random traffic on one kernel; MINUTES=10 for less'
	@echo 'make bench      the figures of benches/README.md'
	@echo 'make docs       the book and the API reference, into out/book; DOCS=book or DOCS=api for one of them'
	@echo 'make lint       rustfmt and clippy'
	@echo 'make clean      remove what was built (the cache of data and weights stays)'

tutorial:
	@bash scripts/tutorial.sh

lab:
	@bash scripts/lab.sh

install:
	@bash scripts/install.sh

build:
	@STOP_AFTER=build bash scripts/install.sh

wheel:
	@bash scripts/wheel.sh

test:
	@bash scripts/test.sh $(TEST)

sanitize:
	@bash scripts/sanitize.sh $(PACKAGES)

soak:
	@bash -c 'source scripts/env.sh && "$$SWATH_VENV/bin/python" tests/python/soak.py --minutes $(or $(MINUTES),120)'

bench:
	@bash scripts/bench.sh $(BENCH)

docs:
	@bash scripts/docs.sh $(DOCS)

lint:
	@bash scripts/test.sh lint

format:
	@cargo fmt --all

clean:
	@bash -c 'source scripts/env.sh && rm -rf "$$CARGO_TARGET_DIR" "$$SWATH_VENV" out && echo "removed $$CARGO_TARGET_DIR, $$SWATH_VENV and out"'
