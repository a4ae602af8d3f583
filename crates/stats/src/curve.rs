//! Points of a ROC curve, and curves as step functions.

/// One point of a ROC curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OperatingPoint {
    /// Share of the members called members.
    pub tpr: f64,
    /// Share of the non-members called members.
    pub realised_fpr: f64,
    /// Members called members.
    pub true_positives: usize,
    /// Non-members called members.
    pub false_positives: usize,
    /// Scores at or above it are called members; `None` where nothing is.
    pub threshold: Option<f64>,
}

impl OperatingPoint {
    /// (TPR + TNR) / 2.
    pub fn balanced_accuracy(&self) -> f64 {
        0.5 * (1.0 + (self.tpr - self.realised_fpr))
    }

    /// Share of true members among those called members when a fraction `prior` of the candidates are members:
    /// prior TPR / (prior TPR + (1 - prior) FPR) (Jayaraman et al. 2021, arXiv 2005.10881).
    ///
    /// `None` when nothing is called a member.
    pub fn precision(&self, prior: f64) -> Option<f64> {
        precision(self.tpr, self.realised_fpr, prior)
    }
}

/// [`OperatingPoint::precision`] of any TPR and FPR.
pub fn precision(tpr: f64, fpr: f64, prior: f64) -> Option<f64> {
    let (hits, errors) = (prior * tpr, (1.0 - prior) * fpr);
    (hits + errors > 0.0).then(|| hits / (hits + errors))
}

/// A curve of [`Ranking::curve`](crate::Ranking::curve) as a step function: for each of `fprs` the largest TPR at an FPR at most that.
///
/// The mean of such steps over targets, on one grid of FPRs, is their average ROC curve ("vertical averaging",
/// Fawcett 2006), without crediting a target for operating points that it does not have. `curve` must rise in
/// both coordinates; a level below its first FPR, or NaN, gives 0.
pub fn interpolate(curve: &[(f64, f64)], fprs: &[f64]) -> Vec<f64> {
    fprs.iter()
        .map(|&fpr| {
            let within = curve.partition_point(|point| point.0 <= fpr);
            within.checked_sub(1).map_or(0.0, |last| curve[last].1)
        })
        .collect()
}
