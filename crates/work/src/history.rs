//! What is known of a task.

use std::collections::BTreeMap;

use crate::end::{Divergence, End, Outcome};
use crate::lease::Lease;

/// How often a task is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Attempts that may fail.
    pub failures: u32,
    /// Attempts in vain: those that failed, were lost, or were interrupted before they came further than the one before.
    pub vain: u32,
}

impl Default for Limits {
    /// Three failures, twenty attempts in vain.
    fn default() -> Self {
        Self { failures: 3, vain: 20 }
    }
}

/// Where a task stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// It can be tried.
    Open {
        /// Number of the next attempt.
        next: u32,
    },
    /// Somebody who lives tries it.
    Running {
        /// Number of the attempt.
        number: u32,
        /// Who; not known where the lease cannot be read.
        lease: Option<Lease>,
    },
    /// Its models are there.
    Done {
        /// Number of the attempt that would follow, should they be damaged.
        next: u32,
        /// What the attempt took, in seconds.
        seconds: f64,
    },
    /// Some of its recipes left the finite numbers.
    Diverged {
        /// Which, and when.
        recipes: Vec<Divergence>,
        /// Number of the attempt that would follow.
        next: u32,
    },
    /// It was tried too often.
    GivenUp {
        /// Attempts in all.
        attempts: u32,
        /// Those that failed.
        failures: u32,
        /// Number of the attempt that would follow.
        next: u32,
        /// How the last failure ended.
        last: Option<Outcome>,
    },
    /// Two attempts gave different bytes.
    BitsDiffer {
        /// Which file.
        file: String,
    },
}

/// One attempt, as far as it is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) lease: Option<Lease>,
    pub(crate) end: Option<End>,
    /// There is a file that says how it ended, perhaps one that cannot be read.
    pub(crate) is_over: bool,
}

/// All attempts at a task.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) attempts: BTreeMap<u32, Seen>,
}

impl History {
    /// The number that follows all attempts.
    pub(crate) fn next(&self) -> u32 {
        self.attempts.last_key_value().map_or(1, |(last, _)| last + 1)
    }

    /// Attempts that came no further than one before.
    fn vain(&self) -> u32 {
        let (mut vain, mut reached) = (0, 0.0);
        for attempt in self.attempts.values() {
            match attempt.end.as_ref().map(|end| &end.outcome) {
                Some(Outcome::Interrupted { fraction }) if *fraction > reached => reached = *fraction,
                _ => vain += 1,
            }
        }
        vain
    }

    /// Where the task of this identity stands, so far as ends say; `None` where it depends on whether the last attempt lives.
    pub(crate) fn settled(&self, identity: &str, limits: Limits) -> Option<Standing> {
        let next = self.next();
        let ends: Vec<&End> =
            self.attempts.values().filter_map(|a| a.end.as_ref()).filter(|end| end.identity == identity).collect();
        // What differs weighs most: nobody may go on as if all were well.
        let mut standing = None;
        let mut failures = 0;
        let mut last = None;
        for end in ends {
            match &end.outcome {
                Outcome::BitsDiffer { file } => return Some(Standing::BitsDiffer { file: file.clone() }),
                Outcome::Done { .. } => standing = Some(Standing::Done { next, seconds: end.seconds }),
                Outcome::Diverged { recipes } if standing.is_none() => {
                    standing = Some(Standing::Diverged { recipes: recipes.clone(), next });
                }
                Outcome::Failed { .. } => {
                    failures += 1;
                    last = Some(end.outcome.clone());
                }
                Outcome::Diverged { .. } | Outcome::Interrupted { .. } => {}
            }
        }
        let attempts = self.attempts.len() as u32;
        let is_over = self.attempts.last_key_value().is_none_or(|(_, a)| a.is_over);
        let spent = || failures >= limits.failures || self.vain() >= limits.vain;
        let open = || {
            if spent() {
                Standing::GivenUp { attempts, failures, next, last: last.clone() }
            } else {
                Standing::Open { next }
            }
        };
        standing.or_else(|| is_over.then(open))
    }

    /// Where it stands once the last attempt is known to be lost.
    pub(crate) fn lost(&self, identity: &str, limits: Limits) -> Standing {
        let mut over = self.clone();
        if let Some(mut last) = over.attempts.last_entry() {
            last.get_mut().is_over = true;
        }
        over.settled(identity, limits).unwrap_or(Standing::Open { next: self.next() })
    }
}
