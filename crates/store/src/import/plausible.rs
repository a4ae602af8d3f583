//! Whether outputs as a whole can be what they are said to be (book/methods/plausibility.md): asked before any attack.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use flatleak_pool::{Membership, Pool, Signals, as_good_as, chance};
use flatleak_results::Doubt;
use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;

use super::fit::{Fit, fit};
use super::given::Given;
use super::order::{NO_ACCIDENT, SKEWED, TOO_SURE, apart, divergence, guessing};
use super::outputs::SURE;
use super::tally::{OfModel, Tally};
use super::terms::Terms;
use crate::implausible::Implausible;

/// Share of the commonest of two classes below which they count as balanced.
const BALANCED: f64 = 0.7;
/// Share of members that models are right on where they learnt their class.
const NEARLY_ALL: f64 = 0.95;
/// Share of members on which models may err at least, as far as can be told.
const MAY_ERR: f64 = 0.05;
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
    /// How outputs were given.
    pub(super) terms: Terms,
    /// One column stood for two classes.
    pub(super) one_column: bool,
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
    let fit = fit(pool);
    let mut out = Vec::new();
    if let Some(labels) = &pool.labels {
        let chance = chance(labels);
        let all = Sum::new(read.tally);
        columns(read, &all, chance)?;
        if !read.given.has_classes() {
            positive_class((pool, labels), read, &effects, chance)?;
        }
        // What is learnt of the labels belongs to their rows, whatever the labels are.
        out.extend(rows_mixed(read.tally, &all, chance).filter(|_| rises <= SURE));
        let unfilled = read.tally.unfilled();
        out.extend((unfilled > 0).then_some(Doubt::Unfilled { examples: unfilled, of: read.tally.examples() }));
    }
    if !out.iter().any(|doubt| matches!(doubt, Doubt::RowsMixed { .. })) {
        let models = if read.given.has_classes() { guessing(read.tally, fit.as_ref()) } else { apart(pool) };
        out.extend((!models.is_empty()).then_some(Doubt::OtherOrder { models }));
    }
    match inverted(pool, rises) {
        Some(doubt) => out.push(doubt),
        None => out.extend(fit.iter().flat_map(misfits)),
    }
    out.extend(other_scale(pool));
    out.extend(duplicates(pool));
    Ok(out)
}

/// What was counted of all models.
struct Sum {
    seen: usize,
    accuracy: f64,
    /// Mean of the largest probability.
    confidence: f64,
    /// The median over models.
    skew: f64,
}

impl Sum {
    fn new(tally: &Tally) -> Self {
        let all = tally.models();
        let seen: usize = all.iter().map(|of| of.seen).sum();
        let right: usize = all.iter().map(|of| of.right).sum();
        let confidence: f64 = all.iter().map(|of| of.confidence).sum();
        let mut skews: Vec<f64> = all.iter().map(|of: &OfModel| of.skew).collect();
        skews.sort_by(f64::total_cmp);
        let each = seen.max(1) as f64;
        let skew = skews.get(skews.len() / 2).copied().unwrap_or(1.0);
        Self { seen, accuracy: right as f64 / each, confidence: confidence / each, skew }
    }
}

