//! How good naming the commonest class is.

use std::collections::HashMap;

/// Share of the way from naming the commonest class to perfection up to which nothing was learnt (own).
const LEARNT: f64 = 0.1;

/// Share of the commonest label; 1 without labels.
pub fn chance(labels: &[u32]) -> f64 {
    let mut counts: HashMap<u32, usize> = HashMap::new();
    labels.iter().for_each(|y| *counts.entry(*y).or_default() += 1);
    counts.values().max().map_or(1.0, |most| *most as f64 / labels.len() as f64)
}

/// The accuracy up to which a model is as good as naming the commonest class, whose share is `chance`.
pub fn as_good_as(chance: f64) -> f64 {
    chance + LEARNT * (1.0 - chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commonest_class_is_what_naming_one_class_gets() {
        assert_eq!(chance(&[2, 0, 2, 7]), 0.5);
        assert_eq!(chance(&[]), 1.0);
        assert!((as_good_as(0.5) - 0.55).abs() < 1e-12);
        assert_eq!(as_good_as(1.0), 1.0);
    }
}
