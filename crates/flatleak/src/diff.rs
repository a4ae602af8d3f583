//! Two finished runs or audits on the same examples, side by side.

use std::collections::BTreeMap;

use flatleak_results::{
    AttackResult, Comparison, DatasetRecord, Document, Estimate, Measure, Metric, Property, RecipeResult, Verdict,
};
use serde::Serialize;

/// Why two documents cannot be set side by side.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiffError {
    /// Other examples.
    #[error(
        "different data: {first} in the first, {second} in the second; only results on the same examples can be set side by side"
    )]
    Data {
        /// Data of the first, with its digest.
        first: String,
        /// Data of the second.
        second: String,
    },
    /// No recipe that both have.
    #[error("no recipe is in both: {first} in the first, {second} in the second")]
    Recipes {
        /// Recipes of the first.
        first: String,
        /// Recipes of the second.
        second: String,
    },
}

/// What differs between two documents. Differences are second - first and have no interval: results do not say how the models of two runs hang
/// together. Recipes of one study are compared model by model, with intervals.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diff {
    /// The answer of the first, and that of the second.
    pub verdicts: [Verdict; 2],
    /// Settings that differ.
    pub settings: Vec<Setting>,
    /// Recipes that both have.
    pub recipes: Vec<RecipeDiff>,
    /// Comparisons that both have.
    pub comparisons: Vec<WordDiff>,
    /// What the first has alone, in words.
    pub only_first: Vec<String>,
    /// What the second has alone.
    pub only_second: Vec<String>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// A setting that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Which.
    pub what: String,
    /// In the first.
    pub first: String,
    /// In the second.
    pub second: String,
}

/// One figure in both documents.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// What is measured.
    pub metric: Metric,
    /// In the first.
    pub first: Estimate,
    /// In the second.
    pub second: Estimate,
    /// Second - first, of the means.
    pub difference: f64,
}

/// One recipe in both documents.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RecipeDiff {
    /// Its name.
    pub recipe: String,
    /// Data set, as the first calls it.
    pub dataset: String,
    /// Models in the first and in the second.
    pub models: [usize; 2],
    /// Accuracies, and every measure of every attack that both have.
    pub figures: Vec<Figure>,
}

/// One comparison in both documents.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WordDiff {
    /// Baseline recipe.
    pub baseline: String,
    /// Candidate recipe.
    pub candidate: String,
    /// Data set, as the first calls it.
    pub dataset: String,
    /// What the first says, and what the second.
    pub verdicts: [Verdict; 2],
    /// Differences candidate - baseline of every metric that both have, with intervals of 95 %.
    pub figures: Vec<Figure>,
}

/// Sets two documents side by side.
///
/// # Errors
/// Other examples: no data set in common, or one name for two. No recipe in common.
pub fn diff(first: &Document, second: &Document) -> Result<Diff, DiffError> {
    let mut notes = Vec::new();
    let data = same_data(first, second, &mut notes)?;
    let called = |r: &RecipeResult| data.get(r.dataset.as_str()).copied();
    let partner = |r: &RecipeResult| second.recipes.iter().find(|s| s.name == r.name && called(r) == Some(&s.dataset));
    let recipes: Vec<RecipeDiff> = first.recipes.iter().filter_map(|r| Some(of_recipe(r, partner(r)?))).collect();
    if recipes.is_empty() {
        let names = |d: &Document| d.recipes.iter().map(|r| r.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(DiffError::Recipes { first: names(first), second: names(second) });
    }
    let pair = |c: &Comparison| {
        let dataset = data.get(c.dataset.as_str()).copied();
        let same = |s: &&Comparison| (&s.baseline, &s.candidate) == (&c.baseline, &c.candidate);
        second.comparisons.iter().filter(same).find(|s| dataset == Some(&s.dataset))
    };
    let comparisons = first.comparisons.iter().filter_map(|c| Some(of_comparison(c, pair(c)?))).collect();
    let back: BTreeMap<&str, &str> = data.iter().map(|(a, b)| (*b, *a)).collect();
    let has = |r: &RecipeResult| {
        let dataset = back.get(r.dataset.as_str()).copied();
        first.recipes.iter().any(|f| f.name == r.name && dataset == Some(&f.dataset))
    };
    let said = |r: &RecipeResult| format!("{} on {}", r.name, r.dataset);
    Ok(Diff {
        verdicts: [first.headline.verdict, second.headline.verdict],
        settings: settings(first, second),
        recipes,
        comparisons,
        only_first: first.recipes.iter().filter(|r| partner(r).is_none()).map(said).collect(),
        only_second: second.recipes.iter().filter(|r| !has(r)).map(said).collect(),
        notes,
    })
}

/// Data sets that both have, by their names in the first and in the second.
fn same_data<'a>(
    first: &'a Document,
    second: &'a Document,
    notes: &mut Vec<String>,
) -> Result<BTreeMap<&'a str, &'a str>, DiffError> {
    let mut out = BTreeMap::new();
    let (ours, theirs) = (&first.study.datasets, &second.study.datasets);
    let refused = |a: &DatasetRecord, b: &DatasetRecord| DiffError::Data { first: described(a), second: described(b) };
    for a in ours {
        if let Some(b) = theirs.iter().find(|b| is_known(a) && a.digest == b.digest) {
            out.insert(a.name.as_str(), b.name.as_str());
        } else if let Some(b) = theirs.iter().find(|b| b.name == a.name && is_known(a) && is_known(b)) {
            return Err(refused(a, b));
        }
    }
    // Of outputs alone no digest is known: their numbers of examples have to agree.
    if let ([a], [b]) = (ours.as_slice(), theirs.as_slice())
        && out.is_empty()
        && (!is_known(a) || !is_known(b))
        && (a.pool, a.test) == (b.pool, b.test)
    {
        notes.push(
            "that both are about the same examples cannot be checked: of outputs alone no digest is known".into(),
        );
        out.insert(a.name.as_str(), b.name.as_str());
    }
    match (ours.first(), theirs.first()) {
        (Some(a), Some(b)) if out.is_empty() => Err(refused(a, b)),
        _ => Ok(out),
    }
}

