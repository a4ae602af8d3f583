//! The attacks: a file each family, and the list of all.

mod bavaria;
mod calibrated;
mod empirical_bayes;
mod lira;
mod per_class;
pub mod quantile;
mod rmia;
mod strongest;
mod target;

use flatleak_pool::{Decimal, Matrix, Signal};

pub(crate) use empirical_bayes::cohorts;
pub use lira::{FixedVariance, log_likelihood_ratio};

use crate::Lineup;
use crate::definition::{Definition, Views};

/// Makes [`Attack`] and [`all`] of the list.
macro_rules! attacks {
    ($($family:ident::$name:ident),+ $(,)?) => {
        $(pub use $family::$name;)+

        /// A membership-inference attack with its parameters; formulas stand with each and in the book (book/methods/attacks.md#notation).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "each type says what it is")]
        pub enum Attack {
            $($name($name),)+
        }

        impl Attack {
            pub(crate) fn definition(&self) -> &dyn Definition {
                match self { $(Self::$name(attack) => attack,)+ }
            }

            pub(crate) fn definition_mut(&mut self) -> &mut dyn Definition {
                match self { $(Self::$name(attack) => attack,)+ }
            }
        }

        /// Every attack, in the order of tables. Others are named with parameters: `rmia(t=3)`.
        pub fn all() -> Vec<Attack> {
            let listed = [$($name::listed().into_iter().map(Attack::$name).collect::<Vec<_>>(),)+];
            listed.into_iter().flatten().collect()
        }

        $(impl From<$name> for Attack {
            fn from(attack: $name) -> Self {
                Self::$name(attack)
            }
        })+
    };
}

// The one list, in the order of tables.
attacks![
    strongest::Strongest,
    target::Correctness,
    target::LabelOnly,
    target::Confidence,
    target::Loss,
    target::Entropy,
    target::ModifiedEntropy,
    per_class::ConfidencePerClass,
    per_class::LossPerClass,
    per_class::EntropyPerClass,
    per_class::ModifiedEntropyPerClass,
    quantile::Quantile,
    calibrated::AttackR,
    calibrated::CalibratedLoss,
    calibrated::CalibratedCorrectness,
    lira::LiraOnline,
    lira::LiraOnlineFixed,
    bavaria::BavariaNormal,
    bavaria::BavariaStudent,
    empirical_bayes::EmpiricalBayes,
    lira::LiraOffline,
    lira::LiraOfflineFixed,
    lira::LiraOfflineTwoSided,
    lira::LiraOfflineTwoSidedFixed,
    rmia::Rmia,
    rmia::RmiaOffline,
    rmia::RmiaGamma,
    rmia::Base,
];

impl Attack {
    /// The attack of headlines.
    pub const STRONGEST: Self = Self::Strongest(Strongest);
    /// What a pool allows of the attack of headlines below the blocks from which it learns.
    pub const EMPIRICAL_BAYES: Self = Self::EmpiricalBayes(EmpiricalBayes);
    /// What labels alone allow of it.
    pub const CALIBRATED_CORRECTNESS: Self = Self::CalibratedCorrectness(CalibratedCorrectness);
    /// The attack on which the literature rests.
    pub const LIRA: Self = Self::LiraOnlineFixed(LiraOnlineFixed::PUBLISHED);
    /// The same with deviations of single examples.
    pub const LIRA_ONLINE: Self = Self::LiraOnline(LiraOnline::PUBLISHED);
    /// Confidence as it is published.
    pub const CONFIDENCE: Self = Self::Confidence(Confidence { temperature: Decimal::ONE });
    /// Correct prediction.
    pub const CORRECTNESS: Self = Self::Correctness(Correctness);
    /// RMIA on confidences as they are published.
    pub const RMIA: Self = Self::Rmia(Rmia { temperature: Decimal::ONE });

    /// Name without parameters.
    pub fn family(self) -> &'static str {
        self.definition().meta().name
    }

    /// What it does, in a line of everyday words.
    pub fn about(self) -> &'static str {
        self.definition().meta().about
    }

    /// Who published it (book/methods/attacks.md#notation), or `own`.
    pub fn source(self) -> &'static str {
        self.definition().meta().source
    }

    /// Variant, where the literature has several definitions under one name.
    pub fn variant(self) -> Option<&'static str> {
        self.definition().variant()
    }

    /// The same with the pooled deviation formed in this way, where it has one.
    #[must_use]
    pub fn with_variance(self, variance: FixedVariance) -> Self {
        match self {
            Self::LiraOnlineFixed(lira) => Self::LiraOnlineFixed(LiraOnlineFixed { variance, ..lira }),
            other => other,
        }
    }

    /// The signal that the attack reads.
    pub fn signal(self) -> Signal {
        self.definition().signal()
    }

    /// The score in one line, with its source; mu is a median, s a deviation (ddof 0) over the shadows of one example, IN those that were
    /// trained on it, OUT the others. A temperature divides the logits before the softmax.
    pub fn formula(self) -> &'static str {
        self.definition().formula()
    }

    /// Whether scores are signals less a threshold of the class, which jumps where shadows change.
    pub fn has_class_thresholds(self) -> bool {
        self.definition().meta().has_class_thresholds
    }

    /// Whether a target's score depends on the outputs of other models.
    pub fn uses_shadows(self) -> bool {
        self.definition().meta().uses_shadows
    }

    /// Whether further views of an example are of no use to it.
    pub fn reads_plain_view(self) -> bool {
        self.definition().meta().views == Views::Plain
    }

    /// Whether it is nothing without features of the examples.
    pub fn needs_features(self) -> bool {
        self.definition().meta().needs_features
    }

    /// Whether it is nothing without further views.
    pub fn needs_views(self) -> bool {
        self.definition().meta().views == Views::Several
    }

    /// Whether it is nothing without outputs on examples outside the pool.
    pub fn needs_population(self) -> bool {
        self.definition().meta().needs_population
    }

    /// The temperature that divides the logits, where it is not 1.
    pub fn temperature(self) -> Option<Decimal> {
        match self.signal() {
            Signal::Tempered(temperature) => Some(temperature),
            _ => None,
        }
    }

    /// Name of the attack whose ROC this one has by construction; `equal` where every target's example has as many IN as OUT shadows.
    pub fn same_roc_as(self, equal: bool) -> Option<String> {
        self.definition().same_roc_as(equal)
    }

    /// Scores of every model of the lineup on every example, (M, N) as rows; higher = member, NaN where an example is not scored for a
    /// target. [`Attack::STRONGEST`] reads more than a lineup has: what a lineup allows of it is [`EmpiricalBayes`].
    pub fn score(self, lineup: &Lineup<'_>) -> Matrix {
        let mut scores = self.definition().score(lineup);
        lineup.blank(&mut scores);
        scores
    }
}
