//! What do verdicts say where the truth is known?
//!
//! `cargo run --release -p flatleak-verdict --example verdicts -- SCENARIO BLOCKS REPETITIONS [claims]`, Markdown on stdout. Two recipes over 200 fixed
//! examples, membership and noise redrawn; a table of words, the coverage of both simultaneous intervals, contradictions between p, interval
//! and word, what is promised of larger pools, and with `claims` what is said of the study's claims. The truth of a difference is its mean over
//! repetitions.
//!
//! Scenarios without a difference: `equal` (complementary pairs, recipes paired), `unpaired` (pairs, another membership), `coins` (single models,
//! another membership), `other` (other examples), `heavy` (noise of Student's t with 3 degrees), `fitted` (members are always right: of models that
//! do not fit theirs no claim is judged). With equal ROC curves: `scaled` (twice phi),
//! `bent` (a monotone map of phi), `offset` (a fixed public number added to phi of each example). With a difference: `effect=X`, members of the
//! candidate gain X times as much.
//!
//! `twelve`: twelve recipes alike, each set against the first; how often a recipe named beforehand, and any, is not among the least leaking.
//!
//! The world is that of `calibration`; the noise of models of equal index is correlated .5 between paired recipes.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

mod simulated;

use flatleak_results::{ClaimOutcome, Comparison, Verdict, Word};
use std::collections::BTreeMap;

use flatleak_attack::Attack;
use flatleak_pool::{Membership, Pool, Signals};
use flatleak_stats::{moments, parallel, student_t_critical, wilson};
use flatleak_stream::{Purpose, Stream};
use flatleak_verdict::{Options, analyse, compare};

const EXAMPLES: usize = 200;
const TESTS: usize = 100;
const TWINS: f64 = -0.4;
const RECIPES: f64 = 0.5;

/// What the candidate's models put out.
#[derive(Clone, Copy, PartialEq)]
enum Change {
    Nothing,
    Scaled,
    Bent,
    Offset,
    Effect(f64),
}

#[derive(Clone, Copy)]
struct Scenario {
    pairs: bool,
    paired: bool,
    same_examples: bool,
    heavy: bool,
    /// Members are always right.
    fitted: bool,
    change: Change,
}

impl Scenario {
    fn parse(name: &str) -> Self {
        let equal = Self {
            pairs: true,
            paired: true,
            same_examples: true,
            heavy: false,
            fitted: false,
            change: Change::Nothing,
        };
        match name {
            "equal" => equal,
            "unpaired" => Self { paired: false, ..equal },
            "coins" => Self { pairs: false, paired: false, ..equal },
            "coins-paired" => Self { pairs: false, ..equal },
            "other" => Self { paired: false, same_examples: false, ..equal },
            "heavy" => Self { heavy: true, ..equal },
            "scaled" => Self { change: Change::Scaled, ..equal },
            "bent" => Self { change: Change::Bent, ..equal },
            "offset" => Self { change: Change::Offset, ..equal },
            "fitted" => Self { fitted: true, ..equal },
            other => {
                let by = other.strip_prefix("effect=").unwrap().parse().unwrap();
                Self { change: Change::Effect(by), ..equal }
            }
        }
    }
}

/// Examples, the first of the pool, the last held out.
struct World {
    a: Vec<f64>,
    b: Vec<f64>,
    s: Vec<f64>,
    c: Vec<f64>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut stream = Stream::new(seed, Purpose::Simulation, 1, 0);
        let mut many = |f: &dyn Fn(f64) -> f64| (0..EXAMPLES + TESTS).map(|_| f(stream.normal())).collect::<Vec<_>>();
        let a = many(&|z| 1.5 + 2.0 * z);
        let b = many(&|z| (1.5 * z).abs());
        let s = many(&|z| (0.5 * z - 0.1).exp());
        let c = many(&|z| 4.0 * z);
        Self { a, b, s, c }
    }
}

