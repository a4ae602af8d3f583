//! Time and memory of opening 60,000 images: `cargo run --release -p flatleak-data --example load`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::time::Instant;

use flatleak_data::{Request, open};

/// Peak resident memory in bytes, where the system tells.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    Some(1024 * line.split_whitespace().nth(1)?.parse::<u64>().ok()?)
}

fn main() {
    let mut times = Vec::new();
    let mut size = 0;
    for _ in 0..5 {
        let start = Instant::now();
        let data = open(&Request::new(std::env::args().nth(1).unwrap_or("fashion-mnist".into()))).unwrap();
        times.push(start.elapsed().as_secs_f64());
        size = 4 * (data.pool.x.len() + data.test.x.len());
    }
    times.sort_by(f64::total_cmp);
    let peak = peak().map_or("unknown".into(), |p| format!("{:.2}", p as f64 / size as f64));
    println!("{:.3} s (median of 5), {} MB of inputs, peak memory {peak} times that", times[2], size / 1_000_000);
}
