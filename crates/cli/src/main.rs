//! The flatleak program: arguments, calls, exit codes.

mod arguments;
mod audit;
mod compare;
mod data;
mod diff;
mod exchange;
mod exit;
mod explain;
mod list;
mod manual;
mod options;
mod pace;
mod plan;
mod progress;
mod report;
mod runs;
mod status;
mod supervise;
mod theory;
mod times;
mod voice;
mod work;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};
use crate::exit::{Failure, OUTPUT, USAGE};
use crate::voice::{complain, is_said, say, settle};

/// Decoders of others may panic on damaged files; that is caught and reported as what it is, an unreadable file.
fn quiet_decoders() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        // What panics in this program's own files is a fault of it.
        let own = info.location().is_some_and(|at| at.file().starts_with("crates"));
        if own || !flatleak_data::is_decoding() {
            usual(info);
        }
    }));
}

/// Arguments as clap reads them; its own text goes where all text goes.
fn arguments() -> Result<Arguments, ExitCode> {
    Arguments::try_parse().map_err(|e| {
        let text = e.render().to_string();
        if e.use_stderr() {
            complain(text.trim_start_matches("error: ").trim_end());
        } else {
            say(&text);
        }
        ExitCode::from(if e.use_stderr() { USAGE } else { 0 })
    })
}

fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Compare(options) => compare::run(&options),
        Command::Work(options) => work::run(&options),
        Command::Status(options) => status::run(&options),
        Command::Cancel(options) => work::cancel(&options),
        Command::Merge(options) => work::merge(&options),
        Command::Explain(options) => explain::run(&options),
        Command::Audit(options) => audit::run(&options),
        Command::Export { dir, layout, out } => exchange::export(&dir, layout, &out),
        Command::Plan { models, pool, seed, out } => exchange::plan(models, pool, seed, &out),
        Command::Theory(options) => theory::run(&options),
        Command::Report(options) => report::run(&options),
        Command::Diff { first, second, message_format } => diff::run(&first, &second, message_format),
        Command::Runs { folder, message_format } => runs::run(&folder, message_format),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { out } => manual::pages(&out),
        Command::Data { command } => data::run(&command),
        Command::List { what } => list::run(what),
        Command::Supervise { words } => supervise::run(&words),
    }
}

fn main() -> ExitCode {
    quiet_decoders();
    let code = arguments().map_or_else(
        |code| code,
        |arguments| {
            settle(&arguments.speech);
            run(arguments.command).unwrap_or_else(|Failure { code, message }| {
                complain(&message);
                ExitCode::from(code)
            })
        },
    );
    // What a command found weighs more than that nobody could be told.
    if code == ExitCode::SUCCESS && !is_said() {
        complain("cannot write to standard output: not all of the answer was said");
        return ExitCode::from(OUTPUT);
    }
    code
}
