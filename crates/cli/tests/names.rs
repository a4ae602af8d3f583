//! Names are data: of a study, a recipe, a data set, a folder, a class, an attack, a column. None is a path, none moves a terminal's cursor, none
//! is a formula or markup, and none fills a page.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};

mod common;
use common::{code, flatleak, floats, npy, words};

/// What a name may be, to someone who wants more of it.
fn payloads() -> Vec<(&'static str, String)> {
    vec![
        ("a path", "../../escaped".into()),
        ("an absolute path", "/tmp/escaped".into()),
        ("colours", "\u{1b}[31mred\u{1b}[2J\u{9b}1A".into()),
        ("a title", "\u{1b}]0;title\u{7}".into()),
        ("turned text", "abc\u{202e}gpj\u{2066}\u{200f}".into()),
        ("a line", "a\nforged: nothing leaks\r\n".into()),
        ("a formula", "=1+1".into()),
        ("a sum", "+1+1".into()),
        ("a call", "@SUM(1)".into()),
        ("markup", "<script>alert(1)</script>".into()),
        ("an attribute", "x\" onmouseover=\"alert(1)\" y=' onfocus='alert(1)".into()),
        ("an end of a script", "</script><img src=x onerror=alert(1)>".into()),
        ("length", "x".repeat(10_000)),
    ]
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Text of a terminal: lines, and nothing that is not seen.
fn check_terminal(what: &str, said: &Output) {
    assert!([0, 2, 3].contains(&code(said)), "{what}: {}", words(said));
    for text in [&said.stdout, &said.stderr].map(|bytes| String::from_utf8(bytes.clone()).unwrap()) {
        assert!(!text.chars().any(|c| c != '\n' && is_hidden(c)), "{what}: {text:?}");
        assert!(!text.lines().any(|line| line.starts_with("forged")), "{what}: {text}");
        let longest = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        assert!(longest < 700, "{what}: a line of {longest}");
    }
}

fn check_events(what: &str, said: &Output) {
    let text = String::from_utf8(said.stdout.clone()).unwrap();
    for line in text.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok() && !line.chars().any(is_hidden), "{what}: {line:?}");
    }
}

fn check_page(what: &str, page: &Path) {
    let page = std::fs::read_to_string(page).unwrap();
    for bad in ["<script>alert", "\" onmouseover=\"", "' onfocus='", "</script><img", "<img src=x"] {
        assert!(!page.contains(bad), "{what}: {bad}");
    }
    assert!(!page.contains(&"x".repeat(101)), "{what}: a name in full");
    assert!(!page.chars().any(|c| c != '\n' && is_hidden(c)), "{what}");
}

