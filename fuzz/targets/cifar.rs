#![no_main]
#[path = "../../crates/data/tests/corpora/files.rs"]
#[allow(dead_code, reason = "every target takes one of them")]
mod files;
mod quiet;

libfuzzer_sys::fuzz_target!(init: quiet::decoders(), |bytes: &[u8]| files::cifar(bytes));
