#![no_main]
#[path = "../../crates/cli/tests/corpora/documents.rs"]
#[allow(dead_code, reason = "every target takes one of them")]
mod documents;
mod quiet;

libfuzzer_sys::fuzz_target!(init: quiet::decoders(), |bytes: &[u8]| documents::study(bytes));
