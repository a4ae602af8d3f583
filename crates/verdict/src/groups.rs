//! Known groups of examples: where atypical ones are marked, who gets them right, who learns them by heart, who gives them away?

use crate::error::Error;
use flatleak_pool::{Groups, Matrix, Pool, Signals};
use flatleak_results::{GroupProperty, Metric};
use flatleak_stats::Ranking;

use crate::judge::{Judge, Sheet};

/// FPR over all non-members at which a group's members are counted as found.
const LEVEL: f64 = 0.01;

/// Where a group's accuracy is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Where {
    Test,
    Member,
    NonMember,
}

/// Accuracy of each block on one side of one group, over both models and all their examples; `None` where a block has no such
/// example.
pub(crate) fn by_block(pool: &Pool, groups: &Groups, group: u32, side: Where) -> Option<Vec<f64>> {
    let m = &pool.membership;
    let mut hits = vec![0u64; m.blocks()];
    let mut all = hits.clone();
    for model in 0..m.models() {
        let mut count = |signals: &Signals, of: &[u32], keep: &dyn Fn(usize) -> bool| {
            for (_, correct) in signals.correct.iter().enumerate().filter(|(i, _)| of[*i] == group && keep(*i)) {
                hits[m.block(model).index()] += u64::from(*correct);
                all[m.block(model).index()] += 1;
            }
        };
        match side {
            Where::Test => count(&pool.test[model], &groups.test, &|_| true),
            Where::Member => count(&pool.pool[model], &groups.pool, &|i| m.row(model)[i]),
            Where::NonMember => count(&pool.pool[model], &groups.pool, &|i| !m.row(model)[i]),
        }
    }
    hits.iter().zip(&all).map(|(h, n)| (*n > 0).then(|| *h as f64 / *n as f64)).collect()
}

/// AUC and share found of one group, mean over targets.
pub(crate) type Leak = [f64; 2];

/// Leakage by unit and group, from all shadows and without each unit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leaks {
    /// By unit and group.
    pub(crate) whole: Matrix<Option<Leak>>,
    /// By deleted unit, unit and group; of attacks without shadows too.
    pub(crate) deleted: Vec<Matrix<Option<Leak>>>,
}

/// By unit and group: the AUC among the group's examples, and the share of its members found at the threshold that accuses 1 % of all
/// non-members. Mean over the unit's targets that have members and non-members in the group; `None` where none has.
pub(crate) fn leakage(judge: &Judge<'_>, sheet: &Sheet, groups: &Groups) -> Result<Matrix<Option<Leak>>, Error> {
    let mut sums = Matrix::filled(judge.units().len(), groups.names.len(), [0.0; 3]);
    let mut ranking = Ranking::default();
    let mut failed = None;
    judge.each_scored(sheet, |unit, scores, member, at| {
        let mut of_target = || -> Result<(), Error> {
            ranking.rebuild(scores, member)?;
            let threshold = ranking.tpr_at(LEVEL).threshold.unwrap_or(f64::INFINITY);
            for (group, sum) in (0u32..).zip(&mut sums[unit.index()]) {
                let own = at.iter().zip(scores).zip(member).filter(|((i, _), _)| groups.pool[**i] == group);
                let (values, mine): (Vec<f64>, Vec<bool>) = own.map(|((_, s), m)| (*s, *m)).unzip();
                let members = mine.iter().filter(|m| **m).count();
                if members == 0 || members == mine.len() {
                    continue;
                }
                let found = values.iter().zip(&mine).filter(|(v, m)| **m && **v >= threshold).count();
                ranking.rebuild(&values, &mine)?;
                *sum = [sum[0] + ranking.auc(), sum[1] + found as f64 / members as f64, sum[2] + 1.0];
            }
            Ok(())
        };
        if let Err(e) = of_target() {
            failed.get_or_insert(e);
        }
    });
    let mean = |[auc, tpr, n]: &[f64; 3]| (*n > 0.0).then(|| [auc / n, tpr / n]);
    failed.map_or_else(|| Ok(sums.map(mean)), Err)
}

/// Accuracies on unseen examples per group, one value per block.
pub(crate) fn properties(pool: &Pool) -> Vec<(Metric, Vec<f64>)> {
    let Some(groups) = &pool.groups else { return Vec::new() };
    let mut out = Vec::new();
    for (group, name) in (0u32..).zip(&groups.names) {
        let metric = |property| Metric::Group { property, group: name.clone() };
        let of = |side| by_block(pool, groups, group, side);
        for (side, property) in
            [(Where::Test, GroupProperty::TestAccuracy), (Where::NonMember, GroupProperty::NonMemberAccuracy)]
        {
            out.extend(of(side).map(|values| (metric(property), values)));
        }
        // A block has every example once in and once out: the difference is the mean memorization of the group by this block.
        if let Some((seen, unseen)) = of(Where::Member).zip(of(Where::NonMember)) {
            let values = seen.iter().zip(&unseen).map(|(a, b)| a - b).collect();
            out.push((metric(GroupProperty::Memorization), values));
        }
    }
    out
}
