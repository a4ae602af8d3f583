//! Where workers look who does what.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use flatleak_disk::Creation;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::beat::{Beat, Running};
use crate::depot::Depot;
use crate::end::{Divergence, End, Outcome};
use crate::error::Error;
use crate::history::{History, Limits, Seen, Standing};
use crate::lease::Lease;
use crate::task::{Attempt, Task};
use crate::worker::Worker;

/// Signs of life that a worker may miss before its tasks go to others.
pub const MISSED: u32 = 5;

/// The name whose presence says that the run was cancelled.
pub const CANCELLED: &str = "work/stop";

const LEASES: &str = "work/leases";
const BEATS: &str = "work/beats";
const ENDS: &str = "work/ends";

/// What one worker knows of a run, and what it tells the others.
#[derive(Debug)]
pub struct Board {
    depot: Arc<dyn Depot>,
    worker: Worker,
    every: Duration,
    /// The depot's clock at the last own beat.
    clock: Option<(SystemTime, Instant)>,
    tasks: HashMap<Task, History>,
    /// What the last look at another's beat said: when it was written, and when that was looked at.
    beats: HashMap<String, (Option<SystemTime>, Instant)>,
}

impl Board {
    /// The board of a run, for a worker that gives a sign of life so often. Nothing is written.
    ///
    /// # Errors
    /// A store that fails.
    pub fn open(depot: Arc<dyn Depot>, worker: Worker, every: Duration) -> Result<Self, Error> {
        let (tasks, beats) = (HashMap::new(), HashMap::new());
        let mut board = Self { depot, worker, every, clock: None, tasks, beats };
        board.refresh()?;
        Ok(board)
    }

    /// The store.
    pub fn depot(&self) -> &Arc<dyn Depot> {
        &self.depot
    }

    /// Who looks.
    pub fn worker(&self) -> &Worker {
        &self.worker
    }

    /// How often workers give a sign of life.
    pub fn every(&self) -> Duration {
        self.every
    }

    /// Looks which attempts there are and how they ended. An end is read once.
    ///
    /// # Errors
    /// A store that fails.
    pub fn refresh(&mut self) -> Result<(), Error> {
        for Attempt { task, number } in self.depot.list(LEASES)?.iter().filter_map(|name| Attempt::parse(name)) {
            self.tasks.entry(task).or_default().attempts.entry(number).or_default();
        }
        for name in self.depot.list(ENDS)? {
            if let Some(attempt) = name.strip_suffix(".json").and_then(Attempt::parse) {
                self.look_at_end(&attempt)?;
            }
        }
        Ok(())
    }

    /// Reads how an attempt ended, if it did and this was not read before.
    fn look_at_end(&mut self, attempt: &Attempt) -> Result<(), Error> {
        let seen = self.tasks.entry(attempt.task.clone()).or_default().attempts.entry(attempt.number).or_default();
        if seen.is_over {
            return Ok(());
        }
        if let Some(end) = read(self.depot.as_ref(), &format!("{ENDS}/{attempt}.json"))? {
            seen.is_over = true;
            // One that is damaged says that the attempt is over, and no more.
            seen.end = end.ok();
        }
        Ok(())
    }

    /// Where the task stands whose models depend on `identity`.
    ///
    /// # Errors
    /// A store that fails.
    pub fn standing(&mut self, task: &Task, identity: &str, limits: Limits) -> Result<Standing, Error> {
        let Some(history) = self.tasks.get(task) else { return Ok(Standing::Open { next: 1 }) };
        if let Some(settled) = history.settled(identity, limits) {
            return Ok(settled);
        }
        let number = history.next() - 1;
        let lease = self.lease(task, number)?;
        let lives = match &lease {
            // One of this worker's own threads.
            Some(lease) if lease.worker == self.worker => true,
            Some(lease) => !lease.worker.is_gone() && self.lives(&lease.worker)?,
            None => false,
        };
        // Whoever seems to be gone may have ended the attempt since the last look, and left.
        if !lives {
            self.look_at_end(&Attempt { task: task.clone(), number })?;
        }
        let history = self.tasks.entry(task.clone()).or_default();
        Ok(if lives { Standing::Running { number, lease } } else { history.lost(identity, limits) })
    }

