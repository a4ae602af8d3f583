//! Pools that were trained elsewhere, from their outputs to the document that a report is made of.

use crate::audit_error::{AuditError as Error, listed};
use crate::finished::LeftOut;
use crate::machine;
use crate::record::foreign_record;
use crate::variant::Variant;
use flatleak_results::{Document, Relevant, Timings, plain};
use std::time::Instant;

use flatleak_attack::{Attack, quantile};
use flatleak_pool::{Design, FEWEST, Matrix, Pool, SIDE, Wanted};
use flatleak_store::Imported;
use flatleak_verdict::{Analysis, Detail, Options, Progress, can_run};

/// How an audit is run.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// What the pools are about, for the record.
    pub name: &'a str,
    /// Attacks, in the order of tables: see [`attacks`].
    pub attacks: &'a [Attack],
    /// Smallest differences that matter.
    pub relevant: Relevant,
    /// Root seed of splits and nulls.
    pub seed: u64,
    /// Threads; no figure depends on it.
    pub workers: usize,
}

/// Every attack and those named besides, that with several definitions in the one asked for.
pub fn attacks(variant: Variant, more: &[Attack]) -> Vec<Attack> {
    let mut all = flatleak_verdict::attacks();
    all.extend_from_slice(more);
    let mut known = Vec::new();
    for attack in all.into_iter().map(|attack| attack.with_variance(variant.fixed())) {
        if !known.contains(&attack) {
            known.push(attack);
        }
    }
    known
}

/// What is to be kept of outputs for these attacks.
pub fn wanted(variant: Variant, attacks: &[Attack]) -> Wanted {
    Wanted { form: variant.phi(), ..Wanted::default() }.and(attacks.iter().filter_map(|a| a.temperature()))
}

/// What of a pool can be attacked.
struct Attackable {
    pool: Pool,
    /// About the rest.
    notes: Vec<String>,
    /// Where its examples stand in the whole.
    kept: Vec<usize>,
}

/// The pool of those examples that can be attacked for the targets of some block.
fn attackable(whole: Pool, what: &str) -> Result<Attackable, Error> {
    let m = &whole.membership;
    let (models, examples, blocks) = (m.models(), m.examples(), m.blocks());
    if blocks < FEWEST {
        return Err(Error::Blocks { recipe: what.into(), models, found: blocks });
    }
    let scored = |i: &usize| m.block_ids().any(|block| m.scored(block).is_none_or(|s| s[*i]));
    let kept: Vec<usize> = (0..examples).filter(scored).collect();
    if kept.is_empty() {
        return Err(nothing(&whole, what));
    }
    let mut notes = Vec::new();
    let gone = examples - kept.len();
    if gone > 0 {
        notes.push(format!(
            "{gone} of {examples} examples are left out: beside a target's own block, fewer than {SIDE} blocks of models hold or lack them"
        ));
    }
    let pool = if gone > 0 { whole.of_examples(&kept) } else { whole };
    let (targets, shadows): (Vec<usize>, Vec<usize>) = (0..models).partition(|&k| pool.membership.is_target(k));
    if targets.is_empty() {
        return Err(Error::NoTarget { recipe: what.into() });
    }
    if !shadows.is_empty() {
        let (some, have) = match shadows.as_slice() {
            [one] => (format!("model {one}"), "has"),
            many => (format!("models {}", listed(many)), "have"),
        };
        notes.push(format!(
            "{some} {have} no members or no non-members among the examples that can be attacked: shadows for the others, no targets"
        ));
    }
    if targets.iter().all(|&k| pool.membership.block(k) == pool.membership.block(targets[0])) {
        return Err(Error::OneBlock { recipe: what.into(), models: targets });
    }
    Ok(Attackable { pool, notes, kept })
}

/// What is missing where no example can be attacked.
fn nothing(pool: &Pool, what: &str) -> Error {
    let m = &pool.membership;
    let key = |sides: &[usize; 2]| (sides[0].min(sides[1]), sides[0] + sides[1]);
    // Blocks on either side of an example without a target's own, which stands on one side or on both; at best.
    let sides = |i: usize| {
        let mut own = vec![[false; 2]; m.blocks()];
        (0..m.models()).for_each(|k| own[m.block(k).index()][usize::from(!m.row(k)[i])] = true);
        let count = |side: usize| own.iter().filter(|o| o[side]).count();
        let all = [count(0), count(1)];
        own.iter().map(|o| [0, 1].map(|side| all[side] - usize::from(o[side]))).max_by_key(key).unwrap_or([0, 0])
    };
    let nearest = (0..m.examples()).map(sides).max_by_key(key).unwrap_or([0, 0]);
    let [inside, outside] = nearest;
    let missing = SIDE.saturating_sub(inside.min(outside)).max(1);
    Error::Nothing { recipe: what.into(), blocks: m.blocks(), inside, outside, missing }
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
    let (all, gone) = (whole.examples(), whole.examples() - kept.len());
    match (kept.len(), gone) {
        (0, _) => Err(Error::Unexplained(what.into())),
        (_, 0) => Ok((whole, None)),
        _ => Ok((whole.of_examples(kept), Some(format!("{what}: {gone} of {all} examples {reason}")))),
    }
}

/// A name that no pool has yet: recipes are told apart by name, and two folders or archives may share one.
pub(crate) fn unused(name: &str, pools: &[Pool]) -> String {
    let mut own = name.to_owned();
    let mut number = 2;
    while pools.iter().any(|p| p.recipe == own) {
        own = format!("{name}-{number}");
        number += 1;
    }
    own
}

