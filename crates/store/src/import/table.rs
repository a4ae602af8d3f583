//! Outputs as a table with one row per model and example.

use std::collections::BTreeMap;
use std::path::Path;

use flatleak_data::records::{self, Place};
use flatleak_data::values::Source;
use flatleak_pool::Wanted;

use super::arrays::{Arrays, HeldOut, from_arrays};
use super::given::Given;
use super::imported::Imported;
use crate::error::Error;
use crate::problem::{ImportError, RowsError};

/// Most rows of a table, which is held whole; larger pools come as arrays, which are read in pieces.
const MOST_ROWS: usize = 1 << 26;

/// Where the columns are.
struct Columns {
    model: usize,
    example: usize,
    member: usize,
    label: Option<usize>,
    query: Option<usize>,
    held_out: Option<usize>,
    given: Given,
    /// One, or one per class.
    outputs: Vec<usize>,
}

/// The columns of single outputs by name, and those per class by prefix.
const SINGLE: [(&str, Given); 3] = [("phi", Given::Phi), ("loss", Given::Loss), ("confidence", Given::Confidence)];
const PER_CLASS: [(&str, Given); 2] = [("logit_", Given::Logits), ("probability_", Given::Probabilities)];

impl Columns {
    fn find(names: &[String]) -> Result<Self, RowsError> {
        let find = |wanted: &str| names.iter().position(|n| n.eq_ignore_ascii_case(wanted));
        let need = |name: &'static str| find(name).ok_or(RowsError::NoColumn { name });
        let single = SINGLE.iter().filter_map(|(name, given)| Some((*given, vec![find(name)?])));
        let classes = PER_CLASS.iter().filter_map(|(prefix, given)| {
            let all: Vec<usize> = (0..).map_while(|c| find(&format!("{prefix}{c}"))).collect();
            (!all.is_empty()).then_some((*given, all))
        });
        let found: Vec<(Given, Vec<usize>)> = single.chain(classes).collect();
        let [(given, outputs)] = found.as_slice() else {
            return Err(RowsError::Kinds { found: found.len() });
        };
        Ok(Self {
            model: need("model")?,
            example: need("example")?,
            member: need("member")?,
            label: find("label"),
            query: find("query"),
            held_out: find("held_out"),
            given: *given,
            outputs: outputs.clone(),
        })
    }
}

/// Names of models, examples and views, and where they stand.
type Ids = BTreeMap<u64, usize>;

fn number(ids: &mut Ids) {
    ids.values_mut().enumerate().for_each(|(at, id)| *id = at);
}

/// Of which cell of the pool a row is, and what it says beside the outputs.
struct Key {
    model: u64,
    example: u64,
    query: u64,
    member: bool,
    label: f64,
}

/// What one split has.
#[derive(Default)]
struct Split {
    keys: Vec<Key>,
    values: Vec<f64>,
    examples: Ids,
}

struct Rows {
    columns: Columns,
    models: Ids,
    queries: Ids,
    pool: Split,
    test: Split,
}

