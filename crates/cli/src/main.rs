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

fn main() -> ExitCode {
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