/// Pools to audit; of several, the first is the baseline.
#[derive(Clone, Debug, Default)]
pub struct Pools {
    pools: Vec<Pool>,
    notes: Vec<String>,
    /// By pool, how many examples were given, and which of them it has.
    kept: Vec<(usize, Vec<usize>)>,
    left_out: Vec<LeftOut>,
}

impl Pools {
    /// Adds a pool: without the examples that cannot be attacked, under a name of its own, with notes about all that its outputs do not
    /// allow.
    ///
    /// # Errors
    /// No example that can be attacked.
    pub fn add(&mut self, found: Imported) -> Result<(), Error> {
        let name = unused(&plain(&found.pool.recipe), &self.pools);
        let given = found.pool.examples();
        let Attackable { mut pool, notes, kept } = attackable(found.pool, &name)?;
        self.kept.push((given, kept));
        pool.recipe.clone_from(&name);
        self.notes.extend(found.notes.into_iter().chain(notes).map(|text| format!("{name}: {text}")));
        let missing: Vec<String> =
            flatleak_verdict::attacks().into_iter().filter(|a| !can_run(&pool, *a)).map(Attack::name).collect();
        if !missing.is_empty() {
            self.notes.push(format!("{name}: these outputs do not allow {}", missing.join(", ")));
        }
        let wanted = pool.features.as_ref().map_or(0, |f| quantile::fewest(f.width));
        if pool.held_out() < wanted {
            let found = pool.held_out();
            self.notes.push(format!(
                "{name}: a quantile regression on these features needs {wanted} held-out examples, not {found}"
            ));
        }
        let share = scored_share(&pool);
        if share < FEW_SCORED {
            self.notes.push(format!(
                "{name}: with so few models only {:.0} % of the examples can be scored for a target; intervals do not cover which these are, and are too narrow",
                100.0 * share
            ));
        }
        if !pool.membership.is_complementary() {
            self.notes.push(format!("{name}: {}", design(&pool)));
        }
        self.pools.push(pool);
        Ok(())
    }

    /// Notes that a part of what was to be audited has no pool.
    pub fn leave_out(&mut self, part: LeftOut) {
        self.notes.push(part.to_string());
        self.left_out.push(part);
    }

    /// What was to be audited and has no pool.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// Rows over the examples of a pool as rows over all that were given, NaN for those that were left out.
    pub fn whole(&self, pool: usize, rows: Matrix) -> Matrix {
        let Some((given, kept)) = self.kept.get(pool).filter(|(given, kept)| *given != kept.len()) else { return rows };
        let mut out = Matrix::filled(rows.len(), *given, f64::NAN);
        for (out, row) in out.iter_mut().zip(&rows) {
            kept.iter().zip(row).for_each(|(&i, v)| out[i] = *v);
        }
        out
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
        let name = &*plain(settings.name);
        let asked = Options {
            attacks: settings.attacks.to_vec(),
            seed: settings.seed,
            workers: settings.workers,
            ..Options::of_pools(name, views.len(), settings.relevant)
        };
        let started = Instant::now();
        let Analysis { results, details } = flatleak_verdict::analyse(&views, &asked, go_on)?;
        let record = foreign_record(name, settings.seed, &views);
        let analysis_s = started.elapsed().as_secs_f64();
        let timings = Timings {
            training_s: 0.0,
            analysis_s,
            trained: 0,
            reused: 0,
            date: machine::date(),
            checksum: String::new(),
        };
        let here = machine::describe(settings.workers);
        let mut document = Document::new(record, here, Vec::new(), results, timings, env!("CARGO_PKG_VERSION"));
        document.family = asked.family;
        document.notes.clone_from(&self.notes);
        Ok((document, details))
    }
}

/// Share of examples that are scored for a target, below which intervals are not to be relied on (book/pools.md#intervals).
const FEW_SCORED: f64 = 0.75;

/// The mean share of a pool's examples that are scored for a target.
fn scored_share(pool: &Pool) -> f64 {
    let m = &pool.membership;
    let targets: Vec<usize> = (0..m.models()).filter(|&k| m.is_target(k)).collect();
    let of = |&k: &usize| (0..m.examples()).filter(|&i| m.is_scored(k, i)).count();
    targets.iter().map(of).sum::<usize>() as f64 / (targets.len() * m.examples()).max(1) as f64
}

/// How the targets of a pool without complementary pairs are protected, by its design.
fn design(pool: &Pool) -> String {
    let m = &pool.membership;
    let related = match (m.models(), m.blocks()) {
        (models, blocks) if models == blocks => format!("{models} models without relatives, each a block of its own"),
        (models, blocks) => format!("{models} models in {blocks} blocks of related memberships"),
    };
    let of = |design: Design| match design {
        Design::Balanced => "every example is in equally many models of each block",
        Design::Fixed => {
            "every example is in a fixed number of models, so shadows are cut to a number that hides the target's, and examples are compared within folds of equal number"
        }
        Design::Mixed => {
            "examples were drawn at different rates, so that their number alone tells members: read what exceeds the blind attack, or give rates"
        }
        Design::Entangled => {
            "examples are in more equally many models than independent memberships would have them, and some models are related: figures may lie on the wrong side of guessing, so look at a null before they are believed"
        }
        Design::Independent => "memberships as good as drawn one by one",
    };
    let mut kinds: Vec<&str> = m.designs().into_iter().map(of).collect();
    kinds.dedup();
    format!("{related}; {}", kinds.join("; elsewhere "))
}
