//! Models that are related exactly: duplicates, complements, and sets whose held-out or whose training sets partition the examples.

use std::collections::HashMap;

use crate::rows::Rows;

/// Models of one partition at least; two are complements.
const FEWEST: usize = 3;

/// Partial partitions that are looked at before the search ends.
const NODES: usize = 1_000_000;

/// Exact groups of models, by position.
pub(crate) struct Groups {
    /// Group of each model; one alone has a group of its own.
    group: Vec<usize>,
    /// Of each model, the models equal to it, itself included, less those that are its complement; 0 in a partition.
    surplus: Vec<f64>,
}

/// A set of examples.
type Bits = Vec<u64>;

fn disjoint(a: &Bits, b: &Bits) -> bool {
    a.iter().zip(b).all(|(x, y)| x & y == 0)
}

impl Groups {
    /// Groups of `models`, by position among them, as their rows (N) are on the informative examples.
    pub(crate) fn new(rows: Rows<'_, bool>, models: &[usize], informative: &[bool]) -> Self {
        let at_stake: Vec<usize> = (0..informative.len()).filter(|&i| informative[i]).collect();
        let pack = |value: &dyn Fn(usize) -> bool| {
            let mut bits = vec![0u64; at_stake.len().div_ceil(64)];
            at_stake.iter().enumerate().for_each(|(at, &i)| bits[at / 64] |= u64::from(value(i)) << (at % 64));
            bits
        };
        let inside: Vec<Bits> = models.iter().map(|&k| pack(&|i| rows[k][i])).collect();
        let outside: Vec<Bits> = models.iter().map(|&k| pack(&|i| !rows[k][i])).collect();
        let empty = |bits: &Bits| bits.iter().all(|word| *word == 0);
        // A model that holds all or nothing of what is at stake is related to none.
        let varies: Vec<bool> = inside.iter().zip(&outside).map(|(a, b)| !empty(a) && !empty(b)).collect();
        let mut patterns: HashMap<&Bits, Vec<usize>> = HashMap::new();
        for (at, bits) in inside.iter().enumerate().filter(|(at, _)| varies[*at]) {
            patterns.entry(bits).or_default().push(at);
        }
        let mut found = Self { group: (0..models.len()).collect(), surplus: vec![1.0; models.len()] };
        // Patterns without a complement, by their first models.
        let mut free = Vec::new();
        for at in (0..models.len()).filter(|&at| varies[at]) {
            let (equal, opposite) = (&patterns[&inside[at]], patterns.get(&outside[at]));
            found.group[at] = opposite.map_or(equal[0], |other| other[0].min(equal[0]));
            found.surplus[at] = equal.len() as f64 - opposite.map_or(0, Vec::len) as f64;
            if opposite.is_none() && equal[0] == at {
                free.push(at);
            }
        }
        let whole = pack(&|_| true);
        // Each example is held out of one model of a partition, or trained on by one.
        for sets in [&outside, &inside] {
            let mut nodes = 0;
            let mut next = 0;
            while next < free.len() && nodes < NODES {
                match cover(&free[next..], sets, &whole, &mut nodes) {
                    Some(taken) => {
                        let first = free[next];
                        for &at in taken.iter().flat_map(|at| &patterns[&inside[*at]]) {
                            (found.group[at], found.surplus[at]) = (first, 0.0);
                        }
                        free.retain(|at| !taken.contains(at));
                    }
                    None => next += 1,
                }
            }
        }
        found
    }

    /// Whether two models are in one group.
    pub(crate) fn together(&self, a: usize, b: usize) -> bool {
        self.group[a] == self.group[b]
    }

    /// The first model of a model's group.
    pub(crate) fn first(&self, model: usize) -> usize {
        self.group[model]
    }

    pub(crate) fn surplus(&self, model: usize) -> f64 {
        self.surplus[model]
    }
}

/// The first set of at least [`FEWEST`] models, the first of `free` among them, whose sets partition the `whole`.
fn cover(free: &[usize], sets: &[Bits], whole: &Bits, nodes: &mut usize) -> Option<Vec<usize>> {
    // Positions within `free` that were taken, and the union of their sets.
    let mut taken = vec![0];
    let mut covered = vec![sets[free[0]].clone()];
    let mut next = 1;
    loop {
        let last = covered.last()?;
        match (next..free.len()).find(|&at| disjoint(last, &sets[free[at]])) {
            Some(at) => {
                *nodes += 1;
                let union: Bits = last.iter().zip(&sets[free[at]]).map(|(a, b)| a | b).collect();
                let complete = union == *whole;
                taken.push(at);
                covered.push(union);
                if complete && taken.len() >= FEWEST {
                    return Some(taken.into_iter().map(|at| free[at]).collect());
                }
                if *nodes >= NODES {
                    return None;
                }
                next = at + 1;
            }
            None => {
                next = taken.pop()? + 1;
                covered.pop();
                if taken.is_empty() {
                    return None;
                }
            }
        }
    }
}
