//! What gradient descent and SAM themselves do on the problem.

use flatleak_stats::{Interval, moments, parallel, student_t};
use flatleak_stream::{Purpose, Stream};
use serde::{Deserialize, Serialize};

use crate::agreement::draw;
use crate::error::{Error, check_parameter};
use crate::family::Setting;
use crate::path::Path;
use crate::problem::Problem;

/// How the linear function is written in parameters. The function class is the same; what descent prefers in it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parameters {
    /// w itself.
    Linear,
    /// w = A b with A (d, width) and b (width).
    TwoLayer {
        /// Width of the hidden layer.
        width: usize,
    },
    /// w = u^2 - v^2, element by element (Woodworth et al. 2020, arXiv 2002.09277).
    Diagonal,
}

impl Parameters {
    /// Name in results.
    fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::TwoLayer { .. } => "two-layer",
            Self::Diagonal => "diagonal",
        }
    }

    /// Small initial parameters, of which w is 0 or small: 0; A and b normal with deviation `scale`; u = v = `scale`.
    fn start(self, d: usize, scale: f64, stream: &mut Stream) -> Vec<f64> {
        match self {
            Self::Linear => vec![0.0; d],
            Self::TwoLayer { width } => (0..(d + 1) * width).map(|_| scale * stream.normal()).collect(),
            Self::Diagonal => vec![scale; 2 * d],
        }
    }

    /// The weights of the linear function, (d).
    fn weights(self, theta: &[f64], d: usize) -> Vec<f64> {
        match self {
            Self::Linear => theta.to_vec(),
            Self::TwoLayer { width } => {
                let (a, b) = theta.split_at(d * width);
                a.chunks(width).map(|row| row.iter().zip(b).map(|(a, b)| a * b).sum()).collect()
            }
            Self::Diagonal => theta[..d].iter().zip(&theta[d..]).map(|(u, v)| u * u - v * v).collect(),
        }
    }

    /// The gradient for the parameters from that for the weights, (d).
    fn pull_back(self, theta: &[f64], g: &[f64]) -> Vec<f64> {
        let d = g.len();
        match self {
            Self::Linear => g.to_vec(),
            Self::TwoLayer { width } => {
                let (a, b) = theta.split_at(d * width);
                let mut out: Vec<f64> = g.iter().flat_map(|g| b.iter().map(move |b| g * b)).collect();
                let column = |k: usize| a.chunks(width).zip(g).map(|(row, g)| row[k] * g).sum::<f64>();
                out.extend((0..width).map(column));
                out
            }
            Self::Diagonal => {
                let half =
                    |sign: f64, part: &[f64]| part.iter().zip(g).map(|(t, g)| sign * 2.0 * t * g).collect::<Vec<_>>();
                [half(1.0, &theta[..d]), half(-1.0, &theta[d..])].concat()
            }
        }
    }
}

/// How long the parameters are trained, by minibatches on the mean of (w'x - y)^2 / 2.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Steps.
    pub steps: usize,
    /// Examples per step.
    pub batch: usize,
    /// Learning rate at the start, over a bound on the curvature of a batch; it falls to 0 as a cosine where a way does not say otherwise.
    pub lr: f64,
}

/// The mean gradient over a batch, for the parameters.
fn gradient(problem: &Problem, parameters: Parameters, theta: &[f64], batch: &[u32]) -> Vec<f64> {
    let d = problem.dimensions();
    let w = parameters.weights(theta, d);
    let mut g = vec![0.0; d];
    for &i in batch {
        let row = problem.x.row(i as usize);
        let output: f64 = row.iter().zip(&w).map(|(x, w)| x * w).sum();
        let error = (output - problem.y[i as usize]) / batch.len() as f64;
        g.iter_mut().zip(row.iter()).for_each(|(g, x)| *g += error * x);
    }
    parameters.pull_back(theta, &g)
}

/// A bound on the largest eigenvalue of a batch's Hessian in w, X_b X_b' / b: the largest |x|^2, and that of XX' / b. Twice its inverse is where SGD on w begins to diverge.
fn curvature(problem: &Problem, batch: usize) -> f64 {
    let longest =
        (0..problem.examples()).map(|i| problem.x.row(i).iter().map(|x| x * x).sum::<f64>()).fold(0.0, f64::max);
    let spectrum = problem.x.singular_values().ok();
    let all = spectrum.and_then(|s| s.first().map(|s| s * s)).unwrap_or(f64::INFINITY);
    longest.min(all / batch as f64)
}

