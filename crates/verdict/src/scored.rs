//! One attack on the models of one or two recipes: who takes part, and scores.

use crate::error::Error;
use crate::family::HEADLINE;
use crate::judge::{Judge, Sheet};
use flatleak_attack::learned::{Learned, Sight, Surroundings};
use flatleak_attack::quantile::{self, Regression};
use flatleak_attack::{Attack, Lineup, Seat};
use flatleak_pool::{BlockId, Matrix, Pool, Signal, UnitId, Units};

/// What scores the models of a pool, whole and without a unit of blocks.
pub(crate) struct Scorer<'a> {
    units: &'a Units,
    method: Method<'a>,
}

enum Method<'a> {
    /// An attack that reads one signal.
    Plain(Evidence<'a>),
    /// One that is learnt from all of them.
    Learned { pool: &'a Pool, learned: Learned<'a> },
}

impl<'a> Scorer<'a> {
    pub(crate) fn new(judge: &'a Judge<'a>, attack: Attack, workers: usize) -> Result<Self, Error> {
        let (pool, units) = (judge.pool(), judge.units());
        let learned = (attack == HEADLINE).then(|| learn(judge, Sight::Full, workers)).flatten();
        let method = match learned {
            Some(learned) => Method::Learned { pool, learned },
            None => Method::Plain(Evidence::new(pool, allowed(pool, attack))?),
        };
        Ok(Self { units, method })
    }

    /// The blind attack; `None` where there is too little to learn from.
    pub(crate) fn blind(judge: &'a Judge<'a>, workers: usize) -> Option<Self> {
        let learned = learn(judge, Sight::Blind, workers)?;
        Some(Self { units: judge.units(), method: Method::Learned { pool: judge.pool(), learned } })
    }

    /// Scores of all models but those of a unit, which are left out as targets and as shadows.
    pub(crate) fn score(&self, without: Option<UnitId>) -> Result<Sheet, Error> {
        let gone = without.map_or(&[][..], |unit| self.units.blocks(unit));
        match &self.method {
            Method::Plain(evidence) => evidence.scene(gone)?.sheet(),
            Method::Learned { pool, learned } => {
                let scores = without.map_or_else(|| learned.score(), |unit| learned.score_without(unit));
                let m = &pool.membership;
                let models: Vec<usize> = (0..m.models()).filter(|&k| !gone.contains(&m.block(k))).collect();
                let scores = if gone.is_empty() { scores } else { scores.rows().select(&models) };
                Ok(Sheet { models, scores })
            }
        }
    }

    /// How `strongest` was reduced to what the pool allows, or what it learns from; nothing of other attacks.
    pub(crate) fn method(&self, attack: Attack) -> Option<String> {
        match &self.method {
            Method::Learned { learned, .. } => Some(learned.method().into()),
            Method::Plain(evidence) => (evidence.attack != attack).then(|| evidence.attack.name()),
        }
    }
}

/// The regressions of `strongest`, or of the blind attack; `None` where there is too little to learn from.
fn learn<'a>(judge: &'a Judge<'a>, sight: Sight, workers: usize) -> Option<Learned<'a>> {
    let pool = judge.pool();
    Learned::fit(&pool.membership, &pool.pool, around(pool), judge.units(), sight, workers)
}

/// What a pool knows of its examples beside outputs.
pub(crate) fn around(pool: &Pool) -> Surroundings<'_> {
    Surroundings {
        labels: pool.labels.as_deref(),
        groups: pool.groups.as_ref().map(|g| g.pool.as_slice()),
        features: pool.features.as_ref().map(|f| (f.pool.as_slice(), f.width)),
    }
}

/// What a pool allows of `strongest` where nothing can be learnt; any other attack as it is.
fn allowed(pool: &Pool, attack: Attack) -> Attack {
    match pool.offers(Signal::Phi) {
        _ if attack != HEADLINE => attack,
        true => Attack::EMPIRICAL_BAYES,
        false => Attack::CALIBRATED_CORRECTNESS,
    }
}

/// The signal of one attack for one recipe's models, in f64.
pub(crate) struct Evidence<'a> {
    pub(crate) pool: &'a Pool,
    attack: Attack,
    plain: Values,
}

/// The signal under one view, (M, N) and (M, T).
struct Values {
    pool: Matrix,
    population: Matrix,
}

/// Who takes part: the models of some blocks from another recipe, those of some not at all.
struct Cast<'e> {
    own: &'e Evidence<'e>,
    other: &'e Evidence<'e>,
    exchanged: Vec<bool>,
    without: Vec<BlockId>,
}

/// The models that take part, under every query.
pub(crate) struct Scene<'e> {
    cast: Cast<'e>,
    plain: Lineup<'e>,
}

impl<'a> Evidence<'a> {
    pub(crate) fn new(pool: &'a Pool, attack: Attack) -> Result<Self, Error> {
        Ok(Self { pool, attack, plain: Self::values(pool, attack, 0)? })
    }

    fn values(pool: &Pool, attack: Attack, query: usize) -> Result<Values, Error> {
        let population =
            if attack.needs_population() { pool.query_rows(query, true, attack.signal())? } else { Matrix::default() };
        let rows = pool.query_rows(query, false, attack.signal())?;
        let rows = if attack.needs_features() { beyond_quantiles(pool, rows)? } else { rows };
        Ok(Values { pool: rows, population })
    }

