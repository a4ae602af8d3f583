#![no_main]
mod quiet;
#[path = "../../crates/cli/tests/corpora/study.rs"]
mod study;

libfuzzer_sys::fuzz_target!(init: quiet::decoders(), |bytes: &[u8]| study::study(bytes));