/// The weights that training ends with, (d), and the largest |y - f| on the examples. SAM's gradient is taken at theta + rho g / |g|, on the same batch (Foret et al. 2021,
/// arXiv 2010.01412); batches walk through keyed permutations.
fn train(problem: &Problem, way: &Way, training: &Training, (seed, index): (u64, usize)) -> (Vec<f64>, f64) {
    let Way { parameters, rho, decays, scale } = *way;
    let (n, d) = (problem.examples(), problem.dimensions());
    let mut theta = parameters.start(d, scale, &mut Stream::new(seed, Purpose::Init, index as u64, 0));
    let batch = training.batch.clamp(1, n);
    let curvature = curvature(problem, batch);
    let mut order: Vec<u32> = Vec::new();
    for step in 0..training.steps {
        if order.len() < batch {
            let mut next = Stream::new(seed, Purpose::Order, index as u64, step as u64).permutation(n);
            next.extend(std::mem::take(&mut order));
            order = next;
        }
        let taken = order.split_off(order.len() - batch);
        let mut g = gradient(problem, parameters, &theta, &taken);
        let norm = g.iter().map(|g| g * g).sum::<f64>().sqrt();
        if rho > 0.0 && norm > 0.0 {
            let moved: Vec<f64> = theta.iter().zip(&g).map(|(t, g)| t + rho * g / norm).collect();
            g = gradient(problem, parameters, &moved, &taken);
        }
        let progress = step as f64 / training.steps as f64;
        let lr = training.lr / curvature
            * if decays { 0.5 * (1.0 + libm::cos(std::f64::consts::PI * progress)) } else { 1.0 };
        theta.iter_mut().zip(&g).for_each(|(t, g)| *t -= lr * g);
    }
    let w = parameters.weights(&theta, d);
    let outputs = &problem.x * faer::ColRef::from_slice(&w);
    let worst = outputs.iter().zip(&problem.y).fold(0.0, |m: f64, (f, y)| m.max((f - y).abs()));
    (w, worst)
}

/// One way of training over several draws, beside the path of minimum-norm interpolators of each. Distances are in units of |w_0|.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Descent {
    /// How the function is written.
    pub parameters: String,
    /// `sgd` or `sam`.
    pub optimizer: String,
    /// SAM's radius; 0 for SGD.
    pub rho: f64,
    /// The learning rate falls to 0.
    pub decays: bool,
    /// Largest |y - f| on the training examples at the end, over all draws: what is far from 0 has not arrived.
    pub residual: f64,
    /// Mean |w - w_0|: distance from the minimum-norm interpolator.
    pub from_minimum_norm: f64,
    /// Median eta of the interpolator of the path that is nearest.
    pub nearest_eta: f64,
    /// It is the last of the path: a larger one might be nearer.
    pub nearest_is_last: bool,
    /// Mean |w - w_eta| there.
    pub from_nearest: f64,
    /// w'Sigma w over that of w_0, with its 95 % interval over draws.
    pub relative_second_moment: Interval,
    /// SAM beside SGD in the same network from the same start, draw by draw; none for SGD itself.
    pub against_sgd: Option<AgainstSgd>,
}

/// SAM minus SGD, with 95 % intervals over draws.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgainstSgd {
    /// Difference in w'Sigma w over that of w_0.
    pub second_moment: Interval,
    /// Difference in the advantage of the confidence attack on the exact law, members at 1.
    pub confidence: Interval,
    /// Difference in test error.
    pub test_error: Interval,
}

/// What [`descend`] gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Descents {
    /// One per way that diverged in no draw.
    pub ways: Vec<Descent>,
    /// Those that did not, in words.
    pub diverged: Vec<String>,
}

/// One way of writing and training the function.
struct Way {
    parameters: Parameters,
    rho: f64,
    decays: bool,
    scale: f64,
}

