//! Whether the outputs of each model belong to its examples and its row of the membership; and pools that are what they are said to be, of
//! every kind, about which nothing may be said. All are simulated.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use flatleak_data::values::Source;
use flatleak_pool::Wanted;
use flatleak_results::Doubt;
use flatleak_store::{Arrays, Error, Given, Imported, Terms, from_arrays};

/// Numbers that look drawn: a linear congruential generator (Knuth), uniform on [0, 1).
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() * n as f64) as usize
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }

    fn shuffle(&mut self, n: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..n).collect();
        (1..n).rev().for_each(|i| all.swap(i, self.below(i + 1)));
        all
    }
}

/// How models learn.
#[derive(Clone, Copy)]
struct Kind {
    m: usize,
    n: usize,
    c: usize,
    /// What the label's logit has on average, how much that differs over examples, and what a member's has more.
    learnt: [f64; 3],
    /// By how much a model prefers classes of its own.
    preference: f64,
    /// What all logits are multiplied by.
    scale: f64,
    /// Share of labels that are wrong.
    noise: f64,
    /// Models come in pairs that share the examples out; else each draws its own.
    paired: bool,
}

const KIND: Kind =
    Kind { m: 12, n: 400, c: 4, learnt: [2.0, 1.2, 1.6], preference: 0.3, scale: 1.0, noise: 0.0, paired: true };

struct World {
    kind: Kind,
    /// (M, N, C).
    logits: Vec<f64>,
    labels: Vec<usize>,
    member: Vec<Vec<bool>>,
}

impl World {
    fn new(kind: Kind, seed: u64) -> Self {
        let mut draws = Draws(seed);
        let Kind { m, n, c, learnt: [mean, spread, effect], preference, scale, noise, paired } = kind;
        let truth: Vec<usize> = (0..n).map(|_| draws.below(c)).collect();
        let labels = truth.iter().map(|y| if draws.next() < noise { draws.below(c) } else { *y }).collect::<Vec<_>>();
        let mut member: Vec<Vec<bool>> = Vec::new();
        for model in 0..m {
            let row = match member.last().filter(|_| paired && model % 2 == 1) {
                Some(other) => other.iter().map(|v| !v).collect(),
                None => (0..n).map(|_| draws.next() < 0.5).collect(),
            };
            member.push(row);
        }
        let ease: Vec<f64> = (0..n).map(|_| mean + spread * draws.normal()).collect();
        let mut logits = Vec::new();
        for row in &member {
            let own: Vec<f64> = (0..c).map(|_| preference * draws.normal()).collect();
            for i in 0..n {
                for (k, own) in own.iter().enumerate() {
                    let learnt = f64::from(u8::from(k == truth[i])) * ease[i];
                    // What is wrong is learnt by heart, harder.
                    let heart = effect * if labels[i] == truth[i] { 1.0 } else { 3.0 };
                    let member = f64::from(u8::from(row[i] && k == labels[i])) * heart;
                    logits.push(scale * (draws.normal() + own + learnt + member));
                }
            }
        }
        Self { kind, logits, labels, member }
    }

    /// Sets the rows of outputs of a model in another order.
    fn reorder(&mut self, model: usize, order: &[usize]) {
        let (n, c) = (self.kind.n, self.kind.c);
        let own = self.logits[model * n * c..][..n * c].to_vec();
        let moved = order.iter().flat_map(|i| own[i * c..][..c].to_vec());
        self.logits[model * n * c..][..n * c].iter_mut().zip(moved).for_each(|(to, v)| *to = v);
    }

    /// phi from the logits as they stand, of the label in the row `of` says.
    fn phi(&self, of: &dyn Fn(usize, usize) -> usize) -> Vec<f64> {
        let (n, c) = (self.kind.n, self.kind.c);
        let one = |(at, row): (usize, &[f64])| {
            let y = self.labels[of(at / n, at % n)];
            let others: f64 = (0..c).filter(|k| *k != y).map(|k| row[k].exp()).sum();
            row[y] - others.ln()
        };
        self.logits.chunks(c).enumerate().map(one).collect()
    }

    fn read(&self, given: Given, values: &[f64], shape: &[usize]) -> Result<Imported, Error> {
        let bytes = |values: &[f64]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let (outputs, labels) = (bytes(values), self.labels.iter().map(|y| *y as u8).collect::<Vec<u8>>());
        let mask: Vec<u8> = self.member.concat().iter().map(|v| u8::from(*v)).collect();
        let (n, both) = ([self.labels.len()], [self.member.len(), self.member[0].len()]);
        from_arrays(&Arrays {
            recipe: "r",
            given,
            wanted: &Wanted::default(),
            terms: Terms::Flags,
            outputs: Source::Memory { descr: "<f8", shape, bytes: &outputs },
            labels: Some(Source::Memory { descr: "|u1", shape: &n, bytes: &labels }),
            membership: Source::Memory { descr: "|u1", shape: &both, bytes: &mask },
            test: None,
            features: None,
        })
    }

