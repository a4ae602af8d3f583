//! Limits on metrics, for pipelines that must refuse a leaking model.

use flatleak_attack::{Attack, NoAttack};
use flatleak_results::{Condition, Document, FPR_LEVELS, Measure, Metric, NoMeasure};
use flatleak_verdict::HEADLINE;

use crate::exit::{Failure, USAGE};

/// One limit.
#[derive(Debug)]
pub(super) struct Gate {
    attack: Attack,
    measure: Measure,
    limit: f64,
}

impl Gate {
    /// Reads `attack.measure=limit`.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |what: String| Failure::new(USAGE, format!("--fail-above {text}: {what}"));
        let (metric, limit) = text.rsplit_once('=').ok_or_else(|| wrong("write METRIC=X".into()))?;
        let limit: f64 = limit.parse().map_err(|_| wrong(format!("{limit:?} is not a number")))?;
        if !(0.0..=1.0).contains(&limit) {
            return Err(wrong("rates lie between 0 and 1; write fractions, not percentages".into()));
        }
        let (attack, measure) = Metric::split(metric).ok_or_else(|| wrong("write attack.measure=X".into()))?;
        let attack: Attack = attack.parse().map_err(|e: NoAttack| wrong(e.to_string()))?;
        let known = |m: &Measure| !matches!(m, Measure::Tpr(level) if !FPR_LEVELS.contains(level));
        let found = measure.parse().ok().filter(known);
        let measure = found.ok_or_else(|| wrong(NoMeasure(measure.into()).to_string()))?;
        Ok(Self { attack, measure, limit })
    }

    pub(super) fn attack(&self) -> Attack {
        self.attack
    }

    pub(super) fn measure(&self) -> Measure {
        self.measure
    }

    /// What exceeds it, one sentence per recipe.
    pub(super) fn exceeded(&self, document: &Document) -> Vec<String> {
        let each = document.recipes.iter().filter_map(|r| {
            let found = r.attack(&self.attack.name()).and_then(|a| a.measured(self.measure));
            self.against(&r.name, found, &r.conditions)
        });
        each.collect()
    }

    /// The condition under which to stay below the limit says nothing: models that did not learn leak nothing, and labels alone say less than an
    /// attacker may get.
    fn void<'c>(&self, conditions: &'c [Condition]) -> Option<&'c Condition> {
        conditions.iter().find(|c| match c {
            Condition::DidNotLearn { .. } => true,
            Condition::LabelsOnly { .. } => self.attack == HEADLINE,
            Condition::Doubtful { doubt, .. } => doubt.withholds(),
            Condition::BlindBeatsChance { .. } | Condition::MembersDoWorse { .. } | Condition::Unfitted { .. } => false,
        })
    }

    /// The sentence about what was measured on one recipe, where it exceeds the limit; what could not be measured, or says nothing, keeps none.
    pub(super) fn against(&self, recipe: &str, found: Option<f64>, conditions: &[Condition]) -> Option<String> {
        let metric = Metric::attack(self.attack.name(), self.measure);
        match found {
            None => {
                Some(format!("{recipe}: {metric} could not be measured on these outputs, so its limit is not kept"))
            }
            Some(value) if value > self.limit => {
                let blind = conditions.iter().find(|c| matches!(c, Condition::BlindBeatsChance { .. }));
                let why = blind.map_or(String::new(), |c| format!(" ({})", c.reason()));
                Some(format!("{recipe}: {metric} is {value:.4}, above the limit of {}{why}", self.limit))
            }
            Some(value) => self.void(conditions).map(|c| {
                format!(
                    "{recipe}: {metric} is {value:.4}, which says nothing, so its limit is not kept: {}",
                    c.reason()
                )
            }),
        }
    }
}
