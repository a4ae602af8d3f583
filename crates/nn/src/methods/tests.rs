//! Ten steps of every optimizer against PyTorch (`tests/make_optimizers.py`, written from the formulas alone).

use std::collections::{BTreeMap, HashMap};

use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

use flatleak_data::Shape;

use super::dp_sgd::Private;
use super::esam::Efficient;
use super::*;
use crate::architecture::Architecture;
use crate::base::AdamSettings;
use crate::network::Network;
use crate::recipe::{Recipe, Schedule};
use crate::tensors;
use crate::train::Trainer;

struct Fixture {
    values: HashMap<String, (Vec<usize>, Vec<f32>)>,
    labels: Vec<u32>,
    configurations: BTreeMap<String, Value>,
    network: Network,
}

fn load() -> Fixture {
    let bytes = include_bytes!("../../tests/optimizers.safetensors");
    let (_, header) = SafeTensors::read_metadata(bytes).unwrap();
    let meta = header.metadata().clone().unwrap();
    let (mut values, mut labels) = (HashMap::new(), Vec::new());
    for (name, view) in SafeTensors::deserialize(bytes).unwrap().tensors() {
        let data = view.data();
        if view.dtype() == Dtype::F32 {
            let v = data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
            values.insert(name, (view.shape().to_vec(), v));
        } else {
            labels = data.chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().unwrap()) as u32).collect();
        }
    }
    let configurations = meta
        .iter()
        .filter_map(|(key, text)| Some((key.strip_prefix("config.")?.to_owned(), serde_json::from_str(text).unwrap())))
        .collect();
    let layers = ["flatten", "linear 16", "relu", "linear 12", "tanh", "linear"];
    let shape = Shape { channels: 1, height: 1, width: 20 };
    let network = Network::compile(&Architecture::custom(layers).unwrap(), shape, 5).unwrap();
    Fixture { values, labels, configurations, network }
}

/// The fixture's name of a tensor: PyTorch's list has no `flatten` in front.
fn name(own: &str) -> String {
    let (layer, rest) = own.split_once('.').unwrap();
    format!("{}.{rest}", layer.parse::<usize>().unwrap() - 1)
}

impl Fixture {
    fn arena(&self, prefix: &str) -> Vec<f32> {
        tensors::import(&self.network, |own| self.values.get(&format!("{prefix}.{}", name(own))).cloned()).unwrap()
    }

    /// Largest difference from the tensors under a prefix.
    fn distance(&self, arena: &[f32], prefix: &str) -> f64 {
        tensors::export(&self.network, arena)
            .into_iter()
            .flat_map(|(own, _, v)| {
                let wanted = &self.values[&format!("{prefix}.{}", name(&own))].1;
                v.into_iter().zip(wanted.clone()).map(|(a, b)| f64::from((a - b).abs())).collect::<Vec<_>>()
            })
            .fold(0.0, f64::max)
    }

    /// Noise or masks of the fixture in the arena's order, one entry per step.
    fn noise(&self, step: usize) -> Vec<f32> {
        let of = |own: &str| {
            let (shape, all) = self.values.get(&format!("dp.noise.{}", name(own)))?;
            let size: usize = shape[1..].iter().product();
            Some((shape[1..].to_vec(), all[step * size..(step + 1) * size].to_vec()))
        };
        tensors::import(&self.network, of).unwrap()
    }
}

