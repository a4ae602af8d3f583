//! Which training example helps which unseen one, and what typical and atypical ones gain.

use std::fmt::Write;

use askama::Template;
use flatleak_results::{BucketsResult, Form, InfluenceResult, NullResult, PairResult, Picture, PictureKind, SortedBy};

use crate::context::Context;
use crate::plot::{self, Axes};
use crate::say;

#[derive(Template)]
#[template(path = "../src/sections/influence.html")]
struct Influence<'a> {
    context: &'a Context<'a>,
    influence: Vec<&'a InfluenceResult>,
    pictures: Vec<(&'a Picture, String)>,
    buckets: Vec<(&'a BucketsResult, String)>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let explain = &context.document.explain;
    let influence: Vec<_> = explain.influence.iter().filter(|i| context.covers(&i.dataset)).collect();
    let buckets = explain.entropy_buckets.iter().filter(|b| context.covers(&b.dataset));
    let buckets: Vec<_> = buckets.map(|b| (b, gains(b))).collect();
    let any = !influence.is_empty() || !buckets.is_empty();
    any.then(|| Influence { context, influence, pictures: context.pictures(PictureKind::Influential), buckets })
}

impl Influence<'_> {
    fn hard(&self) -> impl Iterator<Item = &&InfluenceResult> {
        self.influence.iter().filter(|i| i.form == Form::Hard)
    }

    /// Whether no pair of a recipe stands out from chance.
    fn by_chance(&self, recipe: &str) -> bool {
        !self.hard().any(|i| i.recipe == recipe && i.discovered.is_some_and(|n| n > 0))
    }
}

/// A mean count.
fn about(n: f64) -> String {
    say::grouped(n.round() as u64)
}

/// A measure beside its null, in words.
fn against_null(n: &Option<NullResult>) -> String {
    n.as_ref().map_or("–".into(), |n| {
        format!("{:.2} (by chance {:.2} ± {:.2})", n.real, n.null, n.deviation).replace('-', "−")
    })
}

/// What the buckets are made by, in words.
fn sorted_by(b: &BucketsResult) -> &'static str {
    match b.by {
        SortedBy::InfluenceEntropy => "influence entropy: few supporting training examples (1) to many (5)",
        SortedBy::SupportersMemorization => "memorization of the five strongest supporters: least (1) to most (5)",
        SortedBy::Difficulty => "difficulty: accuracy of the baseline, lowest (1) to highest (5)",
        SortedBy::GroupFrequency => "frequency of the example's group: rarest (1) to most frequent (5)",
    }
}

/// One influential pair in a line.
fn pair(p: &PairResult) -> String {
    let q = p.q_value.map_or(String::new(), |q| if q < 0.0001 { "<0.0001".into() } else { format!("{q:.4}") });
    let class = |label: Option<u32>| label.map_or(String::new(), |label| format!(" (class {label})"));
    let mut out = String::new();
    let _ = write!(
        out,
        "<td>{}{}</td><td>{}{}</td><td>{:+.3} [{:+.3}, {:+.3}]</td><td>{:+.2}</td><td>{q}</td>",
        p.train,
        class(p.train_label),
        p.test,
        class(p.test_label),
        p.influence.mean,
        p.influence.low,
        p.influence.high,
        p.memorization
    );
    out.replace('-', "−")
}

/// Gain in accuracy per bucket with its interval.
fn gains(b: &BucketsResult) -> String {
    let reach = b.buckets.iter().flat_map(|b| [b.gain.low.abs(), b.gain.high.abs()]).fold(1e-6, f64::max) * 1.1;
    let n = b.buckets.len() as f64;
    let axes = Axes { x: (0.0, n.max(1.0)), y: (-reach, reach) };
    let xs: Vec<(f64, String)> =
        b.buckets.iter().enumerate().map(|(i, b)| (i as f64 + 0.5, b.bucket.clone())).collect();
    let ys = [-reach / 1.1, 0.0, reach / 1.1].map(|v| (v, format!("{:+.1}", 100.0 * v).replace('-', "−")));
    let mut body = axes.frame((&xs, "bucket"), (&ys, "gain in accuracy, points"));
    let _ = write!(body, "<path class='zero' d='{}'/>", axes.path([(0.0, 0.0), (n, 0.0)].into_iter()));
    for (i, bucket) in b.buckets.iter().enumerate() {
        let e = bucket.gain;
        let sure = b.measurable && (e.low > 0.0 || e.high < 0.0);
        let (x, class) = (axes.x(i as f64 + 0.5), if sure { "sure" } else { "unsure" });
        let _ = write!(body, "<path class='whisker {class}' d='M{x:.1} {:.1}V{:.1}'/>", axes.y(e.low), axes.y(e.high));
        let _ = write!(body, "<circle class='dot {class}' cx='{x:.1}' cy='{:.1}' r='3.5'/>", axes.y(e.mean));
    }
    plot::svg(plot::HEIGHT, "Gain in accuracy by bucket", &body)
}
