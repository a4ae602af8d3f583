//! Families of problems: who the examples are and where their classes come from.

use flatleak_stream::Stream;
use serde::{Deserialize, Serialize};

use crate::error::{Error, check_finite, check_parameter, check_size};
use crate::margin::{Component, MarginLaw};
use crate::problem::Problem;

/// Most noise on the fitted labels.
const LOUDEST: f64 = 1000.0;

/// Shape from which on a skew normal is half a normal to working precision; larger ones would only be infinite.
const SHARPEST: f64 = 1e12;

/// A covariance, and with it a kind of problem. Spectra are scaled to a mean of 1, that of the sub-groups' noise alone, so that eta means
/// about the same in all of them: a weight on the covariance
/// beside a weight of 1 on the identity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "name")]
pub enum Family {
    /// Eigenvalues in proportion to j^-decay, j = 1, ..., d.
    PowerLaw {
        /// The exponent, above 0.
        decay: f64,
    },
    /// `spikes` large eigenvalues over a floor.
    Spiked {
        /// How many.
        spikes: usize,
        /// The other eigenvalues as a share of the large ones, between 0 and 1.
        floor: f64,
    },
    /// All eigenvalues 1: no contraction.
    Isotropic,
    /// A majority and a minority, each recognised by a feature of its own that the other lacks: x = s distance e_g + noise, with noise of
    /// unit variance in every direction.
    Subgroups {
        /// Share of the minority, between 0 and 1/2.
        minority: f64,
        /// Distance of either group's centres from 0, in deviations of the noise.
        distance: f64,
    },
}

impl Family {
    /// Name, as in settings and results.
    pub fn name(&self) -> &'static str {
        match self {
            Self::PowerLaw { .. } => "power-law",
            Self::Spiked { .. } => "spiked",
            Self::Isotropic => "isotropic",
            Self::Subgroups { .. } => "subgroups",
        }
    }

    /// A family by its name, perhaps with parameters of its own behind plus signs, as `power-law+decay=1.5`.
    ///
    /// # Errors
    /// An unknown name or parameter, a value that is not a number.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let refuse = |what: String| Error::Family { text: text.into(), what };
        let mut parts = text.split('+');
        let name = parts.next().unwrap_or("");
        let all = Self::all(usize::MAX);
        let known = || all.iter().map(Self::name).collect::<Vec<_>>().join(", ");
        let mut family = all
            .iter()
            .copied()
            .find(|f| f.name() == name)
            .ok_or_else(|| refuse(format!("there is no family of this name; the families are {}", known())))?;
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let number: f64 =
                value.parse().map_err(|_| refuse(format!("{part:?} is not a parameter: write key=number")))?;
            let place = match (&mut family, key) {
                (Self::PowerLaw { decay }, "decay") => decay,
                (Self::Spiked { floor, .. }, "floor") => floor,
                (Self::Subgroups { minority, .. }, "minority") => minority,
                (Self::Subgroups { distance, .. }, "distance") => distance,
                (Self::Spiked { spikes, .. }, "spikes") if number >= 0.0 && number.fract() == 0.0 => {
                    *spikes = number as usize;
                    continue;
                }
                (Self::Spiked { .. }, "spikes") => return Err(refuse("spikes are counted".into())),
                (family, key) => return Err(refuse(format!("{} has no parameter {key:?}", family.name()))),
            };
            *place = number;
        }
        Ok(family)
    }

    /// Every family with its usual parameters in `dimensions`.
    pub fn all(dimensions: usize) -> [Self; 4] {
        [
            Self::PowerLaw { decay: 1.0 },
            Self::Spiked { spikes: (dimensions / 4).clamp(1, 10), floor: 0.1 },
            Self::Isotropic,
            Self::Subgroups { minority: 0.1, distance: 4.0 },
        ]
    }
}

/// A family with sizes and noise.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// The family.
    pub family: Family,
    /// Training examples, n.
    pub examples: usize,
    /// Dimensions, d.
    pub dimensions: usize,
    /// Deviation of the teacher's noise over that of its signal; `None` for classes at random. Sub-groups have no teacher.
    pub teacher_noise: Option<f64>,
    /// Deviation of the noise on the fitted labels, tau: members then have margins N(1, tau^2).
    pub label_noise: f64,
}

