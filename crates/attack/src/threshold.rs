//! Class-dependent thresholds learnt on shadows (Song & Mittal 2021, arXiv 2003.10595).

use crate::Lineup;

/// The signal minus the threshold of the example's class. The threshold of a target's class is the observed shadow
/// value t that maximises (TPR + TNR) / 2 of "signal >= t means member" over the shadows' examples of that
/// class; of equals the lowest. The ROC of the difference is this project's own reading.
pub(crate) fn per_class(lineup: &Lineup<'_>) -> Vec<Vec<f64>> {
    let classes = lineup.labels.iter().max().map_or(0, |c| *c as usize + 1);
    // Sorted once: leaving a block out is a walk that skips its models.
    let mut by_class: Vec<Vec<(f64, bool, usize)>> = vec![Vec::new(); classes];
    for seat in &lineup.seats {
        for ((&v, &m), &c) in seat.values.iter().zip(seat.member).zip(lineup.labels) {
            by_class[c as usize].push((v, m, seat.block));
        }
    }
    for values in &mut by_class {
        values.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    }
    let thresholds: Vec<Vec<f64>> =
        lineup.blocks().iter().map(|&block| by_class.iter().map(|values| best(values, block)).collect()).collect();
    lineup
        .seats
        .iter()
        .map(|seat| {
            let at = lineup.blocks().binary_search(&seat.block).unwrap_or(0);
            seat.values.iter().zip(lineup.labels).map(|(v, &c)| v - thresholds[at][c as usize]).collect()
        })
        .collect()
}

/// The best threshold over values sorted downwards, without those of `block`; 0 where a side is empty.
fn best(values: &[(f64, bool, usize)], block: usize) -> f64 {
    let kept = || values.iter().filter(|v| v.2 != block);
    let members = kept().filter(|v| v.1).count() as i64;
    let others = kept().count() as i64 - members;
    if members == 0 || others == 0 {
        return 0.0;
    }
    // TPR - FPR over a common denominator, in exact integers.
    let (mut gap, mut top, mut threshold) = (0i64, i64::MIN, 0.0);
    let mut walk = kept().peekable();
    while let Some(&(v, member, _)) = walk.next() {
        gap += if member { others } else { -members };
        let last_of_ties = walk.peek().is_none_or(|next| next.0 < v);
        if last_of_ties && gap >= top {
            (top, threshold) = (gap, v);
        }
    }
    threshold
}
