//! Through the interpolation threshold: fewer, as many and more dimensions than examples.

use faer::linalg::solvers::SolveLstsq;
use faer::{ColRef, Mat};
use flatleak_stats::{Interval, moments, parallel, student_t};
use serde::{Deserialize, Serialize};

use crate::agreement::{draw, margins};
use crate::error::{Error, check_parameter};
use crate::family::Setting;
use crate::fit::Fit;
use crate::problem::{Metric, Problem};

/// The least-squares solution of problems with at most as many dimensions as examples, by Householder QR. It is unique, so no metric
/// matters.
///
/// # Errors
/// More dimensions than examples; columns that depend on each other to working precision.
pub fn least_squares(problem: &Problem) -> Result<Vec<f64>, Error> {
    let (n, d) = (problem.examples(), problem.dimensions());
    if d > n {
        return Err(Error::Size { what: "the problem's dimensions, for least squares,", found: d, expected: n });
    }
    let factor = problem.x.qr();
    let diagonal = (0..d).map(|j| factor.thin_R()[(j, j)].abs());
    let (smallest, largest) = diagonal.fold((f64::INFINITY, 0.0), |(a, b): (f64, f64), r| (a.min(r), b.max(r)));
    if smallest <= largest * 1e-14 {
        return Err(Error::RankDeficient { examples: n, condition: largest / smallest });
    }
    let solved: Mat<f64> = factor.solve_lstsq(ColRef::from_slice(&problem.y).as_mat().to_owned());
    Ok((0..d).map(|j| solved[(j, 0)]).collect())
}

/// Means over draws, with their 95 % intervals, of problems with one number of dimensions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepPoint {
    /// Dimensions, d.
    pub dimensions: usize,
    /// d / n.
    pub ratio: f64,
    /// Weight of flatness; without effect where least squares is unique.
    pub eta: f64,
    /// d > n: many functions fit the members exactly.
    pub interpolates: bool,
    /// Test error.
    pub test_error: Interval,
    /// Deviation of the signed margin on unseen examples, sigma.
    pub deviation: Interval,
    /// AUC of the confidence attack: the share of unseen examples with a lower margin than a member, over members.
    pub auc: Interval,
}

/// One draw: error, deviation, AUC.
fn one(setting: &Setting, eta: f64, seed: u64, index: usize) -> Result<[f64; 3], Error> {
    let (population, examples, mut stream) = draw(setting, seed, index)?;
    let problem = setting.problem(&examples.iter().collect::<Vec<_>>(), &mut stream)?;
    let weights = if setting.dimensions > setting.examples {
        Fit::new(&problem, &Metric::sharpness(population.spectrum(), eta)?, 0.0)?.weights().to_vec()
    } else {
        least_squares(&problem)?
    };
    let law = population.margin(&weights);
    // The law is known, so that no unseen example has to be drawn; margins are continuous and never tie.
    let below: Vec<f64> = margins(&weights, &examples).into_iter().map(|z| law.cdf(z)).collect();
    Ok([law.error(), law.variance().max(0.0).sqrt(), moments::mean(&below)])
}

/// The setting with other numbers of dimensions, at one eta, over `draws` independent problems each.
///
/// # Errors
/// Those of the setting; fewer than 2 draws.
pub fn sweep(
    setting: &Setting,
    dimensions: &[usize],
    eta: f64,
    draws: usize,
    seed: u64,
    workers: usize,
) -> Result<Vec<SweepPoint>, Error> {
    check_parameter("the number of draws", draws as f64, draws >= 2, "but an interval needs 2")?;
    let found = parallel::map(dimensions.len() * draws, workers, |k| {
        one(&setting.resized(setting.examples, dimensions[k / draws]), eta, seed, k % draws)
    });
    let found: Vec<[f64; 3]> = found.into_iter().collect::<Result<_, _>>()?;
    let mean = |rows: &[[f64; 3]], c: usize| student_t(&rows.iter().map(|r| r[c]).collect::<Vec<_>>(), 0.95);
    found
        .chunks(draws.max(1))
        .zip(dimensions)
        .map(|(rows, &d)| {
            Ok(SweepPoint {
                dimensions: d,
                ratio: d as f64 / setting.examples as f64,
                eta,
                interpolates: d > setting.examples,
                test_error: mean(rows, 0)?,
                deviation: mean(rows, 1)?,
                auc: mean(rows, 2)?,
            })
        })
        .collect()
}
