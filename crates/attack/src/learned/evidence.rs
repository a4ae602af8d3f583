//! What the learner sees: outputs of all models on one example, and sums over the shadows that are left without some of them.

use flatleak_kernel::elementary::{log_sigmoid, sigmoid};
use flatleak_pool::{BlockId, Decimal, Membership, Signal, Signals, UnitId, Units};

use crate::shrinkage::Summary;

/// Signals whose shadows are fitted: phi, log p_y at temperatures 2 and 4, negative entropy.
pub(super) const FITTED: usize = 4;
pub(super) const PHI: usize = 0;
pub(super) const TWO: usize = 1;
pub(super) const ENTROPY: usize = 3;
/// Temperatures of RMIA.
pub(super) const TEMPERATURES: usize = 3;
/// Values of one model on one example that are added up over shadows: fitted signals, confidences, whether it is right.
const SUMMED: usize = FITTED + TEMPERATURES + 1;
/// The same and log p_y.
const WIDTH: usize = SUMMED + 1;

/// Values that are worked out once and kept, at most: 64 MiB.
const KEPT: usize = 1 << 20;

/// One model's values on one example.
pub(super) type Values = [f64; WIDTH];

/// log p_y at a temperature, by place.
pub(super) fn log_confidence(values: &Values, place: usize) -> f64 {
    if place == PHI { values[WIDTH - 1] } else { values[place] }
}

/// Whether the model is right.
pub(super) fn correct(values: &Values) -> f64 {
    values[SUMMED - 1]
}

/// The models of a pool as the learner reads them.
#[derive(Clone, Debug)]
pub(super) struct Evidence<'a> {
    pub(super) membership: &'a Membership,
    signals: &'a [Signals],
    /// Temperatures of RMIA; the first is 1.
    temperatures: [Decimal; TEMPERATURES],
    /// Whether phi at each is stored, and the entropy; elsewhere they are those of two classes, phi / t and the entropy of p_y.
    stored: [bool; TEMPERATURES],
    entropy: bool,
    /// By model and fitted signal, its mean over examples.
    offsets: Vec<[f64; FITTED]>,
    /// (M, N) values, where they are few enough to be worked out once.
    table: Vec<Values>,
    /// What can be left out together; references are in none.
    pub(super) units: &'a Units,
    cohorts: usize,
}

/// Number, sums and sums of squares over the shadows of one side.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stat {
    pub(super) n: f64,
    sums: [f64; SUMMED],
    squares: [f64; FITTED],
}

impl Stat {
    fn add(&mut self, values: &Values, offsets: &[f64; FITTED]) {
        self.n += 1.0;
        for (k, offset) in offsets.iter().enumerate() {
            let v = values[k] - offset;
            self.sums[k] += v;
            self.squares[k] += v * v;
        }
        for (sum, v) in self.sums.iter_mut().zip(values).skip(FITTED) {
            *sum += v;
        }
    }

    fn with(&mut self, other: &Self) {
        self.n += other.n;
        self.sums.iter_mut().zip(&other.sums).for_each(|(a, b)| *a += b);
        self.squares.iter_mut().zip(&other.squares).for_each(|(a, b)| *a += b);
    }

    /// Mean confidence at a temperature, by place.
    pub(super) fn confidence(&self, temperature: usize) -> f64 {
        self.sums[FITTED + temperature] / self.n
    }

    /// Share of shadows that are right.
    pub(super) fn correct(&self) -> f64 {
        self.sums[SUMMED - 1] / self.n
    }
}

/// Shadows of both sides, IN and OUT.
pub(super) type Sides = [Stat; 2];

/// The summary of one fitted signal, offsets taken off.
pub(super) fn summary(sides: &Sides, signal: usize) -> Summary {
    Summary::of_sums([0, 1].map(|s| [sides[s].n, sides[s].sums[signal], sides[s].squares[signal]]))
}

/// Who is no shadow: one cohort, and perhaps another, or a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exclusion {
    pub(super) cohort: usize,
    pub(super) other: Option<Other>,
}

