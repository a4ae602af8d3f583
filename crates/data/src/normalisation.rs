//! How bytes become network inputs.

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
