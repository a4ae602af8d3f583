//! Which model is next.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use flatleak_work::{Board, Limits, Outcome, Published, Standing, Task};

use crate::error::Error;
use crate::plan::{Event, Plan, Role};

/// How long others are waited for before the board is looked at again, at most and at least.
const MOST_WAIT: Duration = Duration::from_secs(5);
const LEAST_WAIT: Duration = Duration::from_millis(100);

/// A model that this process may train.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// Where it stands in the list of all.
    pub(crate) at: usize,
    pub(crate) task: Task,
    /// What the models of its run depend on.
    pub(crate) identity: String,
    /// The recipes that are still wanted of the run.
    pub(crate) recipes: Vec<usize>,
    pub(crate) model: usize,
    /// Number of the attempt.
    pub(crate) next: u32,
}

/// What a thread does next.
pub(crate) enum Next {
    Try(Candidate),
    /// Others are at all that is left.
    Wait(Duration),
    Over,
}

/// All models of a plan that may be left to do.
pub(crate) struct Queue<'a> {
    plan: Plan<'a>,
    role: Role,
    /// Recipes that share a run, with the identity of each run.
    runs: Vec<(Vec<usize>, String)>,
    inner: Mutex<Inner>,
}

struct Inner {
    open: VecDeque<usize>,
    /// Recipes that diverged, and the first model of each that did.
    diverged: BTreeMap<usize, usize>,
    looked: Instant,
    /// What a look at the board took.
    cost: Duration,
}

impl<'a> Queue<'a> {
    pub(crate) fn new(plan: Plan<'a>, role: Role) -> Self {
        let runs: Vec<_> = plan.study.runs().into_iter().map(|run| (plan.dir.identity_of(&run), run)).collect();
        let total = runs.len() * plan.study.models;
        let mut open: VecDeque<usize> = (0..total).collect();
        if let Role::Help(shard) = role {
            open.retain(|at| at % shard.of == shard.index);
            // Workers start at different places, so that they seldom ask for the same task.
            let start = hash(&lock(plan.board).worker().id) as usize % open.len().max(1);
            open.rotate_left(start);
        }
        let inner = Inner { open, diverged: BTreeMap::new(), looked: Instant::now(), cost: Duration::ZERO };
        let runs = runs.into_iter().map(|(identity, run)| (run, identity)).collect();
        let queue = Self { plan, role, runs, inner: Mutex::new(inner) };
        queue.note_divergences(&mut queue.inner(), &lock(plan.board));
        queue
    }

    /// All tasks of the plan.
    pub(crate) fn total(&self) -> usize {
        self.runs.len() * self.plan.study.models
    }

    /// What to do next; `say` hears of models that need no work.
    pub(crate) fn next(&self, say: &impl Fn(Event)) -> Result<Next, Error> {
        let mut inner = self.inner();
        for _ in 0..inner.open.len() {
            let Some(at) = inner.open.pop_front() else { break };
            match self.look(&mut inner, at, say)? {
                Look::Try(candidate) => return Ok(Next::Try(candidate)),
                Look::Later => inner.open.push_back(at),
                Look::Closed => {}
            }
        }
        if inner.open.is_empty() {
            return Ok(Next::Over);
        }
        let every = lock(self.plan.board).every();
        let wait = (every / 4).max(4 * inner.cost).clamp(LEAST_WAIT, MOST_WAIT);
        if inner.looked.elapsed() >= wait {
            self.refresh(&mut inner)?;
            return Ok(Next::Wait(Duration::ZERO));
        }
        Ok(Next::Wait(LEAST_WAIT))
    }

    /// Another was faster: the board is out of date.
    pub(crate) fn missed(&self, candidate: &Candidate) -> Result<(), Error> {
        let mut inner = self.inner();
        inner.open.push_back(candidate.at);
        if inner.looked.elapsed() > 20 * inner.cost { self.refresh(&mut inner) } else { Ok(()) }
    }

