//! `flatleak theory` from outside: the default, other problems, finished runs, mistakes, and the page in a browser.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::path::Path;
use std::process::{Command, Output};

mod common;
use common::{code, flatleak, floats, small, words};
use serde_json::Value;

fn theory(out: &Path, more: &[&str]) -> Output {
    flatleak().arg("theory").args(more).arg("--out").arg(out).output().unwrap()
}

fn outcome(out: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(out.join("theory.json")).unwrap()).unwrap()
}

fn small_problem() -> Vec<&'static str> {
    "--examples 15 --dimensions 40 --draws 4 --models 8 --etas 8".split(' ').collect()
}

#[test]
fn no_argument_is_needed_and_no_figure_depends_on_workers() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    let said = theory(&one, &["--workers", "1"]);
    assert_eq!(code(&said), 0);
    let text = String::from_utf8(said.stdout).unwrap();
    assert!(text.contains(", in 20 of 20 draws"), "{text}");
    assert!(text.lines().all(|l| l.starts_with("report:") || l.chars().count() <= 100), "{text}");
    assert_eq!(code(&theory(&two, &["--workers", "2"])), 0);
    let bytes = |out: &Path| std::fs::read(out.join("theory.json")).unwrap();
    assert_eq!(bytes(&one), bytes(&two));

    let v = outcome(&one);
    assert_eq!(v["schema_version"], 1);
    let path = v["path"].as_array().unwrap();
    assert_eq!((path.len(), &path[49]["eta"]), (50, &Value::Null));
    let second = |k: usize| path[k]["second_moment"]["mean"].as_f64().unwrap();
    assert!((1..50).all(|k| second(k) < second(k - 1)));
    // SAM and SGD end at the smallest norm where nothing but weights is trained, unless the rate stays.
    let linear: Vec<&Value> = v["descent"].as_array().unwrap().iter().filter(|d| d["parameters"] == "linear").collect();
    let away = |d: &Value| d["from_minimum_norm"].as_f64().unwrap();
    assert!(away(linear[0]) < 1e-4 && away(linear[1]) < 1e-4 && away(linear[2]) > 1e-2, "{linear:?}");
}

/// Names of the fields that are null.
fn null_keys(name: &str, v: &Value, to: &mut Vec<String>) {
    match v {
        Value::Null => to.push(name.to_owned()),
        Value::Array(all) => all.iter().for_each(|v| null_keys(name, v, to)),
        Value::Object(all) => all.iter().for_each(|(key, v)| null_keys(key, v, to)),
        _ => {}
    }
}

#[test]
fn every_family_and_every_kind_of_noise() {
    let dir = tempfile::tempdir().unwrap();
    for (family, more) in [
        ("power-law+decay=0.5", ["--teacher-noise", "inf"]),
        ("spiked+spikes=20+floor=0", ["--label-noise", "0"]),
        ("isotropic", ["--seed", "3"]),
        ("subgroups+minority=0.2", ["--label-noise", "0.5"]),
        ("subgroups+distance=20", ["--seed", "1"]),
        ("power-law+decay=3", ["--seed", "2"]),
    ] {
        let mut arguments = small_problem();
        arguments.extend(["--family", family]);
        arguments.extend(more);
        let said = theory(dir.path(), &arguments);
        assert_eq!(code(&said), 0, "{family}: {}", String::from_utf8_lossy(&said.stderr));
        let v = outcome(dir.path());
        assert_eq!(v["setting"]["family"]["name"], family.split('+').next().unwrap());
        // No undefined coordinate, and no null but where the type has one.
        let page = std::fs::read_to_string(dir.path().join("theory.html")).unwrap();
        let mut parts = page.split("<script");
        let mut seen = parts.next().unwrap_or_default().to_owned();
        seen.extend(parts.filter_map(|part| part.split_once("</script>")).map(|(_, rest)| rest));
        assert!(!seen.contains("NaN") && !seen.contains("inf"), "{family}");
        let mut holes = Vec::new();
        null_keys("", &v, &mut holes);
        let allowed = ["eta", "degenerate", "absolute", "threshold", "memorization", "against_sgd", "teacher_noise"];
        assert!(holes.iter().all(|h| allowed.contains(&h.as_str())), "{family}: {holes:?}");
        let name = v["setting"]["family"]["name"].as_str().unwrap();
        // All data in 20 directions that vary alike are isotropic within them.
        let why =
            ["isotropic", "spiked"].iter().position(|n| *n == name).map(|k| ["isotropic", "aligned-with-rows"][k]);
        assert_eq!(v["degenerate"].as_str(), why);
        assert_eq!(v["path"][0]["groups"].as_array().unwrap().len(), if name == "subgroups" { 2 } else { 0 });
        assert_eq!(v["simulated"].as_array().unwrap().is_empty(), name == "spiked");
        assert_eq!(v["path"].as_array().unwrap().len(), if name == "spiked" { 7 } else { 8 });
        // What was written can be read back as what it was.
        let typed: flatleak_theory::Outcome = serde_json::from_value(v.clone()).unwrap();
        assert_eq!(serde_json::to_value(&typed).unwrap(), v);
    }
}

