//! Renders results, one file per format: [`json`], the terminal [`table`], and [`html`].
//!
//! [`Document`] is `results.json` as a type: the results, the study that they belong to, the machine and timings.

mod document;
pub mod html;
pub mod json;
mod plot;
pub mod table;

pub use document::{DatasetRecord, Document, Machine, RecipeSettings, StudyRecord, Timings};

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// JSON that is not a document of this version.
    #[error("not a results.json of schema version 1: {0}")]
    Json(#[from] serde_json::Error),
    /// The page could not be rendered.
    #[error("cannot render the report: {0}")]
    Html(#[from] askama::Error),
}
