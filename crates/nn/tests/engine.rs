//! Properties of training that no fixture shows.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failed set-up is a failed test; figures are printed")]

use flatleak_nn::methods::{Sam, Sgd};
use flatleak_nn::{Architecture, Base, Network, Optimizer, Outcome, Recipe, Schedule, Shape, Trainer};
use flatleak_stream::{Purpose, Stream};

const SGD: Optimizer = Optimizer::Sgd(Sgd {});

fn sam(rho: f64) -> Optimizer {
    Optimizer::Sam(Sam { rho })
}

fn recipe(optimizer: Optimizer) -> Recipe {
    Recipe { epochs: 3, batch: 7, warmup: 1, nesterov: true, ..Recipe::new("test", optimizer, Base::Sgd) }
}

fn problem(preset: &str) -> (Network, Vec<f32>, Vec<u32>) {
    let shape = Shape { channels: 2, height: 9, width: 8 };
    let network = Network::compile(&Architecture::preset(preset).unwrap(), shape, 3).unwrap();
    let mut s = Stream::new(11, Purpose::Simulation, 0, 0);
    let x = (0..20 * 144).map(|_| s.normal() as f32).collect();
    let y = (0..20).map(|_| s.below(3)).collect();
    (network, x, y)
}

fn train(preset: &str, recipe: &Recipe) -> Vec<f32> {
    let (network, x, y) = problem(preset);
    let start = network.init(&mut Stream::new(1, Purpose::Init, 0, 0));
    let mut trainer = Trainer::new(&network, recipe, start);
    let members: Vec<u32> = (0..20).filter(|i| i % 3 != 0).collect();
    assert!(matches!(trainer.run((&x, &y), &members, (1, 0), |_, _| true), Outcome::Done(_)));
    trainer.parameters
}

#[test]
fn rho_zero_is_sgd_bit_for_bit() {
    for preset in ["mlp", "cnn", "resnet8"] {
        let sgd = train(preset, &recipe(SGD));
        assert_eq!(sgd, train(preset, &recipe(sam(0.0))));
        assert_ne!(sgd, train(preset, &recipe(sam(0.1))));
    }
}

#[test]
fn gradient_is_the_finite_difference() {
    // Smooth activations keep the loss smooth, so that central differences converge. Behind the first: buffers that two and three steps read,
    // the input among them, norms and dropout as first layers and on vectors, shortcuts of every kind,
    // norms that only convolutions and additions read.
    for layers in [
        "conv 3;tanh;conv 2;tanh;flatten;linear 5;tanh;linear",
        "split;conv 2;gelu;add;split;split;conv 2;add;conv 2;gelu;add;global-pool;linear 4;group-norm 2;gelu;linear",
        "group-norm 1;split;conv 3 stride 2;shortcut conv 3 1x1 stride 2 no-bias;shortcut group-norm 3;add;gelu;flatten;linear",
        "batch-norm;split;gelu;shortcut average-pool;average-pool;add;flatten;linear 6;batch-norm;gelu;linear",
        "dropout 0.25;split;global-pool;linear 3;shortcut global-pool;shortcut linear 3;add;tanh;linear",
        "conv 2;batch-norm;split;conv 2;batch-norm;add;split;conv 3;batch-norm;shortcut conv 3 1x1;shortcut batch-norm;add;gelu;flatten;linear",
        "conv 2;split;split;conv 2;add;batch-norm;conv 2;add;split;batch-norm;conv 2;add;flatten;linear",
        "conv 2 stride 4;split;shortcut conv 2;add;group-norm 1;gelu;split;conv 2 1x1;add;flatten;linear",
    ] {
        check_gradient(layers);
    }
}

fn check_gradient(layers: &str) {
    let shape = Shape { channels: 2, height: 4, width: 4 };
    let network = Network::compile(&Architecture::custom(layers.split(';')).unwrap(), shape, 3).unwrap();
    let mut s = Stream::new(5, Purpose::Simulation, 0, 0);
    let x: Vec<f32> = (0..4 * 32).map(|_| s.normal() as f32).collect();
    let (labels, rows) = ([0u32, 1, 2, 1], [0u32, 1, 2, 3]);
    let w = network.init(&mut Stream::new(5, Purpose::Init, 0, 0));
    let r = Recipe { batch: 4, ..recipe(SGD) };
    // The loss of a step at rate 0 is that at the weights, under the masks that were drawn before.
    let at = |w: &[f32]| {
        let mut trainer = Trainer::new(&network, &r, w.to_vec());
        trainer.draw_masks(4, &mut Stream::new(5, Purpose::Dropout, 0, 0));
        let loss = trainer.step(&x, &labels, &rows, 0.0);
        (loss, trainer.gradient().to_vec())
    };
    let g = at(&w).1;
    let largest = g.iter().fold(0f32, |a, v| a.max(v.abs()));
    for i in 0..network.parameters() {
        let h = 1e-2;
        let (mut up, mut down) = (w.clone(), w.clone());
        up[i] += h;
        down[i] -= h;
        let numeric = (at(&up).0 - at(&down).0) / f64::from(up[i] - down[i]);
        assert!((numeric - f64::from(g[i])).abs() < 3e-3 * f64::from(largest), "{layers}, {i}: {numeric} {}", g[i]);
    }
}

