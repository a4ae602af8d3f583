//! What forbids a word, or belongs beside it (own; book/methods/words.md#conditions): a verdict is about training recipes that learn, attacked with
//! all that they put out.

use flatleak_pool::{Pool, Signal, Signals, as_good_as, chance};
use flatleak_results::{Condition, Doubt, RecipeResult, Verdict};

/// Accuracy on members from which a recipe counts as fitting them.
pub(crate) const FITTED: f64 = 0.99;

/// What of a pool conditions need.
#[derive(Clone, Debug)]
pub(crate) struct Knowledge {
    /// Share of the commonest class; `None` where classes are not known.
    chance: Option<f64>,
    labels_only: bool,
    doubts: Vec<Doubt>,
}

impl Knowledge {
    pub(crate) fn new(pool: &Pool) -> Self {
        // Of a single class nothing can be learnt.
        let several = pool.labels.as_deref().filter(|labels| labels.windows(2).any(|pair| pair[0] != pair[1]));
        Self {
            chance: several.map(chance),
            labels_only: !pool.offers(Signal::Phi) || pool.pool.iter().all(Signals::says_labels_alone),
            doubts: pool.doubts.clone(),
        }
    }
}

/// The conditions of one recipe.
pub(crate) fn of(result: &RecipeResult, known: &Knowledge) -> Vec<Condition> {
    let beaten = result.blind.as_ref().is_some_and(|b| b.beats_chance);
    let mut out = about(result.name.clone(), result.member_accuracy.mean, beaten, known);
    let inverted = out.iter().any(|c| matches!(c, Condition::Doubtful { doubt: Doubt::Inverted { .. }, .. }));
    if !inverted && result.member_accuracy.high < result.non_member_accuracy.low {
        out.push(Condition::MembersDoWorse { recipe: result.name.clone() });
    }
    out
}

/// The conditions of a recipe, or of one model, with this accuracy on members and perhaps a blind attack that beats chance.
pub(crate) fn about(recipe: String, member_accuracy: f64, blind: bool, known: &Knowledge) -> Vec<Condition> {
    let doubtful = |doubt: &Doubt| Condition::Doubtful { recipe: recipe.clone(), doubt: doubt.clone() };
    let mut out: Vec<Condition> = known.doubts.iter().map(doubtful).collect();
    let unlearnt = known.chance.filter(|chance| member_accuracy <= as_good_as(*chance));
    if let Some(chance) = unlearnt {
        out.push(Condition::DidNotLearn { recipe: recipe.clone(), member_accuracy, chance });
    }
    if blind {
        out.push(Condition::BlindBeatsChance { recipe: recipe.clone() });
    }
    if known.labels_only {
        out.push(Condition::LabelsOnly { recipe: recipe.clone() });
    }
    if unlearnt.is_none() && known.chance.is_some() && member_accuracy < FITTED {
        out.push(Condition::Unfitted { recipe, member_accuracy });
    }
    out
}

/// The first condition that forbids a word.
pub(crate) fn withholding(all: &[Condition]) -> Option<&Condition> {
    all.iter().find(|c| c.withholds())
}

/// A verdict under conditions: too few models and open comparisons stay what they are, everything else is withheld where one forbids it.
pub(crate) fn under(verdict: Verdict, conditions: &[Condition]) -> Verdict {
    match verdict {
        Verdict::TooFewModels => verdict,
        _ if withholding(conditions).is_some() => Verdict::Withheld,
        _ => verdict,
    }
}
