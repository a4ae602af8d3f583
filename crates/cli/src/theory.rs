//! `flatleak theory`.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use flatleak::{Finished, pairs, runs_in};
use flatleak_data::{ArrayError, budget, values};
use flatleak_disk::replace;
use flatleak_explain::PhiMoments;
use flatleak_pool::{Signal, Wanted};
use flatleak_report::{json, theory as report};
use flatleak_theory::{Family, Problem, Recipe, Request, Run, Setting, own, study};
use serde_json::json as event;

use crate::arguments::Theory;
use crate::exit::{DATA, Failure, USAGE};
use crate::progress::{Talk, stop_flag};
use crate::voice::{done, remark, text, width, written};

/// Parts of the work, for the progress bar.
const PARTS: u64 = 7;
/// Models of the smallest pool that intervals can be given for.
const FEWEST_MODELS: usize = 8;

pub(crate) fn run(options: &Theory) -> Result<ExitCode, Failure> {
    if let Some(file) = &options.problem {
        return brought(options, file);
    }
    let request = request(options)?;
    let measured = options.run.as_deref().map(measure).transpose()?.unwrap_or_default();
    let runs: Vec<Run<'_>> = measured.iter().map(Measured::run).collect();
    let stop = stop_flag();
    let mut talk = Talk::new(options.work.message_format);
    let mut parts = 0;
    let outcome = study(&request, &runs, |_| {
        talk.count("theory", parts, PARTS);
        parts += 1;
        !stop.load(Ordering::Relaxed)
    })?;
    talk.over();
    let out = options.out.clone().unwrap_or_else(|| PathBuf::from("flatleak-runs").join(own_name(options)));
    replace(&out.join("theory.json"), json::render(&outcome)?.as_bytes())?;
    let page = out.join("theory.html");
    replace(&page, report::html(&outcome, env!("CARGO_PKG_VERSION"))?.as_bytes())?;
    done(options.work.message_format, event!({ "report": text(&page), "changes": outcome.changes }), || {
        written(report::table(&outcome, width()), "report", &page)
    });
    Ok(ExitCode::SUCCESS)
}

/// The folder of a theory by default: a run is only read.
fn own_name(options: &Theory) -> String {
    let run = options.run.as_deref().and_then(|run| std::path::absolute(run).ok());
    let name = run.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    name.map_or_else(|| "theory".into(), |name| format!("theory-{name}"))
}

/// Most dimensions of a covariance whose eigenvectors are computed, which takes minutes.
const MOST_DIMENSIONS: usize = 1 << 12;

/// What is wrong with a file.
fn wrong(file: &Path, what: impl Display) -> Failure {
    Failure::new(DATA, format!("{} {what}", file.display()))
}

/// The dimensions of a problem in a file, and whether its covariance is a matrix. No value is read before its sizes fit.
fn sizes(file: &Path, workers: usize) -> Result<(usize, bool), Failure> {
    let shape =
        |name: &str| values::with(file, name, |v| Ok(v.shape().to_vec())).map_err(|e: ArrayError| wrong(file, e));
    let (x, y, sigma) = (shape("x")?, shape("y")?, shape("sigma")?);
    let &[n, d] = x.as_slice() else {
        return Err(wrong(file, format_args!("has x of shape {x:?}, not (examples, dimensions)")));
    };
    if y.iter().product::<usize>() != n {
        return Err(wrong(file, format_args!("has y of shape {y:?}, but x has {n} examples: give one label for each")));
    }
    let full = sigma.len() != 1;
    if !matches!(*sigma.as_slice(), [only] if only == d) && sigma != [d, d] {
        let either = format_args!("has sigma of shape {sigma:?}, not ({d}) or ({d}, {d}), the dimensions of x");
        return Err(wrong(file, either));
    }
    if full && d > MOST_DIMENSIONS {
        let mend = format_args!(
            "has sigma in {d} dimensions, and at most {MOST_DIMENSIONS} are decomposed: give its eigenvalues, ({d}), and x in its eigenbasis"
        );
        return Err(wrong(file, mend));
    }
    // The file's values and the problem's, and for each worker whitened examples and their products.
    let own = budget::product(&[n, d, 8]).and_then(|one| one.checked_mul(2 + 2 * workers as u64));
    let gram = budget::product(&[n, n, 8]).and_then(|one| one.checked_mul(3 * workers as u64));
    let matrix = if full { budget::product(&[d, d, 8 * 6]) } else { Some(0) };
    let all = own.zip(gram).zip(matrix).and_then(|((a, b), c)| a.checked_add(b)?.checked_add(c));
    budget::memory("the problem", all).map_err(|e| wrong(file, e))?;
    Ok((d, full))
}

