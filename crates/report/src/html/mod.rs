//! `report.html`: one file that opens offline.

use askama::Template;
use flatleak_attack::Attack;
use flatleak_results::{
    BucketsResult, ClaimResult, Comparison, Difference, Document, Estimate, Frontier, GroupProperty, GroupResult,
    Measure, Metric, MetricDifference, Mismatch, NullResult, PairResult, Pairing, PointResult, RecipeResult,
    SMALLEST_GROUP, Statistic, Verdict, Word,
};
mod base64;
mod explanation;

use flatleak_verdict::{HEADLINE, SUMMARY, against_guessing, called, headline_metric};

use crate::error::Error;
use crate::{plot, table};
use explanation::{Explained, GroupRow};

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    d: &'a Document,
    tone: &'static str,
    sections: Vec<Section<'a>>,
    pooled: Vec<(String, String)>,
}

/// Three digits behind the point.
fn three(v: &f64) -> String {
    format!("{v:.3}")
}

/// Text in which a hyphen that stands before a digit, and behind no letter or digit, is a minus.
fn minus(text: &str) -> String {
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    let mut out = String::with_capacity(text.len());
    while let Some(c) = rest.next() {
        let sign = c == '-' && !before.is_alphanumeric() && rest.peek().is_some_and(char::is_ascii_digit);
        out.push(if sign { '−' } else { c });
        before = c;
    }
    out
}

/// Most recipes with figures of their own.
const MOST: usize = 6;

/// Plots of a sweep over the radius: recipes of one optimizer that differ in it alone, three or more, beside plain ones.
fn doses(d: &Document, recipes: &[&RecipeResult]) -> Vec<(String, String)> {
    let settings = |r: &RecipeResult| d.study.recipes.iter().find(|s| s.name == r.name);
    let rest = |r: &RecipeResult| {
        let s = settings(r)?;
        let others = s.parameters.iter().filter(|(key, _)| *key != "rho");
        s.parameters
            .contains_key("rho")
            .then(|| (s.optimizer.clone(), others.map(|(k, v)| (k.clone(), *v)).collect::<Vec<_>>()))
    };
    let Some(family) = recipes
        .iter()
        .filter_map(|r| rest(r))
        .find(|f| recipes.iter().filter(|r| rest(r).as_ref() == Some(f)).count() > 2)
    else {
        return Vec::new();
    };
    let radius = |r: &RecipeResult| settings(r).and_then(|s| s.parameters.get("rho").copied()).filter(|v| *v > 0.0);
    let swept: Vec<(f64, &RecipeResult)> =
        recipes.iter().filter(|r| rest(r).as_ref() == Some(&family)).filter_map(|r| Some((radius(r)?, *r))).collect();
    let plain = |r: &&&RecipeResult| settings(r).is_some_and(|s| s.optimizer == "sgd" && s.parameters.is_empty());
    let controls: Vec<&RecipeResult> = recipes.iter().filter(plain).take(2).copied().collect();
    let auc = |r: &RecipeResult| r.attack(&HEADLINE.name()).map(|a| a.auc);
    type Drawn<'f> = (&'f str, &'f dyn Fn(&RecipeResult) -> Option<Estimate>);
    let leakage = format!("leakage, AUC of {HEADLINE}");
    let properties: [Drawn<'_>; 4] = [
        (&leakage, &auc),
        ("test accuracy", &|r| r.test_accuracy),
        ("accuracy on members", &|r| Some(r.member_accuracy)),
        ("variance of confidence, non-members", &|r| Some(r.confidence_variance.non_member)),
    ];
    let drawn = properties.into_iter().filter_map(|(what, of)| {
        let mut points = swept.iter().map(|(rho, r)| Some((*rho, of(r)?))).collect::<Option<Vec<_>>>()?;
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let controls = controls.iter().map(|r| Some((r.name.as_str(), of(r)?))).collect::<Option<Vec<_>>>()?;
        Some((what.to_owned(), plot::dose(&points, &controls, what)))
    });
    drawn.collect()
}

/// Test accuracy against noise on the inputs of the first recipes, where it was measured.
fn under_noise(recipes: &[&RecipeResult]) -> Option<String> {
    let curve = |r: &RecipeResult| {
        let clean = (0.0, r.test_accuracy?);
        let mut points: Vec<_> = r.noise.iter().map(|n| (n.deviation, n.accuracy)).chain([clean]).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Some(points).filter(|p| p.len() > 1)
    };
    let curves: Vec<_> = recipes.iter().take(MOST).enumerate().filter_map(|(k, r)| Some((k, curve(r)?))).collect();
    (!curves.is_empty()).then(|| plot::noise(&curves))
}

