//! What a summary of results says, in its order: paragraphs and tables, the same for a terminal, Markdown and LaTeX.

use flatleak_attack::Attack;
use flatleak_results::{
    ClaimOutcome, Comparison, Document, Estimate, FPR_LEVELS, Frontier, FrontierPoint, GroupProperty, Measure, Metric,
    MetricDifference, Property, RecipeResult, Side, Spreads, Verdict,
};
use flatleak_verdict::{FEW, HEADLINE, SUMMARY, called, headline_metric};

use crate::say::{label, leaks, outcome, probability, without_outputs};
use crate::sheet::Sheet;
use crate::text::Tone;
use crate::words::plus_minus;

/// Levels of noise that a summary shows.
const SHOWN_LEVELS: usize = 4;

/// Whose claims are judged (book/methods/README.md#citations).
const STUDY: &str = "Kim et al. (ICLR 2026, arXiv 2310.00488)";

/// A part of a summary.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    /// The answer.
    Answer(Verdict, String),
    /// A quick run: not for decisions.
    Quick,
    /// A heading.
    Heading(String),
    /// A paragraph.
    Paragraph(String),
    /// What belongs to the table before it.
    Remark(String),
    /// A table.
    Sheet(Sheet),
    /// A claim as it was made, and what this run says about it: who, what and how it came out.
    Claim(String, Vec<(ClaimOutcome, String)>),
    /// Something that a reader should know.
    Note(String),
}

/// The summary of a document.
pub(crate) fn outline(d: &Document) -> Vec<Part> {
    let mut out = Vec::new();
    if d.study.quick {
        out.push(Part::Quick);
    }
    out.push(Part::Answer(d.headline.verdict, d.headline.sentence.clone()));
    for data in &d.study.datasets {
        if d.study.datasets.len() > 1 {
            out.push(Part::Heading(data.name.clone()));
        }
        one(d, &data.name, &mut out);
    }
    out.extend(pooled(d).into_iter().map(Part::Sheet));
    claims(d, &mut out);
    out.extend(d.notes.iter().cloned().map(Part::Note));
    let diverged = d.diverged.iter().map(|name| format!("recipe {name} diverged and is left out"));
    out.extend(diverged.map(Part::Note));
    out
}

/// The tables of one data set.
fn one(d: &Document, dataset: &str, out: &mut Vec<Part>) {
    let recipes: Vec<&RecipeResult> = d.recipes.iter().filter(|r| r.dataset == dataset).collect();
    if recipes.is_empty() {
        return;
    }
    let comparisons: Vec<&Comparison> = d.comparisons.iter().filter(|c| c.dataset == dataset).collect();
    let tpr = Measure::Tpr(level(&recipes, &comparisons));
    out.push(Part::Sheet(overview(&recipes, tpr, dataset)));
    out.extend(noise(&recipes).map(Part::Sheet));
    // More columns than a page has.
    let many = recipes.len() > FEW;
    if !many && recipes.iter().any(|r| !r.attacks.is_empty()) {
        out.extend([Measure::Auc, tpr].map(|measure| Part::Sheet(attacks(d, &recipes, measure))));
    }
    for f in d.frontiers.iter().filter(|f| f.dataset == dataset && many) {
        out.push(Part::Sheet(frontier(f)));
        out.push(Part::Remark("* no other recipe is at least as accurate and leaks no more".into()));
        out.extend(matched(f).map(Part::Remark));
    }
    for c in &comparisons {
        out.push(if many { Part::Paragraph(c.headline.sentence.clone()) } else { Part::Sheet(comparison(c)) });
    }
    if !many && comparisons.iter().any(|c| !c.points.is_empty()) {
        let text = "* intervals that hold together for all comparisons, p corrected for their number";
        out.push(Part::Remark(text.into()));
    }
}

/// The FPR of the TPR that is shown: the one at which headlines are judged, and where none is the smallest at which every recipe expects enough
/// false positives.
pub(crate) fn level(recipes: &[&RecipeResult], comparisons: &[&Comparison]) -> f64 {
    let of = |metric: &Metric| match metric {
        Metric::Attack { measure: Measure::Tpr(level), .. } => Some(*level),
        _ => None,
    };
    let guessed = recipes.iter().filter_map(|r| r.guessing.as_ref()).flat_map(|g| &g.points);
    let compared = comparisons.iter().flat_map(|c| &c.points);
    let judged = compared.filter_map(|p| of(&p.metric)).chain(guessed.filter_map(|p| of(&p.metric))).next();
    let reliable = |level: f64| {
        let mut all = recipes.iter().filter_map(|r| r.attacks.first());
        all.all(|a| a.tpr_at_fpr.iter().any(|t| t.fpr == level && t.reliable))
    };
    judged.or_else(|| FPR_LEVELS.into_iter().find(|level| reliable(*level))).unwrap_or(0.01)
}