fn rows(pairs: bool, blocks: usize, seed: u64) -> Membership {
    let mut stream = Stream::new(seed, Purpose::Simulation, 2, 0);
    let mut rows = Vec::new();
    for _ in 0..blocks {
        if pairs {
            let order = stream.permutation(EXAMPLES);
            let mut row = vec![false; EXAMPLES];
            order[..EXAMPLES / 2].iter().for_each(|&i| row[i as usize] = true);
            rows.push(row.clone());
            rows.push(row.into_iter().map(|m| !m).collect());
        } else {
            rows.push((0..EXAMPLES).map(|_| stream.coin()).collect());
        }
    }
    Membership::from_rows(rows).unwrap()
}

/// Standard noise of every model, twins correlated; of Student's t with 3 degrees, scaled to a variance of 1, where it is heavy.
fn noise(scenario: Scenario, models: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut stream = Stream::new(seed, Purpose::Simulation, 3, 0);
    let mut out: Vec<Vec<f64>> = Vec::new();
    for model in 0..models {
        let fresh: Vec<f64> = (0..EXAMPLES + TESTS)
            .map(|_| {
                let z = stream.normal();
                if !scenario.heavy {
                    return z;
                }
                let chi: f64 = (0..3).map(|_| stream.normal().powi(2)).sum();
                z / chi.sqrt()
            })
            .collect();
        let twin = (scenario.pairs && model % 2 == 1).then(|| &out[model - 1]);
        let rest = (1.0 - TWINS * TWINS).sqrt();
        out.push(match twin {
            Some(twin) => twin.iter().zip(&fresh).map(|(t, f)| TWINS * t + rest * f).collect(),
            None => fresh,
        });
    }
    out
}

fn outputs(phi: Vec<f64>) -> Signals {
    let phi: Vec<f32> = phi.into_iter().map(|v| v as f32).collect();
    Signals { correct: phi.iter().map(|v| u8::from(*v > 0.0)).collect(), phi, ..Signals::default() }
}

fn pool(name: &str, world: &World, scenario: Scenario, membership: Membership, noise: &[Vec<f64>], seed: u64) -> Pool {
    let mut stream = Stream::new(seed, Purpose::Simulation, 4, 0);
    let gain = if let (Change::Effect(by), "candidate") = (scenario.change, name) { by } else { 1.0 };
    let shown = |v: f64, i: usize| match scenario.change {
        _ if name == "baseline" => v,
        Change::Scaled => 2.0 * v,
        Change::Bent => v.signum() * v.abs().powf(1.7),
        Change::Offset => v + world.c[i],
        Change::Nothing | Change::Effect(_) => v,
    };
    let (mut own, mut test) = (Vec::new(), Vec::new());
    for (model, noise) in noise.iter().enumerate() {
        let u = 0.3 * stream.normal();
        let value = |i: usize| {
            let inside = if i < EXAMPLES && membership.row(model)[i] { gain * world.b[i] } else { 0.0 };
            shown(world.a[i] + inside + u + world.s[i] * noise[i], i)
        };
        let mut found = outputs((0..EXAMPLES).map(value).collect());
        if scenario.fitted {
            let members = found.correct.iter_mut().zip(membership.row(model)).filter(|(_, member)| **member);
            members.for_each(|(correct, _)| *correct = 1);
        }
        own.push(found);
        test.push(outputs((EXAMPLES..EXAMPLES + TESTS).map(value).collect()));
    }
    let mut out = simulated::pool(membership, (0..EXAMPLES as u32).map(|i| i % 3).collect(), own);
    out.recipe = name.into();
    out.test = test;
    out.test_labels = Some((0..TESTS as u32).map(|i| i % 3).collect());
    out
}

