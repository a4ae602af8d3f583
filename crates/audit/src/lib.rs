//! Pools that were trained elsewhere, from their outputs to the document that a report is made of: what the command line and the Python
//! package share.
//!
//! [`Pools`] collects pools and what a reader should know of them, [`Pools::audit`] attacks, compares and explains them, [`target()`]
//! attacks a single model. [`machine`] says where that happened.

pub mod machine;
mod record;
mod target;
mod variant;

use std::time::Instant;

use flatleak_attack::{Attack, quantile};
use flatleak_pool::Pool;
use flatleak_report::{Document, Timings};
use flatleak_store::Imported;
use flatleak_verdict::{Analysis, Detail, Exchanges, Options, Progress, can_run};

pub use record::foreign_record;
pub use target::{Target, TargetAttack, TargetTpr, target};
pub use variant::Variant;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A pool without an example that can be attacked.
    #[error("{0}: every example is in all models or in none, or in too few: train models on different subsets")]
    Nothing(String),
    /// Too few blocks for shadows that are not the target's own.
    #[error(
        "{recipe}: the models form {found} blocks, but {needed} are needed: the target's, one that intervals leave out, and shadows; train more models"
    )]
    Blocks {
        /// The pool.
        recipe: String,
        /// Its blocks.
        found: usize,
        /// The fewest.
        needed: usize,
    },
    /// A model with nobody to tell apart.
    #[error(
        "{recipe}: of the examples that can be attacked, model {model} was trained on all or on none: leave the model out"
    )]
    OneSided {
        /// The pool.
        recipe: String,
        /// Position of the model.
        model: usize,
    },
    /// A model that is not in the pool.
    #[error("there is no model {target}: the pool has {models}, counted from 0")]
    Target {
        /// The position that was asked for.
        target: usize,
        /// Models in the pool.
        models: usize,
    },
    /// No pool.
    #[error("nothing to audit")]
    Empty,
    /// What the analysis says.
    #[error(transparent)]
    Verdict(#[from] flatleak_verdict::Error),
}

/// How an audit is run.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// What the pools are about, for the record.
    pub name: &'a str,
    /// Definitions of `lira-online-fixed` and phi; that of phi is the importer's matter.
    pub variant: Variant,
    /// Root seed of permutations and splits.
    pub seed: u64,
    /// Threads; no figure depends on it.
    pub workers: usize,
}

/// Every attack, that with several definitions in the one asked for.
pub fn attacks(variant: Variant) -> Vec<Attack> {
    let chosen = |attack| {
        if let Attack::LiraOnlineFixed(_) = attack { Attack::LiraOnlineFixed(variant.fixed()) } else { attack }
    };
    flatleak_verdict::attacks().into_iter().map(chosen).collect()
}

/// Blocks that an example needs on either side: the target's and one that the jackknife leaves out may both be gone.
const BLOCKS: usize = 3;

/// The pool of those examples that can be attacked whichever two blocks are left out, and a sentence about the others.
fn attackable(whole: Pool, what: &str) -> Result<(Pool, Option<String>), Error> {
    let m = &whole.membership;
    if m.blocks() < BLOCKS {
        return Err(Error::Blocks { recipe: what.into(), found: m.blocks(), needed: BLOCKS });
    }
    let enough = |i: usize| {
        [true, false].into_iter().all(|side| {
            let mut blocks: Vec<usize> = (0..m.models()).filter(|&k| m.row(k)[i] == side).map(|k| m.block(k)).collect();
            blocks.sort_unstable();
            blocks.dedup();
            blocks.len() >= BLOCKS
        })
    };
    let kept: Vec<usize> = (0..m.examples()).filter(|&i| enough(i)).collect();
    let reason = format!("have fewer than {BLOCKS} blocks of models on one side, and are left out");
    let (pool, note) = restricted(whole, &kept, what, &reason)?;
    let one_sided = (0..pool.membership.models()).find(|&k| {
        let row = pool.membership.row(k);
        row.iter().all(|m| *m) || !row.iter().any(|m| *m)
    });
    if let Some(model) = one_sided {
        return Err(Error::OneSided { recipe: what.into(), model });
    }
    Ok((pool, note))
}

/// The pool of those examples of which there are enough models on both sides to explain them, and a sentence about the others.
///
/// # Errors
/// No such example.
pub fn usable(whole: Pool, what: &str) -> Result<(Pool, Option<String>), Error> {
    let kept = flatleak_explain::usable(&whole.membership);
    restricted(whole, &kept, what, "are in too few models, or out of too few, and are left out")
}

