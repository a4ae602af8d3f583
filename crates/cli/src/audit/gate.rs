//! Limits on metrics, for pipelines that must refuse a leaking model.

use flatleak::{LeftOut, Pools, Target};
use flatleak_attack::{Attack, NoAttack};
use flatleak_results::{Condition, Document, Measure, Metric, NoMeasure, RecipeResult, Verdict};
use flatleak_verdict::{FALSE_POSITIVES, HEADLINE};

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
        let known = |m: &Measure| Measure::all().any(|known| known == *m);
        let found = measure.parse().ok().filter(known);
        let measure = found.ok_or_else(|| wrong(NoMeasure(measure.into()).to_string()))?;
        Ok(Self { attack, measure, limit })
    }

    pub(super) fn attack(&self) -> Attack {
        self.attack
    }

    /// Why it is not kept: a sentence for every recipe that exceeds it, and for everything that was to be audited and could not be measured.
    pub(super) fn broken(&self, document: &Document, pools: &Pools) -> Vec<String> {
        let each = pools.views().into_iter().filter_map(|pool| {
            let Some(recipe) = document.recipes.iter().find(|r| r.name == pool.recipe) else {
                return Some(self.unmeasured(&pool.recipe, "the results do not have it"));
            };
            let inverted = recipe.guessing.as_ref().is_some_and(|g| g.verdict == Verdict::Inverted);
            let seen =
                Seen { recipe: &recipe.name, figure: self.figure(recipe), conditions: &recipe.conditions, inverted };
            self.against(&seen)
        });
        each.chain(self.without(pools.left_out())).collect()
    }

    /// The same of one model alone.
    pub(super) fn broken_by(&self, found: &Target, pools: &Pools) -> Vec<String> {
        let inverted = found.verdict() == Verdict::Inverted;
        let seen =
            Seen { recipe: &found.recipe, figure: self.figure_of(found), conditions: &found.conditions, inverted };
        self.against(&seen).into_iter().chain(self.without(pools.left_out())).collect()
    }

    fn figure(&self, recipe: &RecipeResult) -> Option<Figure> {
        let attack = recipe.attack(&self.attack.name())?;
        let reliable = self.level().is_none_or(|level| attack.tpr_at_fpr.iter().any(|t| t.fpr == level && t.reliable));
        Some(Figure { value: attack.measured(self.measure)?, reliable })
    }

    fn figure_of(&self, found: &Target) -> Option<Figure> {
        let attack = found.attacks.iter().find(|a| a.name == self.attack.name())?;
        match self.measure {
            Measure::Auc => Some(Figure { value: attack.auc, reliable: found.members.min(found.non_members) > 1 }),
            Measure::Tpr(level) => {
                let at = attack.tpr_at_fpr.iter().find(|t| t.fpr == level)?;
                Some(Figure { value: at.tpr.mean, reliable: at.reliable })
            }
            // Their threshold is learnt on other targets; of any further one it is not known here what it needs.
            _ => None,
        }
    }

    /// The FPR of a TPR.
    fn level(&self) -> Option<f64> {
        if let Measure::Tpr(level) = self.measure { Some(level) } else { None }
    }

    /// What has no pool keeps no limit.
    fn without(&self, left_out: &[LeftOut]) -> impl Iterator<Item = String> {
        left_out.iter().map(|part| self.unmeasured(&part.what, &part.reason))
    }

    fn unmeasured(&self, what: &str, why: &str) -> String {
        format!("{what}: {} could not be measured, so its limit is not kept: {why}", self.metric())
    }

    fn metric(&self) -> Metric {
        Metric::attack(self.attack.name(), self.measure)
    }

    /// The sentence about what was measured on one recipe, where it exceeds the limit or to stay below says nothing.
    fn against(&self, seen: &Seen<'_>) -> Option<String> {
        let Some(Figure { value, reliable }) = seen.figure else {
            return Some(self.unmeasured(seen.recipe, "these outputs do not allow it"));
        };
        if !value.is_finite() {
            return Some(self.unmeasured(seen.recipe, "it is no finite number"));
        }
        let (recipe, metric, limit) = (seen.recipe, self.metric(), self.limit);
        if value > limit {
            let blind = seen.conditions.iter().find(|c| matches!(c, Condition::BlindBeatsChance { .. }));
            let why = blind.map_or(String::new(), |c| format!(" ({})", c.reason()));
            return Some(format!("{recipe}: {metric} is {value:.4}, above the limit of {limit}{why}"));
        }
        let void = self.void(seen, reliable)?;
        Some(format!("{recipe}: {metric} is {value:.4}, which says nothing, so its limit is not kept: {void}"))
    }

    /// Why to stay below the limit says nothing: models that did not learn leak nothing, labels alone say less than an attacker may get, outputs or
    /// memberships may not be what they are said to be.
    fn void(&self, seen: &Seen<'_>, reliable: bool) -> Option<String> {
        let says_nothing = |c: &&Condition| match c {
            Condition::DidNotLearn { .. } | Condition::MembersDoWorse { .. } => true,
            Condition::LabelsOnly { .. } => self.attack == HEADLINE,
            Condition::Doubtful { doubt, .. } => doubt.withholds(),
            Condition::BlindBeatsChance { .. } | Condition::Unfitted { .. } => false,
        };
        if let Some(condition) = seen.conditions.iter().find(says_nothing) {
            return Some(condition.reason());
        }
        if seen.inverted {
            return Some(
                "members look less like members than others do: check that the membership is not the wrong way round"
                    .into(),
            );
        }
        let few = match self.level() {
            Some(level) => format!(
                "fewer than {FALSE_POSITIVES} false positives are expected at this level, which takes {:.0} non-members, or equal scores leave no threshold near it: give more examples, or a limit at a higher level",
                FALSE_POSITIVES / level
            ),
            None => "there are fewer than two members or non-members".into(),
        };
        (!reliable).then_some(few)
    }
}

