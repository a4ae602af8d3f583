//! What a command says while it trains a model.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use flatleak_results::is_hidden;

/// Lines of it that an error shows, and characters of each.
const LINES: usize = 5;
const WIDTH: usize = 200;

/// Bytes at the end among which they are looked for.
const TAIL: u64 = 1 << 16;

/// Stands between two attempts.
const NEXT: &[u8] = b"\n--- next attempt ---\n";

/// The file that a command's words go to. Every attempt is added behind the one before.
#[derive(Debug)]
pub(crate) struct Log {
    file: File,
    /// Where this attempt starts.
    start: u64,
}

impl Log {
    pub(crate) fn open(path: &Path) -> Result<Self, flatleak_disk::Error> {
        let mut file = flatleak_disk::log(path)?;
        let start = begun(&mut file).map_err(|source| flatleak_disk::Error {
            action: "cannot write",
            path: path.to_owned(),
            source,
        })?;
        // All that write to it share the lock until the last of them ends: the next attempt waits for that. Not every file system can lock. Elsewhere
        // than on Unix a lock would keep the command from writing.
        #[cfg(unix)]
        let _ = file.try_lock();
        Ok(Self { file, start })
    }

    /// For a process to write to.
    pub(crate) fn handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// The last lines of this attempt, fit for a terminal; none where they cannot be read. The file is not opened again: a command may have put
    /// something else in its place.
    pub(crate) fn last(&mut self) -> Vec<String> {
        let mut bytes = Vec::new();
        let length = self.file.metadata().map_or(0, |found| found.len());
        let from = self.start.max(length.saturating_sub(TAIL));
        let read = self.file.seek(SeekFrom::Start(from)).and_then(|_| (&self.file).take(TAIL).read_to_end(&mut bytes));
        if read.is_ok() { last_lines(&String::from_utf8_lossy(&bytes)) } else { Vec::new() }
    }
}

/// Marks where the next attempt starts.
fn begun(file: &mut File) -> io::Result<u64> {
    if file.metadata()?.len() > 0 {
        file.write_all(NEXT)?;
    }
    Ok(file.metadata()?.len())
}

/// The last lines that say something. A progress bar's steps are lines too.
fn last_lines(text: &str) -> Vec<String> {
    let lines = text.split(['\n', '\r']).rev().map(plain).filter(|line| !line.is_empty());
    let mut last: Vec<String> = lines.take(LINES).collect();
    last.reverse();
    last
}

/// A line without colours and hidden characters.
fn plain(line: &str) -> String {
    let mut out = String::new();
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        if c == '\u{1b}' && characters.next_if_eq(&'[').is_some() {
            // An escape sequence ends with its first letter (ECMA-48, 5.4).
            while characters.next_if(|c| !('@'..='~').contains(c)).is_some() {}
            characters.next();
        } else if c == '\t' {
            out.push(' ');
        } else if !is_hidden(c) {
            out.push(c);
        }
    }
    out.trim_end().chars().take(WIDTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_fit_for_a_terminal() {
        let text = "1\n2\n3\n\u{1b}[31;1mred\u{1b}[0m\n\n 10 %\r 20 %\r\u{7}bell\u{202e}\tend\u{0}\n";
        assert_eq!(last_lines(text), ["3", "red", " 10 %", " 20 %", "bell end"]);
        assert_eq!(last_lines(&"é".repeat(3 * WIDTH)), ["é".repeat(WIDTH)]);
        assert!(last_lines("\n \n\u{1b}[").is_empty());
    }

    #[test]
    fn an_attempt_is_asked_for_its_own_words_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.txt");
        let mut first = Log::open(&path).unwrap();
        first.handle().unwrap().write_all(b"first").unwrap();
        assert_eq!(first.last(), ["first"]);
        let mut second = Log::open(&path).unwrap();
        assert!(second.last().is_empty());
        // More than is looked at, by the first attempt's handle too: both write behind all that is there.
        for line in 0..20_000 {
            writeln!(if line % 2 == 0 { first.handle() } else { second.handle() }.unwrap(), "line {line}").unwrap();
        }
        assert_eq!(second.last().last().unwrap(), "line 19999");
        assert!(std::fs::read_to_string(&path).unwrap().starts_with("first\n--- next attempt ---\n"));
    }
}