/// Baseline and candidate of one repetition.
fn draw(scenario: Scenario, blocks: usize, repetition: u64) -> [Pool; 2] {
    let fixed = World::new(1);
    let worlds = if scenario.same_examples {
        None
    } else {
        Some([World::new(1000 + 2 * repetition), World::new(1001 + 2 * repetition)])
    };
    let seeds = [10 * repetition + 1, 10 * repetition + 2];
    let rows = [0, 1].map(|k| rows(scenario.pairs, blocks, if scenario.paired { seeds[0] } else { seeds[k] }));
    let models = rows[0].models();
    let [one, other] = seeds.map(|seed| noise(scenario, models, seed));
    // A mixture of heavy tails would be lighter than either.
    let second: Vec<Vec<f64>> = match scenario.paired && !scenario.heavy {
        false => other,
        true => one
            .iter()
            .zip(&other)
            .map(|(a, b)| {
                let rest = (1.0 - RECIPES * RECIPES).sqrt();
                a.iter().zip(b).map(|(a, b)| RECIPES * a + rest * b).collect()
            })
            .collect(),
    };
    let of = |k: usize| worlds.as_ref().map_or(&fixed, |w| &w[k]);
    let [first, last] = rows;
    let mut pools = [
        pool("baseline", of(0), scenario, first, &one, seeds[0]),
        pool("candidate", of(1), scenario, last, &second, seeds[1]),
    ];
    if !scenario.same_examples {
        pools[1].ids = (EXAMPLES as u32..2 * EXAMPLES as u32).collect();
    }
    pools
}

/// Twelve recipes alike, and how often words are said about them.
fn twelve(blocks: usize, repetitions: usize) {
    const RECIPES_ALIKE: usize = 12;
    let scenario = Scenario::parse("equal");
    let found = parallel::map(repetitions, 2, |at| {
        let at = at as u64;
        let world = World::new(1);
        let membership = rows(true, blocks, 10 * at + 1);
        let common = noise(scenario, membership.models(), 10 * at + 1);
        let pools: Vec<Pool> = (0..RECIPES_ALIKE as u64)
            .map(|k| {
                let own = noise(scenario, membership.models(), 1_000_000 + 100 * at + k);
                let half = RECIPES.sqrt();
                let mixed: Vec<Vec<f64>> = common
                    .iter()
                    .zip(&own)
                    .map(|(a, b)| a.iter().zip(b).map(|(a, b)| half * a + (1.0 - RECIPES).sqrt() * b).collect())
                    .collect();
                pool(&format!("r{k}"), &world, scenario, membership.clone(), &mixed, 2_000_000 + 100 * at + k)
            })
            .collect();
        let asked = Options {
            pairs: (1..RECIPES_ALIKE).map(|c| (0, c)).collect(),
            checkpoints: vec![1; RECIPES_ALIKE],
            family: flatleak_results::Family::new(Default::default(), RECIPES_ALIKE - 1, RECIPES_ALIKE, 0),
            ..simulated::options(vec![Attack::STRONGEST], at)
        };
        let views: Vec<&Pool> = pools.iter().collect();
        let found = compare(&views, &asked, |_| true).unwrap();
        let frontier = found.frontier.unwrap();
        let word = found.comparisons.iter().any(|c| c.headline.verdict.says_more() || c.headline.verdict.says_less());
        let left = |name: &str| frontier.sets.iter().any(|s| s.not_among_the_least.iter().any(|r| r == name));
        let any = frontier.sets.iter().any(|s| !s.not_among_the_least.is_empty());
        [word, left("r5"), any, frontier.recommended.is_empty()]
    });
    println!("\n### twelve equal recipes, {blocks} blocks, {repetitions} repetitions\n");
    let names = ["any more or less", "r5 is not among the least", "some recipe is not", "none is recommended"];
    for (k, name) in names.iter().enumerate() {
        println!("{name}: {}", share(found.iter().filter(|f| f[k]).count(), repetitions));
    }
}

/// What one repetition says.
struct Said {
    comparison: Comparison,
    claims: Vec<ClaimOutcome>,
    leaks: Vec<Verdict>,
}

