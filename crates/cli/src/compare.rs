//! `flatleak compare`.

use flatleak_results::{DatasetRecord, Document, Family, RecipeSettings, StudyRecord, Timings};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use flatleak_attack::Attack;
use flatleak_audit::machine;
use flatleak_data::{Dataset, Request};
use flatleak_nn::{Architecture, Base, Defences, ENGINE_VERSION, Network, Optimizer, Recipe, views};
use flatleak_pool::{BLOCK, Pool, Wanted};
use flatleak_report::table;
use flatleak_run::{Event, Plan, Summary};
use flatleak_stats::{LOOKS, spent_at};
use flatleak_store::{RunDir, pause_point};
use flatleak_study::Study;
use flatleak_verdict::{Analysis, FEW, Options};
use serde_json::json;

use crate::arguments::{Compare, Goal, MessageFormat};
use crate::exit::{DIVERGED, Failure, INTERRUPTED, OTHER, USAGE};
use crate::outputs::{self, Examples};
use crate::progress::{Progress, say};

/// Most pool examples of a quick run.
const QUICK_POOL: usize = 2000;

/// A study on one of its data sets, ready to run.
struct Job {
    study: Study,
    data: Dataset,
    network: Network,
    out: PathBuf,
    /// Data sets of the whole study.
    datasets: usize,
}

/// Runs a study from its file to its report.
pub(crate) fn run(options: &Compare) -> Result<ExitCode, Failure> {
    let study = resolve(options)?;
    let mut jobs = study.data.iter().map(|name| prepare(options, &study, name)).collect::<Result<Vec<_>, _>>()?;
    let workers = options.work.workers();
    let digests: Vec<String> = jobs.iter().map(|j| j.data.digest_hex()).collect();
    let default =
        || PathBuf::from("flatleak-runs").join(format!("{}-{}", study.name, study.short_hash(&digests.join(" "))));
    let out = options.out.clone().unwrap_or_else(default);
    let several = jobs.len() > 1;
    for (job, digest) in jobs.iter_mut().zip(&digests) {
        job.out = if several { out.join(folder(&job.data.name, digest)) } else { out.clone() };
    }
    if options.dry_run {
        jobs.iter().for_each(|job| say(&plan_text(job, workers)));
        return Ok(ExitCode::SUCCESS);
    }

    let stop = stop_flag()?;
    let started = Instant::now();
    let documents =
        jobs.iter().map(|job| complete(options, job, started, workers, &stop)).collect::<Result<Vec<_>, _>>()?;
    let folders: Vec<&Path> = jobs.iter().map(|j| j.out.as_path()).collect();
    let Some(document) = outputs::merge(documents, &folders, &out)? else { return Ok(ExitCode::SUCCESS) };
    let page = out.join("report.html");
    if options.work.message_format == MessageFormat::Json {
        say(&format!("{}\n", json!({ "phase": "done", "event": { "report": page, "headline": document.headline } })));
    } else {
        say(&format!("{}\nreport: {}\n", table::render(&document), page.display()));
    }
    Ok(ExitCode::from(if document.diverged.is_empty() { 0 } else { DIVERGED }))
}

/// Set by Ctrl-C and the like: whoever works looks at it and leaves what is complete.
pub(crate) fn stop_flag() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed)).map_err(|e| Failure::new(OTHER, e))?;
    Ok(stop)
}

fn prepare(options: &Compare, study: &Study, name: &str) -> Result<Job, Failure> {
    let datasets = study.data.len();
    let mut study = study.on(name);
    let data = load(options, &mut study, name)?;
    let network = Network::compile(&study.architecture, data.shape, data.classes)?;
    let unfit =
        |what: &str| Failure::new(USAGE, format!("{what} does not fit {name}, whose examples are {}", data.shape));
    for recipe in &study.recipes {
        // A block splits the pool; of an odd one its models get one more or less.
        for members in [data.pool.len() / 2, data.pool.len().div_ceil(2)] {
            network.check_batch(recipe, members)?;
            recipe.check_budget(members)?;
        }
        if let Some(transform) = recipe.augment.iter().find(|t| !t.fits(data.shape)) {
            return Err(unfit(&format!("recipe `{}`: augment `{transform}`", recipe.name)));
        }
    }
    if views(study.queries).unwrap_or_default().iter().any(|v| !v.fits(data.shape)) {
        return Err(unfit(&format!("queries = {}", study.queries)));
    }
    Ok(Job { study, data, network, out: PathBuf::new(), datasets })
}

