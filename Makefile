# Few recipes, each a line that CI runs too (.ci/run).
# Rust is looked for where rustup puts it, so that a shell that doesn't know of it yet works as well.
export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)

PROFILE ?= tests/profiles/paired_100_flows_64B.lua
DURATION ?= 5
RESULTS ?= results
PREFIX ?= /usr/local
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
TARGET := $(or $(CARGO_TARGET_DIR),target)
NEXTEST_PROFILE ?= $(if $(CI),ci,default)
# Link-time optimisation is for the packet loops; with it the orchestrator takes ten minutes to link, and gains nothing.
QUICK := CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
# What tests and benches run, by the set of features that the tests are built with: for any other choice of crates cargo would
# build them, and what they depend on, once more.
PROGRAMS := cargo build --locked --workspace --bins --examples
# SMOKE=1: every bench, for a moment, to see that it runs.
SMOKE ?=
# More options of images/build.
IMAGES ?=
# Of each leg of a soak, or of each fuzz target; each recipe has a default of its own.
SECONDS ?=
# Which of niclab's tests, in nextest's words.
NICLAB_FILTER ?= all()

.DEFAULT_GOAL := help
.PHONY: help setup build demo test e2e bench instructions soak fuzz lint check-24.11 images niclab install clean

help: ## Show this
	@echo "make RECIPE, as root or as a user with sudo:"
	@awk -F ':.*## ' '/^[a-z0-9.-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what is missing for all recipes
	@scripts/setup build test bench lint fuzz

build: ## Build the release programs, target/release/{orchestrator,dataplane}
	@scripts/setup build
	cargo build --locked --release -p dataplane
	$(QUICK) cargo build --locked --release -p orchestrator

demo: build ## The main job on this machine, without a NIC: send a profile, measure it, write results (DURATION=5)
	@scripts/hugepages
	$(TARGET)/release/orchestrator run --local --profile $(PROFILE) --duration $(DURATION) --results $(RESULTS)

test: ## Run all tests; those that need root say so without it
	@scripts/setup build test
	@scripts/hugepages
	$(PROGRAMS)
	cargo test --locked --workspace --doc --quiet
	@[ "$$(id -u)" = 0 ] || echo "SKIPPED: not root: tests in network namespaces pass without doing anything"
	cargo nextest run --locked --workspace --profile $(NEXTEST_PROFILE)

bench: build ## Compare with dpdk-testpmd, in turns (SMOKE=1: a moment each)
	@scripts/setup bench
	@scripts/hugepages
	/usr/bin/python3 bench/run $(if $(SMOKE),--smoke)
	/usr/bin/python3 bench/pacing $(if $(SMOKE),--smoke)
	cargo bench --locked -p traffic --bench packets
	cargo run --locked --release -p lua-compat --example import_rate
	$(PROGRAMS)
	/usr/bin/python3 bench/scale --programs $(TARGET)/debug $(if $(SMOKE),--pairs 100 --seconds 3)

instructions: ## Count instructions a frame, against bench/instructions.json: a rise over 5 % fails
	@scripts/setup build bench
	/usr/bin/python3 bench/callgrind

soak: build ## Run at the highest rate for long and see that nothing is lost or leaked (SECONDS=600 a leg)
	@scripts/setup bench
	@scripts/hugepages
	/usr/bin/python3 bench/soak --seconds $(or $(SECONDS),600)

fuzz: ## Fuzz every target for a while, on the stable compiler (SECONDS=60 a target)
	@scripts/setup build fuzz
	scripts/fuzz all $(or $(SECONDS),60)

lint: ## Format, clippy, licences and sources of dependencies
	@scripts/setup build lint
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo deny --locked check licenses bans sources

check-24.11: ## Build and test against DPDK 24.11, in a Debian 13 chroot (root)
	@scripts/setup build test chroot
	scripts/check-dpdk-24.11

images: ## Build both container images to target/images, twice, and check them (root)
	@scripts/setup images
	images/build --output $(TARGET)/images --again $(IMAGES)
	images/check $(TARGET)/images/dataplane.oci.tar $(TARGET)/images/orchestrator.oci.tar

e2e: ## Both built images on a real Kubernetes of eight nodes, made here (root; the first time builds it)
	@scripts/setup build test images
	@scripts/hugepages
	$(PROGRAMS)
	images/build --output $(TARGET)/images $(IMAGES)
	tests/cluster/e2e $(TARGET)/images/dataplane.oci.tar dpdk-k8s-bench/dataplane:$(VERSION) \
		$(TARGET)/images/orchestrator.oci.tar dpdk-k8s-bench/orchestrator:$(VERSION)

niclab: ## Drivers of real NICs, on emulated ones in a guest: VFs, VFIO, IOMMU and their faults (NICLAB_FILTER=nextest's)
	@scripts/setup build test
	cargo build --locked --release -p dataplane
	$(PROGRAMS)
	tests/niclab/test $(TARGET)/release/dataplane $(TARGET)/debug/orchestrator "$(NICLAB_FILTER)"

install: build ## Programs, the kubectl plugin, manual pages and completions to PREFIX (/usr/local)
	install -D -t $(DESTDIR)$(PREFIX)/bin $(TARGET)/release/orchestrator $(TARGET)/release/dataplane
	ln -sf orchestrator $(DESTDIR)$(PREFIX)/bin/kubectl-dpdkbench
	ln -sf orchestrator $(DESTDIR)$(PREFIX)/bin/kubectl_complete-dpdkbench
	$(TARGET)/release/orchestrator man --dir $(DESTDIR)$(PREFIX)/share/man/man1
	mkdir -p $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions
	$(TARGET)/release/orchestrator completions bash >$(DESTDIR)$(PREFIX)/share/bash-completion/completions/orchestrator
	$(TARGET)/release/orchestrator completions zsh >$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_orchestrator

clean: ## Remove what was built here; results stay
	cargo clean