    /// Takes an attempt; `None` where another has it.
    ///
    /// # Errors
    /// A store that fails.
    pub fn claim(&mut self, task: &Task, number: u32) -> Result<Option<Attempt>, Error> {
        let attempt = Attempt { task: task.clone(), number };
        let lease = Lease { worker: self.worker.clone() };
        let created = self.depot.create(&format!("{LEASES}/{attempt}"), &json("a lease", &lease)?)?;
        // The same bytes under the name are this worker's own: the answer to a first request was lost on its way.
        let won = created != Creation::Other;
        let seen = Seen { lease: won.then_some(lease), ..Seen::default() };
        self.tasks.entry(task.clone()).or_default().attempts.entry(number).or_insert(seen);
        Ok(won.then_some(attempt))
    }

    /// Says how an attempt ended.
    ///
    /// # Errors
    /// A store that fails.
    pub fn end(&mut self, end: &End) -> Result<(), Error> {
        let end = End { worker: self.worker.id.clone(), ..end.clone() };
        self.depot.create(&format!("{ENDS}/{}.json", end.attempt), &json("an end", &end)?)?;
        if let Some(Attempt { task, number }) = Attempt::parse(&end.attempt) {
            let seen = self.tasks.entry(task).or_default().attempts.entry(number).or_default();
            (seen.is_over, seen.end) = (true, Some(end));
        }
        Ok(())
    }

    /// Gives a sign of life, and reads the depot's clock from it.
    ///
    /// # Errors
    /// A store that fails.
    pub fn beat(&mut self, running: &[Running]) -> Result<(), Error> {
        let name = self.own_beat();
        let beat = Beat { worker: self.worker.clone(), running: running.to_vec() };
        self.depot.replace(&name, &json("a beat", &beat)?)?;
        self.clock = self.depot.modified(&name)?.map(|now| (now, Instant::now()));
        Ok(())
    }

    /// Takes the sign of life away: this worker works no more.
    ///
    /// # Errors
    /// A store that fails.
    pub fn leave(&mut self) -> Result<(), Error> {
        self.depot.remove(&self.own_beat())
    }

    /// Whether somebody cancelled the run.
    ///
    /// # Errors
    /// A store that fails.
    pub fn is_cancelled(&self) -> Result<bool, Error> {
        Ok(self.depot.modified(CANCELLED)?.is_some())
    }

    /// What is known of divergence: the task, its identity, the recipe.
    pub fn divergences(&self) -> impl Iterator<Item = (&Task, &str, &Divergence)> {
        self.tasks.iter().flat_map(|(task, history)| {
            let ends = history.attempts.values().filter_map(|a| a.end.as_ref());
            ends.flat_map(move |end| match &end.outcome {
                Outcome::Diverged { recipes } => recipes.iter().map(|d| (task, end.identity.as_str(), d)).collect(),
                _ => Vec::new(),
            })
        })
    }

    /// How all attempts at a task ended, as far as they did.
    pub fn ends(&self, task: &Task) -> Vec<&End> {
        let attempts = self.tasks.get(task).map(|history| history.attempts.values());
        attempts.into_iter().flatten().filter_map(|a| a.end.as_ref()).collect()
    }

    /// Signs of life of all workers, with their age by the depot's clock; the age is unknown before this worker's own first.
    ///
    /// # Errors
    /// A store that fails.
    pub fn beats(&self) -> Result<Vec<(Beat, Option<Duration>)>, Error> {
        let mut all = Vec::new();
        for name in self.depot.list(BEATS)? {
            let name = format!("{BEATS}/{name}");
            // Whoever leaves takes it away meanwhile.
            let Some(Ok(beat)) = read::<Beat>(self.depot.as_ref(), &name)? else { continue };
            let written = self.depot.modified(&name)?;
            let age = written.zip(self.now()).map(|(at, now)| now.duration_since(at).unwrap_or_default());
            all.push((beat, age));
        }
        Ok(all)
    }

    /// How old a sign of life may be.
    pub fn patience(&self) -> Duration {
        self.every * MISSED
    }

    fn own_beat(&self) -> String {
        format!("{BEATS}/{}", self.worker.id)
    }

    /// The depot's clock.
    fn now(&self) -> Option<SystemTime> {
        self.clock.map(|(then, at)| then + at.elapsed())
    }

    fn lease(&mut self, task: &Task, number: u32) -> Result<Option<Lease>, Error> {
        let known = self.tasks.get(task).and_then(|h| h.attempts.get(&number)).and_then(|a| a.lease.clone());
        if known.is_some() {
            return Ok(known);
        }
        let name = format!("{LEASES}/{}", Attempt { task: task.clone(), number });
        let lease: Option<Lease> = read(self.depot.as_ref(), &name)?.and_then(Result::ok);
        let seen = self.tasks.entry(task.clone()).or_default().attempts.entry(number).or_default();
        seen.lease.clone_from(&lease);
        Ok(lease)
    }

