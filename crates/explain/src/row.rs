//! One held-out example against all pool examples.

use std::borrow::Cow;
use std::collections::BTreeMap;

use flatleak_kernel::bits;
use flatleak_stats::{Interval, student_t_critical};

use crate::Error;
use crate::design::Design;
use crate::evidence::Evidence;

/// Influence of every pool example on one held-out example.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The held-out example, j.
    pub test: usize,
    pub(crate) content: Content<'a>,
    pub(crate) spread: f64,
    pub(crate) design: &'a Design,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Content<'a> {
    /// Hard form: models that hold i and are right about j, (N); models that are right about j; and in a uniform design the number of
    /// examples by that count.
    Counts { counts: &'a [u16], right: i32, histogram: &'a [u32] },
    /// Soft form: the influences themselves, (N).
    Values(&'a [f32]),
}

impl<'a> Row<'a> {
    /// infl_ij.
    pub fn value(&self, example: usize) -> f32 {
        match self.content {
            Content::Counts { counts, right, .. } => self.design.influence_of(example, counts[example], right),
            Content::Values(values) => values[example],
        }
    }

    /// All of them, (N).
    pub fn values(&self) -> Cow<'a, [f32]> {
        match self.content {
            Content::Counts { .. } => (0..self.design.examples()).map(|i| self.value(i)).collect(),
            Content::Values(values) => Cow::Borrowed(values),
        }
    }

    /// Distinct influences with the number of examples that have them, where counts say it all.
    fn distinct(&self) -> Option<impl DoubleEndedIterator<Item = (u16, f32, u32)> + use<'a>> {
        let Content::Counts { right, histogram, .. } = self.content else { return None };
        let design = self.design;
        let entry = move |(c, &n): (u16, &u32)| (c, design.influence_of(0, c, right), n);
        let counts = (0u16..=histogram.len().saturating_sub(1) as u16).zip(histogram).map(entry).collect::<Vec<_>>();
        design.uniform.then(|| counts.into_iter().filter(|e| e.2 > 0))
    }

    /// Standard error of infl_ij.
    ///
    /// With complementary blocks infl_ij = mean over blocks of +-d_b(j), d_b the difference between the block's two models and
    /// the sign says which of them holds i. Squares lose the sign, so the variance of the mean is
    /// (mean_b d_b^2 - infl_ij^2) / (B - 1). Without blocks it is that of a difference of two means with pooled variance (own;
    /// book/methods/explanation.md#error-of-influence).
    pub fn standard_error(&self, example: usize) -> f64 {
        let v = f64::from(self.value(example));
        ((self.spread * self.weight(example) - v * v).max(0.0) / self.design.degrees()).sqrt()
    }

    /// 95 % interval of infl_ij. Hard form: Bonett and Price's for matched pairs in complementary blocks, Agresti and Caffo's elsewhere,
    /// which have a width even where all models agree; soft form: Student's t.
    ///
    /// # Errors
    /// Fewer than two blocks, or three models.
    pub fn interval(&self, example: usize) -> Result<Interval, Error> {
        if let Some(evidence) = self.evidence(example) {
            return evidence.interval();
        }
        let mean = f64::from(self.value(example));
        let half = student_t_critical(0.95, self.design.degrees())? * self.standard_error(example);
        Ok(Interval { mean, low: mean - half, high: mean + half })
    }

    /// 1 in blocks, M / (n_in n_out) elsewhere.
    fn weight(&self, example: usize) -> f64 {
        let products = &self.design.products;
        if self.design.pairs.is_some() { 1.0 } else { self.design.models as f64 / f64::from(products[example]) }
    }

    /// The value above which influence on this test example exceeds `errors` of its own standard errors.
    fn cut(&self, example: usize, errors: f64) -> f32 {
        if errors == 0.0 {
            return 0.0;
        }
        let z = errors * errors;
        (z * self.spread * self.weight(example) / (self.design.degrees() + z)).sqrt() as f32
    }

    /// Influence entropy (own definition; book/methods/explanation.md#influence-entropy): with q_i = infl_ij / sum of the infl_ij that exceed `errors`
    /// standard errors, -sum q_i log q_i over those, in nats. `errors` 0 takes every positive one. `None` where there is none: no measurable influence.
    pub fn entropy(&self, errors: f64) -> Option<f64> {
        let (mut sum, mut logs, mut any) = (0.0, 0.0, false);
        let mut add = |v: f32, cut: f32, times: f64| {
            if v > 0.0 && v > cut {
                let v = f64::from(v);
                sum += times * v;
                logs += times * v * libm::log(v);
                any = true;
            }
        };
        let common = self.cut(0, errors);
        if let Some(distinct) = self.distinct() {
            distinct.for_each(|(_, v, n)| add(v, common, f64::from(n)));
        } else if self.design.uniform {
            self.values().iter().for_each(|&v| add(v, common, 1.0));
        } else {
            self.values().iter().enumerate().for_each(|(i, &v)| add(v, self.cut(i, errors), 1.0));
        }
        // -sum (v/s) log(v/s) = log s - (sum v log v) / s.
        any.then(|| (libm::log(sum) - logs / sum).max(0.0))
    }

    /// The `most` examples of largest positive influence, largest first; the earlier example where they are equal.
    pub fn top(&self, most: usize) -> Vec<(u32, f32)> {
        if most == 0 {
            return Vec::new();
        }
        let mut kept: Vec<(u32, f32)> = match (self.distinct(), self.content) {
            (Some(distinct), Content::Counts { counts, .. }) => {
                // The smallest count that is needed, from the table.
                let (mut seen, mut least) = (0, None);
                for (count, _, n) in distinct.rev().take_while(|(_, v, _)| *v > 0.0) {
                    least = Some(count);
                    seen += n as usize;
                    if seen >= most {
                        break;
                    }
                }
                let mut found = Vec::new();
                if let Some(least) = least {
                    bits::positions_at_least(&mut found, counts, least);
                }
                found.into_iter().map(|i| (i, self.value(i as usize))).collect()
            }
            _ => {
                let values = self.values();
                let (mut floor, mut kept) = (0.0, Vec::new());
                for (piece, values) in values.chunks(64).enumerate() {
                    // Most pieces have nothing that is large enough: a pass without branches says so.
                    if values.iter().filter(|v| **v > floor).count() == 0 {
                        continue;
                    }
                    let first = (piece * 64) as u32;
                    kept.extend((first..).zip(values).filter(|(_, v)| **v > floor).map(|(i, v)| (i, *v)));
                    if kept.len() >= 4 * most + 64 {
                        best(&mut kept, most);
                        floor = kept[most - 1].1;
                    }
                }
                kept
            }
        };
        best(&mut kept, most);
        kept
    }

    /// Number of examples with `mask` 1 whose influence is at least `least`. The mask holds 0 and 1, (N).
    pub fn at_least(&self, least: f32, mask: &[u16]) -> usize {
        if let (Some(mut distinct), Content::Counts { counts, .. }) = (self.distinct(), self.content) {
            let first = distinct.find(|(_, v, _)| *v >= least);
            return first.map_or(0, |(count, _, _)| bits::masked_at_least(counts, mask, count));
        }
        self.values().iter().zip(mask).filter(|(v, m)| **v >= least && **m == 1).count()
    }

    /// Hard form: the counts behind infl_ij.
    pub(crate) fn evidence(&self, example: usize) -> Option<Evidence> {
        let Content::Counts { counts, right, .. } = self.content else { return None };
        let inside = self.design.inside[example] as u32;
        Some(self.evidence_of(inside, right as u32, u32::from(counts[example])))
    }

    fn evidence_of(&self, inside: u32, right: u32, both: u32) -> Evidence {
        Evidence::new(self.design.models as u32, inside, right, both, self.disagreeing())
    }

    /// Hard form: number of examples by the counts behind their influence; nothing in the soft form.
    pub(crate) fn tally(&self) -> Vec<(Evidence, u32)> {
        let Content::Counts { counts, right, .. } = self.content else { return Vec::new() };
        let right = right as u32;
        if let Some(distinct) = self.distinct() {
            let inside = self.design.inside[0] as u32;
            return distinct.map(|(both, _, n)| (self.evidence_of(inside, right, u32::from(both)), n)).collect();
        }
        let mut found: BTreeMap<(i32, u16), u32> = BTreeMap::new();
        for (inside, both) in self.design.inside.iter().zip(counts) {
            *found.entry((*inside, *both)).or_default() += 1;
        }
        found.into_iter().map(|((i, b), n)| (self.evidence_of(i as u32, right, u32::from(b)), n)).collect()
    }

    /// In blocks, the number of them whose two models disagree about the test example (hard form).
    fn disagreeing(&self) -> Option<u32> {
        self.design.pairs.as_ref().map(|p| (self.spread * p.len() as f64).round() as u32)
    }
}

/// Keeps the `most` of largest influence, largest first, earlier examples first where they are equal.
fn best(kept: &mut Vec<(u32, f32)>, most: usize) {
    kept.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    kept.truncate(most);
}
