//! Influence of every pool example on every held-out one (Feldman & Zhang 2020, arXiv 2008.03703, eq. 2 over random subsets).
//!
//! infl_ij = mean of c_k(j) over the models k that were trained on i, minus its mean over the others; c is whether model k is
//! right about test example j (hard) or its confidence in the label (soft). All N x T pairs are computed and handed over row by
//! row, never held together. The hard form counts bits; the soft one is a matrix product with the 0/1 membership.

use std::borrow::Cow;
use std::collections::BTreeMap;

use flatleak_kernel::{Mat, bits, gemm};
use flatleak_pool::{BLOCK, Membership};
use flatleak_stats::{Interval, parallel, student_t_critical};

use crate::Error;
use crate::evidence::Evidence;

/// Test examples that one thread handles together.
const CHUNK: usize = 64;

/// Columns of a panel of the membership matrix: with a few hundred models it stays in the second-level cache.
const PANEL: usize = 512;

/// A membership packed for influence: M models, N examples.
#[derive(Clone, Debug)]
pub struct Design {
    models: usize,
    /// Word w of example i at w N + i; bit k of word w is model 64 w + k.
    bits: Vec<u64>,
    /// Number of models that hold each example, n_in.
    inside: Vec<i32>,
    /// n_in (M - n_in).
    products: Vec<i32>,
    /// Whether every example is in as many models as every other, so that a count alone says the influence.
    uniform: bool,
    /// Pairs of models of one block, where blocks are complementary.
    pairs: Option<Vec<[usize; 2]>>,
}

impl Design {
    /// Packs a membership.
    ///
    /// # Errors
    /// An example that is in all models or in none; more than 32,767 models.
    pub fn new(membership: &Membership) -> Result<Self, Error> {
        let (models, n) = (membership.models(), membership.examples());
        if models > usize::from(u16::MAX / 2) {
            return Err(Error::Models(models));
        }
        let mut bits = vec![0u64; models.div_ceil(64) * n];
        let mut inside = vec![0i32; n];
        for k in 0..models {
            let words = &mut bits[k / 64 * n..][..n];
            for ((word, count), member) in words.iter_mut().zip(&mut inside).zip(membership.row(k)) {
                *word |= u64::from(*member) << (k % 64);
                *count += i32::from(*member);
            }
        }
        let all = models as i32;
        if let Some(example) = inside.iter().position(|&c| c == 0 || c == all) {
            let inside = inside[example] as usize;
            return Err(Error::OneSided { example, inside, outside: models - inside, needed: 1 });
        }
        let products = inside.iter().map(|c| c * (all - c)).collect();
        let pairs = membership.is_complementary().then(|| {
            membership.by_block().iter().filter_map(|b| <[usize; BLOCK]>::try_from(b.as_slice()).ok()).collect()
        });
        let uniform = inside.iter().all(|c| *c == inside[0]);
        Ok(Self { models, bits, inside, products, uniform, pairs })
    }

    /// Number of models, M.
    pub fn models(&self) -> usize {
        self.models
    }

    /// Number of examples, N.
    pub fn examples(&self) -> usize {
        self.inside.len()
    }

    /// Pairs of models of one block; `None` where the design has no complementary blocks.
    pub fn pairs(&self) -> Option<&[[usize; 2]]> {
        self.pairs.as_deref()
    }

    /// Degrees of freedom of a pair's standard error: B - 1 over blocks, M - 2 over independent models.
    fn degrees(&self) -> f64 {
        self.pairs.as_ref().map_or(self.models as f64 - 2.0, |p| p.len() as f64 - 1.0)
    }