    /// All models but those of the blocks `without`.
    pub(crate) fn scene(&self, without: &[BlockId]) -> Result<Scene<'_>, Error> {
        let exchanged = vec![false; self.pool.membership.blocks()];
        Scene::new(Cast { own: self, other: self, exchanged, without: without.to_vec() })
    }

    /// The models of these blocks from `other`, the rest from here.
    pub(crate) fn exchanged<'s>(&'s self, other: &'s Self, blocks: &[bool]) -> Result<Scene<'s>, Error> {
        Scene::new(Cast { own: self, other, exchanged: blocks.to_vec(), without: Vec::new() })
    }
}

impl<'e> Cast<'e> {
    fn lineup<'r>(&self, own: &'r Values, other: &'r Values) -> Result<Lineup<'r>, Error>
    where
        'e: 'r,
    {
        let pool = self.own.pool;
        let m = &pool.membership;
        let seat = |k: usize| {
            let block = m.block(k);
            let rows = if self.exchanged[block.index()] { other } else { own };
            Seat {
                block,
                member: m.row(k),
                values: &rows.pool[k],
                population: rows.population.rows().get(k).unwrap_or_default(),
            }
        };
        let seats = (0..m.models()).filter(|&k| !self.without.contains(&m.block(k))).map(seat);
        Ok(Lineup::of_design(m, seats.collect(), pool.labels.as_deref())?)
    }
}

impl<'e> Scene<'e> {
    fn new(cast: Cast<'e>) -> Result<Self, Error> {
        let plain = cast.lineup(&cast.own.plain, &cast.other.plain)?;
        Ok(Self { cast, plain })
    }

    /// Who takes part.
    pub(crate) fn lineup(&self) -> &Lineup<'e> {
        &self.plain
    }

    /// [`score`](Self::score) with who takes part.
    ///
    /// # Errors
    /// A view that cannot be read; a score that is no number although its example is scored.
    pub(crate) fn sheet(&self) -> Result<Sheet, Error> {
        let scores = self.score()?;
        let m = &self.cast.own.pool.membership;
        let models: Vec<usize> = (0..m.models()).filter(|&k| !self.cast.without.contains(&m.block(k))).collect();
        for (row, at) in scores.iter().zip(self.plain.positions()) {
            let scored = self.plain.scored(at);
            let is_wrong = |i: &usize| row[*i].is_nan() && scored.is_none_or(|s| s[*i]);
            if let Some(index) = (0..row.len()).find(is_wrong) {
                return Err(flatleak_stats::Error::NanScore { index }.into());
            }
        }
        Ok(Sheet { models, scores })
    }

    /// Scores of every model on every example: the mean over queries of each query's score, which for the likelihood ratios is
    /// that of Carlini et al. (2022), and for the others this project's own.
    ///
    /// Further views are read one at a time: f64 rows of all of them at once would be many times the pool.
    pub(crate) fn score(&self) -> Result<Matrix, Error> {
        let (own, other) = (self.cast.own, self.cast.other);
        let attack = own.attack;
        let queries = if attack.reads_plain_view() { 1 } else { own.pool.queries() };
        let mut sum = attack.score(&self.plain);
        for query in 1..queries {
            let rows = Evidence::values(own.pool, attack, query)?;
            // Another pool's rows are needed only where some of its models take part.
            let theirs = match self.cast.exchanged.contains(&true) {
                true => Some(Evidence::values(other.pool, attack, query)?),
                false => None,
            };
            let lineup = self.cast.lineup(&rows, theirs.as_ref().unwrap_or(&rows))?;
            add(&mut sum, &attack.score(&lineup));
        }
        divide(&mut sum, queries);
        Ok(sum)
    }
}

/// phi of every model minus the quantile that its outputs on held-out examples let expect.
fn beyond_quantiles(pool: &Pool, mut rows: Matrix) -> Result<Matrix, Error> {
    let Some(features) = &pool.features else { return Ok(rows) };
    for (row, known) in rows.iter_mut().zip(&pool.test_rows(Signal::Phi)?) {
        let fit = Regression::fit(&features.test, known, features.width, quantile::LEVEL)?;
        for (i, v) in row.iter_mut().enumerate() {
            *v -= fit.at(&features.pool[i * features.width..(i + 1) * features.width]);
        }
    }
    Ok(rows)
}

/// Whether a pool has what an attack reads: its signal, for `rmia-gamma` outputs on examples outside the pool, for `label-only` several
/// views, for `quantile` features and enough of those outputs.
pub fn can_run(pool: &Pool, attack: Attack) -> bool {
    let population = pool.test.first().is_some_and(|t| !t.phi.is_empty());
    let signal = if attack == HEADLINE && !pool.offers(Signal::Phi) { Signal::Correct } else { attack.signal() };
    pool.offers(signal)
        && (!attack.needs_population() || population)
        && (!attack.needs_views() || pool.queries() > 1)
        && (!attack.needs_features()
            || population && pool.features.as_ref().is_some_and(|f| pool.held_out() >= quantile::fewest(f.width)))
}

/// Scores of every model of a pool on every pool example, (M, N) as rows, higher = member, each target scored by the models outside its
/// block.
///
/// # Errors
/// Models that form no lineup: fewer than two blocks. The pool has to have what the attack reads ([`can_run`]).
pub fn scores(pool: &Pool, attack: Attack) -> Result<Matrix, Error> {
    let judge = Judge::new(pool);
    Ok(Scorer::new(&judge, attack, 1)?.score(None)?.scores)
}

fn add(sum: &mut Matrix, more: &Matrix) {
    sum.values_mut().iter_mut().zip(more.values()).for_each(|(to, from)| *to += from);
}

fn divide(sum: &mut Matrix, n: usize) {
    if n > 1 {
        sum.values_mut().iter_mut().for_each(|v| *v /= n as f64);
    }
}
