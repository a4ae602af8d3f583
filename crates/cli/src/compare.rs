//! `flatleak compare`.

use std::process::ExitCode;

use flatleak::{Job, Listener, compare, prepare};
use flatleak_report::table;
use serde_json::json;

use crate::arguments::Compare;
use crate::exit::{DIVERGED, Failure};
use crate::progress::{Talk, complain, done, say, stop_flag, text};

/// Runs a study from its file to its report.
pub(crate) fn run(options: &Compare) -> Result<ExitCode, Failure> {
    let asked = options.asked();
    let prepared = prepare(&asked)?;
    prepared.jobs.iter().flat_map(Job::remarks).for_each(|remark| complain(&remark));
    if options.dry_run {
        prepared.jobs.iter().for_each(|job| say(&job.plan(asked.workers)));
        return Ok(ExitCode::SUCCESS);
    }
    if options.prepare {
        flatleak::lay_down(&asked, &prepared, options.beat.0)?;
        let run = prepared.out.display();
        done(options.work.message_format, json!({ "run": text(&prepared.out) }), || {
            format!(
                "prepared {run}\nnext: `flatleak work {run}`, on as many machines as see it; then the same `compare` with --no-train\n"
            )
        });
        return Ok(ExitCode::SUCCESS);
    }
    let stop = stop_flag();
    let mut talk = Talk::new(options.work.message_format);
    let report = compare(&asked, &prepared, &mut Listener { hear: &mut |event| talk.hear(event), stop: &stop })?;
    let (document, page) = (report.document, report.page);
    done(options.work.message_format, json!({ "report": text(&page), "headline": document.headline }), || {
        format!("{}\nreport: {}\n", table::render(&document), page.display())
    });
    Ok(ExitCode::from(if document.diverged.is_empty() { 0 } else { DIVERGED }))
}
