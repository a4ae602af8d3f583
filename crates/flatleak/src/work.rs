//! Many workers at one run.

use std::path::{Path, PathBuf};
use std::time::Duration;

use flatleak_data::{Dataset, Request};
use flatleak_disk::{Creation, replace};
use flatleak_nn::Network;
use flatleak_run::{Checkpoints, Manner, Plan, Role, Shard, Supervision};
use flatleak_store::{Stated, Workshop, load_staged, stage, staged_name};
use flatleak_work::{Accept, CANCELLED, Depot, Folder, PINS, Pins, Published, Worker, probe};

use crate::desk::{Desk, pins};
use crate::error::Error;
use crate::event::{At, Event, Listener, Phase};
use crate::finished::runs_in;
use crate::folder::plainly_named;
use crate::job::{Compare, Prepared};

/// What a worker is asked.
#[derive(Clone, Debug)]
pub struct Work {
    /// The run, or a folder of several: see [`lay_down`].
    pub run: PathBuf,
    /// Threads.
    pub workers: usize,
    /// The part of the tasks that it may take.
    pub shard: Shard,
    /// The digest of this program, where it is another than the run was begun with and may work all the same.
    pub accept: Option<String>,
    /// Who watches over commands that train models.
    pub supervision: Supervision,
    /// How often models in training are saved.
    pub checkpoints: Checkpoints,
}

/// What a worker did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Worked {
    /// Models that it trained.
    pub trained: usize,
    /// Models that were there, or that others trained meanwhile.
    pub found: usize,
    /// Attempts of its own that failed.
    pub failures: usize,
    /// Tasks that nobody tries any more, because they were tried too often.
    pub given_up: usize,
    /// Recipes that diverged.
    pub diverged: Vec<String>,
    /// It was asked to stop before all was done.
    pub stopped: bool,
}

/// Begins a run that workers are to train: the study, its data and what they must agree in. Nothing is trained. Workers give a sign of life `every`
/// so often.
///
/// # Errors
/// A folder of another study, a file system that fails.
pub fn lay_down(options: &Compare, prepared: &Prepared, every: Duration) -> Result<(), Error> {
    for job in &prepared.jobs {
        let dir = Workshop::open(&job.out, &job.study, &job.data)?;
        let name = staged_name(dir.data_digest());
        let path = job.out.join(&name);
        let depot = Folder::new(&job.out);
        let is_whole = depot.read(&name)?.is_some_and(|bytes| load_staged(&bytes, dir.data_digest()).is_ok());
        if !is_whole {
            replace(&path, &stage(&job.data)?)?;
        }
        let pins = pins(&job.study, dir.data_digest(), &options.supervision)?;
        let beat_ms = u64::try_from(every.as_millis()).unwrap_or(u64::MAX);
        Desk::at(&job.out, &Pins { beat_ms, ..pins }, &Accept::Any)?;
    }
    Ok(())
}

/// Trains what no other worker does, until nothing is left or the listener says stop.
///
/// # Errors
/// A folder that is no run, or one of another engine, program or data; a store that lets two workers create one name; a run that was cancelled.
pub fn work(options: &Work, to: &mut Listener<'_>) -> Result<Worked, Error> {
    let mut all = Worked::default();
    for run in runs_in(&options.run)? {
        let one = work_at(options, &run, to)?;
        all.trained += one.trained;
        all.found += one.found;
        all.failures += one.failures;
        all.given_up += one.given_up;
        all.diverged.extend(one.diverged);
        if one.stopped {
            return Ok(Worked { stopped: true, ..all });
        }
    }
    Ok(all)
}

/// Works at one data set's run.
fn work_at(options: &Work, run: &Path, to: &mut Listener<'_>) -> Result<Worked, Error> {
    let not_prepared = || Error::NotPrepared(run.to_owned());
    let depot = Folder::new(run);
    let Stated { study, digest } = Stated::read(run)?.ok_or_else(not_prepared)?;
    if depot.read(PINS)?.is_none() {
        return Err(not_prepared());
    }
    let accept = options.accept.clone().map_or(Accept::Known, Accept::Digest);
    let desk = Desk::at(run, &pins(&study, &digest, &options.supervision)?, &accept)?;
    if desk.with(|board| board.is_cancelled())? {
        return Err(Error::Cancelled(run.to_owned()));
    }
    probe(&depot, &Worker::this())?;
    let data = staged(&depot, &study, &digest)?;
    let network = Network::compile(&study.architecture, data.shape, data.classes)?;
    let dir = Workshop::join(run, &study, &data)?;
    let plan = desk.plan(&study, &data, &network, &dir, &options.supervision);
    let plan = Plan { checkpoints: options.checkpoints, ..plan };
    let manner = Manner { workers: options.workers, role: Role::Help(options.shard) };
    let total = (study.recipes.len() * study.models / options.shard.of) as u64;
    let (mut done, mut found) = (0, 0);
    let Listener { hear, stop } = to;
    hear(Event::Begun {
        data: data.name.clone(),
        folder: run.to_owned(),
        recipes: study.recipes.len(),
        models: study.models,
    });
    let mut summary = flatleak_run::execute(plan, manner, stop, |event| {
        if let flatleak_run::Event::Done { recipe, model, published } = event {
            done += 1;
            found += u64::from(published == Published::Found);
            let at = At::Model { recipe: study.recipes[recipe].name.clone(), model };
            hear(Event::Progress { phase: Phase::Training, at, done, reused: found, total });
        }
        if let Some(event) = Event::of_training(&study, event) {
            hear(event);
        }
    })?;
    hear(Event::Over(Phase::Training));
    let diverged = summary.diverged.drain(..).map(|d| study.recipes[d.recipe].name.clone()).collect();
    Ok(Worked {
        trained: summary.trained,
        found: summary.reused,
        failures: summary.failures.len(),
        given_up: summary.given_up,
        diverged,
        stopped: summary.stopped,
    })
}

/// The data of a run: those that were laid down with it, or else those of the study's name on this machine.
pub(crate) fn staged(depot: &dyn Depot, study: &flatleak_study::Study, digest: &str) -> Result<Dataset, Error> {
    if let Some(bytes) = depot.read(&staged_name(digest))? {
        return Ok(load_staged(&bytes, digest)?);
    }
    let mut request = Request::new(study.data.first().map_or("", String::as_str));
    (request.pool, request.test, request.seed) = (study.pool, study.test, study.seed);
    let data = flatleak_data::open(&request).map(plainly_named)?;
    let here = data.digest_hex();
    if here != digest {
        let unlike = flatleak_work::Unlike::Data { there: digest.to_owned(), here };
        return Err(flatleak_work::Error::from(unlike).into());
    }
    Ok(data)
}

/// Asks all workers at a run to stop, or takes that back; whether this changed anything.
///
/// # Errors
/// A folder that is no run, a file system that fails.
pub fn cancel(run: &Path, undo: bool) -> Result<bool, Error> {
    let mut changed = false;
    for folder in runs_in(run)? {
        let depot = Folder::new(&folder);
        if depot.read(PINS)?.is_none() {
            return Err(Error::NotPrepared(folder));
        }
        if undo {
            changed |= depot.modified(CANCELLED)?.is_some();
            depot.remove(CANCELLED)?;
        } else {
            changed |= depot.create(CANCELLED, b"")? == Creation::New;
        }
    }
    Ok(changed)
}
