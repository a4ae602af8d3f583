//! `flatleak explain`.

use flatleak_results::{Document, Explanation, Family, Headline, Results, StudyRecord, Timings, Verdict};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use flatleak_audit::{foreign_record, machine, usable};
use flatleak_data::{Dataset, Request};
use flatleak_nn::Recipe;
use flatleak_pool::{Pool, Wanted};
use flatleak_report::table;
use flatleak_store::{RunDir, import_npz};
use flatleak_study::Study;
use flatleak_verdict::Options;
use serde_json::json;

use crate::arguments::{Explain, MessageFormat};
use crate::compare::{question, record, stop_flag, with_progress};
use crate::exit::{DATA, Failure, OUTPUT, USAGE};
use crate::outputs::{self, Examples};
use crate::progress::{complain, say};

/// The attacks that the explanation itself needs: those on which headlines rest.
const NEEDED: [&str; 4] = ["strongest", "lira-online-fixed", "rmia", "confidence"];

pub(crate) fn run(options: &Explain) -> Result<ExitCode, Failure> {
    let workers = options.work.workers();
    let stop = stop_flag()?;
    let (folders, files): (Vec<&PathBuf>, Vec<&PathBuf>) = options.paths.iter().partition(|p| p.is_dir());
    let (document, out) = match (folders.as_slice(), files.is_empty()) {
        ([dir], true) => (finished(options, dir, workers, &stop)?, options.out.as_ref().unwrap_or(dir).clone()),
        ([], false) => imported(options, &files, workers, &stop)?,
        _ => return Err(Failure::new(USAGE, "give one run directory, or only .npz archives")),
    };
    let page = out.join("report.html");
    if options.work.message_format == MessageFormat::Json {
        say(&format!(
            "{}\n",
            json!({ "phase": "done", "event": { "report": page, "claims": document.explain.claims } })
        ));
    } else {
        say(&format!("{}\nreport: {}\n", table::render(&document), page.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// The run folders in a directory: itself, or one per data set in it.
pub(crate) fn runs_in(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    if dir.join("study.toml").is_file() {
        return Ok(vec![dir.to_owned()]);
    }
    let unreadable = |e| Failure::new(DATA, format!("cannot read {}: {e}", dir.display()));
    let mut found: Vec<PathBuf> = std::fs::read_dir(dir)
        .map_err(unreadable)?
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.join("study.toml").is_file())
        .collect();
    found.sort();
    if found.is_empty() {
        return Err(Failure::new(DATA, format!("{} is no run directory: it has no study.toml", dir.display())));
    }
    Ok(found)
}

fn finished(options: &Explain, dir: &Path, workers: usize, stop: &AtomicBool) -> Result<Document, Failure> {
    let runs = runs_in(dir)?;
    let out = options.out.as_deref().unwrap_or(dir);
    let mut parts = Vec::new();
    for run in &runs {
        let inside = run.strip_prefix(dir).unwrap_or(Path::new(""));
        let folder = out.join(inside);
        std::fs::create_dir_all(&folder)
            .map_err(|e| Failure::new(OUTPUT, format!("cannot create {}: {e}", folder.display())))?;
        parts.push((one(options, (run, runs.len()), &folder, workers, stop)?, folder));
    }
    // In the order in which the run itself named its data sets.
    if let Ok(before) = outputs::read(dir) {
        let place = |d: &Document| {
            let name = d.study.datasets.first().map(|s| s.name.clone());
            before.study.datasets.iter().position(|s| Some(&s.name) == name.as_ref())
        };
        parts.sort_by_key(|(document, _)| place(document));
    }
    let (documents, folders): (Vec<Document>, Vec<PathBuf>) = parts.into_iter().unzip();
    let folders: Vec<&Path> = folders.iter().map(PathBuf::as_path).collect();
    let nothing = || Failure::new(DATA, format!("{} holds no pool", dir.display()));
    outputs::merge(documents, &folders, out)?.ok_or_else(nothing)
}

/// A run folder and what is complete in it.
pub(crate) struct Finished {
    study: Study,
    pub(crate) data: Dataset,
    dir: RunDir,
    pub(crate) pools: Vec<Pool>,
    /// Position of each pool's recipe in the study.
    at: Vec<usize>,
}

impl Finished {
    /// Opens a folder with a study; recipes without all their models are left out, and said to be.
    pub(crate) fn open(run: &Path, wanted: &Wanted) -> Result<Self, Failure> {
        let file = run.join("study.toml");
        let text = std::fs::read_to_string(&file)
            .map_err(|e| Failure::new(DATA, format!("cannot read {}: {e}", file.display())))?;
        let study = Study::parse(&text)?;
        let mut request = Request::new(study.data.first().map_or("", String::as_str));
        (request.pool, request.test, request.seed) = (study.pool, study.test, study.seed);
        let data = flatleak_data::open(&request)?;
        let dir = RunDir::open(run, &study, &data)?;
        let (mut pools, mut at) = (Vec::new(), Vec::new());
        for (k, recipe) in study.recipes.iter().enumerate() {
            match dir.pool(k, &data, wanted) {
                Ok(pool) => {
                    pools.push(pool);
                    at.push(k);
                }
                Err(e @ flatleak_store::Error::Missing(_)) => {
                    complain(&format!("recipe {} is left out: {e}", recipe.name));
                }
                Err(e) => return Err(e.into()),
            }
        }
        if pools.is_empty() {
            return Err(Failure::new(DATA, format!("no recipe in {} is complete", run.display())));
        }
        Ok(Self { study, data, dir, pools, at })
    }

    /// Writes every pool to a folder of its recipe's name in `out`; their paths.
    pub(crate) fn export(&self, layout: flatleak_store::ExportLayout, out: &Path) -> Result<Vec<PathBuf>, Failure> {
        let mut folders = Vec::new();
        for (&recipe, pool) in self.at.iter().zip(&self.pools) {
            let to = out.join(&pool.recipe);
            self.dir.export(recipe, &self.data, layout, &to)?;
            folders.push(to);
        }
        Ok(folders)
    }

    /// The recipes of the pools, in their order.
    pub(crate) fn recipes(&self) -> Vec<&Recipe> {
        self.at.iter().map(|&k| &self.study.recipes[k]).collect()
    }
}

/// Explains one run folder and writes to `folder`.
fn one(
    options: &Explain,
    (run, datasets): (&Path, usize),
    folder: &Path,
    workers: usize,
    stop: &AtomicBool,
) -> Result<Document, Failure> {
    let found = Finished::open(run, &Wanted::default())?;
    let Finished { study, data, dir, pools, .. } = &found;
    let recipes = found.recipes();
    let views: Vec<&Pool> = pools.iter().collect();
    let mut asked = question(study, data, &recipes, datasets, workers);
    asked.influence = true;
    asked.attacks.retain(|a| !options.no_attacks && NEEDED.contains(&a.name().as_str()));
    let started = Instant::now();
    let results = run.join("results.json");
    let before = if results.exists() { Some(outputs::read(run)) } else { None };
    let mut document = match before {
        Some(Ok(before)) => before,
        Some(Err(why)) if folder == run => {
            let advice = "it is left alone: give --out, or run `flatleak compare` again";
            return Err(Failure::new(DATA, format!("{}; {advice}", why.message)));
        }
        other => {
            if let Some(Err(why)) = other {
                complain(&format!("{}; what rests on comparisons is left open", why.message));
            }
            let bare = Options { attacks: Vec::new(), pairs: Vec::new(), ..asked.clone() };
            let found = flatleak_verdict::compare(&views, &bare, |_| true)?;
            let record = record(study, data, dir.data_digest(), false);
            without_attacks(record, found.recipes, workers)
        }
    };
    // What was found at a look of its own is explained at its error.
    asked.family.alpha = document.family.alpha;
    let before = (document.recipes.as_slice(), document.comparisons.as_slice());
    let (explain, details) = with_progress("explaining", options.work.message_format, stop, |go_on| {
        flatleak_verdict::explain(&views, &asked, Some(before), go_on)
    })?;
    let earlier = std::mem::replace(&mut document.explain, explain);
    keep_attacks(&mut document.explain, earlier);
    document.timings.analysis_s = started.elapsed().as_secs_f64();
    let examples = Examples { details: &details, pools: &views, data: Some(data), workers };
    outputs::write(&mut document, &examples, options.redact, folder)?;
    Ok(document)
}

/// What rests on attacks that were not scored again stays as an earlier analysis found it.
fn keep_attacks(now: &mut Explanation, earlier: Explanation) {
    for link in earlier.link {
        if !now.link.iter().any(|l| l.recipe == link.recipe && l.attack == link.attack) {
            now.link.push(link);
        }
    }
    for group in now.groups.iter_mut().filter(|g| g.leakage.is_empty()) {
        let same = |g: &&flatleak_results::GroupResult| g.recipe == group.recipe && g.name == group.name;
        if let Some(before) = earlier.groups.iter().find(same) {
            group.leakage.clone_from(&before.leakage);
        }
    }
    for a in now.attribution.iter_mut().filter(|a| a.observed.is_none()) {
        let same = |b: &&flatleak_results::AttributionResult| b.baseline == a.baseline && b.candidate == a.candidate;
        if let Some(before) = earlier.attribution.iter().find(same) {
            (a.observed, a.remainder) = (before.observed, before.remainder);
        }
    }
    if !now.link.is_empty() {
        now.left_out.retain(|l| l.reason != flatleak_results::Reason::NotAskedFor);
    }
}

/// Explains archives from elsewhere, of which no more is known than who is right.
fn imported(
    options: &Explain,
    files: &[&PathBuf],
    workers: usize,
    stop: &AtomicBool,
) -> Result<(Document, PathBuf), Failure> {
    let mut pools = Vec::new();
    for file in files {
        let whole = import_npz(file)?;
        let (mut pool, note) = usable(whole, &file.display().to_string())?;
        note.iter().for_each(|note| complain(note));
        // Recipes are told apart by name; two archives may share one.
        let name = pool.recipe.clone();
        let mut number = 2;
        while pools.iter().any(|p: &Pool| p.recipe == pool.recipe) {
            pool.recipe = format!("{name}-{number}");
            number += 1;
        }
        pools.push(pool);
    }
    let views: Vec<&Pool> = pools.iter().collect();
    let name =
        files.first().and_then(|f| f.file_stem()).map_or("imported".into(), |s| s.to_string_lossy().into_owned());
    let out = options.out.clone().unwrap_or_else(|| PathBuf::from("flatleak-runs").join(format!("explain-{name}")));
    std::fs::create_dir_all(&out).map_err(|e| Failure::new(OUTPUT, format!("cannot create {}: {e}", out.display())))?;
    if out.join("study.toml").exists() {
        return Err(Failure::new(USAGE, format!("{} is the folder of a study; choose another --out", out.display())));
    }
    if outputs::read(&out).is_ok_and(|before| before.study.name != name) {
        return Err(Failure::new(USAGE, format!("{} holds other results; choose another --out", out.display())));
    }
    let asked = Options {
        dataset: name.clone(),
        claimed: (0..views.len()).collect(),
        influence: true,
        runs: Vec::new(),
        checkpoints: vec![0; pools.len()],
        pairs: (1..pools.len()).map(|c| (0, c)).collect(),
        attacks: Vec::new(),
        family: Family::new(Default::default(), pools.len().saturating_sub(1), pools.len(), pools.len()),
        seed: options.seed.unwrap_or(0),
        workers,
    };
    let started = Instant::now();
    let (explain, details) = with_progress("explaining", options.work.message_format, stop, |go_on| {
        flatleak_verdict::explain(&views, &asked, None, go_on)
    })?;
    let record = foreign_record(&name, asked.seed, &views);
    let mut document = without_attacks(record, Vec::new(), workers);
    document.explain = explain;
    document.timings.analysis_s = started.elapsed().as_secs_f64();
    let examples = Examples { details: &details, pools: &views, data: None, workers };
    outputs::write(&mut document, &examples, options.redact, &out)?;
    Ok((document, out))
}

/// A document for pools that were not compared.
fn without_attacks(record: StudyRecord, recipes: Vec<flatleak_results::RecipeResult>, workers: usize) -> Document {
    let sentence = "No comparison of leakage has been made of these pools: this is their explanation alone.";
    let headline = Headline { verdict: Verdict::NotAsked, sentence: sentence.into() };
    let explain = Default::default();
    let results = Results {
        headline,
        recipes,
        comparisons: Vec::new(),
        frontiers: Vec::new(),
        mismatch: Vec::new(),
        explain,
        figures: Vec::new(),
    };
    let timings = Timings { training_s: 0.0, analysis_s: 0.0, trained: 0, reused: 0, date: machine::date() };
    Document::new(record, machine::describe(workers), Vec::new(), results, timings, env!("CARGO_PKG_VERSION"))
}
