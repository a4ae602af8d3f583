//! What is asked of outputs.

use flatleak_pool::Wanted;

use super::given::Given;
use super::terms::Terms;

/// What outputs are, and what they have to fit.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) given: Given,
    pub(super) wanted: &'a Wanted,
    /// How they were given, for advice.
    pub(super) terms: Terms,
    /// Labels of the examples; needed for logits and probabilities.
    pub(super) labels: Option<&'a [u32]>,
}
