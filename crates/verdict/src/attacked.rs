//! One recipe under attack, as the rest of the analysis needs it.

use flatleak_attack::Attack;
use flatleak_pool::Units;
use flatleak_results::{AgainstGuessing, AttackResult, Blind, LinkResult, RocFigure};

use crate::properties::Properties;
use crate::table::Scored;

/// One recipe under every attack whose signal its pool has.
#[derive(Default)]
pub(crate) struct AttackedRecipe {
    pub(crate) results: Vec<AttackResult>,
    pub(crate) scored: Vec<(Attack, Scored)>,
    /// Filled by [`compare`].
    pub(crate) properties: Properties,
    pub(crate) links: Vec<LinkResult>,
    pub(crate) curves: Vec<RocFigure>,
    pub(crate) blind: Option<Blind>,
    pub(crate) guessing: Option<AgainstGuessing>,
    /// What the intervals of the attacks' measures delete together.
    pub(crate) units: Units,
    /// The fewest scored non-members of a target.
    pub(crate) non_members: usize,
}
