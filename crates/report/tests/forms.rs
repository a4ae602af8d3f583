//! Every form of results: figures are those of `results.json`, names are text, what is redacted is in none, a terminal of any width holds the table.
#![allow(clippy::unwrap_used)] // a failed set-up is a failed test

use std::collections::HashSet;

use flatleak_report::{Form, json, table};
use flatleak_results::{Document, Metric};
use serde_json::Value;
use serde_yaml_ng::Value as Yaml;

const OLD: &str = include_str!("version1.json");
const NEW: &str = include_str!("../../cli/tests/kept/schema-2/run/results.json");

fn rendered(form: Form, d: &Document) -> String {
    form.render(d, &|_| None).unwrap()
}

/// Cells of comma-separated values (RFC 4180).
fn cells(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut inside) = (Vec::new(), Vec::new(), String::new(), false);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if inside && rest.peek() == Some(&'"') => cell.extend(rest.next()),
            '"' => inside = !inside,
            ',' if !inside => row.push(std::mem::take(&mut cell)),
            '\n' if !inside => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    rows
}

/// A figure of the table: estimate, low and high.
fn figure(rows: &[Vec<String>], kind: &str, recipe: &str, baseline: &str, metric: &str) -> [f64; 3] {
    let found = rows.iter().find(|r| r[0] == kind && r[2] == recipe && r[3] == baseline && r[4] == metric);
    let found = found.unwrap_or_else(|| panic!("{kind} {recipe} {baseline} {metric}"));
    [5, 6, 7].map(|k| found[k].parse().unwrap())
}

fn estimate(of: &Value) -> [f64; 3] {
    ["mean", "low", "high"].map(|key| of[key].as_f64().unwrap())
}

#[test]
fn the_table_of_figures_reads_back_to_the_results() {
    for text in [OLD, NEW] {
        let raw: Value = serde_json::from_str(text).unwrap();
        let rows = cells(&rendered(Form::Csv, &json::parse(text).unwrap()));
        assert!(rows.iter().all(|row| row.len() == 13) && rows[0][4] == "metric");
        let mut compared = 0;
        for r in raw["recipes"].as_array().unwrap() {
            let name = r["name"].as_str().unwrap();
            assert_eq!(figure(&rows, "recipe", name, "", "test-accuracy"), estimate(&r["test_accuracy"]));
            assert_eq!(figure(&rows, "recipe", name, "", "non-member-accuracy"), estimate(&r["non_member_accuracy"]));
            for a in r["attacks"].as_array().unwrap() {
                let attack = a["name"].as_str().unwrap();
                assert_eq!(figure(&rows, "recipe", name, "", &format!("{attack}.auc")), estimate(&a["auc"]));
                for t in a["tpr_at_fpr"].as_array().unwrap() {
                    let metric = format!("{attack}.tpr@{}", t["fpr"]);
                    assert_eq!(figure(&rows, "recipe", name, "", &metric), estimate(&t["tpr"]));
                    compared += 1;
                }
            }
        }
        for c in raw["comparisons"].as_array().unwrap() {
            let [candidate, baseline] = ["candidate", "baseline"].map(|key| c[key].as_str().unwrap());
            for m in c["metrics"].as_array().unwrap() {
                let metric = m["metric"].as_str().unwrap();
                if metric.parse::<Metric>().unwrap().group().is_none() {
                    let found = figure(&rows, "difference", candidate, baseline, metric);
                    assert_eq!(found, estimate(&m["difference"]));
                    compared += 1;
                }
            }
            for p in c["points"].as_array().into_iter().flatten() {
                let metric = p["metric"].as_str().unwrap();
                assert_eq!(figure(&rows, "point", candidate, baseline, metric), estimate(&p["difference"]));
            }
        }
        assert!(compared > 100, "{compared}");
    }
}

