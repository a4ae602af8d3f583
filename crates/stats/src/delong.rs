//! The error of one model's AUC over its examples.

use crate::error::{Error, check_finite};
use crate::moments::{mean, variance};

/// Share of sorted values below one, ties half: for the non-members' scores and a member's, its part of the AUC.
pub fn share_below(sorted: &[f64], value: f64) -> f64 {
    let (low, high) = (sorted.partition_point(|v| *v < value), sorted.partition_point(|v| *v <= value));
    0.5 * (low + high) as f64 / sorted.len() as f64
}

/// The AUC of scores and its standard error over examples, as if these were independent: sqrt(s10^2 / m + s01^2 / n), with the variances (ddof 1) of
/// the share of n non-members below each of m members and of the share of members above each non-member, ties half (DeLong, DeLong &
/// Clarke-Pearson 1988, Biometrics 44).
///
/// # Errors
/// Lengths that differ, a score that is not a number, fewer than two examples of either side.
pub fn delong(scores: &[f64], member: &[bool]) -> Result<(f64, f64), Error> {
    if scores.len() != member.len() {
        let (left, right) = (scores.len(), member.len());
        return Err(Error::LengthMismatch { what: "scores and membership labels", left, right });
    }
    if let Some(index) = scores.iter().position(|s| s.is_nan()) {
        return Err(Error::NanScore { index });
    }
    let side = |wanted: bool| {
        let mut own: Vec<f64> = scores.iter().zip(member).filter(|(_, m)| **m == wanted).map(|(s, _)| *s).collect();
        own.sort_unstable_by(f64::total_cmp);
        own
    };
    let (members, others) = (side(true), side(false));
    let few = members.len().min(others.len());
    if few < 2 {
        return Err(Error::TooFew { what: "examples of one side", found: few, needed: 2 });
    }
    let of_members: Vec<f64> = members.iter().map(|s| share_below(&others, *s)).collect();
    let of_others: Vec<f64> = others.iter().map(|s| 1.0 - share_below(&members, *s)).collect();
    let spread = variance(&of_members, 1) / members.len() as f64 + variance(&of_others, 1) / others.len() as f64;
    check_finite("spread of an auc", &[spread])?;
    Ok((mean(&of_members), spread.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_all_pairs_counted_in_numpy() {
        // numpy: psi = (x[:, None] > y) + .5 * (x[:, None] == y); var(psi.mean(1), ddof=1) / m + var(psi.mean(0), ddof=1) / n
        let scores = [2.0, 1.0, 3.0, 2.0, 0.5, 1.0, 2.0, -1.0, 0.5, 1.5];
        let member = [true, true, true, true, true, false, false, false, false, false];
        let (auc, error) = delong(&scores, &member).unwrap();
        assert!((auc - AUC).abs() < 1e-15 && (error - ERROR).abs() < 1e-15, "{auc} {error}");
    }

    #[test]
    fn a_perfect_separation_has_no_error_and_one_side_alone_none_at_all() {
        assert_eq!(delong(&[3.0, 2.0, 1.0, 0.0], &[true, true, false, false]).unwrap(), (1.0, 0.0));
        assert!(delong(&[1.0, 2.0, 3.0], &[true, false, false]).is_err());
        assert!(delong(&[1.0, f64::NAN], &[true, false]).is_err());
    }

    const AUC: f64 = 0.72;
    const ERROR: f64 = 0.17262676501632068;
}
