//! Accuracy per known group of examples: where atypical examples are marked, who gets them right?

use flatleak_pool::{Groups, Pool, Signals};

use crate::recipe::over_blocks;
use crate::{Error, Estimate, GroupResult};

/// What is measured of a group.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Test,
    Member,
    NonMember,
}

impl Side {
    fn metric(self, group: &str) -> String {
        let side = match self {
            Self::Test => "test",
            Self::Member => "member",
            Self::NonMember => "non-member",
        };
        format!("{side}-accuracy[{group}]")
    }
}

/// Accuracy of each block on one side of one group, over both models and all their examples; `None` where a block has no such
/// example.
fn by_block(pool: &Pool, groups: &Groups, group: u32, side: Side) -> Option<Vec<f64>> {
    let m = &pool.membership;
    let mut hits = vec![0u64; m.blocks()];
    let mut all = hits.clone();
    for model in 0..m.models() {
        let mut count = |signals: &Signals, of: &[u32], keep: &dyn Fn(usize) -> bool| {
            for (_, correct) in signals.correct.iter().enumerate().filter(|(i, _)| of[*i] == group && keep(*i)) {
                hits[m.block(model)] += u64::from(*correct);
                all[m.block(model)] += 1;
            }
        };
        match side {
            Side::Test => count(&pool.test[model], &groups.test, &|_| true),
            Side::Member => count(&pool.pool[model], &groups.pool, &|i| m.row(model)[i]),
            Side::NonMember => count(&pool.pool[model], &groups.pool, &|i| !m.row(model)[i]),
        }
    }
    hits.iter().zip(&all).map(|(h, n)| (*n > 0).then(|| *h as f64 / *n as f64)).collect()
}

/// One entry per group that the pool holds; none where the data has no groups.
pub(crate) fn results(pool: &Pool, seed: u64) -> Result<Vec<GroupResult>, Error> {
    let Some(groups) = &pool.groups else { return Ok(Vec::new()) };
    let mut out = Vec::new();
    for (group, name) in (0u32..).zip(&groups.names) {
        let count = |of: &[u32]| of.iter().filter(|g| **g == group).count();
        let estimate = |side: Side| -> Result<Option<Estimate>, Error> {
            by_block(pool, groups, group, side).map(|v| Ok(over_blocks(&v, seed)?.into())).transpose()
        };
        let Some(member_accuracy) = estimate(Side::Member)? else { continue };
        let Some(non_member_accuracy) = estimate(Side::NonMember)? else { continue };
        out.push(GroupResult {
            name: name.clone(),
            pool: count(&groups.pool),
            test: count(&groups.test),
            test_accuracy: estimate(Side::Test)?,
            member_accuracy,
            non_member_accuracy,
        });
    }
    Ok(out)
}

/// Accuracies on unseen examples per group, by metric name, one value per block.
pub(crate) fn properties(pool: &Pool) -> Vec<(String, Vec<f64>)> {
    let Some(groups) = &pool.groups else { return Vec::new() };
    let mut out = Vec::new();
    for (group, name) in (0u32..).zip(&groups.names) {
        for side in [Side::Test, Side::NonMember] {
            out.extend(by_block(pool, groups, group, side).map(|values| (side.metric(name), values)));
        }
    }
    out
}
