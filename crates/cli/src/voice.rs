//! How the program speaks: what stdout and stderr may have, in which colours, how wide, and how much of it.

use std::io::{ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use anstyle::{AnsiColor, Style};
use flatleak_report::text::{COLUMNS, FEWEST_COLUMNS, Text, Tone, wrap};
use flatleak_results::{is_hidden, plain_lines, shortened};
use serde_json::json;
use terminal_size::{Width, terminal_size_of};

use crate::options::{Color, MessageFormat, Speech};

/// How much is said beside the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// Errors alone.
    Quiet,
    /// Progress and notes.
    #[default]
    Usual,
    /// Every model too.
    Verbose,
}

/// One of the two streams.
#[derive(Clone, Copy, Debug, Default)]
struct Stream {
    color: bool,
    /// Columns of the terminal that it is.
    columns: Option<usize>,
}

/// The manner that the arguments ask for.
#[derive(Clone, Copy, Debug, Default)]
struct Manner {
    verbosity: Verbosity,
    out: Stream,
    err: Stream,
}

static MANNER: OnceLock<Manner> = OnceLock::new();

fn manner() -> Manner {
    MANNER.get().copied().unwrap_or_default()
}

/// Settles the manner for the rest of the process.
pub(crate) fn settle(speech: &Speech) {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    // https://no-color.org: any value that is not empty.
    let plain = set("NO_COLOR") || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let color = |is_terminal: bool| match speech.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => is_terminal && !plain,
    };
    let columns = |size: Option<(Width, terminal_size::Height)>| size.map(|(Width(w), _)| usize::from(w));
    let (out, err) = (std::io::stdout(), std::io::stderr());
    let verbosity = match (speech.quiet, speech.verbose) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Usual,
    };
    // Twice settled is settled: the first counts.
    let _ = MANNER.set(Manner {
        verbosity,
        out: Stream { color: color(out.is_terminal()), columns: columns(terminal_size_of(&out)) },
        err: Stream { color: color(err.is_terminal()), columns: columns(terminal_size_of(&err)) },
    });
}

/// How much is said.
pub(crate) fn verbosity() -> Verbosity {
    manner().verbosity
}

/// Columns of what is said on stdout: the terminal's; without one as many as a page has.
pub(crate) fn width() -> usize {
    manner().out.columns.unwrap_or(COLUMNS).max(FEWEST_COLUMNS)
}

/// Columns of the terminal that stderr is; none where it is none.
pub(crate) fn progress_width() -> Option<usize> {
    manner().err.columns.map(|columns| columns.max(FEWEST_COLUMNS))
}

fn style(tone: Tone) -> Style {
    let of = |color: AnsiColor| Style::new().fg_color(Some(color.into())).bold();
    match tone {
        Tone::Plain => Style::new(),
        Tone::Strong => Style::new().bold(),
        Tone::Faint => Style::new().dimmed(),
        Tone::Good => of(AnsiColor::Green),
        Tone::Bad => of(AnsiColor::Red),
        Tone::Open => of(AnsiColor::Yellow),
    }
}

/// An error, on stderr. Lines after the first are indented: no name in it begins a line that is not its own.
pub(crate) fn complain(message: &str) {
    warn(&format!("flatleak: {message}"));
}

/// Something to know, on stderr, that is no error.
pub(crate) fn remark(message: &str) {
    if verbosity() != Verbosity::Quiet {
        complain(message);
    }
}

/// Text on stderr. Where nobody can read it, nobody is told.
pub(crate) fn warn(text: &str) {
    let _ = std::io::stderr().write_all(for_stderr(text).as_bytes());
}

/// Text as stderr has it, with its last end of line.
pub(crate) fn for_stderr(text: &str) -> String {
    let text = printable(text);
    let mut out = String::new();
    for line in text.lines() {
        let lines = progress_width().map_or_else(|| vec![line.to_owned()], |width| wrap(line, width - 2));
        for line in lines {
            out += if out.is_empty() { "" } else { "  " };
            out += &line;
            out.push('\n');
        }
    }
    out
}

/// Whether something that was to be said was not.
static UNSAID: AtomicBool = AtomicBool::new(false);

/// Whether stdout took all that was said. A reader that has gone (`| head`) is the reader's choice, and counts as said.
pub(crate) fn is_said() -> bool {
    !UNSAID.load(Ordering::Relaxed)
}

/// Most characters of a word: no name fills a screen.
const WORD: usize = 256;

/// Text as a terminal may have it: hidden characters written out, so that no name moves the cursor or turns what stands beside it, and words of a
/// length that a line has room for.
pub(crate) fn printable(text: &str) -> String {
    let text = plain_lines(text);
    text.split_inclusive([' ', '\n'])
        .map(|word| {
            let own = word.trim_end_matches([' ', '\n']);
            shortened(own, WORD) + &word[own.len()..]
        })
        .collect()
}

/// Text on stdout: all that people read there goes through here or through [`show`].
pub(crate) fn say(text: &str) {
    write(&printable(text));
}

/// Text with tones on stdout.
pub(crate) fn show(text: &Text) {
    let mut out = String::new();
    for (tone, span) in text.spans() {
        let span = printable(span);
        let style = if manner().out.color { style(*tone) } else { Style::new() };
        out += &format!("{style}{span}{style:#}");
    }
    write(&out);
}

/// What another program reads, as it is: a script for a shell.
pub(crate) fn hand_over(bytes: &[u8]) {
    write_bytes(bytes);
}

/// Says what came out: the event to scripts, the text to people.
pub(crate) fn done(format: MessageFormat, event: serde_json::Value, text: impl FnOnce() -> Text) {
    match format {
        MessageFormat::Json => say_event("done", &event),
        MessageFormat::Human => show(&text()),
    }
}

/// An answer and where it was written.
pub(crate) fn written(text: Text, what: &str, path: &Path) -> Text {
    all_written(text, what, &[path.to_owned()])
}

/// An answer and the files that it was written to.
pub(crate) fn all_written(mut text: Text, what: &str, paths: &[PathBuf]) -> Text {
    text.line(Tone::Plain, "");
    paths.iter().for_each(|path| text.line(Tone::Plain, &format!("{what}: {}", path.display())));
    text
}

/// An event on stdout, one line of JSON (book/events.md).
pub(crate) fn say_event(phase: &str, event: &serde_json::Value) {
    let line = json!({ "phase": phase, "event": event }).to_string();
    let mut out = String::with_capacity(line.len() + 1);
    for c in line.chars() {
        if is_hidden(c) {
            // Outside of its strings JSON has none, and inside they may be written so.
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out += &format!("\\u{unit:04x}"));
        } else {
            out.push(c);
        }
    }
    write(&(out + "\n"));
}

fn write(text: &str) {
    write_bytes(text.as_bytes());
}

fn write_bytes(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    if let Err(e) = out.write_all(bytes).and_then(|()| out.flush())
        && e.kind() != ErrorKind::BrokenPipe
    {
        UNSAID.store(true, Ordering::Relaxed);
    }
}

/// A path as events have it. JSON is text: bytes that are none are replaced.
pub(crate) fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