    /// A matrix of one row per model, or per block where `signs` asks for it, in panels of [`PANEL`] examples, each row-major: 1 where the
    /// model holds the example, else 0; of a block 1 where its first model does, else -1.
    fn panels(&self, signs: bool) -> Vec<Vec<f32>> {
        let n = self.examples();
        let bit = |k: usize, i: usize| (self.bits[k / 64 * n + i] >> (k % 64) & 1) as f32;
        let rows: Vec<usize> = match &self.pairs {
            Some(pairs) if signs => pairs.iter().map(|p| p[0]).collect(),
            _ => (0..self.models).collect(),
        };
        let sign = signs && self.pairs.is_some();
        let value = |k: usize, i: usize| if sign { 2.0 * bit(k, i) - 1.0 } else { bit(k, i) };
        (0..n.div_ceil(PANEL))
            .map(|p| {
                let columns = p * PANEL..n.min((p + 1) * PANEL);
                rows.iter().flat_map(|&k| columns.clone().map(move |i| value(k, i))).collect()
            })
            .collect()
    }
}

/// What the models put out on the held-out examples.
#[derive(Clone, Debug)]
enum Outcomes {
    /// Who is right: T rows of words, bit k of word w is model 64 w + k.
    Right { words: usize, bits: Vec<u64>, total: Vec<i32> },
    /// The same as (M, T) numbers 0 and 1, for the matrix product.
    RightAsNumbers { values: Vec<f32>, total: Vec<i32> },
    /// With complementary blocks (B, T) differences of a block's first and second model, elsewhere (M, T) confidences less their mean over
    /// models: no large sums are subtracted from each other.
    Confidence { contrasts: Vec<f32> },
}

/// Influence of N pool examples on T held-out ones, ready to be swept.
#[derive(Clone, Debug)]
pub struct Influence<'a> {
    design: &'a Design,
    outcomes: Outcomes,
    /// Per test example, what its standard errors come from; see [`Row::standard_error`].
    spread: Vec<f64>,
    tests: usize,
}

