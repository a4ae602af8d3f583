#![no_main]
#[path = "../../crates/cli/tests/corpora/problem.rs"]
mod problem;
mod quiet;

libfuzzer_sys::fuzz_target!(init: quiet::decoders(), |bytes: &[u8]| problem::problem(bytes));
