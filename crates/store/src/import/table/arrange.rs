//! Rows in any order as arrays.

use flatleak_data::records::{Place, Spot};

use super::super::side::Side;
use super::natural::{Name, Sorted};
use super::problem::RowsError;
use super::rows::{Key, Rows};

/// A split as arrays: outputs (M, N, Q, width), membership (M, N), labels (N).
#[derive(Debug)]
pub(super) struct Split {
    pub(super) outputs: Vec<u8>,
    pub(super) membership: Vec<u8>,
    /// Little-endian doubles.
    pub(super) labels: Vec<u8>,
    /// Its examples.
    pub(super) examples: Sorted,
    pub(super) shape: [usize; 3],
}

/// All rows, with models and views in the order of their names.
#[derive(Debug)]
pub(super) struct Arranged {
    /// What each word of membership was taken for.
    pub(super) sides: Vec<Side>,
    pub(super) models: Sorted,
    pub(super) pool: Split,
    pub(super) held_out: Option<Split>,
}

/// A row: the places of its model, example and view, and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    cell: [u32; 3],
    at: u32,
}

/// What rows are arranged by.
struct Plan<'a> {
    rows: &'a Rows,
    sides: &'a [Side],
    classes: &'a [f64],
    models: Sorted,
    queries: Sorted,
}

/// Sorts the rows into arrays: `sides` are by word, `classes` by label.
pub(super) fn arrange(rows: &mut Rows, sides: &[Side], classes: &[f64]) -> Result<Arranged, RowsError> {
    let values = std::mem::take(&mut rows.values);
    let rows = &*rows;
    let plan =
        Plan { rows, sides, classes, models: rows.models.sorted(|_| true), queries: rows.queries.sorted(|_| true) };
    let is_held = |key: &Key| plan.side(key) == Side::HeldOut;
    let [mut pool, mut held] = [false, true].map(|wanted| {
        let mut within = vec![None; rows.examples.len()];
        let own = rows.keys.iter().filter(|key| is_held(key) == wanted);
        own.for_each(|key| {
            within[key.example as usize].get_or_insert(key.place);
        });
        within
    });
    // Words may hold an example out of some models alone; a column of its own may name other examples by the same number.
    if rows.columns.held_out.is_none()
        && let Some(at) = (0..pool.len()).find(|at| pool[*at].is_some() && held[*at].is_some())
        && let (Some(other), Some(place)) = (pool[at].take(), held[at].take())
    {
        let column = rows.columns.names[rows.columns.member.0].clone();
        let example = rows.examples.get(at as u32).0.clone();
        return Err(RowsError::HeldOut { spot: Spot { place, column }, example, other });
    }
    let examples = |within: &[Option<Place>]| rows.examples.sorted(|n| within[n as usize].is_some());
    let (pool, held) = (examples(&pool), examples(&held));
    if pool.order.is_empty() {
        return Err(RowsError::NoRows);
    }
    let held_out = if held.order.is_empty() { None } else { Some(plan.split(&values, held, true)?) };
    let pool = if held_out.is_none() { plan.whole(values, pool)? } else { plan.split(&values, pool, false)? };
    Ok(Arranged { sides: sides.to_vec(), models: plan.models, pool, held_out })
}

