//! The size of one example.

use std::fmt;

/// Size of one example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Colour channels, 1 for grey.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Shape {
    /// Values in one example: channels x height x width.
    pub const fn features(&self) -> usize {
        self.channels.saturating_mul(self.height).saturating_mul(self.width)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.channels, self.height, self.width)
    }
}
