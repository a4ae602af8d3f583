//! The program as supervisor of a command that trains a model: see `flatleak_run::supervise`.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use flatleak::Supervision;

use crate::exit::{Failure, OTHER};

/// This very program, also where another file has taken its place since it was started.
pub(crate) fn by_this_program() -> Supervision {
    let running = Path::new("/proc/self/exe");
    if running.exists() {
        return Supervision::By(running.to_owned());
    }
    std::env::current_exe().map_or(Supervision::None, Supervision::By)
}

/// Runs a command until it or whoever started this ends.
#[cfg(unix)]
pub(crate) fn run(words: &[OsString]) -> Result<ExitCode, Failure> {
    use std::os::fd::AsFd;

    let failed = |e| Failure::new(OTHER, e);
    let log = std::io::stderr().as_fd().try_clone_to_owned().map_err(failed)?.into();
    flatleak_run::supervise(words, std::io::stdin(), std::io::stdout(), &log).map_err(failed)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(not(unix))]
pub(crate) fn run(_: &[OsString]) -> Result<ExitCode, Failure> {
    Err(Failure::new(OTHER, "commands are supervised on Unix alone"))
}