fn metadata(card: &str) -> Yaml {
    let head = card.strip_prefix("---\n").unwrap().split("\n---\n").next().unwrap();
    serde_yaml_ng::from_str(head).unwrap()
}

fn number(y: &Yaml) -> f64 {
    y.as_f64().unwrap()
}

/// `model-index` as the hub's own library reads it: what it requires is there, with the figures of the results.
#[test]
fn the_card_has_a_model_index() {
    let d = json::parse(NEW).unwrap();
    let y = metadata(&rendered(Form::ModelCard, &d));
    let index = y["model-index"].as_sequence().unwrap();
    assert_eq!(index.len(), d.recipes.len());
    for (entry, r) in index.iter().zip(&d.recipes) {
        assert_eq!(entry["name"].as_str(), Some(r.name.as_str()));
        let result = &entry["results"][0];
        assert!(result["task"]["type"].as_str().is_some());
        let data = &result["dataset"];
        assert_eq!((data["type"].as_str(), data["name"].as_str()), (Some(&*r.dataset), Some(&*r.dataset)));
        assert_eq!(data["args"]["digest"].as_str(), Some(&*d.study.datasets[0].digest));
        let metrics = result["metrics"].as_sequence().unwrap();
        assert!(metrics.iter().all(|m| m["type"].as_str().is_some() && m["name"].as_str().is_some()));
        let auc = metrics.iter().find(|m| m["type"].as_str() == Some("roc_auc")).unwrap();
        let wanted = r.attack("strongest").unwrap().auc;
        assert_eq!(number(&auc["value"]), wanted.mean);
        assert_eq!([number(&auc["args"]["low"]), number(&auc["args"]["high"])], [wanted.low, wanted.high]);
        assert_eq!(auc["args"]["models"].as_i64(), Some(r.models as i64));
    }
}

/// Names that mean something in one of the forms.
const NAMES: [&str; 8] = [
    "a: b # c",
    "- x\"y'z",
    "{a}|b&c%d$e_f^g~h\\i",
    "[l](javascript:alert(1))",
    "<script>alert(1)</script>",
    "\\input{/etc/passwd}",
    "größe 日本 −1",
    "*** ``` --- ===",
];

fn renamed(name: &str) -> Document {
    let mut value = serde_json::to_value(json::parse(NEW).unwrap()).unwrap();
    value["timings"].as_object_mut().unwrap().remove("checksum");
    rename(&mut value, name);
    json::parse(&value.to_string()).unwrap()
}

/// The first recipe's name wherever it stands alone.
fn rename(value: &mut Value, name: &str) {
    match value {
        Value::String(text) if text == "sgd" => *text = name.into(),
        Value::Array(all) => all.iter_mut().for_each(|v| rename(v, name)),
        Value::Object(all) => all.values_mut().for_each(|v| rename(v, name)),
        _ => {}
    }
}

/// Cells of a line of a table, divided where nothing escapes the mark.
fn divided(line: &str, mark: char) -> usize {
    let mut before = ' ';
    line.chars()
        .filter(|&c| {
            let hit = c == mark && before != '\\';
            before = c;
            hit
        })
        .count()
}

#[test]
fn names_are_text_in_every_form() {
    for name in NAMES {
        let d = renamed(name);
        assert_eq!(d.recipes[0].name, name);
        let y = metadata(&rendered(Form::ModelCard, &d));
        assert_eq!(y["model-index"][0]["name"].as_str(), Some(name));
        let markdown = rendered(Form::Markdown, &d);
        let mut lines = markdown.lines().peekable();
        while let Some(line) = lines.next() {
            if let Some(next) = lines.peek().filter(|next| line.starts_with("| ") && next.starts_with("| ")) {
                assert_eq!(divided(line, '|'), divided(next, '|'), "{line}\n{next}");
            }
        }
        for bad in ["<script", "](javascript"] {
            assert!(!markdown.replace("\\<", "").replace("\\]", "").contains(bad), "{name}: {bad}");
        }
        let latex = rendered(Form::Latex, &d);
        check_latex(name, &latex);
        let rows = cells(&rendered(Form::Csv, &d));
        assert!(rows.iter().all(|row| row.len() == 13), "{name}");
        assert!(rows.iter().any(|row| row[2].trim_start_matches('\'') == name), "{name}");
    }
}