#[test]
fn vanishing_gradient_leaves_sam_finite() {
    // One class only: the softmax is constant, so every gradient is exactly 0 and so must eps be.
    let shape = Shape { channels: 1, height: 1, width: 4 };
    let network = Network::compile(&Architecture::custom(["flatten", "linear"]).unwrap(), shape, 1).unwrap();
    let mut r = recipe(sam(0.1));
    r.weight_decay = 0.0;
    let start = vec![0.5; 5];
    let mut trainer = Trainer::new(&network, &r, start.clone());
    trainer.step(&[1.0, 2.0, 3.0, 4.0], &[0], &[0], 0.1);
    assert_eq!(trainer.parameters, start);
}

#[test]
fn divergence_is_reported_not_propagated() {
    let (network, x, y) = problem("mlp");
    let mut r = recipe(SGD);
    (r.lr, r.schedule, r.warmup) = (1e5, Schedule::Constant, 0);
    let mut trainer = Trainer::new(&network, &r, network.init(&mut Stream::new(1, Purpose::Init, 0, 0)));
    let members: Vec<u32> = (0..20).collect();
    assert!(matches!(trainer.run((&x, &y), &members, (1, 0), |_, _| true), Outcome::Diverged(_)));
}

#[test]
fn impossible_layer_lists_say_where() {
    let shape = Shape { channels: 1, height: 3, width: 3 };
    for (layers, word) in [
        ("linear 4;linear", "flatten"),
        ("flatten;conv 3;linear", "flat"),
        ("max-pool;max-pool;flatten;linear", "halve"),
        ("flatten;linear 7", "one output per class"),
        ("flatten;linear 0;linear", "between 1"),
        ("", "unknown layer"),
        ("flatten;lineer 3", "lineer 3"),
        ("conv", "unknown layer `conv`"),
        ("conv 4;split;relu;add;flatten;linear", "would change what `split` keeps"),
        ("conv 4;add;flatten;linear", "no `split` before it"),
        ("conv 4;split;flatten;linear", "waits for its `add`"),
        ("conv 4;split;add;flatten;linear", "to itself"),
        ("conv 4;split;conv 5;add;flatten;linear", "cannot add 4x3x3 to 5x3x3"),
        ("conv 4;split;conv 4 stride 2;add;flatten;linear", "cannot add 4x3x3 to 4x2x2"),
        ("conv 4;split;conv 4;shortcut relu;add;flatten;linear", "what the other path reads"),
        ("conv 4;group-norm 3;flatten;linear", "4 channels into 3"),
        ("flatten;linear 4;tanh;tanh;linear", "follows an activation"),
        ("flatten;global-pool;linear", "flat"),
        ("conv 2;flatten;batch-norm;linear", "normalise a flattened image"),
        ("conv 2;flatten;split;linear 18;add;linear", "adds a flattened image"),
        ("flatten;linear 8;group-norm 8;linear", "one value in each group"),
        ("flatten;linear 1048576;linear 1048576;linear", "at most 2^30"),
        ("max-pool;max-pool;global-pool;linear", "cannot halve an image of 1 x 1"),
    ] {
        let error = Architecture::custom(layers.split(';'))
            .and_then(|a| Network::compile(&a, shape, 2))
            .unwrap_err()
            .to_string();
        assert!(error.contains(word), "{layers}: {error}");
    }
}

#[test]
fn schedules_by_hand() {
    let mut r = recipe(SGD);
    r.lr = 1.0;
    assert_eq!([r.rate(0, 4, 12), r.rate(3, 4, 12), r.rate(4, 4, 12)], [0.25, 1.0, 1.0]);
    assert!((r.rate(8, 4, 12) - 0.5).abs() < 1e-15 && r.rate(11, 4, 12) < 0.04);
    r.schedule = Schedule::Step;
    assert_eq!([r.rate(5, 0, 12), r.rate(6, 0, 12), r.rate(9, 0, 12)], [1.0, 0.1, 0.01]);
}