impl Rows {
    fn add(&mut self, place: Place, row: &[f64]) -> Result<(), RowsError> {
        let c = &self.columns;
        let id = |at: usize, column: &'static str| {
            let value = row[at];
            let whole = value.fract() == 0.0 && (0.0..9e15).contains(&value);
            if whole { Ok(value as u64) } else { Err(RowsError::Id { place, column, value }) }
        };
        let bit = |at: usize, column: &'static str| match row[at] {
            0.0 => Ok(false),
            1.0 => Ok(true),
            value => Err(RowsError::Bit { place, column, value }),
        };
        let held_out = c.held_out.map_or(Ok(false), |h| bit(h, "held_out"))?;
        let member = if held_out { false } else { bit(c.member, "member")? };
        let (model, example) = (id(c.model, "model")?, id(c.example, "example")?);
        let query = c.query.map_or(Ok(0), |q| id(q, "query"))?;
        let split = if held_out { &mut self.test } else { &mut self.pool };
        if split.keys.len() == MOST_ROWS {
            return Err(RowsError::TooMany { place, most: MOST_ROWS });
        }
        self.models.insert(model, 0);
        self.queries.insert(query, 0);
        split.examples.insert(example, 0);
        split.keys.push(Key { model, example, query, member, label: c.label.map_or(0.0, |l| row[l]) });
        split.values.extend(c.outputs.iter().map(|&o| row[o]));
        Ok(())
    }

    /// The arrays of a split.
    fn fill(&self, split: &Split) -> Result<Filled, RowsError> {
        let Self { columns, models, queries, .. } = self;
        let (m, n, q, c) = (models.len(), split.examples.len(), queries.len(), columns.outputs.len());
        let cells = m.checked_mul(n).and_then(|mn| mn.checked_mul(q));
        if cells != Some(split.keys.len()) {
            return Err(RowsError::Count { rows: split.keys.len(), models: m, examples: n, queries: q });
        }
        let mut outputs = vec![0.0; m * n * q * c];
        let (mut seen, mut membership, mut labels) = (vec![false; m * n * q], vec![2u8; m * n], vec![f64::NAN; n]);
        for (key, values) in split.keys.iter().zip(split.values.chunks_exact(c)) {
            let &Key { model, example, query, member, label } = key;
            let (k, i) = (models[&model], split.examples[&example]);
            let cell = (k * n + i) * q + queries[&query];
            if std::mem::replace(&mut seen[cell], true) {
                return Err(RowsError::Twice { model, example });
            }
            if membership[k * n + i] == u8::from(!member) {
                return Err(RowsError::Member { model, example });
            }
            membership[k * n + i] = u8::from(member);
            if !labels[i].is_nan() && labels[i] != label {
                return Err(RowsError::Label { example, first: labels[i], second: label });
            }
            labels[i] = label;
            outputs[cell * c..(cell + 1) * c].copy_from_slice(values);
        }
        let bytes = |values: Vec<f64>| values.into_iter().flat_map(f64::to_le_bytes).collect();
        let per_class = PER_CLASS.iter().any(|(_, given)| *given == columns.given);
        let shape = if per_class { vec![m, n, q, c] } else { vec![m, n, q] };
        Ok(Filled { shape, outputs: bytes(outputs), membership, labels: bytes(labels), examples: n })
    }
}

/// Arrays as bytes: outputs (M, N, Q, C) or (M, N, Q), membership (M, N), labels (N).
struct Filled {
    shape: Vec<usize>,
    outputs: Vec<u8>,
    membership: Vec<u8>,
    labels: Vec<u8>,
    /// N.
    examples: usize,
}

/// Reads a pool from a CSV or Parquet table with the columns `model`, `example`, `member` (0 or 1), one of `phi`, `loss`, `confidence`, or
/// `logit_0`... or `probability_0`..., and perhaps `label`, `query` (number of the view) and `held_out` (1 for examples outside the pool).
/// Rows may come in any order; models and examples are taken in the order of their numbers.
///
/// # Errors
/// As [`from_arrays`]; rows that are missing or twice, with their model and example.
pub fn from_table(path: &Path, recipe: &str, wanted: &Wanted) -> Result<Imported, Error> {
    let wrong = |problem: ImportError| Error::import(path, problem);
    let start = |names: &[String]| {
        let columns = Columns::find(names)?;
        let (models, queries) = (Ids::new(), Ids::new());
        Ok::<_, ImportError>(Rows { columns, models, queries, pool: Split::default(), test: Split::default() })
    };
    let read = records::read(path, start, |rows, place, values| Ok(rows.add(place, values)?));
    let mut rows = read.map_err(wrong)?;
    [&mut rows.models, &mut rows.queries, &mut rows.pool.examples, &mut rows.test.examples]
        .into_iter()
        .for_each(number);
    let filled = |split: &Split| rows.fill(split).map_err(|e| wrong(e.into()));
    let test = if rows.test.keys.is_empty() { None } else { Some(filled(&rows.test)?) };
    let pool = filled(&rows.pool)?;
    let (n, t) = ([pool.examples], [test.as_ref().map_or(0, |t| t.examples)]);
    let labelled = rows.columns.label.is_some();
    let memory = |descr, shape, bytes| Source::Memory { descr, shape, bytes };
    let membership_shape = [pool.shape[0], n[0]];
    let arrays = Arrays {
        recipe,
        given: rows.columns.given,
        wanted,
        outputs: memory("<f8", &pool.shape, &pool.outputs),
        labels: labelled.then(|| memory("<f8", &n, &pool.labels)),
        membership: memory("|u1", &membership_shape, &pool.membership),
        test: test.as_ref().map(|test| HeldOut {
            outputs: memory("<f8", &test.shape, &test.outputs),
            labels: labelled.then(|| memory("<f8", &t, &test.labels)),
        }),
        features: None,
    };
    from_arrays(&arrays).map_err(|e| match e {
        // The table is what has it, not an array.
        Error::Import { problem, .. } => wrong(problem),
        other => other,
    })
}