/// Groups close, environments end in their order, rows have the cells of their table, and no character is left that an engine may lack.
fn check_latex(name: &str, text: &str) {
    let allowed = [
        "usepackage",
        "subsection",
        "textbf",
        "paragraph",
        "noindent",
        "footnotesize",
        "par",
        "begin",
        "end",
        "item",
        "centering",
        "setlength",
        "tabcolsep",
        "caption",
        "toprule",
        "midrule",
        "bottomrule",
        "textbackslash",
        "textasciitilde",
        "textasciicircum",
        "textquotedbl",
        "textasciigrave",
        "textquotesingle",
        "pm",
        "geq",
        "leq",
        "dots",
    ];
    let (mut open, mut environments, mut width) = (0i32, Vec::new(), 0);
    for line in text.lines().filter(|line| !line.starts_with('%')) {
        let mut rest = line;
        while let Some(at) = rest.find(['\\', '{', '}']) {
            let (mark, behind) = rest[at..].split_at(1);
            rest = behind;
            match mark {
                "{" => open += 1,
                "}" => open -= 1,
                _ => {
                    let word: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
                    assert!(
                        allowed.contains(&word.as_str())
                            || (word.is_empty() && rest.starts_with(['\\', '&', '%', '$', '#', '_', '{', '}'])),
                        "{name}: \\{word} in {line}"
                    );
                    rest = &rest[word.len().max(1)..];
                }
            }
            assert!(open >= 0, "{name}: {line}");
        }
        if let Some(begun) = line.strip_prefix("\\begin{") {
            let (environment, rest) = begun.split_once('}').unwrap();
            environments.push(environment.to_owned());
            if environment == "tabular" {
                width = rest.trim_matches(['{', '}']).len();
            }
        } else if let Some(ended) = line.strip_prefix("\\end{") {
            assert_eq!(environments.pop().as_deref(), Some(ended.trim_end_matches('}')), "{name}");
        } else if line.ends_with("\\\\") {
            assert_eq!(divided(line, '&') + 1, width, "{name}: {line}");
        }
        assert_eq!(open, 0, "{name}: {line}");
        assert!(line.chars().all(|c| c <= 'ÿ'), "{name}: {line}");
    }
    assert!(environments.is_empty() && text.contains("\\bottomrule"), "{name}");
}

/// What tells of single examples, each with a word of its own: a small group, a place in the source, a picture, the place of a pair's example.
const TOLD: [&str; 4] = ["tinygroup", "secret-place.png", "c2VjcmV0cGljdHVyZQ==", "987654"];

/// Results that tell of single examples in every way there is.
fn telling() -> Document {
    let mut value: Value = serde_json::from_str(NEW).unwrap();
    value["timings"].as_object_mut().unwrap().remove("checksum");
    let data = value["recipes"][0]["dataset"].clone();
    let group = serde_json::json!({ "recipe": "sgd", "dataset": data, "name": "tinygroup", "pool": 3, "frequency": 0.05,
        "test": 3, "test_accuracy": null, "member_accuracy": { "mean": 0.5, "low": 0.0, "high": 1.0 },
        "non_member_accuracy": { "mean": 0.5, "low": 0.0, "high": 1.0 }, "memorization": { "mean": 0.5, "low": 0.0, "high": 1.0 }, "leakage": [] });
    value["explain"]["groups"] = serde_json::json!([group]);
    let mut metric = value["comparisons"][0]["metrics"][0].clone();
    metric["metric"] = "memorization[tinygroup]".into();
    value["comparisons"][0]["metrics"].as_array_mut().unwrap().push(metric);
    value["explain"]["influence"][0]["top"][0]["train"] = 987_654.into();
    value["listings"] = serde_json::json!([{ "dataset": data, "file": "examples.json", "blake3": "" }]);
    json::parse(&value.to_string()).unwrap()
}

