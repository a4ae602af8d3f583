//! A pool of linear models, attacked as flatleak attacks networks.

use flatleak_attack::{Attack, Lineup, Seat};
use flatleak_pool::{BlockId, Membership};
use flatleak_stats::{Interval, Ranking, jackknife, moments, parallel};
use flatleak_stream::{Purpose, Stream};
use serde::{Deserialize, Serialize};

use crate::agreement::margins;
use crate::error::{Error, check_parameter};
use crate::family::Setting;
use crate::fit::Fit;
use crate::problem::Metric;

/// The attacks that are run: those of the headline, and the likelihood ratio with a deviation per example.
const ATTACKS: [Attack; 4] = [Attack::LIRA, Attack::RMIA, Attack::CONFIDENCE, Attack::LIRA_ONLINE];

/// One attack on the pool at one eta.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Simulated {
    /// The attack.
    pub attack: String,
    /// Weight of flatness.
    pub eta: f64,
    /// Mean AUC over targets, with its 95 % interval by leaving blocks out.
    pub auc: Interval,
    /// The same minus that at the first eta, model by model.
    pub difference: Interval,
}

/// The AUC of every target, averaged, of one attack on the models outside one block.
fn mean_auc(
    attack: Attack,
    design: &Membership,
    values: &[Vec<f64>],
    labels: &[u32],
    without: Option<BlockId>,
) -> Result<f64, Error> {
    let models: Vec<usize> = (0..design.models()).filter(|&m| Some(design.block(m)) != without).collect();
    let seat = |&m: &usize| Seat { block: design.block(m), member: design.row(m), values: &values[m], population: &[] };
    let lineup = Lineup::new(models.iter().map(seat).collect(), Some(labels))?;
    let mut ranking = Ranking::default();
    let mut aucs = Vec::new();
    for (scores, seat) in attack.score(&lineup).iter().zip(lineup.seats()) {
        ranking.rebuild(scores, seat.member)?;
        aucs.push(ranking.auc());
    }
    Ok(moments::mean(&aucs))
}

/// Trains `models` linear models on halves of 2n examples, at every eta on the same halves with the same noise, drawn anew for each model,
/// on their labels; reads the signed margin as phi, the log-odds
/// of the true class; and attacks every model with all others outside its block as shadows. Empty without noise on the labels: every shadow
/// then has the same output
/// on its members, and a likelihood ratio against a point is not defined. Intervals cover new models on these
/// 2n examples, not new examples.
///
/// # Errors
/// Those of the setting; a number of models that is not even or below 8.
pub fn simulate(
    setting: &Setting,
    etas: &[f64],
    models: usize,
    seed: u64,
    workers: usize,
) -> Result<Vec<Simulated>, Error> {
    check_parameter(
        "the number of models",
        models as f64,
        models >= 8,
        "but two shadows on either side with a block left out need 8",
    )?;
    if setting.label_noise == 0.0 {
        return Ok(Vec::new());
    }
    let n = 2 * setting.examples;
    let design = Membership::complementary(seed, models, n)?;
    let mut stream = Stream::new(seed, Purpose::Generator, 0, 0);
    let population = setting.population(&mut stream)?;
    let examples = population.sample(n, &mut stream);
    let labels = vec![0; n];
    let at = |eta: f64| -> Result<Vec<Vec<f64>>, Error> {
        let metric = Metric::sharpness(population.spectrum(), eta)?;
        (0..models)
            .map(|m| {
                let mut noise = Stream::new(seed, Purpose::LabelNoise, m as u64, 0);
                let members: Vec<_> = design.members(m).iter().map(|&i| &examples[i as usize]).collect();
                let fit = Fit::new(&setting.problem(&members, &mut noise)?, &metric, 0.0)?;
                Ok(margins(fit.weights(), &examples))
            })
            .collect()
    };
    // Per eta and attack: the mean AUC of all models, then of all but those of each block.
    let found = parallel::map(etas.len(), workers, |k| -> Result<Vec<Vec<f64>>, Error> {
        let values = at(etas[k])?;
        let keep = || std::iter::once(None).chain(design.block_ids().map(Some));
        ATTACKS
            .iter()
            .map(|&attack| keep().map(|without| mean_auc(attack, &design, &values, &labels, without)).collect())
            .collect()
    });
    let found: Vec<Vec<Vec<f64>>> = found.into_iter().collect::<Result<_, _>>()?;
    let mut out = Vec::new();
    for (k, attack) in ATTACKS.iter().enumerate() {
        for (aucs, &eta) in found.iter().map(|of| &of[k]).zip(etas) {
            let differences: Vec<f64> = aucs.iter().zip(&found[0][k]).map(|(a, b)| a - b).collect();
            out.push(Simulated {
                attack: attack.name(),
                eta,
                auc: jackknife(aucs[0], &aucs[1..], 0.95)?.interval,
                difference: jackknife(differences[0], &differences[1..], 0.95)?.interval,
            });
        }
    }
    Ok(out)
}
