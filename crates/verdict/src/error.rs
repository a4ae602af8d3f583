//! What can go wrong.

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A statistic could not be computed.
    #[error(transparent)]
    Stats(#[from] flatleak_stats::Error),
    /// Models that do not form a lineup.
    #[error(transparent)]
    Lineup(#[from] flatleak_attack::Error),
    /// Views that cannot be read.
    #[error(transparent)]
    Pool(#[from] flatleak_pool::Error),
    /// What cannot be explained.
    #[error(transparent)]
    Explain(#[from] flatleak_explain::Error),
    /// The caller asked to stop.
    #[error("interrupted")]
    Stopped,
}