    fn of_logits(&self) -> Vec<Doubt> {
        let Kind { m, n, c, .. } = self.kind;
        self.read(Given::Logits, &self.logits, &[m, n, c]).unwrap().pool.doubts
    }

    fn of_phi(&self) -> Vec<Doubt> {
        let phi = self.phi(&|_, i| i);
        self.read(Given::Phi, &phi, &[self.kind.m, self.kind.n]).unwrap().pool.doubts
    }

    fn both(&self) -> [Vec<Doubt>; 2] {
        [self.of_logits(), self.of_phi()]
    }
}

/// Pools that are what they are said to be.
#[test]
fn honest_pools_are_not_doubted() {
    let kinds = [
        KIND,
        Kind { paired: false, ..KIND },
        Kind { m: 6, n: 8, ..KIND },
        Kind { m: 16, n: 20, c: 10, ..KIND },
        // Nothing is learnt by heart, as under differential privacy; hardly anything is learnt; nothing at all is.
        Kind { learnt: [2.0, 1.2, 0.0], ..KIND },
        Kind { learnt: [0.4, 0.3, 0.1], preference: 1.0, ..KIND },
        Kind { learnt: [0.0, 0.0, 0.0], preference: 1.0, ..KIND },
        Kind { learnt: [0.0, 0.0, 0.0], preference: 0.0, scale: 0.01, ..KIND },
        // One epoch: every model prefers classes of its own.
        Kind { learnt: [0.8, 0.5, 0.2], preference: 2.0, ..KIND },
        Kind { noise: 0.4, learnt: [2.0, 1.2, 3.0], ..KIND },
        Kind { noise: 0.4, learnt: [2.0, 1.2, 0.2], scale: 3.0, ..KIND },
        Kind { scale: 8.0, learnt: [3.0, 0.5, 4.0], ..KIND },
        Kind { c: 2, ..KIND },
        Kind { c: 2, n: 60, learnt: [0.5, 0.5, 2.0], scale: 3.0, ..KIND },
        Kind { c: 40, n: 120, learnt: [3.0, 1.0, 3.0], ..KIND },
        Kind { c: 40, n: 120, learnt: [1.0, 1.0, 1.0], preference: 1.0, ..KIND },
        Kind { m: 40, n: 200, learnt: [1.0, 2.0, 0.5], ..KIND },
    ];
    for (at, kind) in kinds.into_iter().enumerate() {
        for seed in 0..12 {
            let found = World::new(kind, 1000 * at as u64 + seed).both();
            assert!(found.iter().all(Vec::is_empty), "kind {at}, seed {seed}: {found:?}");
        }
    }
}

/// A model that learnt nothing, one that learnt half and one that names one class are none whose rows are mixed.
#[test]
fn models_that_fail_are_not_taken_for_mixed_rows() {
    for seed in 0..12 {
        let mut world = World::new(KIND, seed);
        let size = KIND.n * KIND.c;
        let mut draws = Draws(99 + seed);
        world.logits[..size].iter_mut().for_each(|v| *v = 0.05 * draws.normal());
        world.logits[size..2 * size].iter_mut().for_each(|v| *v = 0.5 * *v + draws.normal());
        world.logits[2 * size..3 * size].chunks_mut(KIND.c).for_each(|row| row[1] += 9.0);
        let found = world.both();
        let all = found.concat();
        let mixed = |d: &&Doubt| !matches!(d, Doubt::OtherScale { .. });
        assert_eq!(all.iter().find(mixed), None, "seed {seed}");
    }
}

#[test]
fn models_whose_rows_stand_in_another_order_are_named() {
    for (kind, jobs) in
        [(KIND, vec![3]), (KIND, vec![8, 9, 10, 11]), (Kind { c: 2, learnt: [3.0, 2.5, 2.0], ..KIND }, vec![0, 5])]
    {
        // One order for the whole job, and one for each of its models.
        let one = Draws(8).shuffle(kind.n);
        for each in [false, true] {
            let orders: Vec<Vec<usize>> =
                (0..kind.m).map(|k| if each { Draws(k as u64).shuffle(kind.n) } else { one.clone() }).collect();
            let mut world = World::new(kind, 5);
            jobs.iter().for_each(|k| world.reorder(*k, &orders[*k]));
            assert_eq!(world.of_logits(), [Doubt::OtherOrder { models: jobs.clone() }]);
            // phi is that of the right label, wherever it stands.
            let phi = world.phi(&|k, i| if jobs.contains(&k) { orders[k][i] } else { i });
            let found = world.read(Given::Phi, &phi, &[kind.m, kind.n]).unwrap().pool.doubts;
            assert_eq!(found, [Doubt::OtherOrder { models: jobs.clone() }]);
        }
    }
}

