//! The regime's claims over many draws (book/methods/theory.md#checks-of-the-regime), closed forms beside explicit refits and beside simulated attacks.
#![allow(clippy::unwrap_used)] // in helpers, which the lint does not know to be tests

use flatleak_stats::{gaussian, moments};
use flatleak_stream::{Purpose, Stream};
use flatleak_theory::{
    Agreement, Degenerate, Draws, Error, Family, Fit, Metric, Path, Population, Problem, Setting, agreement, simulate,
    sweep,
};

const POWER_LAW: Setting = Setting {
    family: Family::PowerLaw { decay: 1.0 },
    examples: 60,
    dimensions: 200,
    teacher_noise: Some(0.0),
    label_noise: 0.0,
};

fn draw(setting: &Setting, seed: u64) -> (Population, Problem) {
    let mut stream = Stream::new(seed, Purpose::Simulation, 0, 0);
    let population = setting.population(&mut stream).unwrap();
    let examples = population.sample(setting.examples, &mut stream);
    let problem = setting.problem(&examples.iter().collect::<Vec<_>>(), &mut stream).unwrap();
    (population, problem)
}

/// In every draw v falls and the confidence advantage rises, at every step. Mean memorization rises in almost every draw, not in all; test
/// error is higher at eta = 10
/// in all but a few.
#[test]
fn the_check_holds_over_200_seeds() {
    let (mut worse, mut memorizing, mut gains) = (0, 0, Vec::new());
    for seed in 0..200 {
        let (population, problem) = draw(&POWER_LAW, seed);
        let etas = [0.0, 0.01, 0.1, 1.0, 10.0, f64::INFINITY];
        let path = Path::new(&problem, population.spectrum(), &etas, 1).unwrap();
        assert_eq!(path.degenerate, None);
        let laws: Vec<_> = path.points.iter().map(|p| population.margin(&p.weights)).collect();
        let normal = |k: usize| gaussian::one_sided_advantage(&laws[k].moments(0.0));
        let memorized = |k: usize| moments::mean(&path.points[k].memorization);
        for (k, pair) in path.points.windows(2).enumerate() {
            assert!(pair[1].second_moment < pair[0].second_moment, "seed {seed}");
            assert!(pair[0].slope < 0.0, "seed {seed}");
            assert!(laws[k + 1].confidence(0.0).1 > laws[k].confidence(0.0).1, "seed {seed}");
            assert!(normal(k + 1) > normal(k), "seed {seed}");
            // The law is that of the path's own second moment.
            assert!((laws[k].second_moment() - pair[0].second_moment).abs() < 1e-12, "seed {seed}");
        }
        memorizing += usize::from(memorized(4) > memorized(0));
        worse += usize::from(laws[4].error() > laws[0].error());
        gains.push(normal(4) - normal(0));
    }
    let (least, most) = gains.iter().fold((1.0f64, 0.0f64), |(a, b), g| (a.min(*g), b.max(*g)));
    println!(
        "gain in advantage {least:.3} to {most:.3}, test error higher in {worse} of 200, memorization in {memorizing}"
    );
    assert!(least > 0.04 && most < 0.25 && worse > 180 && memorizing >= 195);
}

/// That memorization rises is a tendency: with a flatter spectrum it falls in some draws.
#[test]
fn memorization_need_not_rise() {
    let mut falls = 0;
    for seed in 0..200 {
        let (population, problem) = draw(&Setting { family: Family::PowerLaw { decay: 0.5 }, ..POWER_LAW }, seed);
        let path = Path::new(&problem, population.spectrum(), &[0.0, 10.0], 1).unwrap();
        let [flat, sharp] = [1, 0].map(|k: usize| moments::mean(&path.points[k].memorization));
        falls += usize::from(flat < sharp);
    }
    println!("mean memorization falls in {falls} of 200 draws");
    assert!((1..60).contains(&falls));
}

#[test]
fn slopes_agree_with_finite_differences() {
    for seed in 0..20 {
        for family in [Family::PowerLaw { decay: 1.0 }, Family::Spiked { spikes: 10, floor: 0.1 }] {
            let (population, problem) = draw(&Setting { family, ..POWER_LAW }, seed);
            for eta in [0.1, 1.0, 10.0] {
                // Fourth order: the error is (step / eta)^4 of v's own scale.
                let step = 3e-3 * eta;
                let at: Vec<f64> = [-2.0, -1.0, 1.0, 2.0, 0.0].iter().map(|k| eta + k * step).collect();
                let path = Path::new(&problem, population.spectrum(), &at, 1).unwrap();
                let v: Vec<f64> = path.points.iter().map(|p| p.second_moment).collect();
                let difference = (v[0] - 8.0 * v[1] + 8.0 * v[2] - v[3]) / (12.0 * step);
                assert!((path.points[4].slope / difference - 1.0).abs() < 1e-5, "{family:?} {eta} {seed}");
            }
        }
    }
}

