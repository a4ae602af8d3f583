//! Everything that `flatleak theory` says, as one typed result.

use flatleak_pool::MOST_MODELS;
use flatleak_stats::{Interval, gaussian, moments, parallel, student_t};
use serde::{Deserialize, Serialize};

use crate::agreement::{Agreement, Draws, agreement, draw};
use crate::bridge::{Placed, Run, Step, place, step};
use crate::descent::{Descent, Descents, Training, descend};
use crate::error::{Error, check_parameter};
use crate::family::{Family, Setting};
use crate::margin::{Component, MarginLaw};
use crate::path::{Degenerate, Path};
use crate::simulate::{Simulated, simulate};
use crate::sweep::{SweepPoint, sweep};

/// Version of the shape of [`Outcome`].
pub const SCHEMA_VERSION: u32 = 1;

/// Etas at which attacks are simulated.
const SIMULATED_AT: [f64; 5] = [0.0, 0.1, 1.0, 10.0, 100.0];
/// Unseen examples per draw of a simulation.
const UNSEEN: usize = 200;
/// Ratios d / n of the sweep.
const RATIOS: [f64; 14] = [0.25, 0.5, 0.75, 0.9, 0.97, 1.0, 1.03, 1.1, 1.3, 1.6, 2.0, 3.0, 5.0, 8.0];
/// Flatness in the second half of the sweep.
const SWEPT_ETA: f64 = 10.0;
/// Most training examples of the sweep: it shows a shape that larger problems repeat.
const SWEPT_EXAMPLES: usize = 60;
/// Most training examples of the networks that are trained by descent, dimensions per example, and draws of them.
const DESCENT: (usize, usize, usize) = (20, 3, 5);
/// How these are trained.
const TRAINING: Training = Training { steps: 4000, batch: 5, lr: 1.5 };
/// Most draws of a problem.
const MOST_DRAWS: usize = 10_000;
/// Most entries of a problem, examples times dimensions: every worker holds several such matrices.
const MOST_ENTRIES: usize = 10_000_000;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The problem.
    pub setting: Setting,
    /// Weights of flatness, from 0 upwards; infinity, the limit, last where it is wanted.
    pub etas: Vec<f64>,
    /// Independent draws of examples and teacher, at least 2.
    pub draws: usize,
    /// Models of the simulated pool, an even number of at least 6.
    pub models: usize,
    /// Root seed.
    pub seed: u64,
    /// Threads; no figure depends on their number.
    pub workers: usize,
}

impl Request {
    /// Etas from 0 over `count` - 2 steps between 0.01 and 100, even in their logarithm, to the limit.
    pub fn etas(count: usize) -> Vec<f64> {
        let steps = count.saturating_sub(2);
        let at = |k: usize| libm::pow(10.0, -2.0 + 4.0 * k as f64 / steps.saturating_sub(1).max(1) as f64);
        std::iter::once(0.0).chain((0..steps).map(at)).chain([f64::INFINITY]).collect()
    }
}

/// Means over draws at one eta, with their 95 % intervals. JSON has null for an eta of infinity, the limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Along {
    /// Weight of flatness; `None` is the limit.
    pub eta: Option<f64>,
    /// v, the second moment of the output on unseen examples.
    pub second_moment: Interval,
    /// v'(eta); 0 at the limit.
    pub slope: Interval,
    /// Mean signed margin on unseen examples, mu.
    pub mean_margin: Interval,
    /// Its deviation, sigma.
    pub deviation: Interval,
    /// Test error.
    pub test_error: Interval,
    /// Advantage of the confidence attack on the law of the margin itself.
    pub confidence: Interval,
    /// The same as if the margin were normal.
    pub confidence_normal: Interval,
    /// Advantage of the attack on |f| when members have |f| = 1; given without noise on the labels only.
    pub absolute: Option<Interval>,
    /// Advantage of the best attack, the likelihood ratio, on the law of the margin itself.
    pub likelihood_ratio: Interval,
    /// The same as if the margin were normal.
    pub likelihood_ratio_normal: Interval,
    /// Mean leave-one-out memorization of the signed margin.
    pub memorization: Interval,
    /// Majority and minority, where there are groups.
    pub groups: Vec<AlongGroup>,
    /// Worst condition number of X G^-1 X' over draws.
    pub condition: f64,
    /// Largest |y - Xw| over draws.
    pub residual: f64,
}

/// One group at one eta.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlongGroup {
    /// `majority` or `minority`.
    pub group: String,
    /// Test error on it.
    pub test_error: Interval,
    /// Advantage of the confidence attack against its members.
    pub confidence: Interval,
    /// Mean memorization of its members, over the draws that have any; `None` where fewer than two do.
    pub memorization: Option<Interval>,
}