/// The recipe of a configuration, by the keys of its method.
fn recipe(key: &str, config: &Value) -> Recipe {
    let number = |key: &str| config[key].as_f64();
    let optimizer = match key {
        "dp-sgd-wide" => Optimizer::named("dp-sgd").unwrap(),
        "sam-adam" => Optimizer::named("sam").unwrap(),
        key => Optimizer::named(key).unwrap(),
    };
    let base = Base::named(config["base"].as_str().unwrap()).unwrap_or_default();
    let mut given = BTreeMap::new();
    for parameter in optimizer.parameters() {
        let value = match (optimizer, parameter.key) {
            // The first step has the highest rate and radius.
            (_, "rho") => config["rho"][0].as_f64(),
            (Optimizer::Wsam(_) | Optimizer::WsamCoupled(_), "gamma") => Some(0.8),
            (Optimizer::FriendlySam(_), "lambda") => number("lam"),
            (Optimizer::Swa(_), _) => Some(0.5),
            (_, "noise") => number("sigma"),
            (_, "delta" | "budget") => None,
            (_, key) => number(key).or_else(|| panic!("{key} of {config}")),
        };
        given.extend(value.map(|v| (parameter.key.to_owned(), v)));
    }
    Recipe {
        epochs: 5,
        batch: 8,
        lr: config["lr"][0].as_f64().unwrap(),
        schedule: Schedule::Constant,
        momentum: number("momentum").unwrap_or(0.0),
        weight_decay: number("weight_decay").unwrap_or(0.0),
        ..Recipe::new(key, optimizer, base).with(&given).unwrap()
    }
}

/// Ten steps; returns the trainer's parameters and losses.
fn train(f: &Fixture, key: &str, recipe: &Recipe) -> (Vec<f32>, Vec<f64>) {
    let (x, config) = (&f.values["x"].1, &f.configurations[key]);
    let mut trainer = Trainer::new(&f.network, recipe, f.arena("init"));
    let training = Training { network: &f.network, batch: recipe.batch, lr: recipe.lr };
    if let Optimizer::Esam(esam) = recipe.optimizer
        && esam.rho > 0.0
    {
        let mut method = Efficient::new(esam, training);
        // The arena's tensors and PyTorch's parameters come in one order.
        method.replay = f.values["esam.mask"].1.chunks(6).map(|row| row.iter().map(|v| *v > 0.5).collect()).collect();
        trainer = trainer.with_method(Box::new(method));
    }
    let private = match recipe.optimizer {
        Optimizer::DpSgd(own) => Some(Private::new(own, 0.0, training)),
        Optimizer::DpSat(own) => Some(Private::new(own.without_ascent(), own.rho, training)),
        _ => None,
    };
    if let Some(mut method) = private {
        method.expected = 6.5;
        method.replay = (0..10).map(|step| f.noise(step)).collect();
        trainer = trainer.with_method(Box::new(method));
    }
    trainer.expect(10);
    let rows: Vec<u32> = (0..13).collect();
    let losses = (0..10)
        .map(|t| {
            let batch = if t % 2 == 0 { &rows[..8] } else { &rows[8..] };
            let labels: Vec<u32> = batch.iter().map(|&i| f.labels[i as usize]).collect();
            trainer.step(x, &labels, batch, config["lr"][t].as_f64().unwrap())
        })
        .collect();
    trainer.finish(x, &f.labels, &rows);
    (trainer.parameters, losses)
}

#[test]
fn ten_steps_of_every_optimizer_match_pytorch() {
    let f = load();
    let mut seen = Vec::new();
    for (key, config) in &f.configurations {
        let recipe = recipe(key, config);
        let (parameters, losses) = train(&f, key, &recipe);
        let worst = f.distance(&parameters, &format!("final.{key}"));
        assert!(worst < 1e-5, "{key}: {worst:e}");
        // DP-SAT's losses are those of its perturbed parameters.
        if !matches!(recipe.optimizer, Optimizer::DpSat(_)) {
            for (t, (found, wanted)) in losses.iter().zip(&f.values[&format!("loss.{key}")].1).enumerate() {
                assert!((found - f64::from(*wanted)).abs() < 1e-5, "{key}, step {t}: {found}, not {wanted}");
            }
        }
        println!("{key}: {worst:.1e}");
        seen.push(recipe.optimizer.name());
    }
    // The filter-wise operator differs from the other on convolutions alone: see below.
    let rest: Vec<&str> = Optimizer::ALL.iter().map(Optimizer::name).filter(|o| !seen.contains(o)).collect();
    assert_eq!(rest, ["asam-filter"]);
}

