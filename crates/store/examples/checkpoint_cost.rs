//! What a checkpoint costs: size, processor time of saving and of resuming, and the share of a minute that saving takes.
//! Linux alone: cargo run --release -p flatleak-store --example checkpoint_cost
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "figures are printed, and a failed set-up prints none")]

use std::fs;

use flatleak_data::{Request, open};
use flatleak_nn::{Network, Trainer};
use flatleak_store::{Resumed, Workshop};
use flatleak_stream::{Purpose, Stream};
use flatleak_study::Study;

/// Saves of which the median is taken.
const SAVES: usize = 7;

/// Seconds that this thread was on a processor.
fn spent() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e9
}

fn main() {
    println!("network, optimizer: parameters, MB, ms to save (median of {SAVES}), ms to resume, share of 60 s");
    for (preset, recipe) in [
        ("mlp", "optimizer = 'sgd'"),
        ("resnet20", "optimizer = 'sgd'"),
        ("wrn-16-4", "optimizer = 'sgd'"),
        ("resnet18", "optimizer = 'sgd'"),
        ("resnet18", "optimizer = 'swa'\nbase = 'adamw'"),
    ] {
        let text = format!(
            "models = 6\npool = 40\ntest = 10\ndata = ['digits']\n[model]\npreset = '{preset}'\n[train]\nbatch = 2\n[[recipe]]\nname = 'a'\n{recipe}"
        );
        let study = Study::parse(&text).unwrap();
        let data = open(&Request { pool: Some(40), test: Some(10), ..Request::new("digits") }).unwrap();
        let network = Network::compile(&study.architecture, data.shape, data.classes).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let dir = Workshop::open(folder.path(), &study, &data).unwrap();
        let begin = || {
            let start = network.init(&mut Stream::new(0, Purpose::Init, 0, 0));
            Trainer::new(&network, &study.recipes[0], start)
        };
        let mut trainer = begin();
        let mut times: Vec<f64> = (0..SAVES)
            .map(|_| {
                let before = spent();
                dir.save_checkpoint(0, 0, &mut trainer).unwrap();
                spent() - before
            })
            .collect();
        times.sort_by(f64::total_cmp);
        let saved = times[SAVES / 2];
        let mut other = begin();
        let before = spent();
        assert!(matches!(dir.resume(0, 0, &mut other, |_| true).unwrap(), Resumed::From(_)));
        let resumed = spent() - before;
        let size = fs::metadata(folder.path().join("models/a/0000/checkpoint.safetensors")).unwrap().len();
        println!(
            "{preset}, {}: {} parameters, {:.1} MB, {:.1} ms, {:.1} ms, {:.3} %",
            recipe.replace('\n', ", "),
            network.parameters(),
            size as f64 / 1e6,
            1e3 * saved,
            1e3 * resumed,
            100.0 * saved / 60.0
        );
    }
}
