//! Empirical Bayes over the examples of a pool (own; variances after Smyth 2004, Statistical Applications in Genetics and Molecular Biology 3;
//! book/methods/attacks.md#empirical-bayes).
//!
//! Per example n1 IN and n0 OUT shadows, n = n1 + n0, with variance s^2 pooled within sides on f = n - 2 degrees, d = mean1 - mean0,
//! u = 1/n1 + 1/n0 and g the mean of all. Over examples:
//!
//! - variances: e = ln s^2 - psi(f/2) + ln(f/2); psi'(f0/2) = var(e) - mean psi'(f/2), f0 infinite where that is not above 0;
//!   ln s0^2 = mean e + psi(f0/2) - ln(f0/2); S = (f0 s0^2 + f s^2) / (f0 + f), and s0^2 where f0 is infinite;
//! - differences: tau^2 = max(0, var d - mean S u), w = tau^2 / (tau^2 + S u), D = mean d + w (d - mean d).
//!
//! Then a member's value is N(g + n0 D / n, S (1 + 1/n) + (n0/n)^2 w S u), another's N(g - n1 D / n, S (1 + 1/n) + (n1/n)^2 w S u).

use flatleak_kernel::elementary::log;
use statrs::function::gamma::digamma;

/// Counts, means and the pooled variance of one example's shadows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary {
    /// IN and OUT.
    counts: [f64; 2],
    means: [f64; 2],
    /// Sum of squares within sides.
    squares: f64,
}

/// The least variance: values that never vary have none.
const LEAST: f64 = 1e-20;

impl Summary {
    /// Of the values of both sides.
    pub(crate) fn new(sides: [Vec<f64>; 2]) -> Self {
        let mut squares = 0.0;
        let mut means = [0.0; 2];
        for (mean, side) in means.iter_mut().zip(&sides) {
            *mean = side.iter().sum::<f64>() / side.len() as f64;
            squares += side.iter().map(|v| (v - *mean) * (v - *mean)).sum::<f64>();
        }
        Self { counts: sides.map(|side| side.len() as f64), means, squares }
    }

    /// Of counts, sums and sums of squares of both sides.
    pub(crate) fn of_sums(sides: [[f64; 3]; 2]) -> Self {
        let within = |[n, sum, squares]: [f64; 3]| (squares - sum * sum / n).max(0.0);
        Self {
            counts: sides.map(|s| s[0]),
            means: sides.map(|[n, sum, _]| sum / n),
            squares: sides.into_iter().map(within).sum(),
        }
    }

    /// Of counts, and sums and sums of squares about a centre, of both sides.
    pub(crate) fn of_centred(sides: [(f64, f64, f64, f64); 2]) -> Self {
        let mean = |(n, centre, sum, _): (f64, f64, f64, f64)| centre + sum / n;
        let within = |(n, _, sum, squares): (f64, f64, f64, f64)| (squares - sum * sum / n).max(0.0);
        Self { counts: sides.map(|s| s.0), means: sides.map(mean), squares: sides.map(within).iter().sum() }
    }

    /// Whether both sides have a value and one more is left to tell a variance.
    pub(crate) fn is_known(&self) -> bool {
        self.counts[0] >= 1.0 && self.counts[1] >= 1.0 && self.degrees() >= 1.0
    }

    fn degrees(&self) -> f64 {
        self.counts[0] + self.counts[1] - 2.0
    }

    fn variance(&self) -> f64 {
        (self.squares / self.degrees()).max(LEAST)
    }

    /// g, the mean of all shadows.
    pub(crate) fn mean(&self) -> f64 {
        let [n1, n0] = self.counts;
        (n1 * self.means[0] + n0 * self.means[1]) / (n1 + n0)
    }

    fn difference(&self) -> f64 {
        self.means[0] - self.means[1]
    }

    fn precision(&self) -> f64 {
        1.0 / self.counts[0] + 1.0 / self.counts[1]
    }
}

/// What is known of all examples.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hyper {
    /// f0, possibly infinite.
    degrees: f64,
    /// s0^2.
    variance: f64,
    /// Mean of the differences.
    difference: f64,
    /// tau^2.
    spread: f64,
    /// What s^2 is raised to.
    least: f64,
}