/// The pool of the examples `kept`, and a sentence about the others, of whom `reason` says why they are left out.
fn restricted(whole: Pool, kept: &[usize], what: &str, reason: &str) -> Result<(Pool, Option<String>), Error> {
    let (all, gone) = (whole.labels.len(), whole.labels.len() - kept.len());
    match (kept.len(), gone) {
        (0, _) => Err(Error::Nothing(what.into())),
        (_, 0) => Ok((whole, None)),
        _ => Ok((whole.of_examples(kept), Some(format!("{what}: {gone} of {all} examples {reason}")))),
    }
}

/// Pools to audit; of several, the first is the baseline.
#[derive(Clone, Debug, Default)]
pub struct Pools {
    pools: Vec<Pool>,
    notes: Vec<String>,
}

impl Pools {
    /// Adds a pool: without the examples that cannot be attacked, under a name of its own, with notes about all that its outputs do not
    /// allow.
    ///
    /// # Errors
    /// No example that can be attacked.
    pub fn add(&mut self, found: Imported) -> Result<(), Error> {
        // Recipes are told apart by name; two folders may share one.
        let mut name = found.pool.recipe.clone();
        let mut number = 2;
        while self.pools.iter().any(|p| p.recipe == name) {
            name = format!("{}-{number}", found.pool.recipe);
            number += 1;
        }
        let (mut pool, note) = attackable(found.pool, &name)?;
        pool.recipe.clone_from(&name);
        self.notes.extend(found.notes.into_iter().map(|text| format!("{name}: {text}")));
        self.notes.extend(note);
        let missing: Vec<&str> =
            flatleak_verdict::attacks().into_iter().filter(|a| !can_run(&pool, *a)).map(Attack::name).collect();
        if !missing.is_empty() {
            self.notes.push(format!("{name}: these outputs do not allow {}", missing.join(", ")));
        }
        let wanted = pool.features.as_ref().map_or(0, |f| quantile::fewest(f.width));
        if pool.test_labels.len() < wanted {
            let found = pool.test_labels.len();
            self.notes.push(format!(
                "{name}: a quantile regression on these features needs {wanted} held-out examples, not {found}"
            ));
        }
        if !pool.membership.is_complementary() {
            self.notes.push(blocks(&pool));
        }
        self.pools.push(pool);
        Ok(())
    }

    /// The pools.
    pub fn views(&self) -> Vec<&Pool> {
        self.pools.iter().collect()
    }

    /// Attacks every pool, sets every other against the first, paired where their memberships agree, and explains them. `go_on` is asked
    /// after every step.
    ///
    /// # Errors
    /// No pool; what the analysis says.
    pub fn audit(
        &self,
        settings: &Settings<'_>,
        go_on: impl FnMut(Progress) -> bool,
    ) -> Result<(Document, Vec<Detail>), Error> {
        let views = self.views();
        if views.is_empty() {
            return Err(Error::Empty);
        }
        let asked = Options {
            dataset: settings.name.into(),
            claimed: Vec::new(),
            influence: true,
            runs: Vec::new(),
            checkpoints: vec![0; views.len()],
            pairs: (1..views.len()).map(|c| (0, c)).collect(),
            attacks: attacks(settings.variant),
            exchanges: Exchanges::default(),
            seed: settings.seed,
            workers: settings.workers,
        };
        let started = Instant::now();
        let Analysis { results, details } = flatleak_verdict::analyse(&views, &asked, go_on)?;
        let record = foreign_record(settings.name, settings.seed, &views);
        let analysis_s = started.elapsed().as_secs_f64();
        let timings = Timings { training_s: 0.0, analysis_s, trained: 0, reused: 0, date: machine::date() };
        let here = machine::describe(settings.workers);
        let mut document = Document::new(record, here, Vec::new(), results, timings, env!("CARGO_PKG_VERSION"));
        document.notes.clone_from(&self.notes);
        Ok((document, details))
    }
}

/// How the targets of a pool without complementary pairs are protected.
fn blocks(pool: &Pool) -> String {
    let m = &pool.membership;
    let shared = if m.models() == m.blocks() {
        String::new()
    } else {
        format!(", models with related memberships sharing one ({} blocks)", m.blocks())
    };
    let equal = if m.is_balanced() { "" } else { "; both sides of its shadows are made equally many" };
    format!("{}: no complementary pairs, so every model is a block of its own{shared}{equal}", pool.recipe)
}
