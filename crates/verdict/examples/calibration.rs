//! Do 95 % intervals cover?
//!
//! `cargo run --release -p flatleak-verdict --example calibration -- DESIGN BLOCKS REPETITIONS [nothing] [population] [all | ATTACK...]`, a Markdown table on
//! stdout. DESIGN is `pairs` or `single`. Examples stay fixed, membership and noise are redrawn; with `population` examples are redrawn too, and
//! the intervals that promise to cover that are looked at. `nothing` memorizes nothing. The truth of a scenario is the mean over its
//! repetitions, because it depends on the number of shadows.
//!
//! The world: phi = a_i + b_i member + u_m + s_i noise over 300 examples, a ~ N(1.5, 2^2), b = |N(0, 1.5^2)|, u ~ N(0, .3^2), s = exp N(-.1, .5^2),
//! the noise of the models of a pair correlated -.4.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

mod simulated;

use flatleak_attack::Attack;
use flatleak_pool::{Membership, Pool, Signals};
use flatleak_results::Estimate;
use flatleak_stats::{parallel, wilson};
use flatleak_stream::{Purpose, Stream};
use flatleak_verdict::compare;

const EXAMPLES: usize = 300;
const CLASSES: u32 = 3;
const TWINS: f64 = -0.4;

/// The examples of a world.
struct World {
    a: Vec<f64>,
    b: Vec<f64>,
    s: Vec<f64>,
}

impl World {
    fn new(seed: u64, memorized: f64) -> Self {
        let mut stream = Stream::new(seed, Purpose::Simulation, 1, 0);
        let mut many = |f: &mut dyn FnMut(f64) -> f64| (0..EXAMPLES).map(|_| f(stream.normal())).collect::<Vec<_>>();
        let a = many(&mut |z| 1.5 + 2.0 * z);
        let b = many(&mut |z| memorized * (1.5 * z).abs());
        let s = many(&mut |z| (0.5 * z - 0.1).exp());
        Self { a, b, s }
    }

    fn pool(&self, pairs: bool, blocks: usize, draw: u64) -> Pool {
        let mut stream = Stream::new(draw, Purpose::Simulation, 2, 0);
        let rows: Vec<Vec<bool>> = (0..blocks)
            .flat_map(|_| {
                let row: Vec<bool> = if pairs {
                    let order = stream.permutation(EXAMPLES);
                    let mut row = vec![false; EXAMPLES];
                    order[..EXAMPLES / 2].iter().for_each(|&i| row[i as usize] = true);
                    row
                } else {
                    (0..EXAMPLES).map(|_| stream.coin()).collect()
                };
                let twin = row.iter().map(|m| !m).collect();
                if pairs { vec![row, twin] } else { vec![row] }
            })
            .collect();
        let membership = Membership::from_rows(rows).unwrap();
        let mut noise: Vec<Vec<f64>> = Vec::new();
        for model in 0..membership.models() {
            let fresh: Vec<f64> = (0..EXAMPLES).map(|_| stream.normal()).collect();
            let twin = (pairs && model % 2 == 1).then(|| &noise[model - 1]);
            noise.push(match twin {
                Some(twin) => {
                    let rest = (1.0 - TWINS * TWINS).sqrt();
                    twin.iter().zip(&fresh).map(|(t, f)| TWINS * t + rest * f).collect()
                }
                None => fresh,
            });
        }
        let outputs = (0..membership.models())
            .map(|model| {
                let u = 0.3 * stream.normal();
                let phi: Vec<f32> = (0..EXAMPLES)
                    .map(|i| {
                        let inside = if membership.row(model)[i] { self.b[i] } else { 0.0 };
                        (self.a[i] + inside + u + self.s[i] * noise[model][i]) as f32
                    })
                    .collect();
                Signals { correct: phi.iter().map(|v| u8::from(*v > 0.0)).collect(), phi, ..Signals::default() }
            })
            .collect();
        simulated::pool(membership, (0..EXAMPLES as u32).map(|i| i % CLASSES).collect(), outputs)
    }
}

