//! What people and scripts see while it runs.

use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use flatleak::{At, Event, Phase};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use signal_hook::{consts, flag};

use crate::options::MessageFormat;
use crate::pace::Pace;
use crate::times::time;
use crate::voice::{Verbosity, complain, for_stderr, progress_width, remark, say_event, text, verbosity, warn};

/// Time between lines where stderr is no terminal.
const PERIOD: Duration = Duration::from_secs(30);

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

/// Tells people or scripts what happens in a study.
pub(crate) struct Talk {
    format: MessageFormat,
    now: Option<Now>,
    /// Models per recipe, and of all recipes.
    models: (usize, usize),
}

/// The phase that runs.
struct Now {
    pace: Pace,
    begun: Instant,
    /// The last percentage that scripts were told.
    told: Option<u64>,
    shown: Shown,
}

/// How progress is shown.
enum Shown {
    /// A bar in a terminal.
    Bar(ProgressBar),
    /// Lines of a log.
    Lines(Ticker),
    /// Not at all, or as events.
    Nowhere,
}

impl Talk {
    pub(crate) fn new(format: MessageFormat) -> Self {
        Self { format, now: None, models: (0, 0) }
    }

    pub(crate) fn hear(&mut self, event: Event) {
        match event {
            Event::Begun { data, folder, recipes, models } => {
                self.over();
                self.models = (models, recipes * models);
                let folder_text = text(&folder);
                self.tell(
                    Phase::Training,
                    Some(format!("{recipes} recipes of {models} models each on {data}; output: {}", folder.display())),
                    json!({ "begun": data, "folder": folder_text, "recipes": recipes, "models": models }),
                );
            }
            Event::Resumed { recipe, model, epoch, step } => {
                let event = json!({ "resumed": recipe, "model": model, "epoch": epoch, "step": step });
                self.tell(Phase::Training, None, event);
            }
            Event::Progress { phase, at, done, reused, total } => {
                let (what, model) = match at {
                    At::Model { recipe, model } => (recipe, Some((model + 1, self.models.0))),
                    At::Stage(stage) => (stage.name().to_owned(), None),
                };
                let models = if phase == Phase::Training { self.models.1 } else { 0 };
                self.advance(Pace { phase: phase.name(), what, model, done, reused, total, models });
            }
            Event::Over(_) => self.over(),
            Event::Complete { recipe, model, reused } => {
                let how = if reused { "was there" } else { "is complete" };
                let human = format!("{recipe}: model {} of {} {how}", model + 1, self.models.0);
                let human = Some(human).filter(|_| verbosity() == Verbosity::Verbose);
                self.tell(Phase::Training, human, json!({ "done": recipe, "model": model, "reused": reused }));
            }
            Event::Diverged { recipe, model, epoch } => self.tell(
                Phase::Training,
                Some(format!("recipe {recipe} diverged: model {model}, epoch {epoch}; it is left out")),
                json!({ "diverged": recipe, "model": model, "epoch": epoch }),
            ),
            Event::Failed { recipe, model, why } => self.tell(
                Phase::Training,
                Some(format!("recipe {recipe}, model {model}, was not trained: it {why}; the others go on")),
                json!({ "failed": recipe, "model": model, "why": why }),
            ),
            Event::Note(text) => remark(&text),
        }
    }

    /// So much of a phase that counts its own steps is done.
    pub(crate) fn count(&mut self, phase: &'static str, done: u64, total: u64) {
        self.advance(Pace { phase, what: String::new(), model: None, done, reused: 0, total, models: 0 });
    }

    fn advance(&mut self, pace: Pace) {
        if self.now.as_ref().is_none_or(|now| now.pace.phase != pace.phase) {
            self.over();
        }
        let format = self.format;
        let now = self.now.get_or_insert_with(|| Now::new(pace.clone(), format));
        now.pace = pace;
        let (pace, elapsed) = (&now.pace, now.begun.elapsed());
        match &now.shown {
            Shown::Bar(bar) => bar.set_message(pace.line(elapsed, progress_width().unwrap_or(80) - 1)),
            Shown::Lines(ticker) => ticker.set(pace.clone()),
            Shown::Nowhere if format == MessageFormat::Json && now.told != Some(pace.percent()) => {
                now.told = Some(pace.percent());
                say_event(pace.phase, &progress(pace, elapsed));
            }
            Shown::Nowhere => {}
        }
    }

