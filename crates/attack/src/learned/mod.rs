//! Membership learnt from all that a pool allows (own): the attack `strongest`, and the same without the target's outputs, the blind attack.
//!
//! A logistic regression on scores of the target against its shadows (`features`) is fitted on the targets of other blocks, and scores those
//! of one. Nothing of the target's block is in it: the features of a training target leave out the block that is attacked, and those of
//! the attacked one its own, and each other. So a target's membership and outputs enter only its own row of features.
//!
//! Of more than 16 blocks, every eighth form a cohort that is attacked together and left out together, which bounds the cost. Without a unit
//! of blocks (the deletions of intervals) its training rows leave the fit, by one Newton step, and its models leave the shadows of targets; as
//! shadows of training targets they stay, or every deletion would be a fit of its own.
//!
//! Below [`FEWEST`] blocks there is too little to learn from: there `strongest` is `empirical-bayes`, which learns nothing
//! (book/methods/strongest.md#few-blocks). With four, on twelve pools of 8 models, the regression has a mean AUC of .747 where `empirical-bayes` has
//! .705, and .501 on redrawn memberships. Where phi alone is known, the other outputs are those of two classes. What is used is decided by counts
//! and by what the pool holds, never by what comes out.

mod evidence;
mod features;
mod fit;

use flatleak_pool::{BlockId, FOLDS, Matrix, Membership, Signals, UnitId, Units};
use flatleak_stats::{Ranking, normal, parallel};

pub use features::{Sight, Surroundings};

use evidence::{Desk, Evidence, Exclusion, Other};
use features::{Expected, Known, Lessons};
use fit::{Regression, Rows};

/// Blocks with targets from which on a regression is learnt.
pub const FEWEST: usize = 4;

/// Rows that a regression is fitted on, at most; of more, those of every k-th example.
const MOST_ROWS: usize = 1 << 18;

/// Regressions over the targets of all cohorts but one, for each.
#[derive(Clone, Debug)]
pub struct Learned<'a> {
    evidence: Evidence<'a>,
    around: Surroundings<'a>,
    sight: Sight,
    /// By cohort and part of the examples.
    fits: Vec<Vec<Regression>>,
    /// By cohort and part of the examples, what all say with the cohort left out.
    known: Vec<Vec<Known>>,
    /// By cohort, another and part, what all say without both; of a pair of cohorts once where no shadows are cut.
    pairs: Vec<Vec<Known>>,
}

/// Parts of the examples that are learnt apart: the folds of designs with a fixed number of models per example.
fn parts(membership: &Membership) -> usize {
    if membership.block_ids().any(|block| membership.is_cut(block)) { FOLDS } else { 1 }
}

fn part(membership: &Membership, parts: usize, example: usize) -> usize {
    if parts == 1 { 0 } else { membership.fold(example) }
}

impl<'a> Learned<'a> {
    /// Fits the regressions. `units` are what a deletion leaves out together: blocks with targets; blocks without are shadows of all.
    ///
    /// `None` below [`FEWEST`] units, and where the outputs have no phi. No result depends on `workers`.
    pub fn fit(
        membership: &'a Membership,
        signals: &'a [Signals],
        around: Surroundings<'a>,
        units: &'a Units,
        sight: Sight,
        workers: usize,
    ) -> Option<Self> {
        if units.len() < FEWEST {
            return None;
        }
        let evidence = Evidence::new(membership, signals, units)?;
        let mut out = Self { evidence, around, sight, fits: Vec::new(), known: Vec::new(), pairs: Vec::new() };
        let cohorts = out.evidence.cohorts();
        let alone: Vec<Exclusion> = (0..cohorts).map(|cohort| Exclusion { cohort, other: None }).collect();
        out.known = out.learn(&alone);
        // By cohort, the others with which it is left out.
        let is_apart = |cohort: usize, other: usize| cohort < other || cohort > other && parts(membership) > 1;
        let pairs = parallel::map(cohorts, workers, |cohort| {
            let others: Vec<usize> = (0..cohorts).filter(|other| is_apart(cohort, *other)).collect();
            let excluded = |other: &usize| Exclusion { cohort, other: Some(Other::Cohort(*other)) };
            let mut found = out.learn(&others.iter().map(excluded).collect::<Vec<_>>()).into_iter();
            let row = (0..cohorts).map(|other| if others.contains(&other) { found.next() } else { None });
            row.map(Option::unwrap_or_default).collect::<Vec<_>>()
        });
        out.pairs = pairs.into_iter().flatten().collect();
        // The others begin where the first ends: they are fitted to nearly the same rows.
        let first = out.train(0, None);
        let rest = parallel::map(out.evidence.cohorts() - 1, workers, |g| out.train(g + 1, Some(&first)));
        out.fits = std::iter::once(first).chain(rest).collect();
        Some(out)
    }