#[test]
fn leaving_out_agrees_with_refits() {
    let (population, problem) = draw(&Setting { examples: 20, dimensions: 50, ..POWER_LAW }, 3);
    let mut stream = Stream::new(9, Purpose::Simulation, 0, 0);
    let queries: Vec<f64> = population.sample(4, &mut stream).into_iter().flat_map(|e| e.x).collect();
    for (eta, ridge) in [(0.0, 0.0), (1.0, 0.0), (100.0, 0.0), (1.0, 0.5)] {
        let metric = Metric::sharpness(population.spectrum(), eta).unwrap();
        let fit = Fit::new(&problem, &metric, ridge).unwrap();
        let (memorized, influence) = (fit.memorization(), fit.influence(&queries).unwrap());
        let output = |w: &[f64], q: usize| queries[q * 50..(q + 1) * 50].iter().zip(w).map(|(x, w)| x * w).sum::<f64>();
        for i in 0..20 {
            let without = Fit::new(&problem.without(i), &metric, ridge).unwrap();
            let y = problem.labels()[i];
            let own = |w: &[f64]| (0..50).map(|j| problem.row(i)[j] * w[j]).sum::<f64>();
            assert!((memorized[i] - y * (own(fit.weights()) - own(without.weights()))).abs() < 1e-9);
            for q in 0..4 {
                let wanted = output(fit.weights(), q) - output(without.weights(), q);
                assert!((influence[q * 20 + i] - wanted).abs() < 1e-9);
            }
        }
    }
}

/// Closed forms beside simulated attacks on 200 random problems: the 95 % intervals of the differences hold 0 in all but a few.
#[test]
fn closed_forms_agree_with_simulated_attacks() {
    let mut stream = Stream::new(1, Purpose::Simulation, 0, 0);
    let (mut missed, mut all) = ([0, 0, 0], [0, 0, 0]);
    for seed in 0..200 {
        let n = 20 + stream.below(30) as usize;
        let random_classes = seed % 4 != 0;
        let setting = Setting {
            family: match stream.below(3) {
                0 => Family::PowerLaw { decay: stream.uniform(0.5, 1.5) },
                1 => Family::Spiked { spikes: 5, floor: stream.uniform(0.05, 0.5) },
                _ => Family::Isotropic,
            },
            examples: n,
            dimensions: n * (2 + stream.below(3) as usize),
            teacher_noise: if random_classes { None } else { Some(stream.uniform(0.0, 1.0)) },
            label_noise: if seed % 2 == 0 { 0.0 } else { stream.uniform(0.05, 0.5) },
        };
        let eta = [0.0, 0.3, 3.0, 30.0][stream.below(4) as usize];
        let draws = Draws { problems: 20, unseen: 200, seed, workers: 1 };
        for Agreement { attack, difference, .. } in agreement(&setting, &[eta], &draws).unwrap() {
            let kind = match attack.as_str() {
                "confidence" => 0,
                "absolute" => 1,
                // The ratio's closed form is of normal margins, which classes at random have exactly.
                _ if random_classes => 2,
                _ => continue,
            };
            all[kind] += 1;
            missed[kind] += usize::from(difference.low > 0.0 || difference.high < 0.0);
        }
    }
    println!("intervals that miss: {missed:?} of {all:?}");
    assert_eq!(all, [200, 100, 100]);
    // 5 % of 200 are expected; 21 or more would come about once in 1,000 times.
    assert!(missed[0] <= 20 && missed[1] <= 13 && missed[2] <= 13, "{missed:?}");
}

/// A wrong closed form is found out: the normal picture on the mixture that two sub-groups make.
#[test]
fn a_false_premise_shows() {
    let setting = Setting { family: Family::Subgroups { minority: 0.1, distance: 4.0 }, label_noise: 0.1, ..POWER_LAW };
    let found = agreement(&setting, &[0.0], &Draws { problems: 100, unseen: 500, seed: 0, workers: 1 }).unwrap();
    let ratio = found.iter().find(|a| a.attack == "likelihood-ratio").unwrap();
    assert!(ratio.difference.low > 0.0 || ratio.difference.high < 0.0, "{ratio:?}");
}

#[test]
fn degenerate_cases_do_not_contract_at_all() {
    let (_, problem) = draw(&Setting { family: Family::Isotropic, ..POWER_LAW }, 0);
    let etas = [0.0, 0.1, 10.0, f64::INFINITY];
    let same =
        |path: &Path| path.points.iter().all(|p| p.second_moment == path.points[0].second_moment && p.slope == 0.0);
    let path = Path::new(&problem, &[2.5; 200], &etas, 1).unwrap();
    assert_eq!(path.degenerate, Some(Degenerate::Isotropic));
    assert!(same(&path));
    // Sigma = X'X / n.
    let (_, small) = draw(&Setting { examples: 10, dimensions: 30, ..POWER_LAW }, 1);
    let mut sigma = vec![0.0; 900];
    for i in 0..10 {
        let x = small.row(i);
        sigma.iter_mut().enumerate().for_each(|(at, s)| *s += x[at / 30] * x[at % 30] / 10.0);
    }
    let (rotated, spectrum) = small.in_eigenbasis(&sigma).unwrap();
    let path = Path::new(&rotated, &spectrum, &etas[..3], 1).unwrap();
    assert_eq!(path.degenerate, Some(Degenerate::AlignedWithRows));
    assert!(same(&path) && (path.points[0].second_moment - 1.0).abs() < 1e-9);
    // Not only by decree: the fit at another eta is the same function.
    let fit = Fit::new(&rotated, &Metric::sharpness(&spectrum, 10.0).unwrap(), 0.0).unwrap();
    assert!(fit.weights().iter().zip(&path.points[0].weights).all(|(a, b)| (a - b).abs() < 1e-9));
    // The limit needs a covariance without a null space.
    assert!(matches!(Path::new(&rotated, &spectrum, &etas, 1), Err(Error::NotPositive { .. })));
}

