//! Correction for several tests at once.

/// Holm's adjusted p-values, in the order of `p`.
///
/// With p sorted ascending, p~_(i) = max over j <= i of min(1, (n - j + 1) p_(j)) (Holm 1979). Rejecting where
/// p~ <= alpha keeps the chance of any false rejection in the family at most alpha, whatever the dependence
/// between the tests. A NaN is no evidence and counts as 1.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let values: Vec<f64> = p.iter().map(|&v| if v.is_nan() { 1.0 } else { v }).collect();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut adjusted = vec![0.0; values.len()];
    let mut largest: f64 = 0.0;
    for (rank, &index) in order.iter().enumerate() {
        largest = largest.max(values[index] * (values.len() - rank) as f64).min(1.0);
        adjusted[index] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiplies_by_the_tests_left_and_never_decreases() {
        assert_eq!(holm(&[0.25, 0.125, 0.1875]), [0.375, 0.375, 0.375]);
        assert_eq!(holm(&[0.5, 0.0625]), [0.5, 0.125]);
        assert_eq!(holm(&[0.75, 0.625]), [1.0, 1.0]);
        assert_eq!(holm(&[f64::NAN, 0.0625]), [1.0, 0.125]);
        assert!(holm(&[]).is_empty());
    }
}
