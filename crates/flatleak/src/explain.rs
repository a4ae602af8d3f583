//! Why recipes leak, of runs and archives that are there already.

use std::path::{Path, PathBuf};
use std::time::Instant;

use flatleak_pool::{Pool, Wanted};
use flatleak_results::{
    AttributionResult, Document, Explanation, Family, GroupResult, Headline, Reason, RecipeResult, Results,
    StudyRecord, Timings, Verdict, plain,
};
use flatleak_store::{import_npz, lock_run};
use flatleak_verdict::{FAMILY, Options};

use crate::audit::{unused, usable};
use crate::compare::Report;
use crate::error::Error;
use crate::event::{Event, Listener, Phase};
use crate::finished::{Finished, runs_in};
use crate::folder::folder_name;
use crate::machine;
use crate::outputs::{self, Examples};
use crate::question::question;
use crate::record::{foreign_record, record};

/// What is asked of an explanation.
#[derive(Clone, Debug, Default)]
pub struct Explain {
    /// Where it is written; beside what it explains without.
    pub out: Option<PathBuf>,
    /// Without scoring attacks again.
    pub no_attacks: bool,
    /// Without single examples.
    pub redact: bool,
    /// Root seed of splits and nulls, for archives.
    pub seed: Option<u64>,
    /// Threads; no figure depends on it.
    pub workers: usize,
}

/// Explains a finished run anew, every data set of it; what an earlier analysis found of attacks stays.
///
/// # Errors
/// No finished run, results that are damaged, output that cannot be written.
pub fn explain(options: &Explain, dir: &Path, to: &mut Listener<'_>) -> Result<Report, Error> {
    let runs = runs_in(dir)?;
    let out = options.out.as_deref().unwrap_or(dir);
    let mut parts = Vec::new();
    for run in &runs {
        let inside = run.strip_prefix(dir).unwrap_or(Path::new(""));
        let folder = out.join(inside);
        parts.push((one(options, (run, runs.len()), &folder, to)?, folder));
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
    let document = outputs::merge(documents, &folders, out)?.ok_or_else(|| Error::NoPool(dir.to_owned()))?;
    Ok(Report { document, page: out.join("report.html") })
}

/// Explains one run folder and writes to `folder`.
fn one(
    options: &Explain,
    (run, datasets): (&Path, usize),
    folder: &Path,
    to: &mut Listener<'_>,
) -> Result<Document, Error> {
    let found = Finished::open(run, &Wanted::default())?;
    found.left_out.iter().for_each(|part| (to.hear)(Event::Note(part.to_string())));
    // Beside the run nothing of it is written.
    let _lock = if folder == run { Some(lock_run(run)?) } else { None };
    let Finished { study, data, dir, pools, .. } = &found;
    let recipes = found.recipes();
    let views: Vec<&Pool> = pools.iter().collect();
    let mut asked = question(study, data, &recipes, datasets, options.workers);
    asked.influence = true;
    asked.attacks.retain(|a| !options.no_attacks && FAMILY.contains(a));
    let started = Instant::now();
    let results = run.join("results.json");
    let before = if results.exists() { Some(outputs::read(run)) } else { None };
    let mut document = match before {
        Some(Ok(before)) => before,
        Some(Err(why)) if folder == run => {
            return Err(match why {
                Error::Results { path, source, .. } => Error::Results {
                    path,
                    source,
                    advice: "; it is left alone: give --out, or run `flatleak compare` again",
                },
                other => other,
            });
        }
        other => {
            if let Some(Err(why)) = other {
                (to.hear)(Event::Note(format!("{why}; what rests on comparisons is left open")));
            }
            let bare = Options { attacks: Vec::new(), pairs: Vec::new(), ..asked.clone() };
            let found = flatleak_verdict::compare(&views, &bare, |_| true)?;
            let record = record(study, data, dir.data_digest(), false);
            without_attacks(record, found.recipes, options.workers)
        }
    };
    // What was found at a look of its own is explained at its error.
    asked.family.alpha = document.family.alpha;
    let before = (document.recipes.as_slice(), document.comparisons.as_slice());
    let (explain, details) =
        to.through(Phase::Explaining, |go_on| flatleak_verdict::explain(&views, &asked, Some(before), go_on))?;
    let earlier = std::mem::replace(&mut document.explain, explain);
    keep_attacks(&mut document.explain, earlier);
    document.timings.analysis_s = started.elapsed().as_secs_f64();
    let examples = Examples { details: &details, pools: &views, data: Some(data), workers: options.workers };
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
        let same = |g: &&GroupResult| g.recipe == group.recipe && g.name == group.name;
        if let Some(before) = earlier.groups.iter().find(same) {
            group.leakage.clone_from(&before.leakage);
        }
    }
    for a in now.attribution.iter_mut().filter(|a| a.observed.is_none()) {
        let same = |b: &&AttributionResult| b.baseline == a.baseline && b.candidate == a.candidate;
        if let Some(before) = earlier.attribution.iter().find(same) {
            (a.observed, a.remainder) = (before.observed, before.remainder);
        }
    }
    if !now.link.is_empty() {
        now.left_out.retain(|l| l.reason != Reason::NotAskedFor);
    }
}

