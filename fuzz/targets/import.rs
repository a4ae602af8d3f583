#![no_main]
//! An archive of a data set, imported. The bytes are those of the tar file: of a packed one, mutation would reach the packing alone.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use flatleak_data::cache;

mod quiet;

libfuzzer_sys::fuzz_target!(init: prepare(), |bytes: &[u8]| {
    let Ok(file) = tempfile::Builder::new().suffix(".tar.gz").tempfile() else { return };
    let mut packed = GzEncoder::new(&file, Compression::none());
    if packed.write_all(bytes).and_then(|()| packed.finish().map(drop)).is_ok() {
        let _ = cache::import("fuzzed", file.path(), None);
    }
});

fn prepare() {
    quiet::decoders();
    // What is imported replaces what is there: never in anybody's cache.
    assert!(std::env::var_os(cache::CACHE_VAR).is_some(), "{} has to name a folder for this", cache::CACHE_VAR);
}
