//! Pools as tables and in the folder of Privacy Meter, and large ones in little memory.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::fmt::Write;
use std::path::Path;

use flatleak_report::columns::{Column, Table};
use flatleak_report::parquet;

mod common;
use common::{code, flatleak, floats, npy, results, words};

const MODELS: usize = 8;
const EXAMPLES: usize = 40;
const VIEWS: usize = 2;

/// Complementary pairs of unrelated halves.
fn member(m: usize, i: usize) -> bool {
    let mixed = ((i * 31 + (m / 2) * 977 + 5) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 40) as usize % 2 == m % 2
}

/// Something between 0 and 1 that members have more of.
fn confidence(m: usize, i: usize, q: usize) -> f64 {
    let noise = ((m * 131 + i * 37 + q * 17) % 101) as f64 / 101.0;
    0.05 + 0.6 * noise + 0.3 * f64::from(u8::from(member(m, i)))
}

fn audit(arguments: &[&str], out: &Path) -> serde_json::Value {
    let said = flatleak().arg("audit").args(arguments).arg("--out").arg(out).output().unwrap();
    assert_eq!(code(&said), 0, "{}", words(&said));
    let mut found = results(out);
    // How the pool came is all that may differ.
    found.as_object_mut().unwrap().remove("notes");
    found
}

/// Rows (model, example, query), not in their order; models are called 10, 20, ...
fn rows() -> Vec<(usize, usize, usize)> {
    let mut all: Vec<_> =
        (0..MODELS * EXAMPLES * VIEWS).map(|at| (at / (EXAMPLES * VIEWS), at / VIEWS % EXAMPLES, at % VIEWS)).collect();
    all.sort_by_key(|(m, i, q)| (i * 29 + m * 13 + q * 7) % 97);
    all
}

fn arrays(dir: &Path) {
    let outputs: Vec<f64> = (0..MODELS * EXAMPLES * VIEWS)
        .map(|at| confidence(at / (EXAMPLES * VIEWS), at / VIEWS % EXAMPLES, at % VIEWS))
        .collect();
    std::fs::write(dir.join("confidence.npy"), npy("<f8", &[MODELS, EXAMPLES, VIEWS], &floats(&outputs))).unwrap();
    let members: Vec<u8> = (0..MODELS * EXAMPLES).map(|at| u8::from(member(at / EXAMPLES, at % EXAMPLES))).collect();
    std::fs::write(dir.join("membership.npy"), npy("|u1", &[MODELS, EXAMPLES], &members)).unwrap();
    let labels: Vec<u8> = (0..EXAMPLES).map(|i| (i % 3) as u8).collect();
    std::fs::write(dir.join("labels.npy"), npy("|u1", &[EXAMPLES], &labels)).unwrap();
}

#[test]
fn tables_say_what_arrays_say() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    arrays(dir.path());
    let given =
        ["--confidence", &at("confidence.npy"), "--membership", &at("membership.npy"), "--labels", &at("labels.npy")];
    let wanted = audit(&given, &dir.path().join("a"));

    let mut text = String::from("Example;model;member;query;label;confidence\n");
    for (m, i, q) in rows() {
        let _ = writeln!(text, "{i};{};{};{q};{};{}", 10 * (m + 1), member(m, i), i % 3, confidence(m, i, q));
    }
    std::fs::write(dir.path().join("t.csv"), &text).unwrap();
    assert_eq!(audit(&["--table", &at("t.csv")], &dir.path().join("b")), wanted);

    let integers = |f: &dyn Fn(usize, usize, usize) -> usize| {
        Column::Integers(rows().into_iter().map(|(m, i, q)| f(m, i, q) as i64).collect())
    };
    let table = Table {
        columns: vec![
            ("model", integers(&|m, _, _| m)),
            ("example", integers(&|_, i, _| i)),
            ("query", integers(&|_, _, q| q)),
            ("member", integers(&|m, i, _| usize::from(member(m, i)))),
            ("label", integers(&|_, i, _| i % 3)),
            ("confidence", Column::Numbers(rows().into_iter().map(|(m, i, q)| confidence(m, i, q)).collect())),
        ],
    };
    std::fs::write(dir.path().join("t.parquet"), parquet::render(&table).unwrap()).unwrap();
    assert_eq!(audit(&["--table", &at("t.parquet")], &dir.path().join("c")), wanted);

    let last = text.trim_end().rsplit_once('\n').unwrap().1.to_owned();
    for (content, what) in [
        (text.replace(&last, ""), "639 rows are there, but 8 models x 40 examples x 2 views need 640"),
        (format!("{}\n", text.trim_end().replacen(&last, text.lines().nth(1).unwrap(), 1)), "twice"),
        (text.replacen(";true;", ";2;", 1), "column `member`: `2` does not say who was trained on"),
        (text.replacen("confidence", "confidences", 1), "has no outputs"),
        (text.replacen("member", "members", 1), "has no column for who is a member"),
        (text.replacen(";0.", ";x0.", 1), "is no number"),
    ] {
        std::fs::write(dir.path().join("bad.csv"), content).unwrap();
        let said = flatleak().args(["audit", "--table", &at("bad.csv"), "--out", &at("d")]).output().unwrap();
        assert!(code(&said) == 3 && words(&said).contains(what), "{what}: {}", words(&said));
    }
}

