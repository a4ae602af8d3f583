//! `report.html`: one file that opens offline.

use askama::Template;
use flatleak_results::Document;

use crate::context::Context;
use crate::error::Error;
use crate::hue::{DARK, LIGHT};
use crate::sections::{self, Part};
use crate::{names, shell};

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    d: &'a Document,
    policy: String,
    parts: Vec<Part<'a>>,
}

/// The whole page; `read` gives the content of a file beside the results, `None` where it is gone: the page then does without.
///
/// # Errors
/// When the template fails, which no document does.
pub fn render(d: &Document, read: &dyn Fn(&str) -> Option<Vec<u8>>) -> Result<String, Error> {
    let cut = names::long(d);
    let d = &*names::short(d, &cut);
    let read = &|file: &str| read(file);
    let whole = Context::new(d, None, (read, &cut));
    let each: Vec<Context<'_>> =
        d.study.datasets.iter().map(|data| Context::new(d, Some(&data.name), (read, &cut))).collect();
    Ok(Page { d, policy: shell::policy(&[shell::PAGE]), parts: sections::all(&whole, &each)? }.render()?)
}
