//! What a step of every optimizer costs beside SGD's, and beside the gradients that it is said to need: `optimizer_cost [PRESET]`, by
//! default `cnn`, batch 128, windows of all optimizers in turn, medians of seven.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::time::Instant;

use flatleak_nn::{Architecture, Base, Network, Optimizer, Recipe, Shape, Trainer};
use flatleak_stream::{Purpose, Stream};

const WINDOWS: usize = 7;

/// Seconds that SGD's windows take at least.
const SHORTEST: f64 = 0.05;

fn main() {
    let preset = std::env::args().nth(1).unwrap_or("cnn".into());
    let shape = Shape { channels: 1, height: 28, width: 28 };
    let network = Network::compile(&Architecture::preset(&preset).unwrap(), shape, 10).unwrap();
    let mut s = Stream::new(0, Purpose::Simulation, 0, 0);
    let x: Vec<f32> = (0..2000 * network.features()).map(|_| s.normal() as f32).collect();
    let y: Vec<u32> = (0..2000).map(|_| s.below(10)).collect();
    let recipes: Vec<Recipe> = Optimizer::ALL
        .iter()
        .map(|o| Recipe { batch: 128, lr: 1e-3, ..Recipe::new(o.name(), *o, Base::Sgd) })
        .collect();
    let start = network.init(&mut s);
    let mut trainers: Vec<Trainer<'_>> = recipes.iter().map(|r| Trainer::new(&network, r, start.clone())).collect();
    let mut times = vec![Vec::new(); recipes.len()];
    let mut steps = 5;
    // The first window warms up, SGD's says how many steps the others have.
    for window in 0..=WINDOWS {
        for (k, (trainer, times)) in trainers.iter_mut().zip(&mut times).enumerate() {
            let begun = Instant::now();
            for _ in 0..steps {
                let batch: Vec<u32> = (0..128).map(|_| s.below(2000)).collect();
                let labels: Vec<u32> = batch.iter().map(|&i| y[i as usize]).collect();
                trainer.step(&x, &labels, &batch, 1e-3);
            }
            let each = begun.elapsed().as_secs_f64() / steps as f64;
            if window > 0 {
                times.push(each * 1e3);
            } else if k == 0 {
                // A multiple of every rhythm that a method has.
                steps = ((SHORTEST / each).ceil() as usize).next_multiple_of(10);
            }
        }
    }
    let medians: Vec<f64> = times
        .into_iter()
        .map(|mut all| {
            all.sort_by(f64::total_cmp);
            all[WINDOWS / 2]
        })
        .collect();
    println!("{preset}, batch 128, one core, medians of {WINDOWS} windows of {steps} steps");
    // A forward pass is a third of a gradient, more where the first layer is large: that one has no input gradient.
    let forward = network.multiply_adds() as f64 / network.training_multiply_adds() as f64;
    for (recipe, ms) in recipes.iter().zip(&medians) {
        let passes = if matches!(recipe.optimizer, Optimizer::Esam(_)) { forward - 1.0 / 3.0 } else { 0.0 };
        let (ratio, said) = (ms / medians[0], recipe.gradients_per_step() + passes);
        println!(
            "{:<14}{ms:8.2} ms {ratio:7.3} of sgd, {said:.2} gradients: {:+.1} %",
            recipe.name,
            100.0 * (ratio / said - 1.0)
        );
    }
}
