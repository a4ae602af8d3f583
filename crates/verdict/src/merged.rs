//! One document over several data sets.

use crate::error::Error;
use crate::headline::FEW;
use crate::pooled::{across, pool_differences};
use flatleak_results::{Document, Frontier};

/// One document over the data sets of a study, each of which has its own. `parts` must not be empty.
///
/// # Errors
/// When the differences cannot be pooled.
pub fn merge(parts: Vec<Document>) -> Result<Option<Document>, Error> {
    let mut parts = parts.into_iter();
    let Some(mut whole) = parts.next() else { return Ok(None) };
    let name = |d: &Document| d.study.datasets.iter().map(|s| s.name.as_str()).collect::<Vec<_>>().join(", ");
    let mut found = vec![(name(&whole), whole.headline.clone())];
    let several =
        |notes: Vec<String>, name: &str| notes.into_iter().map(|n| format!("{name}: {n}")).collect::<Vec<_>>();
    let mut notes = several(whole.notes.clone(), &found[0].0);
    for part in parts {
        notes.extend(several(part.notes.clone(), &name(&part)));
        whole.family.alpha = whole.family.alpha.min(part.family.alpha);
        found.push((name(&part), part.headline));
        whole.study.datasets.extend(part.study.datasets);
        whole.diverged.extend(part.diverged);
        whole.recipes.extend(part.recipes);
        whole.comparisons.extend(part.comparisons);
        whole.frontiers.extend(part.frontiers);
        whole.mismatch.extend(part.mismatch);
        whole.explain.extend(part.explain);
        whole.pictures.extend(part.pictures);
        whole.listings.extend(part.listings);
        whole.figures.extend(part.figures);
        whole.timings.training_s += part.timings.training_s;
        whole.timings.analysis_s += part.timings.analysis_s;
        whole.timings.trained += part.timings.trained;
        whole.timings.reused += part.timings.reused;
    }
    whole.diverged.sort();
    whole.diverged.dedup();
    if found.len() > 1 {
        whole.notes = notes;
        whole.pooled = pool_differences(&whole.comparisons, &whole.family)?;
        // Where a single data set answers with its frontier, several do with each of theirs.
        let many: Vec<Frontier> = whole.frontiers.iter().filter(|f| f.points.len() > FEW).cloned().collect();
        whole.headline = across(&whole.comparisons, &whole.pooled, &found, &many);
    }
    Ok(Some(whole))
}