#[test]
fn a_finished_run_is_placed_on_the_map() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    assert_eq!(code(&small(&run).output().unwrap()), 0);
    let mut c = flatleak();
    let out = dir.path().join("theory");
    c.arg("theory").arg(&run).args(small_problem()).args(["--message-format", "json", "--out"]).arg(&out);
    let said = c.output().unwrap();
    assert_eq!(code(&said), 0, "{}", String::from_utf8_lossy(&said.stderr));
    let v = outcome(&out);
    let names: Vec<&str> = v["placed"].as_array().unwrap().iter().map(|p| p["recipe"].as_str().unwrap()).collect();
    assert_eq!(names, ["sgd", "sgd-2x", "sam"]);
    let pairs: Vec<_> = v["steps"].as_array().unwrap().iter().map(|s| (&s["baseline"], &s["candidate"])).collect();
    assert_eq!(pairs, [(&"sgd".into(), &"sam".into()), (&"sgd-2x".into(), &"sam".into())]);
    // The threshold's advantage is that of the run's own attribution.
    let results = common::results(&run);
    let attributed = &results["explain"]["attribution"][0]["baseline_moments"]["gaussian_advantage"];
    let placed = v["placed"][0]["confidence"]["mean"].as_f64().unwrap();
    assert!((attributed.as_f64().unwrap() - placed).abs() < 1e-12);
    assert!(std::fs::read_to_string(out.join("theory.html")).unwrap().contains("Trained networks on the map"));
}

#[test]
fn mistakes_are_named_with_what_would_do() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    for (arguments, exit, said) in [
        (vec!["--examples", "200"], 2, "more dimensions than examples"),
        (vec!["--family", "spiked+spikes=3+floor=0"], 2, "linearly dependent"),
        (vec!["--family", "powerlaw"], 2, "the families are power-law, spiked, isotropic, subgroups"),
        (vec!["--family", "spiked+decay=1"], 2, "spiked has no parameter \"decay\""),
        (vec!["--family", "power-law+decay=x"], 2, "key=number"),
        (vec!["--family", "power-law+decay=-1"], 2, "decays by more than 0"),
        (vec!["--label-noise=-1"], 2, "at least 0"),
        (vec!["--teacher-noise", "NaN"], 2, "at least 0"),
        (vec!["--draws", "1"], 2, "an interval needs 2"),
        (vec!["--etas", "0"], 2, "0 is not in 2..=10000"),
        (vec!["--models", "6"], 2, "need 8"),
        (vec!["--label-noise", "1e9"], 2, "drown"),
        (vec!["no-such-run"], 3, "no-such-run"),
    ] {
        let found = theory(dir.path(), &arguments);
        let text = String::from_utf8_lossy(&found.stderr).into_owned() + &String::from_utf8_lossy(&found.stdout);
        assert_eq!((code(&found), text.contains(said)), (exit, true), "{arguments:?}: {text}");
    }
    assert_eq!(code(&theory(&file.join("below"), &small_problem())), 7);
}

/// The page in headless Chromium, as a reader moves the slider: the figures beside it follow `theory.json`.
#[test]
#[ignore = "needs chromium on the path"]
fn the_slider_moves_the_picture_in_a_browser() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(code(&theory(dir.path(), &small_problem())), 0);
    let page = std::fs::read_to_string(dir.path().join("theory.html")).unwrap();
    let v = outcome(dir.path());
    let shown = v["shown"].as_array().unwrap();
    let mut shapes = Vec::new();
    for (k, s) in shown.iter().enumerate() {
        let mover = format!(
            "<script>var s = document.getElementById('eta'); s.value = {k}; s.dispatchEvent(new Event('input'));</script></body>"
        );
        let moved = dir.path().join(format!("moved-{k}.html"));
        std::fs::write(&moved, page.replace("</body>", &mover)).unwrap();
        let profile = dir.path().join("profile");
        let said = Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--dump-dom"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(format!("file://{}", moved.display()))
            .output()
            .unwrap();
        let dom = String::from_utf8(said.stdout).unwrap();
        let field = |id: &str| {
            let from = dom.find(&format!("id=\"{id}\"")).unwrap();
            let (start, end) = (dom[from..].find('>').unwrap() + from + 1, dom[from..].find("</").unwrap() + from);
            dom[start..end].to_owned()
        };
        for (id, key) in [("f-v", "second_moment"), ("f-confidence", "confidence"), ("f-best", "likelihood_ratio")] {
            assert_eq!(field(id), format!("{:.3}", s[key].as_f64().unwrap()), "{key} at position {k}");
        }
        let eta = s["eta"].as_f64().map_or("∞".into(), |e| if e == 0.0 { "0".into() } else { format!("{e:.3}") });
        assert_eq!(field("eta-value"), eta);
        let from = dom.find("id=\"density\"").unwrap();
        shapes.push(dom[from..from + 2000].to_owned());
    }
    shapes.dedup();
    assert_eq!(shapes.len(), shown.len(), "the picture moves with every position");
}

