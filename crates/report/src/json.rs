//! `results.json`, and the other records of the program.

use serde::Serialize;

use crate::{Document, Error};

/// Indented JSON with a final newline: of a document, or of any other record.
///
/// # Errors
/// Never for records of finite numbers.
pub fn render(record: &impl Serialize) -> Result<String, Error> {
    Ok(serde_json::to_string_pretty(record)? + "\n")
}

/// Reads a document back.
///
/// # Errors
/// When the text is not of this schema.
pub fn parse(text: &str) -> Result<Document, Error> {
    Ok(serde_json::from_str(text)?)
}
