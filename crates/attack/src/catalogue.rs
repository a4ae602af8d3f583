//! The attacks by name.

use flatleak_pool::{Decimal, Signal};

use crate::lira::Offline;
use crate::{Lineup, bavaria, empirical, lira, ratio, threshold};

/// How the pooled standard deviation of `lira-online-fixed` is formed; the literature has several (book/methods/attacks.md#pooled-deviation).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FixedVariance {
    /// Deviation (ddof 0) of phi minus the example's centre, per side, over examples and shadows (TF Privacy).
    #[default]
    Residual,
    /// Deviation of all raw IN phi, for both sides (the 2022 reference code).
    Official,
    /// Deviation of all raw phi, per side.
    PerSide,
}

impl FixedVariance {
    /// Name in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Residual => "residual",
            Self::Official => "official",
            Self::PerSide => "per-side",
        }
    }
}

/// What the shadows of one side of an example are summed up by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Centre {
    /// The median (Carlini et al. 2022).
    #[default]
    Median,
    /// The mean (LeakPro, SACRO-ML, PrivacyGuard).
    Mean,
}

/// Weight a of the offline correction, never tuned on a target (Zarifzadeh et al. 2024).
pub(crate) const OFFLINE_A: Decimal = Decimal::thousandths(300);

/// A membership-inference attack with its parameters; formulas stand with the scoring functions and in the book (book/methods/attacks.md#notation and
/// below).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attack {
    /// All scores that the pool allows, combined by what other blocks' targets teach (own). It reads more than a lineup has: see
    /// [`crate::learned`].
    Strongest,
    /// Correct prediction (Yeom et al. 2018).
    Correctness,
    /// Share of views of the example that are predicted correctly (own simplification of Choquette-Choo et al. 2021, arXiv 2007.14321).
    LabelOnly,
    /// log p_y, which ranks as p_y does and keeps its precision near 1.
    Confidence {
        /// Of the softmax.
        temperature: Decimal,
    },
    /// Negative entropy.
    Entropy,
    /// Negative modified entropy (Song & Mittal 2021).
    ModifiedEntropy,
    /// Negative loss.
    Loss,
    /// p_y minus the threshold of its class.
    ConfidencePerClass,
    /// Negative entropy minus the threshold of its class.
    EntropyPerClass,
    /// Negative modified entropy minus the threshold of its class.
    ModifiedEntropyPerClass,
    /// Negative loss minus the threshold of its class.
    LossPerClass,
    /// phi minus the quantile of phi that a regression on features, fitted on the target's held-out outputs, expects of a non-member (own
    /// simplification of Bertran et al. 2023, arXiv 2307.03694). The subtraction is done before scoring: see [`crate::quantile`].
    Quantile,
    /// Share of OUT shadows with a larger loss (Ye et al. 2022, arXiv 2111.09679).
    AttackR,
    /// Mean OUT loss minus the target's (Watson et al. 2022).
    CalibratedLoss,
    /// Correct prediction less the share of shadows that predict correctly, IN and OUT of equal weight (own; RMIA's reference on labels): what
    /// labels alone tell, whatever scores are published with them.
    CalibratedCorrectness,
    /// Likelihood ratio with per-example deviations (Carlini et al. 2022, arXiv 2112.03570).
    LiraOnline {
        /// Of the shadows.
        centre: Centre,
    },
    /// Likelihood ratio with pooled deviations.
    LiraOnlineFixed {
        /// How they are pooled.
        variance: FixedVariance,
        /// Of the shadows.
        centre: Centre,
    },
    /// Likelihood ratio with means and variances shrunk towards the pool's, for few shadows (Brännvall 2026, arXiv 2603.11799).
    BavariaNormal,
    /// The same with Student's predictive densities.
    BavariaStudent,
    /// Likelihood ratio with each model's offset taken off, variances and differences of means shrunk by what the pool says of their spread
    /// (own): see `empirical`.
    EmpiricalBayes,
    /// One-sided test against the OUT shadows, ranked by its z value.
    LiraOffline,
    /// The same with a pooled deviation.
    LiraOfflineFixed,
    /// Negative OUT log-density, as the 2021 reference code computes it.
    LiraOfflineTwoSided,
    /// The same with a pooled deviation.
    LiraOfflineTwoSidedFixed,
    /// log(p_y / pbar) (Zarifzadeh et al. 2024, arXiv 2312.03262).
    Rmia {
        /// Of the softmax.
        temperature: Decimal,
    },
    /// The same with pbar from OUT shadows alone.
    RmiaOffline {
        /// Weight of the correction for what OUT shadows miss.
        a: Decimal,
        /// Of the softmax.
        temperature: Decimal,
    },
    /// Share of population examples whose offline ratio is exceeded gamma times.
    RmiaGamma {
        /// By how much.
        gamma: Decimal,
        /// Weight of the offline correction.
        a: Decimal,
        /// Of the softmax.
        temperature: Decimal,
    },
    /// log p_y - log of the mean over shadows (Lassila et al. 2025, arXiv 2505.24089).
    Base {
        /// Of the softmax.
        temperature: Decimal,
    },
}

