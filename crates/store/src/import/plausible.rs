//! Whether outputs as a whole can be what they are said to be (book/methods/plausibility.md): asked before any attack.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use flatleak_pool::{Membership, Pool, Signals};
use flatleak_results::Doubt;
use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;

use super::given::Given;
use super::outputs::SURE;
use super::tally::Tally;
use crate::implausible::Implausible;

/// Share of the way from naming the commonest class to perfection below which accuracy is as good as chance.
const LEARNT: f64 = 0.1;
/// Share of the commonest of two classes below which they count as balanced.
const BALANCED: f64 = 0.7;
/// Share of members that models are right on where they learnt their class.
const NEARLY_ALL: f64 = 0.95;
/// Share of predictions by which the frequencies of classes differ from those of labels where a model learnt nothing.
const SKEWED: f64 = 0.2;
/// By how much outputs are surer than they are right where that is no accident.
const TOO_SURE: f64 = 0.25;
/// How many times as steep as the median model's the slope of outputs of another scale is, or inversely.
const OTHER_SCALE: f64 = 2.0;
/// Values of phi beyond which outputs are fine, and the share of examples that have one of their own.
const DISTINCT: usize = 10;
/// Examples below which no scale is told.
const FEWEST: usize = 50;
/// Correlation with the other models' mean below which models have too little in common for a scale.
const IN_COMMON: f64 = 0.4;
/// phi beyond which a model is sure: a probability of .88.
const IS_SURE: f64 = 2.0;
/// Share of models in which members lie below the others where a membership is inverted.
const MOST_MODELS: f64 = 0.9;

/// What is known of outputs beside the pool that they made.
pub(super) struct Read<'a> {
    pub(super) given: Given,
    /// One column stood for two classes.
    pub(super) one_column: bool,
    /// Labels were given.
    pub(super) labelled: bool,
    pub(super) tally: &'a Tally,
}

/// The pool with the doubts about it.
///
/// # Errors
/// What cannot be: labels that do not belong to the columns, probabilities of a class that is not the label's, models that are one model,
/// outputs that say nothing.
pub(super) fn questioned(pool: Pool, read: &Read<'_>) -> Result<Pool, Implausible> {
    let doubts = doubts(&pool, read)?;
    Ok(Pool { doubts, ..pool })
}

fn doubts(pool: &Pool, read: &Read<'_>) -> Result<Vec<Doubt>, Implausible> {
    varies(pool)?;
    distinct_models(pool)?;
    let effects = effects(pool);
    let rises = z(&effects.iter().flatten().copied().collect::<Vec<_>>());
    let mut out = Vec::new();
    if read.labelled {
        let chance = commonest(&pool.labels);
        columns(read, chance)?;
        if !read.given.has_classes() {
            positive_class(pool, &effects, chance)?;
        }
        // What is learnt of the labels belongs to their rows, whatever the labels are.
        out.extend(rows_mixed(read.tally, chance).filter(|_| rises <= SURE));
        let unfilled = read.tally.unfilled();
        out.extend((unfilled > 0).then_some(Doubt::Unfilled { examples: unfilled, of: read.tally.examples() }));
    }
    out.extend(inverted(pool, rises));
    out.extend(other_scale(pool));
    out.extend(duplicates(pool));
    Ok(out)
}

/// Share of the commonest label.
fn commonest(labels: &[u32]) -> f64 {
    let mut counts: HashMap<u32, usize> = HashMap::new();
    labels.iter().for_each(|y| *counts.entry(*y).or_default() += 1);
    counts.values().max().map_or(1.0, |most| *most as f64 / labels.len() as f64)
}

/// Whether phi takes so many values that two models do not take the same ones by accident: learners of few outputs, such as neighbours, do.
fn is_fine(signals: &Signals) -> bool {
    let mut values: Vec<u32> = signals.phi.iter().map(|v| v.to_bits()).collect();
    values.sort_unstable();
    values.dedup();
    values.len() > DISTINCT.max(signals.phi.len() / DISTINCT)
}