/// The files beside the results: a listing of one example, and pictures.
fn beside(file: &str) -> Option<Vec<u8>> {
    let estimate = serde_json::json!({ "mean": 1.0, "low": 0.5, "high": 1.0 });
    let exposed = serde_json::json!({ "calls": [estimate], "memorization": estimate, "helps": [] });
    let listing = serde_json::json!({ "recipes": ["sgd"], "attacks": ["strongest"], "pool": 40, "examples": [
        { "index": 1, "class": "one", "source": "secret-place.png", "picture": "c2VjcmV0cGljdHVyZQ==", "recipes": { "sgd": exposed } }] });
    Some(if file == "examples.json" { listing.to_string().into_bytes() } else { b"secretpicture".to_vec() })
}

/// A form tells of single examples what it `tells`, and nothing where it is redacted, which it `says`.
fn redacts(form: Form, tells: &[&str], says: &str) {
    let mut d = telling();
    let told = |d: &Document| {
        let text = form.render(d, &beside).unwrap();
        TOLD.into_iter().filter(|word| text.contains(word)).collect::<Vec<_>>()
    };
    assert_eq!(told(&d), tells);
    d.redact();
    assert_eq!(told(&d), [""; 0]);
    assert!(form.render(&d, &beside).unwrap().contains(says));
}

#[test]
fn a_redacted_page_tells_of_no_example() {
    redacts(Form::Html, &TOLD, "Redacted: nothing is shown of single examples.");
}

#[test]
fn a_redacted_document_tells_of_no_example() {
    // Its listing and its pictures are files of their own.
    redacts(Form::Json, &["tinygroup", "987654"], "\"redacted\": true");
    let mut d = telling();
    d.redact();
    let again = json::parse(&rendered(Form::Json, &d)).unwrap();
    assert!(again.redacted && again.explain.influence.iter().all(|i| i.top.is_empty()));
    assert!(again.pictures.is_empty() && again.listings.is_empty());
}

#[test]
fn markdown_tells_of_no_example() {
    redacts(Form::Markdown, &[], "edacted");
}

#[test]
fn latex_tells_of_no_example() {
    redacts(Form::Latex, &[], "edacted");
}

#[test]
fn the_table_of_figures_tells_of_no_example() {
    redacts(Form::Csv, &[], "kind,");
}

#[test]
fn a_card_tells_of_no_example() {
    redacts(Form::ModelCard, &[], "edacted");
}

/// From 50 columns on no line is longer than the terminal and no word is cut; what is said is the same.
#[test]
fn a_terminal_of_any_width_holds_the_table() {
    for text in [OLD, NEW] {
        let d = json::parse(text).unwrap();
        let words = |width: usize| -> HashSet<String> {
            let said = table::render(&d, width).to_string();
            said.split_whitespace().map(str::to_owned).collect()
        };
        let whole = words(1000);
        for width in (50..=140).step_by(6) {
            let said = table::render(&d, width).to_string();
            for line in said.lines() {
                let taken = flatleak_report::text::columns(line);
                assert!(taken <= width && !line.ends_with(' '), "{width}: {taken}: {line}");
            }
            let own = words(width);
            let broken: Vec<&String> = own.difference(&whole).filter(|w| !w.contains('…')).collect();
            assert!(broken.is_empty(), "{width}: {broken:?}");
            let lost: Vec<&String> = whole.difference(&own).collect();
            assert!(lost.iter().all(|w| own.iter().any(|o| o.contains('…')) || w.contains('…')), "{width}: {lost:?}");
        }
    }
}
