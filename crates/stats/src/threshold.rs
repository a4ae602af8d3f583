//! The best threshold over the scores of many targets at once.

use crate::error::Error;
use crate::roc::{key_of, score_of};

/// Bits of a score's key that choose its bucket: sign, exponent and six digits of the mantissa.
const BITS: u32 = 18;

/// Scores at or above which members and non-members are counted.
#[derive(Clone, Copy, Default)]
struct Counts {
    members: u32,
    others: u32,
}

/// The score that, as a threshold, maximises (TPR + TNR) / 2 over all of `targets`, each its scores and who is a member (Song & Mittal
/// 2021, arXiv 2003.10595); the lowest of several. What [`Ranking::best_threshold`](crate::Ranking::best_threshold) gives for one target.
///
/// All scores are counted into buckets first. Only buckets in which the best can lie are sorted, so that millions of scores cost two walks
/// and no copy.
///
/// # Errors
/// Different lengths, a NaN score, no members or no non-members.
pub fn best_threshold<'a>(targets: impl Iterator<Item = (&'a [f64], &'a [bool])> + Clone) -> Result<f64, Error> {
    let mut buckets = vec![Counts::default(); 1 << BITS];
    for (scores, member) in targets.clone() {
        if scores.len() != member.len() {
            let (left, right) = (scores.len(), member.len());
            return Err(Error::LengthMismatch { what: "scores and membership labels", left, right });
        }
        if let Some(index) = scores.iter().position(|s| s.is_nan()) {
            return Err(Error::NanScore { index });
        }
        for (&score, &member) in scores.iter().zip(member) {
            let bucket = &mut buckets[bucket_of(key_of(score))];
            bucket.members += u32::from(member);
            bucket.others += u32::from(!member);
        }
    }
    let total = |side: fn(&Counts) -> u32| buckets.iter().map(|b| u64::from(side(b))).sum::<u64>() as i64;
    let (members, others) = (total(|b| b.members), total(|b| b.others));
    if members == 0 || others == 0 {
        return Err(Error::OneClass { members: members as usize, non_members: others as usize });
    }
    // Keys ascend as scores descend. The gap (TPR - FPR) at the end of a bucket is reached by a score; within one it exceeds that at
    // its start by its members at most.
    let walk = |visit: &mut dyn FnMut(usize, i64, i64)| {
        let mut gap = 0;
        for (k, b) in buckets.iter().enumerate().filter(|(_, b)| b.members + b.others > 0) {
            let start = gap;
            gap += i64::from(b.members) * others - i64::from(b.others) * members;
            visit(k, start, gap);
        }
    };
    let mut least = i64::MIN;
    walk(&mut |_, _, end| least = least.max(end));
    let mut starts = Vec::new();
    let mut chosen = vec![false; 1 << BITS];
    walk(&mut |k, start, _| {
        if start + i64::from(buckets[k].members) * others >= least {
            starts.push((k, start));
            chosen[k] = true;
        }
    });
    let mut keys: Vec<(u64, bool)> = Vec::new();
    for (scores, member) in targets {
        let found = scores.iter().zip(member).map(|(s, m)| (key_of(*s), *m));
        keys.extend(found.filter(|(key, _)| chosen[bucket_of(*key)]));
    }
    keys.sort_unstable();
    let (mut best, mut threshold) = (i64::MIN, f64::NAN);
    let mut rest = keys.as_slice();
    for (k, start) in starts {
        let (own, behind) = rest.split_at(rest.partition_point(|(key, _)| bucket_of(*key) <= k));
        rest = behind;
        let mut gap = start;
        for (at, (key, member)) in own.iter().enumerate() {
            gap += if *member { others } else { -members };
            let last_of_ties = own.get(at + 1).is_none_or(|next| next.0 != *key);
            if last_of_ties && gap >= best {
                (best, threshold) = (gap, score_of(*key));
            }
        }
    }
    Ok(threshold)
}

fn bucket_of(key: u64) -> usize {
    (key >> (u64::BITS - BITS)) as usize
}

#[cfg(test)]
mod tests {
    use flatleak_stream::{Purpose, Stream};

    use super::*;
    use crate::Ranking;

    #[test]
    fn buckets_find_what_a_full_sort_finds() {
        let mut stream = Stream::new(4, Purpose::Simulation, 0, 0);
        for case in 0..300 {
            let n = 2 + stream.below(400) as usize;
            let shift = f64::from(stream.below(4)) * 0.4;
            // Ties, infinities and both zeros among them.
            let draw = |stream: &mut Stream, member: bool| match (case % 4, stream.below(12)) {
                (0, _) => f64::from(stream.below(5)) - 2.0,
                (1, 0) => f64::INFINITY,
                (1, 1) => f64::NEG_INFINITY,
                (2, 0) => -0.0,
                (2, 1) => 0.0,
                _ => stream.normal() + if member { shift } else { 0.0 },
            };
            let mut member: Vec<bool> = (0..n).map(|_| stream.coin()).collect();
            (member[0], member[1]) = (true, false);
            let scores: Vec<f64> = member.iter().map(|m| draw(&mut stream, *m)).collect();
            let cut = stream.below(n as u32) as usize;
            let parts = [(&scores[..cut], &member[..cut]), (&scores[cut..], &member[cut..])];
            let whole = Ranking::new(&scores, &member).unwrap().best_threshold();
            assert_eq!(best_threshold(parts.into_iter()).unwrap(), whole, "case {case}");
        }
        assert!(best_threshold([(&[1.0, f64::NAN][..], &[true, false][..])].into_iter()).is_err());
        assert!(best_threshold([(&[1.0, 2.0][..], &[true, true][..])].into_iter()).is_err());
        assert!(best_threshold([(&[1.0][..], &[true, false][..])].into_iter()).is_err());
    }
}
