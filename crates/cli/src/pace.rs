//! How far a phase is and how fast it goes, as a line of any width.

use std::time::Duration;

use flatleak_report::text::columns;
use flatleak_results::shortened;

use crate::times::time;

/// Fewest and most columns of a bar.
const BAR: std::ops::RangeInclusive<usize> = 8..=30;
/// Most columns of a recipe's name.
const NAME: usize = 24;

/// How far a phase is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pace {
    /// The phase in a word.
    pub(crate) phase: &'static str,
    /// The recipe or the stage.
    pub(crate) what: String,
    /// Model k of n.
    pub(crate) model: Option<(usize, usize)>,
    /// Steps that are done.
    pub(crate) done: u64,
    /// Of these, steps that were done before.
    pub(crate) reused: u64,
    /// Steps in all.
    pub(crate) total: u64,
    /// Models that the steps make, where they make any.
    pub(crate) models: usize,
}

impl Pace {
    fn share(&self, steps: u64) -> f64 {
        steps as f64 / self.total.max(1) as f64
    }

    /// Whole percent.
    pub(crate) fn percent(&self) -> u64 {
        (100.0 * self.share(self.done)) as u64
    }

    /// Models a minute: of what was done since it began, in models' worth of steps.
    fn rate(&self, elapsed: Duration) -> Option<f64> {
        let models = self.share(self.done - self.reused) * self.models as f64;
        (models > 0.0 && elapsed.as_secs_f64() > 1.0).then(|| models * 60.0 / elapsed.as_secs_f64())
    }

    /// Time that is left at the pace since it began.
    pub(crate) fn left(&self, elapsed: Duration) -> Option<Duration> {
        let own = self.done.saturating_sub(self.reused);
        let left = self.total.saturating_sub(self.done);
        (own > 0).then(|| elapsed.mul_f64(left as f64 / own as f64))
    }

    /// `sgd-2x, model 17 of 32`.
    fn place(&self) -> String {
        let what = shortened(&self.what, NAME);
        self.model.map_or_else(|| what.to_string(), |(k, n)| format!("{what}, model {k} of {n}"))
    }

    fn speed(&self, elapsed: Duration) -> Option<String> {
        self.rate(elapsed)
            .map(|rate| if rate < 10.0 { format!("{rate:.1} models/min") } else { format!("{rate:.0} models/min") })
    }

    fn time_left(&self, elapsed: Duration) -> Option<String> {
        self.left(elapsed).map(|left| format!("{} left", time(left.as_secs_f64())))
    }

    /// A sentence for a log.
    pub(crate) fn sentence(&self, elapsed: Duration) -> String {
        let parts =
            [Some(self.place()), Some(format!("{} %", self.percent())), self.speed(elapsed), self.time_left(elapsed)];
        format!(
            "{}: {}",
            self.phase,
            parts.into_iter().flatten().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(", ")
        )
    }

    /// A line of at most `width` columns: percent and time left always, the rest where there is room for it.
    pub(crate) fn line(&self, elapsed: Duration, width: usize) -> String {
        let percent = format!("{:>3} %", self.percent());
        let left = self.time_left(elapsed);
        let short = self.model.map(|(k, n)| format!("{} {k}/{n}", shortened(&self.what, NAME)));
        let places = [Some(self.place()), short, Some(String::new())];
        let speeds = [self.speed(elapsed), None];
        let whole = |place: &str, speed: &Option<String>, bar: usize| {
            let bar = (bar > 0).then(|| drawn(self.share(self.done), bar));
            let parts = [
                Some(self.phase.to_owned()),
                Some(place.to_owned()).filter(|p| !p.is_empty()),
                bar,
                Some(percent.clone()),
            ];
            parts.into_iter().flatten().chain(speed.clone()).chain(left.clone()).collect::<Vec<_>>().join("  ")
        };
        for place in places.iter().flatten() {
            for speed in &speeds {
                let taken = columns(&whole(place, speed, 0));
                // Brackets and the gap before them.
                let room = width.saturating_sub(taken + 4);
                if taken <= width && (room >= *BAR.start() || place.is_empty()) {
                    return whole(place, speed, if room >= *BAR.start() { room.min(*BAR.end()) } else { 0 });
                }
            }
        }
        whole("", &None, 0)
    }
}

fn drawn(share: f64, columns: usize) -> String {
    let full = (share * columns as f64) as usize;
    let head = usize::from(full < columns);
    format!("[{}{}{}]", "=".repeat(full.min(columns)), ">".repeat(head), " ".repeat(columns - full.min(columns) - head))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace() -> Pace {
        Pace {
            phase: "training",
            what: "sgd-2x".into(),
            model: Some((17, 32)),
            done: 600,
            reused: 200,
            total: 1000,
            models: 96,
        }
    }

    /// 400 of 1,000 steps in 4 minutes: 38.4 of 96 models, so 9.6 a minute, and 400 more steps take 4 minutes.
    #[test]
    fn what_was_there_before_is_no_speed() {
        let elapsed = Duration::from_secs(240);
        assert_eq!(pace().left(elapsed), Some(elapsed));
        let wanted = "training: sgd-2x, model 17 of 32, 60 %, 9.6 models/min, 4 min left";
        assert_eq!(pace().sentence(elapsed), wanted);
        let none = Pace { done: 200, ..pace() };
        assert_eq!(none.sentence(elapsed), "training: sgd-2x, model 17 of 32, 20 %");
        let analysis = Pace { phase: "analysis", what: "attacks".into(), model: None, models: 0, reused: 0, ..pace() };
        assert_eq!(analysis.sentence(elapsed), "analysis: attacks, 60 %, 3 min left");
    }

    #[test]
    fn a_line_keeps_to_its_width_and_says_the_most_important() {
        let elapsed = Duration::from_secs(240);
        for width in 30..=160 {
            let line = pace().line(elapsed, width);
            assert!(columns(&line) <= width, "{width}: {line}");
            assert!(line.contains("60 %") && line.contains("4 min left"), "{line}");
            assert!(width < 60 || line.contains("sgd-2x"), "{line}");
        }
        let whole =
            "training  sgd-2x, model 17 of 32  [==================>           ]   60 %  9.6 models/min  4 min left";
        assert_eq!(pace().line(elapsed, 120), whole);
        let named = Pace { what: "n".repeat(200), ..pace() };
        assert!(columns(&named.line(elapsed, 50)) <= 50);
    }
}
