//! A study's folder in which a program trains.

use std::fs;
use std::ops::Deref;
use std::path::Path;

use flatleak_data::Dataset;
use flatleak_disk::{Creation, Lock, lock, make_folder, replace, unfinished};
use flatleak_nn::{Network, tensors};
use flatleak_pool::{Membership, Signals};
use flatleak_study::Study;
use safetensors::Dtype;

use crate::artefact::{Rival, Tensor, f32_bytes, write_tensors};
use crate::error::{Difference, Error};
use crate::npy::{self, Array, archive};
use crate::rundir::{RunDir, STAMP, Stated};

/// What a model puts out on one split, view by view: signals, and logits where they are kept.
#[derive(Clone, Debug, Default)]
pub struct SplitOutputs {
    /// Signals of every example, one entry per query.
    pub signals: Vec<Signals>,
    /// (n, C) logits, one entry per query; none when not kept.
    pub logits: Vec<Vec<f32>>,
}

/// What a model puts out on pool and held-out examples.
#[derive(Clone, Debug, Default)]
pub struct Outputs {
    /// Pool, held-out examples.
    pub splits: [SplitOutputs; 2],
    /// Deviation of noise on held-out inputs, and accuracy under it; none where it was not measured.
    pub noise: Vec<(f64, f64)>,
}

/// Where [`Workshop::save_data`] writes.
pub const DATA_FILE: &str = "data.npz";

/// Logits are kept while a study's stay below this many bytes.
const LOGITS_LIMIT: u64 = 2 << 30;

/// Name of the file that is locked.
const LOCK: &str = "lock";

/// Takes the lock of a run's folder, under which its results are written.
///
/// # Errors
/// Another process that works in the folder; a file system that fails.
pub fn lock_run(path: &Path) -> Result<Lock, Error> {
    lock(&path.join(LOCK))?.ok_or_else(|| Error::Busy(path.to_owned()))
}

/// A study's folder in which models are published: by one process that has the lock, or by many that need none.
#[derive(Debug)]
pub struct Workshop {
    dir: RunDir,
    _lock: Option<Lock>,
}

impl Deref for Workshop {
    type Target = RunDir;

    fn deref(&self) -> &RunDir {
        &self.dir
    }
}

