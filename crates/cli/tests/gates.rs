//! A gate is kept by a figure that was measured and means something. Whatever else happens to what it is set on, no command exits with 0.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Output;

mod common;
use common::{code, flatleak, floats, npy, words};

const M: usize = 12;
const N: usize = 120;
const C: usize = 4;

/// Limits that nothing exceeds: what breaks them was not measured.
const LIMITS: [&str; 2] = ["--fail-above=strongest.auc=1", "--fail-above=rmia.auc=1"];

/// Uniform on [0, 1): a linear congruential generator (Knuth).
fn draws(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// What a pool is made of.
#[derive(Clone)]
struct Made {
    /// (M, N, C).
    logits: Vec<f64>,
    labels: Vec<usize>,
    /// (M, N).
    member: Vec<bool>,
}

impl Made {
    /// Models that are surer of their members, on examples of different difficulty.
    fn new() -> Self {
        let mut next = draws(11);
        let labels: Vec<usize> = (0..N).map(|_| (next() * C as f64) as usize).collect();
        let mut member = vec![false; M * N];
        for pair in 0..M / 2 {
            (0..N).for_each(|i| member[(2 * pair + usize::from(next() < 0.5)) * N + i] = true);
        }
        let mut normal = || (0..12).map(|_| next()).sum::<f64>() - 6.0;
        let ease: Vec<f64> = (0..N).map(|_| 2.0 + 1.2 * normal()).collect();
        let mut logits = Vec::new();
        for at in 0..M * N * C {
            let (model, i, c) = (at / (N * C), at / C % N, at % C);
            let own = ease[i] + 1.6 * f64::from(u8::from(member[model * N + i]));
            logits.push(normal() + if c == labels[i] { own } else { 0.0 });
        }
        Self { logits, labels, member }
    }

    /// A folder of arrays by name.
    fn folder(&self, dir: &Path, name: &str) -> PathBuf {
        let folder = dir.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let labels: Vec<u8> = self.labels.iter().map(|y| *y as u8).collect();
        let mask: Vec<u8> = self.member.iter().map(|m| u8::from(*m)).collect();
        std::fs::write(folder.join("logits.npy"), npy("<f8", &[M, N, C], &floats(&self.logits))).unwrap();
        std::fs::write(folder.join("labels.npy"), npy("|u1", &[N], &labels)).unwrap();
        std::fs::write(folder.join("membership.npy"), npy("|b1", &[M, N], &mask)).unwrap();
        folder
    }

    fn table(&self, dir: &Path, name: &str) -> PathBuf {
        let mut text = String::from("model,example,member,label,logit_0,logit_1,logit_2,logit_3\n");
        for at in 0..M * N {
            let (z, label) = (&self.logits[at * C..(at + 1) * C], self.labels[at % N]);
            let outputs: Vec<String> = z.iter().map(f64::to_string).collect();
            let member = u8::from(self.member[at]);
            writeln!(text, "{},{},{member},{label},{}", at / N, at % N, outputs.join(",")).unwrap();
        }
        let file = dir.join(name);
        std::fs::write(&file, text).unwrap();
        file
    }
}

/// Ways in which outputs, or what is said of them, are not to be believed.
fn ways() -> Vec<(&'static str, Made)> {
    let plain = Made::new();
    let change = |change: &dyn Fn(&mut Made)| {
        let mut made = plain.clone();
        change(&mut made);
        made
    };
    vec![
        ("inverted membership", change(&|m| m.member.iter_mut().for_each(|v| *v = !*v))),
        ("labels in another order", change(&|m| m.logits.chunks_mut(N * C).for_each(|z| z.rotate_left(5 * C)))),
        ("one model on another scale", change(&|m| m.logits[..N * C].iter_mut().for_each(|z| *z *= 3.0))),
        (
            "models that learnt nothing",
            change(&|m| {
                let mut next = draws(5);
                m.logits.iter_mut().for_each(|z| *z = next());
            }),
        ),
        (
            "labels alone",
            change(&|m| {
                for z in m.logits.chunks_mut(C) {
                    let best = (0..C).max_by(|a, b| z[*a].total_cmp(&z[*b])).unwrap();
                    (0..C).for_each(|c| z[c] = if c == best { 50.0 } else { 0.0 });
                }
            }),
        ),
        (
            "rows that were never filled",
            change(&|m| {
                m.logits.chunks_mut(N * C).for_each(|z| z[(N - 8) * C..].iter_mut().for_each(|v| *v = 0.0));
            }),
        ),
        ("an output that is no number", change(&|m| m.logits[77] = f64::NAN)),
        ("members alone", change(&|m| m.member.iter_mut().for_each(|v| *v = true))),
    ]
}

fn audit(out: &Path, arguments: &[&str], more: &[&str]) -> Output {
    let _ = std::fs::remove_dir_all(out);
    flatleak().arg("audit").args(arguments).args(more).arg("--out").arg(out).output().unwrap()
}

/// Every command over one pool, alone and beside a good one.
fn commands(dir: &Path, made: &Made) -> Vec<(&'static str, Vec<String>)> {
    let text = |path: PathBuf| path.to_string_lossy().into_owned();
    let (bad, good) = (text(made.folder(dir, "bad")), text(Made::new().folder(dir, "good")));
    let table = text(made.table(dir, "bad.csv"));
    let arrays = ["logits", "labels", "membership"].map(|name| [format!("--{name}"), format!("{bad}/{name}.npy")]);
    vec![
        ("arrays", arrays.concat()),
        ("a folder", vec![bad.clone()]),
        ("a table", vec!["--table".into(), table]),
        ("a pool behind a good one", vec![good.clone(), bad.clone()]),
        ("a pool before a good one", vec![bad.clone(), good]),
        ("one model", vec![bad.clone(), "--target".into(), "0".into()]),
    ]
}

#[test]
fn outputs_that_are_not_believed_keep_no_limit() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let run = |arguments: &[String]| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        audit(&out, &arguments, &LIMITS)
    };
    for (what, arguments) in commands(dir.path(), &Made::new()) {
        let said = run(&arguments);
        assert_eq!(code(&said), 0, "{what}: {}", words(&said));
    }
    for (way, made) in ways() {
        for (what, arguments) in commands(dir.path(), &made) {
            let said = run(&arguments);
            assert!([3, 6].contains(&code(&said)), "{way}, {what}: {} {}", code(&said), words(&said));
        }
    }
}

