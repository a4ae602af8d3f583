//! `flatleak compare`.

use std::process::ExitCode;

use flatleak::{Job, Listener, compare, plan as estimate, prepare};
use flatleak_report::table;
use flatleak_report::text::{Text, Tone};
use serde_json::json;

use crate::arguments::Compare;
use crate::exit::{DIVERGED, Failure};
use crate::plan;
use crate::progress::{Talk, stop_flag};
use crate::voice::{done, remark, text, width, written};

/// Runs a study from its file to its report.
pub(crate) fn run(options: &Compare) -> Result<ExitCode, Failure> {
    let asked = options.asked();
    let prepared = prepare(&asked)?;
    prepared.jobs.iter().flat_map(Job::remarks).for_each(|said| remark(&said));
    if options.dry_run {
        for job in &prepared.jobs {
            plan::tell(&estimate(job, asked.workers)?, options.work.message_format);
        }
        return Ok(ExitCode::SUCCESS);
    }
    if options.prepare {
        flatleak::lay_down(&asked, &prepared, options.beat.0)?;
        done(options.work.message_format, json!({ "run": text(&prepared.out) }), || {
            let (mut said, run) = (Text::default(), prepared.out.display());
            let next = format!(
                "next: `flatleak work {run}`, on as many machines as see it; then the same `compare` with --no-train"
            );
            said.paragraph(Tone::Plain, &format!("prepared {run}"), ("", 2), width());
            said.paragraph(Tone::Plain, &next, ("", 2), width());
            said
        });
        return Ok(ExitCode::SUCCESS);
    }
    let stop = stop_flag();
    let mut talk = Talk::new(options.work.message_format);
    let report = compare(&asked, &prepared, &mut Listener { hear: &mut |event| talk.hear(event), stop: &stop })?;
    let (document, page) = (report.document, report.page);
    done(options.work.message_format, json!({ "report": text(&page), "headline": document.headline }), || {
        written(table::render(&document, width()), "report", &page)
    });
    Ok(ExitCode::from(if document.diverged.is_empty() { 0 } else { DIVERGED }))
}