fn repetition(scenario: Scenario, blocks: usize, at: u64, claims: bool) -> Said {
    let pools = draw(scenario, blocks, at);
    let attacks = if claims { vec![Attack::STRONGEST, Attack::CONFIDENCE] } else { vec![Attack::STRONGEST] };
    let asked = Options {
        pairs: vec![(0, 1)],
        checkpoints: vec![1, 1],
        claimed: if claims { vec![1] } else { Vec::new() },
        ..simulated::options(attacks, at)
    };
    let views = [&pools[0], &pools[1]];
    let (recipes, mut comparisons, found) = if claims {
        let r = analyse(&views, &asked, |_| true).unwrap().results;
        (r.recipes, r.comparisons, r.explain.claims.into_iter().map(|c| c.outcome).collect())
    } else {
        let r = compare(&views, &asked, |_| true).unwrap();
        (r.recipes, r.comparisons, Vec::new())
    };
    let leaks = recipes.iter().filter_map(|r| r.guessing.as_ref()).map(|g| g.verdict).collect();
    Said { comparison: comparisons.remove(0), claims: found, leaks }
}

/// Whether p, interval and word say different things. A word that is withheld says nothing.
fn contradicts(c: &Comparison) -> bool {
    c.points.iter().any(|p| {
        let (l, u) = (p.difference.low, p.difference.high);
        let outside = l > 0.0 || u < 0.0;
        let directed = !matches!(p.word, Word::Open | Word::Equivalent | Word::Identical | Word::TooFewModels);
        p.word != Word::Withheld && outside != directed
            || outside != (p.p_adjusted <= 0.05) && (p.p_adjusted - 0.05).abs() > 1e-6
    })
}

fn share(count: usize, of: usize) -> String {
    let e = wilson(count as u64, of as u64, 0.95).unwrap();
    format!("{:.1} % [{:.1}, {:.1}]", 100.0 * e.mean, 100.0 * e.low, 100.0 * e.high)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, blocks, repetitions, rest @ ..] = arguments.as_slice() else { panic!("SCENARIO BLOCKS REPETITIONS") };
    let (blocks, repetitions): (usize, usize) = (blocks.parse().unwrap(), repetitions.parse().unwrap());
    if name == "twelve" {
        return twelve(blocks, repetitions);
    }
    let scenario = Scenario::parse(name);
    let claims = rest.iter().any(|r| r == "claims");
    let all = parallel::map(repetitions, 2, |at| repetition(scenario, blocks, at as u64, claims));
    println!("\n### {name}, {blocks} blocks, {repetitions} repetitions\n");
    let mut verdicts: BTreeMap<String, usize> = BTreeMap::new();
    for said in &all {
        *verdicts.entry(format!("{:?}", said.comparison.headline.verdict)).or_default() += 1;
    }
    let counted: Vec<String> = verdicts.iter().map(|(v, n)| format!("{v} {n}")).collect();
    println!("verdicts: {}", counted.join(", "));
    let count = |f: &dyn Fn(&Comparison) -> bool| all.iter().filter(|s| f(&s.comparison)).count();
    let v = |c: &Comparison| c.headline.verdict;
    let false_words =
        count(&|c| v(c).says_more() || v(c).says_less() || matches!(v(c), Verdict::Mixed | Verdict::LessInPart));
    println!("more, less, mixed or less in part, relevantly or not: {}", share(false_words, repetitions));
    let small = count(&|c| matches!(v(c), Verdict::MoreNegligible | Verdict::LessNegligible));
    println!("negligibly more or less: {}", share(small, repetitions));
    println!(
        "no relevant difference: {}",
        share(count(&|c| matches!(v(c), Verdict::Equivalent | Verdict::Identical)), repetitions)
    );
    println!("contradictions between p, interval and word: {}", count(&contradicts));
    let points = all[0].comparison.points.len();
    for k in 0..points {
        let of = |s: &Said| s.comparison.points[k].clone();
        let means: Vec<f64> = all.iter().map(|s| of(s).difference.mean).collect();
        let truth = moments::mean(&means);
        let sd = moments::variance(&means, 1).sqrt();
        let p = of(&all[0]);
        let inside = all.iter().filter(|s| of(s).difference.low <= truth && truth <= of(s).difference.high).count();
        let apart = |level: f64| {
            let metric = |s: &Said| s.comparison.metrics.iter().find(|m| m.metric == p.metric).unwrap().clone();
            all.iter()
                .filter(|s| {
                    let m = metric(s);
                    let half = student_t_critical(level, m.degrees.unwrap()).unwrap() * m.standard_error;
                    (m.difference.mean - truth).abs() <= half
                })
                .count()
        };
        println!(
            "{}: truth {truth:+.4}, deviation {sd:.4}; at {:.3} covered {}; at 95 % {}",
            p.metric,
            p.level,
            share(inside, repetitions),
            share(apart(0.95), repetitions)
        );
        planning(&all, k, blocks, sd);
    }
    let leaks = all.iter().flat_map(|s| &s.leaks);
    let mut of_pools: BTreeMap<String, usize> = BTreeMap::new();
    leaks.for_each(|v| *of_pools.entry(format!("{v:?}")).or_default() += 1);
    println!("single pools: {of_pools:?}");
    if claims {
        for (k, claim) in ["a", "b", "c", "d"].iter().enumerate() {
            let said = |o: ClaimOutcome| all.iter().filter(|s| s.claims.get(k) == Some(&o)).count();
            println!(
                "claim {claim}: supports {}, contradicts {}",
                share(said(ClaimOutcome::Supports), repetitions),
                share(said(ClaimOutcome::Contradicts), repetitions)
            );
        }
        let any = all.iter().filter(|s| s.claims.iter().any(|c| *c != ClaimOutcome::CannotTell)).count();
        println!("any word on any claim: {}", share(any, repetitions));
    }
}

