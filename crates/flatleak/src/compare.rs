//! A study from its file to its report.

use std::path::{Path, PathBuf};
use std::time::Instant;

use flatleak_nn::Recipe;
use flatleak_pool::{BLOCK, Pool, Wanted};
use flatleak_results::{Comparison, Document, Family, Timings};
use flatleak_run::{Manner, Missing, Plan, Role, Summary, survey};
use flatleak_stats::{LOOKS, spent_at};
use flatleak_store::Workshop;
use flatleak_study::Study;
use flatleak_verdict::{Analysis, HEADLINE};
use flatleak_work::Published;

use crate::desk::Desk;
use crate::error::Error;
use crate::event::{At, Event, Listener, Phase};
use crate::job::{Compare, Goal, Job, Prepared, Training};
use crate::machine;
use crate::outputs::{self, Examples};
use crate::question::question;
use crate::record::record;

/// What a study gave, and its page.
#[derive(Clone, Debug)]
pub struct Report {
    /// The results.
    pub document: Document,
    /// `report.html`.
    pub page: PathBuf,
}

/// Trains what is missing of a study, analyses it, and writes results and report; a run goes on where it stopped.
///
/// # Errors
/// See [`Error`]; [`Error::Interrupted`] when the listener says stop.
pub fn compare(options: &Compare, prepared: &Prepared, to: &mut Listener<'_>) -> Result<Report, Error> {
    let begun = Instant::now();
    let mut documents = Vec::new();
    for job in &prepared.jobs {
        documents.push(complete(options, job, begun, to)?);
    }
    let folders: Vec<&Path> = prepared.jobs.iter().map(|j| j.out.as_path()).collect();
    let document =
        outputs::merge(documents, &folders, &prepared.out)?.ok_or_else(|| Error::NoPool(prepared.out.clone()))?;
    Ok(Report { document, page: prepared.out.join("report.html") })
}

/// Trains what is missing for one data set, analyses it and writes its results and report.
fn complete(options: &Compare, job: &Job, begun: Instant, to: &mut Listener<'_>) -> Result<Document, Error> {
    let started = Instant::now();
    let Some(Goal::Relevant) = options.until else {
        let trained = trained(options, job, job.study.models, to)?;
        return analysed(options, job, &trained, Look::single(started), to);
    };
    let budget = options.budget;
    let mut looked: Vec<usize> = Vec::new();
    loop {
        let blocks = LOOKS[looked.len()];
        let look_started = Instant::now();
        let trained = trained(options, job, BLOCK * blocks, to)?;
        let alpha = spent_at(blocks, Family::ALPHA).unwrap_or(Family::ALPHA);
        let attacked = Instant::now();
        let settled = is_settled(options, job, &trained, alpha, to)?;
        let attacked = attacked.elapsed().as_secs_f64();
        let before = looked.last().copied().unwrap_or(0);
        looked.push(blocks);
        let most = options.models.unwrap_or(usize::MAX);
        let next = LOOKS.get(looked.len()).filter(|next| BLOCK * **next <= most);
        // A further model costs about as much as the last ones did; attacks on all of them grow with their number.
        let training = look_started.elapsed().as_secs_f64() - attacked;
        let more = next.map_or(0.0, |next| {
            let growth = *next as f64 / blocks as f64;
            training * (next - blocks) as f64 / (blocks - before) as f64 + attacked * growth * (1.0 + WHOLE)
        });
        let out_of_time = budget.is_some_and(|b| begun.elapsed().as_secs_f64() + more > b.as_secs_f64());
        let why = match (settled, next, out_of_time) {
            (true, ..) => "every comparison is settled or withheld",
            (_, None, _) => "no further look is planned",
            (_, _, true) => "the next would not have fitted into the budget of time",
            _ => continue,
        };
        let all = looked.iter().map(|b| (BLOCK * b).to_string()).collect::<Vec<_>>().join(", ");
        let note = format!(
            "models were added until a relevant difference is shown or excluded: looks at {all} models per recipe, each at an error of its own that together make 5 %; {why}"
        );
        let look = Look { alpha, note: Some(note), started };
        return analysed(options, job, &trained, look, to);
    }
}

