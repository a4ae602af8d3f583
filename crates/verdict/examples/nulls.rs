//! Does noise give nothing, and are unfair pools named?
//!
//! `cargo run --release -p flatleak-verdict --example nulls -- noise REPETITIONS [DESIGN...]`: outputs that have nothing to do with membership,
//! every attack and the blind one, over designs; per design and attack the mean AUC over repetitions with its distance from 1/2 in Monte Carlo
//! standard errors. Cells above 3 are repeated once with fresh seeds.
//!
//! `... -- unfair REPETITIONS`: members that differ by themselves, with nothing memorized: the AUC of confidence, of `strongest`, of the blind
//! attack, how often it beats chance, and the excess.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

mod simulated;

use flatleak_attack::Attack;
use flatleak_pool::{Membership, Pool, Signals};
use flatleak_stats::{Ranking, moments, parallel};
use flatleak_stream::{Purpose, Stream};
use flatleak_verdict::{can_run, compare, scores};

const EXAMPLES: usize = 160;
const CLASSES: usize = 4;

/// Rows of one design.
fn rows(design: &str, stream: &mut Stream) -> (Vec<Vec<bool>>, Option<Vec<u32>>) {
    let n = EXAMPLES;
    let coin = |rate: f64, stream: &mut Stream| stream.uniform(0.0, 1.0) < rate;
    let (kind, number) = design.split_once('-').unwrap();
    let number: usize = number.parse().unwrap();
    let half = |stream: &mut Stream| {
        let order = stream.permutation(n);
        let mut row = vec![false; n];
        order[..n / 2].iter().for_each(|&i| row[i as usize] = true);
        row
    };
    let rows = match kind {
        "pairs" => (0..number / 2)
            .flat_map(|_| {
                let row = half(stream);
                let twin = row.iter().map(|m| !m).collect();
                [row, twin]
            })
            .collect(),
        "folds" => (0..number / 5)
            .flat_map(|_| {
                let order = stream.permutation(n);
                let fold: Vec<usize> = (0..n).map(|i| order[i] as usize % 5).collect();
                (0..5).map(move |k| fold.iter().map(|f| *f != k).collect::<Vec<bool>>()).collect::<Vec<_>>()
            })
            .collect(),
        "halves" => {
            let holders: Vec<Vec<u32>> = (0..n).map(|_| stream.permutation(number)[..number / 2].to_vec()).collect();
            (0..number as u32).map(|m| holders.iter().map(|h| h.contains(&m)).collect()).collect()
        }
        "coins10" | "coins30" | "coins50" | "coins90" => {
            let rate = kind[5..].parse::<f64>().unwrap() / 100.0;
            (0..number).map(|_| (0..n).map(|_| coin(rate, stream)).collect()).collect()
        }
        "rates" => {
            (0..number).map(|_| (0..n).map(|i| coin(if i % 2 == 0 { 0.3 } else { 0.7 }, stream)).collect()).collect()
        }
        other => panic!("no design {other}"),
    };
    let rates = (kind == "rates").then(|| (0..n as u32).map(|i| i % 2).collect());
    (rows, rates)
}

/// A pool whose phi is what `phi(model, example)` says, with other classes' logits at random.
fn pool(membership: Membership, stream: &mut Stream, phi: impl Fn(usize, usize, &mut Stream) -> f64) -> Pool {
    let labels: Vec<u32> = (0..EXAMPLES as u32).map(|i| i % CLASSES as u32).collect();
    let mut signals = |model: usize| {
        let mut logits = Vec::new();
        for (i, y) in labels.iter().enumerate() {
            let mut row: Vec<f32> = (0..CLASSES).map(|_| stream.normal() as f32).collect();
            let rest: f64 =
                row.iter().enumerate().filter(|(j, _)| *j != *y as usize).map(|(_, v)| f64::from(v.exp())).sum();
            row[*y as usize] = (phi(model, i, stream) + rest.ln()) as f32;
            logits.extend(row);
        }
        Signals::from_logits(&logits, &labels, CLASSES).unwrap()
    };
    let outputs = (0..membership.models()).map(&mut signals).collect();
    simulated::pool(membership, labels, outputs)
}

