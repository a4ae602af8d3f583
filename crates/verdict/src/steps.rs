//! Steps of an analysis: who hears of them, and how it ends early.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use flatleak_stats::parallel;

use crate::error::Error;
use crate::options::{Progress, Stage};

/// Longest time in which nobody asks whether to go on.
const PULSE: Duration = Duration::from_millis(100);

/// A counter of steps, of which the first are attacks. Whoever hears of them says whether to go on.
pub(crate) struct Steps<'p> {
    done: usize,
    attacks: usize,
    total: usize,
    on_progress: &'p mut dyn FnMut(Progress) -> bool,
}

impl<'p> Steps<'p> {
    pub(crate) fn new(
        done: usize,
        (attacks, total): (usize, usize),
        on_progress: &'p mut dyn FnMut(Progress) -> bool,
    ) -> Self {
        Self { done, attacks, total, on_progress }
    }

    /// One more is done.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub(crate) fn next(&mut self) -> Result<(), Error> {
        self.done += 1;
        self.tell()
    }

    fn tell(&mut self) -> Result<(), Error> {
        let Self { done, total, .. } = *self;
        let stage = if done <= self.attacks { Stage::Attacks } else { Stage::Explanation };
        if (self.on_progress)(Progress { stage, done, total }) { Ok(()) } else { Err(Error::Stopped) }
    }

    /// [`parallel::map`], beside which this thread goes on asking whether to go on: none of `f` is begun after a no.
    ///
    /// # Errors
    /// [`Error::Stopped`], and the first of `f`.
    pub(crate) fn map<T: Send>(
        &mut self,
        n: usize,
        workers: usize,
        f: impl Fn(usize) -> Result<T, Error> + Sync,
    ) -> Result<Vec<T>, Error> {
        let stopped = AtomicBool::new(false);
        let each = |i| if stopped.load(Ordering::Relaxed) { Err(Error::Stopped) } else { f(i) };
        let all = || parallel::map(n, workers, each);
        thread::scope(|scope| {
            let (to, from) = channel();
            // Nobody listens any more where this thread has ended.
            let work = move || drop(to.send(all()));
            let Ok(thread) = thread::Builder::new().spawn_scoped(scope, work) else {
                // The system refuses a thread.
                return all().into_iter().collect();
            };
            loop {
                match from.recv_timeout(PULSE) {
                    Ok(found) => return found.into_iter().collect(),
                    Err(RecvTimeoutError::Timeout) => {
                        let is_over = self.tell().is_err();
                        stopped.fetch_or(is_over, Ordering::Relaxed);
                    }
                    Err(RecvTimeoutError::Disconnected) => match thread.join() {
                        Err(panic) => resume_unwind(panic),
                        Ok(()) => return Err(Error::Stopped),
                    },
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that is asked and says no ends the work within some pulses, though not one of its parts is done.
    #[test]
    fn a_no_ends_work_between_its_parts() {
        for workers in [1, 3] {
            let mut asked = 0;
            let mut no = |_| {
                asked += 1;
                asked < 2
            };
            let part = |_| {
                thread::sleep(Duration::from_millis(20));
                Ok(())
            };
            let begun = std::time::Instant::now();
            let found = Steps::new(0, (1, 1), &mut no).map(10_000, workers, part);
            assert!(matches!(found, Err(Error::Stopped)));
            assert!(begun.elapsed() < Duration::from_secs(20), "{workers}: {:?}", begun.elapsed());
        }
    }

    #[test]
    fn results_keep_their_order_and_errors_come_out() {
        let mut yes = |_| true;
        let mut steps = Steps::new(0, (1, 1), &mut yes);
        let wanted: Vec<usize> = (0..50).map(|i| 3 * i).collect();
        assert_eq!(steps.map(50, 2, |i| Ok(3 * i)).unwrap(), wanted);
        let wrong = |i| if i == 7 { Err(flatleak_stats::Error::NanScore { index: 7 }.into()) } else { Ok(i) };
        assert!(matches!(steps.map(50, 2, wrong), Err(Error::Stats(_))));
    }
}