/// Missing models that are named.
const SHOWN: usize = 12;

/// How many times as long as a look the whole analysis takes that follows the last one.
const WHOLE: f64 = 3.0;

/// What an analysis is told of the looks before it.
struct Look {
    alpha: f64,
    note: Option<String>,
    started: Instant,
}

impl Look {
    /// The only one.
    fn single(started: Instant) -> Self {
        Self { alpha: Family::ALPHA, note: None, started }
    }
}

/// Models of one data set, ready to be analysed.
struct Trained {
    study: Study,
    dir: Workshop,
    summary: Summary,
    pools: Vec<Pool>,
    /// Position of each pool's recipe in the study.
    kept: Vec<usize>,
    seconds: f64,
}

impl Trained {
    fn recipes(&self) -> Vec<&Recipe> {
        self.kept.iter().map(|&r| &self.study.recipes[r]).collect()
    }

    fn views(&self) -> Vec<&Pool> {
        self.pools.iter().collect()
    }
}

/// An interruption that says how to go on.
fn resumable(job: &Job) -> Error {
    Error::Interrupted { folder: job.out.clone() }
}

/// The same where an analysis was stopped.
fn of_job(error: flatleak_verdict::Error, job: &Job) -> Error {
    match error {
        flatleak_verdict::Error::Stopped => resumable(job),
        other => other.into(),
    }
}

/// Trains what is missing of so many models per recipe, or takes what workers trained.
fn trained(options: &Compare, job: &Job, models: usize, to: &mut Listener<'_>) -> Result<Trained, Error> {
    let Job { data, network, out, .. } = job;
    let study = Study { models, ..job.study.clone() };
    let dir = Workshop::open(out, &study, data)?;
    let started = Instant::now();
    let desk = Desk::of_run(&dir, &options.supervision)?;
    let plan =
        Plan { checkpoints: options.checkpoints, ..desk.plan(&study, data, network, &dir, &options.supervision) };
    let mut summary = match options.training {
        Training::Here => {
            // Whoever runs the study wants it to go on.
            desk.resume()?;
            train(options, plan, to)?
        }
        Training::Elsewhere => collected(job, plan, to)?,
    };
    let seconds = started.elapsed().as_secs_f64();
    if summary.stopped {
        return Err(resumable(job));
    }
    if let Some(e) = summary.failure() {
        return Err(e.into());
    }
    let kept: Vec<usize> =
        (0..study.recipes.len()).filter(|r| summary.diverged.iter().all(|d| d.recipe != *r)).collect();
    if kept.is_empty() {
        return Err(Error::AllDiverged);
    }
    let pools = kept.iter().map(|&r| dir.pool(r, data, &Wanted::default())).collect::<Result<Vec<_>, _>>()?;
    Ok(Trained { study, dir, summary, pools, kept, seconds })
}

/// What workers left; a model that is missing is an error.
fn collected(job: &Job, plan: Plan<'_>, to: &mut Listener<'_>) -> Result<Summary, Error> {
    let (summary, missing) = survey(plan);
    let recipe = |at: usize| plan.study.recipes[at].name.clone();
    for d in &summary.diverged {
        (to.hear)(Event::Diverged { recipe: recipe(d.recipe), model: d.model, epoch: d.epoch });
    }
    if missing.is_empty() {
        return Ok(summary);
    }
    let name = |m: &Missing| format!("{} {:04}", recipe(m.recipe), m.model);
    let first = missing.iter().take(SHOWN).map(name).collect();
    Err(Error::ModelsMissing { folder: job.out.clone(), missing: missing.len(), first })
}

/// Whether every comparison has its answer at a look that may err with `alpha`.
fn is_settled(
    options: &Compare,
    job: &Job,
    trained: &Trained,
    alpha: f64,
    to: &mut Listener<'_>,
) -> Result<bool, Error> {
    let mut asked = question(&trained.study, &job.data, &trained.recipes(), job.datasets, options.workers);
    asked.family.alpha = alpha;
    asked.attacks.retain(|a| *a == HEADLINE);
    let views = trained.views();
    let found = to
        .through(Phase::Looking, |go_on| flatleak_verdict::compare(&views, &asked, go_on))
        .map_err(|e| of_job(e, job))?;
    Ok(found.comparisons.iter().all(Comparison::is_settled))
}

