#![no_main]
#[path = "../../crates/cli/tests/corpora/study.rs"]
mod study;
mod quiet;

libfuzzer_sys::fuzz_target!(init: quiet::decoders(), |bytes: &[u8]| study::study(bytes));