#[test]
fn members_of_the_family_are_one_another_bit_for_bit() {
    let f = load();
    let with = |optimizer: Optimizer| {
        let recipe = Recipe { batch: 8, schedule: Schedule::Constant, ..Recipe::new("a", optimizer, Base::Sgd) };
        train(&f, "sam", &recipe).0
    };
    let rho = 0.1;
    let (sgd, sam) = (with(Optimizer::Sgd(Sgd {})), with(Optimizer::Sam(Sam { rho })));
    assert!(sgd != sam);
    for optimizer in Optimizer::ALL.iter().filter(|o| o.is_sharpness_aware() && !o.is_private()) {
        let mut still = *optimizer;
        assert!(still.set("rho", 0.0));
        still.set("rho_min", 0.0);
        assert!(with(still) == sgd, "{} without a radius", optimizer.name());
    }
    assert!(with(Optimizer::Mixed(Mixed { rho, alpha: 0.0 })) == sgd);
    assert!(with(Optimizer::Mixed(Mixed { rho, alpha: 1.0 })) == sam);
    assert!(with(Optimizer::WsamCoupled(WsamCoupled { rho, gamma: 0.5 })) == sam);
    assert!(with(Optimizer::Gsam(Gsam { rho, rho_min: rho, alpha: 0.0 })) == sam);
    assert!(with(Optimizer::Looksam(Looksam { rho, k: 1.0, ..Looksam::default() })) == sam);
    assert!(with(Optimizer::FriendlySam(FriendlySam { rho, sigma: 0.0, ..FriendlySam::default() })) == sam);
    assert!(with(Optimizer::MSam(MSam { rho, m: 8.0 })) == sam);
    // Its operator is the same on all but convolutions.
    assert!(with(Optimizer::AsamFilter(AsamFilter::default())) == with(Optimizer::Asam(Asam::default())));
    // Decoupled WSAM is SAM to rounding, and only without momentum and decay.
    let plain = |optimizer| {
        let recipe = Recipe::new("a", optimizer, Base::Sgd);
        train(&f, "sam", &Recipe { batch: 8, momentum: 0.0, weight_decay: 0.0, ..recipe }).0
    };
    let (a, b) = (plain(Optimizer::Wsam(Wsam { rho, gamma: 0.5 })), plain(Optimizer::Sam(Sam { rho })));
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-6) && a != b);
}

#[test]
fn names_are_read_back() {
    for optimizer in Optimizer::ALL {
        assert_eq!(Optimizer::named(optimizer.name()), Some(*optimizer));
        let keys: Vec<&str> = optimizer.parameters().iter().map(|p| p.key).collect();
        assert_eq!(keys, optimizer.values().iter().map(|v| v.0).collect::<Vec<_>>());
        assert!(optimizer.check().is_ok(), "{} at its defaults", optimizer.name());
    }
    assert_eq!(Optimizer::named("sma"), None);
    assert_eq!(Optimizer::named("adam").unwrap().own_base(), Some(Base::Adam(AdamSettings::default())));
}

#[test]
fn nothing_comes_of_a_gradient_of_zero() {
    // Zero inputs and weights, and a bias that makes the label sure: g is nothing but the last digits of an exponential.
    let f = load();
    let x = vec![0.0; 13 * 20];
    for optimizer in Optimizer::ALL.iter().filter(|o| !o.is_private()) {
        let plain = Recipe::new("a", *optimizer, Base::Sgd);
        let recipe = Recipe { batch: 8, weight_decay: 0.0, ..plain };
        let mut w = f.arena("init");
        w.fill(0.0);
        let at = tensors::layout(&f.network).last().unwrap().positions()[0];
        w[at] = 400.0;
        let mut trainer = Trainer::new(&f.network, &recipe, w.clone());
        for _ in 0..3 {
            trainer.step(&x, &[0; 8], &(0..8).collect::<Vec<_>>(), 0.1);
        }
        assert!(trainer.parameters.iter().zip(&w).all(|(a, b)| (a - b).abs() < 1e-20), "{}", optimizer.name());
    }
}
