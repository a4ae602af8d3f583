//! Gradients and ten steps against PyTorch (fixtures by `make_fixtures.py`).

#![allow(clippy::unwrap_used, reason = "a failed fixture read is a failed test")]

use std::collections::HashMap;
use std::path::Path;

use flatleak_nn::methods::{Sam, Sgd};
use flatleak_nn::{Architecture, Base, Network, Optimizer, Recipe, Schedule, Shape, Trainer, tensors};
use safetensors::{Dtype, SafeTensors};

struct Fixture {
    values: HashMap<String, (Vec<usize>, Vec<f32>)>,
    labels: Vec<u32>,
    meta: HashMap<String, String>,
}

fn load(path: &Path) -> Fixture {
    let bytes = std::fs::read(path).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let meta = header.metadata().clone().unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut values = HashMap::new();
    let mut labels = Vec::new();
    for (name, view) in file.tensors() {
        let data = view.data();
        match view.dtype() {
            Dtype::F32 => {
                let v = data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
                values.insert(name, (view.shape().to_vec(), v));
            }
            Dtype::I64 if name == "y" => {
                labels = data.chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().unwrap()) as u32).collect();
            }
            other => panic!("{name} is {other:?}"),
        }
    }
    Fixture { values, labels, meta }
}

/// Largest difference relative to the largest value of the tensor.
fn distance(got: &[f32], want: &[f32]) -> f64 {
    assert_eq!(got.len(), want.len());
    let scale = want.iter().fold(0f32, |a, v| a.max(v.abs())).max(1e-6);
    got.iter().zip(want).map(|(a, b)| f64::from((a - b).abs() / scale)).fold(0.0, f64::max)
}

fn check(path: &Path) -> f64 {
    let f = load(path);
    let number = |key: &str| f.meta.get(key).map_or(0.0, |v| v.parse::<f64>().unwrap());
    let texts: Vec<&str> = f.meta["layers"].split(';').map(str::trim).collect();
    // The fixture writes `linear IN OUT` and `conv IN OUT`; a study file names the outputs only.
    let layers: Vec<String> = texts
        .iter()
        .map(|t| {
            let words: Vec<&str> = t.split_whitespace().collect();
            match words[0] {
                "linear" => format!("linear {}", words[2]),
                k if k.starts_with("conv") => format!("conv {}", words[2]),
                k if k.starts_with("maxpool") || k == "max-pool" => "max-pool".into(),
                k => k.into(),
            }
        })
        .collect();
    let (dims, x) = &f.values["x"];
    let flat = dims.len() == 2;
    let shape = if flat {
        Shape { channels: 1, height: 1, width: dims[1] }
    } else {
        Shape { channels: dims[1], height: dims[2], width: dims[3] }
    };
    let classes = f.values["logits"].0[1];
    // A flat network starts at the vector; `flatten` would shift PyTorch's numbering by one.
    let names: Vec<String> = flat.then(|| "flatten".into()).into_iter().chain(layers).collect();
    let shift = usize::from(flat);
    let network =
        Network::compile(&Architecture::custom(names.iter().map(String::as_str)).unwrap(), shape, classes).unwrap();
    let rename = |name: &str| {
        let (index, rest) = name.split_once('.').unwrap();
        format!("{}.{rest}", index.parse::<usize>().unwrap() - shift)
    };
    let arena = |prefix: &str| {
        tensors::import(&network, |name| f.values.get(&format!("{prefix}.{}", rename(name))).cloned()).unwrap()
    };
    let sam = f.meta["optimizer"] == "sam";
    let optimizer = if sam { Optimizer::Sam(Sam { rho: number("rho") }) } else { Optimizer::Sgd(Sgd {}) };
    let recipe = Recipe {
        epochs: 5,
        batch: f.meta["batch"].split(|c: char| !c.is_ascii_digit()).find(|t| !t.is_empty()).unwrap().parse().unwrap(),
        lr: number("lr"),
        schedule: Schedule::Constant,
        momentum: number("momentum"),
        nesterov: matches!(f.meta.get("nesterov").map(String::as_str), Some("true" | "True" | "1")),
        weight_decay: number("weight_decay"),
        ..Recipe::new("fixture", optimizer, Base::Sgd)
    };
    let mut ws = network.workspace(recipe.batch);
    let rows: Vec<u32> = (0..dims[0] as u32).collect();
    let batches: Vec<&[u32]> = rows.chunks(recipe.batch).collect();
    assert!(batches[1].len() < batches[0].len(), "a last odd batch is part of the fixture");
    let mut worst = 0f64;
    let init = arena("init");
    worst = worst.max(distance(&network.logits(&init, x, batches[0], &mut ws), &f.values["logits"].1));
    let labels = |b: &[u32]| b.iter().map(|&i| f.labels[i as usize]).collect::<Vec<_>>();
    ws.gather(x, shape, batches[0]);
    let mut g = vec![0.0; network.parameters()];
    network.gradient(&mut g, &init, &labels(batches[0]), &mut ws);
    let compare = |arena: &[f32], prefix: &str| {
        tensors::export(&network, arena)
            .into_iter()
            .map(|(name, _, v)| distance(&v, &f.values[&format!("{prefix}.{}", rename(&name))].1))
            .fold(0.0, f64::max)
    };
    worst = worst.max(compare(&g, "grad"));
    let mut trainer = Trainer::new(&network, &recipe, init);
    for t in 0..10 {
        let b = batches[t % 2];
        let loss = trainer.step(x, &labels(b), b, recipe.lr);
        worst = worst.max(distance(&[loss as f32], &f.values[&format!("loss.{t}")].1));
        if t == 0 && sam {
            worst = worst.max(compare(trainer.gradient(), "sam_grad"));
        }
    }
    worst.max(compare(&trainer.parameters, "final"))
}

#[test]
fn every_gradient_and_ten_steps_match_pytorch() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut seen = 0;
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    for path in paths.iter().filter(|p| p.extension().is_some_and(|e| e == "safetensors")) {
        let worst = check(path);
        println!("{:40} largest relative difference {worst:.1e}", path.file_stem().unwrap().to_string_lossy());
        assert!(worst <= 1e-4, "{path:?}: {worst:e}");
        seen += 1;
    }
    assert!(seen >= 16, "{seen} fixtures");
}
