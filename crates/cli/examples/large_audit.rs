//! Times scores, AUC and TPR of every attack that follows from phi, for every target of a large pool: `large_audit PHI.npy MEMBERSHIP.npy
//! [WORKERS]`. Intervals and thresholds, which `flatleak audit`
//! computes too, are not part of it.
#![allow(clippy::print_stdout)]

mod brought;

use flatleak_results::FPR_LEVELS;
use std::time::Instant;

use flatleak_attack::Attack;
use flatleak_stats::{Ranking, parallel};
use flatleak_verdict::scores;

const ATTACKS: [&str; 13] = [
    "confidence",
    "attack-r",
    "calibrated-loss",
    "lira-online",
    "lira-online-fixed",
    "lira-online-fixed(centre=mean)",
    "lira-offline",
    "lira-offline-fixed",
    "lira-offline-two-sided",
    "lira-offline-two-sided-fixed",
    "rmia",
    "rmia-offline",
    "base",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [phi, membership, rest @ ..] = arguments.as_slice() else { return Err("name phi and membership".into()) };
    let workers = rest.first().map_or(Ok(2), |w| w.parse())?;
    let started = Instant::now();
    let pool = brought::pool(phi, membership)?;
    let read = started.elapsed().as_secs_f64();
    let attacks = ATTACKS.iter().map(|name| name.parse()).collect::<Result<Vec<Attack>, _>>()?;
    let found = parallel::map(ATTACKS.len(), workers, |k| {
        let started = Instant::now();
        let all = scores(&pool, attacks[k]).map_err(|e| e.to_string())?;
        let scored = started.elapsed().as_secs_f64();
        let mut ranking = Ranking::default();
        let mut sums = [0.0; 1 + FPR_LEVELS.len()];
        for (m, row) in all.iter().enumerate() {
            ranking.rebuild(row, pool.membership.row(m)).map_err(|e| e.to_string())?;
            sums[0] += ranking.auc();
            for (sum, level) in sums[1..].iter_mut().zip(FPR_LEVELS) {
                *sum += ranking.tpr_at(level).tpr;
            }
        }
        let n = all.len() as f64;
        Ok::<_, String>((scored, started.elapsed().as_secs_f64() - scored, sums.map(|s| s / n)))
    });
    let total = started.elapsed().as_secs_f64();
    for (attack, found) in ATTACKS.iter().zip(found) {
        let (scored, ranked, [auc, tprs @ ..]) = found?;
        println!(
            "{:<34} scores {scored:6.2} s  ranking {ranked:6.2} s  AUC {auc:.4}  TPR {tprs:.4?}",
            (*attack).to_owned()
        );
    }
    println!(
        "{} attacks, {} models x {} examples: read {read:.1} s, {total:.1} s in all",
        ATTACKS.len(),
        pool.membership.models(),
        pool.examples()
    );
    Ok(())
}
