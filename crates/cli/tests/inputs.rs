//! Outputs in the forms in which people have them: read alike, or refused with what would be right; and outputs that cannot be what they are
//! said to be.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

mod common;
use common::{code, flatleak, floats, npy, results, words};

const M: usize = 12;
const N: usize = 120;
const C: usize = 4;

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
}

/// Models that fit their members better, on examples of different difficulty.
struct World {
    dir: tempfile::TempDir,
    /// (M, N, C), multiples of 1/8, which two bytes hold, but for two classes.
    logits: Vec<f64>,
    labels: Vec<usize>,
    /// (M, N).
    member: Vec<bool>,
}

impl World {
    fn new(classes: usize) -> Self {
        let mut draws = Draws(7 + classes as u64);
        let labels: Vec<usize> = (0..N).map(|_| draws.below(classes)).collect();
        let mut member = vec![false; M * N];
        for pair in 0..M / 2 {
            for i in 0..N {
                let side = usize::from(draws.next() < 0.5);
                member[(2 * pair + side) * N + i] = true;
            }
        }
        let ease: Vec<f64> = (0..N).map(|_| 2.0 + 1.2 * draws.normal()).collect();
        let mut logits = Vec::new();
        for m in 0..M {
            for i in 0..N {
                for c in 0..classes {
                    let own = ease[i] + 1.6 * f64::from(u8::from(member[m * N + i]));
                    let z = draws.normal() + if c == labels[i] { own } else { 0.0 };
                    // Of two classes phi would be tied.
                    logits.push(if classes == 2 { z } else { (8.0 * z).round() / 8.0 });
                }
            }
        }
        Self { dir: tempfile::tempdir().unwrap(), logits, labels, member }
    }

    fn classes(&self) -> usize {
        self.logits.len() / (M * N)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn plain(&self) -> [PathBuf; 3] {
        let labels: Vec<u8> = self.labels.iter().flat_map(|y| (*y as i64).to_le_bytes()).collect();
        let mask: Vec<u8> = self.member.iter().map(|m| u8::from(*m)).collect();
        [
            self.put("logits.npy", &npy("<f8", &[M, N, self.classes()], &floats(&self.logits))),
            self.put("labels.npy", &npy("<i8", &[N], &labels)),
            self.put("membership.npy", &npy("|b1", &[M, N], &mask)),
        ]
    }

    fn audit(&self, kind: &str, [outputs, labels, membership]: &[PathBuf; 3], more: &[&str]) -> (Output, PathBuf) {
        let out = self.dir.path().join("out");
        let _ = std::fs::remove_dir_all(&out);
        let mut c = flatleak();
        c.args(["audit", &format!("--{kind}")]).arg(outputs).arg("--labels").arg(labels);
        c.arg("--membership").arg(membership).arg("--out").arg(&out).args(more);
        (c.output().unwrap(), out)
    }

    /// What is said of one form of the outputs, which must be refused.
    fn refused(&self, kind: &str, files: &[PathBuf; 3]) -> String {
        let (said, out) = self.audit(kind, files, &[]);
        assert_eq!(code(&said), 3, "{}", words(&said));
        assert!(!out.exists(), "nothing is written where input is refused");
        words(&said)
    }

    fn probabilities(&self) -> Vec<f64> {
        let softmax = |z: &[f64]| {
            let sum: f64 = z.iter().map(|v| v.exp()).sum();
            z.iter().map(move |v| v.exp() / sum).collect::<Vec<_>>()
        };
        self.logits.chunks(self.classes()).flat_map(softmax).collect()
    }
}

fn aucs(out: &Path) -> Vec<(String, f64)> {
    let found = results(out);
    let each = found["recipes"][0]["attacks"].as_array().unwrap().iter();
    each.map(|a| (a["name"].as_str().unwrap().to_owned(), a["auc"]["mean"].as_f64().unwrap())).collect()
}

fn alike(a: &[(String, f64)], b: &[(String, f64)]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x.0 == y.0 && (x.1 - y.1).abs() < 1e-6)
}

/// Values in C order as those of an array whose axes stand in another order.
fn reordered<T: Copy>(all: &[T], shape: &[usize], axes: &[usize]) -> Vec<T> {
    let strides: Vec<usize> = (0..shape.len()).map(|k| shape[k + 1..].iter().product()).collect();
    let of: Vec<(usize, usize)> = axes.iter().map(|&a| (shape[a], strides[a])).collect();
    let count: usize = shape.iter().product();
    (0..count)
        .map(|mut k| {
            let at = of.iter().rev().map(|(size, stride)| {
                let place = k % size;
                k /= size;
                place * stride
            });
            all[at.sum::<usize>()]
        })
        .collect()
}

fn with_order(descr: &str, fortran: bool, shape: &[usize], body: &[u8]) -> Vec<u8> {
    let sizes: String = shape.iter().map(|n| format!("{n},")).collect();
    let order = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({sizes}), }}\n");
    [b"\x93NUMPY\x01\x00".as_slice(), &(header.len() as u16).to_le_bytes(), header.as_bytes(), body].concat()
}

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

