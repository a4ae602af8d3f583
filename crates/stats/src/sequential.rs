//! Looks at a growing pool, with an error that is spent over them.

/// Blocks at which a growing pool is looked at (own; book/methods/statistics.md#looks-at-a-growing-pool).
pub const LOOKS: [usize; 9] = [8, 12, 16, 24, 32, 48, 64, 96, 128];

/// The error that the look with so many blocks spends of `alpha` in all: alpha (B_j - B_(j-1)) / 128, so that every block spends the same (the
/// family of Kim & DeMets 1987, Biometrika 74, with exponent 1). By Bonferroni all looks together err with at most alpha. `None` for a number
/// of blocks at which nobody looks.
///
/// Boundaries of O'Brien & Fleming's type spend next to nothing before half of the blocks, and cost more blocks in every case that was simulated
/// (book/verdicts.md#checks).
pub fn spent_at(blocks: usize, alpha: f64) -> Option<f64> {
    let at = LOOKS.iter().position(|b| *b == blocks)?;
    let before = if at == 0 { 0 } else { LOOKS[at - 1] };
    Some(alpha * (blocks - before) as f64 / LOOKS[LOOKS.len() - 1] as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_looks_together_spend_alpha() {
        let all: f64 = LOOKS.iter().filter_map(|b| spent_at(*b, 0.05)).sum();
        assert!((all - 0.05).abs() < 1e-15);
        assert_eq!(
            (spent_at(8, 0.05), spent_at(12, 0.05), spent_at(128, 0.05)),
            (Some(0.003125), Some(0.0015625), Some(0.0125))
        );
        assert_eq!(spent_at(10, 0.05), None);
    }
}
