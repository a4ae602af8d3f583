//! Renders results, one file per format: [`json`], the terminal [`table`], and [`html`]; and tables of single examples
//! ([`columns`]) as [`csv`] and [`parquet`](mod@parquet).
//!
//! [`theory`] does the same for `flatleak theory`.
//!
//! [`Document`] is `results.json` as a type: the results, the study that they belong to, the machine and timings.

pub mod columns;
pub mod csv;
mod document;
pub mod html;
pub mod json;
pub mod parquet;
mod plot;
pub mod table;
pub mod theory;

pub use document::{
    DatasetRecord, Document, Machine, Picture, PictureKind, RecipeSettings, SMALLEST_GROUP, StudyRecord, Timings,
};

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// JSON that is not a document.
    #[error("not a results.json of schema version 1 or 2: {0}")]
    Json(#[from] serde_json::Error),
    /// A document of a later program.
    #[error("results.json has schema version {0}, but this program knows 1 and 2: a newer one may know it")]
    Version(u64),
    /// The page could not be rendered.
    #[error("cannot render the report: {0}")]
    Html(#[from] askama::Error),
    /// A table could not be encoded.
    #[error("cannot encode a table: {0}")]
    Parquet(#[from] ::parquet::errors::ParquetError),
}
