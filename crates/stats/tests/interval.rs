//! Intervals: identities, degenerate input, refusals, coverage.

use flatleak_stats::{Error, Interval, clopper_pearson, jackknife, moments, student_t, wilson};
use flatleak_stream::{Purpose, Stream};

fn stream(index: u64) -> Stream {
    Stream::new(11, Purpose::Simulation, index, 0)
}

fn normals(n: usize, index: u64) -> Vec<f64> {
    let mut stream = stream(index);
    (0..n).map(|_| stream.normal()).collect()
}

#[test]
fn the_jackknife_of_a_mean_is_the_t_interval() {
    for n in [2usize, 5, 40] {
        let x = normals(n, n as u64);
        let sum: f64 = x.iter().sum();
        let out: Vec<f64> = x.iter().map(|v| (sum - v) / (n as f64 - 1.0)).collect();
        let (found, wanted) = (jackknife(sum / n as f64, &out, 0.95).unwrap(), student_t(&x, 0.95).unwrap());
        for (a, b) in [(found.interval.low, wanted.low), (found.interval.high, wanted.high)] {
            assert!((a - b).abs() < 1e-11 * (wanted.high - wanted.low), "{found:?} {wanted:?}");
        }
        assert!((found.standard_error - moments::standard_deviation(&x, 1) / (n as f64).sqrt()).abs() < 1e-12);
    }
}

#[test]
fn two_blocks_by_hand() {
    // t with one degree of freedom is Cauchy: its .975 quantile is tan(.475 pi); the standard error is 1.
    let interval = student_t(&[1.0, 3.0], 0.95).unwrap();
    let half = (0.475 * std::f64::consts::PI).tan();
    assert!((interval.high - 2.0 - half).abs() < 1e-12 && (interval.low - 2.0 + half).abs() < 1e-12);
}

#[test]
fn constant_blocks_have_no_width() {
    let point = Interval { mean: 0.5, low: 0.5, high: 0.5 };
    let blocks = [0.5; 70];
    assert_eq!(student_t(&blocks, 0.95), Ok(point));
    assert_eq!(jackknife(0.5, &blocks, 0.95).unwrap().interval, point);
}

#[test]
fn t_covers_at_its_level() {
    // 2,000 pools with true mean 0; the standard error of the coverage is .005.
    let mut t = 0;
    for pool in 0..2000 {
        let x = normals(8, 100 + pool);
        let covers = |i: Interval| i.low <= 0.0 && 0.0 <= i.high;
        t += u32::from(covers(student_t(&x, 0.95).unwrap()));
    }
    assert!((1870..=1930).contains(&t), "{t}");
}

#[test]
fn clopper_pearson_covers_at_least_its_level_and_not_much_more() {
    // Exact coverage at p: the sum of binomial probabilities of the counts whose interval holds p.
    let n = 40u64;
    for p in [0.03, 0.2, 0.5] {
        let mut probability = (1.0f64 - p).powi(n as i32);
        let mut coverage = 0.0;
        for k in 0..=n {
            let interval = clopper_pearson(k, n, 0.9).unwrap();
            if interval.low <= p && p <= interval.high {
                coverage += probability;
            }
            probability *= (n - k) as f64 / (k + 1) as f64 * p / (1.0 - p);
        }
        assert!((0.9..0.98).contains(&coverage), "{p} {coverage}");
    }
    let low = clopper_pearson(0, 10, 0.95).unwrap();
    assert_eq!((low.mean, low.low), (0.0, 0.0));
    assert!(((1.0 - low.high).powi(10) - 0.025).abs() < 1e-15);
}

#[test]
fn refusals() {
    let ok = [0.1, 0.2, 0.3];
    let too_few = Err(Error::TooFew { what: "blocks", found: 1, needed: 2 });
    assert_eq!(student_t(&ok[..1], 0.95), too_few);
    assert!(jackknife(0.1, &ok[..1], 0.95).is_err());
    for level in [0.0, 1.0, 95.0, f64::NAN] {
        assert!(matches!(student_t(&ok, level), Err(Error::Level { .. })));
        assert!(matches!(wilson(1, 2, level), Err(Error::Level { .. })));
    }
    assert!(matches!(student_t(&[0.1, f64::NAN], 0.9), Err(Error::NotFinite { index: 1, .. })));
    assert!(matches!(jackknife(f64::INFINITY, &ok, 0.9), Err(Error::NotFinite { .. })));
    assert_eq!(clopper_pearson(0, 0, 0.9), Err(Error::Counts { successes: 0, trials: 0 }));
    assert_eq!(wilson(3, 2, 0.9), Err(Error::Counts { successes: 3, trials: 2 }));
}