/// A folder's name for one data set of several: what its name has of harmless letters, and its digest.
fn folder(name: &str, digest: &str) -> String {
    let harmless = |c: char| if c.is_ascii_alphanumeric() || "-_=.".contains(c) { c } else { '-' };
    let name: String = name.chars().map(harmless).collect();
    let tail: String = name.trim_matches(['-', '.']).chars().rev().take(40).collect();
    format!("{}-{}", tail.chars().rev().collect::<String>(), &digest[..6])
}

/// Trains what is missing for one data set, analyses it and writes its results and report.
fn complete(
    options: &Compare,
    job: &Job,
    begun: Instant,
    workers: usize,
    stop: &AtomicBool,
) -> Result<Document, Failure> {
    let started = Instant::now();
    let Some(Goal::Relevant) = options.until else {
        let trained = trained(options, job, job.study.models, workers, stop)?;
        return analysed(options, job, &trained, Look::single(started), workers, stop);
    };
    let budget = options.budget.map(|b| b.0);
    let mut looked: Vec<usize> = Vec::new();
    loop {
        let blocks = LOOKS[looked.len()];
        let look_started = Instant::now();
        let trained = trained(options, job, BLOCK * blocks, workers, stop)?;
        let alpha = spent_at(blocks, Family::ALPHA).unwrap_or(Family::ALPHA);
        let attacked = Instant::now();
        let settled = is_settled(options, job, &trained, alpha, workers, stop)?;
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
        return analysed(options, job, &trained, look, workers, stop);
    }
}

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
    dir: RunDir,
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
fn resumable(job: &Job) -> Failure {
    Failure::new(INTERRUPTED, format!("interrupted; the same command continues in {}", job.out.display()))
}

/// Trains what is missing of so many models per recipe.
fn trained(options: &Compare, job: &Job, models: usize, workers: usize, stop: &AtomicBool) -> Result<Trained, Failure> {
    let Job { data, network, out, .. } = job;
    let study = Study { models, ..job.study.clone() };
    let dir = RunDir::open(out, &study, data)?;
    let started = Instant::now();
    let summary = train(options, Plan { study: &study, data, network, dir: &dir }, workers, stop)?;
    let seconds = started.elapsed().as_secs_f64();
    if summary.stopped {
        return Err(resumable(job));
    }
    let kept: Vec<usize> =
        (0..study.recipes.len()).filter(|r| summary.diverged.iter().all(|d| d.recipe != *r)).collect();
    if kept.is_empty() {
        return Err(Failure::new(DIVERGED, "every recipe diverged: lower the learning rate"));
    }
    let pools = kept.iter().map(|&r| dir.pool(r, data, &Wanted::default())).collect::<Result<Vec<_>, _>>()?;
    Ok(Trained { study, dir, summary, pools, kept, seconds })
}

/// Whether every comparison has its answer at a look that may err with `alpha`.
fn is_settled(
    options: &Compare,
    job: &Job,
    trained: &Trained,
    alpha: f64,
    workers: usize,
    stop: &AtomicBool,
) -> Result<bool, Failure> {
    let mut asked = question(&trained.study, &job.data, &trained.recipes(), job.datasets, workers);
    asked.family.alpha = alpha;
    asked.attacks.retain(|a| *a == Attack::STRONGEST);
    let views = trained.views();
    let found = with_progress("looking", options.work.message_format, stop, |go_on| {
        flatleak_verdict::compare(&views, &asked, go_on)
    })
    .map_err(|f| if f.code == INTERRUPTED { resumable(job) } else { f })?;
    Ok(found.comparisons.iter().all(flatleak_results::Comparison::is_settled))
}

