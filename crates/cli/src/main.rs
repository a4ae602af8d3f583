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
mod supervise;
mod theory;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};
use crate::exit::Failure;

/// Decoders of others may panic on damaged files; that is caught and reported as what it is, an unreadable file.
fn quiet_decoders() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let decoder = |file: &str| ["parquet-", "png-", "zune-"].iter().any(|name| file.contains(name));
        if !info.location().is_some_and(|at| decoder(at.file())) {
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
        Command::Report { dir, out, redact } => report::run(&dir, out.as_deref(), redact),
        Command::Data { command } => data::run(&command),
        Command::List { what } => list::run(what),
        Command::Supervise { words } => supervise::run(&words),
    };
    match result {
        Ok(code) => code,
        Err(Failure { code, message }) => {
            progress::complain(&message);
            ExitCode::from(code)
        }
    }
}