fn check_table(what: &str, table: &Path) {
    let text = std::fs::read_to_string(table).unwrap();
    let commas = |line: &str| line.split('"').step_by(2).map(|s| s.matches(',').count()).sum::<usize>();
    let columns = text.lines().next().map(commas);
    for line in text.lines().skip(1) {
        let cell = line.trim_start_matches('"');
        assert!(!cell.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r']), "{what}: {line}");
        assert_eq!(Some(commas(line)), columns, "{what}: {line}");
    }
}

/// Nothing but this is in a folder.
fn check_alone(what: &str, dir: &Path, wanted: &[&str]) {
    let found: Vec<String> =
        std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert!(found.iter().all(|name| wanted.contains(&name.as_str())), "{what}: {found:?}");
    assert!(!Path::new("/tmp/escaped").exists() && !dir.parent().unwrap().join("escaped").exists(), "{what}");
}

const M: usize = 8;
const N: usize = 40;

/// Arrays of models that are surer of their members.
fn arrays(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let member =
        |m: usize, i: usize| ((i * 31 + m / 2 * 977) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 63 == m as u64 % 2;
    let noise = |m: usize, i: usize| ((m * 131 + i * 37) % 101) as f64 / 101.0;
    let each = || (0..M * N).map(|at| (at / N, at % N));
    let outputs: Vec<f64> =
        each().map(|(m, i)| 0.05 + 0.6 * noise(m, i) + 0.3 * f64::from(u8::from(member(m, i)))).collect();
    let mask: Vec<u8> = each().map(|(m, i)| u8::from(member(m, i))).collect();
    let labels: Vec<u8> = (0..N).map(|i| (i % 3) as u8).collect();
    std::fs::write(folder.join("confidence.npy"), npy("<f8", &[M, N], &floats(&outputs))).unwrap();
    std::fs::write(folder.join("membership.npy"), npy("|b1", &[M, N], &mask)).unwrap();
    std::fs::write(folder.join("labels.npy"), npy("|u1", &[N], &labels)).unwrap();
}

/// What stands in a folder of results.
fn check_all(what: &str, said: &Output, out: &Path) {
    assert_eq!(code(said), 0, "{what}: {}", words(said));
    check_terminal(what, said);
    check_page(what, &out.join("report.html"));
    let _: Value = serde_json::from_str(&std::fs::read_to_string(out.join("results.json")).unwrap()).unwrap();
    if out.join("exposure.csv").is_file() {
        check_table(what, &out.join("exposure.csv"));
    }
}

#[test]
fn names_of_pools_and_folders() {
    let dir = tempfile::tempdir().unwrap();
    let pool = dir.path().join("pool");
    arrays(&pool);
    for (what, name) in payloads() {
        let here = dir.path().join("here");
        std::fs::create_dir(&here).unwrap();
        let mut c = flatleak();
        c.current_dir(&here).args(["audit", "--save-scores", &format!("--name={name}"), "--confidence"]);
        c.arg(pool.join("confidence.npy")).arg("--membership").arg(pool.join("membership.npy"));
        let said = c.arg("--labels").arg(pool.join("labels.npy")).output().unwrap();
        let out = std::fs::read_dir(here.join("flatleak-runs")).unwrap().next().unwrap().unwrap().path();
        check_all(what, &said, &out);
        check_alone(what, &here, &["flatleak-runs"]);
        let events = flatleak().current_dir(&here).arg("report").arg(&out).output().unwrap();
        check_terminal(what, &events);
        // A folder's name has no slash and 255 bytes.
        let name: String = name.replace('/', "∕").chars().take(200).collect();
        let (named, second) = (here.join(&name), here.join("second"));
        arrays(&named);
        arrays(&second);
        let mut c = flatleak();
        c.current_dir(&here).args(["audit", "--save-scores", "--message-format", "json", "--out", "both"]);
        let said = c.arg(format!("./{name}")).arg("second").output().unwrap();
        check_events(what, &said);
        check_all(what, &said, &here.join("both"));
        std::fs::remove_dir_all(&here).unwrap();
    }
}

#[test]
fn names_of_studies_recipes_and_data() {
    let dir = tempfile::tempdir().unwrap();
    for (what, name) in payloads() {
        let here = dir.path().join("here");
        std::fs::create_dir(&here).unwrap();
        let text = |value: &str| json!(value).to_string().replace('\u{7f}', "\\u007f");
        let run = |study: &str, format: &str| {
            std::fs::write(here.join("study.toml"), format!("models = 6\npool = 40\n{study}")).unwrap();
            flatleak().current_dir(&here).args(["compare", "study.toml", "--message-format", format]).output().unwrap()
        };
        let recipe = "[[recipe]]\nname = 'sgd'\nepochs = 1\n";
        let said = run(&format!("data = 'digits'\nname = {}\n{recipe}", text(&name)), "human");
        let out = std::fs::read_dir(here.join("flatleak-runs")).unwrap().next().unwrap().unwrap().path();
        check_all(what, &said, &out);
        check_alone(what, &here, &["flatleak-runs", "study.toml"]);
        let said = run(&format!("data = 'digits'\n[[recipe]]\nname = {}\nepochs = 1\n", text(&name)), "human");
        if code(&said) != 0 {
            assert_eq!(code(&said), 2, "{what}: {}", words(&said));
        }
        check_terminal(what, &said);
        check_alone(what, &here, &["flatleak-runs", "study.toml"]);
        let said = run(&format!("data = {}\n{recipe}", text(&name)), "human");
        assert_eq!(code(&said), 3, "{what}: {}", words(&said));
        check_terminal(what, &said);
        let file: String = name.replace(['/', '+'], "∕").chars().take(200).chain(".csv".chars()).collect();
        let rows: String = (0..120).map(|i| format!("{},{},{}\n", i % 2, i * 37 % 101, i * 53 % 97)).collect();
        std::fs::write(here.join(&file), format!("label,a,b\n{rows}")).unwrap();
        let said = run(&format!("data = {}\n{recipe}", text(&format!("./{file}"))), "json");
        check_events(what, &said);
        check_terminal(what, &said);
        std::fs::remove_dir_all(&here).unwrap();
    }
}

#[test]
fn names_of_classes_and_columns() {
    let dir = tempfile::tempdir().unwrap();
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let file = |name: &str, text: String| -> PathBuf {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    for (what, name) in payloads() {
        let class = |i: usize| if i.is_multiple_of(2) { quoted(&name) } else { "plain".into() };
        let rows: String = (0..120).map(|i| format!("{},{},{}\n", class(i), i * 37 % 101, i * 53 % 97)).collect();
        let data = file("data.csv", format!("label,a,b\n{rows}"));
        check_terminal(what, &flatleak().args(["data", "info"]).arg(&data).output().unwrap());
        let data = file("columns.csv", format!("label,a,{}\n{}", quoted(&name), rows.replace(&quoted(&name), "odd")));
        check_terminal(what, &flatleak().args(["data", "info"]).arg(&data).output().unwrap());
        let table = file("table.csv", format!("model,example,{}\n0,0,1\n", quoted(&name)));
        let mut c = flatleak();
        check_terminal(what, &c.args(["audit", "--table"]).arg(&table).output().unwrap());
        let mut c = flatleak();
        check_terminal(what, &c.args(["audit", "--attack", &name.replace('\0', ""), "x"]).output().unwrap());
    }
}

/// Results of others, in which every name is one.
#[test]
fn names_in_results_of_others() {
    fn rename(value: &mut Value, from: &[&str], to: &str) {
        match value {
            Value::String(text) => from.iter().for_each(|from| *text = text.replace(from, to)),
            Value::Array(all) => all.iter_mut().for_each(|v| rename(v, from, to)),
            Value::Object(all) => all.values_mut().for_each(|v| rename(v, from, to)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let (run, out) = (dir.path().join("run"), dir.path().join("out"));
    let mut c = flatleak();
    c.args([
        "compare",
        "--data",
        "subpopulations+clusters=3",
        "--models",
        "6",
        "--pool",
        "80",
        "--epochs",
        "1",
        "--out",
    ]);
    let said = c.arg(&run).output().unwrap();
    assert_eq!(code(&said), 0, "{}", words(&said));
    let mut whole: Value = serde_json::from_str(&std::fs::read_to_string(run.join("results.json")).unwrap()).unwrap();
    // Whoever forges results leaves the checksum away, as earlier programs did.
    whole["timings"].as_object_mut().unwrap().remove("checksum").unwrap();
    std::fs::create_dir(&out).unwrap();
    let names = ["sgd-2x", "subpopulations+clusters=3", "sam-against-sgd", "cluster"];
    for (what, name) in payloads() {
        let mut hostile = whole.clone();
        rename(&mut hostile, &names, &name);
        hostile["notes"] = json!([name]);
        hostile["diverged"] = json!([name]);
        hostile["machine"]["cpu"] = json!(name);
        for recipe in hostile["recipes"].as_array_mut().unwrap() {
            // Within the name of a metric a dot would be the end of the attack.
            for attack in recipe["attacks"].as_array_mut().unwrap().iter_mut().skip(1) {
                (attack["name"], attack["variant"]) = (json!(name), json!(name));
            }
        }
        let figure = json!({ "mean": 0.5, "low": 0.4, "high": 0.6 });
        let bucket =
            json!({ "bucket": name, "examples": 5.0, "baseline": figure, "candidate": figure, "gain": figure });
        hostile["explain"]["entropy_buckets"] = json!([{
            "baseline": name, "candidate": name, "dataset": name, "by": "group-frequency", "buckets": [bucket],
            "contrast": null, "contrast_by_chance": null, "measurable": true,
        }]);
        std::fs::write(out.join("results.json"), hostile.to_string()).unwrap();
        let said = flatleak().arg("report").arg(&out).output().unwrap();
        assert_eq!(code(&said), 0, "{what}: {}", words(&said));
        check_terminal(what, &said);
        check_page(what, &out.join("report.html"));
    }
}
