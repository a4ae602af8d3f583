//! What a recipe does against leaking, beside its optimizer.
//!
//! A defence is a file of this folder, whole, and a line of the list below. The order of the lines is that of tables and of what is done
//! behind the model.

mod defence;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use flatleak_kernel::loss::{Objective, Soft};
use flatleak_stream::Stream;

pub(crate) use defence::Mixing;

use self::defence::{Defence, Row, Targets};
use crate::architecture::Architecture;
use crate::clash::{DefenceError, Why};
use crate::methods::Optimizer;
use crate::settings::{SettingError, Settings};

/// Makes the modules, and [`Defences`] of their types.
macro_rules! defences {
    ($(mod $field:ident: $name:ident;)*) => {
        $(mod $field; pub use $field::$name;)*

        /// Defences in training, and behind the model; `None` is without.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Defences {
            $(#[doc = concat!("[`", stringify!($name), "`].")] pub $field: Option<$name>,)*
        }

        impl Defences {
            /// Every key of every defence.
            pub fn all() -> Vec<Description> {
                [$(descriptions::<$name>()),*].concat()
            }

            /// Takes the values of defences out of `given`; a strength of 0 is without.
            ///
            /// # Errors
            /// A value out of range; one that qualifies a defence which is not there.
            pub fn take(given: &mut BTreeMap<String, f64>) -> Result<Self, DefenceError> {
                Ok(Self { $($field: taken(given)?,)* })
            }

            /// Values by key of what is on.
            pub fn values(&self) -> Vec<(&'static str, f64)> {
                let all = [$(self.$field.map_or(Vec::new(), |own| own.values())),*].concat();
                all.into_iter().filter(|(_, value)| *value > 0.0).collect()
            }

            /// Refuses values that cannot be meant, by themselves, beside each other or beside an optimizer.
            ///
            /// # Errors
            /// The first of them.
            pub fn check(&self, optimizer: &Optimizer) -> Result<(), DefenceError> {
                $(if let Some(own) = &self.$field {
                    own.check_ranges()?;
                    own.check()?;
                })*
                let on = self.names();
                $(if self.$field.is_some() {
                    exclude(strength::<$name>(), $name::EXCLUDES, &on)?;
                })*
                $(if let Some(own) = &self.$field {
                    own.check_beside(optimizer)?;
                })*
                Ok(())
            }

            /// Keys of the strengths of what is on.
            fn names(&self) -> Vec<&'static str> {
                let all = [$((self.$field.is_some(), strength::<$name>())),*];
                all.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect()
            }

            /// The same without what is done behind the model: recipes that differ in nothing else are trained once.
            #[must_use]
            pub fn in_training(&self) -> Self {
                Self { $($field: self.$field.filter(|_| !$name::BEHIND),)* }
            }

            /// Whether to publish needs what the model puts out on random inputs.
            pub fn needs_random(&self) -> bool {
                false $(|| self.$field.is_some() && $name::RANDOM)*
            }

            /// Whether examples are mixed.
            pub(crate) fn mixes(&self) -> bool {
                false $(|| self.$field.is_some() && $name::MIXES)*
            }

            /// Whether to publish needs the order of a row's classes.
            fn needs_ranks(&self) -> bool {
                false $(|| self.$field.is_some() && $name::RANKS)*
            }

            /// The network to train in place of `plain`, where that is another; it has the same parameters.
            pub fn architecture(&self, plain: &Architecture) -> Option<Architecture> {
                let mut changed = None;
                $(if let Some(own) = &self.$field {
                    changed = own.architecture(changed.as_ref().unwrap_or(plain)).or(changed);
                })*
                changed
            }

            /// Draws which examples of a batch of `n` are mixed.
            pub(crate) fn mixing(&self, n: usize, stream: &mut Stream) -> Option<Mixing> {
                None $(.or_else(|| self.$field.and_then(|own| own.mixing(n, stream))))*
            }

            /// What the loss compares predictions with.
            fn targets(&self, classes: usize) -> Targets {
                let mut targets = Targets { classes, own: 1.0, rest: 0.0, entropy: 0.0 };
                $(if let Some(own) = &self.$field {
                    own.targets(&mut targets);
                })*
                targets
            }

            /// The loss of an epoch, where it is another altogether.
            fn other_objective(&self, epoch: usize) -> Option<Objective> {
                None $(.or_else(|| self.$field.and_then(|own| own.objective(epoch))))*
            }

            fn publish_row(&self, row: &mut Row<'_>) {
                $(if let Some(own) = &self.$field {
                    own.publish(row);
                })*
            }
        }
    };
}

