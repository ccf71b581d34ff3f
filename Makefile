# Arki. `make` lists the targets.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: help demo test packages packages-test release units bench bench-agent bench-predictions bench-sandbox grafana release-agent print-agent install-tools fmt-check lint unit doc deny bench-hub bench-wire faults

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: ## build, watch this host, replay a disk that fills, and explain the prediction (no root, no server)
	@examples/demo.sh

test: install-tools fmt-check lint unit doc deny units grafana packages-test ## everything: lints, unit, golden and property tests, the real binaries and packages

install-tools:
	@.ci/install

fmt-check:
	cargo fmt --all --check

lint:
	cargo clippy --workspace --all-targets --all-features --locked -- -D warnings

# The sandbox's tests need a container engine with its images: `.ci/docker` starts one of its own, and ends it.
unit:
	cargo build --workspace --all-features --locked
	@engine=$$(.ci/docker start target/debug/arki-hub) || exit 1; \
	ARKI_TEST_DOCKER=$$engine; [ -z "$$engine" ] || export ARKI_TEST_DOCKER; \
	.ci/with-timescale cargo test --workspace --all-features --locked --no-fail-fast; code=$$?; .ci/docker stop; exit $$code

doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --all-features --no-deps --document-private-items --locked

deny: ## licences, sources and duplicate dependencies (installs cargo-deny in CI)
	@if ! command -v cargo-deny >/dev/null && [ "$$CI" = true ]; then cargo install --locked --debug cargo-deny; fi
	@if command -v cargo-deny >/dev/null; then cargo deny --all-features check bans licenses sources; \
	else echo "SKIPPED: cargo deny (cargo install --locked cargo-deny)"; fi

grafana: ## the Grafana plugin: types, lint, tests, build, the built plugin in a browser against a real hub
	@.ci/grafana

units: ## the services are as closed as promised (systemd-analyze security at 2.0 or better), and of one version with all else
	@packaging/tests/version.sh
	@packaging/tests/units.sh

packages: ## .deb and .rpm of the agent and the hub, static, into dist/ (needs cargo-deb and cargo-generate-rpm)
	@packaging/build.sh

release: ## the packages, the static binaries, the plugin for Grafana, bills of materials and checksums, into dist/ (also needs npm)
	@packaging/build.sh --release

packages-test: ## installs, kills, upgrades and removes the packages in a Debian booted with systemd; the rpm by rpm and dnf
	cargo build --workspace --all-features --locked
	@packaging/tests/packages.sh

# The agent is linked statically: it runs on any distribution, and the C library costs no resident pages that it
# does not touch. Proc macros cannot be static, so the target is named.
HOST := $(shell rustc -vV | sed -n 's/^host: //p')

release-agent: ## the agent as it ships
	RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked -p arki-agent --target $(HOST)

print-agent:
	@echo target/$(HOST)/release/arki-agent

bench-sandbox: ## the time from request to result of a trial beside a bare `docker run` (needs a container engine)
	@arki-hub/benches/sandbox.sh

# ARKI_LOAD_DATABASE_URL (an empty database) runs it against a server of your own.
BENCH_HUB := cargo test -p arki-hub --profile quick --locked --test it -- --ignored --nocapture --test-threads=1 load:: stored_bytes::

bench-hub: ## the hub under load: batches a second, p99, CPU, memory, bytes stored, on SQLite and on TimescaleDB
	$(BENCH_HUB)
	ARKI_TEST_TIMESCALE_FSYNC=on .ci/with-timescale sh -c \
	    'ARKI_LOAD_DATABASE_URL="$$ARKI_TEST_TIMESCALE_URL&dbname=arki" $(BENCH_HUB)'

bench-wire: ## bytes a series and day on the wire beside Prometheus remote write and JSON
	cargo test -p arki-hub --locked --test it wire_bytes -- --nocapture

faults: ## the fault tests of hub and outbox at full size (a quarter of an hour)
	ARKI_FAULTS=full cargo test -p arki-hub --profile quick --locked --test it faults
	ARKI_KILLS=1000 ARKI_CRASH_SEEDS=10000 cargo test -p arki-agent --profile quick --locked --lib outbox::tests

bench: bench-agent bench-hub ## what the agent costs, and what the hub bears

bench-agent: ## the agent's memory, pass time and CPU beside node_exporter (release build)
	@arki-agent/benches/footprint.sh

bench-predictions: ## predictions on traces made for it: caught, how early, how exactly, how often wrong (Python with numpy)
	@arki-agent/benches/predictions/run.sh