    /// The attempt did not complete the model, and there may be others.
    pub(crate) fn again(&self, candidate: &Candidate) {
        self.inner().open.push_back(candidate.at);
    }

    /// The command failed: this process tries it again where it is one of many.
    pub(crate) fn failed(&self, candidate: &Candidate) {
        if self.role != Role::Complete {
            self.again(candidate);
        }
    }

    /// A recipe left the finite numbers: no other model of it is needed.
    pub(crate) fn diverged(&self, recipe: usize, model: usize) {
        self.inner().diverged.entry(recipe).or_insert(model);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }

    fn refresh(&self, inner: &mut Inner) -> Result<(), Error> {
        let begun = Instant::now();
        let mut board = lock(self.plan.board);
        board.refresh()?;
        (inner.looked, inner.cost) = (Instant::now(), begun.elapsed());
        self.note_divergences(inner, &board);
        Ok(())
    }

    /// Recipes of this plan of which some worker said that they diverged.
    fn note_divergences(&self, inner: &mut Inner, board: &Board) {
        let of_name = |name: &str| self.plan.study.recipes.iter().position(|r| r.name == name);
        for (task, identity, divergence) in board.divergences() {
            let Some(recipe) = of_name(&divergence.recipe) else { continue };
            if self.runs.iter().any(|(run, own)| own == identity && run.contains(&recipe)) {
                inner.diverged.entry(recipe).or_insert(task.model);
            }
        }
    }

    /// Where one task stands, and what follows from it.
    fn look(&self, inner: &mut Inner, at: usize, say: &impl Fn(Event)) -> Result<Look, Error> {
        // The expensive recipe of a model first keeps the threads' ends close together.
        let (model, run) = (at / self.runs.len(), self.runs.len() - 1 - at % self.runs.len());
        let (run, identity) = &self.runs[run];
        let task = Task::new(self.plan.study.recipes[run[0]].name.clone(), model);
        let limits = Limits::default();
        let standing = lock(self.plan.board).standing(&task, identity, limits)?;
        let found = |say: &dyn Fn(Event), but: &BTreeSet<usize>| {
            for &recipe in run.iter().filter(|r| !but.contains(*r)) {
                say(Event::Done { recipe, model, published: Published::Found });
            }
        };
        let trusts = self.role != Role::Complete;
        let next = match standing {
            Standing::Running { .. } => return Ok(Look::Later),
            Standing::BitsDiffer { file } => return Err(Error::BitsDiffer { task, file }),
            Standing::Open { next } => next,
            Standing::Done { next, .. } => {
                if trusts {
                    found(say, &BTreeSet::new());
                    return Ok(Look::Closed);
                }
                next
            }
            Standing::Diverged { recipes, next } => {
                let mut out = BTreeSet::new();
                for divergence in recipes {
                    let at = run.iter().find(|r| self.plan.study.recipes[**r].name == divergence.recipe);
                    let Some(&recipe) = at else { continue };
                    out.insert(recipe);
                    inner.diverged.entry(recipe).or_insert(model);
                    say(Event::Diverged { recipe, model, epoch: divergence.epoch });
                }
                if trusts {
                    found(say, &out);
                    return Ok(Look::Closed);
                }
                next
            }
            Standing::GivenUp { next, last, attempts, .. } => {
                if trusts {
                    let why = match last {
                        Some(Outcome::Failed { why, .. }) => why,
                        _ => format!("it was tried {attempts} times, and no attempt came to an end"),
                    };
                    say(Event::GivenUp { recipe: run[0], model, why });
                    return Ok(Look::Closed);
                }
                next
            }
        };
        let recipes: Vec<usize> = run.iter().copied().filter(|r| !inner.diverged.contains_key(r)).collect();
        if recipes.is_empty() {
            return Ok(Look::Closed);
        }
        Ok(Look::Try(Candidate { at, task, identity: identity.clone(), recipes, model, next }))
    }
}

enum Look {
    Try(Candidate),
    Later,
    Closed,
}

/// Nothing that is locked here is left half changed by a thread that panics.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