impl Way {
    fn name(&self) -> String {
        let rate = if self.decays { "" } else { " at a constant rate" };
        let how = if self.rho > 0.0 { format!("SAM with radius {}", self.rho) } else { "SGD".into() };
        format!("{how}{rate}, {}", self.parameters.name())
    }
}

const fn way(parameters: Parameters, rho: f64, scale: f64) -> Way {
    Way { parameters, rho, decays: true, scale }
}

/// The ways of training that are set beside the theory. Radii are relative to parameters of about the size of `scale`: much larger ones
/// never leave the saddle at 0.
const WAYS: [Way; 11] = [
    way(Parameters::Linear, 0.0, 0.0),
    way(Parameters::Linear, 0.05, 0.0),
    Way { parameters: Parameters::Linear, rho: 0.05, decays: false, scale: 0.0 },
    way(TWO_LAYER, 0.0, 0.1),
    way(TWO_LAYER, 0.02, 0.1),
    way(TWO_LAYER, 0.05, 0.1),
    way(Parameters::Diagonal, 0.0, 0.3),
    way(Parameters::Diagonal, 0.01, 0.3),
    way(Parameters::Diagonal, 0.02, 0.3),
    way(Parameters::Diagonal, 0.05, 0.3),
    way(Parameters::Diagonal, 0.1, 0.3),
];

const TWO_LAYER: Parameters = Parameters::TwoLayer { width: 8 };

