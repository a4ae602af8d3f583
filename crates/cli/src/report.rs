//! `flatleak report`.

use std::process::ExitCode;

use flatleak::outputs;
use flatleak_report::table;

use crate::arguments::Report;
use crate::exit::Failure;
use crate::voice::{all_written, show, width};

/// Renders a finished run again.
pub(crate) fn run(options: &Report) -> Result<ExitCode, Failure> {
    let out = options.out.as_deref().unwrap_or(&options.dir);
    let (document, files) = outputs::report(&options.dir, out, options.redact, &options.format)?;
    show(&all_written(table::render(&document, width()), "report", &files));
    Ok(ExitCode::SUCCESS)
}