/// A problem of one's own: its path, and everything that the theory does not cover, refused with the nearest form.
#[test]
fn a_problem_is_brought_along() {
    let dir = tempfile::tempdir().unwrap();
    let npy = |shape: &[usize], values: &[f64]| common::npy("<f8", shape, &floats(values));
    let run = |x: (&[usize], &[f64]), y: &[f64], sigma: (&[usize], &[f64])| {
        let file = dir.path().join("problem.npz");
        let mut zip = zip::ZipWriter::new(std::fs::File::create(&file).unwrap());
        for (name, bytes) in [("x", npy(x.0, x.1)), ("y", npy(&[y.len()], y)), ("sigma", npy(sigma.0, sigma.1))] {
            zip.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
            std::io::Write::write_all(&mut zip, &bytes).unwrap();
        }
        zip.finish().unwrap();
        let said = flatleak().arg("theory").arg("--problem").arg(&file).arg("--out").arg(dir.path()).output().unwrap();
        (code(&said), words(&said))
    };
    let x: &[f64] = &[2.0, 1.0, 0.0, 1.0, 0.0, 1.0];
    let (signs, spectrum): (&[f64], &[f64]) = (&[1.0, -1.0], &[4.0, 1.0, 1.0]);
    let full = [4.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    let (done, text) = run((&[2, 3], x), signs, (&[3], spectrum));
    assert!(done == 0 && text.contains("2 examples in 3 dimensions") && text.contains("limit"), "{text}");
    let found = || serde_json::from_slice::<Value>(&std::fs::read(dir.path().join("path.json")).unwrap()).unwrap();
    let v = |path: &Value, k: usize| path["path"][k]["second_moment"].as_f64().unwrap();
    let diagonal = found();
    assert!(v(&diagonal, 49) < v(&diagonal, 0) && diagonal["left_out"].is_null());
    // The same covariance in full.
    assert_eq!(run((&[2, 3], x), signs, (&[3, 3], &full)).0, 0);
    assert!((0..50).all(|k| (v(&found(), k) - v(&diagonal, k)).abs() < 1e-12));
    for (x, y, sigma, exit, said) in [
        ((&[2usize, 3][..], x), &[0.5, -1.0][..], (&[3usize][..], spectrum), 0, "left out; label 0 is 0.5"),
        ((&[2, 3], x), signs, (&[3], &[1.0, 1.0, 1.0][..]), 0, "no contraction: the covariance is a multiple"),
        ((&[3, 2], x), &[1.0, -1.0, 1.0], (&[2], &[1.0, 2.0]), 3, "3 examples in 2 dimensions"),
        ((&[2, 3], &[1.0, 2.0, 3.0, 1.0, 2.0, 3.0]), signs, (&[3], spectrum), 3, "linearly dependent"),
        ((&[2, 3], x), signs, (&[3], &[1.0, -1.0, 1.0]), 3, "no covariance has one below 0"),
        ((&[2, 3], x), signs, (&[2], &[1.0, 1.0]), 3, "sigma of shape [2], not (3) or (3, 3)"),
        ((&[6], x), signs, (&[3], spectrum), 3, "not (examples, dimensions)"),
        ((&[2, 3], &[f64::NAN, 1.0, 0.0, 1.0, 0.0, 1.0]), signs, (&[3], spectrum), 3, "not a finite number"),
    ] {
        let (done, text) = run(x, y, sigma);
        assert!(done == exit && text.contains(said), "{said}: {text}");
    }
    assert_eq!(run((&[2, 3], x), signs, (&[3], spectrum)).0, 0);
    let both = flatleak().args(["theory", "--problem", "x.npz", "--examples", "9"]).output().unwrap();
    assert_eq!(code(&both), 2);
}
