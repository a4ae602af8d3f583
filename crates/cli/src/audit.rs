//! `flatleak audit`.

mod gate;
mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use flatleak::outputs::{self, Examples};
use flatleak::{
    Finished, Listener, Phase, Pools, Settings, Variant, attacks, folder_name, missing_runs, runs_in, target, wanted,
};
use flatleak_attack::Attack;
use flatleak_data::values::Source;
use flatleak_disk::replace;
use flatleak_pool::{PhiForm, Wanted};
use flatleak_report::table;
use flatleak_results::plain;
use flatleak_store::{
    Arrays, FeatureArrays, Given, HeldOut, Imported, Terms, from_arrays, from_folder, from_named, from_table,
    npy_of_rows,
};
use flatleak_verdict::{can_run, scores};
use serde_json::json;

use crate::arguments::Audit;
use crate::exit::{DATA, Failure, GATE, USAGE};
use crate::progress::{Talk, stop_flag};
use crate::voice::{complain, done, remark, say, text, width, written};
use gate::Gate;

pub(crate) fn run(options: &Audit) -> Result<ExitCode, Failure> {
    let variant = options.variant;
    let gates = options.fail_above.iter().map(|text| Gate::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let named: Vec<Attack> = options.attack.iter().copied().chain(gates.iter().map(Gate::attack)).collect();
    let attacks = attacks(variant, &named);
    if options.explain_variant {
        say(&formulas(variant, &attacks));
        return Ok(ExitCode::SUCCESS);
    }
    let workers = options.work.workers();
    let pools = pools(options, &wanted(variant, &attacks))?;
    let name = match options.dirs.first() {
        None => options.name.clone(),
        Some(file) if file.is_file() => stem(file),
        Some(dir) => last_name(dir),
    };
    let name = plain(&name).into_owned();
    let out = options.out.clone().unwrap_or_else(|| unused(&folder_name(&format!("audit-{name}"))));
    refuse_foreign(&out, &name)?;
    if let Some(model) = options.target {
        return one_target(options, &pools, model, (&attacks, &gates), &out);
    }
    let settings = Settings { name: &name, attacks: &attacks, relevant: options.relevant, seed: options.seed, workers };
    let stop = stop_flag();
    let mut talk = Talk::new(options.work.message_format);
    let mut to = Listener { hear: &mut |event| talk.hear(event), stop: &stop };
    let (mut document, details) = to.through(Phase::Auditing, |go_on| pools.audit(&settings, go_on))?;
    let views = pools.views();
    if options.save_scores {
        save_scores(&pools, &attacks, &out)?;
    }
    let examples = Examples { details: &details, pools: &views, data: None, workers };
    outputs::write(&mut document, &examples, options.redact, &out)?;
    let exceeded: Vec<String> = gates.iter().flat_map(|gate| gate.broken(&document, &pools)).collect();
    let page = out.join("report.html");
    done(
        options.work.message_format,
        json!({ "report": text(&page), "headline": document.headline, "exceeded": exceeded }),
        || written(table::render(&document, width()), "report", &page),
    );
    exceeded.iter().for_each(|reason| complain(reason));
    Ok(ExitCode::from(if exceeded.is_empty() { 0 } else { GATE }))
}

/// Attacks one model of the only pool.
fn one_target(
    options: &Audit,
    pools: &Pools,
    model: usize,
    (attacks, gates): (&[Attack], &[Gate]),
    out: &Path,
) -> Result<ExitCode, Failure> {
    let views = pools.views();
    let [pool] = views.as_slice() else {
        return Err(Failure::new(USAGE, "--target is a model of one pool, but there are several: give one"));
    };
    let found = target(pool, model, attacks, &options.relevant)?;
    if options.save_scores {
        save_scores(pools, attacks, out)?;
    }
    let path = out.join("target.json");
    replace(&path, flatleak_report::json::render(&found)?.as_bytes())?;
    let exceeded: Vec<String> = gates.iter().flat_map(|gate| gate.broken_by(&found, pools)).collect();
    done(options.work.message_format, json!({ "target": text(&path), "exceeded": exceeded }), || {
        written(report::table(&found, width()), "figures", &path)
    });
    exceeded.iter().for_each(|reason| complain(reason));
    Ok(ExitCode::from(if exceeded.is_empty() { 0 } else { GATE }))
}

fn formulas(variant: Variant, attacks: &[Attack]) -> String {
    let phi = match variant.phi() {
        PhiForm::Exact => "phi = log(p_y / (1 - p_y)) from the logits, never saturated",
        PhiForm::Official2021 => {
            "phi = log(p_y + 1e-45) - log(1 - p_y + 1e-45) from single-precision exponentials (the reference code of 2021)"
        }
    };
    let mut out = format!(
        "{phi}; mu and s over the shadows outside the target's block, per example; views are averaged after scoring\n\n",
    );
    for attack in attacks {
        let variant = attack.variant().map_or(String::new(), |v| format!(" ({v})"));
        let same = attack
            .same_roc_as(true)
            .map_or(String::new(), |a| format!("; same ROC as {a} with equally many shadows of both sides"));
        out += &format!("{attack}{variant}\n    {}{same}\n", attack.formula());
    }
    out
}

/// The pools that the arguments name.
fn pools(options: &Audit, wanted: &Wanted) -> Result<Pools, Failure> {
    let mut pools = Pools::default();
    if let Some((given, outputs)) = outputs_of(options) {
        let needed =
            |flag: &str| Failure::new(USAGE, format!("{} outputs were given: {flag} is needed too", given.name()));
        let arrays = Arrays {
            recipe: &options.name,
            given,
            wanted,
            terms: Terms::Flags,
            outputs: Source::File(outputs),
            labels: file(&options.labels),
            membership: file(&options.membership).ok_or_else(|| needed("--membership"))?,
            test: file(&options.test_logits).map(|outputs| HeldOut { outputs, labels: file(&options.test_labels) }),
            features: (file(&options.features).zip(file(&options.test_features)))
                .map(|(pool, test)| FeatureArrays { pool, test }),
        };
        pools.add(from_arrays(&arrays)?)?;
    }
    if let Some(table) = &options.table {
        pools.add(from_table(table, &options.name, wanted)?)?;
    }
    for path in &options.dirs {
        if path.is_dir() {
            add_folder(&mut pools, options, path, wanted)?;
        } else if let Some(found) = from_named(path, &stem(path), options.labels.as_deref(), wanted)? {
            pools.add(found)?;
        }
    }
    if pools.views().is_empty() {
        return Err(Failure::new(
            USAGE,
            "nothing to audit: give folders, --table, or --logits with --labels and --membership",
        ));
    }
    Ok(pools)
}

/// The pools of a folder: of a known layout, or of a run.
fn add_folder(pools: &mut Pools, options: &Audit, dir: &Path, wanted: &Wanted) -> Result<(), Failure> {
    if let Some(found) = from_folder(dir, &last_name(dir), options.labels.as_deref(), wanted)? {
        return Ok(pools.add(found)?);
    }
    let runs = runs_in(dir).map_err(|_| unknown(dir))?;
    if options.variant.phi() != PhiForm::Exact {
        let form = options.variant.name();
        let text = format!("keeps phi, not in the form of {form}: give the logits of `flatleak export`");
        return Err(Failure::new(USAGE, format!("{} {text}", dir.display())));
    }
    add_runs(pools, dir, &runs, wanted)
}

/// A folder without pools.
fn unknown(dir: &Path) -> Failure {
    let text = if dir.join("results.json").is_file() {
        "holds a finished audit, which keeps no outputs: give the arrays or the folder that it was made from"
    } else {
        "is in no layout that is known (a run directory, arrays by name, train_pool, mi_lira_2021, lira_analysis, lira-pytorch and Privacy Meter)"
    };
    Failure::new(DATA, format!("{} {text}", dir.display()))
}

/// The pools of the runs in a folder, and what it lacks.
fn add_runs(pools: &mut Pools, dir: &Path, runs: &[PathBuf], wanted: &Wanted) -> Result<(), Failure> {
    let mut names = Vec::new();
    let mut left_out = Vec::new();
    for run in runs {
        let found = Finished::open(run, wanted)?;
        names.push(found.data.name.clone());
        left_out.extend(found.left_out);
        for pool in found.pools {
            pools.add(Imported { pool, notes: Vec::new() })?;
        }
    }
    left_out.extend(missing_runs(dir, &names)?);
    for part in left_out {
        remark(&part.to_string());
        pools.leave_out(part);
    }
    Ok(())
}

fn file(path: &Option<PathBuf>) -> Option<Source<'_>> {
    path.as_deref().map(Source::File)
}

