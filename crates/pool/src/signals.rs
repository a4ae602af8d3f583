//! What an attacker can read off a model's output for one example.

use flatleak_kernel::elementary::{in_vectors, log_sigmoid, sigmoid};

use crate::decimal::Decimal;
use crate::error::Error;
use crate::signal::Signal;

/// How phi is computed from the logits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PhiForm {
    /// z_y - logsumexp of the others, which never saturates.
    #[default]
    Exact,
    /// log(p_y + 1e-45) - log(sum of the others + 1e-45) with the exponentials in single precision, as the reference code of 2021 has it:
    /// it saturates near |phi| = 103.6. Exponentials are rounded correctly here; NumPy's own are up to two units in the last place off.
    Official2021,
}

/// What is kept of logits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// How phi is computed.
    pub form: PhiForm,
    /// Temperatures at which phi is kept besides 1, each once.
    pub temperatures: Vec<Decimal>,
}

impl Default for Wanted {
    /// phi in full, and at temperatures 2 and 4, which attacks of the catalogue read.
    fn default() -> Self {
        let temperatures = [2000, 4000].map(Decimal::thousandths).to_vec();
        Self { form: PhiForm::default(), temperatures }
    }
}

impl Wanted {
    /// The same with further temperatures.
    #[must_use]
    pub fn and(mut self, temperatures: impl IntoIterator<Item = Decimal>) -> Self {
        self.temperatures.extend(temperatures);
        self.temperatures.sort_unstable();
        self.temperatures.dedup();
        self.temperatures.retain(|t| *t != Decimal::ONE);
        self
    }
}

/// Signals of one model on all examples of one split; phi is stored, confidence and loss are derived in f64. What is not known is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Signals {
    /// phi, one value per example.
    pub phi: Vec<f32>,
    /// Whether the largest logit is the label's.
    pub correct: Vec<u8>,
    /// Entropy in nats.
    pub entropy: Vec<f32>,
    /// Modified entropy in nats.
    pub modified_entropy: Vec<f32>,
    /// phi at temperatures other than 1, ascending.
    pub tempered: Vec<(Decimal, Vec<f32>)>,
}

/// Song & Mittal's floor for the logarithms' arguments.
const FLOOR: f64 = 1e-30;

impl Signals {
    /// Signals from logits (n, C), in f64, phi at the temperatures of the default [`Wanted`].
    ///
    /// # Errors
    /// When `logits` does not hold `classes` values per label.
    pub fn from_logits(logits: &[f32], labels: &[u32], classes: usize) -> Result<Self, Error> {
        Self::from_logits_as(&Wanted::default(), logits, labels, classes)
    }

    /// Signals from logits (n, C), in f64.
    ///
    /// # Errors
    /// When `logits` does not hold `classes` values per label.
    pub fn from_logits_as(wanted: &Wanted, logits: &[f32], labels: &[u32], classes: usize) -> Result<Self, Error> {
        let expected = labels.len() * classes;
        if logits.len() != expected {
            return Err(Error::Size { what: "the array of logits", found: logits.len(), expected });
        }
        let n = labels.len();
        let mut out = Self {
            phi: Vec::with_capacity(n),
            correct: Vec::with_capacity(n),
            entropy: Vec::with_capacity(n),
            modified_entropy: Vec::with_capacity(n),
            tempered: wanted.temperatures.iter().map(|t| (*t, Vec::with_capacity(n))).collect(),
        };
        for (row, &label) in logits.chunks_exact(classes).zip(labels) {
            let y = label as usize;
            let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let z: Vec<f64> = row.iter().map(|&v| f64::from(v)).collect();
            let others = log_sum_exp(z.iter().enumerate().filter(|(j, _)| *j != y).map(|(_, v)| *v));
            let all = log_sum_exp(z.iter().copied());
            let (mut entropy, mut modified) = (0.0, 0.0);
            for (j, v) in z.iter().enumerate() {
                let log_p = v - all;
                let p = libm::exp(log_p);
                entropy -= p * log_p.max(libm::log(FLOOR));
                // log(1 - p) without cancellation for p near 1: the mass of the other classes.
                let rest = if j == y { libm::exp(others - all) } else { 1.0 - p };
                modified -= if j == y { rest * log_p.max(libm::log(FLOOR)) } else { p * libm::log(rest.max(FLOOR)) };
            }
            out.phi.push(match wanted.form {
                PhiForm::Exact => (z[y] - others) as f32,
                PhiForm::Official2021 => official_phi(row, y) as f32,
            });
            for (t, values) in &mut out.tempered {
                let t = t.value();
                let others = log_sum_exp(z.iter().enumerate().filter(|(j, _)| *j != y).map(|(_, v)| *v / t));
                values.push((z[y] / t - others) as f32);
            }
            out.correct.push(u8::from(row[y] >= top && row.iter().position(|v| *v >= top) == Some(y)));
            out.entropy.push(entropy as f32);
            out.modified_entropy.push(modified as f32);
        }
        Ok(out)
    }