    /// Models that can be attacked, of a cohort.
    fn targets(&self, cohort: usize) -> Vec<(usize, UnitId)> {
        let m = self.evidence.membership;
        let unit = |k: usize| self.evidence.unit(k).filter(|u| self.evidence.cohort(*u) == cohort);
        (0..m.models()).filter(|&k| m.is_target(k)).filter_map(|k| Some((k, unit(k)?))).collect()
    }

    /// What all examples say under each of some exclusions, by part: one walk over the examples for all of them.
    fn learn(&self, exclusions: &[Exclusion]) -> Vec<Vec<Known>> {
        let m = self.evidence.membership;
        let parts = parts(m);
        let mut lessons = vec![vec![Lessons::new(&self.around); parts]; exclusions.len()];
        let mut desk = Desk::new(&self.evidence);
        // Where shadows are cut, any block of the cohort stands for all: its shadows are as many.
        let standing = |exclusion: &Exclusion| {
            let units = self.evidence.units;
            let unit = units.ids().find(|u| self.evidence.cohort(*u) == exclusion.cohort);
            unit.and_then(|u| units.blocks(u).iter().copied().min()).unwrap_or(BlockId::new(0))
        };
        let blocks: Vec<BlockId> = exclusions.iter().map(standing).collect();
        for i in 0..m.examples() {
            desk.turn(i);
            let own = part(m, parts, i);
            for ((lessons, exclusion), &block) in lessons.iter_mut().zip(exclusions).zip(&blocks) {
                let sides = desk.sides(block, *exclusion);
                for (p, lessons) in lessons.iter_mut().enumerate() {
                    if parts == 1 || p != own {
                        lessons.add(&sides, i, &self.around);
                    }
                }
            }
        }
        lessons.iter().map(|own| own.iter().map(Lessons::known).collect()).collect()
    }

    /// What all examples say without two cohorts, of which the first's block decides where shadows are cut.
    fn pair(&self, cohort: usize, other: usize) -> &[Known] {
        let cohorts = self.evidence.cohorts();
        let own = &self.pairs[cohort * cohorts + other];
        if own.is_empty() { &self.pairs[other * cohorts + cohort] } else { own }
    }

