//! All models of a plan on some threads.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use flatleak_nn::{Command, Placeholder};
use flatleak_work::{Attempt, Divergence, End, Outcome, Published};

use crate::error::Error;
use crate::model::{complete, is_complete};
use crate::plan::{Event, Manner, Plan, Role, Summary};
use crate::pulse::Pulse;
use crate::queue::{Candidate, Next, Queue, lock};

/// How often a thread that waits for others looks whether it is to stop.
const TICK: Duration = Duration::from_millis(50);

/// What threads tell.
enum Message {
    Event(Event),
    /// One model could not be trained.
    Failure(Error),
    /// Nothing more can be done.
    Fatal(Error),
}

/// Trains whatever is missing; `stop` is looked at after every step. Any number of processes may do so at one run: each takes what no other has.
///
/// No result depends on the number of workers: each model is one thread's work and its randomness is keyed.
///
/// # Errors
/// The first failure of the run directory; what was complete by then stays, and what was in training goes on from there. A model that its command
/// does not train is no such failure: the others are trained, and [`Summary::failures`] has it.
pub fn execute(
    plan: Plan<'_>,
    manner: Manner,
    stop: &AtomicBool,
    mut on_event: impl FnMut(Event),
) -> Result<Summary, Error> {
    let asks_for_data = |text: &String| Command::parse(text).is_ok_and(|command| command.asks_for(Placeholder::Data));
    if plan.study.recipes.iter().filter_map(|r| r.trainer.as_ref()).any(asks_for_data) {
        plan.dir.save_data(plan.data)?;
    }
    lock(plan.board).beat(&[])?;
    let crew = Crew {
        plan,
        role: manner.role,
        queue: Queue::new(plan, manner.role),
        pulse: Pulse::new(plan.board),
        stop,
        failed: AtomicBool::new(false),
    };
    let (sender, receiver) = mpsc::channel::<Message>();
    let mut heard = Heard::default();
    thread::scope(|scope| {
        // Without a thread for it there are no signs of life: others may then do the same work again, and nothing is lost.
        let pulse = thread::Builder::new().spawn_scoped(scope, || crew.pulse.run()).ok();
        let spawn = |_| {
            let (crew, sender) = (&crew, sender.clone());
            thread::Builder::new().spawn_scoped(scope, move || crew.work(&sender)).ok()
        };
        // Where the system refuses threads there are fewer, at last this one alone; the first that is refused is the last that is asked for.
        let threads = (0..manner.workers.clamp(1, crew.queue.total().max(1))).map_while(spawn).count();
        if threads == 0 {
            crew.work(&sender);
        }
        drop(sender);
        for message in receiver {
            heard.take(message, &mut on_event);
        }
        crew.pulse.finish();
        if let Some(pulse) = pulse {
            pulse.thread().unpark();
        }
    });
    // Others wait a little longer where this cannot be said.
    let _ = lock(plan.board).leave();
    let Heard { mut summary, fatal, .. } = heard;
    if let Some(e) = fatal {
        return Err(e);
    }
    summary.diverged.sort_unstable();
    summary.diverged.dedup_by_key(|d| d.recipe);
    summary.stopped = stop.load(Ordering::Relaxed) || crew.pulse.is_cancelled();
    Ok(summary)
}

/// What was heard of the threads.
#[derive(Default)]
struct Heard {
    summary: Summary,
    fatal: Option<Error>,
    /// Models that were told of: each is told of once.
    told: BTreeSet<(usize, usize)>,
}

impl Heard {
    fn take(&mut self, message: Message, on_event: &mut impl FnMut(Event)) {
        match message {
            Message::Event(event) => {
                if let Event::Done { recipe, model, .. } | Event::Diverged { recipe, model, .. } = event
                    && !self.told.insert((recipe, model))
                {
                    return;
                }
                self.summary.add(&event);
                on_event(event);
            }
            Message::Failure(e) => self.summary.failures.push(e),
            Message::Fatal(e) => {
                self.fatal.get_or_insert(e);
            }
        }
    }
}

/// The threads of a process.
struct Crew<'a> {
    plan: Plan<'a>,
    role: Role,
    queue: Queue<'a>,
    pulse: Pulse<'a>,
    stop: &'a AtomicBool,
    failed: AtomicBool,
}

