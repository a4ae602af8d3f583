#![no_main]
#[path = "../../crates/cli/tests/corpora/results.rs"]
mod results;
mod quiet;

libfuzzer_sys::fuzz_target!(init: quiet::decoders(), |bytes: &[u8]| results::results(bytes));
