//! From image to vector.

use super::op::{At, Operation, Planned, Written};
use crate::misfit::Misfit;

/// `flatten`: image to vector. Nothing is computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flatten;

impl Written for Flatten {
    const WORD: &'static str = "flatten";
    const FORMS: &'static [&'static str] = &["flatten"];
    type Op = Self;

    fn read(words: &[&str]) -> Option<Self> {
        words.is_empty().then_some(Self)
    }

    fn plan(&self, at: &mut At, _: usize) -> Result<Option<Planned<Self>>, Misfit> {
        at.flattened = at.image.take().or(at.flattened);
        Ok(None)
    }
}

impl Operation for Flatten {}
