//! Pools that examples are given as files.

use std::path::Path;

use flatleak_data::values::Source;
use flatleak_pool::Pool;
use flatleak_store::{Arrays, Error, Given, Terms, from_arrays};

/// The pool of an array of phi and a membership, both (M, N).
pub(crate) fn pool(phi: &str, membership: &str) -> Result<Pool, Error> {
    let arrays = Arrays {
        recipe: "pool",
        given: Given::Phi,
        wanted: &Default::default(),
        terms: Terms::Flags,
        outputs: Source::File(Path::new(phi)),
        labels: None,
        membership: Source::File(Path::new(membership)),
        test: None,
        features: None,
    };
    Ok(from_arrays(&arrays)?.pool)
}
