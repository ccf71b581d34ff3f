test:
	cargo test --workspace --all-features --locked
