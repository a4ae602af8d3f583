//! Models by the data that they could have been trained on.

use crate::rows::Rows;

/// Models that share an example, directly or through others, in the order of their first models; those that hold all or nothing are in none.
pub(super) fn find(rows: Rows<'_, bool>) -> Vec<Vec<usize>> {
    let mut first: Vec<usize> = (0..rows.len()).collect();
    let mut holder: Vec<Option<usize>> = vec![None; rows.columns()];
    let varies = |row: &[bool]| row.contains(&true) && row.contains(&false);
    for (model, row) in rows.into_iter().enumerate().filter(|(_, row)| varies(row)) {
        for (holder, _) in holder.iter_mut().zip(row).filter(|(_, m)| **m) {
            match *holder {
                Some(other) => join(&mut first, other, model),
                None => *holder = Some(model),
            }
        }
    }
    let numbers = numbered(&first);
    let mut sets: Vec<Vec<usize>> = vec![Vec::new(); numbers.iter().max().map_or(0, |n| n + 1)];
    for (model, _) in rows.into_iter().enumerate().filter(|(_, row)| varies(row)) {
        sets[numbers[model]].push(model);
    }
    sets.retain(|set| !set.is_empty());
    sets
}

/// Joins the components of two models; a component is named by its lowest.
pub(super) fn join(first: &mut [usize], a: usize, b: usize) {
    let (low, high) = (first[a].min(first[b]), first[a].max(first[b]));
    if low != high {
        first.iter_mut().filter(|f| **f == high).for_each(|f| *f = low);
    }
}

/// Components numbered in the order of their first models.
pub(super) fn numbered(first: &[usize]) -> Vec<usize> {
    let mut numbers: Vec<usize> = Vec::with_capacity(first.len());
    let mut next = 0;
    for (model, &f) in first.iter().enumerate() {
        if f == model {
            numbers.push(next);
            next += 1;
        } else {
            numbers.push(numbers[f]);
        }
    }
    numbers
}
