//! Runs a command to its end, under a supervisor or without one.

use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use flatleak_nn::Filled;

use crate::error::TrainerError;
use crate::group::Group;
use crate::log::Log;

/// Who ends a command that trains a model when the process that runs the plan is killed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Supervision {
    /// Nobody: the command and what it started are ended when the run stops or fails, but they outlive a process that is killed outright.
    #[default]
    None,
    /// A program that is started as `PROGRAM supervise -- COMMAND...` and hands its pipes to [`supervise`](crate::supervise). Systems that are no
    /// Unix have none.
    By(PathBuf),
}

/// Runs a command; `None` when asked to stop. All that it started has ended when it comes back.
pub(crate) fn run(
    command: &Filled,
    log: &Log,
    supervision: &Supervision,
    go_on: &mut impl FnMut() -> bool,
) -> Result<Option<ExitStatus>, TrainerError> {
    match supervision {
        #[cfg(unix)]
        Supervision::By(program) => supervised(command, log, program, go_on),
        _ => alone(command, log, go_on),
    }
}

fn alone(command: &Filled, log: &Log, go_on: &mut impl FnMut() -> bool) -> Result<Option<ExitStatus>, TrainerError> {
    let start = |cause| TrainerError::Start { program: command.program.clone(), cause };
    let mut process = Command::new(&command.program);
    process.args(&command.arguments).stdin(Stdio::null());
    process.stdout(log.handle().map_err(start)?).stderr(log.handle().map_err(start)?);
    let mut group = Group::start(&mut process).map_err(start)?;
    let status = group.wait(go_on);
    group.end();
    status.map_err(TrainerError::Wait)
}

#[cfg(unix)]
fn supervised(
    command: &Filled,
    log: &Log,
    supervisor: &std::path::Path,
    go_on: &mut impl FnMut() -> bool,
) -> Result<Option<ExitStatus>, TrainerError> {
    use crate::group::{self, GRACE};
    use crate::supervisor::Report;

    let start = |cause| TrainerError::Start { program: supervisor.into(), cause };
    let mut process = Command::new(supervisor);
    process.args(["supervise", "--"]).arg(&command.program).args(&command.arguments);
    process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log.handle().map_err(start)?);
    let mut between = Group::start(&mut process).map_err(start)?;
    let (alive, report) = between.pipes();
    let stopped = matches!(between.wait(go_on), Ok(None));
    drop(alive);
    // It has to ask the command, to kill it, and to end.
    let ended = between.wait_for(3 * GRACE);
    between.end();
    let mut said = String::new();
    if let Some(mut report) = report {
        std::io::Read::read_to_string(&mut report, &mut said).map_err(TrainerError::Wait)?;
    }
    let report = Report::parse(&said);
    if let (Some(id), false) = (report.group, report.over) {
        group::end(id, || true);
    }
    ended.map_err(TrainerError::Wait)?;
    match (report.status(), report.refused) {
        _ if stopped => Ok(None),
        (Some(status), _) => Ok(Some(status)),
        (None, Some(why)) => {
            Err(TrainerError::Start { program: command.program.clone(), cause: std::io::Error::other(why) })
        }
        (None, None) => Err(TrainerError::Lost),
    }
}
