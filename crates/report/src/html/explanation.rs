//! The explanation of one data set, as the page shows it.

use flatleak_results::{
    AttributionResult, BucketsResult, ClaimOutcome, ClaimResult, Comparison, Difference, Document, Estimate, Form,
    GroupResult, InfluenceResult, LeftOut, LinkResult, MemorizationDifference, MemorizationResult, NullResult, Over,
    PairResult, Picture, PictureKind, Side, SortedBy, VarianceDifference, VarianceResult,
};
use std::fmt::Write;

use flatleak_verdict::HEADLINE;

use super::base64::base64;
use crate::plot;

/// Everything under "Explanation".
pub(super) struct Explained<'a> {
    pub(super) claims: Vec<&'a ClaimResult>,
    pub(super) memorized: Vec<(&'a MemorizationResult, String)>,
    pub(super) cumulative: String,
    pub(super) differences: Vec<(&'a MemorizationDifference, String)>,
    pub(super) influence: Vec<&'a InfluenceResult>,
    pub(super) buckets: Vec<(&'a BucketsResult, String)>,
    pub(super) variance: Vec<VarianceRow<'a>>,
    pub(super) attribution: Vec<(&'a AttributionResult, String)>,
    pub(super) links: Vec<(&'a str, Vec<Option<&'a Estimate>>)>,
    pub(super) left_out: Vec<&'a LeftOut>,
    pub(super) groups: Vec<GroupRow<'a>>,
    pub(super) group_plot: String,
    pub(super) pictures: Vec<(&'a Picture, String)>,
    pub(super) recipes: Vec<&'a str>,
    comparisons: Vec<&'a Comparison>,
}

/// One group over all recipes.
pub(super) struct GroupRow<'a> {
    pub(super) first: &'a GroupResult,
    /// One place per recipe; a recipe whose models do not all have members and non-members of the group has none.
    pub(super) all: Vec<Option<&'a GroupResult>>,
}

impl GroupRow<'_> {
    /// AUC and share found of the attack that is tabled.
    pub(super) fn leakage(g: &GroupResult) -> Option<(&Estimate, &Estimate)> {
        g.leakage.iter().find(|l| l.attack == HEADLINE.name()).map(|l| (&l.auc, &l.tpr))
    }
}

/// One kind of variance over all recipes, and its differences.
pub(super) struct VarianceRow<'a> {
    pub(super) name: String,
    pub(super) all: Vec<&'a VarianceResult>,
    pub(super) differences: Vec<&'a Difference>,
}

impl<'a> Explained<'a> {
    /// What `d` holds about `dataset`; `read` gives the bytes of a picture's file.
    pub(super) fn new(d: &'a Document, dataset: &str, read: &dyn Fn(&str) -> Option<Vec<u8>>) -> Self {
        let e = &d.explain;
        let memorization: Vec<_> = e.memorization.iter().filter(|m| m.dataset == dataset).collect();
        let recipes: Vec<&str> = memorization.iter().map(|m| m.recipe.as_str()).collect();
        let shapes: Vec<(usize, &[usize])> =
            memorization.iter().enumerate().map(|(k, m)| (k % 6, m.histogram.as_slice())).collect();
        let all: Vec<&GroupResult> = e.groups.iter().filter(|g| g.dataset == dataset).collect();
        let mut groups: Vec<GroupRow<'a>> = Vec::new();
        for g in &all {
            if !groups.iter().any(|r| r.first.name == g.name) {
                let of = |r: &&str| all.iter().copied().find(|x| x.recipe == **r && x.name == g.name);
                groups.push(GroupRow { first: g, all: recipes.iter().map(of).collect() });
            }
        }
        let buckets = e.entropy_buckets.iter().filter(|b| b.dataset == dataset);
        let attribution = e.attribution.iter().filter(|a| a.dataset == dataset);
        Self {
            claims: e.claims.iter().filter(|c| c.dataset == dataset).collect(),
            cumulative: plot::cumulative(&shapes),
            memorized: memorization.iter().map(|m| (*m, plot::memorization(&m.histogram))).collect(),
            differences: e
                .memorization_differences
                .iter()
                .filter(|m| m.dataset == dataset)
                .map(|m| (m, plot::joint(m)))
                .collect(),
            influence: e.influence.iter().filter(|i| i.dataset == dataset).collect(),
            buckets: buckets.map(|b| (b, plot::gains(b))).collect(),
            variance: variance_rows(d, dataset),
            attribution: attribution.map(|a| (a, plot::parts(a))).collect(),
            links: link_rows(e.link.iter().filter(|l| l.dataset == dataset).collect(), &recipes),
            left_out: e.left_out.iter().filter(|l| l.dataset == dataset).collect(),
            group_plot: if groups.is_empty() { String::new() } else { plot::groups(&recipes, &all, &HEADLINE.name()) },
            groups,
            pictures: d
                .pictures
                .iter()
                .filter(|p| p.dataset == dataset)
                .filter_map(|p| read(&p.file).map(|bytes| (p, base64(&bytes))))
                .collect(),
            comparisons: d.comparisons.iter().filter(|c| c.dataset == dataset).collect(),
            recipes,
        }
    }

    pub(super) fn comparisons(&self) -> &[&'a Comparison] {
        &self.comparisons
    }

    pub(super) fn memorized_pictures(&self) -> impl Iterator<Item = &(&'a Picture, String)> {
        self.pictures.iter().filter(|(p, _)| p.kind == PictureKind::Memorized)
    }

    pub(super) fn influential_pictures(&self) -> impl Iterator<Item = &(&'a Picture, String)> {
        self.pictures.iter().filter(|(p, _)| p.kind == PictureKind::Influential)
    }

    /// Whether leakage by group was measured.
    pub(super) fn groups_leak(&self) -> bool {
        self.groups.iter().flat_map(|g| &g.all).flatten().any(|g| GroupRow::leakage(g).is_some())
    }

    /// Whether every design is balanced, so that mean memorization is the gap of accuracy.
    pub(super) fn balanced(&self) -> bool {
        self.memorized.iter().all(|(m, _)| m.identity.balanced)
    }

    /// Whether no pair of a recipe stands out from chance.
    pub(super) fn by_chance(&self, recipe: &str) -> bool {
        !self.hard_influence().any(|i| i.recipe == recipe && i.discovered.is_some_and(|n| n > 0))
    }

    pub(super) fn hard_influence(&self) -> impl Iterator<Item = &&'a InfluenceResult> {
        self.influence.iter().filter(|i| i.form == Form::Hard)
    }
}

