//! The attacks by name.

use flatleak_pool::Signal;

use crate::{Lineup, bavaria, lira, ratio, threshold};

/// How the pooled standard deviation of `lira-online-fixed` is formed; the literature has several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FixedVariance {
    /// Deviation (ddof 0) of phi minus the example's median, per side, over examples and shadows (TF Privacy).
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

/// A membership-inference attack; formulas stand with the scoring functions and in the book.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Attack {
    /// Correct prediction (Yeom et al. 2018).
    Correctness,
    /// Share of views of the example that are predicted correctly (own simplification of Choquette-Choo et al. 2021, arXiv 2007.14321).
    LabelOnly,
    /// log p_y, which ranks as p_y does and keeps its precision near 1.
    Confidence,
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
    LiraOnline,
    /// Likelihood ratio with pooled deviations.
    LiraOnlineFixed(FixedVariance),
    /// Likelihood ratio with means and variances shrunk towards the pool's, for few shadows (Brännvall 2026, arXiv 2603.11799).
    BavariaNormal,
    /// The same with Student's predictive densities.
    BavariaStudent,
    /// One-sided test against the OUT shadows, ranked by its z value.
    LiraOffline,
    /// The same with a pooled deviation.
    LiraOfflineFixed,
    /// Negative OUT log-density, as the 2021 reference code computes it.
    LiraOfflineTwoSided,
    /// The same with a pooled deviation.
    LiraOfflineTwoSidedFixed,
    /// log(p_y / pbar) (Zarifzadeh et al. 2024, arXiv 2312.03262).
    Rmia,
    /// The same with pbar from OUT shadows alone, a = 0.3.
    RmiaOffline,
    /// Share of population examples whose ratio is exceeded gamma = 1 times.
    RmiaGamma,
    /// log p_y - log of the mean over shadows (Lassila et al. 2025, arXiv 2505.24089).
    Base,
}

/// Every attack, in the order of tables.
pub fn all() -> Vec<Attack> {
    use Attack::*;
    vec![
        Correctness,
        LabelOnly,
        Confidence,
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
        LiraOnline,
        LiraOnlineFixed(FixedVariance::Residual),
        BavariaNormal,
        BavariaStudent,
        LiraOffline,
        LiraOfflineFixed,
        LiraOfflineTwoSided,
        LiraOfflineTwoSidedFixed,
        Rmia,
        RmiaOffline,
        RmiaGamma,
        Base,
    ]
}

