//! `flatleak explain`.

use std::path::PathBuf;
use std::process::ExitCode;

use flatleak::{Listener, explain, explain_archives};
use flatleak_report::table;
use serde_json::json;

use crate::arguments::Explain;
use crate::exit::{Failure, USAGE};
use crate::progress::{Talk, stop_flag};
use crate::voice::{done, text, width, written};

pub(crate) fn run(options: &Explain) -> Result<ExitCode, Failure> {
    let asked = options.asked();
    let stop = stop_flag();
    let mut talk = Talk::new(options.work.message_format);
    let mut to = Listener { hear: &mut |event| talk.hear(event), stop: &stop };
    let (folders, files): (Vec<&PathBuf>, Vec<&PathBuf>) = options.paths.iter().partition(|p| p.is_dir());
    let report = match (folders.as_slice(), files.is_empty()) {
        ([dir], true) => explain(&asked, dir, &mut to)?,
        ([], false) => explain_archives(&asked, &files, &mut to)?,
        _ => return Err(Failure::new(USAGE, "give one run directory, or only .npz archives")),
    };
    let (document, page) = (report.document, report.page);
    done(options.work.message_format, json!({ "report": text(&page), "claims": document.explain.claims }), || {
        written(table::render(&document, width()), "report", &page)
    });
    Ok(ExitCode::SUCCESS)
}
