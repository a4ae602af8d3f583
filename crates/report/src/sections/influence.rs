//! Which training example helps which unseen one, and what typical and atypical ones gain.

use std::fmt::Write;

use askama::Template;
use flatleak_results::{BucketsResult, Form, InfluenceResult, NullResult, PairResult, Picture, PictureKind, SortedBy};

use crate::context::Context;
use crate::plot::{self, Axes, Data, Figure};
use crate::{cell, say};

pub(super) const TITLE: &str = "Which example helps which";

#[derive(Template)]
#[template(path = "../src/sections/influence.html")]
struct Influence<'a> {
    context: &'a Context<'a>,
    influence: Vec<&'a InfluenceResult>,
    pictures: Vec<(&'a Picture, String)>,
    buckets: Vec<(&'a BucketsResult, Figure)>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let explain = &context.document.explain;
    let influence: Vec<_> = explain.influence.iter().filter(|i| context.covers(&i.dataset)).collect();
    let buckets = explain.entropy_buckets.iter().filter(|b| context.covers(&b.dataset));
    let buckets: Vec<_> = buckets.enumerate().map(|(k, b)| (b, gains(context, b, k))).collect();
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
    let text = format!("{:+.3} [{:+.3}, {:+.3}]", p.influence.mean, p.influence.low, p.influence.high);
    let q = p.q_value.map_or("<td>–</td>".into(), cell::probability);
    let class = |label: Option<u32>| label.map_or(String::new(), |label| format!(" (class {label})"));
    format!(
        "<td>{}{}</td><td>{}{}</td>{}{}{q}",
        p.train,
        class(p.train_label),
        p.test,
        class(p.test_label),
        cell::estimate(&p.influence, &text.replace('-', "−")),
        cell::number(p.memorization, format!("{:+.2}", p.memorization).replace('-', "−")),
    )
}

/// Gain in accuracy per bucket with its interval.
fn gains(context: &Context<'_>, b: &BucketsResult, k: usize) -> Figure {
    let reach = b.buckets.iter().flat_map(|b| [b.gain.low.abs(), b.gain.high.abs()]).fold(1e-6, f64::max) * 1.1;
    let n = b.buckets.len() as f64;
    let axes = Axes::new((0.0, n.max(1.0)), (-reach, reach));
    let xs: Vec<plot::Tick> = b.buckets.iter().enumerate().map(|(i, b)| (i as f64 + 0.5, b.bucket.clone())).collect();
    let mut body = axes.frame((&xs, "bucket"), (&plot::signed_percents(axes.y, 5), "gain in accuracy, points"));
    let _ = write!(body, "<path class='zero' d='{}'/>", axes.path([(0.0, 0.0), (n, 0.0)].into_iter()));
    let mut data = Data::new(&["bucket", "examples", "gain", "low", "high"]);
    for (i, bucket) in b.buckets.iter().enumerate() {
        let e = bucket.gain;
        data.push(vec![
            bucket.bucket.as_str().into(),
            bucket.examples.into(),
            e.mean.into(),
            e.low.into(),
            e.high.into(),
        ]);
        let sure = b.measurable && (e.low > 0.0 || e.high < 0.0);
        let (x, class) = (axes.x(i as f64 + 0.5), if sure { "sure" } else { "unsure" });
        let _ = write!(
            body,
            "<g class='{class}'><path class='whisker' d='M{x:.1} {:.1}V{:.1}'/>",
            axes.y(e.low),
            axes.y(e.high)
        );
        let _ = write!(body, "<circle class='dot' cx='{x:.1}' cy='{:.1}' r='3.5'/></g>", axes.y(e.mean));
    }
    let contrast = b.contrast.map_or(String::new(), |c| {
        format!(" Lowest two minus highest two at equal difficulty: {}.", say::signed(&c.estimate))
    });
    let models = context.document.study.models;
    let weak = if b.measurable { String::new() } else { format!(" Not measurable with {models} models.") };
    Figure {
        id: context.id(&format!("fig-gain-{}", k + 1)),
        name: format!("Gain in accuracy by bucket, {} minus {}", b.candidate, b.baseline),
        height: axes.height,
        body,
        legend: Vec::new(),
        caption: format!("{} minus {}, by {}.{contrast}{weak}", b.candidate, b.baseline, sorted_by(b)),
        data,
        class: if b.measurable { "" } else { "weak" },
    }
}
