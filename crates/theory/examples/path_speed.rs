//! Times the path of 50 interpolators at n = 2,000, d = 8,000, for `benches/peers/theory.py`.
//!
//! `path_speed FILE [WORKERS]`: FILE has n, d and the number of etas as little-endian u64, then x by rows, y, the spectrum and the etas as
//! f64. Prints seconds, then v of every eta,
//! one a line.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use flatleak_theory::{Path, Problem};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let bytes = std::fs::read(arguments.next().ok_or("name a file")?)?;
    let workers = arguments.next().map_or(Ok(1), |w| w.parse())?;
    let words: Vec<[u8; 8]> = bytes.chunks_exact(8).map(|c| c.try_into().unwrap_or_default()).collect();
    let (sizes, numbers) = words.split_at(3);
    let [n, d, etas] = [0, 1, 2].map(|k| u64::from_le_bytes(sizes[k]) as usize);
    let numbers: Vec<f64> = numbers.iter().map(|w| f64::from_le_bytes(*w)).collect();
    let (x, rest) = numbers.split_at(n * d);
    let (y, rest) = rest.split_at(n);
    let (spectrum, rest) = rest.split_at(d);
    let problem = Problem::new(x, y, d)?;
    let started = Instant::now();
    let path = Path::new(&problem, spectrum, &rest[..etas], workers)?;
    println!("{}", started.elapsed().as_secs_f64());
    for point in &path.points {
        println!("{}", point.second_moment);
    }
    Ok(())
}