    /// The phase that ran is over.
    pub(crate) fn over(&mut self) {
        let Some(Now { pace, begun, shown, .. }) = self.now.take() else { return };
        match shown {
            Shown::Bar(bar) => bar.finish_and_clear(),
            Shown::Lines(ticker) => drop(ticker),
            Shown::Nowhere => {}
        }
        if self.format == MessageFormat::Json {
            say_event(pace.phase, &json!({ "over": true, "seconds": begun.elapsed().as_secs_f64() }));
        } else if verbosity() == Verbosity::Verbose {
            warn(&format!("{} took {}", pace.phase, time(begun.elapsed().as_secs_f64())));
        }
    }

    /// An event, to people above the bar where there is one.
    fn tell(&self, phase: Phase, human: Option<String>, event: Value) {
        if self.format == MessageFormat::Json {
            return say_event(phase.name(), &event);
        }
        let Some(human) = human.filter(|_| verbosity() != Verbosity::Quiet) else { return };
        match &self.now {
            Some(Now { shown: Shown::Bar(bar), .. }) => bar.println(for_stderr(&human).trim_end()),
            _ => warn(&human),
        }
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        // An error in the middle of a phase: the bar goes before the message comes.
        if let Some(Now { shown: Shown::Bar(bar), .. }) = self.now.take() {
            bar.finish_and_clear();
        }
    }
}

fn progress(pace: &Pace, elapsed: Duration) -> Value {
    let mut event = json!({ "progress": pace.done, "total": pace.total });
    let left = pace.left(elapsed).map(|left| json!(left.as_secs_f64()));
    let place = pace.model.map_or(("stage", None), |(k, n)| ("recipe", Some((k - 1, n))));
    if !pace.what.is_empty() {
        event[place.0] = json!(pace.what);
    }
    if let Some((model, of)) = place.1 {
        (event["model"], event["models"]) = (json!(model), json!(of));
    }
    if let Some(left) = left {
        event["seconds_left"] = left;
    }
    event
}

impl Now {
    fn new(pace: Pace, format: MessageFormat) -> Self {
        let begun = Instant::now();
        let shown = if format == MessageFormat::Json || verbosity() == Verbosity::Quiet {
            Shown::Nowhere
        } else if progress_width().is_some() {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{msg}") {
                bar.set_style(style);
            }
            Shown::Bar(bar)
        } else {
            Shown::Lines(Ticker::new(pace.clone(), begun, PERIOD, warn))
        };
        Self { pace, begun, told: None, shown }
    }
}

/// Says how far a phase is from time to time, also while nothing happens.
struct Ticker {
    pace: Arc<Mutex<Pace>>,
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// A system that refuses a thread gets no lines.
    fn new(pace: Pace, begun: Instant, period: Duration, say: impl Fn(&str) + Send + 'static) -> Self {
        let pace = Arc::new(Mutex::new(pace));
        let (end, ended) = channel();
        let shared = Arc::clone(&pace);
        let thread = std::thread::Builder::new().name("progress".into()).spawn(move || {
            while ended.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
                let pace = shared.lock().unwrap_or_else(|e| e.into_inner()).clone();
                say(&pace.sentence(begun.elapsed()));
            }
        });
        Self { pace, end: Some(end), thread: thread.ok() }
    }

    fn set(&self, pace: Pace) {
        *self.pace.lock().unwrap_or_else(|e| e.into_inner()) = pace;
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // It has nothing to panic of.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines come while nothing happens, say what was set last, and end with the phase.
    #[test]
    fn a_log_is_told_from_time_to_time() {
        let said = Arc::new(Mutex::new(Vec::new()));
        let to = Arc::clone(&said);
        let pace = |done| Pace {
            phase: "analysis",
            what: "attacks".into(),
            model: None,
            done,
            reused: 0,
            total: 4,
            models: 0,
        };
        let ticker = Ticker::new(pace(1), Instant::now(), Duration::from_millis(20), move |line| {
            to.lock().unwrap().push(line.to_owned());
        });
        let lines = || said.lock().unwrap().clone();
        let until = |wanted: &str| {
            let begun = Instant::now();
            while !lines().iter().any(|line| line.contains(wanted)) {
                assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", lines());
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        until("analysis: attacks, 25 %");
        ticker.set(pace(3));
        until("analysis: attacks, 75 %");
        drop(ticker);
        let count = lines().len();
        std::thread::sleep(Duration::from_millis(80));
        assert_eq!(lines().len(), count);
    }

    #[test]
    fn events_count_models_from_nought_and_have_totals() {
        let pace = Pace {
            phase: "training",
            what: "sam".into(),
            model: Some((3, 8)),
            done: 5,
            reused: 0,
            total: 10,
            models: 16,
        };
        let event = progress(&pace, Duration::from_secs(10));
        let wanted =
            json!({ "progress": 5, "total": 10, "recipe": "sam", "model": 2, "models": 8, "seconds_left": 10.0 });
        assert_eq!(event, wanted);
    }
}
