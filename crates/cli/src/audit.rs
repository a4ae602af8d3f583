//! `flatleak audit`.

mod gate;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use flatleak_attack::{Attack, FixedVariance};
use flatleak_pool::Pool;
use flatleak_report::{Document, Timings, table};
use flatleak_store::{Arrays, Given, Imported, from_arrays, from_folder, npy_of_rows, write_atomic};
use flatleak_verdict::{Analysis, Exchanges, Options, can_run, scores};
use serde_json::json;

use crate::arguments::{Audit, MessageFormat, Variant};
use crate::compare::{stop_flag, with_progress};
use crate::exit::{DATA, Failure, GATE, OUTPUT, USAGE};
use crate::explain::{Finished, foreign_record, runs_in, usable};
use crate::machine;
use crate::outputs::{self, Examples};
use crate::progress::{complain, say};
use gate::Gate;

pub(crate) fn run(options: &Audit) -> Result<ExitCode, Failure> {
    let attacks = attacks(options.variant);
    if options.explain_variant {
        say(&formulas(&attacks));
        return Ok(ExitCode::SUCCESS);
    }
    let gates = options.fail_above.iter().map(|text| Gate::parse(text, &attacks)).collect::<Result<Vec<_>, _>>()?;
    let workers = options.workers.unwrap_or_else(machine::cores).max(1);
    let (pools, notes) = pools(options)?;
    let views: Vec<&Pool> = pools.iter().collect();
    let name = if options.dirs.is_empty() { options.name.clone() } else { folder_name(&options.dirs[0]) };
    let out = options.out.clone().unwrap_or_else(|| PathBuf::from("flatleak-runs").join(format!("audit-{name}")));
    refuse_foreign(&out, &name)?;
    let asked = Options {
        dataset: name.clone(),
        checkpoints: vec![0; pools.len()],
        pairs: (1..pools.len()).map(|c| (0, c)).collect(),
        attacks: attacks.clone(),
        exchanges: Exchanges::default(),
        seed: options.seed,
        workers,
    };
    let stop = stop_flag()?;
    let started = Instant::now();
    let Analysis { results, details } = with_progress("auditing", options.message_format, &stop, |go_on| {
        flatleak_verdict::analyse(&views, &asked, go_on)
    })?;
    let record = foreign_record(&name, options.seed, &views);
    let analysis_s = started.elapsed().as_secs_f64();
    let timings = Timings { training_s: 0.0, analysis_s, trained: 0, reused: 0, date: machine::date() };
    let version = env!("CARGO_PKG_VERSION");
    let mut document = Document::new(record, machine::describe(workers), Vec::new(), results, timings, version);
    document.notes = notes;
    std::fs::create_dir_all(&out).map_err(|e| Failure::new(OUTPUT, format!("cannot create {}: {e}", out.display())))?;
    if options.save_scores {
        save_scores(&views, &attacks, &out)?;
    }
    let examples = Examples { details: &details, pools: &views, data: None, workers };
    outputs::write(&mut document, &examples, options.redact, &out)?;
    let exceeded: Vec<String> = gates.iter().flat_map(|gate| gate.exceeded(&document)).collect();
    let page = out.join("report.html");
    if options.message_format == MessageFormat::Json {
        let event = json!({ "report": page, "headline": document.headline, "exceeded": exceeded });
        say(&format!("{}\n", json!({ "phase": "done", "event": event })));
    } else {
        say(&format!("{}\nreport: {}\n", table::render(&document), page.display()));
    }
    exceeded.iter().for_each(|text| complain(text));
    Ok(ExitCode::from(if exceeded.is_empty() { 0 } else { GATE }))
}

/// All attacks, that with several definitions in the one asked for.
fn attacks(variant: Variant) -> Vec<Attack> {
    let fixed = match variant {
        Variant::Residual => FixedVariance::Residual,
        Variant::Official => FixedVariance::Official,
        Variant::PerSide => FixedVariance::PerSide,
    };
    let chosen = |attack| if let Attack::LiraOnlineFixed(_) = attack { Attack::LiraOnlineFixed(fixed) } else { attack };
    flatleak_verdict::attacks().into_iter().map(chosen).collect()
}

fn formulas(attacks: &[Attack]) -> String {
    let mut out = String::from(
        "phi = log(p_y / (1 - p_y)); mu and s over the shadows outside the target's block, per example; views are averaged after scoring\n\n",
    );
    for attack in attacks {
        let variant = attack.variant().map_or(String::new(), |v| format!(" ({v})"));
        let same = attack.same_roc_as().map_or(String::new(), |a| format!("; same ROC as {}", a.name()));
        out += &format!("{}{variant}\n    {}{same}\n", attack.name(), attack.formula());
    }
    out
}