fn within(scores: &[f64], m: &Membership, model: usize) -> Option<f64> {
    let strata = m.strata(m.block(model)).unwrap_or_else(|| vec![0; scores.len()]);
    let mut names = strata.clone();
    names.sort_unstable();
    names.dedup();
    let (mut won, mut all) = (0.0, 0.0);
    for name in names {
        let own = (0..scores.len()).filter(|&i| strata[i] == name && !scores[i].is_nan());
        let (values, member): (Vec<f64>, Vec<bool>) = own.map(|i| (scores[i], m.row(model)[i])).unzip();
        if let Ok(ranking) = Ranking::new(&values, &member) {
            let pairs = (ranking.members() * ranking.non_members()) as f64;
            (won, all) = (won + pairs * ranking.auc(), all + pairs);
        }
    }
    (all > 0.0).then(|| won / all)
}

/// Mean AUC of every attack in one repetition; none where a design leaves nobody to attack.
fn noise(design: &str, draw: u64, attacks: &[Attack]) -> Option<Vec<f64>> {
    let mut stream = Stream::new(draw, Purpose::Simulation, 3, 0);
    let (rows, rates) = rows(design, &mut stream);
    let mut membership = Membership::from_rows(rows).unwrap();
    if let Some(rates) = rates {
        membership = membership.with_rates(rates).unwrap();
    }
    let targets: Vec<usize> = (0..membership.models()).filter(|&k| membership.is_target(k)).collect();
    if targets.is_empty() || membership.blocks() < 3 {
        return None;
    }
    let level: Vec<f64> = (0..EXAMPLES).map(|_| 2.0 * stream.normal()).collect();
    let pool = pool(membership, &mut stream, |_, i, stream| level[i] + stream.normal());
    let of = |attack: &Attack| {
        let all = scores(&pool, *attack).unwrap();
        let found: Vec<f64> = targets.iter().filter_map(|&k| within(&all[k], &pool.membership, k)).collect();
        moments::mean(&found)
    };
    Some(attacks.iter().map(of).collect())
}

fn noises(repetitions: u64, designs: &[String]) {
    let known = |a: &Attack| !a.needs_features() && !a.needs_views() && !a.needs_population();
    let attacks: Vec<Attack> = flatleak_attack::all().into_iter().filter(known).collect();
    let default = [
        "pairs-6",
        "pairs-8",
        "pairs-16",
        "pairs-64",
        "folds-15",
        "folds-30",
        "halves-8",
        "halves-12",
        "halves-32",
        "coins10-24",
        "coins30-12",
        "coins50-6",
        "coins50-16",
        "coins50-64",
        "coins90-24",
        "rates-20",
    ];
    let designs: Vec<String> =
        if designs.is_empty() { default.iter().map(|d| (*d).to_owned()).collect() } else { designs.to_vec() };
    let mut worst = 0.0f64;
    println!(
        "| design | repetitions | attack farthest from 1/2 | mean AUC | standard errors | strongest | standard errors |"
    );
    println!("|---|---|---|---|---|---|---|");
    for design in designs {
        let n = if design.ends_with("-64") { repetitions / 5 } else { repetitions };
        let run = |from: u64| {
            let found = parallel::map(n as usize, 2, |d| noise(&design, from + d as u64, &attacks));
            let found: Vec<Vec<f64>> = found.into_iter().flatten().collect();
            let cell = |k: usize| {
                let all: Vec<f64> = found.iter().map(|f| f[k]).filter(|v| v.is_finite()).collect();
                let (mean, n) = (moments::mean(&all), all.len() as f64);
                (mean, (mean - 0.5) / (moments::variance(&all, 1) / n).sqrt().max(1e-12))
            };
            (found.len(), (0..attacks.len()).map(cell).collect::<Vec<_>>())
        };
        let (seen, mut cells) = run(0);
        if cells.iter().any(|c| c.1.abs() > 3.0) {
            let (_, again) = run(1_000_000);
            for (cell, fresh) in cells.iter_mut().zip(again) {
                if cell.1.abs() > 3.0 {
                    eprintln!("{design}: {:+.2} standard errors, again {:+.2}", cell.1, fresh.1);
                    *cell = fresh;
                }
            }
        }
        let far = (0..attacks.len()).max_by(|a, b| cells[*a].1.abs().total_cmp(&cells[*b].1.abs())).unwrap();
        worst = worst.max(cells[far].1.abs());
        println!(
            "| {design} | {seen} | {} | {:.4} | {:+.2} | {:.4} | {:+.2} |",
            attacks[far], cells[far].0, cells[far].1, cells[0].0, cells[0].1
        );
    }
    println!("\nfarthest: {worst:.2} standard errors");
}

