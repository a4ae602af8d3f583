//! Measures of one attack on one recipe's targets, from all shadows and without those of each unit.

use flatleak_pool::Matrix;
use flatleak_stats::{Replicates, Student};

use crate::error::Error;
use crate::groups::Leaks;
use crate::judge::{AUC, BALANCED, TPR};

/// What comparisons need of one attack on one recipe.
pub(crate) struct Scored {
    /// Measures by unit.
    pub(crate) table: Table,
    /// By unit, (N) share of the unit's targets on which the call at the unit's threshold is right; kept for the attacks that are compared with
    /// single examples.
    pub(crate) calls: Matrix,
    /// Leakage by known group; only for headline attacks.
    pub(crate) groups: Leaks,
    /// The AUC, and where pools of other examples are compared the TPR at each level, with errors that cover another draw of examples too.
    pub(crate) like_these: Vec<Student>,
}

impl Scored {
    /// A measure with an error that covers another draw of examples too.
    pub(crate) fn over_examples(&self, measure: usize) -> Option<Student> {
        match measure.checked_sub(TPR) {
            None if measure == AUC => self.like_these.first().copied(),
            None => None,
            Some(level) => self.like_these.get(1 + level).copied(),
        }
    }
}

/// Measures by unit, from all shadows and without those of every other unit.
pub(crate) struct Table {
    pub(crate) whole: Matrix,
    /// By deleted unit; absent for attacks without shadows, but for the balanced accuracy.
    pub(crate) deleted: Option<Vec<Matrix>>,
    /// The scores jump where shadows change, and with them the TPR at a level; areas even that out.
    pub(crate) jumps: bool,
    /// Balanced accuracy by deleted unit and unit: its threshold is learnt on others' targets whatever the attack.
    pub(crate) balanced: Vec<Vec<f64>>,
}

impl Table {
    /// One measure.
    ///
    /// # Errors
    /// A measure that is not finite.
    pub(crate) fn of(&self, measure: usize) -> Result<Replicates, Error> {
        let column = |rows: &Matrix| rows.iter().map(|row| row[measure]).collect::<Vec<f64>>();
        if measure == BALANCED {
            return Ok(Replicates::new(column(&self.whole), self.balanced.clone())?);
        }
        let Some(deleted) = &self.deleted else { return Ok(Replicates::independent(column(&self.whole))?) };
        let found = Replicates::new(column(&self.whole), deleted.iter().map(column).collect())?;
        Ok(if self.jumps && measure >= TPR { found.jumping() } else { found })
    }
}