/// The attack by which leakage is told: that of headlines, and where an earlier program did not know it, the first of summaries that was run.
pub(crate) fn telling(recipes: &[&RecipeResult]) -> Option<Attack> {
    SUMMARY.into_iter().find(|attack| recipes.iter().any(|r| r.attack(&attack.name()).is_some()))
}

/// What a recipe reaches and how much it leaks, a row a recipe.
fn overview(recipes: &[&RecipeResult], tpr: Measure, dataset: &str) -> Sheet {
    let telling = telling(recipes);
    let by = telling.map_or(String::new(), |attack| format!(", leakage by {attack}"));
    let mut sheet = Sheet::new(format!("Accuracy and leakage on {dataset}{by}; 95 % intervals"), "recipe");
    sheet = sheet.figures("test accuracy");
    let leakage = [headline_metric(Measure::Auc), headline_metric(tpr)].map(|m| called(&m));
    if telling.is_some() {
        sheet = leakage.into_iter().fold(sheet, Sheet::figures);
    }
    sheet = sheet.figures("members").figures("non-members").figures("models");
    for r in recipes {
        let mut cells = vec![r.test_accuracy.map_or("-".into(), plus_minus)];
        if let Some(attack) = telling {
            cells.extend([Measure::Auc, tpr].map(|m| reached(r, attack, m)));
        }
        cells.extend([r.member_accuracy, r.non_member_accuracy].map(plus_minus));
        cells.push(r.models.to_string());
        sheet.row(r.name.clone(), cells);
    }
    sheet
}

/// What an attack reaches against a recipe.
fn reached(r: &RecipeResult, attack: Attack, measure: Measure) -> String {
    let found = r.attack(&attack.name()).and_then(|a| a.estimate(measure));
    found.map_or("-".into(), plus_minus)
}

/// Held-out accuracy under every level of noise.
fn noise(recipes: &[&RecipeResult]) -> Option<Sheet> {
    let first = recipes.iter().find(|r| !r.noise.is_empty())?;
    let caption = "Test accuracy under noise of these deviations on the inputs; 95 % intervals";
    let levels = first.noise.iter().take(SHOWN_LEVELS).map(|n| n.deviation.to_string());
    let mut sheet = levels.fold(Sheet::new(caption, "test accuracy, noise"), Sheet::figures);
    for r in recipes {
        sheet.row(r.name.clone(), r.noise.iter().take(SHOWN_LEVELS).map(|n| plus_minus(n.accuracy)).collect());
    }
    Some(sheet)
}

/// What the attacks that are shown reach, a column a recipe.
fn attacks(d: &Document, recipes: &[&RecipeResult], measure: Measure) -> Sheet {
    let name = called(&headline_metric(measure));
    let caption = format!("{name} of the attacks against each recipe; 95 % intervals");
    let mut sheet = recipes.iter().map(|r| r.name.clone()).fold(Sheet::new(caption, name), Sheet::figures);
    for attack in SUMMARY {
        sheet.row(label(d, &attack.name()), recipes.iter().map(|r| reached(r, attack, measure)).collect());
    }
    if measure == Measure::Auc && recipes.iter().any(|r| r.blind.is_some()) {
        let blind = |r: &&RecipeResult| r.blind.as_ref().map_or("-".into(), |b| without_outputs(b, plus_minus));
        sheet.row("without outputs", recipes.iter().map(blind).collect());
    }
    sheet
}

/// Recipes by leakage.
fn frontier(f: &Frontier) -> Sheet {
    let mut points: Vec<&FrontierPoint> = f.points.iter().collect();
    points.sort_by(|a, b| a.leakage.mean.total_cmp(&b.leakage.mean));
    let mut sheet = Sheet::new(format!("Recipes on {} by leakage; 95 % intervals", f.dataset), "by leakage")
        .figures("AUC")
        .figures("attack")
        .figures("test accuracy beside the best");
    for p in points {
        let star = if p.pareto { "*" } else { " " };
        let attack = p.attack.trim_start_matches("lira-").to_owned();
        sheet.row(format!("{star} {}", p.recipe), vec![plus_minus(p.leakage), attack, signed(&p.loss)]);
    }
    sheet
}