impl<'a> Influence<'a> {
    /// The design that it was made of.
    pub fn design(&self) -> &'a Design {
        self.design
    }

    /// Of right predictions, by counting bits; one row of T values 0 or 1 per model of the design.
    ///
    /// # Errors
    /// Rows that do not fit the design or each other.
    pub fn hard(design: &'a Design, correct: &[&[u8]]) -> Result<Self, Error> {
        let tests = check(design, correct)?;
        let words = design.models.div_ceil(64);
        let mut bits = vec![0u64; tests * words];
        let mut total = vec![0i32; tests];
        for (k, row) in correct.iter().enumerate() {
            for (j, right) in row.iter().enumerate().filter(|(_, c)| **c != 0) {
                bits[j * words + k / 64] |= u64::from(*right != 0) << (k % 64);
                total[j] += 1;
            }
        }
        let spread = spread(design, tests, correct);
        Ok(Self { design, outcomes: Outcomes::Right { words, bits, total }, spread, tests })
    }

    /// The same by a matrix product: a check of [`Influence::hard`], whose values it reproduces bit by bit.
    ///
    /// # Errors
    /// Rows that do not fit the design or each other.
    pub fn hard_by_product(design: &'a Design, correct: &[&[u8]]) -> Result<Self, Error> {
        let tests = check(design, correct)?;
        let values = correct.iter().flat_map(|row| row.iter().map(|c| f32::from(*c))).collect();
        let total = (0..tests).map(|j| correct.iter().map(|row| i32::from(row[j])).sum()).collect();
        let spread = spread(design, tests, correct);
        Ok(Self { design, outcomes: Outcomes::RightAsNumbers { values, total }, spread, tests })
    }

    /// Of confidences, by a matrix product in f32; one row of T values per model of the design.
    ///
    /// # Errors
    /// Rows that do not fit the design or each other.
    pub fn soft(design: &'a Design, confidence: &[&[f64]]) -> Result<Self, Error> {
        let tests = check(design, confidence)?;
        let contrasts = match design.pairs() {
            Some(pairs) => pairs
                .iter()
                .flat_map(|&[a, b]| confidence[a].iter().zip(confidence[b]).map(|(x, y)| (x - y) as f32))
                .collect(),
            None => {
                let mut mean = vec![0.0; tests];
                for row in confidence {
                    mean.iter_mut().zip(*row).for_each(|(m, v)| *m += v / design.models as f64);
                }
                confidence.iter().flat_map(|row| row.iter().zip(&mean).map(|(v, m)| (v - m) as f32)).collect()
            }
        };
        let spread = spread(design, tests, confidence);
        Ok(Self { design, outcomes: Outcomes::Confidence { contrasts }, spread, tests })
    }

    /// Number of pool examples, N.
    pub fn examples(&self) -> usize {
        self.design.examples()
    }

    /// Number of models, M.
    pub fn models(&self) -> usize {
        self.design.models
    }

    /// Degrees of freedom of its standard errors.
    pub(crate) fn degrees(&self) -> f64 {
        self.design.degrees()
    }

    /// Standard error of a pair of no influence in a balanced design, root mean square over held-out examples; and the number of models at
    /// which it is `wanted`.
    pub fn typical_error(&self, wanted: f64) -> (f64, usize) {
        let mean = |f: &dyn Fn(f64) -> f64| self.spread.iter().map(|s| f(*s)).sum::<f64>() / self.tests.max(1) as f64;
        match self.design.pairs() {
            Some(pairs) => {
                let per_block = mean(&|s| s);
                let blocks = (per_block / (wanted * wanted)).ceil().max(2.0) as usize;
                ((per_block / (pairs.len() as f64 - 1.0).max(1.0)).sqrt(), 2 * blocks)
            }
            None => {
                // s^2 M / (n_in n_out), with M s^2 the sum of squares; the shares on either side stay as they are.
                let models = self.design.models as f64;
                let products = self.design.products.iter().map(|p| f64::from(*p)).sum::<f64>();
                let weight = models * models / (products / self.design.examples() as f64);
                let per_model = mean(&|s| s / models) * weight;
                ((per_model / models).sqrt(), (per_model / (wanted * wanted)).ceil().max(4.0) as usize)
            }
        }
    }

    /// Number of held-out examples, T.
    pub fn tests(&self) -> usize {
        self.tests
    }

    /// Calls `f` with the row of every held-out example, on `workers` threads, and returns what it gives in their order.
    pub fn sweep<T: Send>(&self, workers: usize, f: impl Fn(&Row<'_>) -> T + Sync) -> Vec<T> {
        let n = self.design.examples();
        let panels = match &self.outcomes {
            Outcomes::Right { .. } => Vec::new(),
            Outcomes::RightAsNumbers { .. } => self.design.panels(false),
            Outcomes::Confidence { .. } => self.design.panels(true),
        };
        let chunks = parallel::map(self.tests.div_ceil(CHUNK), workers, |chunk| {
            let tests = chunk * CHUNK..self.tests.min((chunk + 1) * CHUNK);
            let products = self.products(&panels, tests.clone());
            let (mut counts, mut values) = (vec![0u16; n], vec![0f32; n]);
            let mut histogram = vec![0u32; if self.design.uniform { self.design.models + 1 } else { 0 }];
            let each = |test: usize| {
                let product = products.get((test - tests.start) * n..).unwrap_or_default();
                let right = match &self.outcomes {
                    Outcomes::Right { words, bits, total } => {
                        bits::intersections(&mut counts, &self.design.bits, &bits[test * words..][..*words]);
                        Some(total[test])
                    }
                    Outcomes::RightAsNumbers { total, .. } => {
                        counts.iter_mut().zip(product).for_each(|(c, p)| *c = *p as u16);
                        Some(total[test])
                    }
                    Outcomes::Confidence { .. } => None,
                };
                let content = match right {
                    Some(right) => {
                        if self.design.uniform {
                            bits::histogram(&mut histogram, &counts);
                        }
                        Content::Counts { counts: &counts, right, histogram: &histogram }
                    }
                    None => {
                        self.design.scale(product, &mut values);
                        Content::Values(&values)
                    }
                };
                f(&Row { test, content, spread: self.spread[test], design: self.design })
            };
            tests.clone().map(each).collect::<Vec<T>>()
        });
        chunks.into_iter().flatten().collect()
    }

    /// Products of these tests' outcomes with the membership, (tests, N); empty for the bit counts.
    fn products(&self, panels: &[Vec<f32>], tests: std::ops::Range<usize>) -> Vec<f32> {
        let (Outcomes::RightAsNumbers { values: rows, .. } | Outcomes::Confidence { contrasts: rows }) = &self.outcomes
        else {
            return Vec::new();
        };
        let (n, many) = (self.design.examples(), tests.len());
        let depth = rows.len() / self.tests.max(1);
        let left: Vec<f32> = (0..depth).flat_map(|k| rows[k * self.tests..][tests.clone()].iter().copied()).collect();
        let mut out = vec![0f32; many * n];
        let mut tile = vec![0f32; many * PANEL];
        for (p, panel) in panels.iter().enumerate() {
            let width = panel.len() / depth;
            gemm(&mut tile, Mat::new(&left, depth, many).t(), Mat::new(panel, depth, width), false);
            for (row, from) in out.chunks_exact_mut(n).zip(tile.chunks_exact(width)) {
                row[p * PANEL..][..width].copy_from_slice(from);
            }
        }
        out
    }
}