/// The whole analysis of what was trained, written to the run's folder.
fn analysed(
    options: &Compare,
    job: &Job,
    trained: &Trained,
    look: Look,
    to: &mut Listener<'_>,
) -> Result<Document, Error> {
    let (study, data, summary) = (&trained.study, &job.data, &trained.summary);
    let started = Instant::now();
    let mut asked = question(study, data, &trained.recipes(), job.datasets, options.workers);
    asked.family.alpha = look.alpha;
    let views = trained.views();
    let Analysis { results, details } = to
        .through(Phase::Analysis, |go_on| flatleak_verdict::analyse(&views, &asked, go_on))
        .map_err(|e| of_job(e, job))?;
    let analysis_s = started.elapsed().as_secs_f64();
    let training_s = match look.note {
        // Looks between are training's.
        Some(_) => look.started.elapsed().as_secs_f64() - analysis_s,
        None => trained.seconds,
    };
    let (trained_models, reused) = (summary.trained, summary.reused);
    let timings = Timings {
        training_s,
        analysis_s,
        trained: trained_models,
        reused,
        date: machine::date(),
        checksum: String::new(),
    };
    let diverged: Vec<String> = summary.diverged.iter().map(|d| study.recipes[d.recipe].name.clone()).collect();
    let record = record(study, data, trained.dir.data_digest(), options.quick);
    let mut document = Document::new(
        record,
        machine::describe(options.workers),
        diverged,
        results,
        timings,
        env!("CARGO_PKG_VERSION"),
    );
    document.family = asked.family;
    document.notes.extend(look.note);
    let examples = Examples { details: &details, pools: &views, data: Some(data), workers: options.workers };
    outputs::write(&mut document, &examples, options.redact, &job.out)?;
    Ok(document)
}

fn train(options: &Compare, plan: Plan<'_>, to: &mut Listener<'_>) -> Result<Summary, Error> {
    let study = plan.study;
    // Gradient evaluations are the unit of progress: recipes differ in cost.
    // What a command needs is not known.
    let epoch = |r: &Recipe| if r.trainer.is_some() { 1 } else { (100.0 * r.gradients_per_step()) as u64 };
    let cost = |r: &Recipe| if r.trainer.is_some() { 1 } else { r.epochs as u64 * epoch(r) };
    // Of the recipes that share a run the first stands for all.
    let leaders: Vec<usize> = study.runs().iter().map(|run| run[0]).collect();
    let total = leaders.iter().map(|&r| cost(&study.recipes[r])).sum::<u64>() * study.models as u64;
    let (mut done, mut before) = (0, 0);
    let Listener { hear, stop } = to;
    hear(Event::Begun {
        data: plan.data.name.clone(),
        folder: plan.dir.path().to_owned(),
        recipes: study.recipes.len(),
        models: study.models,
    });
    let manner = Manner { workers: options.workers, role: Role::Complete };
    let summary = flatleak_run::execute(plan, manner, stop, |event| {
        let step = match event {
            flatleak_run::Event::Epoch { recipe, model } => Some((recipe, model, epoch(&study.recipes[recipe]), false)),
            flatleak_run::Event::Resumed { recipe, model, epoch: epochs, .. } => {
                Some((recipe, model, epochs as u64 * epoch(&study.recipes[recipe]), true))
            }
            flatleak_run::Event::Done { recipe, model, published: Published::Found } if leaders.contains(&recipe) => {
                Some((recipe, model, cost(&study.recipes[recipe]), true))
            }
            _ => None,
        };
        if let Some((recipe, model, more, was_there)) = step {
            done += more;
            before += if was_there { more } else { 0 };
            let at = At::Model { recipe: study.recipes[recipe].name.clone(), model };
            hear(Event::Progress { phase: Phase::Training, at, done, reused: before, total });
        }
        if let Some(event) = Event::of_training(study, event) {
            hear(event);
        }
    })?;
    hear(Event::Over(Phase::Training));
    Ok(summary)
}
