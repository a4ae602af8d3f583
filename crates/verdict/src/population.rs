//! Errors that cover another draw of examples too: for "examples like these", and wherever two recipes saw other examples.

use crate::judge::{Judge, Sheet};
use flatleak_results::FPR_LEVELS;
use flatleak_stats::{Replicates, Student, moments, share_below};
use flatleak_stream::{Purpose, Stream};

/// Bootstrap draws of examples.
const DRAWS: u64 = 200;

impl Judge<'_> {
    /// For "examples like these": the mean AUC with an error that covers another draw of examples too, by the two-way variance
    /// V + V_ex - sum_bi (h_bi - h_i)^2 / ((B - 1)(N - 1) B N) (own, after Owen 2007; book/methods/statistics.md#two-way-variance). h_bi is what
    /// example i adds to the AUC of block b's targets: N / n1 times the share of non-members below it less the AUC for members, mirrored for the
    /// others, 0 where it is not scored.
    pub(crate) fn population(&self, sheet: &Sheet, auc: &Replicates) -> Student {
        let m = self.membership();
        let n = m.examples() as f64;
        let mut found = Vec::new();
        for (k, _, row) in self.targets(sheet) {
            let member = m.row(k);
            let side = |wanted: bool| {
                let mut values: Vec<f64> =
                    row.iter().zip(member).filter(|(s, own)| !s.is_nan() && **own == wanted).map(|(s, _)| *s).collect();
                values.sort_unstable_by(f64::total_cmp);
                values
            };
            let (inside, outside) = (side(true), side(false));
            let own: f64 = inside.iter().map(|s| share_below(&outside, *s)).sum::<f64>() / inside.len() as f64;
            let part = |(s, member): (&f64, &bool)| match (s.is_nan(), member) {
                (true, _) => 0.0,
                (_, true) => n / inside.len() as f64 * (share_below(&outside, *s) - own),
                (_, false) => n / outside.len() as f64 * (1.0 - share_below(&inside, *s) - own),
            };
            found.push((k, row.iter().zip(member).map(part).collect::<Vec<f64>>()));
        }
        let by_unit: Vec<Vec<f64>> = self.by_unit(found).into_iter().flatten().collect();
        let b = by_unit.len() as f64;
        let means: Vec<f64> = (0..m.examples()).map(|i| by_unit.iter().map(|row| row[i]).sum::<f64>() / b).collect();
        let examples = moments::variance(&means, 1) / n;
        let both: f64 =
            by_unit.iter().flat_map(|row| row.iter().zip(&means)).map(|(h, mean)| (h - mean) * (h - mean)).sum();
        let blocks = auc.variance();
        let variance = blocks + examples - both / ((b - 1.0) * (n - 1.0) * b * n);
        two_way(auc, blocks, examples, variance, n)
    }

    /// The same for the TPR at each level, whose share of single examples has no closed form (own; book/methods/statistics.md#bootstrap-of-examples):
    /// [`DRAWS`] bootstrap draws of examples, the same for all targets, scores held. v is the variance of the mean over units, v_b that of unit
    /// b; V + v - max(0, (mean v_b - v) / (B - 1)), never below the larger of V and v.
    pub(crate) fn resampled(&self, sheet: &Sheet, rates: &[Replicates], seed: u64) -> Vec<Student> {
        let m = self.membership();
        let n = m.examples();
        let targets: Vec<Target> = self.targets(sheet).map(|(k, _, row)| Target::new(k, row, m.row(k))).collect();
        let draws: Vec<Vec<Vec<f64>>> = (0..DRAWS)
            .map(|draw| {
                let mut stream = Stream::new(seed, Purpose::Bootstrap, draw, 0);
                let mut weight = vec![0u32; n];
                (0..n).for_each(|_| weight[stream.below(n as u32) as usize] += 1);
                let of = |t: &Target| t.weighted_tpr(&weight).map(|rates| (t.model, rates.to_vec()));
                self.by_unit(targets.iter().filter_map(of).collect()).into_iter().flatten().collect()
            })
            .collect();
        rates
            .iter()
            .enumerate()
            .map(|(level, rate)| {
                let b = rate.units() as f64;
                let full: Vec<&Vec<Vec<f64>>> = draws.iter().filter(|d| d.len() == rate.units()).collect();
                let means: Vec<f64> = full.iter().map(|d| d.iter().map(|unit| unit[level]).sum::<f64>() / b).collect();
                let of_unit = |u: usize| {
                    let own: Vec<f64> = full.iter().map(|d| d[u][level]).collect();
                    moments::variance(&own, 1)
                };
                let examples = moments::variance(&means, 1);
                let single = (0..rate.units()).map(of_unit).sum::<f64>() / b;
                let blocks = rate.variance();
                let both = ((single - examples) / (b - 1.0)).max(0.0);
                two_way(rate, blocks, examples, blocks + examples - both, n as f64)
            })
            .collect()
    }
}

