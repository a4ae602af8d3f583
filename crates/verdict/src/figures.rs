//! What the report draws: mean ROC curves and distributions of phi.

use flatleak_pool::{Error, Matrix, Pool, Signal};
use flatleak_results::{Figure, RocFigure};

/// Bins of the phi histogram.
const BINS: usize = 48;

/// Curves, by recipe, and histograms of every recipe, over common bins.
pub(crate) fn draw(pools: &[&Pool], curves: Vec<Vec<RocFigure>>, dataset: &str) -> Result<Vec<Figure>, Error> {
    let rows = pools.iter().map(|p| p.rows(Signal::Phi)).collect::<Result<Vec<_>, _>>()?;
    let mut all: Vec<f64> = rows.iter().flat_map(Matrix::values).copied().collect();
    all.sort_unstable_by(f64::total_cmp);
    // A pool of labels alone has no phi.
    let at = |q: f64| all.get((all.len().saturating_sub(1) as f64 * q) as usize).copied().unwrap_or(0.0);
    let (low, high) = (at(0.002).floor(), at(0.998).ceil().max(at(0.002).floor() + 1.0));
    let edges: Vec<f64> = (0..=BINS).map(|i| low + (high - low) * i as f64 / BINS as f64).collect();
    let figures = pools.iter().zip(&rows).zip(curves).map(|((pool, phi), roc)| Figure {
        dataset: dataset.into(),
        recipe: pool.recipe.clone(),
        roc,
        phi_member: density(pool, phi, &edges, true),
        phi_non_member: density(pool, phi, &edges, false),
        phi_edges: edges.clone(),
    });
    Ok(figures.collect())
}

fn density(pool: &Pool, phi: &Matrix, edges: &[f64], member: bool) -> Vec<f64> {
    let (low, width) = (edges[0], edges[1] - edges[0]);
    let mut counts = vec![0u64; edges.len() - 1];
    let mut total = 0u64;
    for (model, row) in phi.iter().enumerate() {
        for (v, m) in row.iter().zip(pool.membership.row(model)) {
            if *m == member {
                total += 1;
                let bin = ((v - low) / width).floor();
                if bin >= 0.0 && bin < counts.len() as f64 {
                    counts[bin as usize] += 1;
                }
            }
        }
    }
    counts.into_iter().map(|c| c as f64 / (total as f64 * width)).collect()
}