/// At most two digits behind the point.
fn short(v: &f64) -> String {
    format!("{v:.2}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What the page shows of one data set.
struct Section<'a> {
    dataset: &'a str,
    recipes: Vec<&'a RecipeResult>,
    comparisons: Vec<&'a Comparison>,
    rocs: Vec<(String, String)>,
    phis: Vec<(&'a str, String)>,
    forests: Vec<(&'a str, &'a str, String)>,
    explained: Explained<'a>,
    frontier: Option<(&'a Frontier, String)>,
    /// Plots against a radius, with what they show.
    doses: Vec<(String, String)>,
    /// Accuracy of the first recipes under noise.
    noise: Option<String>,
    crossed: Vec<Crossed<'a>>,
}

/// One attack with every recipe's shadows on every recipe's targets.
struct Crossed<'a> {
    attack: &'a str,
    recipes: Vec<&'a str>,
    /// Per recipe of the targets, mean AUC and share of the way from the least to the largest, in percent, by recipe of the shadows.
    rows: Vec<(&'a str, Vec<(f64, u8)>)>,
}

impl<'a> Crossed<'a> {
    fn all(d: &'a Document, dataset: &str) -> Vec<Self> {
        let found: Vec<&Mismatch> = d.mismatch.iter().filter(|m| m.dataset == dataset).collect();
        let mut attacks: Vec<&str> = found.iter().map(|m| m.attack.as_str()).collect();
        attacks.dedup();
        let one = |attack: &'a str| {
            let own: Vec<&&Mismatch> = found.iter().filter(|m| m.attack == attack).collect();
            let low = own.iter().map(|m| m.auc).fold(f64::INFINITY, f64::min);
            let high = own.iter().map(|m| m.auc).fold(f64::NEG_INFINITY, f64::max);
            let share = |v: f64| (100.0 * (v - low) / (high - low).max(1e-9)).round() as u8;
            let mut recipes: Vec<&str> = own.iter().map(|m| m.shadows.as_str()).collect();
            recipes.dedup();
            let row = |targets: &&'a str| {
                let cell = |shadows: &&str| own.iter().find(|m| m.shadows == *shadows && m.targets == *targets);
                (*targets, recipes.iter().filter_map(cell).map(|m| (m.auc, share(m.auc))).collect())
            };
            Crossed { attack, rows: recipes.iter().map(row).collect(), recipes: recipes.clone() }
        };
        attacks.into_iter().map(one).collect()
    }
}

impl<'a> Section<'a> {
    fn new(d: &'a Document, dataset: &'a str, read: &dyn Fn(&str) -> Option<Vec<u8>>) -> Self {
        let figures: Vec<_> = d.figures.iter().filter(|f| f.dataset == dataset).take(MOST).collect();
        let comparisons: Vec<_> = d.comparisons.iter().filter(|c| c.dataset == dataset).collect();
        let attacks = figures.first().map_or(Vec::new(), |f| f.roc.iter().map(|r| r.attack.clone()).collect());
        let rocs = attacks
            .into_iter()
            .map(|name| {
                let curves: Vec<_> = figures
                    .iter()
                    .enumerate()
                    .filter_map(|(k, f)| f.roc.iter().find(|r| r.attack == name).map(|r| (k % 6, r)))
                    .collect();
                let drawn = plot::roc(&curves);
                (name, drawn)
            })
            .collect();
        let densities = figures.iter().flat_map(|f| f.phi_member.iter().chain(&f.phi_non_member));
        let peak = densities.copied().fold(0.0, f64::max);
        let phis = figures.iter().map(|f| (f.recipe.as_str(), plot::phi(f, peak))).collect();
        let forests = comparisons
            .iter()
            .map(|c| {
                let aucs: Vec<_> = c.metrics.iter().filter(|m| m.metric.is_auc()).collect();
                (c.candidate.as_str(), c.baseline.as_str(), plot::forest(&aucs))
            })
            .collect();
        let recipes: Vec<&RecipeResult> = d.recipes.iter().filter(|r| r.dataset == dataset).collect();
        let explained = Explained::new(d, dataset, read);
        let few = |f: &&Frontier| f.dataset == dataset && f.points.len() > 2;
        let frontier = d.frontiers.iter().find(few).map(|f| (f, plot::frontier(&f.points)));
        let doses = doses(d, &recipes);
        let crossed = Crossed::all(d, dataset);
        let noise = under_noise(&recipes);
        Self { dataset, recipes, comparisons, rocs, phis, forests, explained, frontier, doses, noise, crossed }
    }

    /// More recipes than a figure can show beside each other.
    fn many(&self) -> bool {
        self.recipes.len() > MOST
    }

    /// Whether all comparisons are model by model.
    fn paired(&self) -> bool {
        self.comparisons.iter().all(|c| c.pairing == Pairing::Paired)
    }

    fn attacked(&self) -> bool {
        self.recipes.iter().any(|r| !r.attacks.is_empty())
    }

    fn has_blind(&self) -> bool {
        self.recipes.iter().any(|r| r.blind.is_some())
    }

    /// The lowest level of FPR and the TPR there of a score that knows nothing.
    fn chance(&self) -> Option<(f64, f64)> {
        let levels = self.recipes.iter().flat_map(|r| &r.attacks).flat_map(|a| &a.tpr_at_fpr);
        levels.filter(|t| t.chance > 0.0).map(|t| (t.fpr, t.chance)).min_by(|a, b| a.0.total_cmp(&b.0))
    }
}

impl Page<'_> {
    fn percent(&self, e: &Estimate) -> String {
        if let Some((sign, limit)) = table::at_end(e) {
            return format!("{} % ({sign} {:.2})", 100.0 * e.mean, 100.0 * limit);
        }
        format!("{:.2} ± {:.2} %", 100.0 * e.mean, 50.0 * (e.high - e.low))
    }

    fn value(&self, e: &Estimate) -> String {
        format!("{:.4} ± {:.4}", e.mean, 0.5 * (e.high - e.low))
    }

    /// Four places, or two digits where four places would show nothing.
    fn signed(&self, e: &Estimate) -> String {
        let largest = e.low.abs().max(e.high.abs());
        let text = if e.mean != 0.0 && e.mean.abs() < 0.00005 && largest < 0.0005 {
            format!("{:+.1e} [{:+.1e}, {:+.1e}]", e.mean, e.low, e.high)
        } else {
            format!("{:+.4} [{:+.4}, {:+.4}]", e.mean, e.low, e.high)
        };
        text.replace('-', "−")
    }

    /// AUC and share found of a group, or dashes.
    fn leak(&self, g: &Option<&GroupResult>) -> (String, String) {
        let found = g.and_then(GroupRow::leakage);
        found.map_or(("–".into(), "–".into()), |(auc, tpr)| (self.value(auc), self.percent(tpr)))
    }

    fn optional(&self, v: &Option<f64>) -> String {
        v.map_or("–".into(), |v| format!("{v:.2}"))
    }

    /// Trained by this program, on halves of the pool.
    fn trained_here(&self) -> bool {
        !self.d.study.layers.is_empty()
    }

    fn figure(&self, d: &Difference) -> String {
        self.signed(&d.estimate)
    }

    /// Text with the signs of its numbers as they are printed.
    fn prose(&self, text: &str) -> String {
        minus(text)
    }

    fn claim(&self, c: &ClaimResult) -> (&'static str, &'static str) {
        explanation::outcome(c)
    }

    fn null(&self, n: &Option<NullResult>) -> String {
        explanation::against_null(n.as_ref())
    }

    fn sorted_by(&self, b: &BucketsResult) -> &'static str {
        explanation::by(b)
    }

    fn pair(&self, p: &PairResult) -> String {
        explanation::pair(p)
    }

    fn about(&self, n: &f64) -> String {
        table::grouped(n.round() as u64)
    }

    fn count(&self, n: &u64) -> String {
        table::grouped(*n)
    }

    fn outcome(&self, m: &MetricDifference) -> &'static str {
        table::outcome(m)
    }

    fn label(&self, name: &str) -> String {
        let aliases = table::aliases(self.d, name);
        if aliases.is_empty() { name.to_owned() } else { format!("{name} (= {aliases})") }
    }

    /// The paired difference of a group's accuracy on unseen examples: held-out where there are any, else the pool's.
    fn of_group(&self, c: &Comparison, g: &GroupResult) -> String {
        let property = match g.test_accuracy {
            Some(_) => GroupProperty::TestAccuracy,
            None => GroupProperty::NonMemberAccuracy,
        };
        let metric = Metric::Group { property, group: g.name.clone() };
        let said =
            |e: &Estimate| format!("{:+.2} ± {:.2} %", 100.0 * e.mean, 50.0 * (e.high - e.low)).replace('-', "−");
        c.metrics.iter().find(|m| m.metric == metric).map_or("–".into(), |m| said(&m.difference))
    }

    /// The paired difference of a group's memorization.
    fn memorized(&self, c: &Comparison, g: &GroupResult) -> String {
        let metric = Metric::Group { property: GroupProperty::Memorization, group: g.name.clone() };
        c.metrics.iter().find(|m| m.metric == metric).map_or("–".into(), |m| self.signed(&m.difference))
    }

    fn unseen(&self, g: &GroupResult) -> String {
        self.percent(g.test_accuracy.as_ref().unwrap_or(&g.non_member_accuracy))
    }

    /// Gradients that a model of a recipe took.
    fn gradients(&self, recipe: &str) -> String {
        let found = self.d.study.recipes.iter().find(|r| r.name == recipe).map_or(0.0, |r| r.gradients);
        if found > 0.0 { table::grouped(found.round() as u64) } else { "–".into() }
    }

    fn auc(&self, r: &RecipeResult, attack: Attack) -> String {
        r.attack(&attack.name()).map_or("–".into(), |a| self.value(&a.auc))
    }

    fn blind(&self, r: &RecipeResult) -> String {
        r.blind.as_ref().map_or("–".into(), |b| table::without_outputs(b, |e| self.value(&e)))
    }

    fn half_width(&self, e: &Estimate) -> String {
        format!("± {:.4}", 0.5 * (e.high - e.low))
    }

    fn shown(&self, name: &str) -> bool {
        SUMMARY.iter().any(|attack| attack.name() == name)
    }

    /// Whether a recipe leaks at all, in words.
    fn guessing(&self, r: &RecipeResult) -> Option<String> {
        r.guessing.as_ref().map(|g| minus(&against_guessing(&r.name, g, &r.conditions)))
    }

    fn called(&self, p: &PointResult) -> String {
        called(&p.metric)
    }

    fn word(&self, p: &PointResult) -> &'static str {
        table::leaks(p.word)
    }

    fn four(&self, v: &f64) -> String {
        format!("{v:.4}")
    }

    /// What these models can tell at a point that is open, and how many could tell more.
    fn planned(&self, p: &PointResult) -> (String, String) {
        if p.word != Word::Open {
            return ("–".into(), "–".into());
        }
        let some = |n: Option<usize>| n.map_or("over 10000".into(), |n| n.to_string());
        // Fewer than there are were not enough.
        let low = |n: Option<usize>| n.map(|n| n.max(self.d.study.models));
        let needed = p.models_needed.map(|n| format!("{} ({} to {})", some(n.about), some(low(n.low)), some(n.high)));
        (p.detectable.map_or("–".into(), |d| format!("{d:.4}")), needed.unwrap_or("–".into()))
    }

    fn probability(&self, p: &f64) -> String {
        table::probability(*p)
    }
}