defences! {
    mod label_smoothing: LabelSmoothing;
    mod mixup: Mixup;
    mod confidence_penalty: ConfidencePenalty;
    mod relaxloss: Relaxloss;
    mod hamp: Hamp;
    mod dropout: Dropout;
    mod hamp_outputs: HampOutputs;
    mod temperature: Temperature;
    mod top_k: TopK;
    mod labels_only: LabelsOnly;
}

/// One key of a defence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Description {
    /// Key in study files.
    pub key: &'static str,
    /// Least and largest value.
    pub range: (f64, f64),
    /// What it is.
    pub about: &'static str,
    /// Where it is defined.
    pub source: &'static str,
    /// Whether it is there or not, without a strength.
    pub switch: bool,
}

fn descriptions<D: Defence>() -> Vec<Description> {
    let source = |i: usize| if i == 0 { D::SOURCE } else { "the same" };
    let all = D::PARAMETERS.iter().enumerate();
    all.map(|(i, p)| Description { key: p.key, range: p.range, about: p.about, source: source(i), switch: D::SWITCH })
        .collect()
}

/// The key of a defence's strength, which is its name.
fn strength<D: Defence>() -> &'static str {
    D::PARAMETERS[0].key
}

fn taken<D: Defence>(given: &mut BTreeMap<String, f64>) -> Result<Option<D>, DefenceError> {
    let (mut own, mut values) = (D::DEFAULT, Vec::new());
    for parameter in D::PARAMETERS {
        let value = given.remove(parameter.key).unwrap_or(0.0);
        parameter.check(value)?;
        if D::SWITCH {
            SettingError::unless_whole(parameter.key, value)?;
        }
        own.set(parameter.key, value);
        values.push((parameter.key, value));
    }
    let mut on = values.into_iter().filter(|(_, value)| *value > 0.0).map(|(key, _)| key);
    match on.next() {
        None => Ok(None),
        Some(key) if key == strength::<D>() => Ok(Some(own)),
        Some(key) => Err(DefenceError::Without { key, of: strength::<D>() }),
    }
}

fn exclude(defence: &'static str, excluded: &[(&'static str, Why)], on: &[&'static str]) -> Result<(), DefenceError> {
    match excluded.iter().find(|(other, _)| on.contains(other)) {
        Some(&(other, why)) => Err(DefenceError::Exclusion { defence, other, why }),
        None => Ok(()),
    }
}

impl Defences {
    /// Turns a model's logits `[n, C]` into those of what is published, of which attackers know no more, defence by defence; `random
    /// [n, C]` is what it puts out on as many random inputs, where [`Defences::needs_random`]. None of it changes a prediction.
    pub fn publish(&self, logits: &mut [f32], classes: usize, random: &[f32]) {
        let (ranks, shuffled) = (self.needs_ranks(), self.needs_random());
        let mut order: Vec<usize> = Vec::with_capacity(classes);
        let mut sorted: Vec<f32> = Vec::with_capacity(classes);
        for (i, row) in logits.chunks_exact_mut(classes).enumerate() {
            if ranks {
                order.clear();
                order.extend(0..classes);
                order.sort_by(|a, b| row[*b].total_cmp(&row[*a]).then(a.cmp(b)));
            }
            if shuffled {
                sorted.clear();
                sorted.extend_from_slice(&random[i * classes..][..classes]);
                sorted.sort_by(|a, b| b.total_cmp(a));
            }
            self.publish_row(&mut Row { logits: row, order: &order, random: &sorted });
        }
    }

    /// What the loss compares predictions with in an epoch, counted from 0. `mixed` holds second labels and the weight of the first.
    pub(crate) fn objective(&self, classes: usize, epoch: usize, mixed: Option<(Vec<u32>, f32)>) -> Objective {
        if let Some(other) = self.other_objective(epoch) {
            return other;
        }
        let Targets { own, rest, entropy, .. } = self.targets(classes);
        if own == 1.0 && entropy == 0.0 && mixed.is_none() {
            return Objective::CrossEntropy;
        }
        let (weight, second) = match mixed {
            // The label's excess over the rest is what is shared between both.
            Some((labels, lambda)) => {
                let excess = (own - rest) as f32;
                (rest as f32 + lambda * excess, Some((labels, (1.0 - lambda) * excess)))
            }
            None => (own as f32, None),
        };
        Objective::Soft(Soft { own: weight, rest: rest as f32, entropy: entropy as f32, second })
    }
}