/// What is left of differences at equal accuracy.
fn matched(f: &Frontier) -> impl Iterator<Item = String> {
    // Members are all right sooner or later: only held-out accuracy tells epochs apart here.
    let at_test = f.matched.iter().filter(|m| m.at == Property::TestAccuracy);
    at_test.filter_map(|m| {
        let found = signed(&m.difference?);
        Some(format!("at equal test accuracy, {HEADLINE} AUC, {} - {}: {found}", m.candidate, m.baseline))
    })
}

/// The points of one pair on which the headline rests, and what belongs beside them.
fn comparison(c: &Comparison) -> Sheet {
    let caption = format!("Differences, {} less {}, on {}; 95 % intervals", c.candidate, c.baseline, c.dataset);
    let mut sheet = Sheet::new(caption, format!("{} - {}", c.candidate, c.baseline))
        .figures("difference, 95 %")
        .figures("p")
        .words("");
    for p in &c.points {
        let cells = vec![signed(&p.difference), probability(p.p_adjusted), leaks(p.word).into()];
        sheet.toned(format!("  {} *", p.metric), cells, Tone::from(Verdict::from(p.word)));
    }
    let noisy = Metric::Group { property: GroupProperty::Memorization, group: NOISY.into() };
    let shown = |m: &Metric| summarised(m) || *m == noisy || m.is_lost_to_noise();
    // Results of schema version 1 have their points among the metrics alone.
    let is_point = |m: &MetricDifference| c.points.is_empty() && m.p_adjusted.is_some();
    for m in c.metrics.iter().filter(|m| is_point(m) || shown(&m.metric)) {
        let cells = vec![signed(&m.difference), probability(m.p_value), outcome(m).into()];
        sheet.row(format!("  {}", m.metric), cells);
    }
    sheet
}

/// The group of examples with wrong labels, where a data set has one.
const NOISY: &str = "noisy";

/// Properties of models that stand in summaries.
fn summarised(metric: &Metric) -> bool {
    matches!(
        metric,
        Metric::Property(Property::TestAccuracy | Property::Variance(Spreads::Confidence, Side::NonMember))
    )
}

/// Differences over all data sets, a table a pair.
fn pooled(d: &Document) -> Vec<Sheet> {
    let auc = headline_metric(Measure::Auc);
    let mut out: Vec<Sheet> = Vec::new();
    for p in d.pooled.iter().filter(|p| p.metric == auc || summarised(&p.metric)) {
        let pair = format!("{} - {}, {} data sets", p.candidate, p.baseline, p.datasets);
        if out.last().is_none_or(|sheet| sheet.title != pair) {
            let caption = format!("Differences over {} data sets, {} less {}", p.datasets, p.candidate, p.baseline);
            let sheet = Sheet::new(caption, pair).figures("random effects, 95 %").figures("p").figures("I^2");
            out.push(sheet);
        }
        let cells = vec![signed(&p.difference), probability(p.p_value), format!("{:.2}", p.heterogeneity)];
        if let Some(sheet) = out.last_mut() {
            sheet.row(format!("  {}", p.metric), cells);
        }
    }
    out
}

/// The claims of the study, and what the run says about them.
fn claims(d: &Document, out: &mut Vec<Part>) {
    if !d.explain.claims.is_empty() {
        out.push(Part::Heading(format!("What {STUDY} claim, and what this run says")));
    }
    for c in &d.explain.claims {
        let statement = format!("({}) {}", c.claim, c.statement);
        let which = if d.study.datasets.len() > 1 { format!(", {}", c.dataset) } else { String::new() };
        let said = (c.outcome, format!("{}{which}: {}", c.candidate, c.sentence));
        match out.last_mut() {
            Some(Part::Claim(before, all)) if *before == statement => all.push(said),
            _ => out.push(Part::Claim(statement, vec![said])),
        }
    }
}

/// A difference with its interval.
fn signed(e: &Estimate) -> String {
    format!("{:+.4} [{:+.4}, {:+.4}]", e.mean, e.low, e.high)
}
