//! One study's folder.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use flatleak_data::{Dataset, Part, files};
use flatleak_nn::{Network, tensors};
use flatleak_pool::{Decimal, Groups, Membership, NoiseAccuracy, Pool, Signals, Wanted};
use flatleak_study::Study;
use safetensors::Dtype;

use crate::artefact::{Tensor, f32_bytes, f32_values, f64_values, read_tensors, write_atomic, write_tensors};
use crate::error::{Difference, Error};
use crate::npy::{self, Array, archive};
use crate::spill::Spill;

/// One model's logits: little-endian f32, (N, Q, C) and (T, Q, C).
pub(crate) struct Logits {
    pub(crate) pool: Vec<u8>,
    pub(crate) test: Vec<u8>,
    pub(crate) queries: usize,
    pub(crate) classes: usize,
}

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

/// What analyses read of a model.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Signals of the pool, of held-out examples; one entry per query.
    pub splits: [Vec<Signals>; 2],
    /// Accuracy under each of the study's levels of noise; none of a foreign trainer's models.
    pub noise: Vec<f64>,
}

/// A study's folder, locked while it is open.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    study: Study,
    digest: String,
    membership: Membership,
    _lock: File,
}

/// Where [`RunDir::save_data`] writes.
pub const DATA_FILE: &str = "data.npz";

/// Logits are kept while a study's stay below this many bytes.
const LOGITS_LIMIT: u64 = 2 << 30;

impl RunDir {
    /// Opens or creates the folder of `study` on `data`, and refuses that of another study.
    ///
    /// More models, or further recipes, extend a folder; a changed recipe under an old name, another seed, network
    /// or data set does not.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn open(path: &Path, study: &Study, data: &Dataset) -> Result<Self, Error> {
        fs::create_dir_all(path).map_err(Error::io("cannot create", path))?;
        let lock_path = path.join("lock");
        let lock = File::create(&lock_path).map_err(Error::io("cannot create", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Busy(path.to_owned())),
            Err(TryLockError::Error(e)) => return Err(Error::io("cannot lock", &lock_path)(e)),
        }
        let digest = data.digest_hex();
        let file = path.join("study.toml");
        let stamp = format!("# data {digest}\n");
        match files::text(&file) {
            Ok(text) => {
                let before = Study::parse(&text)?;
                let stated = text.lines().next().unwrap_or_default();
                let same_data = stated == stamp.trim_end();
                if let Some(difference) = difference(&before, study, same_data) {
                    return Err(Error::OtherStudy { path: path.to_owned(), difference });
                }
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let occupied = fs::read_dir(path).map_err(Error::io("cannot read", path))?.count() > 1;
                if occupied {
                    return Err(Error::OtherStudy { path: path.to_owned(), difference: Difference::NoStudy });
                }
            }
            Err(e) => return Err(Error::io("cannot read", &file)(e)),
        }
        write_atomic(&file, (stamp + &study.to_toml()?).as_bytes(), "study")?;
        let membership = Membership::complementary(study.seed, study.models, data.pool.len())?;
        write_atomic(&path.join("membership.npy"), &membership_npy(&membership), "membership")?;
        Ok(Self { path: path.to_owned(), study: study.clone(), digest, membership, _lock: lock })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Who is trained on what.
    pub fn membership(&self) -> &Membership {
        &self.membership
    }

    /// The digest of the data set.
    pub fn data_digest(&self) -> &str {
        &self.digest
    }

    /// Weights of a model, when they are complete and belong to this study.
    ///
    /// # Errors
    /// Only when the file system fails; absence and damage are `None`.
    pub fn weights(&self, recipe: usize, model: usize, network: &Network) -> Result<Option<Vec<f32>>, Error> {
        let path = self.file(recipe, model, "weights.safetensors");
        let Some(found) = read_tensors(&path, &self.identity(recipe, model))? else { return Ok(None) };
        Ok(tensors::import(network, |name| found.get(name).map(|(s, b)| (s.clone(), f32_values(b)))).ok())
    }

    /// Stores the weights of a model under PyTorch's names and shapes.
    ///
    /// # Errors
    /// When the file system fails.
    pub fn save_weights(&self, recipe: usize, model: usize, network: &Network, arena: &[f32]) -> Result<(), Error> {
        let list: Vec<Tensor> = tensors::export(network, arena)
            .into_iter()
            .map(|(name, shape, values)| Tensor::of_f32(name, shape, &values))
            .collect();
        let path = self.file(recipe, model, "weights.safetensors");
        self.make_folder(&path)?;
        write_tensors(&path, &list, &self.identity(recipe, model), "weights")
    }

