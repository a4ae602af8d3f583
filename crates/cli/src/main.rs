//! The flatleak program: arguments, calls, exit codes.

mod arguments;
mod audit;
mod compare;
mod data;
mod exchange;
mod exit;
mod explain;
mod list;
mod progress;
mod report;
mod theory;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};
use crate::exit::Failure;

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

fn main() -> ExitCode {
    quiet_decoders();
    let result = match Arguments::parse().command {
        Command::Compare(options) => compare::run(&options),
        Command::Explain(options) => explain::run(&options),
        Command::Audit(options) => audit::run(&options),
        Command::Export { dir, layout, out } => exchange::export(&dir, layout, &out),
        Command::Plan { models, pool, seed, out } => exchange::plan(models, pool, seed, &out),
        Command::Theory(options) => theory::run(&options),
        Command::Report { dir, redact } => report::run(&dir, redact),
        Command::Data { command } => data::run(&command),
        Command::List { what } => list::run(what),
    };
    match result {
        Ok(code) => code,
        Err(Failure { code, message }) => {
            progress::complain(&message);
            ExitCode::from(code)
        }
    }
}