impl Attack {
    /// The attack on which the literature rests.
    pub const LIRA: Self = Self::LiraOnlineFixed { variance: FixedVariance::Residual, centre: Centre::Median };
    /// Confidence as it is published.
    pub const CONFIDENCE: Self = Self::Confidence { temperature: Decimal::ONE };
    /// RMIA on confidences as they are published.
    pub const RMIA: Self = Self::Rmia { temperature: Decimal::ONE };
}

/// Every attack, in the order of tables. Others are named with parameters: `rmia(t=3)`.
pub fn all() -> Vec<Attack> {
    use Attack::*;
    let one = Decimal::ONE;
    let (two, four) = (Decimal::thousandths(2000), Decimal::thousandths(4000));
    vec![
        Strongest,
        Correctness,
        LabelOnly,
        Attack::CONFIDENCE,
        Loss,
        Entropy,
        ModifiedEntropy,
        ConfidencePerClass,
        LossPerClass,
        EntropyPerClass,
        ModifiedEntropyPerClass,
        Quantile,
        AttackR,
        CalibratedLoss,
        CalibratedCorrectness,
        LiraOnline { centre: Centre::Median },
        Attack::LIRA,
        LiraOnlineFixed { variance: FixedVariance::Residual, centre: Centre::Mean },
        BavariaNormal,
        BavariaStudent,
        EmpiricalBayes,
        LiraOffline,
        LiraOfflineFixed,
        LiraOfflineTwoSided,
        LiraOfflineTwoSidedFixed,
        Attack::RMIA,
        Rmia { temperature: two },
        Rmia { temperature: four },
        RmiaOffline { a: OFFLINE_A, temperature: one },
        RmiaGamma { gamma: one, a: OFFLINE_A, temperature: one },
        Base { temperature: one },
        Base { temperature: two },
    ]
}