#[test]
fn privacy_meters_folder_is_read_the_other_way_round() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let single = |bytes: Vec<f64>| -> Vec<u8> { bytes.into_iter().flat_map(|v| (v as f32).to_le_bytes()).collect() };
    let by_model: Vec<f64> = (0..MODELS * EXAMPLES).map(|k| confidence(k / EXAMPLES, k % EXAMPLES, 0)).collect();
    let by_example: Vec<f64> = (0..MODELS * EXAMPLES).map(|k| confidence(k % MODELS, k / MODELS, 0)).collect();
    let population: Vec<f64> = (0..MODELS * 30).map(|k| confidence(k % MODELS, k / MODELS + 100, 1)).collect();
    let turned: Vec<f64> = (0..MODELS * 30).map(|k| confidence(k / 30, k % 30 + 100, 1)).collect();
    arrays(dir.path());
    let meter = dir.path().join("meter");
    std::fs::create_dir_all(meter.join("models")).unwrap();
    std::fs::create_dir_all(meter.join("signals")).unwrap();
    std::fs::copy(dir.path().join("membership.npy"), meter.join("models/memberships.npy")).unwrap();
    let put = |path: &Path, shape: [usize; 2], values: Vec<f64>| {
        std::fs::write(path, npy("<f4", &shape, &single(values))).unwrap();
    };
    put(&meter.join("signals/rmia_signals.npy"), [EXAMPLES, MODELS], by_example.clone());
    put(&meter.join("signals/rmia_signals_pop.npy"), [30, MODELS], population);
    put(&dir.path().join("p.npy"), [MODELS, EXAMPLES], by_model);
    put(&dir.path().join("pop.npy"), [MODELS, 30], turned);
    let given = ["--confidence", &at("p.npy"), "--membership", &at("membership.npy"), "--test-logits", &at("pop.npy")];
    let wanted = audit(&[&given[..], &["--name", "meter"]].concat(), &dir.path().join("a"));
    let found = audit(&[&at("meter")], &dir.path().join("b"));
    assert_eq!(found, wanted);
    assert!(wanted["recipes"][0]["attacks"].as_array().unwrap().iter().any(|a| a["name"] == "rmia-gamma"));

    // A part of the examples cannot be told from the rest.
    put(&meter.join("signals/rmia_signals.npy"), [20, MODELS], by_example[..20 * MODELS].to_vec());
    let said = flatleak().args(["audit", &at("meter"), "--out", &at("c")]).output().unwrap();
    assert!(code(&said) == 3 && words(&said).contains("audit.data_size"), "{}", words(&said));
}

