//! The networks that `tests/make_presets.py` runs in PyTorch, as JSON.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use flatleak_nn::{Architecture, PRESETS};

fn main() {
    let mut out = Vec::new();
    for name in PRESETS {
        let architecture = Architecture::preset(name).unwrap();
        let layers: Vec<String> = architecture.layers.iter().map(ToString::to_string).collect();
        let shape = match *name {
            "mlp" | "cnn" => [1, 28, 28],
            "purchase-fc" => [1, 1, 600],
            "vgg11" | "vgg16" => [3, 32, 32],
            "resnet18" => [3, 16, 16],
            _ => [3, 8, 8],
        };
        // Ten steps where the bar asks for them; one where every step takes a million decisions, see the script.
        let runs = match *name {
            "resnet20" => "[[\"sgd\",10],[\"sam\",10]]",
            "vgg11" | "vgg16" | "resnet18" => "[[\"sam\",1]]",
            _ => "[[\"sam\",2]]",
        };
        out.push((name.to_string(), shape, 10, layers, runs));
    }
    let other = "conv 8;group-norm 4;gelu;average-pool;conv 12 1x1;tanh;split;conv 12 no-bias;batch-norm;add;conv 7 stride 2;gelu;flatten;linear 9;batch-norm;relu;linear";
    let layers = other.split(';').map(str::to_owned).collect();
    out.push(("other-layers".into(), [2, 9, 11], 5, layers, "[[\"sgd\",4],[\"sam\",4]]"));
    let entries: Vec<String> = out
        .iter()
        .map(|(name, shape, classes, layers, runs)| {
            let layers: Vec<String> = layers.iter().map(|l| format!("\"{l}\"")).collect();
            format!(
                "{{\"name\":\"{name}\",\"shape\":{shape:?},\"classes\":{classes},\"layers\":[{}],\"runs\":{runs}}}",
                layers.join(",")
            )
        })
        .collect();
    println!("[{}]", entries.join(",\n"));
}
