//! Every attack's scores beside NumPy's, for designs with and without blocks, several views, ties, constant signals and saturated outputs;
//! the values come from `audit/make_reference.py`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failed set-up is a failed test")]

use std::path::{Path, PathBuf};

use flatleak_attack::Attack;
use flatleak_data::values;

mod common;
use common::{code, flatleak};

const CASES: [&str; 12] = [
    "blocks",
    "views",
    "balanced",
    "bernoulli",
    "ties",
    "saturated",
    "duplicates",
    "idle",
    "folds",
    "fixed",
    "rates",
    "two-data",
];
const VARIANTS: [&str; 4] = ["residual", "official", "per-side", "official-2021"];

fn folder(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/audit").join(case)
}

/// Scores of all attacks of one variant, written to `out`.
fn run(case: &Path, variant: &str, out: &Path) {
    let mut c = flatleak();
    c.args(["audit", "--save-scores", "--variant", variant, "--out"]).arg(out);
    for (flag, file) in [
        ("--logits", "logits"),
        ("--probabilities", "probabilities"),
        ("--phi", "phi"),
        ("--labels", "labels"),
        ("--membership", "membership"),
        ("--test-logits", "test_logits"),
        ("--test-labels", "test_labels"),
    ] {
        let path = case.join(format!("{file}.npy"));
        if path.is_file() {
            c.arg(flag).arg(path);
        }
    }
    let said = c.output().unwrap();
    assert_eq!(code(&said), 0, "{}: {}", case.display(), String::from_utf8_lossy(&said.stderr));
}

fn array(path: &Path, name: &str) -> Option<Vec<f64>> {
    values::with(path, name, |v| v.all()).ok()
}

#[test]
fn scores_are_numpys() {
    let mut compared = 0;
    for case in CASES {
        let dir = tempfile::tempdir().unwrap();
        let case_dir = folder(case);
        for variant in VARIANTS {
            run(&case_dir, variant, &dir.path().join(variant));
        }
        let mut worst = (0.0, String::new());
        // `strongest` learns; it is compared with scikit-learn's regression elsewhere.
        for attack in flatleak_attack::all().into_iter().filter(|a| *a != Attack::STRONGEST) {
            for variant in VARIANTS {
                let name = if variant == "residual" { attack.name() } else { format!("{}@{variant}", attack.name()) };
                let wanted = array(&case_dir.join("scores.npz"), &name);
                let found = array(&dir.path().join(variant).join(format!("scores/{}.npy", attack.name())), "scores");
                // Of attacks that a variant does not concern, and of phi in the form of 2021, the file has some.
                let complete = variant == "residual" || variant != "official-2021" && attack == Attack::LIRA;
                assert!(!complete || wanted.is_some() == found.is_some(), "{case}: {name}");
                let Some((wanted, found)) = wanted.zip(found) else { continue };
                assert_eq!(wanted.len(), found.len(), "{case}: {name}");
                for (at, (f, w)) in found.iter().zip(&wanted).enumerate() {
                    assert_eq!(f.is_nan(), w.is_nan(), "{case}: {name} at {at}: {f}, not {w}");
                    if w.is_nan() {
                        continue;
                    }
                    let error = (f - w).abs() / w.abs().max(1.0);
                    if error > worst.0 {
                        worst = (error, name.clone());
                    }
                    // Huge scores are z values over a deviation of nothing but rounding: only their size is defined.
                    assert!(error < 1e-9 || w.abs() > 1e12 && error < 1e-3, "{case}: {name} at {at}: {f:e}, not {w:e}");
                }
                compared += 1;
            }
        }
        println!("{case}: largest relative error {:.1e} ({})", worst.0, worst.1);
    }
    assert!(compared > 12 * 20, "{compared}");
}
