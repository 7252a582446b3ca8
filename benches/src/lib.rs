//! Benchmarks of the vault beside other ways to keep the same connectors.