    /// What is known of outputs of which only the prediction was kept; the other signals are absent.
    pub fn from_correct(correct: Vec<u8>) -> Self {
        Self { correct, ..Self::default() }
    }

    /// Puts the signals of further examples behind these; both hold the same signals, or these are of none yet.
    pub fn append(&mut self, more: Self) {
        self.phi.extend(more.phi);
        self.correct.extend(more.correct);
        self.entropy.extend(more.entropy);
        self.modified_entropy.extend(more.modified_entropy);
        for (t, values) in more.tempered {
            match self.tempered.iter_mut().find(|(own, _)| *own == t) {
                Some((_, own)) => own.extend(values),
                None => self.tempered.push((t, values)),
            }
        }
    }

    /// The signals of some examples, in their order; absent ones stay absent.
    pub(crate) fn select(&self, examples: &[usize]) -> Self {
        fn pick<T: Copy>(all: &[T], examples: &[usize]) -> Vec<T> {
            if all.is_empty() { Vec::new() } else { examples.iter().map(|&i| all[i]).collect() }
        }
        Self {
            phi: pick(&self.phi, examples),
            correct: pick(&self.correct, examples),
            entropy: pick(&self.entropy, examples),
            modified_entropy: pick(&self.modified_entropy, examples),
            tempered: self.tempered.iter().map(|(t, values)| (*t, pick(values, examples))).collect(),
        }
    }

    /// Whether a signal is there for all of `n` examples.
    pub(crate) fn holds(&self, signal: Signal, n: usize) -> bool {
        n == match signal {
            Signal::Phi | Signal::Confidence | Signal::LogConfidence => self.phi.len(),
            Signal::NegativeEntropy => self.entropy.len(),
            Signal::NegativeModifiedEntropy => self.modified_entropy.len(),
            Signal::Correct => self.correct.len(),
            Signal::Tempered(t) => self.at(t).len(),
        }
    }

    /// Whether phi takes at most two values: it then says who is right, and no more.
    pub fn says_labels_alone(&self) -> bool {
        let mut values: Vec<u32> = Vec::new();
        self.phi.iter().all(|v| {
            // 0 and -0 are one value.
            let bits = (v + 0.0).to_bits();
            if !values.contains(&bits) {
                values.push(bits);
            }
            values.len() <= 2
        })
    }

    /// phi at a temperature other than 1; empty where it is not known.
    pub fn at(&self, temperature: Decimal) -> &[f32] {
        self.tempered.iter().find(|(t, _)| *t == temperature).map_or(&[], |(_, values)| values)
    }

    /// Number of examples.
    pub fn len(&self) -> usize {
        self.correct.len()
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.correct.is_empty()
    }

    /// One signal in f64.
    pub fn values(&self, signal: Signal) -> Vec<f64> {
        let phi = self.phi.iter().map(|&v| f64::from(v));
        match signal {
            Signal::Phi => phi.collect(),
            Signal::Confidence => {
                let mut out: Vec<f64> = phi.collect();
                in_vectors(
                    #[inline(always)]
                    || out.iter_mut().for_each(|v| *v = sigmoid(*v)),
                );
                out
            }
            Signal::LogConfidence => {
                let mut out: Vec<f64> = phi.collect();
                in_vectors(
                    #[inline(always)]
                    || out.iter_mut().for_each(|v| *v = log_sigmoid(*v)),
                );
                out
            }
            Signal::NegativeEntropy => self.entropy.iter().map(|&v| -f64::from(v)).collect(),
            Signal::NegativeModifiedEntropy => self.modified_entropy.iter().map(|&v| -f64::from(v)).collect(),
            Signal::Correct => self.correct.iter().map(|&v| f64::from(v)).collect(),
            Signal::Tempered(t) => self.at(t).iter().map(|&v| f64::from(v)).collect(),
        }
    }

