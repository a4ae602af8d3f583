//! One study's folder.

use std::path::{Path, PathBuf};

use flatleak_data::{Dataset, Part, files};
use flatleak_nn::{Network, tensors};
use flatleak_pool::{Decimal, Groups, Matrix, Membership, NoiseAccuracy, Pool, Signals, Wanted};
use flatleak_study::Study;

use crate::artefact::{f32_values, f64_values, read_tensors};
use crate::error::{Difference, Error};
use crate::spill::Spill;

/// One model's logits: little-endian f32, (N, Q, C) and (T, Q, C).
pub(crate) struct Logits {
    pub(crate) pool: Vec<u8>,
    pub(crate) test: Vec<u8>,
    pub(crate) queries: usize,
    pub(crate) classes: usize,
}

/// What `study.toml` in a folder says.
#[derive(Debug)]
pub struct Stated {
    /// The study.
    pub study: Study,
    /// Digest of the data; empty where it says none.
    pub digest: String,
}

/// Models of a recipe that share a folder.
const THOUSAND: usize = 1000;

/// How the line of `study.toml` begins that has the digest of the data.
pub(crate) const STAMP: &str = "# data ";

impl Stated {
    /// What `study.toml` says; `None` where there is none.
    ///
    /// # Errors
    /// A file that cannot be read, or is no study.
    pub fn read(folder: &Path) -> Result<Option<Self>, Error> {
        let file = folder.join("study.toml");
        let text = match files::text(&file) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::io("cannot read", &file)(e)),
        };
        let digest = text.lines().next().and_then(|line| line.strip_prefix(STAMP)).unwrap_or_default();
        Ok(Some(Self { study: Study::parse(&text)?, digest: digest.to_owned() }))
    }
}

/// What analyses read of a model.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Signals of the pool, of held-out examples; one entry per query.
    pub splits: [Vec<Signals>; 2],
    /// Accuracy under each of the study's levels of noise; none of a foreign trainer's models.
    pub noise: Vec<f64>,
}

/// A study's folder, read.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    study: Study,
    digest: String,
    membership: Membership,
}

impl RunDir {
    /// The folder of a finished or unfinished run. Nothing is written in it, so that it may be another's or be worked in.
    ///
    /// # Errors
    /// A folder without a study, or with one that cannot be read; other data than it was trained on.
    pub fn read(
        path: &Path,
        data: impl FnOnce(&Study) -> Result<Dataset, flatleak_data::Error>,
    ) -> Result<(Self, Dataset), Error> {
        let Stated { study, digest } = Stated::read(path)?.ok_or_else(|| Error::NoRun(path.to_owned()))?;
        let data = data(&study)?;
        if data.digest_hex() != digest {
            let names = study.data.clone();
            let difference = Difference::Data { there: names.clone(), here: names };
            return Err(Error::OtherStudy { path: path.to_owned(), difference });
        }
        Ok((Self::of(path, &study, &data)?, data))
    }

    /// The folder of a study, whatever lies in it.
    pub(crate) fn of(path: &Path, study: &Study, data: &Dataset) -> Result<Self, Error> {
        let membership = Membership::complementary(study.seed, study.models, data.pool.len())?;
        Ok(Self { path: path.to_owned(), study: study.clone(), digest: data.digest_hex(), membership })
    }

    /// The study.
    pub fn study(&self) -> &Study {
        &self.study
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

    /// Whether a model's signals have a file, whole or not: [`RunDir::signals`] reads it.
    pub fn has_signals(&self, recipe: usize, model: usize) -> bool {
        self.file(recipe, model, "signals.safetensors").is_file()
    }

    /// What the models of some recipes depend on, beside their numbers: names and identities of the recipes.
    pub fn identity_of(&self, recipes: &[usize]) -> String {
        self.study.identity_of_run(recipes, &self.digest)
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
        let accuracy = Matrix::from_rows(accuracy)?;
        Ok(Pool {
            ids: data.pool.ids.clone(),
            test_labels: Some(data.test.y.clone()),
            groups: groups(data),
            test,
            views: spill.into_views(),
            noise: (accuracy.columns() > 0).then(|| NoiseAccuracy { levels: self.study.noise.clone(), accuracy }),
            ..Pool::new(self.study.recipes[recipe].name.clone(), self.membership.clone(), data.pool.y.clone(), pool)?
        })
    }

    pub(crate) fn file(&self, recipe: usize, model: usize, name: &str) -> PathBuf {
        model_folder(&self.path, &self.study.recipes[recipe].name, model).join(name)
    }

    /// What one artefact depends on: the recipe's identity, the model's index and its membership row.
    pub(crate) fn identity(&self, recipe: usize, model: usize) -> String {
        self.of_model(&self.study.identity(&self.study.recipes[recipe], &self.digest), model)
    }

    /// What one model depends on that is made in a certain way.
    pub(crate) fn of_model(&self, way: &str, model: usize) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(way.as_bytes());
        hasher.update(&(model as u64).to_le_bytes());
        let row: Vec<u8> = self.membership.row(model).iter().map(|&m| u8::from(m)).collect();
        hasher.update(&row);
        hasher.finalize().to_hex().to_string()
    }
}

/// The folder of one model in a run. The first thousand of a recipe lie beside each other; of the others each thousand has a folder, unless an
/// earlier program laid them beside the first.
pub fn model_folder(run: &Path, recipe: &str, model: usize) -> PathBuf {
    let all = run.join("models").join(recipe);
    let flat = all.join(format!("{model:04}"));
    if model < THOUSAND || flat.is_dir() {
        return flat;
    }
    let first = model / THOUSAND * THOUSAND;
    all.join(format!("{first}-{}", first + THOUSAND - 1)).join(model.to_string())
}

/// Every `queries`-th value from `first` on: one view of interleaved ones.
fn every<T: Copy>(values: &[T], first: usize, queries: usize) -> Vec<T> {
    values.iter().skip(first).step_by(queries.max(1)).copied().collect()
}

fn groups(data: &Dataset) -> Option<Groups> {
    let (pool, test) = data.pool.groups.clone().zip(data.test.groups.clone())?;
    Some(Groups { names: data.groups.clone(), pool, test })
}

#[cfg(test)]
mod tests {
    use flatleak_data::{Request, open};

    use super::*;

    #[test]
    fn each_thousand_has_a_folder_unless_an_earlier_program_made_none() {
        let folder = tempfile::tempdir().unwrap();
        let study = Study::parse("models = 10000\ndata = ['digits']\n[[recipe]]\nname = 'a'").unwrap();
        let data = open(&Request { pool: Some(40), test: Some(10), ..Request::new("digits") }).unwrap();
        let dir = RunDir::of(folder.path(), &study, &data).unwrap();
        let at = |model| dir.file(0, model, "x").strip_prefix(folder.path().join("models/a")).unwrap().to_owned();
        let expected = ["0000/x", "0999/x", "1000-1999/1000/x", "9000-9999/9999/x"].map(PathBuf::from);
        assert_eq!([0, 999, 1000, 9999].map(at), expected);
        std::fs::create_dir_all(folder.path().join("models/a/1234")).unwrap();
        assert_eq!([1234, 1235].map(at), ["1234/x", "1000-1999/1235/x"].map(PathBuf::from));
    }
}
