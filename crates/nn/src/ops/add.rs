//! The sum of two paths.

use super::op::{Flags, Operation};

/// Adds the output of another step, `None` the input; `passes` does it, which knows both.
#[derive(Clone, Debug)]
pub(crate) struct Sum {
    pub(crate) other: Option<usize>,
    /// A ReLU that follows is joined to it.
    pub(crate) relu: bool,
}

impl Operation for Sum {
    const FLAGS: Flags = Flags { gradient_in_place: true, ..Flags::NONE };

    fn bends(&self) -> bool {
        true
    }
}