/// The whole analysis of what was trained, written to the run's folder.
fn analysed(
    options: &Compare,
    job: &Job,
    trained: &Trained,
    look: Look,
    workers: usize,
    stop: &AtomicBool,
) -> Result<Document, Failure> {
    let (study, data, summary) = (&trained.study, &job.data, &trained.summary);
    let started = Instant::now();
    let mut asked = question(study, data, &trained.recipes(), job.datasets, workers);
    asked.family.alpha = look.alpha;
    let views = trained.views();
    let Analysis { results, details } = with_progress("analysis", options.work.message_format, stop, |go_on| {
        flatleak_verdict::analyse(&views, &asked, go_on)
    })
    .map_err(|f| if f.code == INTERRUPTED { resumable(job) } else { f })?;
    let analysis_s = started.elapsed().as_secs_f64();
    let training_s = match look.note {
        // Looks between are training's.
        Some(_) => look.started.elapsed().as_secs_f64() - analysis_s,
        None => trained.seconds,
    };
    let (trained_models, reused) = (summary.trained, summary.reused);
    let timings = Timings { training_s, analysis_s, trained: trained_models, reused, date: machine::date() };
    let diverged: Vec<String> = summary.diverged.iter().map(|d| study.recipes[d.recipe].name.clone()).collect();
    let record = record(study, data, trained.dir.data_digest(), options.quick);
    let mut document =
        Document::new(record, machine::describe(workers), diverged, results, timings, env!("CARGO_PKG_VERSION"));
    document.family = asked.family;
    document.notes.extend(look.note);
    let examples = Examples { details: &details, pools: &views, data: Some(data), workers };
    outputs::write(&mut document, &examples, options.redact, &job.out)?;
    Ok(document)
}

/// The study's data. A quick run takes at most [`QUICK_POOL`] of the pool, however large it is.
fn load(options: &Compare, study: &mut Study, name: &str) -> Result<Dataset, Failure> {
    let open = |study: &Study| {
        let mut request = Request::new(name);
        (request.pool, request.test, request.seed) = (study.pool, study.test, study.seed);
        flatleak_data::open(&request)
    };
    let data = open(study)?;
    if !options.quick || options.pool.is_some() || data.pool.len() <= QUICK_POOL {
        return Ok(data);
    }
    study.pool = Some(QUICK_POOL);
    Ok(open(study)?)
}

/// The study file with the arguments on top.
fn resolve(options: &Compare) -> Result<Study, Failure> {
    let text = match &options.study {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|e| Failure::new(USAGE, format!("cannot read the study {}: {e}", path.display())))?,
        None => String::new(),
    };
    let mut study = Study::parse(&text)?;
    if !options.data.is_empty() {
        study.data.clone_from(&options.data);
    }
    if let Some(name) = &options.arch {
        study.architecture = Architecture::preset(name)?;
    }
    if !options.recipes.is_empty() {
        study.select(&options.recipes)?;
    }
    if options.quick {
        study.models = study.models.min(16);
    }
    if let Some(epochs) = options.epochs {
        let first = study.recipes.first().map_or(1, |r| r.epochs).max(1);
        for recipe in &mut study.recipes {
            if recipe.trainer.is_none() {
                for e in std::iter::once(&mut recipe.epochs).chain(&mut recipe.measured_at) {
                    *e = (e.saturating_mul(epochs) / first).max(1);
                }
            }
        }
    }
    study.relevant = options.relevant.unwrap_or(study.relevant);
    study.models = options.models.unwrap_or(study.models);
    study.pool = options.pool.or(study.pool);
    study.seed = options.seed.unwrap_or(study.seed);
    study.check()?;
    let first = BLOCK * LOOKS[0];
    if options.until.is_some() && options.models.is_some_and(|most| most < first) {
        return Err(Failure::new(
            USAGE,
            format!("--until looks at {first} models first: --models has to be at least that"),
        ));
    }
    Ok(study)
}

fn train(options: &Compare, plan: Plan<'_>, workers: usize, stop: &AtomicBool) -> Result<Summary, Failure> {
    let study = plan.study;
    // Gradient evaluations are the unit of progress: recipes differ in cost.
    // What a command needs is not known.
    let epoch = |r: &Recipe| if r.trainer.is_some() { 1 } else { (100.0 * r.gradients_per_step()) as u64 };
    let cost = |r: &Recipe| if r.trainer.is_some() { 1 } else { r.epochs as u64 * epoch(r) };
    // Of the recipes that share a run the first stands for all.
    let leaders: Vec<usize> = study.runs().iter().map(|run| run[0]).collect();
    let total = leaders.iter().map(|&r| cost(&study.recipes[r])).sum::<u64>() * study.models as u64;
    let progress = Progress::new("training", total, options.work.message_format);
    let mut done = 0;
    let summary = flatleak_run::execute(plan, workers, stop, |event| {
        let name = |recipe: usize| &study.recipes[recipe].name;
        match event {
            Event::Epoch { recipe, .. } => {
                done += epoch(&study.recipes[recipe]);
                progress.set(done);
            }
            Event::Done { recipe, model, reused } => {
                if reused && leaders.contains(&recipe) {
                    done += cost(&study.recipes[recipe]);
                    progress.set(done);
                }
                progress.event(None, json!({ "done": name(recipe), "model": model, "reused": reused }));
            }
            Event::Diverged { recipe, model, epoch } => progress.event(
                Some(format!("recipe {} diverged: model {model}, epoch {epoch}; it is left out", name(recipe))),
                json!({ "diverged": name(recipe), "model": model, "epoch": epoch }),
            ),
        }
    })?;
    progress.finish();
    Ok(summary)
}

