//! `flatleak runs`.

use std::path::Path;
use std::process::ExitCode;

use flatleak::{Listed, State, list_runs};
use flatleak_report::text::{Text, Tone};
use flatleak_report::words;
use serde_json::json;

use crate::exit::Failure;
use crate::options::MessageFormat;
use crate::voice::{done, width};

/// Lists the runs in a folder.
pub(crate) fn run(folder: &Path, format: MessageFormat) -> Result<ExitCode, Failure> {
    let found = list_runs(folder)?;
    done(format, json!({ "runs": found }), || listed(&found, folder, width()));
    Ok(ExitCode::SUCCESS)
}

fn listed(found: &[Listed], folder: &Path, width: usize) -> Text {
    let mut out = Text::default();
    if found.is_empty() {
        out.paragraph(Tone::Plain, &format!("no runs in {}", folder.display()), ("", 2), width);
    }
    for (k, run) in found.iter().enumerate() {
        if k > 0 {
            out.line(Tone::Plain, "");
        }
        out.paragraph(Tone::Strong, &run.folder.display().to_string(), ("", 2), width);
        let state = match &run.state {
            State::Finished => "finished".to_owned(),
            State::Audit => "audit, finished".into(),
            State::Unfinished { complete, models } => format!("unfinished, {complete} of {models} models on disk"),
            State::Damaged { reason } => format!("damaged: {reason}"),
        };
        let date = run.date.as_ref().map_or(String::new(), |date| format!(", {date}"));
        out.paragraph(Tone::Plain, &format!("{}: {state}{date}", run.study), ("  ", 4), width);
        if let Some(headline) = &run.headline {
            out.push(Tone::Plain, "  ");
            out.line(headline.verdict.into(), words::verdict(headline.verdict));
            out.paragraph(Tone::Plain, &headline.sentence, ("  ", 4), width);
        }
    }
    out
}
