//! Influence of every pool example on every held-out one (Feldman & Zhang 2020, arXiv 2008.03703, eq. 2 over random subsets).
//!
//! infl_ij = mean of c_k(j) over the models k that were trained on i, minus its mean over the others; c is whether model k is
//! right about test example j (hard) or its confidence in the label (soft). All N x T pairs are computed and handed over row by
//! row, never held together. The hard form counts bits; the soft one is a matrix product with the 0/1 membership.

use flatleak_kernel::{Mat, bits, gemm};
use flatleak_pool::{BLOCK, Membership};
use flatleak_stats::{Interval, independent_difference, matched_difference, parallel, student_t_critical};

use crate::Error;

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
        let pairs = membership
            .is_complementary()
            .then(|| membership.by_block().iter().filter_map(|b| <[usize; BLOCK]>::try_from(b.as_slice()).ok()).collect());
        Ok(Self { models, bits, inside, products, pairs })
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

    /// The membership as f32 in panels of [`PANEL`] examples, each (M, width) row-major.
    fn panels(&self) -> Vec<Vec<f32>> {
        let n = self.examples();
        (0..n.div_ceil(PANEL))
            .map(|p| {
                let columns = p * PANEL..n.min((p + 1) * PANEL);
                let bit = |k: usize, i: usize| (self.bits[k / 64 * n + i] >> (k % 64) & 1) as f32;
                (0..self.models).flat_map(|k| columns.clone().map(move |i| bit(k, i))).collect()
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
    /// (M, T) confidences less their mean over models.
    Confidence { centred: Vec<f32> },
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
        // Centred, so that no large sums are subtracted from each other.
        let mut mean = vec![0.0; tests];
        for row in confidence {
            mean.iter_mut().zip(*row).for_each(|(m, v)| *m += v / design.models as f64);
        }
        let centred = confidence.iter().flat_map(|row| row.iter().zip(&mean).map(|(v, m)| (v - m) as f32)).collect();
        let spread = spread(design, tests, confidence);
        Ok(Self { design, outcomes: Outcomes::Confidence { centred }, spread, tests })
    }

    /// Number of pool examples, N.
    pub fn examples(&self) -> usize {
        self.design.examples()
    }

    /// Number of models, M.
    pub fn models(&self) -> usize {
        self.design.models
    }

    /// Number of held-out examples, T.
    pub fn tests(&self) -> usize {
        self.tests
    }

    /// Calls `f` with the row of every held-out example, on `workers` threads, and returns what it gives in their order.
    pub fn sweep<T: Send>(&self, workers: usize, f: impl Fn(&Row<'_>) -> T + Sync) -> Vec<T> {
        let n = self.design.examples();
        let panels = if matches!(self.outcomes, Outcomes::Right { .. }) { Vec::new() } else { self.design.panels() };
        let chunks = parallel::map(self.tests.div_ceil(CHUNK), workers, |chunk| {
            let tests = chunk * CHUNK..self.tests.min((chunk + 1) * CHUNK);
            let products = self.products(&panels, tests.clone());
            let (mut counts, mut values) = (vec![0u16; n], vec![0f32; n]);
            let each = |test: usize| {
                let product = products.get((test - tests.start) * n..).unwrap_or_default();
                let exact = match &self.outcomes {
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
                match exact {
                    Some(total) => self.design.from_counts(&counts, total, &mut values),
                    None => self.design.from_products(product, &mut values),
                }
                let counted = exact.map(|total| (counts.as_slice(), total as u32));
                f(&Row { test, values: &values, counted, spread: self.spread[test], design: self.design })
            };
            tests.clone().map(each).collect::<Vec<T>>()
        });
        chunks.into_iter().flatten().collect()
    }

    /// Products of these tests' outcomes with the membership, (tests, N); empty for the bit counts.
    fn products(&self, panels: &[Vec<f32>], tests: std::ops::Range<usize>) -> Vec<f32> {
        let (Outcomes::RightAsNumbers { values: rows, .. } | Outcomes::Confidence { centred: rows }) = &self.outcomes
        else {
            return Vec::new();
        };
        let (n, models, many) = (self.design.examples(), self.design.models, tests.len());
        let left: Vec<f32> = (0..models).flat_map(|k| rows[k * self.tests..][tests.clone()].iter().copied()).collect();
        let mut out = vec![0f32; many * n];
        let mut tile = vec![0f32; many * PANEL];
        for (p, panel) in panels.iter().enumerate() {
            let width = panel.len() / models;
            gemm(&mut tile, Mat::new(&left, models, many).t(), Mat::new(panel, models, width), false);
            for (row, from) in out.chunks_exact_mut(n).zip(tile.chunks_exact(width)) {
                row[p * PANEL..][..width].copy_from_slice(from);
            }
        }
        out
    }
}

impl Design {
    /// (M count - n_in total) / (n_in n_out), the difference of the two means, rounded once: numerators are exact integers.
    fn from_counts(&self, counts: &[u16], total: i32, values: &mut [f32]) {
        let all = self.models as i32;
        for (((value, &count), &inside), &product) in values.iter_mut().zip(counts).zip(&self.inside).zip(&self.products) {
            *value = (all * i32::from(count) - inside * total) as f32 / product as f32;
        }
    }

    /// With centred outcomes the sum outside is minus the sum inside, s: the difference of means is s M / (n_in n_out).
    fn from_products(&self, sums: &[f32], values: &mut [f32]) {
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
    /// infl_ij, (N).
    pub values: &'a [f32],
    /// Hard form only: number of models that hold i and are right about j, (N), and number that are right about j.
    counted: Option<(&'a [u16], u32)>,
    spread: f64,
    design: &'a Design,
}

impl Row<'_> {
    /// Standard error of infl_ij.
    ///
    /// With complementary blocks infl_ij = mean over blocks of +-d_b(j), d_b the difference between the block's two models and
    /// the sign says which of them holds i. Squares lose the sign, so the variance of the mean is
    /// (mean_b d_b^2 - infl_ij^2) / (B - 1). Without blocks it is that of a difference of two means with pooled variance (own).
    pub fn standard_error(&self, example: usize) -> f64 {
        let v = f64::from(self.values[example]);
        ((self.spread * self.weight(example) - v * v).max(0.0) / self.design.degrees()).sqrt()
    }

    /// 95 % interval of infl_ij. Hard form: Bonett and Price's for matched pairs in complementary blocks, Agresti and Caffo's elsewhere,
    /// which have a width even where all models agree; soft form: Student's t.
    ///
    /// # Errors
    /// Fewer than two blocks, or three models.
    pub fn interval(&self, example: usize) -> Result<Interval, Error> {
        let mean = f64::from(self.values[example]);
        let Some((counts, right)) = self.counted else {
            let half = student_t_critical(0.95, self.design.degrees())? * self.standard_error(example);
            return Ok(Interval { mean, low: mean - half, high: mean + half });
        };
        let (both, inside) = (u64::from(counts[example]), self.design.inside[example] as u64);
        let (right, all) = (u64::from(right), self.design.models as u64);
        Ok(match self.disagreeing() {
            Some(d) => {
                let plus = (u64::from(d) + 2 * both - right) / 2;
                matched_difference(plus, u64::from(d) - plus, all / 2, 0.95)?
            }
            None => independent_difference((both, inside), (right - both, all - inside), 0.95)?,
        })
    }

    /// 1 in blocks, M / (n_in n_out) elsewhere.
    fn weight(&self, example: usize) -> f64 {
        if self.design.pairs.is_some() { 1.0 } else { self.design.models as f64 / f64::from(self.design.products[example]) }
    }

    /// The value above which influence on this test example exceeds `errors` of its own standard errors.
    fn cut(&self, example: usize, errors: f64) -> f32 {
        let z = errors * errors;
        (z * self.spread * self.weight(example) / (self.design.degrees() + z)).sqrt() as f32
    }

    /// Influence entropy (own definition): with q_i = infl_ij / sum of the infl_ij that exceed `errors` standard errors,
    /// -sum q_i log q_i over those, in nats. `errors` 0 takes every positive one. `None` where there is none: no measurable influence.
    pub fn entropy(&self, errors: f64) -> Option<f64> {
        let uniform = self.design.pairs.is_some();
        let common = self.cut(0, errors);
        let (mut sum, mut logs, mut any) = (0.0, 0.0, false);
        for (i, &v) in self.values.iter().enumerate() {
            if v > 0.0 && v > if uniform { common } else { self.cut(i, errors) } {
                let v = f64::from(v);
                sum += v;
                logs += v * libm::log(v);
                any = true;
            }
        }
        // -sum (v/s) log(v/s) = log s - (sum v log v) / s.
        any.then(|| (libm::log(sum) - logs / sum).max(0.0))
    }

    /// The `most` examples of largest positive influence, largest first; the earlier example where they are equal.
    pub fn top(&self, most: usize) -> Vec<(u32, f32)> {
        let mut kept: Vec<(u32, f32)> = Vec::with_capacity(most + 1);
        let mut floor = 0.0;
        for (i, &v) in self.values.iter().enumerate() {
            if v > floor && most > 0 {
                let at = kept.partition_point(|k| k.1 >= v);
                kept.insert(at, (i as u32, v));
                kept.truncate(most);
                if kept.len() == most {
                    floor = kept[most - 1].1;
                }
            }
        }
        kept
    }

    /// Number of `examples` whose influence is at least `least`.
    pub fn at_least(&self, least: f32, examples: &[u32]) -> usize {
        examples.iter().filter(|&&i| self.values[i as usize] >= least).count()
    }

    /// Hard form: for every example, (n_in, models that hold it and are right), and the number of models that are right at all.
    pub(crate) fn counted(&self) -> Option<(&[i32], &[u16], u32)> {
        self.counted.map(|(counts, total)| (self.design.inside.as_slice(), counts, total))
    }

    /// In blocks, the number of them whose two models disagree about the test example (hard form).
    pub(crate) fn disagreeing(&self) -> Option<u32> {
        self.design.pairs.as_ref().map(|p| (self.spread * p.len() as f64).round() as u32)
    }
}