/// What is asked about the pools of these recipes, on one of so many data sets.
pub(crate) fn question(study: &Study, data: &Dataset, recipes: &[&Recipe], datasets: usize, workers: usize) -> Options {
    let (pairs, claimed) = (pairs(recipes), (0..recipes.len()).filter(|&r| is_sharp(recipes[r])).collect::<Vec<_>>());
    // Over several data sets every pair has a summary too.
    let rounds = if datasets > 1 { datasets + 1 } else { 1 };
    let family = Family::new(study.relevant, pairs.len() * rounds, recipes.len() * datasets, claimed.len() * datasets);
    Options {
        dataset: data.name.clone(),
        claimed,
        influence: recipes.len() <= FEW,
        runs: runs_among(study, recipes),
        checkpoints: recipes.iter().map(|r| r.checkpoint()).collect(),
        pairs,
        family,
        attacks: flatleak_verdict::attacks(),
        seed: study.seed,
        workers,
    }
}

/// Calls `f` with what reports its progress; it is asked after every step whether to go on.
pub(crate) fn with_progress<T, E: Into<Failure>>(
    phase: &'static str,
    format: MessageFormat,
    stop: &AtomicBool,
    f: impl FnOnce(&mut dyn FnMut(flatleak_verdict::Progress) -> bool) -> Result<T, E>,
) -> Result<T, Failure> {
    let mut progress: Option<Progress> = None;
    let found = f(&mut |p| {
        if p.done == p.total / 2 {
            pause_point("analysis");
        }
        progress.get_or_insert_with(|| Progress::new(phase, p.total as u64, format)).set(p.done as u64);
        !stop.load(Ordering::Relaxed)
    })
    .map_err(Into::into)?;
    if let Some(bar) = progress {
        bar.finish();
    }
    Ok(found)
}

/// The runs that gave several of these recipes, by their positions.
fn runs_among(study: &Study, recipes: &[&Recipe]) -> Vec<Vec<usize>> {
    let position = |r: &usize| recipes.iter().position(|recipe| recipe.name == study.recipes[*r].name);
    study.runs().iter().map(|run| run.iter().filter_map(position).collect()).collect()
}

/// Whether a recipe looks for flat minima.
fn is_sharp(recipe: &Recipe) -> bool {
    recipe.optimizer.seeks_flatness()
}

/// Sharpness-aware recipes against every plain one; without such, every recipe against the first. Of many recipes every one against the
/// first, and sharpness-aware ones also against the plain recipe of as many gradients, where there is one.
pub(crate) fn pairs(recipes: &[&Recipe]) -> Vec<(usize, usize)> {
    let sharp = |r: usize| is_sharp(recipes[r]);
    let all = 0..recipes.len();
    if recipes.len() > FEW {
        let cost = |r: usize| recipes[r].checkpoint() as f64 * recipes[r].gradients_per_step();
        let plain = |r: usize| {
            matches!(recipes[r].optimizer, Optimizer::Sgd(_))
                && recipes[r].base == recipes[0].base
                && recipes[r].defences == Defences::default()
        };
        let equal = |c: usize| all.clone().find(|&b| b > 0 && plain(b) && (cost(b) / cost(c) - 1.0).abs() < 0.05);
        let candidate = |c: usize| {
            let control = equal(c).filter(|_| sharp(c)).map(|b| (b, c));
            std::iter::once((0, c)).chain(control)
        };
        return (1..recipes.len()).flat_map(candidate).collect();
    }
    let found: Vec<(usize, usize)> = all
        .clone()
        .filter(|&c| sharp(c))
        .flat_map(|c| all.clone().filter(|&b| !sharp(b)).map(move |b| (b, c)))
        .collect();
    if found.is_empty() { (1..recipes.len()).map(|c| (0, c)).collect() } else { found }
}