/// What good outputs do not allow, and what too few examples cannot tell.
#[test]
fn metrics_that_are_not_measured_keep_no_limit() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    for (what, arguments) in commands(dir.path(), &Made::new()) {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        for (gate, words_of_it) in [
            ("label-only.auc=1", "could not be measured"),
            ("quantile.tpr@0.1=1", "could not be measured"),
            ("rmia.tpr@0.001=1", "takes 5000 non-members"),
            ("strongest.tpr@0.01=1", "takes 500 non-members"),
        ] {
            let said = audit(&out, &arguments, &["--fail-above", gate]);
            assert!(code(&said) == 6 && words(&said).contains(words_of_it), "{what}, {gate}: {}", words(&said));
        }
        for gate in [
            "rmia.auc=nan",
            "rmia.auc=inf",
            "rmia.auc=-0.1",
            "rmia.auc=1.1",
            "rmia.auc=",
            "auc=0.6",
            "rmia=0.6",
            "rmia.tpr@0.02=0.1",
            "rmia.tpr@nan=0.1",
            "nobody.auc=0.6",
            "rmia(t=0).auc=0.6",
            "test-accuracy=0.6",
            "=0.5",
            "",
        ] {
            let said = audit(&out, &arguments, &["--fail-above", gate]);
            assert!(code(&said) == 2 && !out.exists(), "{what}, {gate:?}: {}", words(&said));
        }
    }
    let said = flatleak().args(["audit", "--explain-variant", "--fail-above", "rmia.auc=1"]).output().unwrap();
    assert_eq!(code(&said), 2, "nothing is measured there: {}", words(&said));
    let made = Made::new().folder(dir.path(), "one");
    let arguments = [made.to_str().unwrap(), "--target", "0"];
    let said = audit(&out, &arguments, &["--fail-above=rmia.advantage=1"]);
    assert!(code(&said) == 6 && words(&said).contains("could not be measured"), "{}", words(&said));
}

fn compare(out: &Path, more: &[&str]) {
    let mut c = flatleak();
    c.args(["compare", "--models", "8", "--pool", "200", "--epochs", "12", "--recipes", "sgd,sam", "--out"]).arg(out);
    let said = c.args(more).output().unwrap();
    assert_eq!(code(&said), 0, "{}", words(&said));
}

