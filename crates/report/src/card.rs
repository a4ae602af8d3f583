//! A section for a model card: Markdown behind YAML metadata as the Hugging Face hub reads it (`model-index`; huggingface/hub-docs, `modelcard.md`).

use std::fmt::Write;

use flatleak_results::{Comparison, DatasetRecord, Document, Estimate, Measure, RecipeResult};
use flatleak_verdict::{called, headline_metric};

use crate::markdown::{escaped, origin, put};
use crate::names;
use crate::outline::{Part, level, outline, telling};

/// The whole section; every recipe is a model of the index.
pub(crate) fn render(d: &Document) -> String {
    let d = &*names::short(d, &names::long(d));
    let mut out = String::from("---\n");
    // Writing to a String cannot fail.
    let _ = metadata(d, &mut out);
    out += "---\n\n## Membership leakage\n\n";
    out += INTRODUCTION;
    let parts = outline(d);
    let tables =
        parts.iter().filter(|p| matches!(p, Part::Quick | Part::Answer(..) | Part::Heading(_) | Part::Sheet(_)));
    // The answer, and what each recipe reaches; the rest is the report's.
    let mut shown = 0;
    for part in tables {
        let is_overview = matches!(part, Part::Sheet(s) if s.title == "recipe");
        if !matches!(part, Part::Sheet(_)) || is_overview {
            put(part, &mut out);
            shown += usize::from(is_overview);
        }
        if shown == d.study.datasets.len() {
            break;
        }
    }
    for r in &d.recipes {
        for condition in &r.conditions {
            let _ = writeln!(out, "- {}", escaped(&condition.reason()));
        }
    }
    if d.recipes.iter().any(|r| !r.conditions.is_empty()) {
        out.push('\n');
    }
    out += LIMITS;
    out += &origin(d);
    out
}

const INTRODUCTION: &str = "How well an attacker who sees the model's outputs can tell which examples it was trained on. An AUC of 0.5 is guessing. \
The TPR is the share of training examples that the strongest attack finds while it accuses so many of the others wrongly.\n\n";

const LIMITS: &str = "The figures are means over models that were trained like this one, on random halves of the same examples. They hold for these data \
and settings, and they are no bound on what a stronger attack may find.\n\n";

fn metadata(d: &Document, out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        "tags:\n- flatleak\n- membership-inference\n- privacy\nmetrics:\n- accuracy\n- roc_auc\nmodel-index:"
    )?;
    let mut names: Vec<&str> = d.recipes.iter().map(|r| r.name.as_str()).collect();
    let mut seen = Vec::new();
    names.retain(|name| {
        !seen.contains(name) && {
            seen.push(*name);
            true
        }
    });
    for name in names {
        writeln!(out, "- name: {}\n  results:", quoted(name))?;
        for r in d.recipes.iter().filter(|r| r.name == name) {
            let data = d.study.datasets.iter().find(|s| s.name == r.dataset);
            result(d, r, data, out)?;
        }
    }
    Ok(())
}

/// The figures of one recipe on one data set.
fn result(d: &Document, r: &RecipeResult, data: Option<&DatasetRecord>, out: &mut String) -> std::fmt::Result {
    let name = quoted(&r.dataset);
    writeln!(out, "  - task:\n      type: other\n      name: Classification")?;
    writeln!(out, "    dataset:\n      type: {name}\n      name: {name}")?;
    if let Some(data) = data {
        writeln!(
            out,
            "      args:\n        digest: {}\n        pool: {}\n        held_out: {}",
            quoted(&data.digest),
            data.pool,
            data.test
        )?;
    }
    writeln!(out, "    metrics:")?;
    let mut metric = |kind: &str, name: &str, e: Estimate, fpr: Option<f64>| {
        let (value, low, high, models) = (e.mean, e.low, e.high, r.models);
        writeln!(out, "    - type: {kind}\n      value: {value}\n      name: {}\n      args:", quoted(name))?;
        if let Some(fpr) = fpr {
            writeln!(out, "        fpr: {fpr}")?;
        }
        writeln!(out, "        low: {low}\n        high: {high}\n        confidence: 0.95\n        models: {models}")
    };
    if let Some(e) = r.test_accuracy {
        metric("accuracy", "Test accuracy", e, None)?;
    }
    metric("train_accuracy", "Accuracy on training examples", r.member_accuracy, None)?;
    let recipes: Vec<&RecipeResult> = d.recipes.iter().filter(|other| other.dataset == r.dataset).collect();
    let Some(attack) = telling(&recipes).and_then(|attack| r.attack(&attack.name())) else { return Ok(()) };
    metric("roc_auc", "Membership inference AUC", attack.auc, None)?;
    let comparisons: Vec<&Comparison> = d.comparisons.iter().filter(|c| c.dataset == r.dataset).collect();
    let fpr = level(&recipes, &comparisons);
    let tpr = Measure::Tpr(fpr);
    if let Some(e) = attack.estimate(tpr) {
        let name = format!("Membership inference {}", called(&headline_metric(tpr)));
        metric("membership_inference_tpr", &name, e, Some(fpr))?;
    }
    Ok(())
}

/// A YAML scalar: a string of JSON is one (YAML 1.2, section 1.3), and none of its characters is hidden.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