pub(crate) fn record(study: &Study, data: &Dataset, digest: &str, quick: bool) -> StudyRecord {
    let settings = |r: &Recipe| {
        if let Some(command) = &r.trainer {
            return format!("trained by `{command}`");
        }
        let own = r.values().into_iter().map(|(key, value)| format!(", {key} {value}")).collect::<String>();
        let base = if r.base == Base::Sgd || r.optimizer.own_base().is_some() {
            String::new()
        } else {
            format!(" over {}", r.base.name())
        };
        let switches: Vec<&str> = Defences::all().iter().filter(|d| d.switch).map(|d| d.key).collect();
        let defences: String = r
            .defences
            .values()
            .into_iter()
            .map(|(key, value)| {
                let value = if switches.contains(&key) { String::new() } else { format!(" {value}") };
                format!(", {}{value}", key.replace('_', " "))
            })
            .collect();
        let nesterov = if r.nesterov { " (Nesterov)" } else { "" };
        let augment = r.augment.iter().map(|t| format!(", {t}")).collect::<String>();
        let measured = r.measured_at.map_or(String::new(), |e| format!(", measured after {e}"));
        let private = r.privacy(data.pool.len() / 2).map_or(String::new(), |(epsilon, delta)| {
            format!(", epsilon {epsilon:.2} at delta {delta} while the seed is secret")
        });
        format!(
            "{}{base}{own}, {} epochs{measured}{private}, batch {}, learning rate {} ({:?}, warm-up {}), momentum {}{nesterov}, weight decay {}{augment}{defences}",
            r.optimizer.name(), r.epochs, r.batch, r.lr, r.schedule, r.warmup, r.momentum, r.weight_decay
        )
        .to_lowercase()
    };
    StudyRecord {
        name: study.name.clone(),
        seed: study.seed,
        models: study.models,
        queries: study.queries,
        datasets: vec![DatasetRecord {
            name: data.name.clone(),
            digest: digest.to_owned(),
            pool: data.pool.len(),
            test: data.test.len(),
            classes: data.classes,
        }],
        layers: study.architecture.layers.iter().map(ToString::to_string).collect(),
        engine_version: ENGINE_VERSION,
        recipes: study
            .recipes
            .iter()
            .map(|r| RecipeSettings {
                name: r.name.clone(),
                settings: settings(r),
                gradients_per_step: r.gradients_per_step(),
                gradients: if r.trainer.is_some() {
                    0.0
                } else {
                    r.steps(data.pool.len() / 2) as f64 * r.gradients_per_step()
                },
                optimizer: if r.trainer.is_some() { String::new() } else { r.optimizer.name().into() },
                parameters: r.values().into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            })
            .collect(),
        quick,
    }
}

fn plan_text(Job { study, data, network, out, .. }: &Job, workers: usize) -> String {
    let members = data.pool.len() / 2;
    let gradients: f64 = study
        .runs()
        .iter()
        .map(|run| &study.recipes[run[0]])
        .map(|r| r.gradients_per_step() * (r.epochs * members * study.models) as f64)
        .sum();
    // Three passes of multiply-adds per gradient, at a rate that a plain core reaches.
    let seconds = gradients * 6.0 * network.multiply_adds() as f64 / 80e9 / workers as f64;
    let examples = data.pool.len() + data.test.len();
    let models = study.models * study.recipes.len();
    let disk = models * (4 * network.parameters() + examples * (13 + 4 * data.classes));
    // Activations and gradients of a batch, and parameters in four roles.
    let batch = study.recipes.iter().map(|r| r.batch).max().unwrap_or(0);
    let of_worker = 16 * network.parameters() + 8 * batch * network.activations_per_example();
    let memory = workers * of_worker + 4 * examples * network.features() + models * examples * 40;
    let recipes = study.recipes.iter().map(|r| r.name.as_str()).collect::<Vec<_>>().join(", ");
    format!(
        "{recipes}: {} models each on {} ({} of {} pool examples, {} held out)\n\
         network of {} parameters, {workers} workers\n\
         about {:.1} minutes of training, {} MB on disk, {} MB of memory\n\
         output: {}\n",
        study.models,
        data.name,
        members,
        data.pool.len(),
        data.test.len(),
        network.parameters(),
        seconds / 60.0,
        disk / 1_000_000 + 1,
        memory / 1_000_000 + 1,
        out.display()
    )
}
