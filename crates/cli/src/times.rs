//! Times as people write them, what may be spent and how often models in training are saved, and as people read them.

use std::str::FromStr;
use std::time::Duration;

use flatleak::Checkpoints;

/// A time that may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budget(pub(crate) Duration);

/// Text that is no budget.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoBudget {
    /// No number with a unit.
    #[error("{0:?} is no time: write 45s, 90m, 2h or 1d")]
    Form(String),
    /// Nothing, or too much.
    #[error("{0:?}: a time is more than nothing, and less than 30 years")]
    Range(String),
}

impl FromStr for Budget {
    type Err = NoBudget;

    fn from_str(text: &str) -> Result<Self, NoBudget> {
        let wrong = || NoBudget::Form(text.to_owned());
        let units = [('s', 1.0), ('m', 60.0), ('h', 3600.0), ('d', 86400.0)];
        let last = text.trim().chars().last().ok_or_else(wrong)?;
        let (_, seconds) = units.iter().find(|(unit, _)| *unit == last).ok_or_else(wrong)?;
        let number: f64 = text.trim().trim_end_matches(last).trim().parse().map_err(|_| wrong())?;
        if !(number > 0.0 && number * seconds < 1e9) {
            return Err(NoBudget::Range(text.to_owned()));
        }
        Ok(Self(Duration::from_secs_f64(number * seconds)))
    }
}

/// The value of `--checkpoint`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checkpoint(pub(crate) Checkpoints);

/// Text that is neither a time nor `off`.
#[derive(Debug, thiserror::Error)]
#[error("{0}; or `off`")]
pub(crate) struct NoCheckpoint(#[from] NoBudget);

impl FromStr for Checkpoint {
    type Err = NoCheckpoint;

    fn from_str(text: &str) -> Result<Self, NoCheckpoint> {
        if text.trim() == "off" {
            return Ok(Self(Checkpoints::Off));
        }
        let Budget(time) = text.parse()?;
        Ok(Self(Checkpoints::Every(time)))
    }
}

/// Seconds in the two largest units that tell them.
pub(crate) fn time(seconds: f64) -> String {
    // What is below 0 or no number is 0.
    let s = seconds.round() as u64;
    match s {
        0..=99 => format!("{s} s"),
        100..=5999 => format!("{} min", (s + 30) / 60),
        6000..=172_799 => format!("{} h {} min", s / 3600, s % 3600 / 60),
        _ => format!("{} d {} h", s / 86_400, s % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_their_largest_units() {
        let said = [-1.0, 0.0, 99.4, 99.5, 5999.0, 6000.0, 172_800.0].map(time);
        assert_eq!(said, ["0 s", "0 s", "99 s", "2 min", "100 min", "1 h 40 min", "2 d 0 h"]);
        assert_eq!(time(f64::NAN), "0 s");
    }
}
