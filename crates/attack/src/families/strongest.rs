//! The attack of headlines; what it learns from and how stands in [`learned`](crate::learned).

use flatleak_pool::{Matrix, Signal};

use super::empirical_bayes::EmpiricalBayes;
use crate::Lineup;
use crate::definition::{Definition, Meta, Views};

/// All scores that the pool allows, combined by what other blocks' targets teach (own). It reads more than a lineup has: see
/// [`learned`](crate::learned).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Strongest;

impl Definition for Strongest {
    fn meta(&self) -> Meta {
        Meta {
            views: Views::Plain,
            ..Meta::by_shadows("strongest")
                .of("combines all that the pool allows by a regression learnt on other blocks", "own")
        }
    }

    fn formula(&self) -> &'static str {
        "logistic regression on all scores that the pool allows, learnt on other blocks' targets; below 4 blocks empirical-bayes (own)"
    }

    fn signal(&self) -> Signal {
        Signal::Phi
    }

    fn score(&self, lineup: &Lineup<'_>) -> Matrix {
        EmpiricalBayes.score(lineup)
    }
}