/// Draws examples, and knows the law of a linear function's margin on them.
#[derive(Clone, Debug)]
pub struct Population {
    /// Diagonal of the second moment E xx', which is the Sigma of the theory.
    spectrum: Vec<f64>,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    /// s = sign(theta'x + noise e).
    Teacher { theta: Vec<f64>, noise: f64 },
    /// Share and distance of each group, whose feature is the dimension of its number.
    Subgroups([(f64, f64); 2]),
}

/// One example: features, class +-1, group.
#[derive(Clone, Debug)]
pub struct Example {
    /// Features, (d).
    pub x: Vec<f64>,
    /// Class, +1 or -1.
    pub class: f64,
    /// 0 for the majority, 1 for the minority; 0 without groups.
    pub group: usize,
}

fn of_mean_one(mut spectrum: Vec<f64>) -> Vec<f64> {
    let mean = spectrum.iter().sum::<f64>() / spectrum.len() as f64;
    spectrum.iter_mut().for_each(|s| *s /= mean);
    spectrum
}

impl Setting {
    /// The same with other sizes; a family with more spikes than dimensions is left with as many as there are.
    pub fn resized(&self, examples: usize, dimensions: usize) -> Self {
        let family = match self.family {
            Family::Spiked { spikes, floor } => Family::Spiked { spikes: spikes.min(dimensions), floor },
            other => other,
        };
        Self { family, examples, dimensions, ..*self }
    }

    /// The population: a teacher of independent normal weights is drawn from `stream` where the family has one.
    ///
    /// # Errors
    /// A parameter outside its domain.
    pub fn population(&self, stream: &mut Stream) -> Result<Population, Error> {
        let d = self.dimensions;
        check_parameter(
            "the number of examples",
            self.examples as f64,
            self.examples >= 2,
            "but at least 2 are needed",
        )?;
        check_parameter("the number of dimensions", d as f64, d >= 2, "but at least 2 are needed")?;
        let noise = self.teacher_noise.unwrap_or(0.0);
        let fits = noise >= 0.0 && noise.is_finite();
        check_parameter("the teacher's noise", noise, fits, "but it has to be finite and at least 0")?;
        let finite = (0.0..=LOUDEST).contains(&self.label_noise);
        check_parameter(
            "the label noise",
            self.label_noise,
            finite,
            "but it has to be at least 0, and labels drown in noise long before 1000",
        )?;
        let spectrum: Vec<f64> = match self.family {
            Family::PowerLaw { decay } => {
                check_parameter(
                    "the decay",
                    decay,
                    decay > 0.0 && decay.is_finite(),
                    "but a spectrum decays by more than 0",
                )?;
                of_mean_one((1..=d).map(|j| libm::pow(j as f64, -decay)).collect())
            }
            Family::Spiked { spikes, floor } => {
                check_parameter("the floor", floor, (0.0..=1.0).contains(&floor), "not between 0 and 1, the spikes")?;
                check_parameter("the number of spikes", spikes as f64, spikes <= d, "more than there are dimensions")?;
                check_parameter(
                    "the number of spikes",
                    spikes as f64,
                    spikes > 0 || floor > 0.0,
                    "which leaves no variance",
                )?;
                of_mean_one((0..d).map(|j| if j < spikes { 1.0 } else { floor }).collect())
            }
            Family::Isotropic => vec![1.0; d],
            Family::Subgroups { minority, distance } => {
                check_parameter(
                    "the minority's share",
                    minority,
                    (0.0..=0.5).contains(&minority),
                    "not between 0 and 1/2",
                )?;
                let fits = distance >= 0.0 && distance.is_finite();
                check_parameter(
                    "the distance of the groups",
                    distance,
                    fits,
                    "but it has to be finite and at least 0",
                )?;
                let groups = [(1.0 - minority, distance), (minority, distance)];
                let mut spectrum = vec![1.0; d];
                spectrum.iter_mut().zip(groups).for_each(|(s, (share, a))| *s += share * a * a);
                return Ok(Population { spectrum, kind: Kind::Subgroups(groups) });
            }
        };
        let theta: Vec<f64> = (0..d).map(|_| stream.normal()).collect();
        let signal: f64 = theta.iter().zip(&spectrum).map(|(t, s)| s * t * t).sum();
        let noise = self.teacher_noise.map_or(f64::INFINITY, |noise| noise * signal.sqrt());
        Population::with_teacher(&spectrum, &theta, noise)
    }

    /// Examples as a problem, with noise on their labels.
    ///
    /// # Errors
    /// None for examples of this setting's population.
    pub fn problem(&self, examples: &[&Example], stream: &mut Stream) -> Result<Problem, Error> {
        let x: Vec<f64> = examples.iter().flat_map(|e| e.x.iter().copied()).collect();
        let y: Vec<f64> = examples.iter().map(|e| e.class + self.label_noise * stream.normal()).collect();
        Problem::new(&x, &y, self.dimensions)
    }
}