/// What is left out besides a cohort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Other {
    Cohort(usize),
    Unit(UnitId),
}

impl<'a> Evidence<'a> {
    /// None where the pool has no phi.
    pub(super) fn new(membership: &'a Membership, signals: &'a [Signals], units: &'a Units) -> Option<Self> {
        let n = membership.examples();
        let known = |signal: Signal| signals.iter().all(|s| s.values(signal).len() == n);
        if !known(Signal::Phi) {
            return None;
        }
        let temperatures = [1000, 2000, 4000].map(Decimal::thousandths);
        let stored = temperatures.map(|t| signals.iter().all(|s| s.at(t).len() == n));
        let entropy = signals.iter().all(|s| s.entropy.len() == n);
        let cohorts = crate::families::cohorts(units.len());
        let offsets = vec![[0.0; FITTED]; signals.len()];
        let mut out =
            Self { membership, signals, temperatures, stored, entropy, offsets, table: Vec::new(), units, cohorts };
        for model in 0..signals.len() {
            let mut sums = [0.0; FITTED];
            for i in 0..n {
                let values = out.values(model, i);
                sums.iter_mut().zip(values).for_each(|(sum, v)| *sum += v);
            }
            out.offsets[model] = sums.map(|sum| sum / n as f64);
        }
        if signals.len() * n <= KEPT {
            out.table = (0..signals.len())
                .flat_map(|model| (0..n).map(move |i| (model, i)))
                .map(|(k, i)| out.derive(k, i))
                .collect();
        }
        Some(out)
    }

    /// Whether all outputs of a model are known, not its confidence in the label alone.
    pub(super) fn is_whole(&self) -> bool {
        self.entropy && self.stored[1..].iter().all(|s| *s)
    }

    /// phi at a temperature, by place.
    fn phi(&self, model: usize, i: usize, place: usize) -> f64 {
        let (s, t) = (&self.signals[model], self.temperatures[place]);
        if self.stored[place] { f64::from(s.at(t)[i]) } else { f64::from(s.phi[i]) / t.value() }
    }

    pub(super) fn cohorts(&self) -> usize {
        self.cohorts
    }

    /// The cohort of a unit.
    pub(super) fn cohort(&self, unit: UnitId) -> usize {
        unit.index() % self.cohorts
    }

    /// Unit of a model that is a target's relative or a target; references have none.
    pub(super) fn unit(&self, model: usize) -> Option<UnitId> {
        self.units.of(self.membership.block(model))
    }

    /// One model on one example.
    pub(super) fn values(&self, model: usize, i: usize) -> Values {
        let kept = self.table.get(model * self.membership.examples() + i);
        kept.copied().unwrap_or_else(|| self.derive(model, i))
    }

    fn derive(&self, model: usize, i: usize) -> Values {
        let s = &self.signals[model];
        let mut out = [0.0; WIDTH];
        for place in 0..TEMPERATURES {
            let phi = self.phi(model, i, place);
            out[place] = if place == PHI { phi } else { log_sigmoid(phi) };
            out[FITTED + place] = sigmoid(phi);
        }
        out[ENTROPY] = if self.entropy {
            -f64::from(s.entropy[i])
        } else {
            let phi = out[PHI];
            let (p, q) = (out[FITTED], sigmoid(-phi));
            p * log_sigmoid(phi) + q * log_sigmoid(-phi)
        };
        out[SUMMED - 1] = f64::from(s.correct[i]);
        out[WIDTH - 1] = log_sigmoid(out[PHI]);
        out
    }

    /// A fitted signal of a target without its offset.
    pub(super) fn centred(&self, model: usize, values: &Values, signal: usize) -> f64 {
        values[signal] - self.offsets[model][signal]
    }
}

/// All models on one example.
pub(super) struct Desk<'e, 'a> {
    evidence: &'e Evidence<'a>,
    pub(super) example: usize,
    /// By model.
    pub(super) values: Vec<Values>,
    /// By unit, and of references behind them.
    by_unit: Vec<Sides>,
    by_cohort: Vec<Sides>,
    references: Sides,
}

