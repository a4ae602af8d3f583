//! Correction for several tests at once.

/// Benjamini and Hochberg's adjusted p-values of many tests that share few distinct p-values: `p` holds (p-value,
/// number of tests that have it), in any order; the result has one value per entry.
///
/// With m tests in all and r(p) of them at or below p: q(p) = min over p' >= p of min(1, p' m / r(p')) (Benjamini &
/// Hochberg 1995). Calling everything with q <= alpha a discovery keeps the expected share of false ones at most alpha
/// for independent or positively dependent tests. A NaN counts as 1.
pub fn benjamini_hochberg(p: &[(f64, u64)]) -> Vec<f64> {
    let values: Vec<f64> = p.iter().map(|&(v, _)| if v.is_nan() { 1.0 } else { v }).collect();
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let all: u64 = p.iter().map(|(_, n)| n).sum();
    let mut rank = all;
    let mut smallest: f64 = 1.0;
    let mut adjusted = vec![1.0; p.len()];
    // From the largest p down; entries of equal p share the highest rank among them.
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]).collect::<Vec<_>>().into_iter().rev() {
        if rank > 0 {
            smallest = smallest.min(values[tied[0]] * all as f64 / rank as f64);
        }
        for &i in tied {
            adjusted[i] = smallest;
            rank -= p[i].1;
        }
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn false_discoveries_by_hand_and_as_r_has_them() {
        // p.adjust(c(.01, .02, .03, .04, .5), "BH"): .05 .05 .05 .05 .5
        let p = [(0.5, 1), (0.01, 1), (0.03, 1), (0.02, 1), (0.04, 1)];
        for (found, wanted) in benjamini_hochberg(&p).iter().zip([0.5, 0.05, 0.05, 0.05, 0.05]) {
            assert!((found - wanted).abs() < 1e-15);
        }
        // Multiplicities are the same as repetition.
        let many = benjamini_hochberg(&[(0.001, 2), (0.2, 3)]);
        let one = benjamini_hochberg(&[(0.001, 1), (0.001, 1), (0.2, 1), (0.2, 1), (0.2, 1)]);
        assert_eq!((many[0], many[1]), (one[0], one[2]));
        assert!((many[0] - 0.0025).abs() < 1e-15 && (many[1] - 0.2).abs() < 1e-15);
        assert_eq!(benjamini_hochberg(&[(f64::NAN, 4), (0.1, 0)])[0], 1.0);
    }
}
