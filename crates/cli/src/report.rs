//! `flatleak report`.

use std::path::Path;
use std::process::ExitCode;

use flatleak::outputs;
use flatleak_report::table;

use crate::exit::Failure;
use crate::progress::say;

/// Renders a finished run again.
pub(crate) fn run(dir: &Path, out: Option<&Path>, redact: bool, pdf: bool) -> Result<ExitCode, Failure> {
    let (document, page) = outputs::report(dir, out.unwrap_or(dir), redact)?;
    say(&format!("{}\nreport: {}\n", table::render(&document), page.display()));
    if pdf {
        say(&format!("pdf: {}\n", flatleak::pdf(&page)?.display()));
    }
    Ok(ExitCode::SUCCESS)
}
