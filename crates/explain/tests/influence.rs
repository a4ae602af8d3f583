//! Influence against NumPy, against itself by two routes, and against what was planted.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failed set-up is a failed test; figures are printed")]

use flatleak_explain::pairs::{Keep, sweep};
use flatleak_explain::{Design, Influence};
use flatleak_pool::{Matrix, Membership};
use flatleak_stream::{Purpose, Stream};
use serde_json::Value;

fn rows<T>(v: &Value, f: impl Fn(&Value) -> T) -> Vec<Vec<T>> {
    v.as_array().unwrap().iter().map(|r| r.as_array().unwrap().iter().map(&f).collect()).collect()
}

fn bytes(v: &Value) -> Vec<Vec<u8>> {
    rows(v, |x| x.as_u64().unwrap() as u8)
}

fn floats(v: &Value) -> Vec<Vec<f64>> {
    rows(v, |x| x.as_f64().unwrap())
}

fn matrix<T: Clone>(rows: &[Vec<T>]) -> Matrix<T> {
    Matrix::from_rows(rows).unwrap()
}

#[test]
fn values_errors_and_entropies_are_those_of_numpy() {
    let all: Value = serde_json::from_str(include_str!("influence.json")).unwrap();
    for (name, case) in all.as_object().unwrap() {
        let member = rows(&case["member"], |x| x.as_u64() == Some(1));
        let membership = Membership::from_rows(member).unwrap();
        assert_eq!(membership.is_complementary(), name == "paired");
        let design = Design::new(&membership).unwrap();
        let (right, confidence) = (bytes(&case["right"]), floats(&case["confidence"]));
        let hard = Influence::hard(&design, matrix(&right).rows()).unwrap();
        let soft = Influence::soft(&design, matrix(&confidence).rows()).unwrap();
        let mut worst: f64 = 0.0;
        for (influence, which) in [(&hard, "hard"), (&soft, "soft")] {
            let (wanted, errors) = (floats(&case[which]), floats(&case[&format!("{which}_error")]));
            let found = influence.sweep(2, |row| {
                let errors: Vec<f64> = (0..row.values().len()).map(|i| row.standard_error(i)).collect();
                (row.values().into_owned(), errors, row.entropy(2.0), row.entropy(0.0))
            });
            for (j, (values, found_errors, entropy, all_entropy)) in found.iter().enumerate() {
                for (i, v) in values.iter().enumerate() {
                    worst = worst.max((f64::from(*v) - wanted[j][i]).abs());
                    assert!((found_errors[i] - errors[j][i]).abs() < 1e-6, "{name} {which} {i} {j}");
                }
                let same = |found: &Option<f64>, wanted: &Value| match (found, wanted.as_f64()) {
                    (Some(f), Some(w)) => assert!((f - w).abs() < 1e-5, "{name} {which} {j}: {f} {w}"),
                    (f, w) => assert_eq!(f.is_some(), w.is_some(), "{name} {which} {j}"),
                };
                same(entropy, &case[format!("{which}_entropy")][j]);
                if which == "hard" {
                    same(all_entropy, &case["all_entropy"][j]);
                }
            }
        }
        println!("{name}: largest difference from NumPy {worst:e}");
        assert!(worst < 1e-6, "{name}: {worst}");
    }
}

/// Outcomes of 2 `blocks` models on `tests` held-out examples; example j is helped by pool examples 3 j to 3 j + 2, each of which
/// raises the chance of a right answer by `help`.
fn planted(blocks: usize, examples: usize, tests: usize, help: f64, draw: u64) -> (Membership, Vec<Vec<u8>>) {
    let membership = Membership::complementary(draw, 2 * blocks, examples).unwrap();
    let mut s = Stream::new(51, Purpose::Simulation, draw, blocks as u64);
    let right = (0..2 * blocks)
        .map(|k| {
            let row = membership.row(k);
            (0..tests)
                .map(|j| {
                    let helped = (3 * j..3 * j + 3).filter(|&i| row[i]).count() as f64;
                    u8::from(s.unit() < 0.15 + help * helped)
                })
                .collect()
        })
        .collect();
    (membership, right)
}

#[test]
fn bits_and_matrix_product_agree_exactly() {
    for (blocks, examples, tests) in [(3, 61, 20), (40, 700, 65), (100, 513, 129)] {
        let (membership, right) = planted(blocks, examples, tests, 0.2, 1);
        let design = Design::new(&membership).unwrap();
        let all = |influence: Influence<'_>| influence.sweep(2, |row| row.values().into_owned());
        let by_bits = all(Influence::hard(&design, matrix(&right).rows()).unwrap());
        let by_product = all(Influence::hard_by_product(&design, matrix(&right).rows()).unwrap());
        assert_eq!(by_bits, by_product);
        assert!(by_bits.iter().flatten().any(|v| *v != 0.0));
    }
}

