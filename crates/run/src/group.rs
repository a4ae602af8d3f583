//! A process with all that it starts, ended together.
//!
//! The process leads a group of its own, to which its children belong unless they leave it on purpose. A Ctrl-C at the terminal does not reach
//! that group, so that flatleak decides when it ends. Systems without process groups end the process alone.

use std::io;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;
#[cfg(unix)]
use std::time::Instant;

/// How often a process is asked whether it is done.
pub(crate) const PATIENCE: Duration = Duration::from_millis(50);

/// What a group has to end by itself before it is killed.
#[cfg(unix)]
pub(crate) const GRACE: Duration = Duration::from_secs(5);

/// A process and its group.
#[derive(Debug)]
pub(crate) struct Group {
    leader: Child,
}

impl Group {
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        Ok(Self { leader: command.spawn()? })
    }

    #[cfg(unix)]
    pub(crate) fn id(&self) -> u32 {
        self.leader.id()
    }

    /// The ends of its pipes.
    #[cfg(unix)]
    pub(crate) fn pipes(&mut self) -> (Option<std::process::ChildStdin>, Option<std::process::ChildStdout>) {
        (self.leader.stdin.take(), self.leader.stdout.take())
    }

    /// Waits until the leader is done or `go_on` says no; then `None`.
    pub(crate) fn wait(&mut self, go_on: &mut impl FnMut() -> bool) -> io::Result<Option<ExitStatus>> {
        loop {
            if let Some(status) = self.leader.try_wait()? {
                return Ok(Some(status));
            }
            if !go_on() {
                return Ok(None);
            }
            std::thread::sleep(PATIENCE);
        }
    }

    /// Waits so long at most.
    #[cfg(unix)]
    pub(crate) fn wait_for(&mut self, time: Duration) -> io::Result<Option<ExitStatus>> {
        let end = Instant::now() + time;
        self.wait(&mut || Instant::now() < end)
    }

    /// Ends what is left of the group: all are asked, and killed where they do not follow. What cannot be killed, as it hangs in the system, is
    /// left after a while.
    pub(crate) fn end(&mut self) {
        #[cfg(unix)]
        unix::end(self.leader.id(), || matches!(self.leader.try_wait(), Ok(Some(_)) | Err(_)));
        #[cfg(not(unix))]
        if matches!(self.leader.try_wait(), Ok(None)) && self.leader.kill().is_ok() {
            // Killed: the end is near, and what it was does not matter.
            let _ = self.leader.wait();
        }
    }
}

#[cfg(unix)]
pub(crate) use unix::end;

#[cfg(unix)]
mod unix {
    use super::{Duration, GRACE, Instant, PATIENCE};
    use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

    /// Ends a group, whose leader is gone once `leader_gone` says so.
    ///
    /// A group's number is not given away while the group has a member or its leader was not waited for. Between the leader's end and the first
    /// question here nobody else can get it, unless the system starts as many processes as it has numbers in that instant.
    pub(crate) fn end(id: u32, mut leader_gone: impl FnMut() -> bool) {
        let Some(group) = i32::try_from(id).ok().and_then(Pid::from_raw) else { return };
        for (signal, time) in [(Signal::TERM, GRACE), (Signal::KILL, GRACE)] {
            let mut is_gone = || leader_gone() && test_kill_process_group(group).is_err();
            // A group that ended meanwhile cannot be told anything.
            if is_gone() || (kill_process_group(group, signal).is_err() && is_gone()) || within(time, &mut is_gone) {
                return;
            }
        }
    }

    fn within(time: Duration, is_so: &mut impl FnMut() -> bool) -> bool {
        let end = Instant::now() + time;
        while Instant::now() < end {
            if is_so() {
                return true;
            }
            std::thread::sleep(PATIENCE / 5);
        }
        is_so()
    }
}
