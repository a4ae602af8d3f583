//! A simulated pool, in the forms in which people write one.

use std::path::{Path, PathBuf};
use std::process::Output;

use super::{code, flatleak, floats, npy, results, words};

pub(crate) const M: usize = 12;
pub(crate) const N: usize = 120;
pub(crate) const C: usize = 4;

/// Numbers that look drawn: a linear congruential generator (Knuth), uniform on [0, 1).
pub(crate) struct Draws(pub(crate) u64);

impl Draws {
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() * n as f64) as usize
    }

    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }
}

/// Models that fit their members better, on examples of different difficulty.
pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    /// (M, N, C), multiples of 1/8, which two bytes hold, but for two classes.
    pub(crate) logits: Vec<f64>,
    pub(crate) labels: Vec<usize>,
    /// (M, N).
    pub(crate) member: Vec<bool>,
}

impl World {
    pub(crate) fn new(classes: usize) -> Self {
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

    pub(crate) fn classes(&self) -> usize {
        self.logits.len() / (M * N)
    }

    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn plain(&self) -> [PathBuf; 3] {
        let labels: Vec<u8> = self.labels.iter().flat_map(|y| (*y as i64).to_le_bytes()).collect();
        let mask: Vec<u8> = self.member.iter().map(|m| u8::from(*m)).collect();
        [
            self.put("logits.npy", &npy("<f8", &[M, N, self.classes()], &floats(&self.logits))),
            self.put("labels.npy", &npy("<i8", &[N], &labels)),
            self.put("membership.npy", &npy("|b1", &[M, N], &mask)),
        ]
    }

    pub(crate) fn audit(
        &self,
        kind: &str,
        [outputs, labels, membership]: &[PathBuf; 3],
        more: &[&str],
    ) -> (Output, PathBuf) {
        let out = self.dir.path().join("out");
        let _ = std::fs::remove_dir_all(&out);
        let mut c = flatleak();
        c.args(["audit", &format!("--{kind}")]).arg(outputs).arg("--labels").arg(labels);
        c.arg("--membership").arg(membership).arg("--out").arg(&out).args(more);
        (c.output().unwrap(), out)
    }

    /// What is said of one form of the outputs, which must be refused.
    pub(crate) fn refused(&self, kind: &str, files: &[PathBuf; 3]) -> String {
        let (said, out) = self.audit(kind, files, &[]);
        assert_eq!(code(&said), 3, "{}", words(&said));
        assert!(!out.exists(), "nothing is written where input is refused");
        words(&said)
    }

    pub(crate) fn probabilities(&self) -> Vec<f64> {
        let softmax = |z: &[f64]| {
            let sum: f64 = z.iter().map(|v| v.exp()).sum();
            z.iter().map(move |v| v.exp() / sum).collect::<Vec<_>>()
        };
        self.logits.chunks(self.classes()).flat_map(softmax).collect()
    }
}

pub(crate) fn aucs(out: &Path) -> Vec<(String, f64)> {
    let found = results(out);
    let each = found["recipes"][0]["attacks"].as_array().unwrap().iter();
    each.map(|a| (a["name"].as_str().unwrap().to_owned(), a["auc"]["mean"].as_f64().unwrap())).collect()
}

pub(crate) fn alike(a: &[(String, f64)], b: &[(String, f64)]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x.0 == y.0 && (x.1 - y.1).abs() < 1e-6)
}

/// Values in C order as those of an array whose axes stand in another order.
pub(crate) fn reordered<T: Copy>(all: &[T], shape: &[usize], axes: &[usize]) -> Vec<T> {
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

pub(crate) fn with_order(descr: &str, fortran: bool, shape: &[usize], body: &[u8]) -> Vec<u8> {
    let sizes: String = shape.iter().map(|n| format!("{n},")).collect();
    let order = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({sizes}), }}\n");
    [b"\x93NUMPY\x01\x00".as_slice(), &(header.len() as u16).to_le_bytes(), header.as_bytes(), body].concat()
}

/// The first sentence of the results.
pub(crate) fn headline(out: &Path) -> String {
    results(out)["headline"]["sentence"].as_str().unwrap().to_owned()
}
