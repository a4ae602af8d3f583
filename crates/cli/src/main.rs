//! The flatleak program: arguments, calls, exit codes.

mod arguments;
mod compare;
mod data;
mod exit;
mod list;
mod machine;
mod progress;

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
        Command::Report { dir } => compare::report(&dir),
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
