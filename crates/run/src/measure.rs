//! What a model puts out, as its users would see it.

use std::borrow::Cow;

use flatleak_data::Split;
use flatleak_nn::{Recipe, Shape, Trainer, View, add_noise, views};
use flatleak_pool::Signals;
use flatleak_store::{Outputs, SplitOutputs};
use flatleak_stream::{Purpose, Stream};

use crate::error::Error;
use crate::plan::Plan;

/// Batches of a model's outputs between two looks at whether to go on.
const BATCHES: usize = 16;

/// What a model of a recipe puts out on pool and held-out examples under every view, and how often it is right on held-out ones under
/// noise. `None` when asked to stop.
pub(crate) fn outputs(
    plan: Plan<'_>,
    recipe: &Recipe,
    model: usize,
    trainer: &mut Trainer<'_>,
    go_on: impl Fn() -> bool,
) -> Result<Option<Outputs>, Error> {
    let Plan { study, data, dir, .. } = plan;
    let keep = dir.keeps_logits(data);
    let views = views(study.queries).unwrap_or_default();
    let span = recipe.defences.needs_random().then(|| range(&data.pool.x));
    // As many rows at once as in one call for all: each batch is the same.
    let rows = BATCHES * recipe.batch * data.shape.features();
    let mut logits_of = |x: &[f32]| {
        let parts = x.chunks(rows).map(|part| go_on().then(|| trainer.logits(part)));
        parts.collect::<Option<Vec<_>>>().map(|parts| parts.concat())
    };
    let mut of = |number: usize, split: &Split| {
        let mut out = SplitOutputs::default();
        for (query, view) in views.iter().enumerate() {
            let Some(mut logits) = logits_of(&seen(&split.x, *view, data.shape)) else { return Ok(None) };
            let random = if let Some(span) = span {
                let key = (2 * query + number) as u64;
                let mut stream = Stream::new(study.seed, Purpose::Published, model as u64, key);
                logits_of(&uniform(split.x.len(), span, &mut stream))
            } else {
                Some(Vec::new())
            };
            let Some(random) = random else { return Ok(None) };
            recipe.defences.publish(&mut logits, data.classes, &random);
            out.signals.push(Signals::from_logits(&logits, &split.y, data.classes)?);
            if keep {
                out.logits.push(logits);
            }
        }
        Ok::<_, Error>(Some(out))
    };
    let (Some(pool), Some(test)) = (of(0, &data.pool)?, of(1, &data.test)?) else { return Ok(None) };
    let mut noise = Vec::new();
    for deviation in &study.noise {
        // The same noise for all models, recipes and levels, but for its size.
        let mut x = data.test.x.clone();
        add_noise(&mut x, *deviation, &mut Stream::new(study.seed, Purpose::InputNoise, 0, 0));
        let Some(logits) = logits_of(&x) else { return Ok(None) };
        let signals = Signals::from_logits(&logits, &data.test.y, data.classes)?;
        noise.push((*deviation, signals.accuracy(|_| true)));
    }
    Ok(Some(Outputs { splits: [pool, test], noise }))
}

/// A range of values.
#[derive(Clone, Copy)]
struct Span {
    low: f32,
    high: f32,
}

/// From the least to the largest value.
fn range(x: &[f32]) -> Span {
    let none = Span { low: f32::INFINITY, high: f32::NEG_INFINITY };
    x.iter().fold(none, |span, v| Span { low: span.low.min(*v), high: span.high.max(*v) })
}

/// Values uniform over a range.
fn uniform(n: usize, within: Span, stream: &mut Stream) -> Vec<f32> {
    (0..n).map(|_| stream.uniform(f64::from(within.low), f64::from(within.high)) as f32).collect()
}

/// All examples under one view; the plain one is not copied.
fn seen(x: &[f32], view: View, shape: Shape) -> Cow<'_, [f32]> {
    if view == (View { mirror: false, dy: 0, dx: 0 }) {
        return Cow::Borrowed(x);
    }
    let features = shape.features();
    let (mut all, mut scratch) = (x.to_vec(), vec![0.0; features]);
    for image in all.chunks_exact_mut(features) {
        view.apply(image, shape, &mut scratch);
    }
    Cow::Owned(all)
}
