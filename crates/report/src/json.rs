//! `results.json`.

use crate::{Document, Error};

/// Indented JSON with a final newline.
///
/// # Errors
/// Never for a document of finite numbers.
pub fn render(document: &Document) -> Result<String, Error> {
    Ok(serde_json::to_string_pretty(document)? + "\n")
}

/// Reads a document back.
///
/// # Errors
/// When the text is not of this schema.
pub fn parse(text: &str) -> Result<Document, Error> {
    Ok(serde_json::from_str(text)?)
}