fn unfair(repetitions: u64) {
    println!("| pool | confidence | strongest | blind | beats chance | excess of strongest |");
    println!("|---|---|---|---|---|---|");
    for kind in ["fair", "difficulty", "class", "noise level"] {
        let found = parallel::map(repetitions as usize, 2, |draw| {
            let mut stream = Stream::new(draw as u64, Purpose::Simulation, 4, 0);
            let level: Vec<f64> = (0..EXAMPLES).map(|_| 1.5 + 2.0 * stream.normal()).collect();
            let spread: Vec<f64> = (0..EXAMPLES).map(|_| (0.8 * stream.normal()).exp()).collect();
            let rate = |i: usize| match kind {
                "difficulty" => {
                    if level[i] > 1.5 {
                        0.7
                    } else {
                        0.3
                    }
                }
                "class" => {
                    if i % CLASSES < 2 {
                        0.65
                    } else {
                        0.35
                    }
                }
                "noise level" => {
                    if spread[i] > 1.0 {
                        0.65
                    } else {
                        0.35
                    }
                }
                _ => 0.5,
            };
            let rows: Vec<Vec<bool>> =
                (0..16).map(|_| (0..EXAMPLES).map(|i| stream.uniform(0.0, 1.0) < rate(i)).collect()).collect();
            let membership = Membership::from_rows(rows).unwrap();
            let by_class = |i: usize| if kind == "class" && i % CLASSES < 2 { 1.0 } else { 0.0 };
            let pool = pool(membership, &mut stream, |_, i, s| level[i] + by_class(i) + spread[i] * s.normal());
            let options = simulated::options(vec![Attack::STRONGEST, Attack::CONFIDENCE], 0);
            assert!(can_run(&pool, Attack::STRONGEST));
            let found = compare(&[&pool], &options, |_| true).unwrap();
            let r = &found.recipes[0];
            let auc = |name: &str| r.attacks.iter().find(|a| a.name == name).unwrap().auc.mean;
            let blind = r.blind.clone().unwrap();
            let excess = blind.excess.map_or(f64::NAN, |e| e.mean);
            let own = blind.auc.map_or(f64::NAN, |e| e.mean);
            [auc("confidence"), auc("strongest"), own, f64::from(u8::from(blind.beats_chance)), excess]
        });
        let mean = |k: usize| moments::mean(&found.iter().map(|f| f[k]).collect::<Vec<f64>>());
        println!(
            "| {kind} | {:.3} | {:.3} | {:.3} | {:.1} % | {:+.3} |",
            mean(0),
            mean(1),
            mean(2),
            100.0 * mean(3),
            mean(4)
        );
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, repetitions, rest @ ..] = arguments.as_slice() else { panic!("noise|unfair REPETITIONS") };
    let repetitions = repetitions.parse().unwrap();
    match what.as_str() {
        "noise" => noises(repetitions, rest),
        "unfair" => unfair(repetitions),
        other => panic!("no {other}"),
    }
}
