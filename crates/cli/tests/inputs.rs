//! Outputs in the forms in which people have them are read alike.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::path::{Path, PathBuf};

use serde_json::Value;

mod common;
use common::world::{C, Draws, M, N, World, alike, aucs, headline, reordered, with_order};
use common::{code, floats, npy, results, words};

/// One way of writing the same outputs.
fn outputs(world: &World, draws: &mut Draws) -> (&'static str, PathBuf) {
    let c = world.classes();
    let (kind, values) = match draws.below(4) {
        0 => ("probabilities", world.probabilities()),
        1 => ("probabilities", world.probabilities().iter().map(|p| p.ln()).collect()),
        _ => ("logits", world.logits.clone()),
    };
    let (swapped, fortran) = (draws.below(2) == 1, draws.below(2) == 1);
    let axes: &[usize] = if swapped { &[1, 0, 2] } else { &[0, 1, 2] };
    let shape: Vec<usize> = axes.iter().map(|&a| [M, N, c][a]).collect();
    let mut values = reordered(&values, &[M, N, c], axes);
    if fortran {
        values = reordered(&values, &shape, &[2, 1, 0]);
    }
    // Logits are exact in every type.
    let (descr, body) = match draws.below(if kind == "logits" { 5 } else { 2 }) {
        0 => ("<f8", floats(&values)),
        1 => (">f8", values.iter().flat_map(|v| v.to_be_bytes()).collect()),
        2 => ("<f4", values.iter().flat_map(|v| (*v as f32).to_le_bytes()).collect()),
        3 => {
            ("<V2", values.iter().flat_map(|v| ((*v as f32).to_bits().wrapping_shr(16) as u16).to_le_bytes()).collect())
        }
        _ => (">f4", values.iter().flat_map(|v| (*v as f32).to_be_bytes()).collect()),
    };
    (kind, world.put("outputs.npy", &with_order(descr, fortran, &shape, &body)))
}

fn labels(world: &World, draws: &mut Draws) -> PathBuf {
    let y = &world.labels;
    let body = match draws.below(7) {
        0 => npy("<i8", &[N], &y.iter().flat_map(|v| (*v as i64).to_le_bytes()).collect::<Vec<_>>()),
        1 => npy("|u1", &[N, 1], &y.iter().map(|v| *v as u8).collect::<Vec<_>>()),
        2 => npy("<f8", &[1, N], &floats(&y.iter().map(|v| *v as f64).collect::<Vec<_>>())),
        3 => {
            let hot = y.iter().flat_map(|v| (0..C).map(move |c| f64::from(u8::from(c == *v))));
            npy("<f8", &[N, C], &floats(&hot.collect::<Vec<_>>()))
        }
        4 => npy("|u1", &[M, N], &(0..M).flat_map(|_| y.iter().map(|v| *v as u8)).collect::<Vec<_>>()),
        5 => npy("|S3", &[N], &y.iter().flat_map(|v| [*b"cat", *b"dog", *b"emu", *b"fox"][*v]).collect::<Vec<_>>()),
        _ => with_order("|u1", true, &[N, 1], &y.iter().map(|v| *v as u8).collect::<Vec<_>>()),
    };
    world.put("y.npy", &body)
}

fn membership(world: &World, draws: &mut Draws) -> PathBuf {
    let mask = &world.member;
    let bytes = |f: fn(bool) -> u8| mask.iter().map(|m| f(*m)).collect::<Vec<_>>();
    let body = match draws.below(7) {
        0 => npy("|b1", &[M, N], &bytes(u8::from)),
        1 => npy("|u1", &[M, N], &bytes(|m| if m { 255 } else { 0 })),
        2 => npy("|i1", &[M, N], &bytes(|m| if m { 1 } else { 255 })),
        3 => npy("|u1", &[N, M], &reordered(&bytes(u8::from), &[M, N], &[1, 0])),
        4 => with_order("|u1", true, &[M, N], &reordered(&bytes(u8::from), &[M, N], &[1, 0])),
        5 => {
            npy("|S5", &[M, N], &mask.iter().flat_map(|m| if *m { *b"train" } else { *b"test\0" }).collect::<Vec<_>>())
        }
        _ => {
            let rows: Vec<Vec<f64>> =
                mask.chunks(N).map(|row| (0..N).filter(|i| row[*i]).map(|i| i as f64).collect()).collect();
            let most = rows.iter().map(Vec::len).max().unwrap();
            let filled = rows.iter().flat_map(|r| r.iter().copied().chain(std::iter::repeat(-1.0)).take(most));
            npy("<f8", &[M, most], &floats(&filled.collect::<Vec<_>>()))
        }
    };
    world.put("who.npy", &body)
}