    /// The regressions with which a cohort is attacked, by part.
    fn train(&self, cohort: usize, start: Option<&[Regression]>) -> Vec<Regression> {
        let (e, m) = (&self.evidence, self.evidence.membership);
        let parts = parts(m);
        let width = features::width(self.sight, &self.around);
        let mut rows = vec![Rows::new(width); parts];
        let others: Vec<usize> = (0..e.cohorts()).filter(|h| *h != cohort).collect();
        let targets: usize = others.iter().map(|&h| self.targets(h).len()).sum();
        let stride = (targets * m.examples()).div_ceil(MOST_ROWS).max(1);
        let mut found = Vec::with_capacity(width);
        let by_cohort: Vec<Vec<(usize, UnitId)>> = others.iter().map(|&other| self.targets(other)).collect();
        let mut desk = Desk::new(e);
        for i in (0..m.examples()).step_by(stride) {
            desk.turn(i);
            let own = part(m, parts, i);
            for (&other, targets) in others.iter().zip(&by_cohort) {
                let exclusion = Exclusion { cohort, other: Some(Other::Cohort(other)) };
                let known = self.pair(cohort, other);
                let gone = |k: usize| e.unit(k).is_some_and(|u| [cohort, other].contains(&e.cohort(u)));
                let mut last = Last::default();
                for &(model, unit) in targets.iter().filter(|(k, _)| m.teaches(*k, i, gone)) {
                    let block = m.is_cut(m.block(model)).then_some(m.block(model));
                    let expected = last.of(block, || {
                        let sides = desk.sides(m.block(model), exclusion);
                        let sight = (self.sight, &self.around);
                        known.iter().map(|known| Expected::new(sides, known, sight, i)).collect::<Vec<_>>()
                    });
                    for (p, rows) in rows.iter_mut().enumerate().filter(|(p, _)| parts == 1 || *p != own) {
                        if let Some(expected) = &expected[p] {
                            expected.features(&desk, e, model, &mut found);
                            rows.push(&found, m.row(model)[i], unit);
                        }
                    }
                }
            }
        }
        let products = features::products(self.sight);
        let fit =
            |(p, rows): (usize, &Rows)| Regression::fit(rows, &products, e.units.len(), start.and_then(|s| s.get(p)));
        rows.iter().enumerate().map(fit).collect()
    }

    /// Log-odds of membership of every model on every example, (M, N) as rows; NaN where an example is not scored for a target, and for
    /// models that cannot be attacked.
    pub fn score(&self) -> Matrix {
        self.scored(None)
    }

    /// The same without the models of a unit, as targets, as shadows and in the fit; their rows are NaN.
    pub fn score_without(&self, unit: UnitId) -> Matrix {
        self.scored(Some(unit))
    }

    fn scored(&self, without: Option<UnitId>) -> Matrix {
        let (e, m) = (&self.evidence, self.evidence.membership);
        let parts = parts(m);
        let mut scores = Matrix::filled(m.models(), m.examples(), f64::NAN);
        let (mut found, mut room) = (Vec::new(), Vec::new());
        // A unit of the cohort itself is among nobody's shadows here.
        let other = |cohort: usize| without.filter(|unit| e.cohort(*unit) != cohort);
        let exclusions: Vec<Exclusion> =
            (0..e.cohorts()).map(|cohort| Exclusion { cohort, other: other(cohort).map(Other::Unit) }).collect();
        // Where cohorts are units, the pair is known.
        let single = e.cohorts() == e.units.len();
        let fresh = match without {
            Some(_) if !single => self.learn(&exclusions),
            _ => Vec::new(),
        };
        let known = |cohort: usize| match other(cohort) {
            Some(unit) if single => self.pair(cohort, e.cohort(unit)),
            Some(_) => fresh[cohort].as_slice(),
            None => &self.known[cohort],
        };
        let is_left = |unit: UnitId| Some(unit) != without;
        let targets: Vec<Vec<usize>> = (0..e.cohorts())
            .map(|cohort| self.targets(cohort).into_iter().filter(|(_, u)| is_left(*u)).map(|(k, _)| k).collect())
            .collect();
        let mut desk = Desk::new(e);
        for i in 0..m.examples() {
            desk.turn(i);
            let own = part(m, parts, i);
            for (cohort, targets) in targets.iter().enumerate() {
                let deleted = other(cohort);
                let mut last = Last::default();
                for &model in targets.iter().filter(|k| m.is_scored(**k, i)) {
                    let block = m.is_cut(m.block(model)).then_some(m.block(model));
                    let (expected, shared) = last.of(block, || {
                        let sides = desk.sides(m.block(model), exclusions[cohort]);
                        (Expected::new(sides, &known(cohort)[own], (self.sight, &self.around), i), None)
                    });
                    let Some(expected) = expected else { continue };
                    scores[model][i] = shared.unwrap_or_else(|| {
                        expected.features(&desk, e, model, &mut found);
                        self.fits[cohort][own].log_odds(&found, deleted, &mut room)
                    });
                    *shared = expected.is_blind().then_some(scores[model][i]);
                }
            }
        }
        scores
    }