/// The whole page; `read` gives the content of a picture's file, `None` where it is gone: the page then does without.
///
/// # Errors
/// When the template fails, which no document does.
pub fn render(d: &Document, read: &dyn Fn(&str) -> Option<Vec<u8>>) -> Result<String, Error> {
    let sections = d.study.datasets.iter().map(|data| Section::new(d, &data.name, read)).collect();
    let tone = match d.headline.verdict {
        Verdict::RelevantlyMore | Verdict::More | Verdict::Leaks => "bad",
        Verdict::RelevantlyLess | Verdict::Less | Verdict::NoRelevantLeak => "good",
        _ => "open",
    };
    Ok(Page { d, tone, sections, pooled: forests_of_pooled(d) }.render()?)
}

/// One forest per pair of recipes over all data sets: the pooled AUC differences of every attack.
fn forests_of_pooled(d: &Document) -> Vec<(String, String)> {
    let mut out: Vec<(String, Vec<MetricDifference>)> = Vec::new();
    for p in d.pooled.iter().filter(|p| p.metric.is_auc()) {
        let title = format!("{} minus {}", p.candidate, p.baseline);
        let headline = (p.metric == headline_metric(Measure::Auc)).then_some(p.p_value);
        let row = MetricDifference {
            metric: p.metric.clone(),
            difference: p.difference,
            standard_error: 0.0,
            degrees: None,
            p_value: p.p_value,
            p_adjusted: headline,
            word: Word::Open,
        };
        match out.last_mut().filter(|(t, _)| *t == title) {
            Some((_, rows)) => rows.push(row),
            None => out.push((title, vec![row])),
        }
    }
    out.into_iter().map(|(title, rows)| (title, plot::forest(&rows.iter().collect::<Vec<_>>()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyphens_before_numbers_alone_become_signs() {
        assert_eq!(minus("(-0.5 [-12, -4e-3]) of sgd-2x, 2026-11 - 3"), "(−0.5 [−12, −4e-3]) of sgd-2x, 2026-11 - 3");
    }
}