impl Design {
    /// (M count - n_in right) / (n_in n_out), the difference of the two means, rounded once: the numerator is an exact integer.
    fn influence_of(&self, example: usize, count: u16, right: i32) -> f32 {
        let numerator = self.models as i32 * i32::from(count) - self.inside[example] * right;
        numerator as f32 / self.products[example] as f32
    }

    /// From sums of signed block differences: their mean. From centred outcomes, whose sum outside is minus the sum s inside: the
    /// difference of means is s M / (n_in n_out).
    fn scale(&self, sums: &[f32], values: &mut [f32]) {
        if let Some(pairs) = &self.pairs {
            let share = 1.0 / pairs.len() as f32;
            values.iter_mut().zip(sums).for_each(|(value, sum)| *value = sum * share);
            return;
        }
        let all = self.models as f32;
        for ((value, sum), &product) in values.iter_mut().zip(sums).zip(&self.products) {
            *value = sum * all / product as f32;
        }
    }
}

/// One row per model, all of one length, which is returned.
fn check<T>(design: &Design, rows: &[&[T]]) -> Result<usize, Error> {
    let tests = rows.first().map_or(0, |r| r.len());
    if rows.len() != design.models {
        return Err(Error::Size { what: "rows of outcomes", found: rows.len(), expected: design.models });
    }
    if let Some(row) = rows.iter().find(|r| r.len() != tests) {
        return Err(Error::Size { what: "held-out outcomes of a model", found: row.len(), expected: tests });
    }
    Ok(tests)
}

/// In blocks the mean over blocks of the squared difference between the two models; elsewhere the sum over models of squared
/// distances from their mean.
fn spread<V: Copy + Into<f64>>(design: &Design, tests: usize, rows: &[&[V]]) -> Vec<f64> {
    let mut out = vec![0.0; tests];
    match design.pairs() {
        Some(pairs) => {
            for &[a, b] in pairs {
                for ((to, x), y) in out.iter_mut().zip(rows[a]).zip(rows[b]) {
                    let d: f64 = (*x).into() - (*y).into();
                    *to += d * d;
                }
            }
            out.iter_mut().for_each(|v| *v /= pairs.len() as f64);
        }
        None => {
            let mut mean = vec![0.0; tests];
            for row in rows {
                mean.iter_mut().zip(*row).for_each(|(m, v)| *m += (*v).into() / rows.len() as f64);
            }
            for row in rows {
                for ((to, v), m) in out.iter_mut().zip(*row).zip(&mean) {
                    let d: f64 = (*v).into() - m;
                    *to += d * d;
                }
            }
        }
    }
    out
}

/// Influence of every pool example on one held-out example.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The held-out example, j.
    pub test: usize,
    content: Content<'a>,
    spread: f64,
    design: &'a Design,
}

#[derive(Clone, Copy, Debug)]
enum Content<'a> {
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
    /// (mean_b d_b^2 - infl_ij^2) / (B - 1). Without blocks it is that of a difference of two means with pooled variance (own).
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

    /// Influence entropy (own definition): with q_i = infl_ij / sum of the infl_ij that exceed `errors` standard errors,
    /// -sum q_i log q_i over those, in nats. `errors` 0 takes every positive one. `None` where there is none: no measurable influence.
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