impl Attack {
    /// Name in tables and results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Correctness => "correctness",
            Self::LabelOnly => "label-only",
            Self::Confidence => "confidence",
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
            Self::LiraOnline => "lira-online",
            Self::LiraOnlineFixed(_) => "lira-online-fixed",
            Self::BavariaNormal => "bavaria-n",
            Self::BavariaStudent => "bavaria-t",
            Self::LiraOffline => "lira-offline",
            Self::LiraOfflineFixed => "lira-offline-fixed",
            Self::LiraOfflineTwoSided => "lira-offline-two-sided",
            Self::LiraOfflineTwoSidedFixed => "lira-offline-two-sided-fixed",
            Self::Rmia => "rmia",
            Self::RmiaOffline => "rmia-offline",
            Self::RmiaGamma => "rmia-gamma",
            Self::Base => "base",
        }
    }

    /// Variant, where the literature has several definitions under one name.
    pub fn variant(self) -> Option<&'static str> {
        if let Self::LiraOnlineFixed(v) = self { Some(v.name()) } else { None }
    }

    /// The signal that the attack reads.
    pub fn signal(self) -> Signal {
        match self {
            Self::Correctness | Self::LabelOnly | Self::CalibratedCorrectness => Signal::Correct,
            Self::ConfidencePerClass => Signal::Confidence,
            Self::Entropy | Self::EntropyPerClass => Signal::NegativeEntropy,
            Self::ModifiedEntropy | Self::ModifiedEntropyPerClass => Signal::NegativeModifiedEntropy,
            Self::LiraOnline
            | Self::LiraOnlineFixed(_)
            | Self::BavariaNormal
            | Self::Quantile
            | Self::BavariaStudent
            | Self::LiraOffline
            | Self::LiraOfflineFixed
            | Self::LiraOfflineTwoSided
            | Self::LiraOfflineTwoSidedFixed
            | Self::Rmia
            | Self::RmiaOffline
            | Self::RmiaGamma
            | Self::Base => Signal::Phi,
            Self::Confidence | Self::Loss | Self::LossPerClass | Self::AttackR | Self::CalibratedLoss => {
                Signal::LogConfidence
            }
        }
    }

    /// The score in one line, with its source; mu is a median, s a deviation (ddof 0) over the shadows of one example, IN those that were
    /// trained on it, OUT the others.
    pub fn formula(self) -> &'static str {
        match self {
            Self::Correctness => "1[prediction = label] (Yeom et al. 2018)",
            Self::LabelOnly => {
                "share of the views with prediction = label (own simplification of Choquette-Choo et al. 2021, arXiv 2007.14321)"
            }
            Self::Confidence => "log p_y",
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
            Self::LiraOnline => {
                "log N(phi; mu_in, s_in) - log N(phi; mu_out, s_out), s per example + 1e-30 (Carlini et al. 2022, arXiv 2112.03570)"
            }
            Self::LiraOnlineFixed(FixedVariance::Residual) => {
                "the same, s per side over all examples of phi - mu (as TF Privacy)"
            }
            Self::LiraOnlineFixed(FixedVariance::Official) => {
                "the same, one s for both sides: of all raw IN phi (the 2022 reference code)"
            }
            Self::LiraOnlineFixed(FixedVariance::PerSide) => "the same, s per side of all raw phi",
            Self::BavariaNormal => {
                "log N(phi; mean_in, v_in) - log N(phi; mean_out, v_out), v = (2 V + ss + n (mean - mu0)^2 / (n + 1)) / n with mu0, V over all examples (Brännvall 2026, arXiv 2603.11799, as its code)"
            }
            Self::BavariaStudent => {
                "the same with Student's posterior predictive densities, n + 4 degrees of freedom about (mu0 + n mean) / (n + 1)"
            }
            Self::LiraOffline => "(phi - mu_out) / s_out, which ranks as log Phi of it (the paper's one-sided test)",
            Self::LiraOfflineFixed => "the same, s_out over all examples of phi - mu_out",
            Self::LiraOfflineTwoSided => "-log N(phi; mu_out, s_out) (what the 2021 reference code computes)",
            Self::LiraOfflineTwoSidedFixed => "the same, s_out over all examples of phi - mu_out",
            Self::Rmia => {
                "log(p_y / pbar), pbar = (mean IN + mean OUT) / 2, not trimmed (Zarifzadeh et al. 2024, arXiv 2312.03262)"
            }
            Self::RmiaOffline => {
                "log(p_y / pbar), pbar = (1 + a)/2 mean OUT + (1 - a)/2, a = 0.3, never tuned on the target"
            }
            Self::RmiaGamma => "share of held-out z with r_x / r_z > 1, r with the offline pbar",
            Self::Base => {
                "log p_y - log of the mean over all shadows (Lassila et al. 2025, arXiv 2505.24089, temperature 1)"
            }
        }
    }

    /// Whether a target's score depends on the outputs of other models.
    pub fn uses_shadows(self) -> bool {
        use Attack::*;
        !matches!(self, Correctness | LabelOnly | Confidence | Entropy | ModifiedEntropy | Loss | Quantile)
    }

    /// Whether further views of an example are of no use to it.
    pub fn reads_plain_view(self) -> bool {
        matches!(self, Self::Correctness | Self::CalibratedCorrectness | Self::Quantile)
    }

    /// Whether it is nothing without features of the examples.
    pub fn needs_features(self) -> bool {
        self == Self::Quantile
    }

    /// Whether it is nothing without further views.
    pub fn needs_views(self) -> bool {
        self == Self::LabelOnly
    }

    /// The attack whose ROC this one has by construction, in a design with equal IN and OUT counts.
    pub fn same_roc_as(self) -> Option<Self> {
        match self {
            Self::Loss => Some(Self::Confidence),
            Self::Base => Some(Self::Rmia),
            _ => None,
        }
    }

    /// Scores of every model of the lineup on every example, (M, N) as rows; higher = member.
    pub fn score(self, lineup: &Lineup<'_>) -> Vec<Vec<f64>> {
        match self {
            Self::Correctness
            | Self::LabelOnly
            | Self::Confidence
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
            Self::LiraOnline => lira::online(lineup, None),
            Self::LiraOnlineFixed(variant) => lira::online(lineup, Some(variant)),
            Self::BavariaNormal => bavaria::normal(lineup),
            Self::BavariaStudent => bavaria::student(lineup),
            Self::LiraOffline => lira::offline(lineup, false, false),
            Self::LiraOfflineFixed => lira::offline(lineup, true, false),
            Self::LiraOfflineTwoSided => lira::offline(lineup, false, true),
            Self::LiraOfflineTwoSidedFixed => lira::offline(lineup, true, true),
            Self::Rmia => ratio::rmia(lineup),
            Self::RmiaOffline => ratio::rmia_offline(lineup),
            Self::RmiaGamma => ratio::rmia_gamma(lineup),
            Self::Base => ratio::base(lineup),
        }
    }
}
