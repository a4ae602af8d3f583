//! How values become network inputs, learnt on the pool alone.

use crate::raw::Values;

/// How the values of a data set become inputs.
#[derive(Clone, Debug, PartialEq)]
pub enum Scaling {
    /// One mean and deviation over all pixels.
    Pixels(Normalisation),
    /// (value - mean) / std, column by column; std 1 where a column is constant.
    Columns {
        /// Mean of each column over the pool.
        mean: Vec<f64>,
        /// Standard deviation of each column over the pool (divisor n).
        std: Vec<f64>,
    },
    /// As they are: a table of nothing but 0 and 1.
    Binary,
}

impl Scaling {
    /// The scaling that the pool's values call for; `features` values an example.
    pub fn measure(values: &Values, features: usize) -> Self {
        let table = match values {
            Values::Pixels(bytes) => return Self::Pixels(Normalisation::measure(bytes)),
            Values::Table(table) => table,
        };
        if table.iter().all(|v| *v == 0.0 || *v == 1.0) {
            return Self::Binary;
        }
        let n = (table.len() / features.max(1)).max(1) as f64;
        let mut mean = vec![0.0; features];
        for row in table.chunks_exact(features) {
            mean.iter_mut().zip(row).for_each(|(m, v)| *m += f64::from(*v) / n);
        }
        let mut std = vec![0.0; features];
        for row in table.chunks_exact(features) {
            for ((s, m), v) in std.iter_mut().zip(&mean).zip(row) {
                *s += (f64::from(*v) - m).powi(2) / n;
            }
        }
        let std = std.into_iter().map(|v: f64| if v > 0.0 { v.sqrt() } else { 1.0 }).collect();
        Self::Columns { mean, std }
    }

    /// The inputs that `values` become; pixels that do not fit a column scaling, and the reverse, cannot come from one
    /// source and are taken as they are.
    pub fn apply(&self, values: Values) -> Vec<f32> {
        match (self, values) {
            (Self::Pixels(normalisation), Values::Pixels(bytes)) => {
                let table: [f32; 256] = std::array::from_fn(|b| normalisation.apply(b as u8));
                bytes.iter().map(|&b| table[usize::from(b)]).collect()
            }
            (Self::Columns { mean, std }, Values::Table(mut table)) => {
                for row in table.chunks_exact_mut(mean.len().max(1)) {
                    for ((v, m), s) in row.iter_mut().zip(mean).zip(std) {
                        *v = ((f64::from(*v) - m) / s) as f32;
                    }
                }
                table
            }
            (_, Values::Table(table)) => table,
            (_, Values::Pixels(bytes)) => bytes.into_iter().map(f32::from).collect(),
        }
    }
}

/// How bytes become inputs: (byte/255 - mean) / std.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalisation {
    /// Mean of byte/255 over all pixels of the pool.
    pub mean: f64,
    /// Standard deviation of byte/255 over all pixels of the pool (divisor n); 1 where all are equal.
    pub std: f64,
}

impl Normalisation {
    /// Mean and standard deviation of `bytes`.
    ///
    /// Both sums are exact integers, so the result does not depend on the order of summation.
    pub fn measure(bytes: &[u8]) -> Self {
        let n = bytes.len().max(1) as u128;
        let sum: u128 = bytes.iter().map(|&b| u64::from(b)).sum::<u64>().into();
        let squares: u128 = bytes.iter().map(|&b| u64::from(b) * u64::from(b)).sum::<u64>().into();
        // n^2 times the variance, never negative.
        let spread = n * squares - sum * sum;
        let n = n as f64;
        let std = (spread as f64).sqrt() / n / 255.0;
        Self { mean: sum as f64 / n / 255.0, std: if std > 0.0 { std } else { 1.0 } }
    }

    /// The input that `byte` becomes.
    pub fn apply(&self, byte: u8) -> f32 {
        ((f64::from(byte) / 255.0 - self.mean) / self.std) as f32
    }

    /// The byte that `value` came from; values between or beyond bytes go to the nearest.
    pub fn invert(&self, value: f32) -> u8 {
        ((f64::from(value) * self.std + self.mean) * 255.0).round() as u8
    }
}
