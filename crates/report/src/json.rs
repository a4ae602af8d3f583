//! `results.json`, and the other records of the program.

use std::borrow::Cow;

use crate::error::Error;
use flatleak_results::{Document, SCHEMA_VERSION, is_hidden, plain};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Indented JSON with a final newline: of a document, or of any other record.
///
/// # Errors
/// Never for records of finite numbers.
pub fn render(record: &impl Serialize) -> Result<String, Error> {
    Ok(serde_json::to_string_pretty(record)? + "\n")
}

/// The text of `results.json`: a document with the checksum of its content, by which damage is noticed when it is read.
///
/// # Errors
/// Never for finite numbers.
pub fn sealed(document: &Document) -> Result<String, Error> {
    let mut document = document.clone();
    document.timings.checksum.clear();
    // Of the text's numbers: those that are read back.
    document.timings.checksum = checksum(&serde_json::from_str(&render(&document)?)?)?;
    render(&document)
}

/// BLAKE3 of a value as JSON without blanks and with sorted keys, so that neither layout nor order matter.
fn checksum(value: &Value) -> Result<String, Error> {
    Ok(blake3::hash(&serde_json::to_vec(value)?).to_hex().to_string())
}

/// Refuses content that is not what was written. Earlier programs wrote no checksum; but then no field beside its place is unknown.
fn intact(found: &mut Value) -> Result<(), Error> {
    let stated = found.get_mut("timings").and_then(Value::as_object_mut).and_then(|t| t.remove("checksum"));
    match stated {
        Some(stated) if stated.as_str() == Some(&checksum(found)?) => Ok(()),
        Some(_) => Err(Error::Damaged),
        None => {
            let known = serde_json::to_value(serde_json::from_value::<Document>(found.clone())?)?;
            let of = |found: &Value, known: &Value| {
                let mut names = found.as_object().into_iter().flat_map(Map::keys);
                names.find(|name| known.get(name).is_none()).cloned()
            };
            let unknown = of(found, &known).or_else(|| of(&found["timings"], &known["timings"]));
            unknown.map_or(Ok(()), |name| Err(Error::Field(name)))
        }
    }
}

/// Reads a document back, of this schema or of version 1. It may come from anywhere: hidden characters of its texts are written out.
///
/// # Errors
/// When the text is not of these schemas, or not what was written.
pub fn parse(text: &str) -> Result<Document, Error> {
    let mut found: Value = serde_json::from_str(text)?;
    match found.get("schema_version").and_then(Value::as_u64) {
        Some(1) => from_version_1(&mut found),
        Some(version) if version != u64::from(SCHEMA_VERSION) => return Err(Error::Version(version)),
        _ => intact(&mut found)?,
    }
    plain_texts(&mut found);
    Ok(serde_json::from_value(found)?)
}

/// Writes out hidden characters of every text.
fn plain_texts(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(written) = plain(text) {
                *text = written;
            }
        }
        Value::Array(all) => all.iter_mut().for_each(plain_texts),
        Value::Object(all) => {
            all.values_mut().for_each(plain_texts);
            if all.keys().any(|key| key.contains(is_hidden)) {
                *all = std::mem::take(all).into_iter().map(|(key, v)| (plain(&key).into_owned(), v)).collect();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What moved from version 1 to 2 (book/run-directory.md): names of verdicts, one recommendation is a list of
/// them, numbers of models that were promised go. What version 1 did not say stays unsaid: no points, no conditions, no degrees of freedom.
fn from_version_1(document: &mut Value) {
    let renamed = |verdict: &Value| match verdict.as_str() {
        Some("not-distinguishable") => json!("open"),
        _ => verdict.clone(),
    };
    let headline = |headline: &mut Value| {
        if let Some(verdict) = headline.get_mut("verdict") {
            *verdict = renamed(verdict);
        }
    };
    let each = |found: Option<&mut Value>, change: &dyn Fn(&mut Map<String, Value>)| {
        let all = found.and_then(Value::as_array_mut).into_iter().flatten();
        all.filter_map(Value::as_object_mut).for_each(change);
    };
    // What is written of it from now on is version 2.
    document["schema_version"] = json!(SCHEMA_VERSION);
    if let Some(found) = document.get_mut("headline") {
        headline(found);
    }
    each(document.get_mut("comparisons"), &|c| {
        if let Some(found) = c.get_mut("headline") {
            headline(found);
        }
        c.insert("points".into(), json!([]));
        c.insert("models".into(), json!(0));
        each(c.get_mut("metrics"), &|m| {
            m.remove("models_needed");
            if let Some(verdict) = m.get_mut("verdict") {
                *verdict = renamed(verdict);
            }
        });
    });
    each(document.get_mut("frontiers"), &|f| {
        if let Some(one) = f.remove("recommended") {
            f.insert("recommended".into(), json!([one]));
        }
    });
}