    /// An empty folder for a command that trains a model: what an earlier run left there is removed.
    ///
    /// # Errors
    /// When the file system fails.
    pub fn workplace(&self, recipe: usize, model: usize) -> Result<PathBuf, Error> {
        let path = self.file(recipe, model, "trainer");
        if path.exists() {
            fs::remove_dir_all(&path).map_err(Error::io("cannot empty", &path))?;
        }
        fs::create_dir_all(&path).map_err(Error::io("cannot create", &path))?;
        Ok(path)
    }

    /// Writes the data as [`DATA_FILE`] in the folder, for commands that train models: `x` (N, features), `y` (N), `ids` (N) and the same with `test_`.
    ///
    /// # Errors
    /// When the file system fails.
    pub fn save_data(&self, data: &Dataset) -> Result<(), Error> {
        let path = self.path.join(DATA_FILE);
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
        write_atomic(&path, &archive(&named)?, "data")
    }

    /// Signals of a model on pool and test examples, when complete.
    ///
    /// # Errors
    /// Only when the file system fails.
    pub fn signals(&self, recipe: usize, model: usize) -> Result<Option<Measured>, Error> {
        let path = self.file(recipe, model, "signals.safetensors");
        let Some(found) = read_tensors(&path, &self.identity(recipe, model))? else { return Ok(None) };
        let queries = self.study.queries;
        let split = |name: &str| {
            // Another number of views than the study wants is as good as no signals: they are computed anew from the weights.
            let get = |signal: &str| {
                found
                    .get(&format!("{name}.{signal}"))
                    .filter(|(shape, _)| shape.last() == Some(&queries))
                    .map(|(_, b)| b)
            };
            let (phi, entropy, modified) =
                (f32_values(get("phi")?), f32_values(get("entropy")?), f32_values(get("modified_entropy")?));
            let correct = get("correct")?;
            let prefix = format!("{name}.phi@");
            let mut tempered: Vec<(Decimal, Vec<f32>)> = found
                .iter()
                .filter_map(|(key, (_, bytes))| Some((key.strip_prefix(&prefix)?.parse().ok()?, f32_values(bytes))))
                .collect();
            tempered.sort_unstable_by_key(|(t, _)| *t);
            let view = |q: usize| Signals {
                phi: every(&phi, q, queries),
                correct: every(correct, q, queries),
                entropy: every(&entropy, q, queries),
                modified_entropy: every(&modified, q, queries),
                tempered: tempered.iter().map(|(t, values)| (*t, every(values, q, queries))).collect(),
            };
            Some((0..queries).map(view).collect())
        };
        let numbers = found.get("test.noise").map_or(Vec::new(), |(_, bytes)| f64_values(bytes));
        let (levels, accuracy) = numbers.split_at(numbers.len() / 2);
        let measured = |level: &f64| accuracy.get(levels.iter().position(|l| l == level)?).copied();
        // So are signals without a level of noise; a foreign trainer's models are not measured under any.
        let noise = match self.study.noise.iter().map(measured).collect() {
            Some(noise) => noise,
            None if self.study.recipes[recipe].trainer.is_some() => Vec::new(),
            None => return Ok(None),
        };
        Ok(split("pool").zip(split("test")).map(|(pool, test)| Measured { splits: [pool, test], noise }))
    }

    /// Stores what a model puts out. Axes (checkpoint, example, query[, class]), one checkpoint.
    ///
    /// # Errors
    /// When the file system fails.
    pub fn save_signals(&self, recipe: usize, model: usize, outputs: Outputs) -> Result<(), Error> {
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
        self.make_folder(&path)?;
        write_tensors(&path, &list, &self.identity(recipe, model), "signals")
    }

    /// Epochs of one of the study's recipes.
    pub(crate) fn epochs(&self, recipe: usize) -> usize {
        self.study.recipes[recipe].checkpoint()
    }

    /// The logits of one model on pool and held-out examples.
    ///
    /// # Errors
    /// A model that is not there; logits that were not kept.
    pub(crate) fn logits(&self, recipe: usize, model: usize) -> Result<Logits, Error> {
        let path = self.file(recipe, model, "signals.safetensors");
        let missing = || Error::Missing(path.clone());
        let mut tensors = read_tensors(&path, &self.identity(recipe, model))?.ok_or_else(missing)?;
        let mut take = |split: &str| tensors.remove(&format!("{split}.logits"));
        let (Some((shape, pool)), Some((_, test))) = (take("pool"), take("test")) else {
            return Err(Error::NoLogits(path));
        };
        let &[_, _, queries, classes] = shape.as_slice() else { return Err(missing()) };
        Ok(Logits { pool, test, queries, classes })
    }

    /// Whether this study's logits are small enough to be kept.
    pub fn keeps_logits(&self, data: &Dataset) -> bool {
        let examples = (data.pool.len() + data.test.len()) as u64;
        let models = (self.study.models * self.study.recipes.len() * self.study.queries) as u64;
        examples * models * data.classes as u64 * 4 < LOGITS_LIMIT
    }