impl Plan<'_> {
    fn side(&self, key: &Key) -> Side {
        key.word.map_or(Side::HeldOut, |word| self.sides[word as usize])
    }

    /// The pool where no row is held out; outputs that stand in their order are taken as they are.
    fn whole(&self, values: Vec<u8>, examples: Sorted) -> Result<Split, RowsError> {
        let order = self.order(&examples, false)?;
        let ordered = order.iter().zip(0..).all(|(row, at)| row.at == at);
        let outputs = if ordered { values } else { self.copied(&values, &order) };
        self.described(outputs, examples, &order)
    }

    fn split(&self, values: &[u8], examples: Sorted, held: bool) -> Result<Split, RowsError> {
        let order = self.order(&examples, held)?;
        let outputs = self.copied(values, &order);
        self.described(outputs, examples, &order)
    }

    fn copied(&self, values: &[u8], order: &[Row]) -> Vec<u8> {
        let bytes = 8 * self.rows.width;
        let mut copied = Vec::with_capacity(order.len() * bytes);
        order.iter().for_each(|row| copied.extend_from_slice(&values[row.at as usize * bytes..][..bytes]));
        copied
    }

    /// The rows of a split in the order of their cells: all are there, and each once.
    fn order(&self, examples: &Sorted, held: bool) -> Result<Vec<Row>, RowsError> {
        let own = self.rows.keys.iter().zip(0..).filter(|(key, _)| (self.side(key) == Side::HeldOut) == held);
        let cell = |key: &Key| {
            [
                self.models.position[key.model as usize],
                examples.position[key.example as usize],
                self.queries.position[key.query as usize],
            ]
        };
        let mut order: Vec<Row> = own.map(|(key, at)| Row { cell: cell(key), at }).collect();
        if !order.is_sorted() {
            order.sort_unstable();
        }
        let [m, n, q] = [self.models.order.len(), examples.order.len(), self.queries.order.len()];
        let rows = order.len();
        if let Some(pair) = order.windows(2).find(|pair| pair[0].cell == pair[1].cell) {
            let [first, second] = [pair[0].at, pair[1].at].map(|at| self.rows.keys[at as usize]);
            let (model, example) = self.names(&first);
            let all = m.saturating_mul(n).saturating_mul(q);
            let mend = if all > 0 && rows.is_multiple_of(all) {
                "name their models apart, or number them as views in a column `query`, or keep one of them"
            } else {
                "keep one of the rows"
            };
            return Err(RowsError::Twice { model, example, first: first.place, second: second.place, mend });
        }
        // No cell is there twice, so that the first that is out of its place shows the first that is missing.
        let place = |at: usize| [at / (n * q), at / q % n, at % q].map(|at| at as u32);
        let gone = order.iter().enumerate().find(|(at, row)| row.cell != place(*at)).map_or(rows, |(at, _)| at);
        let [model, example, view] = place(gone).map(|at| at as usize);
        let Some(model) = self.models.order.get(model) else {
            return Ok(order);
        };
        Err(RowsError::Gone {
            model: self.rows.models.get(*model).0.clone(),
            example: self.rows.examples.get(examples.order[example]).0.clone(),
            view: (q > 1).then(|| self.rows.queries.get(self.queries.order[view]).0.clone()),
            rows,
            models: m,
            examples: n,
            queries: q,
        })
    }

    fn names(&self, key: &Key) -> (Name, Name) {
        (self.rows.models.get(key.model).0.clone(), self.rows.examples.get(key.example).0.clone())
    }

    /// Membership and labels, on which all rows of an example have to agree.
    fn described(&self, outputs: Vec<u8>, examples: Sorted, order: &[Row]) -> Result<Split, RowsError> {
        let [m, n, q] = [self.models.order.len(), examples.order.len(), self.queries.order.len()];
        let mut membership = Vec::with_capacity(m * n);
        let mut labels: Vec<Option<Key>> = vec![None; n];
        for views in order.chunks(q) {
            let key = |row: &Row| self.rows.keys[row.at as usize];
            let Some(first) = views.first().map(key) else { continue };
            let side = self.side(&first);
            if let Some(other) = views.iter().map(key).find(|key| self.side(key) != side) {
                let (model, example) = self.names(&first);
                return Err(RowsError::BothSides { model, example, first: first.place, second: other.place });
            }
            membership.push(u8::from(side == Side::In));
            for own in views.iter().map(key) {
                let known = labels[examples.position[own.example as usize] as usize].get_or_insert(own);
                if self.classes.get(known.label as usize) != self.classes.get(own.label as usize) {
                    let name = |key: &Key| self.rows.labels.get(key.label).0.clone();
                    return Err(RowsError::Label {
                        example: self.names(&own).1,
                        one: name(known),
                        first: known.place,
                        other: name(&own),
                        second: own.place,
                    });
                }
            }
        }
        let class =
            |key: &Option<Key>| key.and_then(|key| self.classes.get(key.label as usize).copied()).unwrap_or(0.0);
        let labels = labels.iter().flat_map(|key| class(key).to_le_bytes()).collect();
        Ok(Split { outputs, membership, labels, examples, shape: [m, n, q] })
    }
}