/// A metric as it was measured.
struct Figure {
    value: f64,
    /// There are examples and different scores enough for it.
    reliable: bool,
}

/// What a gate looks at of one recipe.
struct Seen<'a> {
    recipe: &'a str,
    figure: Option<Figure>,
    conditions: &'a [Condition],
    /// The verdict is that the membership may be the wrong way round.
    inverted: bool,
}

#[cfg(test)]
mod tests {
    use flatleak_results::Doubt;

    use super::*;

    fn said(value: Option<f64>, reliable: bool, conditions: &[Condition], inverted: bool) -> Option<String> {
        let gate = Gate::parse("strongest.tpr@0.01=0.5").unwrap();
        let figure = value.map(|value| Figure { value, reliable });
        gate.against(&Seen { recipe: "sgd", figure, conditions, inverted })
    }

    /// A limit is kept by a number that means something, and by nothing else.
    #[test]
    fn what_was_not_measured_keeps_no_limit() {
        let recipe = || "sgd".to_owned();
        assert_eq!(said(Some(0.5), true, &[], false), None);
        assert_eq!(
            said(Some(0.5), true, &[Condition::Unfitted { recipe: recipe(), member_accuracy: 0.9 }], false),
            None
        );
        for (value, reliable, inverted, words) in [
            (Some(0.51), true, false, "is 0.5100, above the limit of 0.5"),
            (None, true, false, "could not be measured"),
            (Some(f64::NAN), true, false, "it is no finite number"),
            (Some(f64::NEG_INFINITY), true, false, "it is no finite number"),
            (Some(0.1), false, false, "takes 500 non-members"),
            (Some(0.1), true, true, "wrong way round"),
        ] {
            let text = said(value, reliable, &[], inverted).unwrap();
            assert!(text.starts_with("sgd: strongest.tpr@0.01 ") && text.contains(words), "{text}");
        }
        for condition in [
            Condition::DidNotLearn { recipe: recipe(), member_accuracy: 0.1, chance: 0.1 },
            Condition::LabelsOnly { recipe: recipe() },
            Condition::MembersDoWorse { recipe: recipe() },
            Condition::Doubtful { recipe: recipe(), doubt: Doubt::Inverted { models: Vec::new() } },
            Condition::Doubtful { recipe: recipe(), doubt: Doubt::Unfilled { examples: 3, of: 9 } },
            Condition::Doubtful { recipe: recipe(), doubt: Doubt::OtherScale { models: vec![1], times: 3.0 } },
        ] {
            let text = said(Some(0.1), true, std::slice::from_ref(&condition), false).unwrap();
            assert!(text.contains("not kept") && text.contains(&condition.reason()), "{text}");
        }
    }
}