    /// phi of one model's kept logits at temperatures that were not stored with its signals, as runs of earlier versions and temperatures that
    /// nobody foresaw need it; what is kept of no logits stays unknown.
    fn temper(
        &self,
        recipe: usize,
        model: usize,
        splits: [&mut Vec<Signals>; 2],
        data: &Dataset,
        wanted: &Wanted,
    ) -> Result<(), Error> {
        let lacks =
            |signals: &Vec<Signals>| signals.iter().any(|s| wanted.temperatures.iter().any(|t| s.at(*t).is_empty()));
        if !splits.iter().any(|signals| lacks(signals)) {
            return Ok(());
        }
        let Logits { pool, test, queries, classes } = match self.logits(recipe, model) {
            Err(Error::NoLogits(_)) => return Ok(()),
            found => found?,
        };
        let labels = [&data.pool.y, &data.test.y];
        for ((signals, bytes), labels) in splits.into_iter().zip([pool, test]).zip(labels) {
            let all = f32_values(&bytes);
            for (query, own) in signals.iter_mut().enumerate() {
                let rows = all.chunks_exact(classes).skip(query).step_by(queries);
                let logits: Vec<f32> = rows.flatten().copied().collect();
                let found = Signals::from_logits_as(wanted, &logits, labels, classes);
                own.tempered = found.map_err(|_| Error::Missing(self.path.clone()))?.tempered;
            }
        }
        Ok(())
    }

    /// The pool of one recipe, from the signals on disk.
    ///
    /// # Errors
    /// A model that is not there.
    pub fn pool(&self, recipe: usize, data: &Dataset, wanted: &Wanted) -> Result<Pool, Error> {
        let no_room = |e| Error::io("cannot lay views aside in", &std::env::temp_dir())(e);
        let mut spill = Spill::default();
        let (mut pool, mut test) = (Vec::new(), Vec::new());
        let mut accuracy = Vec::new();
        for model in 0..self.study.models {
            let missing = || Error::Missing(self.file(recipe, model, "signals.safetensors"));
            let Measured { splits: [mut a, mut b], noise } = self.signals(recipe, model)?.ok_or_else(missing)?;
            accuracy.push(noise);
            let sized = |split: &[Signals], n: usize| split.iter().all(|s| s.len() == n);
            if !sized(&a, data.pool.len()) || !sized(&b, data.test.len()) {
                return Err(missing());
            }
            self.temper(recipe, model, [&mut a, &mut b], data, wanted)?;
            pool.extend(spill.push(Part::Pool, a).map_err(no_room)?);
            test.extend(spill.push(Part::Test, b).map_err(no_room)?);
        }
        Ok(Pool {
            ids: data.pool.ids.clone(),
            test_labels: data.test.y.clone(),
            groups: groups(data),
            test,
            views: spill.into_views(),
            noise: accuracy
                .iter()
                .any(|a| !a.is_empty())
                .then(|| NoiseAccuracy { levels: self.study.noise.clone(), accuracy }),
            ..Pool::new(self.study.recipes[recipe].name.clone(), self.membership.clone(), data.pool.y.clone(), pool)?
        })
    }

    fn file(&self, recipe: usize, model: usize, name: &str) -> PathBuf {
        self.path.join("models").join(&self.study.recipes[recipe].name).join(format!("{model:04}")).join(name)
    }

    fn make_folder(&self, file: &Path) -> Result<(), Error> {
        let folder = file.parent().unwrap_or(&self.path);
        fs::create_dir_all(folder).map_err(Error::io("cannot create", folder))
    }

    /// What one artefact depends on: the recipe's identity, the model's index and its membership row.
    fn identity(&self, recipe: usize, model: usize) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.study.identity(&self.study.recipes[recipe], &self.digest).as_bytes());
        hasher.update(&(model as u64).to_le_bytes());
        let row: Vec<u8> = self.membership.row(model).iter().map(|&m| u8::from(m)).collect();
        hasher.update(&row);
        hasher.finalize().to_hex().to_string()
    }
}

/// Every `queries`-th value from `first` on: one view of interleaved ones.
fn every<T: Copy>(values: &[T], first: usize, queries: usize) -> Vec<T> {
    values.iter().skip(first).step_by(queries.max(1)).copied().collect()
}

/// The views' rows of `width` values, example by example.
fn interleaved<T: Copy>(views: &[&[T]], width: usize) -> Vec<T> {
    let n = views.first().map_or(0, |v| v.len() / width.max(1));
    (0..n).flat_map(|i| views.iter().flat_map(move |v| v[i * width..(i + 1) * width].iter().copied())).collect()
}

fn groups(data: &Dataset) -> Option<Groups> {
    let (pool, test) = data.pool.groups.clone().zip(data.test.groups.clone())?;
    Some(Groups { names: data.groups.clone(), pool, test })
}

/// What keeps `after` from continuing the folder of `before`.
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