/// The pools that the arguments name, and what is to be known of them.
fn pools(options: &Audit) -> Result<(Vec<Pool>, Vec<String>), Failure> {
    let (mut pools, mut notes): (Vec<Pool>, Vec<String>) = (Vec::new(), Vec::new());
    let mut add = |found: Imported, what: &str| -> Result<(), Failure> {
        let (mut pool, note) = usable(found.pool, &what)?;
        // Recipes are told apart by name; two folders may share one.
        let name = pool.recipe.clone();
        let mut number = 2;
        while pools.iter().any(|p| p.recipe == pool.recipe) {
            pool.recipe = format!("{name}-{number}");
            number += 1;
        }
        let about = |text: String| format!("{}: {text}", pool.recipe);
        notes.extend(found.notes.into_iter().map(about));
        notes.extend(note);
        let missing: Vec<&str> =
            flatleak_verdict::attacks().into_iter().filter(|a| !can_run(&pool, *a)).map(Attack::name).collect();
        if !missing.is_empty() {
            notes.push(format!("{}: these outputs do not allow {}", pool.recipe, missing.join(", ")));
        }
        if !pool.membership.is_complementary() {
            notes.push(blocks(&pool));
        }
        pools.push(pool);
        Ok(())
    };
    if let Some((given, outputs)) = outputs_of(options) {
        let needed =
            |flag: &str| Failure::new(USAGE, format!("{} outputs were given: {flag} is needed too", given.name()));
        let arrays = Arrays {
            recipe: &options.name,
            given,
            outputs,
            labels: options.labels.as_deref(),
            membership: options.membership.as_deref().ok_or_else(|| needed("--membership"))?,
            test: options.test_logits.as_deref().map(|path| (path, options.test_labels.as_deref())),
        };
        add(from_arrays(&arrays)?, &options.name)?;
    }
    for dir in &options.dirs {
        let name = folder_name(dir);
        if !dir.is_dir() {
            return Err(Failure::new(
                DATA,
                format!("{} is no folder: arrays are given with --logits and the like", dir.display()),
            ));
        }
        if let Some((_, found)) = from_folder(dir, &name, options.labels.as_deref())? {
            add(found, &name)?;
            continue;
        }
        let runs = runs_in(dir).map_err(|_| {
            let known = "a run directory, mi_lira_2021, lira_analysis and lira-pytorch";
            Failure::new(DATA, format!("{} is in no layout that is known ({known})", dir.display()))
        })?;
        for run in runs {
            for pool in Finished::open(&run)?.pools {
                add(Imported { pool, notes: Vec::new() }, &name)?;
            }
        }
    }
    if pools.is_empty() {
        return Err(Failure::new(USAGE, "nothing to audit: give folders, or --logits with --labels and --membership"));
    }
    Ok((pools, notes))
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

/// How the targets of a pool without complementary pairs are protected.
fn blocks(pool: &Pool) -> String {
    let m = &pool.membership;
    let related = m.models() - m.blocks();
    let shared = if related == 0 {
        String::new()
    } else {
        format!(", models with related memberships sharing one ({} blocks)", m.blocks())
    };
    let equal = if m.is_balanced() { "" } else { "; both sides of its shadows are made equally many" };
    format!("{}: no complementary pairs, so every model is a block of its own{shared}{equal}", pool.recipe)
}

fn folder_name(dir: &Path) -> String {
    let whole = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    whole.file_name().map_or("pool".into(), |n| n.to_string_lossy().into_owned())
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

/// `scores/<attack>.npy`, in a folder per recipe where there are several.
fn save_scores(pools: &[&Pool], attacks: &[Attack], out: &Path) -> Result<(), Failure> {
    for pool in pools {
        let folder = out.join("scores");
        let folder = if pools.len() > 1 { folder.join(plain(&pool.recipe)) } else { folder };
        std::fs::create_dir_all(&folder)
            .map_err(|e| Failure::new(OUTPUT, format!("cannot create {}: {e}", folder.display())))?;
        for &attack in attacks.iter().filter(|a| can_run(pool, **a)) {
            let rows = scores(pool, attack)?;
            write_atomic(&folder.join(format!("{}.npy", attack.name())), &npy_of_rows(&rows), "scores")?;
        }
    }
    Ok(())
}

/// A name that is a folder's and nothing else.
fn plain(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_alphanumeric() || "-_.,".contains(c) { c } else { '-' })
        .collect::<String>()
        .replace("..", "-")
}
