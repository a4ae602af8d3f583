//! The logistic function and its complement, each exact where it is small.

/// p = 1 / (1 + e^-phi).
pub(crate) fn sigmoid(phi: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-phi))
}

/// 1 - p = 1 / (1 + e^phi).
pub(crate) fn complement(phi: f64) -> f64 {
    1.0 / (1.0 + libm::exp(phi))
}
