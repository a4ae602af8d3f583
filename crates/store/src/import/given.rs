//! What outputs are said to be.

/// What an array of outputs holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// Logits, (M, N, C) or (M, N, Q, C); of two classes also (M, N), the second's beside a first of 0.
    Logits,
    /// Class probabilities, of the same shapes; of two classes also (M, N), the second's.
    Probabilities,
    /// log(p_y / (1 - p_y)), (M, N) or (M, N, Q).
    Phi,
    /// -log p_y, of the same shapes.
    Loss,
    /// p_y, of the same shapes.
    Confidence,
}

impl Given {
    /// Name, as flags and arrays in archives have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Logits => "logits",
            Self::Probabilities => "probabilities",
            Self::Phi => "phi",
            Self::Loss => "loss",
            Self::Confidence => "confidence",
        }
    }

    /// One value per class, rather than one in all.
    pub(super) fn has_classes(self) -> bool {
        matches!(self, Self::Logits | Self::Probabilities)
    }

    /// Its shapes.
    pub(super) fn shapes(self) -> &'static str {
        if self.has_classes() { "(M, N, C), (M, N, Q, C) or, of two classes, (M, N)" } else { "(M, N) or (M, N, Q)" }
    }
}