#[test]
fn rows_of_the_membership_that_are_not_the_models_are_named() {
    let mut world = World::new(KIND, 6);
    world.member[7].iter_mut().for_each(|v| *v = !*v);
    let one = || vec![Doubt::Inverted { models: vec![7] }];
    assert_eq!(world.both(), [one(), one()]);
    // Both of a pair.
    let mut world = World::new(KIND, 6);
    world.member.swap(4, 5);
    let pair = || vec![Doubt::Inverted { models: vec![4, 5] }];
    assert_eq!(world.both(), [pair(), pair()]);
    // Two of different pairs.
    let mut world = World::new(KIND, 6);
    world.member.swap(2, 9);
    let two = || vec![Doubt::OtherMembership { models: vec![2, 9], rows: vec![9, 2] }];
    assert_eq!(world.both(), [two(), two()]);
    // All of them, in the order of their numbers as text: 0, 1, 10, 11, 2.
    let mut world = World::new(Kind { learnt: [2.0, 1.2, 2.5], ..KIND }, 6);
    let mut order: Vec<usize> = (0..KIND.m).collect();
    order.sort_by_key(usize::to_string);
    world.member = order.iter().map(|k| world.member[*k].clone()).collect();
    let moved: Vec<usize> = (0..KIND.m).filter(|k| order[*k] != *k).collect();
    let rows: Vec<usize> = moved.iter().map(|k| order.iter().position(|v| v == k).unwrap()).collect();
    let all = || vec![Doubt::OtherMembership { models: moved.clone(), rows: rows.clone() }];
    assert_eq!(world.both(), [all(), all()]);
}

/// Two columns of forty are exchanged, and there are six examples of a class.
#[test]
fn two_exchanged_columns_are_found_with_few_examples() {
    let kind = Kind { c: 40, n: 240, learnt: [6.0, 0.5, 3.0], ..KIND };
    let mut world = World::new(kind, 2);
    world.labels.iter().for_each(|y| assert!(*y < 40));
    let counts = |y: usize| world.labels.iter().filter(|v| **v == y).count();
    let [a, b] = [(0..40).find(|y| counts(*y) == 6).unwrap(), (0..40).rfind(|y| counts(*y) == 6).unwrap()];
    world.logits.chunks_mut(kind.c).for_each(|row| row.swap(a, b));
    let refused = world.read(Given::Logits, &world.logits, &[kind.m, kind.n, kind.c]).unwrap_err().to_string();
    assert!(refused.contains("columns in another order") && refused.contains("--loss"), "{refused}");
    // A single example of each class tells nothing.
    let kind = Kind { n: 40, ..kind };
    let mut world = World::new(kind, 2);
    world.logits.chunks_mut(kind.c).for_each(|row| row.swap(0, 1));
    assert!(world.read(Given::Logits, &world.logits, &[kind.m, kind.n, kind.c]).is_ok());
}

fn turned<T: Copy>(all: &[T], n: usize, each: usize) -> Vec<T> {
    (0..n * n).flat_map(|at| all[((at % n) * n + at / n) * each..][..each].to_vec()).collect()
}