fn variance_rows<'a>(d: &'a Document, dataset: &str) -> Vec<VarianceRow<'a>> {
    let mut rows: Vec<VarianceRow<'a>> = Vec::new();
    for v in d.explain.variance.iter().filter(|v| v.dataset == dataset) {
        let sides = if v.side == Side::Member { "members" } else { "non-members" };
        let over = if v.over == Over::Models { "across models, per example" } else { "across examples, per model" };
        let name = format!("{}, {sides}, {over}", v.signal);
        match rows.iter_mut().find(|r| r.name == name) {
            Some(row) => row.all.push(v),
            None => {
                let same = |x: &&VarianceDifference| {
                    x.dataset == dataset && x.signal == v.signal && x.side == v.side && x.over == v.over
                };
                let differences = d.explain.variance_differences.iter().filter(same).map(|x| &x.difference).collect();
                rows.push(VarianceRow { name, all: vec![v], differences });
            }
        }
    }
    rows
}

/// One row per attack with a place for every recipe.
fn link_rows<'a>(links: Vec<&'a LinkResult>, recipes: &[&str]) -> Vec<(&'a str, Vec<Option<&'a Estimate>>)> {
    let mut out: Vec<(&str, Vec<Option<&Estimate>>)> = Vec::new();
    for link in &links {
        if !out.iter().any(|(name, _)| *name == link.attack) {
            let of = |recipe: &&str| {
                links.iter().find(|l| l.attack == link.attack && l.recipe == **recipe).map(|l| &l.correlation)
            };
            out.push((&link.attack, recipes.iter().map(of).collect()));
        }
    }
    out
}

/// The tag beside a claim.
pub(super) fn outcome(c: &ClaimResult) -> (&'static str, &'static str) {
    match c.outcome {
        ClaimOutcome::Supports => ("yes", "supported here"),
        ClaimOutcome::Contradicts => ("no", "contradicted here"),
        ClaimOutcome::CannotTell => ("open", "open here"),
    }
}

/// A measure beside its null, in words.
pub(super) fn against_null(n: Option<&NullResult>) -> String {
    n.map_or("–".into(), |n| {
        format!("{:.2} (by chance {:.2} ± {:.2})", n.real, n.null, n.deviation).replace('-', "−")
    })
}

/// What the buckets are made by, in words.
pub(super) fn by(b: &BucketsResult) -> &'static str {
    match b.by {
        SortedBy::InfluenceEntropy => "influence entropy: few supporting training examples (1) to many (5)",
        SortedBy::SupportersMemorization => "memorization of the five strongest supporters: least (1) to most (5)",
        SortedBy::Difficulty => "difficulty: accuracy of the baseline, lowest (1) to highest (5)",
        SortedBy::GroupFrequency => "frequency of the example's group: rarest (1) to most frequent (5)",
    }
}

/// One influential pair in a line.
pub(super) fn pair(p: &PairResult) -> String {
    let q = p.q_value.map_or(String::new(), |q| if q < 0.0001 { "<0.0001".into() } else { format!("{q:.4}") });
    let mut out = String::new();
    let _ = write!(
        out,
        "<td>{} (class {})</td><td>{} (class {})</td><td>{:+.3} [{:+.3}, {:+.3}]</td><td>{:+.2}</td><td>{q}</td>",
        p.train,
        p.train_label,
        p.test,
        p.test_label,
        p.influence.mean,
        p.influence.low,
        p.influence.high,
        p.memorization
    );
    out.replace('-', "−")
}