/// Collects what all examples say, one by one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Learner {
    /// Share of the mean variance that the least are raised to.
    floor: f64,
    differences: Mean,
    /// s^2 of every example, with its place among `counts`.
    variances: Vec<(f64, u32)>,
    /// Counts of both sides, of which designs have few.
    counts: Vec<[f64; 2]>,
}

impl Learner {
    /// A learner that raises variances to a share of their mean.
    pub(crate) fn with_floor(floor: f64) -> Self {
        Self { floor, ..Self::default() }
    }

    /// Adds an example, where its shadows say something.
    pub(crate) fn add(&mut self, example: &Summary) {
        if !example.is_known() {
            return;
        }
        let at = self.counts.iter().position(|counts| *counts == example.counts).unwrap_or_else(|| {
            self.counts.push(example.counts);
            self.counts.len() - 1
        });
        self.variances.push((example.variance(), at as u32));
        self.differences.add(example.difference());
    }

    /// What the examples say together; of fewer than two, nothing is shrunk.
    pub(crate) fn hyper(&self) -> Hyper {
        let n = self.variances.len() as f64;
        if n < 2.0 {
            return Hyper { degrees: 0.0, variance: 1.0, difference: 0.0, spread: f64::INFINITY, least: LEAST };
        }
        let least = (self.floor * self.variances.iter().map(|v| v.0).sum::<f64>() / n).max(LEAST);
        let degrees_of = |at: u32| self.counts[at as usize].iter().sum::<f64>() - 2.0;
        // psi(f / 2) - ln(f / 2) and psi'(f / 2), once for all with these counts.
        let term = |at: usize| {
            let half = 0.5 * degrees_of(at as u32);
            (digamma(half) - libm::log(half), trigamma(half))
        };
        let terms: Vec<(f64, f64)> = (0..self.counts.len()).map(term).collect();
        let (mut e, mut noise) = (Mean::default(), 0.0);
        for (variance, at) in &self.variances {
            e.add(log(variance.max(least)) - terms[*at as usize].0);
            noise += terms[*at as usize].1;
        }
        let excess = e.variance() - noise / n;
        let (degrees, log_variance) = if excess > 0.0 {
            let half = inverse_trigamma(excess);
            (2.0 * half, e.mean + digamma(half) - libm::log(half))
        } else {
            (f64::INFINITY, e.mean)
        };
        let variance = libm::exp(log_variance);
        let mut hyper = Hyper { degrees, variance, difference: self.differences.mean, spread: 0.0, least };
        // Mean of S u.
        let error = |(variance, at): &(f64, u32)| {
            let [n1, n0] = self.counts[*at as usize];
            hyper.shrunk(*variance, n1 + n0 - 2.0) * (1.0 / n1 + 1.0 / n0)
        };
        let error = self.variances.iter().map(error).sum::<f64>() / n;
        hyper.spread = (self.differences.variance() - error).max(0.0);
        hyper
    }
}

impl Hyper {
    /// S of an example with the variance s^2 on so many degrees.
    fn shrunk(&self, variance: f64, degrees: f64) -> f64 {
        if self.degrees.is_infinite() {
            return self.variance;
        }
        (self.degrees * self.variance + degrees * variance.max(self.least)) / (self.degrees + degrees)
    }
}

/// Running mean and sum of squares (Welford 1962).
#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    n: f64,
    mean: f64,
    squares: f64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.n += 1.0;
        let away = value - self.mean;
        self.mean += away / self.n;
        self.squares += away * (value - self.mean);
    }

    /// ddof 1.
    fn variance(&self) -> f64 {
        self.squares / (self.n - 1.0)
    }
}

/// psi'(x) for x > 0: the recurrence psi'(x) = psi'(x + 1) + 1/x^2 up to 10, then the asymptotic series (Abramowitz & Stegun 6.4.6, 6.4.12).
fn trigamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < 10.0 {
        sum += 1.0 / (x * x);
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    let series = 1.0 / 6.0
        - inverse
            * (1.0 / 30.0
                - inverse * (1.0 / 42.0 - inverse * (1.0 / 30.0 - inverse * (5.0 / 66.0 - inverse * 691.0 / 2730.0))));
    sum + 1.0 / x + 0.5 * inverse + series * inverse / x
}