    /// What it learns from, in words.
    pub fn method(&self) -> &'static str {
        if self.evidence.is_whole() { "learned" } else { "learned on phi alone" }
    }
}

/// The blind attack on one target, where other models cannot teach how the target's members were selected: cross-fitted over examples of the
/// target's own row, in [`FOLDS`] stratified folds (own; book/methods/blind.md#blind-attack-on-one-target).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CrossFit {
    /// AUC within folds: pooled over folds it would fall below 1/2 by construction.
    pub auc: f64,
    /// One-sided p-value of 1/2, by the normal law of rank sums (Mann & Whitney 1947).
    pub p_value: f64,
}

impl CrossFit {
    /// Of a model of a pool, from its shadows alone; `None` without phi, or with fewer than two members or non-members a fold.
    pub fn of_target(
        membership: &Membership,
        signals: &[Signals],
        around: &Surroundings<'_>,
        target: usize,
    ) -> Option<Self> {
        let units = Units::single(membership.block_ids());
        let evidence = Evidence::new(membership, signals, &units)?;
        let exclusion = Exclusion { cohort: evidence.cohort(evidence.unit(target)?), other: None };
        let mut lessons = Lessons::new(around);
        let mut desk = Desk::new(&evidence);
        let block = membership.block(target);
        let scored: Vec<usize> = (0..membership.examples()).filter(|&i| membership.is_scored(target, i)).collect();
        for &i in &scored {
            desk.turn(i);
            lessons.add(&desk.sides(block, exclusion), i, around);
        }
        let known = lessons.known();
        // Members and others are dealt out to the folds in turn, in the order of a hash.
        let mut order = scored;
        order.sort_by_key(|&i| (membership.order(block, i).of(0), i));
        let mut dealt = [0; 2];
        let mut rows: Vec<(Vec<f64>, bool, usize)> = Vec::new();
        let mut found = Vec::new();
        for i in order {
            desk.turn(i);
            let sides = desk.sides(block, exclusion);
            if let Some(expected) = Expected::new(sides, &known, (Sight::Blind, around), i) {
                expected.features(&desk, &evidence, target, &mut found);
                let member = membership.row(target)[i];
                let count = &mut dealt[usize::from(member)];
                rows.push((found.clone(), member, *count % FOLDS));
                *count += 1;
            }
        }
        if dealt.iter().any(|count| *count < 2 * FOLDS) {
            return None;
        }
        let width = features::width(Sight::Blind, around);
        let (mut won, mut pairs, mut variance) = (0.0, 0.0, 0.0);
        for fold in 0..FOLDS {
            let mut training = Rows::new(width);
            rows.iter().filter(|r| r.2 != fold).for_each(|(x, member, _)| training.push(x, *member, UnitId::new(0)));
            let fit = Regression::fit(&training, &[], 1, None);
            let mut room = Vec::new();
            let own = rows.iter().filter(|r| r.2 == fold);
            let (scores, member): (Vec<f64>, Vec<bool>) =
                own.map(|(x, member, _)| (fit.log_odds(x, None, &mut room), *member)).unzip();
            let ranking = Ranking::new(&scores, &member).ok()?;
            let (n1, n0) = (ranking.members() as f64, ranking.non_members() as f64);
            won += ranking.auc() * n1 * n0;
            pairs += n1 * n0;
            variance += n1 * n0 * (n1 + n0 + 1.0) / 12.0;
        }
        let z = (won - 0.5 * pairs) / variance.sqrt();
        Some(Self { auc: won / pairs, p_value: normal::cdf(-z) })
    }
}

/// What was worked out last, for targets that follow one another: only where shadows are cut does the block matter.
struct Last<T>(Option<(Option<BlockId>, T)>);

impl<T> Default for Last<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Last<T> {
    /// Of a block, where that matters.
    fn of(&mut self, block: Option<BlockId>, work: impl FnOnce() -> T) -> &mut T {
        let kept = self.0.take().filter(|(known, _)| *known == block);
        &mut self.0.insert(kept.unwrap_or_else(|| (block, work()))).1
    }
}