impl Workshop {
    /// Opens or creates the folder of `study` on `data`, and refuses that of another study.
    ///
    /// More models, or further recipes, extend a folder; a changed recipe under an old name, another seed, network
    /// or data set does not.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn open(path: &Path, study: &Study, data: &Dataset) -> Result<Self, Error> {
        make_folder(path)?;
        let lock = lock_run(path)?;
        let dir = RunDir::of(path, study, data)?;
        let difference = match Stated::read(path)? {
            Some(before) => before.difference(study, dir.data_digest()),
            None => {
                // A program that was killed at its first step left nothing but the lock and half a file.
                let ours = |name: &str| name == LOCK || unfinished(name).is_some();
                let mut entries = fs::read_dir(path).map_err(Error::io("cannot read", path))?.flatten();
                let occupied = entries.any(|entry| !ours(&entry.file_name().to_string_lossy()));
                occupied.then_some(Difference::NoStudy)
            }
        };
        if let Some(difference) = difference {
            return Err(Error::OtherStudy { path: path.to_owned(), difference });
        }
        let stamp = format!("{STAMP}{}\n", dir.data_digest());
        replace(&path.join("study.toml"), (stamp + &study.to_toml()?).as_bytes())?;
        replace(&path.join("membership.npy"), &membership_npy(dir.membership()))?;
        Ok(Self { dir, _lock: Some(lock) })
    }

    /// The folder of a study that another process opened, to publish models beside it. No lock is taken.
    ///
    /// # Errors
    /// A study that is none.
    pub fn join(path: &Path, study: &Study, data: &Dataset) -> Result<Self, Error> {
        Ok(Self { dir: RunDir::of(path, study, data)?, _lock: None })
    }

    /// Stores the weights of a model under PyTorch's names and shapes. [`Creation::Other`] took the place of something damaged.
    ///
    /// # Errors
    /// When the file system fails; [`Error::BitsDiffer`] where other weights of the same model are there.
    pub fn save_weights(
        &self,
        recipe: usize,
        model: usize,
        network: &Network,
        arena: &[f32],
    ) -> Result<Creation, Error> {
        let list: Vec<Tensor> = tensors::export(network, arena)
            .into_iter()
            .map(|(name, shape, values)| Tensor::of_f32(name, shape, &values))
            .collect();
        let path = self.file(recipe, model, "weights.safetensors");
        let rival = || {
            let stands = self.weights(recipe, model, network)?.is_some();
            Ok(if stands { Rival::Ours } else { Rival::Stale })
        };
        write_tensors(&path, &list, &self.identity(recipe, model), rival)
    }

    /// Writes the data as [`DATA_FILE`] in the folder, for commands that train models: `x` (N, features), `y` (N), `ids` (N) and the same with `test_`.
    ///
    /// # Errors
    /// When the file system fails.
    pub fn save_data(&self, data: &Dataset) -> Result<(), Error> {
        let path = self.path().join(DATA_FILE);
        let mut arrays = Vec::new();
        for (prefix, split) in [("", &data.pool), ("test_", &data.test)] {
            let x = [split.len(), data.shape.features()];
            let words = |values: &[u32]| values.iter().flat_map(|v| v.to_le_bytes()).collect();
            arrays.push((format!("{prefix}x"), "<f4", x.to_vec(), f32_bytes(&split.x)));
            arrays.push((format!("{prefix}y"), "<u4", vec![split.len()], words(&split.y)));
            arrays.push((format!("{prefix}ids"), "<u4", vec![split.len()], words(&split.ids)));
        }
        let named: Vec<(&str, Array<'_>)> = arrays
            .iter()
            .map(|(name, descr, shape, body)| (name.as_str(), Array { descr, shape, body: body.clone() }))
            .collect();
        Ok(replace(&path, &archive(&named)?)?)
    }

    /// Stores what a model puts out. Axes (checkpoint, example, query[, class]), one checkpoint. [`Creation::Other`] took the place of something damaged
    /// or of other views. Of two commands' models the first stays.
    ///
    /// # Errors
    /// When the file system fails; [`Error::BitsDiffer`] where other signals of the same model are there.
    pub fn save_signals(&self, recipe: usize, model: usize, outputs: Outputs) -> Result<Creation, Error> {
        let mut list: Vec<Tensor> = Vec::new();
        for (split, SplitOutputs { signals, logits }) in ["pool", "test"].into_iter().zip(outputs.splits) {
            let (n, queries) = (signals.first().map_or(0, Signals::len), signals.len());
            let shape = vec![1, n, queries];
            for name in ["phi", "entropy", "modified_entropy"] {
                let views: Vec<&[f32]> = signals
                    .iter()
                    .map(|s| match name {
                        "phi" => s.phi.as_slice(),
                        "entropy" => &s.entropy,
                        _ => &s.modified_entropy,
                    })
                    .collect();
                list.push(Tensor::of_f32(format!("{split}.{name}"), shape.clone(), &interleaved(&views, 1)));
            }
            for (at, (t, _)) in signals.first().map_or(&[][..], |s| &s.tempered).iter().enumerate() {
                let views: Vec<&[f32]> = signals.iter().map(|s| s.tempered[at].1.as_slice()).collect();
                list.push(Tensor::of_f32(format!("{split}.phi@{t}"), shape.clone(), &interleaved(&views, 1)));
            }
            let bytes = interleaved(&signals.iter().map(|s| s.correct.as_slice()).collect::<Vec<_>>(), 1);
            list.push(Tensor { name: format!("{split}.correct"), dtype: Dtype::U8, shape, bytes });
            if let Some(first) = logits.first() {
                let classes = first.len() / n.max(1);
                let views: Vec<&[f32]> = logits.iter().map(Vec::as_slice).collect();
                let shape = vec![1, n, queries, classes];
                list.push(Tensor::of_f32(format!("{split}.logits"), shape, &interleaved(&views, classes)));
            }
        }
        if !outputs.noise.is_empty() {
            let (levels, accuracy): (Vec<f64>, Vec<f64>) = outputs.noise.iter().copied().unzip();
            let bytes = levels.iter().chain(&accuracy).flat_map(|v| v.to_le_bytes()).collect();
            list.push(Tensor { name: "test.noise".to_owned(), dtype: Dtype::F64, shape: vec![2, levels.len()], bytes });
        }
        let path = self.file(recipe, model, "signals.safetensors");
        let rival = || {
            let theirs = self.study().recipes[recipe].trainer.is_some();
            let stands = self.signals(recipe, model)?.is_some();
            Ok(match (stands, theirs) {
                (false, _) => Rival::Stale,
                (true, true) => Rival::Theirs,
                (true, false) => Rival::Ours,
            })
        };
        write_tensors(&path, &list, &self.identity(recipe, model), rival)
    }

    /// Whether this study's logits are small enough to be kept.
    pub fn keeps_logits(&self, data: &Dataset) -> bool {
        let examples = (data.pool.len() + data.test.len()) as u64;
        let models = (self.study().models * self.study().recipes.len() * self.study().queries) as u64;
        [models, data.classes as u64, 4].into_iter().fold(examples, u64::saturating_mul) < LOGITS_LIMIT
    }
}

/// The views' rows of `width` values, example by example.
fn interleaved<T: Copy>(views: &[&[T]], width: usize) -> Vec<T> {
    let n = views.first().map_or(0, |v| v.len() / width.max(1));
    (0..n).flat_map(|i| views.iter().flat_map(move |v| v[i * width..(i + 1) * width].iter().copied())).collect()
}

impl Stated {
    /// What keeps a study on data of this digest from continuing the folder.
    pub fn difference(&self, after: &Study, digest: &str) -> Option<Difference> {
        difference(&self.study, after, self.digest == digest)
    }
}

fn difference(before: &Study, after: &Study, same_data: bool) -> Option<Difference> {
    if before.seed != after.seed {
        return Some(Difference::Seed { there: before.seed, here: after.seed });
    }
    if !same_data {
        return Some(Difference::Data { there: before.data.clone(), here: after.data.clone() });
    }
    if before.architecture.layers != after.architecture.layers {
        let name = |study: &Study| study.architecture.name.clone();
        return Some(Difference::Network { there: name(before), here: name(after) });
    }
    let changed = |r: &&flatleak_nn::Recipe| before.recipes.iter().any(|b| b.name == r.name && b != *r);
    after.recipes.iter().find(changed).map(|r| Difference::Recipe { recipe: r.name.clone() })
}

fn membership_npy(m: &Membership) -> Vec<u8> {
    let body = (0..m.models()).flat_map(|k| m.row(k).iter().map(|&v| u8::from(v))).collect();
    npy::encode(&npy::Array { descr: "|b1", shape: &[m.models(), m.examples()], body })
}
