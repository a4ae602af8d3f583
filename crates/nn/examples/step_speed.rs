//! Milliseconds per training step and the share of this core's multiply-add peak.
//!
//! `cargo run --release -p flatleak-nn --example step_speed`, one JSON object a line. `benches/peers` holds
//! the same networks in PyTorch.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::time::Instant;

use flatleak_nn::methods::{Sam, Sgd};
use flatleak_nn::{Architecture, Base, Network, Optimizer, Recipe, Schedule, Shape, Trainer};
use flatleak_stream::{Purpose, Stream};

/// Multiply-add rate of a matrix product that fits the second-level cache, the best of many: what the
/// kernels can reach on this core.
fn product_rate() -> f64 {
    let n = 256;
    let (a, mut c) = (vec![1.0f32; n * n], vec![0.0f32; n * n]);
    let mut best = f64::MAX;
    for _ in 0..200 {
        let start = Instant::now();
        flatleak_kernel::gemm(&mut c, flatleak_kernel::Mat::new(&a, n, n), flatleak_kernel::Mat::new(&a, n, n), false);
        best = best.min(start.elapsed().as_secs_f64());
    }
    2.0 * (n * n * n) as f64 / best / 1e9
}

fn main() {
    let (peak, product) = (flatleak_kernel::peak::multiply_add_rate(), product_rate());
    let preset = |name: &str| Architecture::preset(name).unwrap();
    let image = Shape { channels: 1, height: 28, width: 28 };
    let colour = Shape { channels: 3, height: 32, width: 32 };
    let table = Shape { channels: 1, height: 1, width: 600 };
    let bench =
        Architecture::custom("flatten;linear 512;tanh;linear 256;tanh;linear 128;tanh;linear".split(';')).unwrap();
    let cases = [
        ("mlp", preset("mlp"), image, 10, 400),
        ("mlp-bench", bench, table, 100, 200),
        ("purchase-fc", preset("purchase-fc"), table, 100, 60),
        ("cnn", preset("cnn"), image, 10, 20),
        ("resnet20", preset("resnet20"), colour, 10, 3),
        ("wrn-16-4", preset("wrn-16-4"), colour, 10, 1),
    ];
    let only = std::env::args().nth(1);
    for (name, architecture, shape, classes, steps) in cases {
        if only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        for (optimizer, passes) in [(Optimizer::Sgd(Sgd {}), 1.0), (Optimizer::Sam(Sam::default()), 2.0)] {
            let network = Network::compile(&architecture, shape, classes).unwrap();
            let recipe = Recipe {
                epochs: 1,
                batch: 128,
                lr: 0.01,
                schedule: Schedule::Constant,
                ..Recipe::new("bench", optimizer, Base::Sgd)
            };
            let mut s = Stream::new(0, Purpose::Simulation, 0, 0);
            let x: Vec<f32> = (0..2000 * network.features()).map(|_| s.normal() as f32).collect();
            let y: Vec<u32> = (0..2000).map(|_| s.below(classes as u32)).collect();
            let mut trainer = Trainer::new(&network, &recipe, network.init(&mut s));
            let mut windows = Vec::new();
            // The first window warms up.
            for window in 0..if steps > 10 { 8 } else { 4 } {
                let start = Instant::now();
                for _ in 0..steps {
                    let batch: Vec<u32> = (0..128).map(|_| s.below(2000)).collect();
                    let labels: Vec<u32> = batch.iter().map(|&i| y[i as usize]).collect();
                    trainer.step(&x, &labels, &batch, recipe.lr);
                }
                if window > 0 {
                    windows.push(start.elapsed().as_secs_f64() * 1e3 / steps as f64);
                }
            }
            windows.sort_by(f64::total_cmp);
            let ms = windows[windows.len() / 2];
            let flops = 2.0 * 128.0 * passes * network.training_multiply_adds() as f64;
            let rate = flops / ms / 1e6;
            println!(
                "{{\"network\":\"{name}\",\"optimizer\":\"{}\",\"ms_per_step\":{ms:.3},\"gflops\":{rate:.1},\"peak_gflops\":{peak:.1},\"product_gflops\":{product:.1},\"share_of_peak\":{:.2}}}",
                optimizer.name(),
                rate / peak
            );
        }
    }
}
