//! What people and scripts see while it runs.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this module is the one that talks")]

use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::MessageFormat;

/// An error, on stderr.
pub(crate) fn complain(message: &str) {
    eprintln!("flatleak: {message}");
}

/// Text on stdout.
pub(crate) fn say(text: &str) {
    use std::io::Write;
    // A closed pipe (`| head`) is the reader's choice, not an error.
    let _ = std::io::stdout().write_all(text.as_bytes());
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
            (MessageFormat::Json, _) => {
                say(&format!("{}\n", serde_json::json!({ "phase": self.phase, "event": json })))
            }
            (MessageFormat::Human, Some(text)) if self.bar.is_hidden() => eprintln!("{text}"),
            (MessageFormat::Human, Some(text)) => self.bar.println(text),
            (MessageFormat::Human, None) => {}
        }
    }

    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }
}