fn headline(out: &Path) -> String {
    results(out)["headline"]["sentence"].as_str().unwrap().to_owned()
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
    assert!(rc == 6 && text.contains("model 0 of model is on another scale"), "{rc} {text}");
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

/// Files that hold code are refused with the lines that convert them.
#[test]
fn pickles_are_refused_with_two_lines() {
    let world = World::new(C);
    let plain = world.plain();
    let pickle = [world.put("p.pkl", b"\x80\x04\x95\x10\0\0\0\0\0\0\0stuff"), plain[1].clone(), plain[2].clone()];
    assert!(world.refused("logits", &pickle).contains("pickle.load"));
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("archive/data.pkl", zip::write::SimpleFileOptions::default()).unwrap();
    let torch = [world.put("p.pt", &zip.finish().unwrap().into_inner()), plain[1].clone(), plain[2].clone()];
    assert!(world.refused("logits", &torch).contains("torch.load"));
    let explained = flatleak().arg("explain").arg(&torch[0]).output().unwrap();
    assert!(code(&explained) == 3 && words(&explained).contains("torch.load"), "{}", words(&explained));
}

fn archive(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        zip.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn audit_of(places: &[PathBuf], out: &Path) -> Output {
    flatleak().arg("audit").args(places).arg("--out").arg(out).output().unwrap()
}

/// Archives and folders whose arrays have the names that people give them.
#[test]
fn arrays_are_found_by_their_names() {
    let world = World::new(C);
    let plain = world.plain();
    let (_, out) = world.audit("logits", &plain, &[]);
    let wanted = aucs(&out);
    let [logits, labels, membership] = plain.each_ref().map(|path| std::fs::read(path).unwrap());
    let turned: Vec<u8> = world.member.iter().map(|m| u8::from(*m)).collect();
    let masks = npy("|b1", &[N, M], &reordered(&turned, &[M, N], &[1, 0]));
    let named = |name: &str, arrays: &[(&str, Vec<u8>)]| {
        let dir = world.dir.path().join(name);
        std::fs::create_dir_all(&dir).unwrap();
        arrays.iter().for_each(|(n, bytes)| std::fs::write(dir.join(format!("{n}.npy")), bytes).unwrap());
        dir
    };
    let own = [("logits", logits.clone()), ("labels", labels.clone()), ("membership", membership.clone())];
    let leak_pro = [("shadow_logits", logits.clone()), ("targets", labels.clone()), ("in_indices_masks", masks)];
    let per_model = named("trained", &[("labels", labels.clone()), ("membership", membership.clone())]);
    for (m, model) in world.logits.chunks(N * C).enumerate() {
        let one = archive(&[("logits", npy("<f8", &[N, C], &floats(model)))]);
        std::fs::write(per_model.join(format!("model_{m:04}.npz")), one).unwrap();
    }
    for place in [
        world.put("pool.npz", &archive(&own)),
        world.put("leakpro.npz", &archive(&leak_pro)),
        named("own", &own),
        named("leakpro", &leak_pro),
        per_model.clone(),
    ] {
        let _ = std::fs::remove_dir_all(&out);
        let said = audit_of(std::slice::from_ref(&place), &out);
        assert!(code(&said) == 0 && alike(&aucs(&out), &wanted), "{}: {}", place.display(), words(&said));
    }
    // Two pools are compared, model by model.
    let _ = std::fs::remove_dir_all(&out);
    let said = audit_of(&[world.put("a.npz", &archive(&own)), named("b", &own)], &out);
    assert_eq!(code(&said), 0, "{}", words(&said));
    assert_eq!(results(&out)["comparisons"][0]["pairing"], "paired");
    // What is missing is named.
    let _ = std::fs::remove_dir_all(&out);
    let lacks = audit_of(&[world.put("pool.npz", &archive(&own[..2]))], &out);
    assert!(
        code(&lacks) == 3 && words(&lacks).contains("no membership: call it one of membership"),
        "{}",
        words(&lacks)
    );
    let both = [&own[..], &[("loss", logits.clone())]].concat();
    let several = audit_of(&[world.put("pool.npz", &archive(&both))], &out);
    assert!(code(&several) == 3 && words(&several).contains("(logits, loss)"), "{}", words(&several));
    std::fs::remove_file(per_model.join("model_0003.npz")).unwrap();
    let gap = audit_of(&[per_model], &out);
    assert!(code(&gap) == 3 && words(&gap).contains("membership of 12 models, but outputs of 3"), "{}", words(&gap));
}

/// A folder in which not all models were trained to the end.
#[test]
fn models_of_different_epochs_are_refused() {
    let world = World::new(C);
    world.plain();
    let dir = world.dir.path().join("lira");
    for m in 0..M {
        let folder = dir.join(format!("experiment-{m}_{M}"));
        std::fs::create_dir_all(folder.join("logits")).unwrap();
        let keep: Vec<u8> = world.member[m * N..(m + 1) * N].iter().map(|k| u8::from(*k)).collect();
        std::fs::write(folder.join("keep.npy"), npy("|b1", &[N], &keep)).unwrap();
        let epoch = if m == 4 { 20 } else { 100 };
        let logits = npy("<f8", &[N, 1, 1, C], &floats(&world.logits[m * N * C..(m + 1) * N * C]));
        std::fs::write(folder.join(format!("logits/{epoch:010}.npy")), logits).unwrap();
    }
    std::fs::copy(world.dir.path().join("labels.npy"), dir.join("y_train.npy")).unwrap();
    let out = world.dir.path().join("out");
    let said = audit_of(std::slice::from_ref(&dir), &out);
    assert!(code(&said) == 3 && words(&said).contains("epoch 20 as the last of model 4"), "{}", words(&said));
    // Finished, as the message advises, it is read.
    let logits = dir.join(format!("experiment-4_{M}/logits"));
    std::fs::rename(logits.join("0000000020.npy"), logits.join("0000000100.npy")).unwrap();
    assert_eq!(code(&audit_of(&[dir], &out)), 0);
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
