//! What an analysis is asked.

use flatleak_attack::Attack;
use flatleak_results::{Family, Relevant};

/// What the analysis needs beside the pools.
#[derive(Clone, Debug)]
pub struct Options {
    /// Data set, for the record.
    pub dataset: String,
    /// Epochs per recipe, in the order of the pools.
    pub checkpoints: Vec<usize>,
    /// (baseline, candidate) pairs by index of the pools.
    pub pairs: Vec<(usize, usize)>,
    /// Recipes that one run gave at different epochs, by index of the pools; empty where none did.
    pub runs: Vec<Vec<usize>>,
    /// Recipes that the study's claims are about, by index of the pools: sharpness-aware ones.
    pub claimed: Vec<usize>,
    /// Whether influence is swept, and gains by bucket: by far the longest part of an explanation.
    pub influence: bool,
    /// Attacks, in the order of tables; all of them for a verdict. Those whose signal a pool lacks are left out.
    pub attacks: Vec<Attack>,
    /// Errors that the whole document may make, of which this data set is perhaps one of several.
    pub family: Family,
    /// Root seed of splits and nulls.
    pub seed: u64,
    /// Threads. No result depends on it.
    pub workers: usize,
}

impl Options {
    /// What is asked of pools of which no more is known: all attacks on each, and every other one against the first.
    pub fn of_pools(dataset: impl Into<String>, pools: usize, relevant: Relevant) -> Self {
        let pairs: Vec<(usize, usize)> = (1..pools).map(|c| (0, c)).collect();
        Self {
            dataset: dataset.into(),
            checkpoints: vec![0; pools],
            runs: Vec::new(),
            claimed: Vec::new(),
            influence: true,
            attacks: flatleak_attack::all(),
            family: Family::new(relevant, pairs.len(), pools, 0),
            pairs,
            seed: 0,
            workers: 1,
        }
    }
}

/// What an analysis is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Recipes are attacked and compared.
    Attacks,
    /// Leakage is explained.
    Explanation,
}

impl Stage {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Attacks => "attacks",
            Self::Explanation => "explanation",
        }
    }
}

/// How far the analysis is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What the last step was of.
    pub stage: Stage,
    /// Steps done.
    pub done: usize,
    /// Steps in all.
    pub total: usize,
}
