//! Results of schema version 1 stay readable: `version1.json` was written by the program of before version 2.
#![allow(clippy::unwrap_used)] // a failed set-up is a failed test

use flatleak_report::{html, json, table};
use flatleak_results::{Pairing, Verdict, Word};

const TEXT: &str = include_str!("version1.json");

#[test]
fn it_is_read_with_what_it_has() {
    let d = json::parse(TEXT).unwrap();
    // From here on it is a document of version 2.
    assert_eq!((d.schema_version, d.headline.verdict), (2, Verdict::Open));
    let again = json::parse(&json::render(&d).unwrap()).unwrap();
    assert_eq!((again.frontiers, again.comparisons), (d.frontiers.clone(), d.comparisons.clone()));
    let c = &d.comparisons[0];
    assert_eq!((c.headline.verdict, c.pairing), (Verdict::Open, Pairing::Paired));
    assert!(c.points.is_empty() && c.conditions.is_empty());
    let accuracy = c.metrics.iter().find(|m| m.metric == flatleak_results::Property::TestAccuracy.into()).unwrap();
    assert!(accuracy.degrees.is_none() && accuracy.difference.low <= accuracy.difference.high);
    assert!(c.metrics.iter().any(|m| m.p_adjusted.is_some() && m.word == Word::Open));
    assert_eq!(d.frontiers[0].recommended.len(), 1);
    assert!(d.recipes.iter().all(|r| r.guessing.is_none() && !r.attacks.is_empty()));
    // What was promised of larger pools is not said again.
    assert!(TEXT.contains("models_needed") && !json::render(&d.comparisons).unwrap().contains("models_needed"));
}

#[test]
fn it_is_rendered() {
    let d = json::parse(TEXT).unwrap();
    let text = table::render(&d, 100).to_string();
    assert!(text.contains(&d.recipes[0].name) && text.contains("  strongest.auc"), "{text}");
    let page = html::render(&d, &|_| None).unwrap();
    assert!(page.contains("The differences") && page.contains("Every attack"));
}

#[test]
fn later_versions_and_other_files_are_refused() {
    let later = TEXT.replacen("\"schema_version\":1", "\"schema_version\":3", 1);
    let error = json::parse(&later).unwrap_err().to_string();
    assert!(error.contains("schema version 3") && error.contains("newer"), "{error}");
    assert!(json::parse("{}").unwrap_err().to_string().contains("not a results.json"));
}