/// A block holds each example once, so that members are drawn without replacement: i's presence makes each other helper of j rarer by
/// 1 / (N - 1). The influence of a helper is then help (1 - 2 / (N - 1)), of any other example -3 help / (N - 1).
#[test]
fn planted_influence_is_recovered_and_its_intervals_cover() {
    let (examples, tests, help) = (120, 10, 0.25);
    let truth = |i: usize, j: usize| {
        let others = examples as f64 - 1.0;
        if i / 3 == j && i < 3 * tests { help * (1.0 - 2.0 / others) } else { -3.0 * help / others }
    };
    for blocks in [8, 16, 32] {
        let (mut covered, mut squares, mut pairs) = ([0u32; 2], 0.0, [0u32; 2]);
        for draw in 0..1000 {
            let (membership, right) = planted(blocks, examples, tests, help, draw);
            let design = Design::new(&membership).unwrap();
            let influence = Influence::hard(&design, matrix(&right).rows()).unwrap();
            let found = influence.sweep(1, |row| {
                (0..examples)
                    .map(|i| (f64::from(row.value(i)), row.standard_error(i), row.interval(i).unwrap()))
                    .collect::<Vec<_>>()
            });
            for (j, row) in found.iter().enumerate() {
                for (i, (value, error, interval)) in row.iter().enumerate() {
                    let helper = usize::from(i / 3 == j && i < 3 * tests);
                    pairs[helper] += 1;
                    covered[helper] += u32::from(interval.low <= truth(i, j) && truth(i, j) <= interval.high);
                    if helper == 1 && *error > 0.0 {
                        squares += ((value - truth(i, j)) / error).powi(2);
                    }
                }
            }
        }
        let share = |h: usize| f64::from(covered[h]) / f64::from(pairs[h]);
        let ratio = squares / f64::from(pairs[1]);
        println!("{blocks} blocks: helpers covered {:.3}, others {:.3}, mean z^2 {ratio:.2}", share(1), share(0));
        assert!(share(0) >= 0.93 && share(1) >= 0.93, "{blocks} blocks: {} {}", share(0), share(1));
        // Chi-square of a t with 7 degrees of freedom has the mean 7/5; it falls to 1 with the number of blocks.
        assert!((0.85..1.6).contains(&ratio), "{ratio}");
    }
}

/// Many false pairs, few true ones: what is called a discovery must be true at the promised rate, and a pool in which membership means
/// nothing must give (almost) none.
#[test]
fn discoveries_are_true() {
    let (examples, tests) = (300, 40);
    let keep = Keep { per_test: 20, overall: 40 };
    let (mut right_ones, mut wrong_ones) = (0u32, 0u32);
    for draw in 0..10 {
        let (membership, right) = planted(128, examples, tests, 0.25, draw);
        let design = Design::new(&membership).unwrap();
        let influence = Influence::hard(&design, matrix(&right).rows()).unwrap();
        let found = sweep(&influence, &vec![0.5; examples], keep, 2).unwrap();
        for pair in found.per_test.iter().flatten().filter(|p| p.q_value <= 0.05) {
            let helper = pair.train / 3 == pair.test;
            if helper { right_ones += 1 } else { wrong_ones += 1 }
        }
        let listed = found.per_test.iter().flatten().filter(|p| p.q_value <= 0.05).count() as u64;
        assert_eq!(found.discovered, Some(listed), "every discovery is among the pairs kept");
        assert!(found.overall.windows(2).all(|w| w[0].influence >= w[1].influence));
        // Without memorization there is no high-influence pair.
        assert_eq!(sweep(&influence, &vec![0.2; examples], keep, 1).unwrap().high, 0);

        let swapped: Vec<usize> = (0..256).map(|k| (k + 2) % 256).collect();
        let swapped = matrix(&right).rows().select(&swapped);
        let null = sweep(&Influence::hard(&design, swapped.rows()).unwrap(), &vec![0.5; examples], keep, 2).unwrap();
        assert!(null.discovered.unwrap() <= 3, "{:?} of a null", null.discovered);
    }
    println!("{right_ones} true discoveries of 1200, {wrong_ones} false ones");
    assert!(right_ones > 500 && f64::from(wrong_ones) < 0.07 * f64::from(right_ones + wrong_ones));
}

#[test]
fn what_does_not_fit_is_refused() {
    let (membership, right) = planted(3, 60, 5, 0.1, 0);
    let design = Design::new(&membership).unwrap();
    assert!(Influence::hard(&design, matrix(&right[..5]).rows()).is_err());
    let mut member: Vec<Vec<bool>> = (0..6).map(|k| membership.row(k).to_vec()).collect();
    member.iter_mut().for_each(|row| row[7] = true);
    let error = Design::new(&Membership::from_rows(member).unwrap()).unwrap_err().to_string();
    assert!(error.contains("example 7 is in 6 models and out of 0"), "{error}");
    let influence = Influence::hard(&design, matrix(&right).rows()).unwrap();
    assert!(sweep(&influence, &[0.0], Keep { per_test: 1, overall: 1 }, 1).is_err());
}
