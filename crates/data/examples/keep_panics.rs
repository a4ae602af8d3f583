//! Looks for inputs on which the Parquet decoder panics and keeps the first of every place:
//! `cargo run --release -p flatleak-data --example keep_panics -- SECONDS crates/data/tests/fixtures/kept`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use flatleak_data::parquet;
use flatleak_stream::{Purpose, Stream};

static PLACE: Mutex<Option<String>> = Mutex::new(None);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let limit = Duration::from_secs(arguments[0].parse().unwrap());
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let seeds = ["plain.parquet", "snappy.parquet"].map(|name| std::fs::read(fixtures.join(name)).unwrap());
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|l| format!("{}-{}", l.file().rsplit('/').next().unwrap_or("x"), l.line()));
        *PLACE.lock().unwrap() = place;
    }));
    let mut kept: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut s = Stream::new(78, Purpose::Simulation, 0, 0);
    let start = Instant::now();
    while start.elapsed() < limit {
        let mut bytes = seeds[s.below(2) as usize].clone();
        for _ in 0..1 + s.below(4) {
            let at = s.below(bytes.len() as u32) as usize;
            bytes[at] = if s.coin() { s.next_u32() as u8 } else { bytes[at] ^ 1 << s.below(8) };
        }
        *PLACE.lock().unwrap() = None;
        let _ = parquet::parse(bytes.clone());
        if let Some(place) = PLACE.lock().unwrap().take() {
            kept.entry(place).or_insert(bytes);
        }
    }
    std::fs::create_dir_all(&arguments[1]).unwrap();
    for (place, bytes) in kept {
        println!("{place}: {} bytes", bytes.len());
        std::fs::write(Path::new(&arguments[1]).join(format!("{place}.parquet")), bytes).unwrap();
    }
}