fn norm(v: &[f64]) -> f64 {
    v.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// Error on labels of 1 beyond which training counts as diverged.
const LOST: f64 = 10.0;

/// What one way gives on one draw.
struct End {
    residual: f64,
    from_minimum_norm: f64,
    /// Position on the path, and distance.
    nearest: (usize, f64),
    /// Second moment over w_0's, confidence, test error.
    figures: [f64; 3],
}

/// Every way on one draw; `None` where it diverged.
fn on_draw(
    setting: &Setting,
    training: &Training,
    etas: &[f64],
    seed: u64,
    index: usize,
) -> Result<Vec<Option<End>>, Error> {
    let (population, examples, mut stream) = draw(setting, seed, index)?;
    let problem = setting.problem(&examples.iter().collect::<Vec<_>>(), &mut stream)?;
    let path = Path::new(&problem, population.spectrum(), etas, 1)?;
    let flat = &path.points[0];
    let unit = norm(&flat.weights);
    let distance = |a: &[f64], b: &[f64]| norm(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>()) / unit;
    let ends = WAYS.iter().map(|way| {
        let (w, residual) = train(&problem, way, training, (seed, index));
        if !w.iter().all(|w| w.is_finite()) || residual > LOST {
            return None;
        }
        let distances = path.points.iter().map(|p| distance(&w, &p.weights)).enumerate();
        let nearest = distances.fold((0, f64::INFINITY), |best, found| if found.1 < best.1 { found } else { best });
        let law = population.margin(&w);
        Some(End {
            residual,
            from_minimum_norm: distance(&w, &flat.weights),
            nearest,
            figures: [law.second_moment() / flat.second_moment, law.confidence(0.0).1, law.error()],
        })
    });
    Ok(ends.collect())
}

/// Trains every way on `draws` draws of `setting` and finds the eta of `etas`, of which the first is 0, that comes nearest.
///
/// # Errors
/// Those of the setting and of [`Path::new`]; fewer than 2 draws; no step; a path that does not begin at 0.
pub fn descend(
    setting: &Setting,
    training: &Training,
    etas: &[f64],
    draws: usize,
    seed: u64,
    workers: usize,
) -> Result<Descents, Error> {
    check_parameter("the number of steps", training.steps as f64, training.steps >= 1, "but 1 is needed")?;
    check_parameter("the number of draws", draws as f64, draws >= 2, "but an interval needs 2")?;
    let start = etas.first().copied().unwrap_or(f64::NAN);
    check_parameter("the first eta", start, start == 0.0, "but the path begins at 0, gradient descent's solution")?;
    let found = parallel::map(draws, workers, |index| on_draw(setting, training, etas, seed, index));
    let found: Vec<Vec<Option<End>>> = found.into_iter().collect::<Result<_, _>>()?;
    // Per way, its end in every draw, or nothing.
    let ends: Vec<Option<Vec<&End>>> =
        (0..WAYS.len()).map(|k| found.iter().map(|draw| draw[k].as_ref()).collect()).collect();
    let mut out = Descents { ways: Vec::new(), diverged: Vec::new() };
    for (way, mine) in WAYS.iter().zip(&ends) {
        let Some(mine) = mine else {
            out.diverged.push(way.name());
            continue;
        };
        let sgd = WAYS.iter().position(|other| other.rho == 0.0 && other.parameters == way.parameters);
        let sgd = sgd.and_then(|k| ends[k].as_ref()).filter(|_| way.rho > 0.0);
        let each = |of: &dyn Fn(&End) -> f64| mine.iter().map(|end| of(end)).collect::<Vec<f64>>();
        let against = |c: usize, sgd: &[&End]| {
            let differences: Vec<f64> = mine.iter().zip(sgd).map(|(a, b)| a.figures[c] - b.figures[c]).collect();
            student_t(&differences, 0.95)
        };
        let place = moments::median(&each(&|e| e.nearest.0 as f64)) as usize;
        out.ways.push(Descent {
            parameters: way.parameters.name().into(),
            optimizer: if way.rho > 0.0 { "sam" } else { "sgd" }.into(),
            rho: way.rho,
            decays: way.decays,
            residual: each(&|e| e.residual).into_iter().fold(0.0, f64::max),
            from_minimum_norm: moments::mean(&each(&|e| e.from_minimum_norm)),
            nearest_eta: etas[place],
            nearest_is_last: place + 1 == etas.len(),
            from_nearest: moments::mean(&each(&|e| e.nearest.1)),
            relative_second_moment: student_t(&each(&|e| e.figures[0]), 0.95)?,
            against_sgd: match sgd {
                Some(sgd) => Some(AgainstSgd {
                    second_moment: against(0, sgd)?,
                    confidence: against(1, sgd)?,
                    test_error: against(2, sgd)?,
                }),
                None => None,
            },
        });
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIED: [Parameters; 3] = [Parameters::Linear, Parameters::TwoLayer { width: 2 }, Parameters::Diagonal];

    fn problem() -> Problem {
        Problem::new(&[1.0, 0.5, -0.3, 0.2, -1.0, 0.8], &[1.0, -1.0], 3).unwrap()
    }

    fn loss(problem: &Problem, parameters: Parameters, theta: &[f64]) -> f64 {
        let w = parameters.weights(theta, 3);
        let error = |i: usize| problem.row(i).iter().zip(&w).map(|(x, w)| x * w).sum::<f64>() - problem.y[i];
        (0..2).map(|i| error(i).powi(2) / 4.0).sum()
    }

    #[test]
    fn gradients_agree_with_differences() {
        for parameters in TRIED {
            let mut stream = Stream::new(0, Purpose::Simulation, 0, 0);
            let mut theta = parameters.start(3, 0.7, &mut stream);
            theta.iter_mut().for_each(|t| *t += 0.3 * stream.normal());
            let g = gradient(&problem(), parameters, &theta, &[0, 1]);
            assert_eq!(g.len(), theta.len());
            for k in 0..theta.len() {
                let moved = |by: f64| {
                    let mut theta = theta.clone();
                    theta[k] += by;
                    loss(&problem(), parameters, &theta)
                };
                let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                assert!((g[k] - difference).abs() < 1e-8, "{} {k}", parameters.name());
            }
        }
    }

    /// One step of SAM by hand, on one example: x = (2), y = 1, w = 0: g = -2, moved to -rho, gradient there 2 (-2 rho - 1).
    #[test]
    fn a_step_of_sam_by_hand() {
        let problem = Problem::new(&[2.0], &[1.0], 1).unwrap();
        // Over the curvature of 4 that is a rate of .1.
        let training = Training { steps: 1, batch: 1, lr: 0.4 };
        let way = |rho| Way { parameters: Parameters::Linear, rho, decays: false, scale: 0.0 };
        let (w, _) = train(&problem, &way(0.25), &training, (0, 0));
        assert!((w[0] - 0.1 * 2.0 * (2.0 * 0.25 + 1.0)).abs() < 1e-15, "{w:?}");
        assert_eq!(train(&problem, &way(0.0), &training, (0, 0)).0, [0.2]);
    }
}
