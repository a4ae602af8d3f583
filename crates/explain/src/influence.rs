//! Influence of every pool example on every held-out one (Feldman & Zhang 2020, arXiv 2008.03703, eq. 2 over random subsets;
//! book/methods/explanation.md#influence).
//!
//! infl_ij = mean of c_k(j) over the models k that were trained on i, minus its mean over the others; c is whether model k is
//! right about test example j (hard) or its confidence in the label (soft). All N x T pairs are computed and handed over row by
//! row, never held together. The hard form counts bits; the soft one is a matrix product with the 0/1 membership.

use flatleak_kernel::{Mat, bits, gemm};
use flatleak_pool::Rows;
use flatleak_stats::parallel;

use crate::Error;
use crate::design::{Design, PANEL};
use crate::row::{Content, Row};

/// Test examples that one thread handles together.
const CHUNK: usize = 64;

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
    /// Of right predictions, by counting bits; 0 or 1, (M, T).
    ///
    /// # Errors
    /// Another number of models than the design has.
    pub fn hard(design: &'a Design, correct: Rows<'_, u8>) -> Result<Self, Error> {
        let tests = check(design, correct)?;
        let words = design.models.div_ceil(64);
        let mut bits = vec![0u64; tests * words];
        let mut total = vec![0i32; tests];
        for (k, row) in correct.into_iter().enumerate() {
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
    /// Another number of models than the design has.
    pub fn hard_by_product(design: &'a Design, correct: Rows<'_, u8>) -> Result<Self, Error> {
        let tests = check(design, correct)?;
        let values = correct.into_iter().flat_map(|row| row.iter().map(|c| f32::from(*c))).collect();
        let total = (0..tests).map(|j| correct.into_iter().map(|row| i32::from(row[j])).sum()).collect();
        let spread = spread(design, tests, correct);
        Ok(Self { design, outcomes: Outcomes::RightAsNumbers { values, total }, spread, tests })
    }

    /// Of confidences, by a matrix product in f32; (M, T).
    ///
    /// # Errors
    /// Another number of models than the design has.
    pub fn soft(design: &'a Design, confidence: Rows<'_>) -> Result<Self, Error> {
        let tests = check(design, confidence)?;
        let contrasts = match design.pairs() {
            Some(pairs) => pairs
                .iter()
                .flat_map(|&[a, b]| confidence.row(a).iter().zip(confidence.row(b)).map(|(x, y)| (x - y) as f32))
                .collect(),
            None => {
                let mut mean = vec![0.0; tests];
                for row in confidence {
                    mean.iter_mut().zip(row).for_each(|(m, v)| *m += v / design.models as f64);
                }
                confidence.into_iter().flat_map(|row| row.iter().zip(&mean).map(|(v, m)| (v - m) as f32)).collect()
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

/// One row per model, whose length is returned.
fn check<T>(design: &Design, rows: Rows<'_, T>) -> Result<usize, Error> {
    if rows.len() != design.models {
        return Err(Error::Size { what: "rows of outcomes", found: rows.len(), expected: design.models });
    }
    Ok(rows.columns())
}

/// In blocks the mean over blocks of the squared difference between the two models; elsewhere the sum over models of squared
/// distances from their mean.
fn spread<V: Copy + Into<f64>>(design: &Design, tests: usize, rows: Rows<'_, V>) -> Vec<f64> {
    let mut out = vec![0.0; tests];
    match design.pairs() {
        Some(pairs) => {
            for &[a, b] in pairs {
                for ((to, x), y) in out.iter_mut().zip(rows.row(a)).zip(rows.row(b)) {
                    let d: f64 = (*x).into() - (*y).into();
                    *to += d * d;
                }
            }
            out.iter_mut().for_each(|v| *v /= pairs.len() as f64);
        }
        None => {
            let mut mean = vec![0.0; tests];
            for row in rows {
                mean.iter_mut().zip(row).for_each(|(m, v)| *m += (*v).into() / rows.len() as f64);
            }
            for row in rows {
                for ((to, v), m) in out.iter_mut().zip(row).zip(&mean) {
                    let d: f64 = (*v).into() - m;
                    *to += d * d;
                }
            }
        }
    }
    out
}
