//! Every preset at full width, and the layers that no preset has, against PyTorch (fixtures by `make_presets.py`).
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed fixture read is a failed test; figures are printed"
)]

use flatleak_nn::methods::{Sam, Sgd};
use flatleak_nn::{Architecture, Base, Network, Optimizer, Recipe, Schedule, Shape, Trainer, tensors};
use serde_json::Value;

const BATCH: usize = 4;

/// The larger of two differences; NaN is larger than all.
fn larger(a: f64, b: f64) -> f64 {
    if b.is_nan() { f64::INFINITY } else { a.max(b) }
}

/// CRC-32 (ISO 3309), as zlib has it.
fn crc(text: &str) -> u32 {
    let mut crc = u32::MAX;
    for byte in text.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// Numbers in [-1, 1) by name and place, as the script makes them.
fn uniform(name: &str, count: usize) -> Vec<f64> {
    let start = u64::from(crc(name)) << 32;
    (1..=count as u64)
        .map(|i| {
            let mut z = start.wrapping_add(i).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((z ^ z >> 31) >> 11) as f64 * 2f64.powi(-52) - 1.0
        })
        .collect()
}

/// Weights by PyTorch's names: norms around the identity, the rest uniform on +-sqrt(2 / fan in).
fn weights(network: &Network) -> Vec<f32> {
    let layout = tensors::layout(network);
    let drawn = |name: &str| {
        let tensor = layout.iter().find(|t| t.name == name).unwrap();
        let count = tensor.shape.iter().product();
        let values: Vec<f32> = match (tensor.constant, name.rsplit('.').next().unwrap()) {
            (Some(_), "weight") => uniform(name, count).iter().map(|u| (1.0 + 0.5 * u) as f32).collect(),
            (Some(_), "bias") => uniform(name, count).iter().map(|u| (0.2 * u) as f32).collect(),
            (Some(value), _) => vec![value; count],
            _ => uniform(name, count).iter().map(|u| (u * (2.0 / tensor.fan_in as f64).sqrt()) as f32).collect(),
        };
        Some((tensor.shape.clone(), values))
    };
    tensors::import(network, drawn).unwrap()
}

/// Largest difference of the sampled elements from the fixture's, relative to the tensor's largest value, or the network's where that is below
/// 1e-4 of it: a bias in front of a batch norm has no gradient but rounding.
fn distance(network: &Network, arena: &[f32], wanted: &Value) -> f64 {
    let wanted = wanted.as_object().unwrap();
    let numbers = |v: &Value| v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect::<Vec<_>>();
    let whole = wanted.values().map(|v| numbers(v)[0]).fold(0.0, f64::max);
    let mut worst = 0f64;
    let mut seen = 0;
    for (name, _, values) in tensors::export(network, arena) {
        // Gradients have no running statistics.
        let Some(sample) = wanted.get(&name).map(numbers) else { continue };
        seen += 1;
        let scale = if sample[0] > 1e-4 * whole { sample[0] } else { whole };
        let largest = values.iter().fold(0f64, |a, v| a.max(f64::from(v.abs())));
        worst = larger(worst, (largest - sample[0]).abs() / scale);
        for (k, want) in sample[1..].iter().enumerate() {
            let got = f64::from(values[values.len() * k / 16]);
            worst = larger(worst, (got - want).abs() / scale);
        }
    }
    assert_eq!(seen, wanted.len(), "every tensor of the fixture");
    worst
}

#[test]
fn every_preset_matches_pytorch() {
    let all: Vec<Value> = serde_json::from_str(include_str!("fixtures/presets.json")).unwrap();
    for case in &all {
        let name = case["name"].as_str().unwrap();
        let texts: Vec<&str> = case["layers"].as_array().unwrap().iter().map(|l| l.as_str().unwrap()).collect();
        let architecture = Architecture::custom(texts).unwrap();
        if let Ok(preset) = Architecture::preset(name) {
            assert_eq!(preset.layers, architecture.layers, "{name} has changed: make the fixture anew");
        }
        let size = |k: usize| case["shape"][k].as_u64().unwrap() as usize;
        let shape = Shape { channels: size(0), height: size(1), width: size(2) };
        let classes = case["classes"].as_u64().unwrap() as usize;
        let network = Network::compile(&architecture, shape, classes).unwrap();
        let sam = case["optimizer"] == "sam";
        let optimizer = if sam { Optimizer::Sam(Sam { rho: 0.05 }) } else { Optimizer::Sgd(Sgd {}) };
        let recipe = Recipe {
            epochs: 1,
            batch: BATCH,
            lr: 0.005,
            schedule: Schedule::Constant,
            ..Recipe::new("fixture", optimizer, Base::Sgd)
        };
        let data = case["data"].as_str().unwrap();
        let x: Vec<f32> = uniform(data, 2 * BATCH * shape.features()).iter().map(|v| *v as f32).collect();
        let y: Vec<u32> = (0..2 * BATCH).map(|i| (i * 7 % classes) as u32).collect();
        let rows: Vec<u32> = (0..2 * BATCH as u32).collect();
        // The second batch is one short.
        let batches = [&rows[..BATCH], &rows[BATCH..2 * BATCH - 1]];
        let labels = |b: &[u32]| b.iter().map(|&i| y[i as usize]).collect::<Vec<_>>();

        let start = weights(&network);
        let mut ws = network.workspace(BATCH);
        ws.gather(&x, shape, batches[0]);
        let mut gradient = vec![0.0; network.arena()];
        network.gradient(&mut gradient[..network.parameters()], &start, &labels(batches[0]), &mut ws);
        let plain = distance(&network, &gradient, &case["grad"]);

        let mut trainer = Trainer::new(&network, &recipe, start);
        let mut loss_gap = 0f64;
        let mut perturbed = 0.0;
        for (step, wanted) in case["losses"].as_array().unwrap().iter().enumerate() {
            let batch = batches[step % 2];
            let loss = trainer.step(&x, &labels(batch), batch, recipe.lr);
            let wanted = wanted.as_f64().unwrap();
            loss_gap = larger(loss_gap, (loss - wanted).abs() / wanted.abs().max(0.1));
            if step == 0 && sam {
                gradient[..network.parameters()].copy_from_slice(trainer.gradient());
                perturbed = distance(&network, &gradient, &case["sam_grad"]);
            }
        }
        let last = distance(&network, &trainer.parameters, &case["final"]);
        // Running statistics in evaluation, weights under PyTorch's names: the same logits.
        let logits = network.logits(&trainer.parameters, &x, &rows[..3], &mut ws);
        let wanted: Vec<f64> = case["logits"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        let scale = wanted.iter().fold(0f64, |a, v| a.max(v.abs()));
        let output = logits.iter().zip(&wanted).map(|(a, b)| (f64::from(*a) - b).abs() / scale).fold(0.0, larger);
        println!(
            "{name:<14} {:<4} gradient {plain:.1e}, perturbed {perturbed:.1e}, losses {loss_gap:.1e}, final {last:.1e}, logits {output:.1e}",
            case["optimizer"].as_str().unwrap()
        );
        let worst = [plain, perturbed, loss_gap, last, output].into_iter().fold(0.0, larger);
        assert!(worst <= 1e-4, "{name}: {worst:e}");
    }
    assert!(all.len() >= 13);
}
