//! Shadows of one recipe against targets of another: what an attacker loses who does not know the recipe.

use crate::comparison::are_paired;
use crate::error::Error;
use crate::scored::{Evidence, can_run};
use flatleak_attack::Attack;
use flatleak_pool::Pool;
use flatleak_results::Mismatch;
use flatleak_stats::{Ranking, moments, parallel};

/// The attacks that are crossed.
const CROSSED: [Attack; 2] = [Attack::LIRA, Attack::RMIA];

/// Every recipe's shadows against every recipe's targets (own; book/methods/attacks.md#mismatch). A target's block index is left out of the shadows
/// of every recipe: models of equal index share their membership (book/methods/membership.md#two-recipes). None where recipes do not share their
/// examples.
pub(crate) fn crossed(pools: &[&Pool], dataset: &str, workers: usize) -> Result<Vec<Mismatch>, Error> {
    let mut out = Vec::new();
    if pools.len() < 2 || pools.iter().any(|p| !are_paired(pools[0], p)) {
        return Ok(out);
    }
    for attack in CROSSED.into_iter().filter(|a| pools.iter().all(|p| can_run(p, *a))) {
        let evidence = pools.iter().map(|p| Evidence::new(p, attack)).collect::<Result<Vec<_>, _>>()?;
        let pairs: Vec<(usize, usize)> = (0..pools.len()).flat_map(|s| (0..pools.len()).map(move |t| (s, t))).collect();
        let found = parallel::map(pairs.len(), workers, |k| {
            let (shadows, targets) = pairs[k];
            auc(&evidence[shadows], &evidence[targets])
        });
        for (&(s, t), auc) in pairs.iter().zip(found) {
            let name = |r: usize| pools[r].recipe.clone();
            let (shadows, targets) = (name(s), name(t));
            out.push(Mismatch { dataset: dataset.into(), attack: attack.name(), shadows, targets, auc: auc? });
        }
    }
    Ok(out)
}

/// Mean AUC over the targets of one recipe, each block among the other recipe's other blocks.
fn auc(shadows: &Evidence<'_>, targets: &Evidence<'_>) -> Result<f64, Error> {
    let m = &shadows.pool.membership;
    let mut ranking = Ranking::default();
    let mut all = Vec::new();
    for block in m.block_ids() {
        let mut taken = vec![false; m.blocks()];
        taken[block.index()] = true;
        let scene = shadows.exchanged(targets, &taken)?;
        let scores = scene.score()?;
        for (seat, row) in scene.lineup().seats().iter().zip(&scores).filter(|(s, _)| s.block == block) {
            let scored = row.iter().zip(seat.member).filter(|(s, _)| !s.is_nan());
            let (scores, member): (Vec<f64>, Vec<bool>) = scored.map(|(s, m)| (*s, *m)).unzip();
            if member.contains(&true) && member.contains(&false) {
                ranking.rebuild(&scores, &member)?;
                all.push(ranking.auc());
            }
        }
    }
    Ok(moments::mean(&all))
}