/// As many models as examples: whichever way both arrays stand, the figures are the same, or both readings are named.
#[test]
fn square_arrays_are_read_one_way_or_refused() {
    let n = 40;
    let kind = Kind { m: n, n, learnt: [2.0, 1.2, 3.0], ..KIND };
    let world = World::new(kind, 3);
    let phi = world.phi(&|_, i| i);
    let wanted = world.read(Given::Logits, &world.logits, &[n, n, 4]).unwrap().pool;
    for (outputs, membership) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut other = World::new(kind, 3);
        if membership {
            other.member = (0..n).map(|i| world.member.iter().map(|row| row[i]).collect()).collect();
        }
        let put = |values: &[f64], each| if outputs { turned(values, n, each) } else { values.to_vec() };
        for (given, values, shape) in
            [(Given::Logits, put(&world.logits, 4), vec![n, n, 4]), (Given::Phi, put(&phi, 1), vec![n, n])]
        {
            let found = other.read(given, &values, &shape).unwrap();
            assert_eq!(found.pool.membership, wanted.membership, "{given:?} {outputs} {membership}");
            let close = |a: &f32, b: &f32| (a - b).abs() < 1e-4;
            let same = found
                .pool
                .pool
                .iter()
                .zip(&wanted.pool)
                .all(|(a, b)| a.phi.iter().zip(&b.phi).all(|(a, b)| close(a, b)));
            assert!(same, "{given:?} {outputs} {membership}");
            assert!(found.notes.iter().any(|note| note.contains("as many models as examples")));
        }
    }
    // Nothing tells: no example is easier than another, nobody remembers, memberships are drawn.
    let blank = World::new(Kind { learnt: [0.0, 0.0, 0.0], preference: 0.0, paired: false, ..kind }, 4);
    let phi = blank.phi(&|_, i| i);
    let said = blank.read(Given::Phi, &phi, &[n, n]).unwrap_err().to_string();
    assert!(said.contains("40 models and 40 examples") && said.contains("leave one model out of both"), "{said}");
    // The mend works.
    let mut less = World::new(Kind { learnt: [0.0, 0.0, 0.0], preference: 0.0, paired: false, ..kind }, 4);
    less.member.pop();
    let found = less.read(Given::Phi, &phi[..(n - 1) * n], &[n - 1, n]).unwrap();
    assert_eq!((found.pool.pool.len(), found.pool.examples()), (n - 1, n));
}

/// One column of two classes that is nowhere above 0.
#[test]
fn a_column_of_log_probabilities_is_no_logit() {
    let world = World::new(Kind { c: 2, ..KIND }, 7);
    let (m, n) = (KIND.m, KIND.n);
    let p: Vec<f64> = world.logits.chunks(2).map(|z| 1.0 / (1.0 + (z[0] - z[1]).exp())).collect();
    let logs: Vec<f64> = p.iter().map(|p| p.ln()).collect();
    let said = world.read(Given::Logits, &logs, &[m, n]).unwrap_err().to_string();
    assert!(
        said.contains("give exp of the logarithm as --probabilities of one column, or a logit as --logits"),
        "{said}"
    );
    let exp: Vec<f64> = logs.iter().map(|v| v.exp()).collect();
    assert!(world.read(Given::Probabilities, &exp, &[m, n]).is_ok());
    let both: Vec<f64> = logs.iter().flat_map(|v| [0.0, *v]).collect();
    assert!(world.read(Given::Logits, &both, &[m, n, 2]).is_ok());
}

/// Labels that are wrong on purpose, as those of canaries.
#[test]
fn labels_that_are_wrong_on_purpose_can_be_given() {
    for c in [2, 4] {
        let mut world = World::new(Kind { c, learnt: [4.0, 1.0, 1.0], ..KIND }, 8);
        world.labels.iter_mut().for_each(|y| *y = (*y + 1) % c);
        let said = world.read(Given::Logits, &world.logits, &[KIND.m, KIND.n, c]).unwrap_err().to_string();
        assert!(said.contains("the labels are wrong on purpose") && said.contains("as --loss"), "{said}");
        let loss: Vec<f64> = world.phi(&|_, i| i).iter().map(|phi| (-phi).exp().ln_1p()).collect();
        assert!(world.read(Given::Loss, &loss, &[KIND.m, KIND.n]).is_ok());
    }
}

/// The loss of class 1 whatever the label.
#[test]
fn a_loss_of_the_positive_class_is_refused_with_a_mend_that_works() {
    let world = World::new(Kind { c: 2, ..KIND }, 9);
    let loss: Vec<f64> = world.logits.chunks(2).map(|z| (z[0] - z[1]).exp().ln_1p()).collect();
    let said = world.read(Given::Loss, &loss, &[KIND.m, KIND.n]).unwrap_err().to_string();
    assert!(said.contains("give exp(-loss) as --probabilities of one column"), "{said}");
    let mended: Vec<f64> = loss.iter().map(|v| (-v).exp()).collect();
    assert!(world.read(Given::Probabilities, &mended, &[KIND.m, KIND.n]).is_ok());
    let logit: Vec<f64> = world.logits.chunks(2).map(|z| z[1] - z[0]).collect();
    let said = world.read(Given::Phi, &logit, &[KIND.m, KIND.n]).unwrap_err().to_string();
    assert!(said.contains("give it as --logits of one column"), "{said}");
    assert!(world.read(Given::Logits, &logit, &[KIND.m, KIND.n]).is_ok());
}