impl<'e, 'a> Desk<'e, 'a> {
    pub(super) fn new(evidence: &'e Evidence<'a>) -> Self {
        Self {
            evidence,
            example: 0,
            values: vec![[0.0; WIDTH]; evidence.signals.len()],
            by_unit: vec![Sides::default(); evidence.units.len()],
            by_cohort: vec![Sides::default(); evidence.cohorts],
            references: Sides::default(),
        }
    }

    /// Turns to an example.
    pub(super) fn turn(&mut self, example: usize) {
        let e = self.evidence;
        self.example = example;
        self.by_unit.fill(Sides::default());
        self.by_cohort.fill(Sides::default());
        self.references = Sides::default();
        for model in 0..self.values.len() {
            self.values[model] = e.values(model, example);
            let side = usize::from(!e.membership.row(model)[example]);
            let to = match e.unit(model) {
                Some(unit) => &mut self.by_unit[unit.index()],
                None => &mut self.references,
            };
            to[side].add(&self.values[model], &e.offsets[model]);
        }
        for (unit, own) in e.units.ids().zip(&self.by_unit) {
            let to = &mut self.by_cohort[e.cohort(unit)];
            to.iter_mut().zip(own).for_each(|(a, b)| a.with(b));
        }
    }

    /// Shadows of the targets of a block without those excluded, which hold the block. Nothing of what is left out is in the sums, not even
    /// its rounding. Where shadows are cut, the block decides which are kept.
    pub(super) fn sides(&self, block: BlockId, exclusion: Exclusion) -> Sides {
        let e = self.evidence;
        if e.membership.is_cut(block) {
            return self.cut(block, exclusion);
        }
        let mut out = self.references;
        let mut add = |more: &Sides| out.iter_mut().zip(more).for_each(|(a, b)| a.with(b));
        for cohort in (0..e.cohorts).filter(|c| *c != exclusion.cohort) {
            match exclusion.other {
                Some(Other::Cohort(other)) if other == cohort => {}
                Some(Other::Unit(unit)) if e.cohort(unit) == cohort => {
                    let others = e.units.ids().filter(|u| *u != unit && e.cohort(*u) == cohort);
                    others.for_each(|u| add(&self.by_unit[u.index()]));
                }
                _ => add(&self.by_cohort[cohort]),
            }
        }
        out
    }

    /// Whether a model's unit is left out.
    fn is_out(&self, unit: UnitId, exclusion: Exclusion) -> bool {
        let cohort = self.evidence.cohort(unit);
        cohort == exclusion.cohort
            || match exclusion.other {
                Some(Other::Cohort(other)) => cohort == other,
                Some(Other::Unit(other)) => unit == other,
                None => false,
            }
    }

    fn cut(&self, block: BlockId, exclusion: Exclusion) -> Sides {
        let e = self.evidence;
        let m = e.membership;
        let class = m.class(block);
        let is_out = |other: BlockId| e.units.of(other).is_some_and(|unit| self.is_out(unit, exclusion));
        let mut sides = [Vec::new(), Vec::new()];
        let mut gone = 0;
        for other in m.block_ids().filter(|b| *b != block && m.class(*b) == class) {
            if is_out(other) {
                gone += 1;
            } else if let Some(first) = (0..m.models()).find(|&k| m.block(k) == other) {
                sides[usize::from(!m.row(first)[self.example])].push(other);
            }
        }
        let keep = m.kept(block, self.example, gone);
        let order = m.order(block, self.example);
        for (blocks, keep) in sides.iter_mut().zip(keep) {
            blocks.sort_by_key(|other| (order.of(m.first(*other)), *other));
            blocks.truncate(keep);
        }
        let mut out = Sides::default();
        for (model, values) in self.values.iter().enumerate() {
            let own = m.block(model);
            let side = usize::from(!m.row(model)[self.example]);
            let is_kept = if m.class(own) == class { sides[side].contains(&own) } else { !is_out(own) };
            if own != block && is_kept {
                out[side].add(values, &e.offsets[model]);
            }
        }
        out
    }
}