impl Crew<'_> {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed) && !self.failed.load(Ordering::Relaxed) && !self.pulse.is_cancelled()
    }

    /// One thread's work.
    fn work(&self, sender: &mpsc::Sender<Message>) {
        // The receiver outlives the threads.
        let tell = |message| drop(sender.send(message));
        while self.goes_on() {
            match self.step(&tell) {
                Ok(true) => {}
                Ok(false) => return,
                Err(e) => {
                    self.failed.store(true, Ordering::Relaxed);
                    tell(Message::Fatal(e));
                }
            }
        }
    }

    /// Does the next thing; `false` when nothing is left.
    fn step(&self, tell: &impl Fn(Message)) -> Result<bool, Error> {
        let say = |event| tell(Message::Event(event));
        let candidate = match self.queue.next(&say)? {
            Next::Over => return Ok(false),
            Next::Wait(time) => {
                let end = Instant::now() + time;
                while Instant::now() < end && self.goes_on() {
                    thread::sleep(TICK.min(time));
                }
                return Ok(true);
            }
            Next::Try(candidate) => candidate,
        };
        if self.role == Role::Complete {
            let there = is_complete(self.plan, &candidate.recipes, candidate.model, say, || self.goes_on())?;
            // Unknown when asked to stop.
            if there.unwrap_or(true) {
                return Ok(true);
            }
        }
        let claimed = lock(self.plan.board).claim(&candidate.task, candidate.next)?;
        match claimed {
            Some(attempt) => self.attempt(&candidate, &attempt, tell)?,
            None => self.queue.missed(&candidate)?,
        }
        Ok(true)
    }

    /// Tries a model, and says how that ended.
    fn attempt(&self, candidate: &Candidate, attempt: &Attempt, tell: &impl Fn(Message)) -> Result<(), Error> {
        let begun = Instant::now();
        self.pulse.begin(attempt, self.epochs(candidate));
        let heard: RefCell<Vec<Event>> = RefCell::default();
        let say = |event: Event| {
            match event {
                Event::Epoch { .. } => self.pulse.step(attempt, 1),
                Event::Resumed { epoch, .. } => self.pulse.step(attempt, epoch as u64),
                Event::Diverged { recipe, model, .. } => self.queue.diverged(recipe, model),
                _ => {}
            }
            heard.borrow_mut().push(event.clone());
            tell(Message::Event(event));
        };
        let done = complete(self.plan, &candidate.recipes, candidate.model, say, || self.goes_on());
        let fraction = self.pulse.end(attempt);
        let outcome = match &done {
            Ok(()) => self.outcome(candidate, &heard.borrow(), fraction),
            Err(e) => outcome_of(e, fraction),
        };
        let end = End::new(attempt, &candidate.identity, outcome.clone(), begun.elapsed());
        let noted = lock(self.plan.board).end(&End { binary: self.plan.binary.to_owned(), ..end });
        match done {
            Ok(()) => {
                noted?;
                if matches!(outcome, Outcome::Interrupted { .. }) && self.goes_on() {
                    self.queue.again(candidate);
                }
                Ok(())
            }
            // The store of the ends failed as well, or says so later.
            Err(e @ Error::Trainer { .. }) => {
                let (recipe, model) = (candidate.recipes[0], candidate.model);
                if let Error::Trainer { problem, .. } = &e {
                    tell(Message::Event(Event::Failed { recipe, model, why: problem.to_string() }));
                }
                tell(Message::Failure(e));
                self.queue.failed(candidate);
                Ok(noted?)
            }
            // Another worker, which was thought to be gone, is still at it.
            Err(Error::Store(flatleak_store::Error::Occupied(_))) if self.role != Role::Complete => {
                self.queue.again(candidate);
                Ok(noted?)
            }
            Err(e) => Err(e),
        }
    }

    /// Epochs of a model: a command is one step.
    fn epochs(&self, candidate: &Candidate) -> u64 {
        let recipe = &self.plan.study.recipes[candidate.recipes[0]];
        if recipe.trainer.is_some() { 1 } else { recipe.epochs as u64 }
    }

    /// How an attempt ended of which all this was heard.
    fn outcome(&self, candidate: &Candidate, heard: &[Event], fraction: f64) -> Outcome {
        let name = |recipe: usize| self.plan.study.recipes[recipe].name.clone();
        let (mut diverged, mut published) = (Vec::new(), Vec::new());
        for event in heard {
            match *event {
                Event::Diverged { recipe, epoch, .. } => diverged.push(Divergence { recipe: name(recipe), epoch }),
                Event::Done { published: how, .. } => published.push(how),
                _ => {}
            }
        }
        if published.len() + diverged.len() < candidate.recipes.len() {
            return Outcome::Interrupted { fraction };
        }
        if !diverged.is_empty() {
            return Outcome::Diverged { recipes: diverged };
        }
        let is = |how| published.contains(&how);
        let how = [Published::Same, Published::New].into_iter().find(|how| is(*how)).unwrap_or(Published::Found);
        Outcome::Done { published: how }
    }
}

/// How an attempt ended that failed.
fn outcome_of(error: &Error, fraction: f64) -> Outcome {
    match error {
        Error::Trainer { problem, said, .. } => Outcome::Failed { why: problem.to_string(), said: said.clone() },
        Error::Store(flatleak_store::Error::BitsDiffer(path)) => {
            Outcome::BitsDiffer { file: path.file_name().unwrap_or_default().to_string_lossy().into_owned() }
        }
        // The store, this machine: nothing is wrong with the model.
        _ => Outcome::Interrupted { fraction },
    }
}