    /// Whether a worker's last sign of life is recent by the depot's clock. A worker gives one before it takes a task, and takes it away when it
    /// leaves: without one it is gone.
    fn lives(&mut self, worker: &Worker) -> Result<bool, Error> {
        let (depot, every) = (&self.depot, self.every);
        let look = || Ok::<_, Error>((depot.modified(&format!("{BEATS}/{}", worker.id))?, Instant::now()));
        let written = match self.beats.get(&worker.id) {
            // Many tasks may be one worker's: its beat is looked at no more often than it changes.
            Some((written, at)) if at.elapsed() < every / 2 => *written,
            _ => {
                let found = look()?;
                self.beats.insert(worker.id.clone(), found);
                found.0
            }
        };
        let Some(written) = written else { return Ok(false) };
        let Some(now) = self.now() else { return Ok(true) };
        Ok(now.duration_since(written).unwrap_or_default() <= self.patience())
    }
}

/// What a name holds: nothing, something, or something damaged.
fn read<T: DeserializeOwned>(depot: &dyn Depot, name: &str) -> Result<Option<Result<T, serde_json::Error>>, Error> {
    Ok(depot.read(name)?.map(|bytes| serde_json::from_slice(&bytes)))
}

/// One line of JSON.
fn json(what: &'static str, value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut bytes = serde_json::to_vec(value).map_err(|source| Error::Encode { what, source })?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::end::Published;
    use crate::folder::Folder;
    use std::path::Path;

    const SHORT: Duration = Duration::from_millis(200);

    fn board(run: &Path, host: &str) -> Board {
        // Of another machine, so that only beats tell.
        let worker = Worker { system: String::new(), host: host.into(), ..Worker::this() };
        let mut board = Board::open(Arc::new(Folder::new(run)), worker, SHORT).unwrap();
        board.beat(&[]).unwrap();
        board
    }

    #[test]
    fn a_task_whose_worker_is_silent_goes_to_another_and_a_late_end_counts() {
        let run = tempfile::tempdir().unwrap();
        let (mut a, mut b) = (board(run.path(), "a"), board(run.path(), "b"));
        let task = Task::new("sgd", 0);
        let first = a.claim(&task, 1).unwrap().unwrap();
        b.refresh().unwrap();
        let standing = |b: &mut Board| b.standing(&task, "i", Limits::default()).unwrap();
        assert!(matches!(standing(&mut b), Standing::Running { number: 1, lease: Some(l) } if l.worker.host == "a"));
        std::thread::sleep(SHORT * (MISSED + 2));
        b.beat(&[]).unwrap();
        assert_eq!(standing(&mut b), Standing::Open { next: 2 });
        // A sign of life later it is the first worker's again.
        a.beat(&[]).unwrap();
        std::thread::sleep(SHORT);
        assert!(matches!(standing(&mut b), Standing::Running { number: 1, .. }));
        a.end(&End::new(&first, "i", Outcome::Done { published: Published::New }, SHORT)).unwrap();
        b.refresh().unwrap();
        assert!(matches!(standing(&mut b), Standing::Done { next: 2, .. }));
        // Of other data or another recipe it says nothing.
        assert_eq!(b.standing(&task, "j", Limits::default()).unwrap(), Standing::Open { next: 2 });
    }

    #[test]
    fn who_leaves_without_an_end_has_lost_the_task() {
        let run = tempfile::tempdir().unwrap();
        let (mut a, mut b) = (board(run.path(), "a"), board(run.path(), "b"));
        let task = Task::new("sgd", 7);
        a.claim(&task, 1).unwrap().unwrap();
        a.leave().unwrap();
        b.refresh().unwrap();
        assert_eq!(b.standing(&task, "i", Limits::default()).unwrap(), Standing::Open { next: 2 });
    }

    #[test]
    fn who_ends_and_leaves_between_two_looks_has_lost_nothing() {
        let run = tempfile::tempdir().unwrap();
        let (mut a, mut b) = (board(run.path(), "a"), board(run.path(), "b"));
        let task = Task::new("sgd", 0);
        let first = a.claim(&task, 1).unwrap().unwrap();
        b.refresh().unwrap();
        a.end(&End::new(&first, "i", Outcome::Done { published: Published::New }, SHORT)).unwrap();
        a.leave().unwrap();
        let standing = b.standing(&task, "i", Limits::default()).unwrap();
        assert!(matches!(standing, Standing::Done { next: 2, .. }), "{standing:?}");
    }

    #[test]
    fn of_many_one_claims() {
        let run = tempfile::tempdir().unwrap();
        let task = Task::new("sgd", 1);
        let won: usize = std::thread::scope(|scope| {
            let all: Vec<_> = (0..16)
                .map(|k| {
                    let (run, task) = (run.path(), &task);
                    scope.spawn(move || usize::from(board(run, &k.to_string()).claim(task, 1).unwrap().is_some()))
                })
                .collect();
            all.into_iter().map(|one| one.join().unwrap()).sum()
        });
        assert_eq!(won, 1);
    }

    #[test]
    fn failures_and_losses_are_counted_apart() {
        let run = tempfile::tempdir().unwrap();
        let mut a = board(run.path(), "a");
        let task = Task::new("sgd", 2);
        let limits = Limits { failures: 2, vain: 5 };
        let failed = || Outcome::Failed { why: "ended".into(), said: vec!["out of paper".into()] };
        let stopped = |fraction| Outcome::Interrupted { fraction };
        let mut standings = Vec::new();
        for outcome in [stopped(0.0), failed(), stopped(0.0), failed()] {
            let Standing::Open { next } = a.standing(&task, "i", limits).unwrap() else { panic!("{standings:?}") };
            let attempt = a.claim(&task, next).unwrap().unwrap();
            assert!(matches!(a.standing(&task, "i", limits).unwrap(), Standing::Running { .. }));
            a.end(&End::new(&attempt, "i", outcome, SHORT)).unwrap();
            standings.push(a.standing(&task, "i", limits).unwrap());
        }
        let Standing::GivenUp { attempts: 4, failures: 2, next: 5, last: Some(last) } = &standings[3] else {
            panic!("{standings:?}")
        };
        assert_eq!(*last, failed());
        assert_eq!(a.standing(&task, "i", Limits { failures: 9, vain: 4 }).unwrap(), standings[3]);
        assert_eq!(a.standing(&task, "i", Limits::default()).unwrap(), Standing::Open { next: 5 });
    }

    #[test]
    fn who_comes_further_every_time_may_be_stopped_for_ever() {
        let run = tempfile::tempdir().unwrap();
        let mut a = board(run.path(), "a");
        let task = Task::new("sgd", 2);
        let limits = Limits { failures: 3, vain: 2 };
        // Of these the third and the last come no further than one before.
        for (k, fraction) in [0.1, 0.4, 0.4, 0.5, 0.9, 0.2].into_iter().enumerate() {
            let next = k as u32 + 1;
            assert_eq!(a.standing(&task, "i", limits).unwrap(), Standing::Open { next });
            let attempt = a.claim(&task, next).unwrap().unwrap();
            a.end(&End::new(&attempt, "i", Outcome::Interrupted { fraction }, SHORT)).unwrap();
        }
        let standing = a.standing(&task, "i", limits).unwrap();
        assert!(matches!(standing, Standing::GivenUp { attempts: 6, failures: 0, .. }), "{standing:?}");
    }

    #[test]
    fn what_is_damaged_or_foreign_is_no_end() {
        let run = tempfile::tempdir().unwrap();
        let mut a = board(run.path(), "a");
        let task = Task::new("sgd", 2);
        a.claim(&task, 1).unwrap().unwrap();
        for (name, text) in [("sgd.0002.1.json", "{"), ("notes.txt", "x"), ("sgd.0003.0.json", "{}")] {
            a.depot().replace(&format!("{ENDS}/{name}"), text.as_bytes()).unwrap();
        }
        a.refresh().unwrap();
        assert_eq!(a.standing(&task, "i", Limits::default()).unwrap(), Standing::Open { next: 2 });
        assert_eq!(a.standing(&Task::new("sgd", 3), "i", Limits::default()).unwrap(), Standing::Open { next: 1 });
        assert!(!a.is_cancelled().unwrap());
        a.depot().create(CANCELLED, b"").unwrap();
        assert!(a.is_cancelled().unwrap());
    }

    #[test]
    fn different_bits_outweigh_everything() {
        let run = tempfile::tempdir().unwrap();
        let mut a = board(run.path(), "a");
        let task = Task::new("sgd", 4);
        for outcome in [Outcome::BitsDiffer { file: "w".into() }, Outcome::Done { published: Published::New }] {
            let number = a.ends(&task).len() as u32 + 1;
            let attempt = a.claim(&task, number).unwrap().unwrap();
            a.end(&End::new(&attempt, "i", outcome, SHORT)).unwrap();
        }
        let found = a.standing(&task, "i", Limits::default()).unwrap();
        assert_eq!(found, Standing::BitsDiffer { file: "w".into() });
    }
}