/// Refuses outputs that are one value.
fn varies(pool: &Pool) -> Result<(), Implausible> {
    let mut all = pool.pool.iter().flat_map(|s| &s.phi);
    match all.next() {
        Some(first) if all.all(|v| v == first) => Err(Implausible::Constant { phi: *first }),
        _ => Ok(()),
    }
}

/// Refuses models that put out the same bits.
fn distinct_models(pool: &Pool) -> Result<(), Implausible> {
    let mut seen: HashMap<u64, usize> = HashMap::new();
    for (model, signals) in pool.pool.iter().enumerate().filter(|(_, s)| is_fine(s)) {
        let mut hasher = DefaultHasher::new();
        signals.phi.iter().for_each(|v| v.to_bits().hash(&mut hasher));
        let before = seen.insert(hasher.finish(), model);
        if let Some(first) = before.filter(|first| pool.pool[*first].phi == signals.phi) {
            return Err(Implausible::Identical { first, second: model });
        }
    }
    Ok(())
}

/// Refuses columns that belong to other labels: an assignment that is found on every second example and fits the others better.
fn columns(read: &Read<'_>, chance: f64) -> Result<(), Implausible> {
    let (tally, c) = (read.tally, read.tally.classes);
    let [found, tested] = &tally.predicted;
    if found.is_empty() || tally.seen == 0 {
        return Ok(());
    }
    let present: Vec<usize> = (0..c).filter(|y| (0..c).any(|j| found[y * c + j] + tested[y * c + j] > 0)).collect();
    let accuracy = tally.right as f64 / tally.seen as f64;
    let k = present.len();
    if k >= 4 && c == k * (k - 1) / 2 && present.last() == Some(&(k - 1)) && accuracy <= near(chance) {
        return Err(Implausible::OneAgainstOne { columns: c, classes: k, accuracy });
    }
    if c > 2 && read.given == Given::Logits && 2 * tally.least > tally.seen && tally.least > 2 * tally.right {
        return Err(Implausible::Negated { given: read.given.name(), share: tally.least as f64 / tally.seen as f64 });
    }
    let of = assignment(found, c);
    let moved = || present.iter().filter(|y| of[**y] != **y);
    let count = |y: usize, j: usize| f64::from(tested[y * c + j]);
    let (won, lost): (f64, f64) =
        moved().map(|&y| (count(y, of[y]), count(y, y))).fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
    let total: f64 = tested.iter().map(|n| f64::from(*n)).sum();
    let fits: f64 = present.iter().map(|&y| count(y, of[y])).sum::<f64>() / total.max(1.0);
    // One example is a member of many models, which do not err independently.
    let each = tally.seen as f64 / tally.examples() as f64;
    let z = (won - lost) / ((won + lost) * each.max(1.0)).sqrt().max(1.0);
    if z < SURE || fits <= near(chance) {
        return Ok(());
    }
    if read.one_column {
        return Err(Implausible::OtherColumn { given: read.given.name(), accuracy });
    }
    let in_text_order = present.iter().all(|&y| text_order(c)[of[y]] == y);
    Err(Implausible::Columns { order: of, accuracy, fits, in_text_order })
}

/// Accuracy below which outputs are as good as chance.
fn near(chance: f64) -> f64 {
    chance + LEARNT * (1.0 - chance)
}

/// The column of each label by which most predictions are right.
fn assignment(counts: &[u32], c: usize) -> Vec<usize> {
    // Ties go to the column that a label has by its number.
    let weight = |(y, j): (usize, usize)| 2 * i64::from(counts[y * c + j]) + i64::from(y == j);
    let weights = Matrix::from_fn(c, c, weight);
    kuhn_munkres(&weights).1
}

/// Numbers from 0 in the order of their digits as text.
fn text_order(c: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (0..c).collect();
    all.sort_by_key(usize::to_string);
    all
}

