//! A lone `.npy` file: one array, where a data set needs two.

use crate::error::Error;
use crate::reader::{Found, Input, Options, Reader};

/// What is wrong with one array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Inputs without labels.
    #[error(
        "holds one array, but inputs and labels are needed: save both with numpy.savez(\"data.npz\", x=..., y=...)"
    )]
    OneArray,
}

/// Recognises them, to say what to do.
pub(crate) struct Npy;

impl Reader for Npy {
    fn takes(&self) -> &'static str {
        "arrays `x` and `y` in one `.npz`, not in two `.npy`"
    }

    fn detect(&self, input: &Input) -> Result<bool, Error> {
        Ok(input.ends(&["npy"]) || input.head().starts_with(b"\x93NUMPY"))
    }

    fn read(&self, input: &Input, _: Options) -> Result<Found, Error> {
        Err(input.wrong(Problem::OneArray))
    }
}