#[test]
fn contraction_raises_what_flatleak_measures() {
    let setting = Setting { label_noise: 0.1, ..POWER_LAW };
    let found = simulate(&setting, &[0.0, 10.0], 16, 0, 2).unwrap();
    for s in found.iter().filter(|s| s.eta > 0.0) {
        // Sixteen models are few for a deviation per example.
        assert!(if s.attack == "lira-online" { s.difference.mean } else { s.difference.low } > 0.0, "{s:?}");
    }
    assert_eq!(found, simulate(&setting, &[0.0, 10.0], 16, 0, 1).unwrap());
    assert!(simulate(&POWER_LAW, &[0.0], 16, 0, 1).unwrap().is_empty());
    // Where Sigma is a multiple of I nothing moves, to rounding.
    for s in simulate(&Setting { family: Family::Isotropic, ..setting }, &[0.0, 10.0], 16, 0, 2).unwrap() {
        assert!(s.difference.mean.abs() < 1e-3, "{s:?}");
    }
}

#[test]
fn the_spread_peaks_where_interpolation_begins() {
    let setting = Setting { examples: 40, teacher_noise: Some(0.5), ..POWER_LAW };
    let found = sweep(&setting, &[10, 40, 320], 0.0, 20, 0, 2).unwrap();
    let [few, equal, many] = [0, 1, 2].map(|k| &found[k]);
    assert!(equal.deviation.mean > 3.0 * few.deviation.mean.max(many.deviation.mean));
    assert!(equal.auc.mean < few.auc.mean && many.auc.mean > few.auc.mean, "{found:?}");
    assert!(!few.interpolates && !equal.interpolates && many.interpolates);
}

#[test]
fn what_is_outside_the_theory_is_refused_with_the_nearest_form() {
    let said = |e: Error| e.to_string();
    let metric = |d: usize| Metric::sharpness(&vec![1.0; d], 0.0).unwrap();
    let square = Problem::new(&[1.0, 0.0, 0.0, 1.0], &[1.0, -1.0], 2).unwrap();
    let text = said(Fit::new(&square, &metric(2), 0.0).unwrap_err());
    assert!(text.contains("2 examples in 2 dimensions") && text.contains("ridge"), "{text}");
    assert!(Fit::new(&square, &metric(2), 0.1).is_ok());
    let twins = Problem::new(&[1.0, 2.0, 3.0, 1.0, 2.0, 3.0], &[1.0, -1.0], 3).unwrap();
    let text = said(Fit::new(&twins, &metric(3), 0.0).unwrap_err());
    assert!(text.contains("linearly dependent") && text.contains("duplicates"), "{text}");
    for (what, error) in [
        ("eigenvalue -1e0", Metric::diagonal(&[1.0, -1.0]).unwrap_err()),
        ("eigenvalue 0e0", Metric::diagonal(&[1.0, 0.0]).unwrap_err()),
        ("eigenvalue -1e0", Metric::full(&[0.0, 1.0, 1.0, 0.0], 2).unwrap_err()),
        ("not symmetric", Metric::full(&[1.0, 0.5, 0.0, 1.0], 2).unwrap_err()),
        ("no covariance", square.in_eigenbasis(&[1.0, 0.0, 0.0, -1.0]).unwrap_err()),
        ("not a finite number", Problem::new(&[1.0, f64::NAN], &[1.0], 2).unwrap_err()),
        ("not a finite number", Problem::new(&[1.0, 1.0], &[f64::INFINITY], 2).unwrap_err()),
        ("4 values, not 2", Problem::new(&[1.0; 4], &[1.0], 2).unwrap_err()),
        ("eta is -1", Metric::sharpness(&[1.0], -1.0).unwrap_err()),
        ("the ridge is -1", Fit::new(&square, &metric(2), -1.0).unwrap_err()),
    ] {
        assert!(error.to_string().contains(what), "{error}");
    }
    let loud = Problem::new(&[1.0, 2.0, 3.0], &[0.5], 3).unwrap();
    let text = said(loud.check_signs().unwrap_err());
    assert!(text.contains("+1 and -1") && text.contains("residual"), "{text}");
    assert!(twins.check_signs().is_ok());
}