/// What was promised of a larger pool against what it would do: power at the number said, and whether the range holds the number at which this
/// procedure has 80 % power, whose estimates deviate by `sd` and whose own errors are `said` on average.
fn planning(all: &[Said], k: usize, blocks: usize, sd: f64) {
    let p = &all[0].comparison.points[k];
    let metric = |s: &Said| s.comparison.metrics.iter().find(|m| m.metric == p.metric).unwrap().standard_error;
    let said = moments::mean(&all.iter().map(|s| metric(s).powi(2)).collect::<Vec<_>>()).sqrt();
    // The size of the TPR of the baseline is itself estimated: the mean is taken for the truth.
    let delta = moments::mean(&all.iter().map(|s| s.comparison.points[k].relevant).collect::<Vec<_>>());
    let size = all[0].comparison.models / blocks;
    let power = |b: usize, draws: usize, stream: &mut Stream| {
        let scale = (blocks as f64 / b as f64).sqrt();
        let t = student_t_critical(p.level, b as f64 - 1.0).unwrap();
        let excluded = (0..draws).filter(|_| {
            let d = sd * scale * stream.normal();
            let chi: f64 = (0..b - 1).map(|_| stream.normal().powi(2)).sum();
            d.abs() + t * said * scale * (chi / (b as f64 - 1.0)).sqrt() < delta
        });
        excluded.count() as f64 / draws as f64
    };
    let mut stream = Stream::new(9, Purpose::Simulation, 9, 0);
    let (mut low, mut high) = (4, 2000);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if power(middle, 2000, &mut stream) >= 0.8 { high = middle } else { low = middle }
    }
    let truth = high;
    let needed: Vec<_> = all.iter().filter_map(|s| s.comparison.points[k].models_needed).collect();
    let held = needed
        .iter()
        .filter(|n| n.low.is_some_and(|l| l / size <= truth) && n.high.is_none_or(|h| h / size >= truth))
        .count();
    let mut numbers: Vec<usize> = needed.iter().filter_map(|n| n.about).map(|n| n / size).collect();
    numbers.sort_unstable();
    let at = |q: f64| numbers.get((q * (numbers.len().saturating_sub(1)) as f64) as usize).copied().unwrap_or(0);
    let reached: Vec<f64> = numbers.iter().map(|b| power(*b, 200, &mut stream)).collect();
    println!(
        "  planning: truth {truth} blocks; said {} [{}, {}] (5 and 95 %); power at the number said {:.2}; the range holds the truth in {}",
        at(0.5),
        at(0.05),
        at(0.95),
        moments::mean(&reached),
        share(held, needed.len())
    );
}
