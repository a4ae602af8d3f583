//! Looks at a growing pool, with an error that is spent over them.

use crate::normal;

/// Blocks at which a growing pool may be looked at (own; METHODS section 10).
pub const LOOKS: [usize; 9] = [8, 12, 16, 24, 32, 48, 64, 96, 128];

/// The error that the look with so many blocks may spend of `alpha` in all: a(tau_j) - a(tau_(j-1)) with
/// a(tau) = 2 - 2 Phi(z_(1 - alpha/2) / sqrt(tau)), tau = B / 128, of O'Brien & Fleming's type (Lan & DeMets 1983). `None` for a number of blocks
/// at which nobody looks.
pub fn spent_at(blocks: usize, alpha: f64) -> Option<f64> {
    let at = LOOKS.iter().position(|b| *b == blocks)?;
    let last = LOOKS[LOOKS.len() - 1] as f64;
    let z = normal::quantile(1.0 - 0.5 * alpha);
    let spent = |blocks: usize| 2.0 - 2.0 * normal::cdf(z / (blocks as f64 / last).sqrt());
    let before = if at == 0 { 0.0 } else { spent(LOOKS[at - 1]) };
    Some(spent(blocks) - before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_looks_together_spend_alpha() {
        let all: f64 = LOOKS.iter().filter_map(|b| spent_at(*b, 0.05)).sum();
        assert!((all - 0.05).abs() < 1e-12);
        // scipy: 2 - 2 * norm.cdf(norm.ppf(.975) / sqrt(.25)) - (2 - 2 * norm.cdf(norm.ppf(.975) / sqrt(24 / 128)))
        assert!((spent_at(32, 0.05).unwrap() - 8.257_412_186_063e-5).abs() < 1e-15);
        assert_eq!(spent_at(10, 0.05), None);
    }
}