/// One repetition: intervals by attack and measure.
fn repetition(world: &World, pairs: bool, blocks: usize, draw: u64, attacks: &[Attack]) -> Vec<Vec<Option<Estimate>>> {
    let pool = world.pool(pairs, blocks, draw);
    let found = compare(&[&pool], &simulated::options(attacks.to_vec(), draw), |_| true).unwrap();
    let of = |attack: &Attack| {
        let own = found.recipes[0].attacks.iter().find(|a| a.name == attack.name()).unwrap();
        let tpr = |fpr: f64| {
            let at = own.tpr_at_fpr.iter().find(|t| t.fpr == fpr).unwrap();
            at.reliable.then_some(at.tpr)
        };
        vec![Some(own.auc), Some(own.balanced_accuracy), Some(own.advantage), tpr(0.05), tpr(0.1), own.population]
    };
    attacks.iter().map(of).collect()
}

const MEASURES: [&str; 6] = ["AUC", "balanced accuracy", "advantage", "TPR @ 5 %", "TPR @ 10 %", "population"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [design, blocks, repetitions, rest @ ..] = arguments.as_slice() else { panic!("DESIGN BLOCKS REPETITIONS") };
    let (blocks, repetitions): (usize, u64) = (blocks.parse().unwrap(), repetitions.parse().unwrap());
    let has = |word: &str| rest.iter().any(|r| r == word);
    let named: Vec<&str> =
        rest.iter().map(String::as_str).filter(|w| !["nothing", "population", "all"].contains(w)).collect();
    let names: &[&str] = match named.as_slice() {
        _ if has("all") => &[],
        [] => &["strongest", "lira-online-fixed", "rmia", "confidence", "confidence-per-class"],
        named => named,
    };
    let attacks: Vec<Attack> = if names.is_empty() {
        let known =
            |a: &Attack| !a.needs_features() && !a.needs_views() && !a.needs_population() && a.temperature().is_none();
        let entropies = |a: &Attack| !a.name().contains("entropy");
        flatleak_attack::all().into_iter().filter(known).filter(entropies).collect()
    } else {
        names.iter().map(|n| n.parse().unwrap()).collect()
    };
    let memorized = if has("nothing") { 0.0 } else { 1.0 };
    let fixed = World::new(1, memorized);
    let found: Vec<Vec<Vec<Option<Estimate>>>> = parallel::map(repetitions as usize, 2, |draw| {
        let draw = draw as u64;
        let own = has("population").then(|| World::new(1000 + draw, memorized));
        repetition(own.as_ref().unwrap_or(&fixed), design == "pairs", blocks, draw, &attacks)
    });
    for (at, attack) in attacks.iter().enumerate() {
        for (k, measure) in MEASURES.iter().enumerate() {
            if (k == 5) != has("population") {
                continue;
            }
            let all: Vec<Estimate> = found.iter().filter_map(|r| r[at][k]).collect();
            if all.is_empty() {
                continue;
            }
            let n = all.len() as f64;
            let truth = all.iter().map(|e| e.mean).sum::<f64>() / n;
            let covered = all.iter().filter(|e| e.low <= truth && truth <= e.high).count() as u64;
            let inside = all.iter().filter(|e| e.low < if k == 2 { -1.0 } else { 0.0 } || e.high > 1.0).count();
            let limits = wilson(covered, all.len() as u64, 0.95).unwrap();
            let deviation = (all.iter().map(|e| (e.mean - truth).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
            let half = all.iter().map(|e| 0.5 * (e.high - e.low)).sum::<f64>() / n;
            println!(
                "| {design} | {blocks} | {memorized} | {attack} | {measure} | {truth:.4} | {deviation:.4} | {half:.4} | {:.3} [{:.3}, {:.3}] | {inside} |",
                covered as f64 / n,
                limits.low,
                limits.high
            );
        }
    }
}
