//! A small process between flatleak and a command, which ends the command when flatleak is gone, however that came about.
//!
//! flatleak starts it and holds the only writing end of a pipe that it reads. The system closes this end when flatleak ends, also when flatleak is
//! killed: the supervisor then ends the command's group. It needs no signal to be caught, no call that exists on one system alone, and leaves
//! no moment in which the command runs unwatched, for the pipe is there before the command is. A signal at the parent's death (`PR_SET_PDEATHSIG`)
//! would reach the command alone, not what the command started, and is Linux's.
//!
//! What happened to the command goes back through a second pipe, so that flatleak knows it as if it had waited itself. Should the supervisor be
//! killed, the number of the command's group is known from there, except in the instant before it is written.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::group::Group;

/// What a supervisor knows of its command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// The number of the command's group.
    pub(crate) group: Option<u32>,
    /// How the command ended.
    pub(crate) ended: Option<i32>,
    /// Why it could not be started.
    pub(crate) refused: Option<String>,
    /// The group is gone.
    pub(crate) over: bool,
}

impl Report {
    /// Reads what [`supervise`] wrote.
    pub(crate) fn parse(text: &str) -> Self {
        let mut report = Self::default();
        for line in text.lines() {
            match line.split_once(' ') {
                Some(("started", id)) => report.group = id.parse().ok(),
                Some(("ended", status)) => report.ended = status.parse().ok(),
                Some(("refused", why)) => report.refused = Some(why.to_owned()),
                None if line == "over" => report.over = true,
                _ => {}
            }
        }
        report
    }

    /// How the command ended.
    pub(crate) fn status(&self) -> Option<ExitStatus> {
        self.ended.map(ExitStatus::from_raw)
    }
}

/// Runs a command, whose words go to `log`, until it ends or `alive` does; then its whole group is ended, and `report` told.
///
/// # Errors
/// A report that cannot be written, a command that cannot be waited for.
pub fn supervise(
    words: &[OsString],
    mut alive: impl Read + Send + 'static,
    mut report: impl Write,
    log: &File,
) -> io::Result<()> {
    let Some((program, arguments)) = words.split_first() else { return writeln!(report, "refused no command") };
    let alone = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&alone);
    std::thread::spawn(move || {
        // Whether the pipe ends or breaks: nobody is there any more.
        let _ = io::copy(&mut alive, &mut io::sink());
        told.store(true, Ordering::Relaxed);
    });
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?);
    let mut group = match Group::start(&mut command) {
        Ok(group) => group,
        Err(e) => return writeln!(report, "refused {e}"),
    };
    // Without flatleak there is nobody to report to, and the group is ended all the same.
    let told = writeln!(report, "started {}", group.id()).and_then(|()| report.flush());
    let status = group.wait(&mut || told.is_ok() && !alone.load(Ordering::Relaxed));
    group.end();
    if let Some(status) = status? {
        writeln!(report, "ended {}", status.into_raw())?;
    }
    writeln!(report, "over")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(words: &[&str], alive: impl Read + Send + 'static) -> (Report, String) {
        let (mut said, mut log) = (Vec::new(), tempfile::tempfile().unwrap());
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        supervise(&words, alive, &mut said, &log).unwrap();
        let mut words = String::new();
        io::Seek::rewind(&mut log).unwrap();
        log.read_to_string(&mut words).unwrap();
        (Report::parse(std::str::from_utf8(&said).unwrap()), words)
    }

    /// A pipe whose other end is open.
    fn open() -> (io::PipeReader, io::PipeWriter) {
        io::pipe().unwrap()
    }

    #[test]
    fn ends_are_reported_as_they_are() {
        let (alive, held) = open();
        let (found, words) = report(&["sh", "-c", "echo out; echo err >&2; exit 7"], alive);
        assert_eq!((found.status().unwrap().code(), words.as_str()), (Some(7), "out\nerr\n"));
        let (alive, held2) = open();
        let (found, _) = report(&["sh", "-c", "kill -9 $$"], alive);
        assert_eq!(found.status().unwrap().signal(), Some(9));
        let (alive, held3) = open();
        let (found, _) = report(&["/no/such/program"], alive);
        assert!(found.group.is_none() && found.refused.unwrap().contains("No such file"));
        drop((held, held2, held3));
    }

    #[test]
    fn a_command_ends_with_the_pipe() {
        let (alive, held) = open();
        std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(300));
            drop(held);
        });
        let begun = std::time::Instant::now();
        let (found, words) = report(&["sh", "-c", "echo on; sleep 60 & wait"], alive);
        assert!(found.ended.is_none() && found.group.is_some() && words == "on\n");
        assert!(begun.elapsed() < crate::group::GRACE, "all of the group followed the first signal");
    }
}