fn outputs_of(options: &Audit) -> Option<(Given, &Path)> {
    let all = [
        (Given::Logits, &options.logits),
        (Given::Probabilities, &options.probabilities),
        (Given::Phi, &options.phi),
        (Given::Loss, &options.loss),
        (Given::Confidence, &options.confidence),
    ];
    all.into_iter().find_map(|(given, path)| Some((given, path.as_deref()?)))
}

fn stem(file: &Path) -> String {
    file.file_stem().map_or("pool".into(), |n| n.to_string_lossy().into_owned())
}

fn last_name(dir: &Path) -> String {
    let whole = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    whole.file_name().map_or("pool".into(), |n| n.to_string_lossy().into_owned())
}

/// A folder for what is audited, which no earlier audit has.
fn unused(name: &str) -> PathBuf {
    let runs = PathBuf::from("flatleak-runs");
    let numbered = (2..).map(|k| runs.join(format!("{name}-{k}")));
    let mut all = std::iter::once(runs.join(name)).chain(numbered);
    all.find(|path| !path.exists()).unwrap_or_else(|| runs.join(name))
}

fn refuse_foreign(out: &Path, name: &str) -> Result<(), Failure> {
    if out.join("study.toml").exists() {
        return Err(Failure::new(USAGE, format!("{} is the folder of a study; choose another --out", out.display())));
    }
    if outputs::read(out).is_ok_and(|before| before.study.name != name) {
        return Err(Failure::new(USAGE, format!("{} holds other results; choose another --out", out.display())));
    }
    Ok(())
}

/// `scores/<attack>.npy`, in a folder per recipe where there are several; NaN where an example is not scored.
fn save_scores(all: &Pools, attacks: &[Attack], out: &Path) -> Result<(), Failure> {
    let pools = all.views();
    for (at, pool) in pools.iter().enumerate() {
        let folder = out.join("scores");
        // Two names may be the same folder.
        let own = folder_name(&pool.recipe);
        let taken = pools[..at].iter().any(|p| folder_name(&p.recipe) == own);
        let own = if taken { format!("{own}-{at}") } else { own };
        let folder = if pools.len() > 1 { folder.join(own) } else { folder };
        for &attack in attacks.iter().filter(|a| can_run(pool, **a)) {
            let rows = all.whole(at, scores(pool, attack)?);
            replace(&folder.join(format!("{}.npy", attack.name())), &npy_of_rows(rows.rows()))?;
        }
    }
    Ok(())
}
