//! Variances over examples and over models, and what they do to the advantage.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failed set-up is a failed test; figures are printed")]

use flatleak_explain::{PhiMoments, Variance};
use flatleak_pool::{Membership, Pool, Signal, Signals};
use flatleak_results::Over;
use flatleak_stats::gaussian::one_sided_advantage;
use flatleak_stream::{Purpose, Stream};

const EXAMPLES: usize = 150;

/// phi of example i under model k: `centre(i)` plus noise of `deviation`, plus `gap` and noise of `inside` where k holds i.
fn pool(membership: Membership, draw: u64, deviation: f64, gap: f64, inside: f64) -> Pool {
    let mut fixed = Stream::new(61, Purpose::Simulation, 0, 0);
    let centre: Vec<f64> = (0..membership.examples()).map(|_| fixed.normal()).collect();
    let mut s = Stream::new(62, Purpose::Simulation, draw, membership.models() as u64);
    let signals = (0..membership.models())
        .map(|k| {
            let phi: Vec<f32> = (0..membership.examples())
                .map(|i| {
                    let (mean, spread) =
                        if membership.row(k)[i] { (centre[i] + gap, inside) } else { (centre[i], deviation) };
                    (mean + spread * s.normal()) as f32
                })
                .collect();
            let correct = phi.iter().map(|v| u8::from(*v > 0.0)).collect();
            Signals { entropy: phi.clone(), modified_entropy: phi.clone(), phi, correct, ..Signals::default() }
        })
        .collect();
    let labels = vec![0; membership.examples()];
    Pool::new("simulated", membership, labels, signals).unwrap()
}

/// The variance over models per example is the noise alone, 0.49; over examples per model the spread of the centres joins it. By the
/// sum of variances both are known, and the two are far apart.
#[test]
fn both_variances_are_what_was_planted_and_cover() {
    let mut fixed = Stream::new(61, Purpose::Simulation, 0, 0);
    let centres: Vec<f64> = (0..EXAMPLES).map(|_| fixed.normal()).collect();
    let between = flatleak_stats::moments::variance(&centres, 0);
    for blocks in [8, 16, 32] {
        let mut covered = [0; 4];
        for draw in 0..1000 {
            let design = Membership::complementary(draw, 2 * blocks, EXAMPLES).unwrap();
            let base = pool(design.clone(), draw, 0.7, 2.0, 0.4);
            let other = pool(design, draw + 7000, 0.6, 2.0, 0.4);
            let of = |p: &Pool, over| Variance::new(p, Signal::Phi, false, over).unwrap();
            let inside = |low: f64, high: f64, truth: f64| usize::from(low <= truth && truth <= high);
            // A model sees about half of the centres: their variance within the half, and the noise, with ddof 0.
            let seen = EXAMPLES as f64 / 2.0;
            let (within, noise) = (between * EXAMPLES as f64 / (EXAMPLES as f64 - 1.0), |d: f64| d * d);
            let truths = [noise(0.7), (within + noise(0.7)) * (1.0 - 1.0 / seen)];
            for (at, over) in [Over::Models, Over::Examples].into_iter().enumerate() {
                let own = of(&base, over).estimate().unwrap().interval;
                covered[at] += inside(own.low, own.high, truths[at]);
                let scale = if at == 0 { 1.0 } else { 1.0 - 1.0 / seen };
                let change = of(&other, over).difference(&of(&base, over)).unwrap().interval;
                covered[2 + at] += inside(change.low, change.high, (noise(0.6) - noise(0.7)) * scale);
            }
        }
        println!("{blocks} blocks: covered {covered:?} of 1000");
        assert!(covered.iter().all(|c| *c >= 930), "{blocks} blocks: {covered:?}");
    }
}

#[test]
fn a_narrower_spread_of_non_members_is_named_as_the_cause() {
    let design = Membership::complementary(3, 32, 2000).unwrap();
    let base = pool(design.clone(), 1, 1.5, 2.0, 1.0);
    let candidate = pool(design, 2, 0.8, 2.0, 1.0);
    let (a, b) = (PhiMoments::new(&base).unwrap(), PhiMoments::new(&candidate).unwrap());
    let parts = b.attribute(&a).unwrap();
    let expected = one_sided_advantage(b.moments()) - one_sided_advantage(a.moments());
    assert!((parts.whole.interval.mean - expected).abs() < 1e-15);
    assert!(parts.non_member_spread.interval.low > 0.0);
    let others = [parts.gap, parts.member_spread].map(|p| p.interval.mean.abs());
    assert!(others.iter().all(|o| *o < 0.1 * parts.non_member_spread.interval.mean), "{others:?}");
    let odd = pool(Membership::complementary(3, 30, 2000).unwrap(), 2, 0.8, 2.0, 1.0);
    assert!(PhiMoments::new(&odd).unwrap().attribute(&a).is_err());
}

#[test]
fn a_design_without_blocks_has_its_own_errors() {
    let mut s = Stream::new(63, Purpose::Simulation, 0, 0);
    let rows: Vec<Vec<bool>> = (0..24).map(|_| (0..EXAMPLES).map(|_| s.unit() < 0.4).collect()).collect();
    let free = pool(Membership::from_rows(rows).unwrap(), 5, 0.7, 2.0, 0.4);
    let found = Variance::new(&free, Signal::Phi, false, Over::Models).unwrap().estimate().unwrap();
    assert!(found.interval.low < 0.49 && 0.49 < found.interval.high && found.standard_error > 0.0);
    let unpaired = Variance::new(
        &pool(Membership::complementary(1, 24, EXAMPLES).unwrap(), 5, 0.7, 2.0, 0.4),
        Signal::Phi,
        false,
        Over::Models,
    )
    .unwrap()
    .unpaired_difference(&Variance::new(&free, Signal::Phi, false, Over::Models).unwrap())
    .unwrap();
    assert!(unpaired.interval.low < 0.0 && 0.0 < unpaired.interval.high);
    let few = pool(Membership::complementary(1, 6, EXAMPLES).unwrap().select(&[0, 1, 2, 3]), 5, 0.7, 2.0, 0.4);
    assert!(Variance::new(&few, Signal::Phi, false, Over::Models).is_err());
}