/// However a pool is written, its figures are the same.
#[test]
fn thirty_ways_of_writing_say_the_same() {
    let world = World::new(C);
    let (said, out) = world.audit("logits", &world.plain(), &[]);
    assert_eq!(code(&said), 0, "{}", words(&said));
    let wanted = aucs(&out);
    let mut draws = Draws(11);
    for way in 0..30 {
        let (kind, outputs) = outputs(&world, &mut draws);
        let files = [outputs, labels(&world, &mut draws), membership(&world, &mut draws)];
        let (said, out) = world.audit(kind, &files, &[]);
        assert_eq!(code(&said), 0, "way {way}: {}", words(&said));
        let found = aucs(&out);
        assert!(alike(&found, &wanted), "way {way} of {kind}: {found:?} {wanted:?}\n{}", results(&out)["notes"]);
    }
}

/// One column stands for two classes; an inverted one is named, and its mend succeeds.
#[test]
fn one_column_of_two_classes() {
    let world = World::new(2);
    let plain = world.plain();
    let (_, out) = world.audit("logits", &plain, &[]);
    let wanted = aucs(&out);
    let column = |f: fn(&[f64]) -> f64, of: &[f64]| floats(&of.chunks(2).map(f).collect::<Vec<_>>());
    let p = world.probabilities();
    for (kind, shape, body) in [
        ("logits", vec![M, N, 1], column(|z| z[1] - z[0], &world.logits)),
        ("probabilities", vec![M, N, 1], column(|p| p[1], &p)),
        ("probabilities", vec![M, N], column(|p| p[1], &p)),
    ] {
        let files = [world.put("one.npy", &npy("<f8", &shape, &body)), plain[1].clone(), plain[2].clone()];
        let (said, out) = world.audit(kind, &files, &[]);
        assert_eq!(code(&said), 0, "{}", words(&said));
        assert!(alike(&aucs(&out), &wanted), "{kind}: {:?} {wanted:?}", aucs(&out));
    }
    let other = [world.put("one.npy", &npy("<f8", &[M, N], &column(|p| p[0], &p))), plain[1].clone(), plain[2].clone()];
    assert!(world.refused("probabilities", &other).contains("give 1 less it"));
    // The probability of class 1 is not that of the label.
    let positive =
        [world.put("one.npy", &npy("<f8", &[M, N], &column(|p| p[1], &p))), plain[1].clone(), plain[2].clone()];
    let text = world.refused("confidence", &positive);
    assert!(text.contains("give it as --probabilities of one column"), "{text}");
    let (said, out) = world.audit("probabilities", &positive, &[]);
    assert!(code(&said) == 0 && alike(&aucs(&out), &wanted));
}

/// Numbers beyond those of saturated probabilities are kept; the ends of a scale are the ends.
#[test]
fn only_what_is_saturated_is_clamped() {
    let world = World::new(C);
    let plain = world.plain();
    let phi = |f: &dyn Fn(f64) -> f64| {
        let each = world.probabilities();
        let p = each.chunks(C).enumerate().map(|(at, row)| row[world.labels[at % N]]);
        floats(&p.map(|p| f((p / (1.0 - p)).ln())).collect::<Vec<_>>())
    };
    let of = |body: Vec<u8>, kind: &str| {
        let files = [world.put("phi.npy", &npy("<f8", &[M, N], &body)), plain[1].clone(), plain[2].clone()];
        let (said, out) = world.audit(kind, &files, &[]);
        assert_eq!(code(&said), 0, "{}", words(&said));
        let all = aucs(&out);
        all.iter().find(|(name, _)| name == "lira-online-fixed").unwrap().1
    };
    let wanted = of(phi(&|v| v), "phi");
    assert!(wanted > 0.6);
    let moved = of(phi(&|v| v + 115.0), "phi");
    assert!((moved - wanted).abs() < 2e-3, "{moved} {wanted}");
    // Squared errors, which are no -log p, still rank.
    let squared = of(phi(&|v| (v - 30.0).powi(2)), "loss");
    assert!(squared > 0.6, "{squared}");
    let ends = of(phi(&|v| if v > 6.0 { f64::INFINITY } else { v }), "phi");
    assert!((ends - wanted).abs() < 0.1, "{ends} {wanted}");
}

