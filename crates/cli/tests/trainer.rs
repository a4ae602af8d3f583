//! Studies whose models a command trains.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::path::Path;

use flatleak_data::values;

mod common;
use common::{code, flatleak, npy, results, words};

const N: usize = 60;
const T: usize = 30;
const CLASSES: usize = 10;

fn single(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|v| (*v as f32).to_le_bytes()).collect()
}

/// A script that fails for model 5 where `broken` is there, and else hands out logits made beforehand.
fn study(dir: &Path) {
    for model in 0..6 {
        let logits = |n: usize, shift: usize| -> Vec<f64> {
            (0..n * CLASSES).map(|k| ((k * 37 + model * 11 + shift) % 23) as f64 / 4.0).collect()
        };
        std::fs::write(dir.join(format!("a{model}.npy")), npy("<f4", &[N, CLASSES], &single(&logits(N, 0)))).unwrap();
        std::fs::write(dir.join(format!("b{model}.npy")), npy("<f4", &[T, CLASSES], &single(&logits(T, 7)))).unwrap();
    }
    let script = "#!/bin/sh\nset -e\necho model $1 seed $4\ntest -s \"$2\" && test -s \"$5\"\n\
        if [ -e broken ] && [ $1 = 5 ]; then echo out of paper; exit 3; fi\n\
        cp a$1.npy \"$3/logits.npy\"; cp b$1.npy \"$3/test_logits.npy\"; echo $1 >> trained\n";
    std::fs::write(dir.join("train.sh"), script).unwrap();
    let toml = format!(
        "models = 6\npool = {N}\ntest = {T}\n[[recipe]]\nname = 'own'\nepochs = 2\n[[recipe]]\nname = 'foreign'\n\
         trainer = 'sh train.sh {{index}} \"{{mask}}\" \"{{out}}\" {{seed}} \"{{data}}\"'\n"
    );
    std::fs::write(dir.join("study.toml"), toml).unwrap();
}

#[test]
fn a_command_trains_and_is_resumed() {
    let dir = tempfile::tempdir().unwrap();
    study(dir.path());
    let run = || flatleak().current_dir(dir.path()).args(["compare", "study.toml", "--out", "out"]).output().unwrap();
    let trained = || std::fs::read_to_string(dir.path().join("trained")).unwrap().lines().count();

    std::fs::write(dir.path().join("broken"), "").unwrap();
    let said = run();
    assert_eq!(code(&said), 1, "{}", words(&said));
    for part in ["recipe `foreign`, model 5, ended with", "3", "log.txt"] {
        assert!(words(&said).contains(part), "{}", words(&said));
    }
    let log = dir.path().join("out/models/foreign/0005/trainer/log.txt");
    assert!(std::fs::read_to_string(log).unwrap().contains("out of paper"));

    std::fs::remove_file(dir.path().join("broken")).unwrap();
    let before = trained();
    let said = run();
    assert_eq!(code(&said), 0, "{}", words(&said));
    assert_eq!(trained(), 6, "none twice; {before} before");
    let found = results(&dir.path().join("out"));
    assert!(found["study"]["recipes"][1]["settings"].as_str().unwrap().starts_with("trained by `sh train.sh"));
    assert_eq!(found["comparisons"][0]["pairing"], "paired");

    // The folder has what a trainer needs: the pool in its order, and the membership row.
    let y = values::with(&dir.path().join("out/data.npz"), "y", |v| v.all()).unwrap();
    let mask = values::with(&dir.path().join("out/models/foreign/0000/trainer/mask.npy"), "mask", |v| v.all()).unwrap();
    assert_eq!((y.len(), mask.len(), mask.iter().sum::<f64>()), (N, N, N as f64 / 2.0));
    // The pool that flatleak keeps is the one that the command wrote.
    let said =
        flatleak().current_dir(dir.path()).args(["export", "out", "--layout", "npz", "--out", "npz"]).output().unwrap();
    assert_eq!(code(&said), 0, "{}", words(&said));

    std::fs::write(dir.path().join("a0.npy"), npy("<f4", &[N, 3], &single(&vec![0.0; N * 3]))).unwrap();
    let said = flatleak().current_dir(dir.path()).args(["compare", "study.toml", "--out", "other"]).output().unwrap();
    assert!(
        code(&said) == 1 && words(&said).contains("left logits.npy, which is of shape [60, 3]"),
        "{}",
        words(&said)
    );
}
