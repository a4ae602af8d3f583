//! Pools as NumPy archives, under the names of Feldman and Zhang's released estimates (2020, arXiv 2008.03703).
//!
//! | key | shape | |
//! |---|---|---|
//! | `trainset_mask` | (M, N) | which model was trained on which example |
//! | `trainset_correctness` | (M, N) | who is right about it |
//! | `testset_correctness` | (M, T) | who is right about held-out examples; may be absent |
//! | `memorization` | (N) | written, not read |
//! | `influence` | (T, N) | written below [`INFLUENCE_LIMIT`] bytes, not read |
//! | `labels`, `test_labels`, `groups`, `test_groups` | (N), (T) | may be absent |

use std::collections::BTreeMap;
use std::path::Path;

use flatleak_data::npy::{self, Numbers};
use flatleak_data::{budget, files, npz};
use flatleak_pool::{Groups, Membership, Pool, Signals};

use crate::artefact::f32_bytes;
use crate::error::Error;
use crate::npy::{Array, archive};
use crate::problem::{CorrectnessError, ImportError};

/// Most bytes of an influence matrix that is written.
pub const INFLUENCE_LIMIT: usize = 1 << 28;

/// A pool as an `.npz` archive; `influence` is (T, N) in C order.
///
/// # Errors
/// When the archive cannot be encoded.
pub fn export_npz(pool: &Pool, memorization: &[f64], influence: Option<&[f32]>) -> Result<Vec<u8>, Error> {
    let (models, n, t) = (pool.membership.models(), pool.examples(), pool.held_out());
    let bits = |rows: &dyn Fn(usize) -> Vec<u8>| (0..models).flat_map(rows).collect::<Vec<u8>>();
    let words = |values: &[u32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let mask = bits(&|k| pool.membership.row(k).iter().map(|m| u8::from(*m)).collect());
    let train = bits(&|k| pool.pool[k].correct.clone());
    let (pool_shape, test_shape) = ([models, n], [models, t]);
    let (n_shape, t_shape, pairs) = ([n], [t], [t, n]);
    let mut arrays = vec![
        ("trainset_mask", Array { descr: "|b1", shape: &pool_shape, body: mask }),
        ("trainset_correctness", Array { descr: "|b1", shape: &pool_shape, body: train }),
        (
            "memorization",
            Array { descr: "<f8", shape: &n_shape, body: memorization.iter().flat_map(|v| v.to_le_bytes()).collect() },
        ),
    ];
    if let Some(labels) = &pool.labels {
        arrays.push(("labels", Array { descr: "<u4", shape: &n_shape, body: words(labels) }));
    }
    if !pool.test.is_empty() && t > 0 {
        let test = bits(&|k| pool.test[k].correct.clone());
        arrays.push(("testset_correctness", Array { descr: "|b1", shape: &test_shape, body: test }));
        if let Some(labels) = &pool.test_labels {
            arrays.push(("test_labels", Array { descr: "<u4", shape: &t_shape, body: words(labels) }));
        }
    }
    if let Some(influence) = influence {
        arrays.push(("influence", Array { descr: "<f4", shape: &pairs, body: f32_bytes(influence) }));
    }
    if let Some(groups) = &pool.groups {
        arrays.push(("groups", Array { descr: "<u4", shape: &n_shape, body: words(&groups.pool) }));
        arrays.push(("test_groups", Array { descr: "<u4", shape: &t_shape, body: words(&groups.test) }));
    }
    archive(&arrays)
}

/// Reads a pool of which who is right is known, and no more. The recipe is named after the file.
///
/// # Errors
/// [`Error::Import`] with what is wrong; nothing is guessed.
pub fn import_npz(path: &Path) -> Result<Pool, Error> {
    read(path).map_err(|problem| match problem {
        // Sizes that no pool can have speak for themselves.
        ImportError::Pool(e) => e.into(),
        problem => Error::import(path, problem),
    })
}

fn read(path: &Path) -> Result<Pool, ImportError> {
    let arrays = npz::archive(&files::read(path)?, &WANTED)?;
    for array in arrays.values() {
        if let &[rows, columns] = array.shape.as_slice() {
            let of_row = budget::product(&[columns, OF_VALUE]).and_then(|all| all.checked_add(OF_ROW));
            budget::memory("its rows", of_row.and_then(|row| row.checked_mul(rows as u64)))?;
        }
    }
    let needed = |name| table(&arrays, name)?.ok_or(CorrectnessError::Missing { name });
    let (mask, right) = (needed("trainset_mask")?, needed("trainset_correctness")?);
    let test = table(&arrays, "testset_correctness")?;
    let n = mask.first().map_or(0, Vec::len);
    fits("trainset_correctness", &right, mask.len(), Some(n))?;
    let t = test.as_ref().and_then(|t| t.first()).map_or(0, Vec::len);
    if let Some(test) = &test {
        fits("testset_correctness", test, mask.len(), None)?;
    }
    let vector = |name, length| numbers(&arrays, name, length);
    let groups = match (vector("groups", n)?, vector("test_groups", t)?) {
        (Some(pool), Some(test)) => {
            let most = pool.iter().chain(&test).max().map_or(0, |g| *g as usize + 1);
            if most > n + t {
                return Err(CorrectnessError::Group { group: most - 1, examples: n + t }.into());
            }
            Some(Groups { names: (0..most).map(|g| format!("group {g}")).collect(), pool, test })
        }
        _ => None,
    };
    let membership = Membership::from_rows(mask.iter().map(|row| row.iter().map(|v| *v != 0).collect::<Vec<bool>>()))?;
    Ok(Pool {
        test_labels: vector("test_labels", t)?,
        groups,
        test: test.unwrap_or_default().into_iter().map(Signals::from_correct).collect(),
        ..Pool::new(
            path.file_stem().map_or("imported".into(), |s| s.to_string_lossy().into_owned()),
            membership,
            vector("labels", n)?,
            right.into_iter().map(Signals::from_correct).collect(),
        )?
    })
}

/// Bytes of a value in memory: as a row, and as the signals of a model.
const OF_VALUE: usize = 16;
/// Bytes of a row beside its values.
const OF_ROW: u64 = 256;

/// Largest number of a class or group.
const MOST: u32 = (1 << 24) - 1;

/// What is read of an archive.
const WANTED: [&str; 7] =
    ["trainset_mask", "trainset_correctness", "testset_correctness", "labels", "test_labels", "groups", "test_groups"];

/// Arrays by name.
type Named = BTreeMap<String, npy::Array>;

/// Rows of 0 and 1; `None` where the array is absent.
fn table(arrays: &Named, name: &'static str) -> Result<Option<Vec<Vec<u8>>>, CorrectnessError> {
    let Some(array) = arrays.get(name) else { return Ok(None) };
    let columns = match *array.shape.as_slice() {
        [rows, columns] if rows > 0 && columns > 0 => columns,
        _ => return Err(CorrectnessError::Shape { name, found: array.shape.clone() }),
    };
    let bit = |value: f64| {
        let known = value == 0.0 || value == 1.0;
        if known { Ok(value as u8) } else { Err(CorrectnessError::Bit { name, value }) }
    };
    let bits: Vec<u8> = match &array.values {
        Numbers::Bytes(v) => v.iter().map(|b| bit(f64::from(*b))).collect::<Result<_, _>>()?,
        Numbers::Integers(v) => v.iter().map(|b| bit(*b as f64)).collect::<Result<_, _>>()?,
        Numbers::Floats(v) => v.iter().map(|b| bit(f64::from(*b))).collect::<Result<_, _>>()?,
    };
    Ok(Some(bits.chunks_exact(columns).map(<[u8]>::to_vec).collect()))
}

fn fits(name: &'static str, found: &[Vec<u8>], runs: usize, examples: Option<usize>) -> Result<(), CorrectnessError> {
    let (rows, columns) = (found.len(), found.first().map_or(0, Vec::len));
    if rows != runs || examples.is_some_and(|n| n != columns) {
        return Err(CorrectnessError::Fit { name, rows, columns, runs, examples });
    }
    Ok(())
}

/// Whole numbers from 0, one per example.
fn numbers(arrays: &Named, name: &'static str, expected: usize) -> Result<Option<Vec<u32>>, CorrectnessError> {
    let Some(array) = arrays.get(name) else { return Ok(None) };
    let no = || CorrectnessError::Number { name };
    let whole = |v: i64| u32::try_from(v).ok().filter(|v| *v <= MOST).ok_or_else(no);
    let values: Vec<u32> = match &array.values {
        Numbers::Bytes(v) => v.iter().map(|b| u32::from(*b)).collect(),
        Numbers::Integers(v) => v.iter().map(|b| whole(*b)).collect::<Result<_, _>>()?,
        Numbers::Floats(v) => v
            .iter()
            .map(|b| if b.fract() == 0.0 && b.abs() < 1e8 { whole(*b as i64) } else { Err(no()) })
            .collect::<Result<_, _>>()?,
    };
    if values.len() != expected {
        return Err(CorrectnessError::Length { name, found: values.len(), expected });
    }
    Ok(Some(values))
}