    /// Share of correct predictions among the examples that `keep` selects.
    pub fn accuracy(&self, keep: impl Fn(usize) -> bool) -> f64 {
        let (mut hits, mut all) = (0u32, 0u32);
        for (i, &c) in self.correct.iter().enumerate() {
            if keep(i) {
                hits += u32::from(c);
                all += 1;
            }
        }
        f64::from(hits) / f64::from(all)
    }
}

/// phi in the form of 2021.
fn official_phi(row: &[f32], y: usize) -> f64 {
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exp: Vec<f64> = row.iter().map(|v| f64::from(libm::exp(f64::from(v - top)) as f32)).collect();
    let sum: f64 = exp.iter().sum();
    let others: f64 = exp.iter().enumerate().filter(|(j, _)| *j != y).map(|(_, v)| v / sum).sum();
    saturated_phi(exp[y] / sum, others)
}

/// log(p + 1e-45) - log(q + 1e-45), p the label's probability and q that of all others.
pub fn saturated_phi(p: f64, q: f64) -> f64 {
    libm::log(p + 1e-45) - libm::log(q + 1e-45)
}

fn log_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let top = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if top == f64::NEG_INFINITY {
        return top;
    }
    top + libm::log(values.map(|v| libm::exp(v - top)).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_by_hand() {
        // p = (1/2, 1/4, 1/4): phi = log(1) = 0, H = 1.5 ln 2.
        let z = [2f32.ln(), 0.0, 0.0];
        let s = Signals::from_logits(&z, &[0], 3).unwrap();
        let ln2 = std::f64::consts::LN_2;
        assert!(s.phi[0].abs() < 1e-6 && s.correct[0] == 1);
        assert!((f64::from(s.entropy[0]) - 1.5 * ln2).abs() < 1e-6);
        let modified = 0.5 * ln2 - 2.0 * 0.25 * 0.75f64.ln();
        assert!((f64::from(s.modified_entropy[0]) - modified).abs() < 1e-6);
        assert!((s.values(Signal::Confidence)[0] - 0.5).abs() < 1e-6);
        // At a temperature of 2: z / 2 = (ln sqrt 2, 0, 0), phi = ln(sqrt 2 / 2). Of two classes phi is over t.
        let two = Decimal::thousandths(2000);
        assert!((s.values(Signal::phi_at(two))[0] + 0.5 * ln2).abs() < 1e-6);
        let pair = Signals::from_logits_as(&Wanted::default().and([Decimal::thousandths(500)]), &[3.0, 1.0], &[0], 2);
        assert_eq!(pair.unwrap().tempered.iter().map(|(_, v)| v[0]).collect::<Vec<_>>(), [4.0, 1.0, 0.5]);
        assert!(s.values(Signal::Tempered(Decimal::thousandths(3000))).is_empty());
    }

    #[test]
    fn saturated_logits_keep_their_phi() {
        let s = Signals::from_logits(&[90.0, 0.0, -90.0, 0.0], &[0, 0], 2).unwrap();
        assert_eq!(s.phi, [90.0, -90.0]);
        assert_eq!(s.values(Signal::LogConfidence)[1], -90.0);
        assert!(s.values(Signal::LogConfidence)[0] < 0.0);
        assert_eq!(s.correct, [1, 0]);
        assert!(Signals::from_logits(&[0.0], &[0], 2).is_err());
        // exp(-101) is a subnormal of single precision, exp(-200) is 0.
        let wanted = Wanted { form: PhiForm::Official2021, ..Wanted::default() };
        let old = Signals::from_logits_as(&wanted, &[101.0, 0.0, -200.0, 0.0], &[0, 0], 2).unwrap();
        let least = f64::from(libm::exp(-101.0) as f32);
        assert_eq!(old.phi, [-libm::log(least + 1e-45) as f32, libm::log(1e-45) as f32]);
        assert!((old.phi[0] - 101.0).abs() > 0.01);
    }
}
