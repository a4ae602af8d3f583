//! The Python package's native part: takes arrays as bytes, gives JSON, HTML and bytes; everything else is in Python.
//!
//! Work is done with the interpreter's lock released.

use flatleak::{Pools, Settings, Variant, machine};
use flatleak_attack::Attack;
use flatleak_data::ArrayError;
use flatleak_data::values::Source;
use flatleak_explain::{Design, Influence, Memorization};
use flatleak_pool::{Matrix, Membership, Pool, Signal, Signals};
use flatleak_report::{html, json};
use flatleak_results::Relevant;
use flatleak_store::{Arrays, FeatureArrays, Given, HeldOut, Terms, from_arrays};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

/// An array: NumPy's name of its element type, its shape, its values in C order.
type Array = (String, Vec<usize>, PyBackedBytes);

/// A pool: name, what its outputs are, outputs, labels, membership, held-out outputs with their labels, and features of both sets.
type Outputs = (String, String, Array, Option<Array>, Array, Option<(Array, Option<Array>)>, Option<(Array, Array)>);

/// How an audit is run, from a dictionary.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Asked {
    variant: String,
    attacks: Vec<String>,
    relevant: String,
}

fn wrong(e: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(e.to_string())
}

/// Worker threads: as many as are asked for, or one per core.
fn at_least_one(workers: Option<usize>) -> PyResult<usize> {
    match workers {
        Some(0) => Err(wrong("workers = 0, but at least 1 is needed: leave it out for one per core")),
        given => Ok(given.unwrap_or_else(machine::cores).max(1)),
    }
}

fn source(array: &Array) -> Source<'_> {
    Source::Memory { descr: &array.0, shape: &array.1, bytes: &array.2 }
}

fn given(name: &str) -> PyResult<Given> {
    let all = [Given::Logits, Given::Probabilities, Given::Phi, Given::Loss, Given::Confidence];
    all.into_iter().find(|g| g.name() == name).ok_or_else(|| wrong(format!("there are no outputs called {name:?}")))
}

/// Attacks, compares and explains pools: `results.json` and `report.html`.
#[pyfunction]
fn audit(
    py: Python<'_>,
    pools: Vec<Outputs>,
    name: String,
    asked: Asked,
    seed: u64,
    workers: Option<usize>,
) -> PyResult<(String, String)> {
    let variant = Variant::parse(&asked.variant).map_err(wrong)?;
    let named = asked.attacks.iter().map(|name| name.parse().map_err(wrong)).collect::<PyResult<Vec<Attack>>>()?;
    let relevant = asked.relevant.parse::<Relevant>().map_err(wrong)?;
    let attacks = flatleak::attacks(variant, &named);
    let wanted = flatleak::wanted(variant, &attacks);
    let kinds = pools.iter().map(|p| given(&p.1)).collect::<PyResult<Vec<_>>>()?;
    py.detach(|| {
        let mut all = Pools::default();
        for ((recipe, _, outputs, labels, membership, test, features), kind) in pools.iter().zip(kinds) {
            let arrays = Arrays {
                recipe,
                given: kind,
                wanted: &wanted,
                terms: Terms::Arguments,
                outputs: source(outputs),
                labels: labels.as_ref().map(source),
                membership: source(membership),
                test: test
                    .as_ref()
                    .map(|(outputs, labels)| HeldOut { outputs: source(outputs), labels: labels.as_ref().map(source) }),
                features: features
                    .as_ref()
                    .map(|(pool, test)| FeatureArrays { pool: source(pool), test: source(test) }),
            };
            all.add(from_arrays(&arrays).map_err(wrong)?).map_err(wrong)?;
        }
        let workers = at_least_one(workers)?;
        let settings = Settings { name: &name, attacks: &attacks, relevant, seed, workers };
        // Ctrl-C is looked at after every step; what it raises goes on to the caller.
        let mut raised = None;
        let done = all.audit(&settings, |_| {
            raised = Python::attach(|py| py.check_signals()).err();
            raised.is_none()
        });
        let (document, _) = done.map_err(|e| raised.take().unwrap_or_else(|| wrong(e)))?;
        Ok((json::render(&document).map_err(wrong)?, html::render(&document, &|_| None).map_err(wrong)?))
    })
}