impl Population {
    /// Normal examples with this diagonal covariance, (d), and classes sign(theta'x + noise e), at random for infinite noise; `theta` is
    /// (d).
    ///
    /// # Errors
    /// Sizes that differ; a variance or noise below 0.
    pub fn with_teacher(spectrum: &[f64], theta: &[f64], noise: f64) -> Result<Self, Error> {
        check_size("the teacher", theta.len(), spectrum.len())?;
        check_finite("variance", spectrum)?;
        check_finite("weight of the teacher", theta)?;
        let smallest = spectrum.iter().fold(0.0, |m: f64, s| m.min(*s));
        check_parameter("a variance", smallest, smallest >= 0.0, "but variances are at least 0")?;
        check_parameter("the teacher's noise", noise, noise >= 0.0, "but noise is at least 0")?;
        Ok(Self { spectrum: spectrum.to_vec(), kind: Kind::Teacher { theta: theta.to_vec(), noise } })
    }

    /// Diagonal of Sigma, (d).
    pub fn spectrum(&self) -> &[f64] {
        &self.spectrum
    }

    /// Number of groups: 2, or 1 where there are none.
    pub fn groups(&self) -> usize {
        if matches!(self.kind, Kind::Subgroups(_)) { 2 } else { 1 }
    }

    /// One example.
    pub fn draw(&self, stream: &mut Stream) -> Example {
        match &self.kind {
            Kind::Teacher { theta, noise } => {
                let x: Vec<f64> = self.spectrum.iter().map(|s| s.sqrt() * stream.normal()).collect();
                let signal: f64 = x.iter().zip(theta).map(|(x, t)| x * t).sum();
                let e = stream.normal();
                let heard = if noise.is_infinite() { e } else { signal + noise * e };
                Example { x, class: if heard < 0.0 { -1.0 } else { 1.0 }, group: 0 }
            }
            Kind::Subgroups(groups) => {
                let mut x: Vec<f64> = self.spectrum.iter().map(|_| stream.normal()).collect();
                let class = if stream.coin() { 1.0 } else { -1.0 };
                let group = usize::from(stream.unit() < groups[1].0);
                x[group] += class * groups[group].1;
                Example { x, class, group }
            }
        }
    }

    /// Several examples.
    pub fn sample(&self, n: usize, stream: &mut Stream) -> Vec<Example> {
        (0..n).map(|_| self.draw(stream)).collect()
    }

    /// The law of the signed margin of w'x over the population.
    pub fn margin(&self, w: &[f64]) -> MarginLaw {
        match &self.kind {
            Kind::Teacher { theta, noise } => {
                let over = |a: &[f64], b: &[f64]| {
                    a.iter().zip(b).zip(&self.spectrum).map(|((a, b), s)| a * b * s).sum::<f64>()
                };
                let v = over(w, w);
                let heard = (over(theta, theta) + noise * noise).sqrt();
                // Rounding may carry a perfect student past 1.
                let rho =
                    if v > 0.0 && heard > 0.0 { (over(w, theta) / (v.sqrt() * heard)).clamp(-1.0, 1.0) } else { 0.0 };
                let shape = (rho / ((1.0 - rho) * (1.0 + rho)).sqrt()).clamp(-SHARPEST, SHARPEST);
                MarginLaw::new(vec![Component { weight: 1.0, location: 0.0, scale: v.sqrt(), shape }])
            }
            Kind::Subgroups(_) => MarginLaw::new((0..2).map(|g| self.component(w, g)).collect()),
        }
    }

    /// The law over one group.
    pub fn margin_of_group(&self, w: &[f64], group: usize) -> MarginLaw {
        match self.kind {
            Kind::Teacher { .. } => self.margin(w),
            Kind::Subgroups(_) => MarginLaw::new(vec![Component { weight: 1.0, ..self.component(w, group) }]),
        }
    }

    fn component(&self, w: &[f64], group: usize) -> Component {
        let (weight, distance) = match &self.kind {
            Kind::Subgroups(groups) => groups[group],
            Kind::Teacher { .. } => (1.0, 0.0),
        };
        let scale = w.iter().map(|w| w * w).sum::<f64>().sqrt();
        Component { weight, location: distance * w[group], scale, shape: 0.0 }
    }
}