/// A copy of a folder.
fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|e| (e.path(), e.file_name())).unwrap();
        if path.is_dir() {
            copied(&path, &to.join(name));
        } else {
            std::fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

/// Does something to a file.
type Damage = fn(&Path);

/// Ways in which a model's signals are not there.
const LOSSES: [(&str, Damage); 5] = [
    ("a byte more", |signals| {
        let bytes = std::fs::read(signals).unwrap();
        std::fs::write(signals, [bytes.as_slice(), b"x"].concat()).unwrap();
    }),
    ("cut short", |signals| {
        let bytes = std::fs::read(signals).unwrap();
        std::fs::write(signals, &bytes[..bytes.len() / 2]).unwrap();
    }),
    ("no file", |signals| std::fs::remove_file(signals).unwrap()),
    ("no model", |signals| std::fs::remove_dir_all(signals.parent().unwrap()).unwrap()),
    ("no recipe", |signals| std::fs::remove_dir_all(signals.ancestors().nth(2).unwrap()).unwrap()),
];

#[test]
fn recipes_that_are_left_out_keep_no_limit() {
    let dir = tempfile::tempdir().unwrap();
    let (run, hurt, out) = (dir.path().join("run"), dir.path().join("hurt"), dir.path().join("out"));
    compare(&run, &["--data", "digits"]);
    let other = Made::new().folder(dir.path(), "other");
    let (other, at) = (other.to_str().unwrap(), hurt.to_str().unwrap());
    let commands: [&[&str]; 4] = [&[at], &[other, at], &[at, other], &[at, "--target", "0"]];
    copied(&run, &hurt);
    for arguments in &commands[..3] {
        let said = audit(&out, arguments, &LIMITS[1..]);
        assert_eq!(code(&said), 0, "{}", words(&said));
    }
    for (recipe, ways) in [("sgd", &LOSSES[..1]), ("sam", &LOSSES)] {
        for (way, damage) in ways {
            std::fs::remove_dir_all(&hurt).unwrap();
            copied(&run, &hurt);
            damage(&hurt.join(format!("models/{recipe}/0003/signals.safetensors")));
            for arguments in commands {
                let said = audit(&out, arguments, &LIMITS[1..]);
                let text = words(&said);
                let named = format!("recipe {recipe}: rmia.auc could not be measured");
                assert!(code(&said) == 6 && text.contains(&named), "{way}, {arguments:?}: {text}");
            }
            let kept = audit(&out, &[at], &[]);
            let record = std::fs::read_to_string(out.join("results.json")).unwrap();
            assert!(code(&kept) == 0 && record.contains(&format!("recipe {recipe} is left out")), "{way}");
        }
    }
}

#[test]
fn recipes_that_diverged_keep_no_limit() {
    let dir = tempfile::tempdir().unwrap();
    let (study, run, out) = (dir.path().join("study.toml"), dir.path().join("run"), dir.path().join("out"));
    let text = "models = 8\npool = 200\ndata = 'digits'\n[train]\nepochs = 12\n[[recipe]]\nname = 'fine'\n[[recipe]]\nname = 'wild'\nlr = 1e5\n";
    std::fs::write(&study, text).unwrap();
    let said = flatleak().arg("compare").arg(&study).arg("--out").arg(&run).output().unwrap();
    assert_eq!(code(&said), 4, "{}", words(&said));
    let said = audit(&out, &[run.to_str().unwrap()], &LIMITS[1..]);
    assert!(code(&said) == 6 && words(&said).contains("recipe wild: rmia.auc could not"), "{}", words(&said));
}

/// A run over several data sets, of which one is not there, whole or at all.
#[test]
fn data_sets_that_are_left_out_keep_no_limit() {
    let dir = tempfile::tempdir().unwrap();
    let (run, hurt, out) = (dir.path().join("run"), dir.path().join("hurt"), dir.path().join("out"));
    compare(&run, &["--data", "digits", "--data", "letter"]);
    let at = hurt.to_str().unwrap();
    copied(&run, &hurt);
    let said = audit(&out, &[at], &LIMITS[1..]);
    assert_eq!(code(&said), 0, "{}", words(&said));
    let of = |dir: &Path, data: &str| {
        let mut all = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
        all.find(|p| p.file_name().unwrap().to_string_lossy().starts_with(data)).unwrap()
    };
    let ways: [(&str, &dyn Fn()); 5] = [
        ("no folder", &|| std::fs::remove_dir_all(of(&hurt, "letter")).unwrap()),
        ("no study", &|| std::fs::remove_file(of(&hurt, "letter").join("study.toml")).unwrap()),
        ("no models", &|| std::fs::remove_dir_all(of(&hurt, "letter").join("models")).unwrap()),
        ("no summary", &|| std::fs::remove_file(hurt.join("results.json")).unwrap()),
        ("one signal", &|| {
            std::fs::remove_file(of(&hurt, "letter").join("models/sam/0001/signals.safetensors")).unwrap();
        }),
    ];
    for (way, damage) in ways {
        std::fs::remove_dir_all(&hurt).unwrap();
        copied(&run, &hurt);
        damage();
        let said = audit(&out, &[at], &LIMITS[1..]);
        assert!([3, 6].contains(&code(&said)), "{way}: {}", words(&said));
    }
}

/// The gate's answer does not depend on whether it can be said.
#[cfg(target_os = "linux")]
#[test]
fn a_gate_is_broken_in_silence_too() {
    use std::process::Stdio;
    let dir = tempfile::tempdir().unwrap();
    let made = Made::new().folder(dir.path(), "pool");
    let full = || Stdio::from(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let gone = || {
        let mut child = std::process::Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
        let pipe = child.stdin.take().unwrap();
        child.wait().unwrap();
        Stdio::from(pipe)
    };
    let kinds: [(&str, &dyn Fn() -> Stdio, i32); 3] =
        [("full", &full, 7), ("gone", &gone, 0), ("null", &Stdio::null, 0)];
    for format in ["human", "json"] {
        for (kind, output, unsaid) in kinds {
            for (limit, wanted) in [("0.5", 6), ("1", unsaid)] {
                let mut c = flatleak();
                c.arg("audit").arg(&made).arg("--out").arg(dir.path().join("out")).args(["--message-format", format]);
                c.arg(format!("--fail-above=rmia.auc={limit}")).stdout(output()).stderr(output());
                assert_eq!(c.status().unwrap().code(), Some(wanted), "{format} {kind} {limit}");
            }
        }
    }
}