/// Explains archives from elsewhere, of which no more is known than who is right.
///
/// # Errors
/// Archives that cannot be read or explained, output that cannot be written.
pub fn explain_archives(options: &Explain, files: &[&PathBuf], to: &mut Listener<'_>) -> Result<Report, Error> {
    let mut pools = Vec::new();
    for file in files {
        let whole = import_npz(file)?;
        let (mut pool, note) = usable(whole, &file.display().to_string())?;
        note.into_iter().for_each(|note| (to.hear)(Event::Note(note)));
        pool.recipe = unused(&plain(&pool.recipe), &pools);
        pools.push(pool);
    }
    let views: Vec<&Pool> = pools.iter().collect();
    let name = files
        .first()
        .and_then(|f| f.file_stem())
        .map_or("imported".into(), |s| plain(&s.to_string_lossy()).into_owned());
    let out = options
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from("flatleak-runs").join(folder_name(&format!("explain-{name}"))));
    if out.join("study.toml").exists() {
        return Err(Error::FolderOfStudy(out));
    }
    if outputs::read(&out).is_ok_and(|before| before.study.name != name) {
        return Err(Error::OtherResults(out));
    }
    let asked = Options {
        claimed: (0..views.len()).collect(),
        attacks: Vec::new(),
        family: Family::new(Default::default(), pools.len().saturating_sub(1), pools.len(), pools.len()),
        seed: options.seed.unwrap_or(0),
        workers: options.workers,
        ..Options::of_pools(&name, pools.len(), Default::default())
    };
    let started = Instant::now();
    let (explain, details) =
        to.through(Phase::Explaining, |go_on| flatleak_verdict::explain(&views, &asked, None, go_on))?;
    let record = foreign_record(&name, asked.seed, &views);
    let mut document = without_attacks(record, Vec::new(), options.workers);
    document.explain = explain;
    document.timings.analysis_s = started.elapsed().as_secs_f64();
    let examples = Examples { details: &details, pools: &views, data: None, workers: options.workers };
    outputs::write(&mut document, &examples, options.redact, &out)?;
    Ok(Report { document, page: out.join("report.html") })
}

/// A document for pools that were not compared.
fn without_attacks(record: StudyRecord, recipes: Vec<RecipeResult>, workers: usize) -> Document {
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
    let timings = Timings {
        training_s: 0.0,
        analysis_s: 0.0,
        trained: 0,
        reused: 0,
        date: machine::date(),
        checksum: String::new(),
    };
    Document::new(record, machine::describe(workers), Vec::new(), results, timings, env!("CARGO_PKG_VERSION"))
}