/// How one figure changes from eta = 0 to the end of the path, draw by draw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The figure, as [`Along`] names it.
    pub what: String,
    /// End minus start, with its 95 % interval over draws.
    pub difference: Interval,
    /// Draws in which it rises.
    pub rises: usize,
    /// Draws in which it falls.
    pub falls: usize,
}

/// One family of problems, from eta = 0 to the limit or, where there is none, the largest eta.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FamilyRow {
    /// The family.
    pub family: Family,
    /// Why there is no contraction, where there is none.
    pub degenerate: Option<Degenerate>,
    /// v at the end over v at the start.
    pub contraction: Interval,
    /// Every other figure's change.
    pub changes: Vec<Change>,
}

/// One draw at one eta, as the page shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// Weight of flatness; `None` is the limit.
    pub eta: Option<f64>,
    /// Law of the margin on unseen examples.
    pub components: Vec<Component>,
    /// Threshold of the confidence attack; `None` where none gains anything.
    pub threshold: Option<f64>,
    /// Its advantage.
    pub confidence: f64,
    /// Advantage of the likelihood ratio.
    pub likelihood_ratio: f64,
    /// v.
    pub second_moment: f64,
    /// Test error.
    pub test_error: f64,
    /// Mean memorization.
    pub memorization: f64,
}

/// The whole result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The problem.
    pub setting: Setting,
    /// Independent draws.
    pub draws: usize,
    /// Models of the simulated pool.
    pub models: usize,
    /// Root seed.
    pub seed: u64,
    /// Why there is no contraction, where there is none.
    pub degenerate: Option<Degenerate>,
    /// The path.
    pub path: Vec<Along>,
    /// From its start to its end.
    pub changes: Vec<Change>,
    /// Every family at the same sizes.
    pub families: Vec<FamilyRow>,
    /// Closed forms beside attacks on drawn examples.
    pub agreement: Vec<Agreement>,
    /// A pool of linear models attacked with shadows; empty without noise on the labels.
    pub simulated: Vec<Simulated>,
    /// Through the interpolation threshold, at eta = 0 and at a large eta.
    pub sweep: Vec<SweepPoint>,
    /// What descent does itself.
    pub descent: Vec<Descent>,
    /// What could not be shown, and why.
    pub left_out: Vec<String>,
    /// Networks on the map, where a finished run was given.
    pub placed: Vec<Placed>,
    /// Pairs of them, candidate - baseline.
    pub steps: Vec<Step>,
    /// The first draw.
    pub shown: Vec<Shown>,
}

/// Figures of one draw at one eta.
struct Figures {
    law: MarginLaw,
    slope: f64,
    memorized: [f64; 3],
    groups: Vec<MarginLaw>,
    condition: f64,
    residual: f64,
}

/// One draw along the path.
struct Drawn {
    degenerate: Option<Degenerate>,
    along: Vec<Figures>,
}

fn on_draw(setting: &Setting, etas: &[f64], seed: u64, index: usize) -> Result<Drawn, Error> {
    let (population, examples, mut stream) = draw(setting, seed, index)?;
    let problem = setting.problem(&examples.iter().collect::<Vec<_>>(), &mut stream)?;
    let path = Path::new(&problem, population.spectrum(), etas, 1)?;
    // Memorization of the signed margin is that of y f with y the class: noise on the labels is not part of y.
    let mean_over = |memorized: &[f64], group: Option<usize>| {
        let each = memorized.iter().zip(problem.labels()).zip(&examples);
        let kept = each.filter(|(_, e)| group.is_none_or(|g| g == e.group)).map(|((m, y), e)| m * e.class / y);
        moments::mean(&kept.collect::<Vec<_>>())
    };
    let figures = path.points.iter().map(|p| Figures {
        law: population.margin(&p.weights),
        slope: p.slope,
        memorized: [None, Some(0), Some(1)].map(|group| mean_over(&p.memorization, group)),
        groups: (0..population.groups()).map(|g| population.margin_of_group(&p.weights, g)).collect(),
        condition: p.condition,
        residual: p.residual,
    });
    Ok(Drawn { degenerate: path.degenerate, along: figures.collect() })
}

fn over_draws(setting: &Setting, etas: &[f64], request: &Request) -> Result<Vec<Drawn>, Error> {
    let found = parallel::map(request.draws, request.workers, |index| on_draw(setting, etas, request.seed, index));
    found.into_iter().collect()
}

