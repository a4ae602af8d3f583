//! Arrays of as many models as examples: which axis is which (book/inputs.md#square-arrays).

use flatleak_data::values::Source;

use super::asked::Asked;
use super::axes::Sizes;
use super::given::Given;
use super::outputs::SURE;
use crate::problem::{ImportError, OutputsError};

/// How many times as much the means over one axis have to differ as those over the other.
const MORE: f64 = 10.0;
/// Models and examples below which such means tell nothing.
const FEWEST: usize = 16;
/// Standard deviations within which something is an accident.
const ACCIDENT: f64 = 3.0;

/// Which arrays have examples before models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turned {
    pub(super) outputs: bool,
    pub(super) membership: bool,
}

/// One number for each place of an array of outputs, and whether it is turned, where its labels say so.
struct Grid {
    values: Vec<f64>,
    turned: Option<bool>,
}

/// Which way square outputs and their membership stand. `is_turned` says it of a membership of which it is known.
///
/// # Errors
/// Two readings of which nothing tells which is right.
pub(super) fn turned(
    outputs: Source<'_>,
    asked: Asked<'_>,
    sizes: Sizes,
    mask: &[Vec<bool>],
    is_turned: Option<bool>,
) -> Result<Turned, ImportError> {
    let n = sizes.models;
    let grid = grid(outputs, asked, sizes)?;
    let outputs = grid.turned.or_else(|| (!asked.given.has_classes()).then(|| by_means(&grid.values, n)).flatten());
    let membership = is_turned.or_else(|| by_pairs(mask));
    let alike = alike(&grid.values, mask);
    let found = match (outputs, membership, alike) {
        (Some(o), Some(m), None) => Some((o, m)),
        (Some(o), Some(m), Some(alike)) => (alike == (o == m)).then_some((o, m)),
        (Some(o), None, Some(alike)) => Some((o, o == alike)),
        (None, Some(m), Some(alike)) => Some((m == alike, m)),
        _ => None,
    };
    let (outputs, membership) = found.ok_or(OutputsError::Square { size: n })?;
    Ok(Turned { outputs, membership })
}

/// Numbers that rise with how well an output goes with its label.
fn grid(outputs: Source<'_>, asked: Asked<'_>, sizes: Sizes) -> Result<Grid, ImportError> {
    let Sizes { models: n, queries, columns, .. } = sizes;
    outputs.with(asked.given.name(), |found| {
        let mut rows = Vec::new();
        for _ in 0..n {
            let row = found.next(n * queries * columns)?;
            rows.extend(row.chunks(queries * columns).flat_map(|one| one[..columns].to_vec()));
        }
        let own = |at: usize| &rows[at * columns..][..columns];
        let Some(labels) = asked.labels.filter(|l| asked.given.has_classes() && l.len() == n) else {
            let sign = if asked.given == Given::Loss { -1.0 } else { 1.0 };
            let value = |v: f64| if v.is_finite() { sign * v } else { 0.0 };
            let values = (0..n * n).map(|at| value(own(at)[0])).collect();
            return Ok(Grid { values, turned: None });
        };
        let by = |label: &dyn Fn(usize) -> u32| -> Vec<f64> {
            (0..n * n).map(|at| margin(own(at), label(at), asked.given)).collect()
        };
        let (plain, turned) = (by(&|at| labels[at % n]), by(&|at| labels[at / n]));
        // Models err together on an example.
        let right = |all: &[f64], of: &dyn Fn(usize, usize) -> usize| -> Vec<f64> {
            let share = |i: usize| (0..n).filter(|k| all[of(*k, i)] > 0.0).count() as f64 / n as f64;
            (0..n).map(share).collect()
        };
        let z = apart(&right(&plain, &|k, i| k * n + i), &right(&turned, &|k, i| i * n + k));
        let told = (z.abs() > SURE).then_some(z < 0.0);
        Ok(Grid { values: if told == Some(true) { turned } else { plain }, turned: told })
    })
}