/// x with psi'(x) = y, by bisection of log x: psi' falls from infinity to 0.
fn inverse_trigamma(y: f64) -> f64 {
    let (mut low, mut high) = (-25.0f64, 25.0f64);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if trigamma(libm::exp(middle)) > y { low = middle } else { high = middle }
    }
    libm::exp(0.5 * (low + high))
}

/// The laws of one example's values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fit {
    /// Mean and deviation of a member's value and of another's.
    laws: [(f64, f64); 2],
    /// Of the variances.
    logs: [f64; 2],
}

/// The laws before the logarithms of their variances are taken, of many at once where there are many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draft {
    /// Mean and variance of a member's value and of another's.
    pub(crate) laws: [(f64, f64); 2],
    /// D and S.
    pub(crate) difference: f64,
    pub(crate) variance: f64,
}

impl Draft {
    pub(crate) fn new(s: &Summary, known: &Hyper) -> Self {
        let [n1, n0] = s.counts;
        let n = n1 + n0;
        let variance = if s.degrees() >= 1.0 { known.shrunk(s.variance(), s.degrees()) } else { known.variance };
        let error = variance * s.precision();
        let weight = if known.spread.is_infinite() { 1.0 } else { known.spread / (known.spread + error) };
        let difference = known.difference + weight * (s.difference() - known.difference);
        let centre = s.mean();
        let law = |share: f64, sign: f64| {
            (centre + sign * share * difference, variance * (1.0 + 1.0 / n) + share * share * weight * error)
        };
        Self { laws: [law(n0 / n, 1.0), law(n1 / n, -1.0)], difference, variance }
    }

    /// With the logarithms of both laws' variances.
    pub(crate) fn fit(&self, logs: [f64; 2]) -> Fit {
        Fit { laws: self.laws.map(|(mean, variance)| (mean, variance.sqrt())), logs }
    }
}

impl Fit {
    pub(crate) fn new(s: &Summary, known: &Hyper) -> Self {
        let draft = Draft::new(s, known);
        draft.fit(draft.laws.map(|(_, variance)| log(variance)))
    }

    /// (x - mean) / deviation of a member's law (0) or another's (1).
    pub(crate) fn z(&self, x: f64, side: usize) -> f64 {
        let (mean, deviation) = self.laws[side];
        (x - mean) / deviation
    }

    /// log N(x; IN) - log N(x; OUT).
    pub(crate) fn log_ratio(&self, x: f64) -> f64 {
        let [inside, outside] = [0, 1].map(|side| {
            let z = self.z(x, side);
            -0.5 * (z * z + self.logs[side])
        });
        inside - outside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trigamma_by_its_closed_forms() {
        use std::f64::consts::PI;
        // psi'(1) = pi^2 / 6, psi'(1/2) = pi^2 / 2, psi'(3/2) = pi^2 / 2 - 4.
        for (x, wanted) in [(1.0, PI * PI / 6.0), (0.5, PI * PI / 2.0), (1.5, PI * PI / 2.0 - 4.0)] {
            assert!((trigamma(x) - wanted).abs() < 1e-13, "{x}");
            assert!((inverse_trigamma(wanted) - x).abs() < 1e-10 * x);
        }
        assert!((trigamma(1e6) - 1.000_000_5e-6).abs() < 1e-17);
    }

    #[test]
    fn sums_and_values_say_the_same() {
        let sides = [vec![1.0, 2.0, 4.0], vec![0.5, -1.0]];
        let sums = sides.clone().map(|s| [s.len() as f64, s.iter().sum(), s.iter().map(|v| v * v).sum()]);
        let (a, b) = (Summary::new(sides), Summary::of_sums(sums));
        assert!((a.squares - b.squares).abs() < 1e-12 && a.means == b.means && a.counts == b.counts);
    }
}