/// The exact path of a problem from a file.
fn brought(options: &Theory, file: &Path) -> Result<ExitCode, Failure> {
    let (d, full) = sizes(file, options.work.workers())?;
    let array = |name: &str| values::with(file, name, |v| v.all()).map_err(|e: ArrayError| wrong(file, e));
    let (x, y, sigma) = (array("x")?, array("y")?, array("sigma")?);
    let refused = |e: flatleak_theory::Error| Failure::new(DATA, format!("{}: {e}", file.display()));
    let problem = Problem::new(&x, &y, d).map_err(refused)?;
    let (problem, spectrum) = if full { problem.in_eigenbasis(&sigma).map_err(refused)? } else { (problem, sigma) };
    let mut etas = Request::etas(options.etas);
    if spectrum.contains(&0.0) {
        etas.pop();
    }
    let found = own(&problem, &spectrum, &etas, options.work.workers()).map_err(refused)?;
    let out = options.out.clone().unwrap_or_else(|| PathBuf::from("flatleak-runs").join("theory-own"));
    let path = out.join("path.json");
    replace(&path, json::render(&found)?.as_bytes())?;
    done(options.work.message_format, event!({ "path": text(&path), "degenerate": found.degenerate }), || {
        written(report::own_table(&found, width()), "figures", &path)
    });
    Ok(ExitCode::SUCCESS)
}

fn request(options: &Theory) -> Result<Request, Failure> {
    // The pool comes late: what cannot be one is refused before minutes are spent.
    // Without noise on the labels there is none.
    let odd = !options.models.is_multiple_of(2) && options.label_noise != 0.0;
    if options.models < FEWEST_MODELS || odd {
        let why = format!("two shadows on either side with a block left out need {FEWEST_MODELS}, an even number");
        return Err(Failure::new(USAGE, format!("--models {}, but {why}", options.models)));
    }
    let setting = Setting {
        family: Family::parse(&options.family)?,
        examples: options.examples,
        dimensions: options.dimensions,
        teacher_noise: Some(options.teacher_noise).filter(|noise| *noise != f64::INFINITY),
        label_noise: options.label_noise,
    };
    let mut etas = Request::etas(options.etas);
    // A spectrum with zeros has no limit in which flatness alone counts.
    if matches!(setting.family, Family::Spiked { floor, .. } if floor == 0.0) {
        etas.pop();
    }
    let workers = options.work.workers();
    Ok(Request { setting, etas, draws: options.draws, models: options.models, seed: options.seed, workers })
}

/// The moments of phi of the recipes of one run folder.
struct Measured {
    recipes: Vec<(String, PhiMoments)>,
    pairs: Vec<(usize, usize)>,
}

impl Measured {
    fn run(&self) -> Run<'_> {
        let recipes = self.recipes.iter().map(|(name, moments)| Recipe {
            name,
            whole: *moments.moments(),
            without: moments.without(),
        });
        Run { recipes: recipes.collect(), pairs: self.pairs.clone() }
    }
}

/// Every run folder of a finished run; recipes of several data sets carry its name.
fn measure(dir: &Path) -> Result<Vec<Measured>, Failure> {
    let folders = runs_in(dir)?;
    let several = folders.len() > 1;
    let mut out = Vec::new();
    for folder in folders {
        let found = Finished::open(&folder, &Wanted::default())?;
        found.left_out.iter().for_each(|part| remark(&part.to_string()));
        if found.pools.iter().any(|p| !p.offers(Signal::Phi)) {
            remark(&format!(
                "{} is left out: its pools say who is right, not how sure the models are",
                folder.display()
            ));
            continue;
        }
        let name = |recipe: &str| if several { format!("{recipe}, {}", found.data.name) } else { recipe.to_owned() };
        let recipes = found.pools.iter().map(|p| Ok((name(&p.recipe), PhiMoments::new(p)?)));
        let recipes = recipes.collect::<Result<Vec<_>, flatleak_explain::Error>>()?;
        out.push(Measured { recipes, pairs: pairs(&found.recipes()) });
    }
    Ok(out)
}
