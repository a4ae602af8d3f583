//! `report.html`: one file that opens offline.

use askama::Template;
use flatleak_results::{Document, Verdict};

use crate::context::Context;
use crate::error::Error;
use crate::{names, say, sections};

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    d: &'a Document,
    tone: &'static str,
    first: Vec<String>,
    /// Sections by data set.
    datasets: Vec<(&'a str, Vec<String>)>,
    last: Vec<String>,
}

/// The whole page; `read` gives the content of a picture's file, `None` where it is gone: the page then does without.
///
/// # Errors
/// When the template fails, which no document does.
pub fn render(d: &Document, read: &dyn Fn(&str) -> Option<Vec<u8>>) -> Result<String, Error> {
    let d = &*names::short(d);
    let tone = match d.headline.verdict {
        Verdict::RelevantlyMore | Verdict::More | Verdict::Leaks => "bad",
        Verdict::RelevantlyLess | Verdict::Less | Verdict::NoRelevantLeak => "good",
        _ => "open",
    };
    let whole = Context::new(d, None, read);
    let mut datasets = Vec::new();
    for data in &d.study.datasets {
        let context = Context::new(d, Some(&data.name), read);
        datasets.push((data.name.as_str(), sections::of_each(&context)?));
    }
    Ok(Page { d, tone, first: sections::first(&whole)?, datasets, last: sections::last(&whole)? }.render()?)
}