/// By how many standard errors the mean of the first lies above that of the second.
fn apart(a: &[f64], b: &[f64]) -> f64 {
    let moments = |all: &[f64]| {
        let n = all.len() as f64;
        let mean = all.iter().sum::<f64>() / n;
        (mean, all.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0) / n)
    };
    let ((a, u), (b, v)) = (moments(a), moments(b));
    if u + v > 0.0 { (a - b) / (u + v).sqrt() } else { 0.0 }
}

/// By how much the label's value is more than every other.
fn margin(row: &[f64], label: u32, given: Given) -> f64 {
    let margin = match *row {
        // One column of two classes, or a predicted class.
        [v] if label > 1 || v > 1.0 && given == Given::Probabilities => {
            f64::from(u8::from(v == f64::from(label))) - 0.5
        }
        [v] => (v - if given == Given::Probabilities { 0.5 } else { 0.0 }) * if label == 1 { 1.0 } else { -1.0 },
        _ => {
            let y = label as usize;
            let others = row.iter().enumerate().filter(|(c, _)| *c != y).map(|(_, v)| *v);
            row.get(y).map_or(0.0, |own| own - others.fold(f64::NEG_INFINITY, f64::max))
        }
    };
    if margin.is_finite() { margin } else { 0.0 }
}

/// Whether examples stand first: their means differ far more than those of models do.
fn by_means(values: &[f64], n: usize) -> Option<bool> {
    if n < FEWEST {
        return None;
    }
    let spread = |of: &dyn Fn(usize, usize) -> usize| -> f64 {
        let means: Vec<f64> = (0..n).map(|a| (0..n).map(|b| values[of(a, b)]).sum::<f64>() / n as f64).collect();
        let mean = means.iter().sum::<f64>() / n as f64;
        means.iter().map(|v| (v - mean).powi(2)).sum()
    };
    let (first, second) = (spread(&|a, b| a * n + b), spread(&|a, b| b * n + a));
    match () {
        () if second > MORE * first => Some(false),
        () if first > MORE * second => Some(true),
        () => None,
    }
}

/// Whether examples stand first in a membership whose models come in pairs that share the examples out between them.
fn by_pairs(mask: &[Vec<bool>]) -> Option<bool> {
    let n = mask.len();
    let turned: Vec<Vec<bool>> = (0..n).map(|i| mask.iter().map(|row| row[i]).collect()).collect();
    let paired = |rows: &[Vec<bool>]| {
        let all: std::collections::HashSet<&[bool]> = rows.iter().map(Vec::as_slice).collect();
        rows.iter().all(|row| all.contains(row.iter().map(|v| !v).collect::<Vec<bool>>().as_slice()))
    };
    match (paired(mask), paired(&turned)) {
        (true, false) => Some(false),
        (false, true) => Some(true),
        _ => None,
    }
}

/// Whether outputs surely rise with the membership as both stand (true), or as one of both is turned (false).
fn alike(values: &[f64], mask: &[Vec<bool>]) -> Option<bool> {
    let n = mask.len();
    let outputs = centred(values, n);
    let z = |member: &dyn Fn(usize, usize) -> bool| {
        let bits: Vec<f64> = (0..n * n).map(|at| f64::from(u8::from(member(at / n, at % n)))).collect();
        let bits = centred(&bits, n);
        let sum = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        let scale = (sum(&outputs, &outputs) * sum(&bits, &bits)).sqrt();
        if scale > 0.0 { sum(&outputs, &bits) / scale * (n as f64 - 1.0) } else { 0.0 }
    };
    let (plain, turned) = (z(&|i, j| mask[i][j]), z(&|i, j| mask[j][i]));
    match () {
        () if plain > SURE && turned < ACCIDENT => Some(true),
        () if turned > SURE && plain < ACCIDENT => Some(false),
        () => None,
    }
}

/// Values less the means of their row and column.
fn centred(values: &[f64], n: usize) -> Vec<f64> {
    let each = n as f64;
    let rows: Vec<f64> = values.chunks(n).map(|row| row.iter().sum::<f64>() / each).collect();
    let columns: Vec<f64> = (0..n).map(|j| values.iter().skip(j).step_by(n).sum::<f64>() / each).collect();
    let mean = rows.iter().sum::<f64>() / each;
    values.iter().enumerate().map(|(at, v)| v - rows[at / n] - columns[at % n] + mean).collect()
}
