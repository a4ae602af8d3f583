//! `flatleak report`.

use std::process::ExitCode;

use flatleak::outputs;
use flatleak_report::table;

use crate::arguments::Report;
use crate::exit::Failure;
use crate::voice::{show, width, written};

/// Renders a finished run again.
pub(crate) fn run(options: &Report) -> Result<ExitCode, Failure> {
    let out = options.out.as_deref().unwrap_or(&options.dir);
    let (document, files) = outputs::report(&options.dir, out, options.redact, &options.format)?;
    let answer = table::render(&document, width());
    show(&files.iter().fold(answer, |text, file| written(text, "report", file)));
    Ok(ExitCode::SUCCESS)
}
