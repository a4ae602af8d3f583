//! What is asked for.

/// Which data set to open, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// A name of the [`catalogue`](crate::catalogue), or a path.
    pub name: String,
    /// Examples in the pool; all when absent.
    pub pool: Option<usize>,
    /// Examples in the test set; all when absent.
    pub test: Option<usize>,
    /// Root seed of the draw where fewer than all are asked for.
    pub seed: u64,
}

impl Request {
    /// Everything in the data set of this name or path.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), pool: None, test: None, seed: 0 }
    }
}
