//! What earlier programs left behind is still reported, audited, explained and extended (`kept/make.sh` made it).
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

mod common;
use common::{code, copy, flatleak, kept, results, words};

/// One folder per schema of `results.json`.
const KEPT: [&str; 2] = ["schema-1", "schema-2"];

#[test]
fn runs_are_reported_audited_explained_and_extended() {
    for name in KEPT {
        let temporary = tempfile::tempdir().unwrap();
        let run = temporary.path().join("run");
        copy(&kept(name).join("run"), &run);
        let before = results(&run);
        let does = |arguments: &[&str]| {
            let said = flatleak().args(arguments).current_dir(temporary.path()).output().unwrap();
            assert_eq!(code(&said), 0, "{name}: {arguments:?}: {}", words(&said));
            words(&said)
        };
        does(&["report", "run"]);
        assert_eq!(results(&run), before, "{name}: a report leaves results as they are");
        assert!(run.join("report.html").is_file());
        does(&["audit", "run", "--out", "audit"]);
        // Attacks of the literature find what they found, figure by figure.
        let audited = results(&temporary.path().join("audit"));
        let found = results(&kept(name).join("audit"));
        for attack in ["lira-online-fixed", "rmia", "confidence", "correctness"] {
            for recipe in 0..2 {
                let auc = |v: &serde_json::Value| {
                    let attacks = v["recipes"][recipe]["attacks"].as_array().unwrap();
                    attacks.iter().find(|a| a["name"] == attack).unwrap()["auc"]["mean"].as_f64().unwrap()
                };
                assert!((auc(&audited) - auc(&found)).abs() < 1e-12, "{name}: {attack} of recipe {recipe}");
            }
        }
        does(&["explain", "run"]);
        let study = kept("study.toml");
        let said =
            does(&["compare", study.to_str().unwrap(), "--models", "8", "--out", "run", "--message-format", "json"]);
        let reused = said.lines().filter(|l| l.contains("\"reused\":true")).count();
        assert_eq!(reused, 12, "{name}: all models are of use still");
        assert_eq!(results(&run)["recipes"][0]["models"], 8);
    }
}
