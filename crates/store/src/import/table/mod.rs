//! Outputs as a table with one row per model and example.
//!
//! A column is told by its name ([`names`]), whatever its case. Models, examples and views are taken in the natural order of their names
//! ([`natural`]), never in that of the rows. What can have two meanings is refused with both of them.

mod arrange;
mod classes;
mod columns;
mod member;
mod names;
mod natural;
mod note;
mod problem;
mod rows;

use std::path::Path;

use flatleak_data::records;
use flatleak_data::values::Source;
use flatleak_pool::Wanted;

use self::arrange::{Arranged, Split, arrange};
use self::classes::Classes;
use self::columns::{Columns, Layout};
use self::rows::Rows;
use super::arrays::{Arrays, HeldOut, from_arrays};
use super::given::Given;
use super::imported::Imported;
use super::terms::Terms;
use crate::error::Error;
use crate::implausible::Dark;
use crate::problem::{ImportError, OutputsError};

pub use natural::Name;
pub use problem::RowsError;

/// Reads a pool from a table of one row per model and example: CSV, Parquet, or Arrow IPC and Feather.
///
/// It has columns for the model, the example and who is a member, one of `phi`, `loss`, `confidence`, or logits or probabilities, as one
/// column per class or as one of lists, and perhaps for the label, the number of the view and what is held out. Rows may come in any
/// order; models and examples are taken in the natural order of their names. What was seen is the first of the notes.
///
/// # Errors
/// What is ambiguous or missing, with the row, the column and the mend; what [`from_arrays`] says of the values.
pub fn from_table(path: &Path, recipe: &str, wanted: &Wanted) -> Result<Imported, Error> {
    let wrong = |problem: ImportError| Error::import(path, problem);
    let start = |heads: &[records::Head]| {
        let columns = Columns::find(heads)?;
        let wanted = columns.wanted.clone();
        Ok::<_, ImportError>((Rows::new(columns), wanted))
    };
    let read = records::read(path, start, |rows, place, fields| Ok(rows.add(place, fields)?));
    let mut rows = read.map_err(wrong)?;
    let (arranged, mapping) = arranged(&mut rows).map_err(|problem| wrong(problem.into()))?;
    let found = pool(&rows, &arranged, recipe, wanted);
    let mut found = found.map_err(|error| match error {
        // The table is what has it, not an array.
        Error::Import { problem, .. } => wrong(located(problem, &rows, &arranged)),
        other => other,
    })?;
    found.notes.splice(0..0, [note::seen(&rows, &arranged)].into_iter().chain(mapping));
    Ok(found)
}

/// The rows as arrays, and what is to be said of the labels.
fn arranged(rows: &mut Rows) -> Result<(Arranged, Option<String>), RowsError> {
    if rows.keys.is_empty() {
        return Err(RowsError::NoRows);
    }
    let (member, split) = rows.columns.member;
    let sides = rows.words.sides(&rows.columns.names[member], split)?;
    let named: Vec<(String, String)>;
    let classes = match &rows.columns.outputs.layout {
        Layout::Single => Classes::None,
        // One column stands for two classes.
        Layout::List | Layout::Numbered => Classes::Count(rows.width.max(2), rows.columns.kind()),
        Layout::Named(classes) => {
            let columns = rows.columns.outputs.at.iter().map(|at| rows.columns.names[*at].clone());
            named = classes.iter().cloned().zip(columns).collect();
            Classes::Named(&named)
        }
    };
    let column = rows.columns.label.map_or("", |at| &rows.columns.names[at]);
    let (numbers, mapping) = classes::number(&rows.labels, classes, column)?;
    Ok((arrange(rows, &sides, &numbers)?, mapping))
}

/// The pool of arrays in memory.
fn pool(rows: &Rows, arranged: &Arranged, recipe: &str, wanted: &Wanted) -> Result<Imported, Error> {
    let per_class = matches!(rows.columns.given, Given::Logits | Given::Probabilities);
    let shape = |split: &Split| {
        let mut shape = split.shape.to_vec();
        shape.extend(per_class.then_some(rows.width));
        shape
    };
    let memory = |descr, shape, bytes| Source::Memory { descr, shape, bytes };
    let labelled = rows.columns.label.is_some();
    let (own, [m, n, _]) = (shape(&arranged.pool), arranged.pool.shape);
    let (examples, both) = ([n], [m, n]);
    let test = arranged.held_out.as_ref().map(|test| (test, shape(test), [test.shape[1]]));
    from_arrays(&Arrays {
        recipe,
        given: rows.columns.given,
        wanted,
        terms: Terms::Columns,
        outputs: memory("<f8", &own, &arranged.pool.outputs),
        labels: labelled.then(|| memory("<f8", &examples, &arranged.pool.labels)),
        membership: memory("|u1", &both, &arranged.pool.membership),
        test: test.as_ref().map(|(test, shape, t)| HeldOut {
            outputs: memory("<f8", shape, &test.outputs),
            labels: labelled.then(|| memory("<f8", t, &test.labels)),
        }),
        features: None,
    })
}

/// What is wrong with an output, with the row of the table.
fn located(problem: ImportError, rows: &Rows, arranged: &Arranged) -> ImportError {
    let at = match &problem {
        ImportError::Outputs(OutputsError::Range { model, example, .. } | OutputsError::Sum { model, example, .. }) => {
            (*model, *example)
        }
        ImportError::Outputs(OutputsError::NoNumbers { models }) => match models.first() {
            Some(Dark { model, first: Some((_, example)), .. }) => (*model, *example),
            _ => return problem,
        },
        _ => return problem,
    };
    let of = |split: &Split| {
        let (model, example) = (*arranged.models.order.get(at.0)?, *split.examples.order.get(at.1)?);
        rows.keys.iter().find(|key| key.model == model && key.example == example)
    };
    // Only where nothing is held out is it known of which examples this was said.
    match of(&arranged.pool).filter(|_| arranged.held_out.is_none()) {
        Some(key) => ImportError::Row {
            place: key.place,
            model: rows.models.get(key.model).0.clone(),
            example: rows.examples.get(key.example).0.clone(),
            problem: Box::new(problem),
        },
        None => problem,
    }
}
