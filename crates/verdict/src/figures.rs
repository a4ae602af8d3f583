//! What the report draws: mean ROC curves and distributions of phi.

use flatleak_attack::{Attack, FixedVariance};
use flatleak_pool::{Pool, Signal};
use flatleak_stats::{Ranking, interpolate, student_t};

use crate::scored::Evidence;
use crate::{Error, Figure, RocFigure};

/// Attacks whose curves are drawn.
const DRAWN: [Attack; 3] = [Attack::LiraOnlineFixed(FixedVariance::Residual), Attack::Rmia, Attack::Confidence];

/// Bins of the phi histogram.
const BINS: usize = 48;

/// Curves and histograms of every recipe, over common bins.
pub(crate) fn draw(pools: &[&Pool], dataset: &str) -> Result<Vec<Figure>, Error> {
    let mut all: Vec<f64> = pools.iter().flat_map(|p| p.rows(Signal::Phi)).flatten().collect();
    all.sort_unstable_by(f64::total_cmp);
    let at = |q: f64| all[((all.len() - 1) as f64 * q) as usize];
    let (low, high) = (at(0.002).floor(), at(0.998).ceil());
    let edges: Vec<f64> = (0..=BINS).map(|i| low + (high - low) * i as f64 / BINS as f64).collect();
    pools
        .iter()
        .map(|pool| {
            Ok(Figure {
                dataset: dataset.into(),
                recipe: pool.recipe.clone(),
                roc: DRAWN.iter().map(|&attack| curve(pool, attack)).collect::<Result<_, _>>()?,
                phi_member: density(pool, &edges, true),
                phi_non_member: density(pool, &edges, false),
                phi_edges: edges.clone(),
            })
        })
        .collect()
}

fn density(pool: &Pool, edges: &[f64], member: bool) -> Vec<f64> {
    let (low, width) = (edges[0], edges[1] - edges[0]);
    let mut counts = vec![0u64; edges.len() - 1];
    let mut total = 0u64;
    for (model, row) in pool.rows(Signal::Phi).iter().enumerate() {
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

fn curve(pool: &Pool, attack: Attack) -> Result<RocFigure, Error> {
    let evidence = Evidence::new(pool, attack)?;
    let scene = evidence.scene(&[])?;
    let lineup = scene.lineup();
    // Ten points a decade from 1e-3 to 1: below, a few thousand non-members say nothing.
    let fpr: Vec<f64> = (0..=30).map(|i| 10f64.powf(f64::from(i) / 10.0 - 3.0)).collect();
    let curves = lineup
        .seats()
        .iter()
        .zip(scene.score()?)
        .map(|(seat, row)| Ok((seat.block, interpolate(&Ranking::new(&row, seat.member)?.curve(), &fpr))))
        .collect::<Result<Vec<_>, Error>>()?;
    let tpr = (0..fpr.len())
        .map(|k| {
            let means: Vec<f64> = lineup
                .blocks()
                .iter()
                .map(|b| {
                    let values: Vec<f64> = curves.iter().filter(|c| c.0 == *b).map(|c| c.1[k]).collect();
                    flatleak_stats::moments::mean(&values)
                })
                .collect();
            Ok(student_t(&means, 0.95)?)
        })
        .collect::<Result<_, Error>>()?;
    Ok(RocFigure { attack: attack.name().into(), fpr, tpr })
}
