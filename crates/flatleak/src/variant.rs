//! Definitions that go by one name in the literature.

use flatleak_attack::FixedVariance;
use flatleak_pool::PhiForm;

/// Which definition of `lira-online-fixed` and of phi an audit uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Variant {
    /// Deviation of phi minus the example's median, per side (TF Privacy); phi from logits.
    #[default]
    Residual,
    /// Deviation of all raw IN phi for both sides (the reference code of 2022).
    Official,
    /// Deviation of all raw phi, per side.
    PerSide,
    /// As `Official`, with phi as the reference code of 2021 computes it from single-precision exponentials: saturated near 103.6.
    Official2021,
}

impl Variant {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Residual, Self::Official, Self::PerSide, Self::Official2021];

    /// Name, as flags have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Official2021 => "official-2021",
            other => other.fixed().name(),
        }
    }

    /// The variant of that name.
    ///
    /// # Errors
    /// A name that is none.
    pub fn parse(name: &str) -> Result<Self, NoVariant> {
        Self::ALL.into_iter().find(|v| v.name() == name).ok_or_else(|| NoVariant { name: name.into() })
    }

    /// The pooled deviation of `lira-online-fixed`.
    pub fn fixed(self) -> FixedVariance {
        match self {
            Self::Residual => FixedVariance::Residual,
            Self::Official | Self::Official2021 => FixedVariance::Official,
            Self::PerSide => FixedVariance::PerSide,
        }
    }

    /// How phi is computed from outputs per class.
    pub fn phi(self) -> PhiForm {
        if self == Self::Official2021 { PhiForm::Official2021 } else { PhiForm::Exact }
    }
}

/// A name that is no variant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no variant {name:?}: {}", Variant::ALL.map(Variant::name).join(", "))]
pub struct NoVariant {
    /// The name.
    pub name: String,
}