/// Whether a data set's examples are known, and not their outputs alone.
fn is_known(data: &DatasetRecord) -> bool {
    !data.digest.is_empty() && data.digest.bytes().all(|b| b.is_ascii_hexdigit())
}

fn described(data: &DatasetRecord) -> String {
    let which = if is_known(data) {
        format!("digest {}", &data.digest[..data.digest.len().min(12)])
    } else {
        "no digest".into()
    };
    format!("{} ({}, {} examples and {} held out)", data.name, which, data.pool, data.test)
}

fn figure(metric: Metric, first: Estimate, second: Estimate) -> Figure {
    Figure { metric, first, second, difference: second.mean - first.mean }
}

fn of_recipe(first: &RecipeResult, second: &RecipeResult) -> RecipeDiff {
    let test = first.test_accuracy.zip(second.test_accuracy).map(|(a, b)| (Property::TestAccuracy, a, b));
    let all = [
        (Property::MemberAccuracy, first.member_accuracy, second.member_accuracy),
        (Property::NonMemberAccuracy, first.non_member_accuracy, second.non_member_accuracy),
    ];
    let mut figures: Vec<Figure> = test.into_iter().chain(all).map(|(p, a, b)| figure(p.into(), a, b)).collect();
    for a in &first.attacks {
        // Of two definitions under one name the figures are not compared.
        let same = |b: &&AttackResult| b.variant == a.variant;
        if let Some(b) = second.attack(&a.name).filter(same) {
            let both = Measure::all().filter_map(|measure| {
                Some(figure(Metric::attack(&a.name, measure), a.estimate(measure)?, b.estimate(measure)?))
            });
            figures.extend(both);
        }
    }
    RecipeDiff {
        recipe: first.name.clone(),
        dataset: first.dataset.clone(),
        models: [first.models, second.models],
        figures,
    }
}

fn of_comparison(first: &Comparison, second: &Comparison) -> WordDiff {
    let of = |metric: &Metric| second.metrics.iter().find(|m| m.metric == *metric);
    let both = first.metrics.iter().filter_map(|m| Some((m, of(&m.metric)?)));
    WordDiff {
        baseline: first.baseline.clone(),
        candidate: first.candidate.clone(),
        dataset: first.dataset.clone(),
        verdicts: [first.headline.verdict, second.headline.verdict],
        figures: both.map(|(a, b)| figure(a.metric.clone(), a.difference, b.difference)).collect(),
    }
}

/// Settings that differ: of the study, the program, and the recipes that both have.
fn settings(first: &Document, second: &Document) -> Vec<Setting> {
    let of = |d: &Document| {
        let s = &d.study;
        let mut all = vec![
            ("study".to_owned(), s.name.clone()),
            ("seed".into(), s.seed.to_string()),
            ("models per recipe".into(), s.models.to_string()),
            ("views of each example".into(), s.queries.to_string()),
            ("layers".into(), s.layers.join(", ")),
            ("quick".into(), if s.quick { "yes" } else { "no" }.into()),
            ("relevant".into(), d.family.relevant.to_string()),
            ("engine".into(), s.engine_version.to_string()),
            ("flatleak".into(), d.flatleak_version.clone()),
        ];
        all.extend(s.recipes.iter().map(|r| (format!("recipe {}", r.name), r.settings.clone())));
        all
    };
    let theirs: BTreeMap<String, String> = of(second).into_iter().collect();
    let both = of(first).into_iter().filter_map(|(what, first)| {
        let second = theirs.get(&what).filter(|second| **second != first)?.clone();
        Some(Setting { what, first, second })
    });
    both.collect()
}