/// Fails when any change alters the bits of training: raise `ENGINE_VERSION` and renew the digests then. They
/// are the same for every instruction set; `FLATLEAK_SIMD` forces one.
#[test]
fn golden_digest_of_ten_steps() {
    let digest = |w: Vec<f32>| {
        let bytes: Vec<u8> = w.iter().flat_map(|v| v.to_le_bytes()).collect();
        blake3::hash(&bytes).to_hex()[..16].to_owned()
    };
    for (preset, initial, trained) in [
        ("mlp", "29fd92b7c065160e", "b66822900ce98b5a"),
        ("cnn", "be9479daecfd49c1", "c1a8297d80d402c6"),
        ("resnet8", "cf51b1a227efb1ca", "73b60d81fa30536e"),
    ] {
        let start = problem(preset).0.init(&mut Stream::new(1, Purpose::Init, 0, 0));
        assert_eq!(digest(start), initial, "initialisation of {preset}");
        let set = flatleak_kernel::instruction_set();
        assert_eq!(digest(train(preset, &recipe(sam(0.05)))), trained, "training of {preset} on {set}");
    }
}

/// The same mask in both passes of a step, none in evaluation, and about the asked share dropped.
#[test]
fn dropout_is_drawn_once_a_step_and_off_in_evaluation() {
    let shape = Shape { channels: 1, height: 1, width: 6 };
    let layers = ["flatten", "linear 400", "dropout 0.25", "linear"];
    let network = Network::compile(&Architecture::custom(layers).unwrap(), shape, 3).unwrap();
    let w = network.init(&mut Stream::new(2, Purpose::Init, 0, 0));
    let (x, labels) = ([0.5, -1.0, 2.0, 0.1, 0.2, 0.3], [1u32]);
    let r = Recipe { batch: 1, ..recipe(SGD) };
    let mut trainer = Trainer::new(&network, &r, w.clone());
    let plain = network.logits(&w, &x, &[0], &mut network.workspace(1));
    let mut losses = Vec::new();
    for draw in 0..2 {
        // A rate of 0 leaves the weights; the loss then depends on the mask alone.
        trainer.draw_masks(1, &mut Stream::new(2, Purpose::Dropout, 0, draw));
        let first = trainer.step(&x, &labels, &[0], 0.0);
        assert_eq!(first, trainer.step(&x, &labels, &[0], 0.0), "no new mask, no new loss");
        losses.push(first);
    }
    assert_ne!(losses[0], losses[1]);
    assert_eq!(network.logits(&w, &x, &[0], &mut network.workspace(1)), plain);
    let training = train_with_dropout(1);
    assert_eq!(training, train_with_dropout(1));
    assert_ne!(training, train_with_dropout(2));
}

fn train_with_dropout(seed: u64) -> Vec<f32> {
    let shape = Shape { channels: 1, height: 1, width: 6 };
    let layers = ["flatten", "linear 8", "relu", "dropout 0.5", "linear"];
    let network = Network::compile(&Architecture::custom(layers).unwrap(), shape, 3).unwrap();
    let mut s = Stream::new(4, Purpose::Simulation, 0, 0);
    let x: Vec<f32> = (0..20 * 6).map(|_| s.normal() as f32).collect();
    let y: Vec<u32> = (0..20).map(|i| i % 3).collect();
    let r = recipe(sam(0.1));
    let mut trainer = Trainer::new(&network, &r, network.init(&mut Stream::new(1, Purpose::Init, 0, 0)));
    trainer.run((&x, &y), &(0..20).collect::<Vec<_>>(), (seed, 0), |_, _| true);
    trainer.parameters
}

/// Activations, gradients, parameters and what the passes keep: no more than 1.3 times what a network needs.
#[test]
fn the_largest_presets_need_no_more_memory_than_they_must() {
    for name in ["wrn-16-4", "resnet18"] {
        let shape = Shape { channels: 3, height: 32, width: 32 };
        let network = Network::compile(&Architecture::preset(name).unwrap(), shape, 10).unwrap();
        let needed = 4 * 128 * network.activations_per_example() * 2;
        let taken = network.workspace(128).bytes();
        println!(
            "{name}: {} MB of workspace, {:.2} times activations and gradients",
            taken >> 20,
            taken as f64 / needed as f64
        );
        assert!((taken as f64) < 1.3 * needed as f64);
    }
}