/// Models whose members are less like members than the others, where those of the rest are more so, and models that fit another's row.
fn misfits(fit: &Fit) -> Vec<Doubt> {
    let models = || 0..fit.own.len();
    let falls = |k: &usize| fit.own[*k] < -SURE;
    let strays = |k: &usize| !falls(k) && fit.other[*k].is_some();
    if models().any(|k| strays(&k)) {
        let (models, rows) = models().filter_map(|k| Some((k, fit.other[k]?))).unzip();
        return vec![Doubt::OtherMembership { models, rows }];
    }
    // Members of some learners are less like members than others; those of one learner either are so or are not.
    let inverted: Vec<usize> = models().filter(falls).collect();
    let told = !inverted.is_empty() && fit.own.iter().any(|z| *z > SURE);
    told.then_some(Doubt::Inverted { models: inverted }).into_iter().collect()
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

/// Refuses columns that belong to other labels: assignments that are found on every second example and fit the others better.
fn columns(read: &Read<'_>, all: &Sum, chance: f64) -> Result<(), Implausible> {
    let (tally, c) = (read.tally, read.tally.classes);
    let [even, odd] = &tally.predicted;
    if even.is_empty() || all.seen == 0 {
        return Ok(());
    }
    let both: Vec<u32> = even.iter().zip(odd).map(|(a, b)| a + b).collect();
    let present: Vec<usize> = (0..c).filter(|y| both[y * c..][..c].iter().any(|n| *n > 0)).collect();
    let accuracy = all.accuracy;
    let k = present.len();
    if k >= 4 && c == k * (k - 1) / 2 && present.last() == Some(&(k - 1)) && accuracy <= as_good_as(chance) {
        return Err(Implausible::OneAgainstOne { columns: c, classes: k, accuracy });
    }
    let right: u32 = (0..c).map(|y| both[y * c + y]).sum();
    if c > 2 && read.given == Given::Logits && 2 * tally.least > all.seen && tally.least > 2 * right as usize {
        return Err(Implausible::Negated { terms: read.terms, share: tally.least as f64 / all.seen as f64 });
    }
    // Each half is found by the other, so that every example is tested once.
    let halves = [(even, odd), (odd, even)].map(|(found, tested)| Moved::new(&assignment(found, c), &present, tested));
    let moved = Moved::sum(&halves);
    let of = assignment(&both, c);
    let total: f64 = both.iter().map(|n| f64::from(*n)).sum();
    let fits: f64 = present.iter().map(|&y| f64::from(both[y * c + of[y]])).sum::<f64>() / total.max(1.0);
    // One example is a member of many models, which do not err independently.
    let each = (all.seen as f64 / tally.examples() as f64).max(1.0);
    if !moved.is_no_accident(each, c) || fits <= as_good_as(chance) {
        return Ok(());
    }
    if read.one_column {
        return Err(Implausible::OtherColumn { given: read.given, terms: read.terms, accuracy });
    }
    let in_text_order = present.iter().all(|&y| text_order(c)[of[y]] == y);
    Err(Implausible::Columns { given: read.given, terms: read.terms, order: of, accuracy, fits, in_text_order })
}

/// Predictions of labels that an assignment gives another column, and of the others.
struct Moved {
    /// Predictions of the column that is assigned.
    won: f64,
    /// Predictions of the label's own.
    lost: f64,
    /// Predictions of labels that keep their column, right and all.
    kept: [f64; 2],
}

impl Moved {
    fn new(of: &[usize], present: &[usize], tested: &[u32]) -> Self {
        let c = of.len();
        let mut all = Self { won: 0.0, lost: 0.0, kept: [0.0; 2] };
        for &y in present {
            let own = f64::from(tested[y * c + y]);
            if of[y] == y {
                let row: u32 = tested[y * c..][..c].iter().sum();
                all.kept = [all.kept[0] + own, all.kept[1] + f64::from(row)];
            } else {
                (all.won, all.lost) = (all.won + f64::from(tested[y * c + of[y]]), all.lost + own);
            }
        }
        all
    }

    fn sum([a, b]: &[Self; 2]) -> Self {
        let kept = [a.kept[0] + b.kept[0], a.kept[1] + b.kept[1]];
        Self { won: a.won + b.won, lost: a.lost + b.lost, kept }
    }

    /// Whether so many predictions, `each` of one example, are of the columns that are assigned: under right columns they would be errors, as
    /// often as on the labels that keep their column, and no more often than they are right. Any pair of `c` columns could be exchanged.
    fn is_no_accident(&self, each: f64, c: usize) -> bool {
        let [right, all] = self.kept;
        let errs = if all > 0.0 { (1.0 - right / all).clamp(MAY_ERR, 0.5) } else { 0.5 };
        let share = self.won / (self.won + self.lost).max(1.0);
        let pairs = (c * c.saturating_sub(1) / 2).max(1) as f64;
        let examples = (self.won + self.lost) / each;
        share > errs && examples * divergence(share, errs) > NO_ACCIDENT + libm::log(pairs)
    }
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
fn positive_class(
    (pool, labels): (&Pool, &[u32]),
    read: &Read<'_>,
    effects: &[Option<f64>],
    chance: f64,
) -> Result<(), Implausible> {
    if labels.iter().any(|y| *y > 1) {
        return Ok(());
    }
    let of = |class: u32| {
        let own = effects.iter().zip(labels).filter(|(_, y)| **y == class);
        z(&own.filter_map(|(e, _)| *e).collect::<Vec<_>>())
    };
    // Of saturated models the mean moves little; but none that learnt balanced classes takes its own members of one for the other.
    let right = |class: u32| {
        let sides =
            pool.pool.iter().enumerate().flat_map(|(k, s)| s.phi.iter().zip(pool.membership.row(k)).zip(labels));
        let own = sides.filter(|((_, member), y)| **member && **y == class);
        let (hits, n) = own.fold((0.0, 0.0), |(hits, n), ((v, _), _)| (hits + f64::from(u8::from(*v > 0.0)), n + 1.0));
        hits / n
    };
    // Models that hardly prefer one class to the other learnt nothing.
    let mut sizes: Vec<f32> = pool.pool.iter().flat_map(|s| &s.phi).map(|v| v.abs()).collect();
    sizes.sort_by(f32::total_cmp);
    let sure = sizes.get(sizes.len() / 2).is_some_and(|v| f64::from(*v) > IS_SURE);
    let swapped = sure && chance < BALANCED && right(0) < 1.0 - NEARLY_ALL && right(1) > NEARLY_ALL;
    if of(0) < -SURE && of(1) > SURE || swapped {
        Err(Implausible::PositiveClass { given: read.given, terms: read.terms })
    } else {
        Ok(())
    }
}

/// Confident outputs that are right no more often than chance.
fn rows_mixed(tally: &Tally, all: &Sum, chance: f64) -> Option<Doubt> {
    let Sum { seen, accuracy, confidence, skew } = *all;
    if seen == 0 {
        return None;
    }
    let [predictions, alike] = tally.agreement.map(|n| n as f64);
    let agree = alike > predictions * (chance + 0.3 * (1.0 - chance));
    // Models that learnt nothing name some classes far too often; those of shuffled rows name each as often as it is there.
    let learnt = skew < SKEWED;
    (learnt && accuracy <= as_good_as(chance) && confidence > accuracy + TOO_SURE).then_some(Doubt::RowsMixed {
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
    (below as f64 >= MOST_MODELS * m.models() as f64).then_some(Doubt::Inverted { models: Vec::new() })
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

/// phi less its mean over the examples of the same label: models may prefer some classes, each its own.
fn within_classes(signals: &Signals, labels: Option<&[u32]>) -> Vec<f64> {
    let class = |i: usize| labels.map_or(0, |labels| labels[i]);
    let mut sums: HashMap<u32, (f64, f64)> = HashMap::new();
    for (i, v) in signals.phi.iter().enumerate() {
        let sum = sums.entry(class(i)).or_default();
        *sum = (sum.0 + f64::from(*v), sum.1 + 1.0);
    }
    let mean = |y: u32| sums.get(&y).map_or(0.0, |(sum, n)| sum / n);
    signals.phi.iter().enumerate().map(|(i, v)| f64::from(*v) - mean(class(i))).collect()
}

/// By model, its slope.
fn slopes(pool: &Pool) -> Vec<Slope> {
    let (m, n) = (pool.pool.len() as f64, pool.examples());
    let all: Vec<Vec<f64>> = pool.pool.iter().map(|s| within_classes(s, pool.labels.as_deref())).collect();
    let total: Vec<f64> = (0..n).map(|i| all.iter().map(|own| own[i]).sum()).collect();
    let of = |own: &Vec<f64>| {
        let pairs = own.iter().zip(&total).map(|(y, all)| (*y, (all - y) / (m - 1.0)));
        let (yy, xy, xx) = pairs.fold((0.0, 0.0, 0.0), |s, (y, x)| (s.0 + y * y, s.1 + y * x, s.2 + x * x));
        let value = xy / xx;
        let error = ((yy - value * xy).max(0.0) / (n as f64 - 2.0) / xx).sqrt();
        Slope { value, error, correlation: xy / (xx * yy).sqrt() }
    };
    all.iter().map(of).collect()
}

/// Models whose outputs surely are on a far larger, or smaller, scale than those of all the rest; at most a quarter of them.
fn other_scale(pool: &Pool) -> Option<Doubt> {
    let n = pool.examples();
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
    let (m, n) = (&pool.membership, pool.examples());
    if m.models() < 4 || pool.pool.iter().any(|s| s.phi.len() != n) {
        return None;
    }
    let mut seen: HashMap<u64, usize> = HashMap::new();
    let mut doubled = vec![false; n];
    for i in 0..n {
        let mut values: Vec<u32> = pool.pool.iter().map(|s| s.phi[i].to_bits()).collect();
        let mut hasher = DefaultHasher::new();
        (pool.labels.as_ref().map(|labels| labels[i]), &values).hash(&mut hasher);
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
