//! Times the scores of attacks for every target of a pool, intervals and ranks left out: `score_speed PHI.npy MEMBERSHIP.npy WORKERS ATTACK...`.
//! One JSON line per attack, and one for all of them side by side. One attack runs on one thread; `WORKERS` counts attacks that run at once.
//! `lira-online-fixed@official` is the variant of the published code. `ranked` times hold the AUC of every target too.
#![allow(clippy::print_stdout)]

mod brought;

use std::time::Instant;

use flatleak_attack::{Attack, FixedVariance};
use flatleak_pool::Pool;
use flatleak_stats::{Ranking, parallel};
use flatleak_verdict::scores;

type Failure = Box<dyn std::error::Error>;

/// Shortest time that a measurement takes, in seconds: the processor's clock counts hundredths.
const SHORTEST: f64 = 1.0;
/// Targets whose AUCs are printed one by one.
const FIRST: usize = 4;

/// Seconds of processor time that all threads of this process have taken, from Linux's /proc.
fn processor() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no name in /proc/self/stat")?;
    let ticks: Vec<f64> = fields.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / 100.0)
}

/// Wall and processor seconds of one call, over as many calls as take a second; the first call is not counted.
fn seconds(call: &dyn Fn() -> Result<(), Failure>) -> Result<(f64, f64), Failure> {
    call()?;
    let (started, before) = (Instant::now(), processor()?);
    let mut calls = 0.0;
    while started.elapsed().as_secs_f64() < SHORTEST {
        call()?;
        calls += 1.0;
    }
    Ok((started.elapsed().as_secs_f64() / calls, (processor()? - before) / calls))
}

/// AUC of every target.
fn aucs(pool: &Pool, attack: Attack) -> Result<Vec<f64>, Failure> {
    let mut ranking = Ranking::default();
    let mut all = Vec::new();
    for (m, row) in scores(pool, attack)?.iter().enumerate() {
        ranking.rebuild(row, pool.membership.row(m))?;
        all.push(ranking.auc());
    }
    Ok(all)
}

/// An attack by its name, behind which `@official` may stand.
fn attack(name: &str) -> Result<Attack, Failure> {
    match name.strip_suffix("@official") {
        Some(plain) => Ok(plain.parse::<Attack>()?.with_variance(FixedVariance::Official)),
        None => Ok(name.parse()?),
    }
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [phi, membership, workers, names @ ..] = arguments.as_slice() else {
        return Err("name phi, membership, workers and attacks".into());
    };
    let workers = workers.parse()?;
    let pool = brought::pool(phi, membership)?;
    let attacks = names.iter().map(|name| attack(name)).collect::<Result<Vec<_>, _>>()?;
    for (name, attack) in names.iter().zip(&attacks) {
        let (wall, cpu) = seconds(&|| scores(&pool, *attack).map(drop).map_err(Into::into))?;
        let (ranked_wall, ranked_cpu) = seconds(&|| aucs(&pool, *attack).map(drop))?;
        let all = aucs(&pool, *attack)?;
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let first = &all[..FIRST.min(all.len())];
        print!(r#"{{"attack": "{name}", "wall_s": {wall}, "cpu_s": {cpu}, "#);
        print!(r#""ranked_wall_s": {ranked_wall}, "ranked_cpu_s": {ranked_cpu}, "#);
        println!(r#""targets": {}, "auc": {mean}, "auc_first": {first:?}}}"#, all.len());
    }
    let (wall, cpu) = seconds(&|| {
        let found = parallel::map(attacks.len(), workers, |k| scores(&pool, attacks[k]).map(drop));
        Ok(found.into_iter().collect::<Result<(), _>>()?)
    })?;
    println!(r#"{{"attack": "{}", "wall_s": {wall}, "cpu_s": {cpu}}}"#, names.join(" + "));
    Ok(())
}