/// By example, how much larger phi is in models that were trained on it; `None` without models on both sides.
fn effects(pool: &Pool) -> Vec<Option<f64>> {
    let m = &pool.membership;
    let of = |i: usize| {
        let mut sides = [(0.0, 0.0); 2];
        for (model, signals) in pool.pool.iter().enumerate() {
            let side = &mut sides[usize::from(!m.row(model)[i])];
            *side = (side.0 + f64::from(*signals.phi.get(i)?), side.1 + 1.0);
        }
        let [(inside, n), (outside, k)] = sides;
        (n > 0.0 && k > 0.0).then(|| inside / n - outside / k)
    };
    (0..m.examples()).map(of).collect()
}

/// Mean over its standard error; 0 for fewer than 8.
fn z(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    if values.len() < 8 || variance <= 0.0 { 0.0 } else { mean / (variance / n).sqrt() }
}

/// Refuses single values that are those of one class for every example: training then raises them for that class and lowers them for the
/// other.
fn positive_class(pool: &Pool, effects: &[Option<f64>], chance: f64) -> Result<(), Implausible> {
    if pool.labels.iter().any(|y| *y > 1) {
        return Ok(());
    }
    let of = |class: u32| {
        let own = effects.iter().zip(&pool.labels).filter(|(_, y)| **y == class);
        z(&own.filter_map(|(e, _)| *e).collect::<Vec<_>>())
    };
    // Of saturated models the mean moves little; but none that learnt balanced classes takes its own members of one for the other.
    let right = |class: u32| {
        let sides =
            pool.pool.iter().enumerate().flat_map(|(k, s)| s.phi.iter().zip(pool.membership.row(k)).zip(&pool.labels));
        let own = sides.filter(|((_, member), y)| **member && **y == class);
        let (hits, n) = own.fold((0.0, 0.0), |(hits, n), ((v, _), _)| (hits + f64::from(u8::from(*v > 0.0)), n + 1.0));
        hits / n
    };
    // Models that hardly prefer one class to the other learnt nothing.
    let mut sizes: Vec<f32> = pool.pool.iter().flat_map(|s| &s.phi).map(|v| v.abs()).collect();
    sizes.sort_by(f32::total_cmp);
    let sure = sizes.get(sizes.len() / 2).is_some_and(|v| f64::from(*v) > IS_SURE);
    let swapped = sure && chance < BALANCED && right(0) < 1.0 - NEARLY_ALL && right(1) > NEARLY_ALL;
    if of(0) < -SURE && of(1) > SURE || swapped { Err(Implausible::PositiveClass) } else { Ok(()) }
}

/// Confident outputs that are right no more often than chance.
fn rows_mixed(tally: &Tally, chance: f64) -> Option<Doubt> {
    if tally.seen == 0 {
        return None;
    }
    let (accuracy, confidence) = (tally.right as f64 / tally.seen as f64, tally.confidence / tally.seen as f64);
    let [all, alike] = tally.agreement.map(|n| n as f64);
    let agree = alike > all * (chance + 0.3 * (1.0 - chance));
    // Models that learnt nothing name some classes far too often; those of shuffled rows name each as often as it is there.
    let learnt = tally.median_skew() < SKEWED;
    (learnt && accuracy <= near(chance) && confidence > accuracy + TOO_SURE).then_some(Doubt::RowsMixed {
        accuracy,
        chance,
        confidence,
        agree,
    })
}

/// Members that are less like members than others, over examples and in nearly every model.
fn inverted(pool: &Pool, rises: f64) -> Option<Doubt> {
    if pool.pool.iter().all(Signals::says_labels_alone) || rises > -SURE {
        return None;
    }
    let m = &pool.membership;
    let below = (0..m.models()).filter(|&k| lies_below(m, k, &pool.pool[k])).count();
    (below as f64 >= MOST_MODELS * m.models() as f64).then_some(Doubt::Inverted)
}

/// Whether the members of a model have less phi than the others on average.
fn lies_below(m: &Membership, model: usize, signals: &Signals) -> bool {
    let mean = |side: bool| {
        let own = signals.phi.iter().zip(m.row(model)).filter(|(_, member)| **member == side);
        let (sum, n) = own.fold((0.0, 0.0), |(sum, n), (v, _)| (sum + f64::from(*v), n + 1.0));
        sum / n
    };
    mean(true) < mean(false)
}

