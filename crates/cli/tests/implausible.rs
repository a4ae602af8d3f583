//! Outputs that cannot be what they are said to be are refused with what would be right, or doubted.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::path::PathBuf;

mod common;
use common::world::{C, Draws, M, N, World, alike, aucs, headline};
use common::{code, floats, npy, words};

/// Outputs that cannot be what they are said to be are refused, and what the refusal advises is taken.
#[test]
fn implausible_outputs_are_refused_with_the_mend() {
    let world = World::new(12);
    let plain = world.plain();
    let with = |outputs: PathBuf| [outputs, plain[1].clone(), plain[2].clone()];
    let (_, out) = world.audit("logits", &plain, &[]);
    let wanted = aucs(&out);
    // Columns of folders named 0 to 11, read as text.
    let mut order: Vec<usize> = (0..12).collect();
    order.sort_by_key(usize::to_string);
    let columns = |order: &[usize], z: &[f64]| {
        z.chunks(12).flat_map(|r| order.iter().map(|&c| r[c]).collect::<Vec<_>>()).collect()
    };
    let mixed: Vec<f64> = columns(&order, &world.logits);
    let text = world.refused("logits", &with(world.put("z.npy", &npy("<f8", &[M, N, 12], &floats(&mixed)))));
    assert!(text.contains("which is their order as text"), "{text}");
    let list = text.split_once("outputs[..., [").unwrap().1.split_once(']').unwrap().0;
    let mend: Vec<usize> = list.split(", ").map(|c| c.parse().unwrap()).collect();
    let mended: Vec<f64> = columns(&mend, &mixed);
    let (said, out) = world.audit("logits", &with(world.put("z.npy", &npy("<f8", &[M, N, 12], &floats(&mended)))), &[]);
    assert!(code(&said) == 0 && alike(&aucs(&out), &wanted), "{}", words(&said));
    // Probabilities as logits.
    let p = world.put("p.npy", &npy("<f8", &[M, N, 12], &floats(&world.probabilities())));
    assert!(world.refused("logits", &with(p.clone())).contains("give it as --probabilities"));
    assert!(alike(
        &{
            let (_, out) = world.audit("probabilities", &with(p), &[]);
            aucs(&out)
        },
        &wanted
    ));
    // One model twice, and one value everywhere.
    let mut twice = world.logits.clone();
    twice.copy_within(2 * N * 12..3 * N * 12, 5 * N * 12);
    let text = world.refused("logits", &with(world.put("z.npy", &npy("<f8", &[M, N, 12], &floats(&twice)))));
    assert!(text.contains("models 2 and 5"), "{text}");
    let same = world.put("z.npy", &npy("<f8", &[M, N], &floats(&[0.25; M * N])));
    assert!(world.refused("phi", &with(same)).contains("does not vary"));
}

/// What may be right and looks wrong is said in the headline, and gates are not kept.
#[test]
fn doubts_reach_headline_and_gates() {
    let world = World::new(C);
    let plain = world.plain();
    let gate = ["--fail-above", "strongest.auc=.99"];
    let (said, _) = world.audit("logits", &plain, &gate);
    assert_eq!(code(&said), 0, "{}", words(&said));
    let doubt = |outputs: Vec<f64>, member: &[bool]| {
        let mask: Vec<u8> = member.iter().map(|m| u8::from(*m)).collect();
        let files = [
            world.put("z.npy", &npy("<f8", &[M, N, C], &floats(&outputs))),
            plain[1].clone(),
            world.put("who.npy", &npy("|b1", &[M, N], &mask)),
        ];
        let (said, out) = world.audit("logits", &files, &gate);
        (code(&said), headline(&out))
    };
    let mut draws = Draws(3);
    let mut shuffled = world.logits.clone();
    for model in shuffled.chunks_mut(N * C) {
        for i in (1..N).rev() {
            let j = draws.below(i + 1);
            (0..C).for_each(|c| model.swap(i * C + c, j * C + c));
        }
    }
    let (rc, text) = doubt(shuffled, &world.member);
    assert!(rc == 6 && text.contains("shuffled anew for every model"), "{rc} {text}");
    let mut rolled = world.logits.clone();
    rolled.chunks_mut(N * C).for_each(|model| model.rotate_left(5 * C));
    let (rc, text) = doubt(rolled, &world.member);
    assert!(rc == 6 && text.contains("labels seem to stand in another order"), "{rc} {text}");
    let inverted: Vec<bool> = world.member.iter().map(|m| !m).collect();
    let (rc, text) = doubt(world.logits.clone(), &inverted);
    assert!(rc == 6 && text.contains("turn 0 and 1 in it"), "{rc} {text}");
    let mut scaled = world.logits.clone();
    scaled[..N * C].iter_mut().for_each(|z| *z *= 3.0);
    let (rc, text) = doubt(scaled, &world.member);
    assert!(rc == 6 && text.contains("model 0 of model are on another scale"), "{rc} {text}");
    // Examples 0 and 1 have the same outputs, where their labels are the same.
    let (first, second) = (0..N)
        .flat_map(|i| (i + 1..N).map(move |j| (i, j)))
        .find(|(i, j)| world.labels[*i] == world.labels[*j])
        .unwrap();
    let mut doubled = world.logits.clone();
    for model in doubled.chunks_mut(N * C) {
        model.copy_within(first * C..(first + 1) * C, second * C);
    }
    let (rc, text) = doubt(doubled, &world.member);
    assert!(rc == 0 && text.contains("2 of 120 examples of model have a double"), "{rc} {text}");
}

/// Rows that a loader left at 0 are said; equal probabilities, as trees give them, are nothing odd.
#[test]
fn rows_that_were_never_filled() {
    let world = World::new(2);
    let plain = world.plain();
    let mut logits = world.logits.clone();
    logits.chunks_mut(N * 2).for_each(|model| model[(N - 8) * 2..].fill(0.0));
    let files =
        |body: &[f64]| [world.put("z.npy", &npy("<f8", &[M, N, 2], &floats(body))), plain[1].clone(), plain[2].clone()];
    let (said, out) = world.audit("logits", &files(&logits), &[]);
    assert!(
        code(&said) == 0 && headline(&out).contains("the last 8 of 120 examples of model are 0"),
        "{}",
        headline(&out)
    );
    let mut even = world.probabilities();
    even.chunks_mut(N * 2).for_each(|model| model[..20].fill(0.5));
    let (said, out) = world.audit("probabilities", &files(&even), &[]);
    assert!(code(&said) == 0 && headline(&out).contains("leaks"), "{}", words(&said));
}

/// Values that are no logits, no views, or of another unit are refused with what would be right.
#[test]
fn values_of_another_unit_are_refused() {
    let world = World::new(C);
    let plain = world.plain();
    let refused = |kind: &str, values: Vec<f64>| {
        let files = [world.put("z.npy", &npy("<f8", &[M, N, C], &floats(&values))), plain[1].clone(), plain[2].clone()];
        world.refused(kind, &files)
    };
    let p = world.probabilities();
    assert!(refused("probabilities", p.iter().map(|p| 100.0 * p).collect()).contains("divide by 100"));
    let sigmoids = world.logits.iter().map(|z| 1.0 / (1.0 + (-z).exp())).collect();
    assert!(refused("logits", sigmoids).contains("give the logits before them"));
    assert!(refused("logits", world.logits.iter().map(|z| -z).collect()).contains("the sign seems to be turned"));
    assert!(refused("phi", world.logits.clone()).contains("no views"));
    assert!(refused("confidence", p).contains("no views"));
}
