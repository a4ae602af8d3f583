//! Outputs as a table with one row per model and example.

use std::collections::BTreeMap;
use std::path::Path;

use flatleak_data::records;
use flatleak_data::values::Source;
use flatleak_pool::Wanted;

use super::{Arrays, Given, Imported, from_arrays, wrong};
use crate::Error;

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
    fn find(names: &[String]) -> Result<Self, String> {
        let find = |wanted: &str| names.iter().position(|n| n.eq_ignore_ascii_case(wanted));
        let need = |wanted: &str| {
            find(wanted).ok_or(format!("has no column `{wanted}`: the columns are model, example, member, label, query, held_out, and phi, loss, confidence, logit_0... or probability_0..."))
        };
        let single = SINGLE.iter().filter_map(|(name, given)| Some((*given, vec![find(name)?])));
        let classes = PER_CLASS.iter().filter_map(|(prefix, given)| {
            let all: Vec<usize> = (0..).map_while(|c| find(&format!("{prefix}{c}"))).collect();
            (!all.is_empty()).then_some((*given, all))
        });
        let found: Vec<(Given, Vec<usize>)> = single.chain(classes).collect();
        let [(given, outputs)] = found.as_slice() else {
            return Err(format!(
                "has {} kinds of outputs: give one of phi, loss, confidence, logit_0... and probability_0...",
                found.len()
            ));
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

/// What one split has.
#[derive(Default)]
struct Split {
    /// Model, example, query, member, label of each row.
    keys: Vec<(u64, u64, u64, bool, f64)>,
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
    fn add(&mut self, row: &[f64]) -> Result<(), String> {
        let c = &self.columns;
        let id = |column: usize, what: &str| {
            let v = row[column];
            let whole = v.fract() == 0.0 && (0.0..9e15).contains(&v);
            if whole { Ok(v as u64) } else { Err(format!("{what} {v} is no whole number from 0 on")) }
        };
        let bit = |column: usize, what: &str| match row[column] {
            0.0 => Ok(false),
            1.0 => Ok(true),
            v => Err(format!("{what} is {v}, not 0 or 1")),
        };
        let held_out = c.held_out.map_or(Ok(false), |h| bit(h, "held_out"))?;
        let member = if held_out { false } else { bit(c.member, "member")? };
        let (model, example) = (id(c.model, "model")?, id(c.example, "example")?);
        let query = c.query.map_or(Ok(0), |q| id(q, "query"))?;
        let split = if held_out { &mut self.test } else { &mut self.pool };
        if split.keys.len() == MOST_ROWS {
            return Err(format!("more than {MOST_ROWS} rows: give arrays, which are read in pieces"));
        }
        self.models.insert(model, 0);
        self.queries.insert(query, 0);
        split.examples.insert(example, 0);
        split.keys.push((model, example, query, member, c.label.map_or(0.0, |l| row[l])));
        split.values.extend(c.outputs.iter().map(|&o| row[o]));
        Ok(())
    }
}

/// Arrays as bytes: outputs (M, N, Q, C) or (M, N, Q), membership (M, N), labels (N).
struct Filled {
    shape: Vec<usize>,
    outputs: Vec<u8>,
    membership: Vec<u8>,
    labels: Vec<u8>,
}

/// Puts the rows of a split into their places, of which each has to be filled once.
fn fill(split: &Split, models: &Ids, queries: &Ids, columns: &Columns) -> Result<Filled, String> {
    let (m, n, q, c) = (models.len(), split.examples.len(), queries.len(), columns.outputs.len());
    let cells = m.checked_mul(n).and_then(|mn| mn.checked_mul(q));
    if cells != Some(split.keys.len()) {
        return Err(format!(
            "has {} rows, but {m} models, {n} examples and {q} views: one row is needed for each",
            split.keys.len()
        ));
    }
    let mut outputs = vec![0.0; m * n * q * c];
    let (mut seen, mut membership, mut labels) = (vec![false; m * n * q], vec![2u8; m * n], vec![f64::NAN; n]);
    for (key, values) in split.keys.iter().zip(split.values.chunks_exact(c)) {
        let &(model, example, query, member, label) = key;
        let (k, i) = (models[&model], split.examples[&example]);
        let cell = (k * n + i) * q + queries[&query];
        if std::mem::replace(&mut seen[cell], true) {
            return Err(format!("has model {model}, example {example} twice"));
        }
        if membership[k * n + i] == u8::from(!member) {
            return Err(format!("has model {model}, example {example} as a member and as none"));
        }
        membership[k * n + i] = u8::from(member);
        if !labels[i].is_nan() && labels[i] != label {
            return Err(format!("has example {example} with the labels {} and {label}", labels[i]));
        }
        labels[i] = label;
        outputs[cell * c..(cell + 1) * c].copy_from_slice(values);
    }
    let bytes = |values: Vec<f64>| values.into_iter().flat_map(f64::to_le_bytes).collect();
    let per_class = PER_CLASS.iter().any(|(_, given)| *given == columns.given);
    let shape = if per_class { vec![m, n, q, c] } else { vec![m, n, q] };
    Ok(Filled { shape, outputs: bytes(outputs), membership, labels: bytes(labels) })
}

/// Reads a pool from a CSV or Parquet table with the columns `model`, `example`, `member` (0 or 1), one of `phi`, `loss`, `confidence`, or
/// `logit_0`... or `probability_0`..., and perhaps `label`, `query` (number of the view) and `held_out` (1 for examples outside the pool).
/// Rows may come in any order; models and examples are taken in the order of their numbers.
///
/// # Errors
/// As [`from_arrays`]; rows that are missing or twice, with their model and example.
pub fn from_table(path: &Path, recipe: &str, wanted: &Wanted) -> Result<Imported, Error> {
    let start = |names: &[String]| {
        let columns = Columns::find(names)?;
        let (models, queries) = (Ids::new(), Ids::new());
        Ok(Rows { columns, models, queries, pool: Split::default(), test: Split::default() })
    };
    let read = records::read(path, start, |rows, values| rows.add(values)).and_then(|mut rows| {
        number(&mut rows.models);
        number(&mut rows.queries);
        let splits = [&mut rows.pool, &mut rows.test];
        splits.into_iter().for_each(|split| number(&mut split.examples));
        let filled = |split: &Split| fill(split, &rows.models, &rows.queries, &rows.columns);
        let test = if rows.test.keys.is_empty() { None } else { Some(filled(&rows.test)?) };
        Ok((filled(&rows.pool)?, test, rows.columns))
    });
    let (pool, test, columns) = read.map_err(wrong(path))?;
    let n = [pool.labels.len() / 8];
    let t = [test.as_ref().map_or(0, |t| t.labels.len() / 8)];
    let labelled = columns.label.is_some();
    let memory = |descr, shape, bytes| Source::Memory { descr, shape, bytes };
    let membership_shape = [pool.shape[0], n[0]];
    let arrays = Arrays {
        recipe,
        given: columns.given,
        wanted,
        outputs: memory("<f8", &pool.shape, &pool.outputs),
        labels: labelled.then(|| memory("<f8", &n, &pool.labels)),
        membership: memory("|u1", &membership_shape, &pool.membership),
        test: test
            .as_ref()
            .map(|test| (memory("<f8", &test.shape, &test.outputs), labelled.then(|| memory("<f8", &t, &test.labels)))),
        features: None,
    };
    from_arrays(&arrays).map_err(|e| match e {
        // The table is what has it, not an array.
        Error::Import { reason, .. } => wrong(path)(reason),
        other => other,
    })
}