/// The slope of a model's phi on the mean of the others', over examples, with its standard error: 1 where they are of one scale.
struct Slope {
    value: f64,
    error: f64,
    correlation: f64,
}

/// By model, its slope.
fn slopes(pool: &Pool) -> Vec<Slope> {
    let (m, n) = (pool.pool.len() as f64, pool.labels.len());
    let total: Vec<f64> = (0..n).map(|i| pool.pool.iter().map(|s| f64::from(s.phi[i])).sum()).collect();
    let of = |signals: &Signals| {
        let pairs =
            || signals.phi.iter().zip(&total).map(|(v, all)| (f64::from(*v), (all - f64::from(*v)) / (m - 1.0)));
        let count = n as f64;
        let (y, x) = pairs().fold((0.0, 0.0), |(a, b), (y, x)| (a + y / count, b + x / count));
        let (yy, xy, xx) = pairs()
            .fold((0.0, 0.0, 0.0), |s, (v, u)| (s.0 + (v - y).powi(2), s.1 + (v - y) * (u - x), s.2 + (u - x).powi(2)));
        let value = xy / xx;
        let error = ((yy - value * xy).max(0.0) / (count - 2.0) / xx).sqrt();
        Slope { value, error, correlation: xy / (xx * yy).sqrt() }
    };
    pool.pool.iter().map(of).collect()
}

/// Models whose outputs surely are on a far larger, or smaller, scale than those of all the rest; at most a quarter of them.
fn other_scale(pool: &Pool) -> Option<Doubt> {
    let n = pool.labels.len();
    if n < FEWEST || pool.pool.len() < 4 || pool.pool.iter().any(|s| s.phi.len() != n || !is_fine(s)) {
        return None;
    }
    let slopes = slopes(pool);
    let middle = |of: fn(&Slope) -> f64| {
        let mut all: Vec<f64> = slopes.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let (median, common) = (middle(|s| s.value), middle(|s| s.correlation));
    if !(common > IN_COMMON && median > 0.0) {
        return None;
    }
    // A model that has little in common with the rest is another model, and no other scale.
    let far = |s: &Slope| {
        let beyond = (s.value - OTHER_SCALE * median).max(median / OTHER_SCALE - s.value);
        s.correlation > 0.5 * common && beyond > 2.0 * s.error
    };
    let models: Vec<usize> = (0..slopes.len()).filter(|k| far(&slopes[*k])).collect();
    let times = slopes[*models.first()?].value / median;
    // Where many differ there is no common scale to differ from.
    (4 * models.len() <= slopes.len()).then_some(Doubt::OtherScale { models, times })
}

/// Examples with the same label and the same outputs in every model, of which a model was trained on one and not on the other.
fn duplicates(pool: &Pool) -> Option<Doubt> {
    let (m, n) = (&pool.membership, pool.labels.len());
    if m.models() < 4 || pool.pool.iter().any(|s| s.phi.len() != n) {
        return None;
    }
    let mut seen: HashMap<u64, usize> = HashMap::new();
    let mut doubled = vec![false; n];
    for i in 0..n {
        let mut values: Vec<u32> = pool.pool.iter().map(|s| s.phi[i].to_bits()).collect();
        let mut hasher = DefaultHasher::new();
        (pool.labels[i], &values).hash(&mut hasher);
        values.sort_unstable();
        values.dedup();
        // Saturated and coarse values coincide without being the same example's.
        if 2 * values.len() < m.models() {
            continue;
        }
        let first = *seen.entry(hasher.finish()).or_insert(i);
        if first != i && (0..m.models()).any(|k| m.row(k)[i] != m.row(k)[first]) {
            (doubled[i], doubled[first]) = (true, true);
        }
    }
    let examples = doubled.iter().filter(|d| **d).count();
    (examples > 0).then_some(Doubt::Duplicates { examples, of: n })
}
