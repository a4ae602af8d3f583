#![no_main]
mod quiet;
#[path = "../../crates/cli/tests/corpora/results.rs"]
mod results;

libfuzzer_sys::fuzz_target!(init: quiet::decoders(), |bytes: &[u8]| results::results(bytes));
