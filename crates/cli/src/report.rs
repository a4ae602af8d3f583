//! `flatleak report`.

use std::process::ExitCode;

use flatleak::outputs;
use flatleak_report::{Form, table};

use crate::arguments::Report;
use crate::exit::Failure;
use crate::voice::{all_written, show, width};

/// Renders a finished run again.
pub(crate) fn run(options: &Report) -> Result<ExitCode, Failure> {
    let out = options.out.as_deref().unwrap_or(&options.dir);
    let mut forms = options.format.clone();
    if options.pdf && !forms.contains(&Form::Html) {
        forms.push(Form::Html);
    }
    let (document, mut files) = outputs::report(&options.dir, out, options.redact, &forms)?;
    if options.pdf {
        files.push(flatleak::pdf(&out.join(Form::Html.file()))?);
    }
    show(&all_written(table::render(&document, width()), "report", &files));
    Ok(ExitCode::SUCCESS)
}