/// Figures of which changes are given, by name.
type Figure = (&'static str, fn(&Figures, f64) -> f64);
const CHANGES: [Figure; 5] = [
    ("second_moment", |f, _| f.law.second_moment()),
    ("confidence", |f, tau| f.law.confidence(tau).1),
    ("likelihood_ratio", |f, tau| f.law.likelihood_ratio(tau)),
    ("memorization", |f, _| f.memorized[0]),
    ("test_error", |f, _| f.law.error()),
];

fn changes(drawn: &[Drawn], tau: f64) -> Result<Vec<Change>, Error> {
    CHANGES
        .iter()
        .map(|(what, of)| {
            let ends = drawn.iter().filter_map(|d| Some((d.along.first()?, d.along.last()?)));
            let found: Vec<f64> = ends.map(|(start, end)| of(end, tau) - of(start, tau)).collect();
            Ok(Change {
                what: (*what).into(),
                difference: student_t(&found, 0.95)?,
                rises: found.iter().filter(|d| **d > 0.0).count(),
                falls: found.iter().filter(|d| **d < 0.0).count(),
            })
        })
        .collect()
}

pub(crate) fn finite(eta: f64) -> Option<f64> {
    eta.is_finite().then_some(eta)
}

fn along(drawn: &[Drawn], etas: &[f64], tau: f64) -> Result<Vec<Along>, Error> {
    etas.iter()
        .enumerate()
        .map(|(k, &eta)| {
            let mean = |of: &dyn Fn(&Figures) -> f64| -> Result<Interval, Error> {
                Ok(student_t(&drawn.iter().map(|d| of(&d.along[k])).collect::<Vec<_>>(), 0.95)?)
            };
            let worst = |of: fn(&Figures) -> f64| drawn.iter().map(|d| of(&d.along[k])).fold(0.0, f64::max);
            let groups = drawn.first().map_or(0, |d| d.along[k].groups.len());
            Ok(Along {
                eta: finite(eta),
                second_moment: mean(&|f| f.law.second_moment())?,
                slope: mean(&|f| f.slope)?,
                mean_margin: mean(&|f| f.law.mean())?,
                deviation: mean(&|f| f.law.variance().max(0.0).sqrt())?,
                test_error: mean(&|f| f.law.error())?,
                confidence: mean(&|f| f.law.confidence(tau).1)?,
                confidence_normal: mean(&|f| gaussian::one_sided_advantage(&f.law.moments(tau)))?,
                absolute: if tau == 0.0 { Some(mean(&|f| f.law.absolute())?) } else { None },
                likelihood_ratio: mean(&|f| f.law.likelihood_ratio(tau))?,
                likelihood_ratio_normal: mean(&|f| gaussian::likelihood_ratio_advantage(&f.law.moments(tau)))?,
                memorization: mean(&|f| f.memorized[0])?,
                groups: (0..groups)
                    .filter(|_| groups > 1)
                    .map(|g| of_group(drawn, k, g, tau))
                    .collect::<Result<_, _>>()?,
                condition: worst(|f| f.condition),
                residual: worst(|f| f.residual),
            })
        })
        .collect()
}

fn of_group(drawn: &[Drawn], k: usize, g: usize, tau: f64) -> Result<AlongGroup, Error> {
    let each = |of: &dyn Fn(&Figures) -> f64| drawn.iter().map(|d| of(&d.along[k])).collect::<Vec<f64>>();
    // A draw without a member of the group has no mean.
    let memorized: Vec<f64> = each(&|f| f.memorized[g + 1]).into_iter().filter(|m| m.is_finite()).collect();
    Ok(AlongGroup {
        group: if g == 0 { "majority" } else { "minority" }.into(),
        test_error: student_t(&each(&|f| f.groups[g].error()), 0.95)?,
        confidence: student_t(&each(&|f| f.groups[g].confidence(tau).1), 0.95)?,
        memorization: if memorized.len() < 2 { None } else { Some(student_t(&memorized, 0.95)?) },
    })
}

fn shown(first: &Drawn, etas: &[f64], tau: f64) -> Vec<Shown> {
    let each = first.along.iter().zip(etas).map(|(f, &eta)| {
        let (threshold, confidence) = f.law.confidence(tau);
        Shown {
            eta: finite(eta),
            components: f.law.components().to_vec(),
            threshold: finite(threshold),
            confidence,
            likelihood_ratio: f.law.likelihood_ratio(tau),
            second_moment: f.law.second_moment(),
            test_error: f.law.error(),
            memorization: f.memorized[0],
        }
    });
    each.collect()
}

fn families(request: &Request) -> Result<Vec<FamilyRow>, Error> {
    let tau = request.setting.label_noise;
    Family::all(request.setting.dimensions)
        .into_iter()
        .map(|usual| {
            // The family that was asked for stands with its own parameters.
            let asked = request.setting.family;
            let family = if usual.name() == asked.name() { asked } else { usual };
            let setting = Setting { family, ..request.setting };
            let drawn = over_draws(&setting, &ends(&request.etas), request)?;
            let ratio = |d: &Drawn| d.along[1].law.second_moment() / d.along[0].law.second_moment();
            Ok(FamilyRow {
                family,
                degenerate: drawn.first().and_then(|d| d.degenerate),
                contraction: student_t(&drawn.iter().map(ratio).collect::<Vec<_>>(), 0.95)?,
                changes: changes(&drawn, tau)?,
            })
        })
        .collect()
}

/// First and last.
fn ends(etas: &[f64]) -> [f64; 2] {
    [etas.first().copied().unwrap_or(0.0), etas.last().copied().unwrap_or(f64::INFINITY)]
}

/// Computes everything; `runs` are the recipes of finished runs. `go_on` is called before each part with its name and stops the work by
/// returning false.
///
/// # Errors
/// Parameters outside their domain; as many examples as dimensions or more; a spectrum with a 0 where the limit is asked for; stopped.
pub fn study(
    request: &Request,
    runs: &[Run<'_>],
    mut go_on: impl FnMut(&'static str) -> bool,
) -> Result<Outcome, Error> {
    let mut part = |name| if go_on(name) { Ok(()) } else { Err(Error::Stopped) };
    let Request { setting, draws, models, seed, workers, .. } = *request;
    let etas = &request.etas;
    check_parameter("the number of draws", draws as f64, draws >= 2, "but an interval needs 2")?;
    check_parameter("the number of draws", draws as f64, draws <= MOST_DRAWS, "but at most 10000 are possible")?;
    check_parameter("the number of models", models as f64, models <= MOST_MODELS, "but at most 10000 are possible")?;
    let entries = setting.examples.saturating_mul(setting.dimensions);
    let needed = "but at most 10000000, examples times dimensions, are possible";
    check_parameter("the size of the problem", entries as f64, entries <= MOST_ENTRIES, needed)?;
    check_parameter("the number of etas", etas.len() as f64, etas.len() >= 2, "but a path has a start and an end")?;
    if setting.examples >= setting.dimensions {
        return Err(Error::TooManyExamples { examples: setting.examples, dimensions: setting.dimensions });
    }
    let tau = setting.label_noise;
    part("path")?;
    let drawn = over_draws(&setting, etas, request)?;
    let path = along(&drawn, etas, tau)?;
    let first = drawn.first().map_or(Vec::new(), |d| shown(d, etas, tau));
    part("families")?;
    let families = families(request)?;
    part("attacks")?;
    let agreement =
        agreement(&setting, &SIMULATED_AT, &Draws { problems: draws.max(20), unseen: UNSEEN, seed, workers })?;
    part("pool")?;
    let simulated = simulate(&setting, &SIMULATED_AT, models, seed, workers)?;
    part("sweep")?;
    let small = setting.examples.min(SWEPT_EXAMPLES);
    let swept = setting.resized(small, setting.dimensions);
    let mut dimensions: Vec<usize> = RATIOS.iter().map(|r| ((r * small as f64).round() as usize).max(2)).collect();
    dimensions.dedup();
    let mut through = sweep(&swept, &dimensions, 0.0, draws, seed, workers)?;
    through.extend(sweep(&swept, &dimensions, SWEPT_ETA, draws, seed, workers)?);
    part("descent")?;
    let (most, per_example, repeats) = DESCENT;
    let n = setting.examples.min(most);
    let trained = Setting { label_noise: 0.0, ..setting.resized(n, per_example * n) };
    let finite: Vec<f64> = etas.iter().copied().filter(|eta| eta.is_finite()).collect();
    let Descents { ways, diverged } = descend(&trained, &TRAINING, &finite, repeats, seed, workers)?;
    let mut left_out: Vec<String> =
        diverged.into_iter().map(|way| format!("{way}: diverged on this problem")).collect();
    part("bridge")?;
    let mut placed = Vec::new();
    for recipe in runs.iter().flat_map(|run| &run.recipes) {
        match place(recipe) {
            Ok(found) => placed.push(found),
            Err(why) => left_out.push(format!("recipe {} on the map: {why}", recipe.name)),
        }
    }
    let mut steps = Vec::new();
    for (a, b) in runs.iter().flat_map(Run::pairs) {
        match step(a, b) {
            Ok(found) => steps.push(found),
            Err(why) => left_out.push(format!("{} against {}: {why}", b.name, a.name)),
        }
    }
    Ok(Outcome {
        schema_version: SCHEMA_VERSION,
        setting,
        draws,
        models,
        seed,
        degenerate: drawn.first().and_then(|d| d.degenerate),
        changes: changes(&drawn, tau)?,
        path,
        families,
        agreement,
        simulated,
        sweep: through,
        descent: ways,
        placed,
        steps,
        left_out,
        shown: first,
    })
}