/// Coarse probabilities, predicted classes, few decimals, values that are no numbers.
#[test]
fn coarse_outputs_are_taken_for_what_they_are() {
    let world = World::new(C);
    let plain = world.plain();
    let notes = |out: &Path| results(out)["notes"].to_string();
    let p = world.probabilities();
    let with = |shape: &[usize], body: Vec<f64>| {
        [world.put("p.npy", &npy("<f8", shape, &floats(&body))), plain[1].clone(), plain[2].clone()]
    };
    // Shares of 50 votes, the first class with what is left.
    let votes: Vec<f64> = p
        .chunks(C)
        .flat_map(|row| {
            let rest: Vec<f64> = row[1..].iter().map(|p| (50.0 * p).floor()).collect();
            let first = 50.0 - rest.iter().sum::<f64>();
            std::iter::once(first).chain(rest).map(|v| v / 50.0).collect::<Vec<_>>()
        })
        .collect();
    let (said, out) = world.audit("probabilities", &with(&[M, N, C], votes), &[]);
    assert!(code(&said) == 0 && notes(&out).contains("multiples of 1/50"), "{}{}", words(&said), notes(&out));
    let decimals: Vec<f64> = p.iter().map(|p| (1e3 * p).round() / 1e3).collect();
    let (said, _) = world.audit("probabilities", &with(&[M, N, C], decimals), &[]);
    assert_eq!(code(&said), 0, "{}", words(&said));
    let top = |row: &[f64]| (0..C).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap() as f64;
    let classes: Vec<f64> = p.chunks(C).map(top).collect();
    let (said, out) = world.audit("probabilities", &with(&[M, N], classes), &[]);
    assert!(code(&said) == 0 && notes(&out).contains("predicted classes"), "{}", words(&said));
    assert!(headline(&out).contains("labels alone"), "{}", headline(&out));
    // -inf says that a class cannot be.
    let mut never = world.logits.clone();
    let at = (world.labels[0] + 1) % C;
    never[at] = f64::NEG_INFINITY;
    let (said, _) = world.audit("logits", &with(&[M, N, C], never.clone()), &[]);
    assert_eq!(code(&said), 0, "{}", words(&said));
    never[at] = f64::NAN;
    let text = world.refused("logits", &with(&[M, N, C], never));
    assert!(text.contains("1 of model 0") && text.contains("the first NaN at example 0"), "{text}");
    // 1 + 1e-7 and -1e-17 are rounding.
    let mut rounded = p;
    rounded.iter_mut().for_each(|p| {
        if *p > 0.999 {
            *p = 1.0 + 1e-7
        } else if *p < 1e-5 {
            *p = -1e-17
        }
    });
    let (said, _) = world.audit("probabilities", &with(&[M, N, C], rounded), &[]);
    assert_eq!(code(&said), 0, "{}", words(&said));
}

/// Data that are too few are data that cannot be used, and no wrong arguments.
#[test]
fn a_pool_of_one_example_is_refused_as_data() {
    let world = World::new(C);
    let column = |name: &str, bytes: &[u8]| world.put(name, &npy("|u1", &[M, 1], bytes));
    let mask = column("who.npy", &world.member.iter().step_by(N).map(|v| u8::from(*v)).collect::<Vec<_>>());
    let phi = world.put("phi.npy", &npy("<f8", &[M, 1], &floats(&world.logits[..M])));
    let files = [phi, world.put("one.npy", &npy("|u1", &[1], &[0])), mask];
    let said = world.refused("phi", &files);
    assert!(said.contains("a pool of 1 examples cannot be split"), "{said}");
}

#[test]
fn what_was_seen_stands_in_the_results() {
    let world = World::new(C);
    let (_, out) = world.audit("logits", &world.plain(), &[]);
    let found: Value = results(&out)["notes"][0].clone();
    let text = found.as_str().unwrap();
    assert!(
        text.contains("(M=12, N=120, C=4) <f8 logits; labels <i8 0 to 3;") && text.contains("members per model"),
        "{text}"
    );
}
