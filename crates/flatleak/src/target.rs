//! One model as the only target, all others as its shadows.

use flatleak_attack::Attack;
use flatleak_pool::Pool;
use flatleak_results::{AgainstGuessing, Condition, DELTA, FPR_LEVELS, PRIORS, Relevant, Verdict};
use flatleak_stats::{Interval, Ranking, clopper_pearson, empirical_epsilon};
use flatleak_verdict::{
    HEADLINE, against_guessing, beats_chance, blind_target, can_run, is_reliable, of_target, scores, target_conditions,
};
use serde::{Deserialize, Serialize};

use crate::audit_error::AuditError as Error;

/// What one model gives away. Intervals are over its examples, as if these were independent: nominal, since nothing is known of how another
/// model of the recipe would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// The pool.
    pub recipe: String,
    /// Position of the model in it.
    pub target: usize,
    /// Models outside its block, the shadows.
    pub shadows: usize,
    /// Scored examples that it was trained on.
    pub members: usize,
    /// Scored examples that it was not.
    pub non_members: usize,
    /// Whether it leaks, of the strongest attack, over the examples of this model; absent where that attack was not run.
    pub guessing: Option<AgainstGuessing>,
    /// What forbids words about it, or belongs beside them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// What members and non-members differ by themselves; absent where it cannot be told.
    pub blind: Option<TargetBlind>,
    /// One entry per attack, in the order of tables.
    pub attacks: Vec<TargetAttack>,
}

/// The blind attack on a target: no output of the target is in it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetBlind {
    /// Its AUC, within folds of the target's examples.
    pub auc: f64,
    /// One-sided p-value of 1/2.
    pub p_value: f64,
    /// Whether members and non-members differ by themselves (p <= .01): then no AUC below is leakage without it.
    pub beats_chance: bool,
}

/// One attack on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetAttack {
    /// Attack name.
    pub name: String,
    /// Variant, where several definitions exist.
    pub variant: Option<String>,
    /// Area under the ROC curve.
    pub auc: f64,
    /// Largest TPR - FPR, at the target's own best threshold: above 0 on average even where nothing leaks.
    pub oracle_advantage: f64,
    /// TPR at low FPR.
    pub tpr_at_fpr: Vec<TargetTpr>,
    /// A lower limit of epsilon (delta 1e-5) over its examples: nominal, not a bound on the training.
    pub nominal_epsilon: f64,
}

/// TPR at one FPR level.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetTpr {
    /// The level.
    pub fpr: f64,
    /// Whether at least 5 false positives are expected and half of the level is realised.
    #[serde(default)]
    pub reliable: bool,
    /// The TPR with its nominal 95 % limits (Clopper & Pearson 1934).
    pub tpr: Interval,
    /// The FPR that was realised.
    pub realised_fpr: f64,
    /// Number of false positives.
    pub false_positives: usize,
    /// Share of members among those called members when 1, 10 or 50 % of all examples are: the precision at these priors; `None` where
    /// nobody is called one.
    pub precision: [Option<f64>; 3],
}

impl Target {
    /// The verdict in words.
    pub fn sentence(&self) -> String {
        let Some(found) = &self.guessing else {
            return "The strongest attack was not run: nothing is said of leakage.".into();
        };
        let name = format!("Model {} of {}", self.target, self.recipe);
        against_guessing(&name, found, &self.conditions) + " Limits are over the examples of this one model."
    }

    /// The verdict.
    pub fn verdict(&self) -> Verdict {
        self.guessing.as_ref().map_or(Verdict::NotAsked, |g| g.verdict)
    }
}

/// Attacks one model of a pool.
///
/// # Errors
/// No such model; fewer than two blocks.
pub fn target(pool: &Pool, target: usize, attacks: &[Attack], relevant: &Relevant) -> Result<Target, Error> {
    let m = &pool.membership;
    if target >= m.models() {
        return Err(Error::Target { target, models: m.models() });
    }
    if !m.is_target(target) {
        return Err(Error::Reference { target });
    }
    let scored: Vec<usize> = (0..m.examples()).filter(|&i| m.is_scored(target, i)).collect();
    let member: Vec<bool> = scored.iter().map(|&i| m.row(target)[i]).collect();
    let members = member.iter().filter(|v| **v).count();
    let blind = blind_target(pool, target).map(|found| TargetBlind {
        auc: found.auc,
        p_value: found.p_value,
        beats_chance: beats_chance(found.p_value),
    });
    let beaten = blind.is_some_and(|b| b.beats_chance);
    let conditions = target_conditions(pool, target, beaten);
    let (mut found, mut guessing) = (Vec::new(), None);
    for &attack in attacks.iter().filter(|a| can_run(pool, **a)) {
        let all = scores(pool, attack)?;
        let own: Vec<f64> = scored.iter().map(|&i| all[target][i]).collect();
        if attack == HEADLINE && members.min(member.len() - members) > 1 {
            guessing = Some(of_target((&own, &member), &conditions, relevant)?);
        }
        let ranking = Ranking::new(&own, &member).map_err(flatleak_verdict::Error::from)?;
        let at = FPR_LEVELS.map(|fpr| {
            let point = ranking.tpr_at(fpr);
            let tpr = clopper_pearson(point.true_positives as u64, members as u64, 0.95);
            Ok(TargetTpr {
                fpr,
                reliable: is_reliable(fpr, member.len() - members, point.realised_fpr),
                tpr: tpr.map_err(flatleak_verdict::Error::from)?,
                realised_fpr: point.realised_fpr,
                false_positives: point.false_positives,
                precision: PRIORS.map(|prior| point.precision(prior)),
            })
        });
        found.push(TargetAttack {
            name: attack.name(),
            variant: attack.variant().map(str::to_owned),
            auc: ranking.auc(),
            oracle_advantage: ranking.advantage(),
            tpr_at_fpr: at.into_iter().collect::<Result<_, Error>>()?,
            nominal_epsilon: empirical_epsilon(&ranking, DELTA, 0.95).map_err(flatleak_verdict::Error::from)?,
        });
    }
    let own = m.block(target);
    Ok(Target {
        guessing,
        conditions,
        blind,
        recipe: pool.recipe.clone(),
        target,
        shadows: (0..m.models()).filter(|&k| m.block(k) != own).count(),
        members,
        non_members: member.len() - members,
        attacks: found,
    })
}