#[test]
fn features_allow_a_quantile_regression() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    arrays(dir.path());
    // Non-members' phi is 2 x, members' 1 more: without x nothing is told apart as well.
    let x = |i: usize| (i * 13 % 41) as f64 / 5.0;
    let phi = |m: usize, i: usize, known: bool| {
        2.0 * x(i) + f64::from(u8::from(known && member(m, i))) + ((m * 31 + i * 17) % 23) as f64 / 46.0
    };
    let pool: Vec<f64> = (0..MODELS * EXAMPLES).map(|k| phi(k / EXAMPLES, k % EXAMPLES, true)).collect();
    let test: Vec<f64> = (0..MODELS * 100).map(|k| phi(k / 100, k % 100 + 50, false)).collect();
    for (name, shape, values) in [
        ("phi.npy", [MODELS, EXAMPLES], pool),
        ("test.npy", [MODELS, 100], test),
        ("x.npy", [EXAMPLES, 1], (0..EXAMPLES).map(x).collect()),
        ("z.npy", [100, 1], (50..150).map(x).collect()),
        ("few.npy", [99, 1], vec![0.0; 99]),
    ] {
        std::fs::write(dir.path().join(name), npy("<f8", &shape, &floats(&values))).unwrap();
    }
    let given = ["--phi", &at("phi.npy"), "--membership", &at("membership.npy"), "--test-logits", &at("test.npy")];
    let found = audit(
        &[&given[..], &["--features", &at("x.npy"), "--test-features", &at("z.npy")]].concat(),
        &dir.path().join("a"),
    );
    let attacks = found["recipes"][0]["attacks"].as_array().unwrap();
    let auc = |name: &str| attacks.iter().find(|a| a["name"] == name).and_then(|a| a["auc"]["mean"].as_f64()).unwrap();
    assert!(auc("quantile") > 0.99 && auc("confidence") < 0.8, "{} {}", auc("quantile"), auc("confidence"));
    let mut c = flatleak();
    c.arg("audit").args(given).args(["--features", &at("x.npy"), "--test-features", &at("few.npy"), "--out", &at("b")]);
    let said = c.output().unwrap();
    assert!(code(&said) == 3 && words(&said).contains("of 99 examples, but there are 100"), "{}", words(&said));
}

/// 16 models, 3,000 examples, 18 views, 100 classes: logits of 691 MB, none of which may be held. The bar is 1 GiB + 24 bytes per model and
/// example; what is allowed here is address space, of which threads reserve much more than they use.
#[cfg(target_os = "linux")]
#[test]
fn large_logits_need_little_memory() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let (m, n, q, c) = (16, 3000, 18, 100);
    let rows: Vec<u8> = (0..m * n).map(|at| u8::from(member(at / n, at % n))).collect();
    std::fs::write(dir.path().join("m.npy"), npy("|u1", &[m, n], &rows)).unwrap();
    std::fs::write(dir.path().join("y.npy"), npy("|u1", &[n], &vec![1; n])).unwrap();
    // Zeros, of which the file system keeps nothing.
    let header = npy("<f8", &[m, n, q, c], &[]);
    let file = std::fs::File::create(dir.path().join("z.npy")).unwrap();
    file.set_len((header.len() + m * n * q * c * 8) as u64).unwrap();
    drop(file);
    let mut file = std::fs::OpenOptions::new().write(true).open(dir.path().join("z.npy")).unwrap();
    std::io::Write::write_all(&mut file, &header).unwrap();
    // But for one value of each model: outputs that are all alike are refused.
    for model in 0..m {
        let offset = (header.len() + model * n * q * c * 8) as u64;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(offset)).unwrap();
        std::io::Write::write_all(&mut file, &(model as f64).to_le_bytes()).unwrap();
    }
    let said = std::process::Command::new("sh")
        .args(["-c", "ulimit -v 409600; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_flatleak"), "audit"])
        .args(["--logits", &at("z.npy"), "--membership", &at("m.npy"), "--labels", &at("y.npy"), "--out", &at("o")])
        .output()
        .unwrap();
    assert_eq!(code(&said), 0, "{}", words(&said));
    let auc = &results(&dir.path().join("o"))["recipes"][0]["attacks"][0]["auc"]["mean"];
    assert!((auc.as_f64().unwrap() - 0.5).abs() < 0.01, "nothing is learnt from constants: {auc}");
}
