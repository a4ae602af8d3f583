//! How many models hold an example.

use crate::rows::Rows;

/// Examples that some of these models hold and some lack, (N).
pub(super) fn informative(rows: Rows<'_, bool>, models: &[usize]) -> Vec<bool> {
    let held = counts(rows, models);
    held.into_iter().map(|c| c > 0 && c < models.len()).collect()
}

/// How many of these models hold each example, (N).
pub(super) fn counts(rows: Rows<'_, bool>, models: &[usize]) -> Vec<usize> {
    let mut counts = vec![0; rows.columns()];
    for &k in models {
        counts.iter_mut().zip(&rows[k]).for_each(|(c, m)| *c += usize::from(*m));
    }
    counts
}
