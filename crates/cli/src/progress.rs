//! What people and scripts see while it runs.

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flatleak::{Event, Phase};
use flatleak_results::{is_hidden, plain_lines, shortened};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use signal_hook::{consts, flag};

use crate::arguments::MessageFormat;

/// An interruption, a request to end, a terminal that closes, and what batch systems send some time before they kill.
#[cfg(unix)]
const STOPS: [i32; 4] = [consts::SIGINT, consts::SIGTERM, consts::SIGHUP, consts::SIGUSR1];
#[cfg(not(unix))]
const STOPS: [i32; 2] = [consts::SIGINT, consts::SIGTERM];

/// Set by Ctrl-C and the like: whoever works looks at it and leaves what is complete, and what goes on from there. A signal that cannot be
/// listened for ends the program at once, which loses no model that is complete.
pub(crate) fn stop_flag() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in STOPS {
        if let Err(e) = flag::register(signal, Arc::clone(&stop)) {
            complain(&format!("cannot listen for signal {signal} ({e}): it ends the program at once"));
        }
    }
    stop
}

/// Says what came out: the event to scripts, the text to people.
pub(crate) fn done(format: MessageFormat, event: serde_json::Value, text: impl FnOnce() -> String) {
    match format {
        MessageFormat::Json => say_event("done", &event),
        MessageFormat::Human => say(&text()),
    }
}

/// Tells people or scripts what happens in a study.
pub(crate) struct Talk {
    format: MessageFormat,
    bar: Option<(Phase, Progress)>,
}

impl Talk {
    pub(crate) fn new(format: MessageFormat) -> Self {
        Self { format, bar: None }
    }

    pub(crate) fn hear(&mut self, event: Event) {
        match event {
            Event::Progress { phase, done, total } => self.bar(phase, total).set(done),
            Event::Over(_) => {
                if let Some((_, bar)) = self.bar.take() {
                    bar.finish();
                }
            }
            Event::Resumed { recipe, model, epoch, step } => {
                self.event(None, json!({ "resumed": recipe, "model": model, "epoch": epoch, "step": step }));
            }
            Event::Complete { recipe, model, reused } => {
                self.event(None, json!({ "done": recipe, "model": model, "reused": reused }));
            }
            Event::Diverged { recipe, model, epoch } => self.event(
                Some(format!("recipe {recipe} diverged: model {model}, epoch {epoch}; it is left out")),
                json!({ "diverged": recipe, "model": model, "epoch": epoch }),
            ),
            Event::Failed { recipe, model, why } => self.event(
                Some(format!("recipe {recipe}, model {model}, was not trained: it {why}; the others go on")),
                json!({ "failed": recipe, "model": model, "why": why }),
            ),
            Event::Note(text) => complain(&text),
        }
    }

    /// The bar of a phase.
    fn bar(&mut self, phase: Phase, total: u64) -> &Progress {
        if self.bar.as_ref().is_none_or(|(of, _)| *of != phase) {
            self.bar = None;
        }
        let format = self.format;
        &self.bar.get_or_insert_with(|| (phase, Progress::new(phase.name(), total, format))).1
    }

    /// An event of training, above its bar where there is one.
    fn event(&mut self, human: Option<String>, json: serde_json::Value) {
        match &self.bar {
            Some((_, bar)) => bar.event(human, json),
            None => Progress::new(Phase::Training.name(), 0, self.format).event(human, json),
        }
    }
}

/// An error, on stderr. Lines after the first are indented: no name in it begins a line that is not its own.
pub(crate) fn complain(message: &str) {
    warn(&format!("flatleak: {}", message.replace('\n', "\n  ")));
}

/// A line on stderr. Where nobody can read it, nobody is told.
fn warn(line: &str) {
    let _ = writeln!(std::io::stderr(), "{}", printable(line));
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
fn printable(text: &str) -> String {
    let text = plain_lines(text);
    text.split_inclusive([' ', '\n'])
        .map(|word| {
            let own = word.trim_end_matches([' ', '\n']);
            shortened(own, WORD) + &word[own.len()..]
        })
        .collect()
}

/// Text on stdout: all that people read there goes through here.
pub(crate) fn say(text: &str) {
    write(&printable(text));
}

/// An event on stdout, one line of JSON.
fn say_event(phase: &str, event: &serde_json::Value) {
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
    let mut out = std::io::stdout().lock();
    if let Err(e) = out.write_all(text.as_bytes()).and_then(|()| out.flush())
        && e.kind() != ErrorKind::BrokenPipe
    {
        UNSAID.store(true, Ordering::Relaxed);
    }
}

/// A path as events have it. JSON is text: bytes that are none are replaced.
pub(crate) fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Progress of one phase; hidden when stderr is not a terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
    format: MessageFormat,
    phase: &'static str,
}

impl Progress {
    pub(crate) fn new(phase: &'static str, total: u64, format: MessageFormat) -> Self {
        let bar = if format == MessageFormat::Json { ProgressBar::hidden() } else { ProgressBar::new(total) };
        let style = "{msg:>9} [{bar:40}] {percent:>3} %  {elapsed} gone, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(phase);
        Self { bar, format, phase }
    }

    pub(crate) fn set(&self, done: u64) {
        self.bar.set_position(done);
    }

    /// A line for scripts, or for people above the bar.
    pub(crate) fn event(&self, human: Option<String>, json: serde_json::Value) {
        match (self.format, human) {
            (MessageFormat::Json, _) => say_event(self.phase, &json),
            (MessageFormat::Human, Some(text)) if self.bar.is_hidden() => warn(&text),
            (MessageFormat::Human, Some(text)) => self.bar.println(printable(&text)),
            (MessageFormat::Human, None) => {}
        }
    }

    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }
}