/// Rows of 0 and 1.
fn rows(array: &Array, what: &str) -> PyResult<Matrix<u8>> {
    let refused = |problem: String| wrong(format!("{what} {problem}"));
    let read = source(array).with(what, |found| Ok::<_, ArrayError>((found.shape().to_vec(), found.all()?)));
    let (shape, all) = read.map_err(|problem| refused(problem.to_string()))?;
    let &[_, examples] = shape.as_slice() else {
        return Err(refused(format!("is of shape {shape:?}, not (models, examples)")));
    };
    if all.iter().any(|v| *v != 0.0 && *v != 1.0) || examples == 0 {
        return Err(refused("holds other values than 0 and 1, or none".into()));
    }
    let rows = all.chunks_exact(examples);
    Ok(Matrix::from_rows(rows).map_err(wrong)?.map(|v| *v as u8))
}

fn design(membership: &Array) -> PyResult<Membership> {
    let rows = rows(membership, "membership")?;
    Membership::from_rows(&rows.map(|v| *v == 1)).map_err(wrong)
}

fn as_bytes<const K: usize, T>(values: impl IntoIterator<Item = T>, to: impl Fn(T) -> [u8; K]) -> Vec<u8> {
    values.into_iter().flat_map(to).collect()
}

/// Memorization of every example and its standard error, f64, from who is right about what.
#[pyfunction]
fn memorization(py: Python<'_>, correct: Array, membership: Array) -> PyResult<(Vec<u8>, Vec<u8>)> {
    py.detach(|| {
        let (right, membership) = (rows(&correct, "correct")?, design(&membership)?);
        let n = membership.examples();
        if right.len() != membership.models() || right.columns() != n {
            return Err(wrong("correct and membership differ in shape"));
        }
        let pool = Pool::new(
            "model",
            membership,
            None::<Vec<u32>>,
            right.iter().map(|row| Signals::from_correct(row.to_vec())).collect(),
        )
        .map_err(wrong)?;
        let found = Memorization::new(&pool, Signal::Correct).map_err(wrong)?;
        let bytes = |values: &[f64]| as_bytes(values.iter().copied(), f64::to_le_bytes);
        Ok((bytes(found.values()), bytes(&found.standard_errors())))
    })
}

/// Influence of every training example on every held-out one, (T, N) f32, from who is right about the latter.
#[pyfunction]
fn influence(py: Python<'_>, test_correct: Array, membership: Array, workers: Option<usize>) -> PyResult<Vec<u8>> {
    py.detach(|| {
        let (right, membership) = (rows(&test_correct, "test_correct")?, design(&membership)?);
        let design = Design::new(&membership).map_err(wrong)?;
        let found = Influence::hard(&design, right.rows()).map_err(wrong)?;
        let workers = at_least_one(workers)?;
        let rows = found.sweep(workers, |row| row.values().into_owned());
        Ok(as_bytes(rows.into_iter().flatten(), f32::to_le_bytes))
    })
}

/// The blocked design, (M, N) as bytes of 0 and 1.
#[pyfunction]
fn membership(examples: usize, models: usize, seed: u64) -> PyResult<Vec<u8>> {
    let found = Membership::complementary(seed, models, examples).map_err(wrong)?;
    Ok((0..models).flat_map(|m| found.row(m).iter().map(|v| u8::from(*v)).collect::<Vec<_>>()).collect())
}

/// Python's name of this module is `flatleak._flatleak`.
#[pymodule]
fn _flatleak(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    m.add("FAMILY", flatleak_verdict::FAMILY.map(flatleak_attack::Attack::name))?;
    m.add_function(wrap_pyfunction!(audit, m)?)?;
    m.add_function(wrap_pyfunction!(memorization, m)?)?;
    m.add_function(wrap_pyfunction!(influence, m)?)?;
    m.add_function(wrap_pyfunction!(membership, m)?)
}