/// An estimate over another draw of models and of examples: `variance`, but never less than either part, with Satterthwaite's degrees of a sum of
/// two variances, of B - 1 and N - 1 degrees.
fn two_way(of: &Replicates, blocks: f64, examples: f64, variance: f64, n: f64) -> Student {
    let spread = blocks * blocks / of.degrees() + examples * examples / (n - 1.0);
    let degrees = if spread > 0.0 { (blocks + examples) * (blocks + examples) / spread } else { of.degrees() };
    let standard_error = variance.max(blocks.max(examples)).sqrt();
    Student { mean: of.estimate(), standard_error, degrees: degrees.max(of.degrees().min(1.0)) }
}

/// One target's scored examples by rank.
struct Target {
    model: usize,
    /// Examples and their membership, from the highest score down.
    order: Vec<(usize, bool)>,
    /// Whether a step of the ROC ends there: the last of tied scores.
    ends: Vec<bool>,
}

impl Target {
    fn new(model: usize, row: &[f64], member: &[bool]) -> Self {
        let mut order: Vec<usize> = (0..row.len()).filter(|&i| !row[i].is_nan()).collect();
        order.sort_by(|a, b| row[*b].total_cmp(&row[*a]));
        let ends = (0..order.len()).map(|j| order.get(j + 1).is_none_or(|&next| row[next] < row[order[j]])).collect();
        Self { model, order: order.into_iter().map(|i| (i, member[i])).collect(), ends }
    }

    /// The TPR at each level where examples count so many times; `None` where a side is empty.
    fn weighted_tpr(&self, weight: &[u32]) -> Option<[f64; FPR_LEVELS.len()]> {
        let Self { order, ends, .. } = self;
        let side = |wanted: bool| -> u32 {
            order.iter().filter(|(_, member)| *member == wanted).map(|(i, _)| weight[*i]).sum()
        };
        let (members, others) = (f64::from(side(true)), f64::from(side(false)));
        if members == 0.0 || others == 0.0 {
            return None;
        }
        let mut out = [0.0; FPR_LEVELS.len()];
        let (mut hits, mut alarms) = (0u32, 0u32);
        for ((i, member), ends) in order.iter().zip(ends) {
            *(if *member { &mut hits } else { &mut alarms }) += weight[*i];
            if *ends {
                for (value, level) in out.iter_mut().zip(FPR_LEVELS) {
                    if f64::from(alarms) <= level * others + 1e-9 {
                        *value = f64::from(hits) / members;
                    }
                }
                if f64::from(alarms) > FPR_LEVELS[FPR_LEVELS.len() - 1] * others + 1e-9 {
                    break;
                }
            }
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weighted_rates_are_those_of_repeated_examples() {
        // Twenty members and twenty others; every example counts 0 to 3 times.
        let mut stream = Stream::new(1, Purpose::Simulation, 0, 0);
        let member: Vec<bool> = (0..40).map(|i| i % 2 == 0).collect();
        let row: Vec<f64> =
            (0..40).map(|i| (4.0 * stream.normal()).round() + f64::from(u8::from(i % 2 == 0))).collect();
        let weight: Vec<u32> = (0..40).map(|_| stream.below(4)).collect();
        let found = Target::new(0, &row, &member).weighted_tpr(&weight).unwrap();
        let (mut scores, mut sides) = (Vec::new(), Vec::new());
        for i in 0..40 {
            for _ in 0..weight[i] {
                scores.push(row[i]);
                sides.push(member[i]);
            }
        }
        let ranking = flatleak_stats::Ranking::new(&scores, &sides).unwrap();
        for (rate, level) in found.iter().zip(FPR_LEVELS) {
            assert!((rate - ranking.tpr_at(level).tpr).abs() < 1e-12, "{level}");
        }
        assert!(Target::new(0, &row, &member).weighted_tpr(&[0; 40]).is_none());
    }
}
