//! The closed forms beside the same attacks run on drawn examples.

use flatleak_attack::log_likelihood_ratio;
use flatleak_stats::gaussian::{self, Moments};
use flatleak_stats::{Interval, Ranking, moments, parallel, student_t};
use flatleak_stream::{Purpose, Stream};
use serde::{Deserialize, Serialize};

use crate::error::{Error, check_parameter};
use crate::family::{Example, Population, Setting};
use crate::fit::Fit;
use crate::problem::Metric;

/// Rounding of an interpolated label: a member at the edge of a closed region counts as in it.
const EDGE: f64 = 1e-9;

/// One attack at one eta over independent draws of the problem.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// The attack: `confidence`, `absolute` or `likelihood-ratio`.
    pub attack: String,
    /// `exact`, on the law of the margin itself, or `normal`, as if the margin were normal. With noise on the labels the threshold depends
    /// on the members' own noise, which in expectation
    /// costs nothing at 10 examples and more.
    pub premise: String,
    /// Weight of flatness.
    pub eta: f64,
    /// Mean of the closed form over draws.
    pub closed_form: f64,
    /// Mean simulated advantage over draws, with its 95 % interval.
    pub simulated: Interval,
    /// Simulated - closed form, draw by draw, with its 95 % interval: around 0 where the form's premise holds.
    pub difference: Interval,
}

/// Which attacks are set beside their closed form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Confidence,
    Absolute,
    LikelihoodRatio,
}

/// Sizes of a simulation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Draws {
    /// Independent draws of examples and teacher, at least 2.
    pub problems: usize,
    /// Unseen examples per draw.
    pub unseen: usize,
    /// Root seed.
    pub seed: u64,
    /// Threads; no figure depends on it.
    pub workers: usize,
}

/// Closed form and simulation of one rule on one draw. Unseen examples are drawn in full, d numbers each, and members are the training
/// examples themselves.
fn one(rule: Rule, tau: f64, members: &[f64], unseen: &[f64], law: &crate::MarginLaw) -> Result<(f64, f64), Error> {
    let normal = law.moments(tau);
    let (closed, threshold, score): (f64, f64, Box<dyn Fn(f64) -> f64>) = match rule {
        Rule::Confidence => {
            let (z, advantage) = law.confidence(tau);
            (advantage, z - EDGE, Box::new(|margin| margin))
        }
        Rule::Absolute => (law.absolute(), 1.0 - EDGE, Box::new(f64::abs)),
        Rule::LikelihoodRatio => {
            let Moments { member_mean, member_deviation, non_member_mean, non_member_deviation } = normal;
            let score = move |margin| {
                let (inside, outside) = ((member_mean, member_deviation), (non_member_mean, non_member_deviation));
                log_likelihood_ratio(margin, inside, outside)
            };
            (gaussian::likelihood_ratio_advantage(&normal), 0.0, Box::new(score))
        }
    };
    let scores: Vec<f64> = members.iter().chain(unseen).map(|margin| score(*margin)).collect();
    let member: Vec<bool> = (0..scores.len()).map(|k| k < members.len()).collect();
    let point = Ranking::new(&scores, &member)?.at_threshold(threshold);
    Ok((closed, point.tpr - point.realised_fpr))
}

/// Signed margins of w'x on examples.
pub(crate) fn margins(w: &[f64], examples: &[Example]) -> Vec<f64> {
    let output = |e: &Example| e.class * e.x.iter().zip(w).map(|(x, w)| x * w).sum::<f64>();
    examples.iter().map(output).collect()
}

/// A population and n training examples of it.
pub(crate) fn draw(setting: &Setting, seed: u64, index: usize) -> Result<(Population, Vec<Example>, Stream), Error> {
    let mut stream = Stream::new(seed, Purpose::Generator, index as u64, 0);
    let population = setting.population(&mut stream)?;
    let examples = population.sample(setting.examples, &mut stream);
    Ok((population, examples, stream))
}

/// Runs the attacks at every eta. The confidence attack and that on |f| are set beside the exact law of the margin, the likelihood ratio, whose score needs two normal laws,
/// beside its normal closed form. |f| is left out with noise on the labels, the likelihood ratio without: its closed form is then 1 whatever the problem.
///
/// # Errors
/// Those of the setting; fewer than 2 problems, no unseen example.
pub fn agreement(setting: &Setting, etas: &[f64], draws: &Draws) -> Result<Vec<Agreement>, Error> {
    check_parameter("the number of draws", draws.problems as f64, draws.problems >= 2, "but an interval needs 2")?;
    check_parameter("the number of unseen examples", draws.unseen as f64, draws.unseen >= 1, "but 1 is needed")?;
    let tau = setting.label_noise;
    let rules = [Rule::Confidence, if tau == 0.0 { Rule::Absolute } else { Rule::LikelihoodRatio }];
    let found = parallel::map(draws.problems, draws.workers, |index| -> Result<Vec<(f64, f64)>, Error> {
        let (population, examples, mut stream) = draw(setting, draws.seed, index)?;
        let problem = setting.problem(&examples.iter().collect::<Vec<_>>(), &mut stream)?;
        let unseen = population.sample(draws.unseen, &mut stream);
        let mut out = Vec::new();
        for &eta in etas {
            let fit = Fit::new(&problem, &Metric::sharpness(population.spectrum(), eta)?, 0.0)?;
            let law = population.margin(fit.weights());
            let (members, others) = (margins(fit.weights(), &examples), margins(fit.weights(), &unseen));
            for rule in rules {
                out.push(one(rule, tau, &members, &others, &law)?);
            }
        }
        Ok(out)
    });
    let found: Vec<Vec<(f64, f64)>> = found.into_iter().collect::<Result<_, _>>()?;
    let mut out = Vec::new();
    for (k, (eta, rule)) in etas.iter().flat_map(|eta| rules.map(|r| (*eta, r))).enumerate() {
        let column = |of: fn(&(f64, f64)) -> f64| found.iter().map(|row| of(&row[k])).collect::<Vec<f64>>();
        let (attack, premise) = match rule {
            Rule::Confidence => ("confidence", "exact"),
            Rule::Absolute => ("absolute", "exact"),
            Rule::LikelihoodRatio => ("likelihood-ratio", "normal"),
        };
        out.push(Agreement {
            attack: attack.into(),
            premise: premise.into(),
            eta,
            closed_form: moments::mean(&column(|(closed, _)| *closed)),
            simulated: student_t(&column(|(_, simulated)| *simulated), 0.95)?,
            difference: student_t(&column(|(closed, simulated)| simulated - closed), 0.95)?,
        });
    }
    Ok(out)
}
