//! Limits on metrics, for pipelines that must refuse a leaking model.

use flatleak_attack::{Attack, NoAttack};
use flatleak_results::{AttackResult, Condition, Document, FPR_LEVELS, Metric};
use flatleak_verdict::HEADLINE;

use crate::exit::{Failure, USAGE};

/// One limit.
#[derive(Debug)]
pub(super) struct Gate {
    attack: Attack,
    measure: Measure,
    limit: f64,
}

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Measure {
    Auc,
    Advantage,
    BalancedAccuracy,
    /// TPR at this FPR.
    Tpr(f64),
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
        let measure = match measure {
            "auc" => Measure::Auc,
            "advantage" => Measure::Advantage,
            "balanced-accuracy" => Measure::BalancedAccuracy,
            other => {
                let level = other.strip_prefix("tpr@").and_then(|l| l.parse().ok()).filter(|l| FPR_LEVELS.contains(l));
                let levels = FPR_LEVELS.map(|l| format!("tpr@{l}")).join(", ");
                let known = format!("auc, advantage, balanced-accuracy, {levels}");
                Measure::Tpr(level.ok_or_else(|| wrong(format!("{other:?} is no measure; there are {known}")))?)
            }
        };
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
            let found = r.attack(&self.attack.name()).and_then(|a| self.of(a));
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
            Condition::BlindBeatsChance { .. } | Condition::MembersDoWorse { .. } | Condition::Unfitted { .. } => false,
        })
    }

    /// The sentence about what was measured on one recipe, where it exceeds the limit; what could not be measured, or says nothing, keeps none.
    pub(super) fn against(&self, recipe: &str, found: Option<f64>, conditions: &[Condition]) -> Option<String> {
        let metric = match self.measure {
            Measure::Auc => format!("{}.auc", self.attack),
            Measure::Advantage => format!("{}.advantage", self.attack),
            Measure::BalancedAccuracy => format!("{}.balanced-accuracy", self.attack),
            Measure::Tpr(level) => format!("{}.tpr@{level}", self.attack),
        };
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

    fn of(&self, attack: &AttackResult) -> Option<f64> {
        match self.measure {
            Measure::Auc => Some(attack.auc.mean),
            Measure::Advantage => Some(attack.advantage.mean),
            Measure::BalancedAccuracy => Some(attack.balanced_accuracy.mean),
            Measure::Tpr(level) => attack.tpr_at_fpr.iter().find(|t| t.fpr == level).map(|t| t.tpr.mean),
        }
    }
}