impl Attack {
    /// Name without parameters.
    pub fn family(self) -> &'static str {
        match self {
            Self::Strongest => "strongest",
            Self::Correctness => "correctness",
            Self::LabelOnly => "label-only",
            Self::Confidence { .. } => "confidence",
            Self::Entropy => "entropy",
            Self::ModifiedEntropy => "modified-entropy",
            Self::Loss => "loss",
            Self::ConfidencePerClass => "confidence-per-class",
            Self::EntropyPerClass => "entropy-per-class",
            Self::ModifiedEntropyPerClass => "modified-entropy-per-class",
            Self::LossPerClass => "loss-per-class",
            Self::Quantile => "quantile",
            Self::AttackR => "attack-r",
            Self::CalibratedLoss => "calibrated-loss",
            Self::CalibratedCorrectness => "calibrated-correctness",
            Self::LiraOnline { .. } => "lira-online",
            Self::LiraOnlineFixed { .. } => "lira-online-fixed",
            Self::BavariaNormal => "bavaria-n",
            Self::BavariaStudent => "bavaria-t",
            Self::EmpiricalBayes => "empirical-bayes",
            Self::LiraOffline => "lira-offline",
            Self::LiraOfflineFixed => "lira-offline-fixed",
            Self::LiraOfflineTwoSided => "lira-offline-two-sided",
            Self::LiraOfflineTwoSidedFixed => "lira-offline-two-sided-fixed",
            Self::Rmia { .. } => "rmia",
            Self::RmiaOffline { .. } => "rmia-offline",
            Self::RmiaGamma { .. } => "rmia-gamma",
            Self::Base { .. } => "base",
        }
    }

    /// Variant, where the literature has several definitions under one name.
    pub fn variant(self) -> Option<&'static str> {
        if let Self::LiraOnlineFixed { variance, .. } = self { Some(variance.name()) } else { None }
    }

    /// The signal that the attack reads.
    pub fn signal(self) -> Signal {
        match self {
            Self::Correctness | Self::LabelOnly | Self::CalibratedCorrectness => Signal::Correct,
            Self::ConfidencePerClass => Signal::Confidence,
            Self::Entropy | Self::EntropyPerClass => Signal::NegativeEntropy,
            Self::ModifiedEntropy | Self::ModifiedEntropyPerClass => Signal::NegativeModifiedEntropy,
            Self::Confidence { temperature } if temperature != Decimal::ONE => Signal::Tempered(temperature),
            Self::Rmia { temperature }
            | Self::RmiaOffline { temperature, .. }
            | Self::RmiaGamma { temperature, .. }
            | Self::Base { temperature } => Signal::phi_at(temperature),
            Self::Strongest
            | Self::LiraOnline { .. }
            | Self::LiraOnlineFixed { .. }
            | Self::BavariaNormal
            | Self::BavariaStudent
            | Self::EmpiricalBayes
            | Self::Quantile
            | Self::LiraOffline
            | Self::LiraOfflineFixed
            | Self::LiraOfflineTwoSided
            | Self::LiraOfflineTwoSidedFixed => Signal::Phi,
            Self::Confidence { .. } | Self::Loss | Self::LossPerClass | Self::AttackR | Self::CalibratedLoss => {
                Signal::LogConfidence
            }
        }
    }

    /// The score in one line, with its source; mu is a median, s a deviation (ddof 0) over the shadows of one example, IN those that were
    /// trained on it, OUT the others. A temperature divides the logits before the softmax.
    pub fn formula(self) -> &'static str {
        match self {
            Self::Strongest => {
                "logistic regression on all scores that the pool allows, learnt on other blocks' targets; below 4 blocks empirical-bayes (own)"
            }
            Self::Correctness => "1[prediction = label] (Yeom et al. 2018)",
            Self::LabelOnly => {
                "share of the views with prediction = label (own simplification of Choquette-Choo et al. 2021, arXiv 2007.14321)"
            }
            Self::Confidence { .. } => "log p_y",
            Self::Loss => "-loss = log p_y",
            Self::Entropy => "-H(p)",
            Self::ModifiedEntropy => "-Mentr(p, y) (Song & Mittal 2021, arXiv 2003.10595)",
            Self::ConfidencePerClass => "p_y - t_class, t of best balanced accuracy on shadows (Song & Mittal 2021)",
            Self::LossPerClass => "-loss - t_class",
            Self::EntropyPerClass => "-H(p) - t_class",
            Self::ModifiedEntropyPerClass => "-Mentr(p, y) - t_class",
            Self::Quantile => {
                "phi - q(x), q the linear 0.9 quantile of the target's held-out phi given features (own simplification of Bertran et al. 2023, arXiv 2307.03694)"
            }
            Self::AttackR => "share of OUT shadows with a larger loss, ties half (Ye et al. 2022, arXiv 2111.09679)",
            Self::CalibratedLoss => "mean OUT loss - loss (Watson et al. 2022)",
            Self::CalibratedCorrectness => {
                "1[prediction = label] - (share of IN + share of OUT shadows of which it holds) / 2 (own)"
            }
            Self::LiraOnline { .. } => {
                "log N(phi; mu_in, s_in) - log N(phi; mu_out, s_out), s per example + 1e-30 (Carlini et al. 2022, arXiv 2112.03570)"
            }
            Self::LiraOnlineFixed { variance: FixedVariance::Residual, centre: Centre::Median } => {
                "the same, s per side over all examples of phi - mu (as TF Privacy)"
            }
            Self::LiraOnlineFixed { variance: FixedVariance::Residual, centre: Centre::Mean } => {
                "the same with means for mu (as LeakPro)"
            }
            Self::LiraOnlineFixed { variance: FixedVariance::Official, .. } => {
                "the same, one s for both sides: of all raw IN phi (the 2022 reference code)"
            }
            Self::LiraOnlineFixed { variance: FixedVariance::PerSide, .. } => "the same, s per side of all raw phi",
            Self::BavariaNormal => {
                "log N(phi; mean_in, v_in) - log N(phi; mean_out, v_out), v = (2 V + ss + n (mean - mu0)^2 / (n + 1)) / n with mu0, V over all examples (Brännvall 2026, arXiv 2603.11799, as its code)"
            }
            Self::BavariaStudent => {
                "the same with Student's posterior predictive densities, n + 4 degrees of freedom about (mu0 + n mean) / (n + 1)"
            }
            Self::EmpiricalBayes => {
                "log N(phi; IN) - log N(phi; OUT) without each model's offset, variances (Smyth 2004) and differences of means shrunk by the pool's own spread (own)"
            }
            Self::LiraOffline => "(phi - mu_out) / s_out, which ranks as log Phi of it (the paper's one-sided test)",
            Self::LiraOfflineFixed => "the same, s_out over all examples of phi - mu_out",
            Self::LiraOfflineTwoSided => "-log N(phi; mu_out, s_out) (what the 2021 reference code computes)",
            Self::LiraOfflineTwoSidedFixed => "the same, s_out over all examples of phi - mu_out",
            Self::Rmia { .. } => {
                "log(p_y / pbar), pbar = (mean IN + mean OUT) / 2, not trimmed (Zarifzadeh et al. 2024, arXiv 2312.03262)"
            }
            Self::RmiaOffline { .. } => {
                "log(p_y / pbar), pbar = (1 + a)/2 mean OUT + (1 - a)/2, a = 0.3, never tuned on the target"
            }
            Self::RmiaGamma { .. } => "share of held-out z with r_x / r_z > gamma = 1, r with the offline pbar",
            Self::Base { .. } => "log p_y - log of the mean over all shadows (Lassila et al. 2025, arXiv 2505.24089)",
        }
    }

    /// Whether scores are signals less a threshold of the class, which jumps where shadows change.
    pub fn has_class_thresholds(self) -> bool {
        let all = [Self::ConfidencePerClass, Self::LossPerClass, Self::EntropyPerClass, Self::ModifiedEntropyPerClass];
        all.contains(&self)
    }

    /// Whether a target's score depends on the outputs of other models.
    pub fn uses_shadows(self) -> bool {
        use Attack::*;
        !matches!(self, Correctness | LabelOnly | Confidence { .. } | Entropy | ModifiedEntropy | Loss | Quantile)
    }

    /// Whether further views of an example are of no use to it.
    pub fn reads_plain_view(self) -> bool {
        matches!(self, Self::Strongest | Self::Correctness | Self::CalibratedCorrectness | Self::Quantile)
    }

    /// Whether it is nothing without features of the examples.
    pub fn needs_features(self) -> bool {
        self == Self::Quantile
    }

    /// Whether it is nothing without further views.
    pub fn needs_views(self) -> bool {
        self == Self::LabelOnly
    }

    /// Whether it is nothing without outputs on examples outside the pool.
    pub fn needs_population(self) -> bool {
        matches!(self, Self::RmiaGamma { .. })
    }

    /// The temperature that divides the logits, where it is not 1.
    pub fn temperature(self) -> Option<Decimal> {
        match self.signal() {
            Signal::Tempered(temperature) => Some(temperature),
            _ => None,
        }
    }

    /// The attack whose ROC this one has by construction; `equal` where every target's example has as many IN as OUT shadows.
    pub fn same_roc_as(self, equal: bool) -> Option<Self> {
        match self {
            Self::Loss => Some(Self::CONFIDENCE),
            Self::Base { temperature } if equal => Some(Self::Rmia { temperature }),
            _ => None,
        }
    }

    /// Scores of every model of the lineup on every example, (M, N) as rows; higher = member, NaN where an example is not scored for a
    /// target. [`Attack::Strongest`] reads more than a lineup has: what a lineup allows of it is [`Attack::EmpiricalBayes`].
    pub fn score(self, lineup: &Lineup<'_>) -> Vec<Vec<f64>> {
        let mut scores = match self {
            Self::Correctness
            | Self::LabelOnly
            | Self::Confidence { .. }
            | Self::Entropy
            | Self::ModifiedEntropy
            | Self::Loss
            | Self::Quantile => lineup.seats.iter().map(|s| s.values.to_vec()).collect(),
            Self::ConfidencePerClass | Self::EntropyPerClass | Self::ModifiedEntropyPerClass | Self::LossPerClass => {
                threshold::per_class(lineup)
            }
            Self::AttackR => ratio::attack_r(lineup),
            Self::CalibratedLoss => ratio::calibrated_loss(lineup),
            Self::CalibratedCorrectness => ratio::calibrated_correctness(lineup),
            Self::LiraOnline { centre } => lira::online(lineup, centre),
            Self::LiraOnlineFixed { variance, centre } => lira::online_fixed(lineup, variance, centre),
            Self::BavariaNormal => bavaria::normal(lineup),
            Self::BavariaStudent => bavaria::student(lineup),
            Self::Strongest | Self::EmpiricalBayes => empirical::score(lineup),
            Self::LiraOffline => Offline::OneSided.per_example(lineup),
            Self::LiraOfflineFixed => Offline::OneSided.fixed(lineup),
            Self::LiraOfflineTwoSided => Offline::TwoSided.per_example(lineup),
            Self::LiraOfflineTwoSidedFixed => Offline::TwoSided.fixed(lineup),
            Self::Rmia { .. } => ratio::rmia(lineup),
            Self::RmiaOffline { a, .. } => ratio::rmia_offline(lineup, a.value()),
            Self::RmiaGamma { gamma, a, .. } => ratio::rmia_gamma(lineup, gamma.value(), a.value()),
            Self::Base { .. } => ratio::base(lineup),
        };
        lineup.blank(&mut scores);
        scores
    }
}
