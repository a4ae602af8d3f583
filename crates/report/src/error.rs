//! What can go wrong.

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// JSON that is not a document.
    #[error("not a results.json of schema version 1 or 2: {0}")]
    Json(#[from] serde_json::Error),
    /// A document of a later program.
    #[error("results.json has schema version {0}, but this program knows 1 and 2: a newer one may know it")]
    Version(u64),
    /// Content that differs from its checksum.
    #[error("results.json was damaged or changed after it was written (its checksum differs): make it again")]
    Damaged,
    /// A field that no program writes, in a text without a checksum.
    #[error("results.json was damaged or changed after it was written (it has an unknown field `{0}`): make it again")]
    Field(String),
    /// The page could not be rendered.
    #[error("cannot render the report: {0}")]
    Html(#[from] askama::Error),
    /// A table could not be encoded.
    #[error("cannot encode a table: {0}")]
    Parquet(#[from] ::parquet::errors::ParquetError),
}
