//! A run's pools for other programs.

use std::path::Path;

use flatleak_data::Dataset;
use flatleak_disk::replace;

use crate::error::Error;
use crate::npy::{Array, archive, encode};
use crate::rundir::Logits;
use crate::rundir::RunDir;

/// How a pool is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportLayout {
    /// The folders of the reference code of the likelihood-ratio attack: `y_train.npy` (N) int64 and per model `experiment-<i>_<M>/` with
    /// `hparams.json`, `keep.npy` (N) bool and
    /// `logits/<epoch, 10 digits>.npy` (N, 1, Q, C) float32.
    MiLira2021,
    /// One archive `pool.npz`: `logits` (M, N, C), or (M, N, Q, C) with several views, `labels`, `membership`, and `test_logits` and
    /// `test_labels`; also what `flatleak audit` reads.
    Npz,
}

impl RunDir {
    /// Writes one recipe's pool of `models` models to the folder `to`.
    ///
    /// # Errors
    /// A model that is not there, or without its logits, which large studies do not keep; a file system that fails.
    pub fn export(&self, recipe: usize, data: &Dataset, layout: ExportLayout, to: &Path) -> Result<(), Error> {
        let membership = self.membership();
        let models = membership.models();
        let n = data.pool.len();
        let labels: Vec<u8> = data.pool.y.iter().flat_map(|y| i64::from(*y).to_le_bytes()).collect();
        let mask = |m: usize| membership.row(m).iter().map(|v| u8::from(*v)).collect::<Vec<u8>>();
        let put = |path: &Path, bytes: &[u8]| Ok(replace(path, bytes)?);
        match layout {
            ExportLayout::MiLira2021 => {
                put(&to.join("y_train.npy"), &encode(&Array { descr: "<i8", shape: &[n], body: labels }))?;
                for m in 0..models {
                    let folder = to.join(format!("experiment-{m}_{models}"));
                    let Logits { pool, queries, classes, .. } = self.logits(recipe, m)?;
                    let epoch = self.epochs(recipe);
                    put(
                        &folder.join("hparams.json"),
                        format!("{{\"expid\": {m}, \"num_experiments\": {models}}}\n").as_bytes(),
                    )?;
                    put(&folder.join("keep.npy"), &encode(&Array { descr: "|b1", shape: &[n], body: mask(m) }))?;
                    let shape = [n, 1, queries, classes];
                    let file = folder.join("logits").join(format!("{epoch:010}.npy"));
                    put(&file, &encode(&Array { descr: "<f4", shape: &shape, body: pool }))?;
                }
                Ok(())
            }
            ExportLayout::Npz => {
                let (mut pool, mut test, mut sizes) = (Vec::new(), Vec::new(), (1, 0));
                for m in 0..models {
                    let own = self.logits(recipe, m)?;
                    pool.extend(own.pool);
                    test.extend(own.test);
                    sizes = (own.queries, own.classes);
                }
                let (queries, classes) = sizes;
                let of = |examples: usize| match queries {
                    1 => vec![models, examples, classes],
                    _ => vec![models, examples, queries, classes],
                };
                let (pool_shape, test_shape, t) = (of(n), of(data.test.len()), data.test.len());
                let test_labels = data.test.y.iter().flat_map(|y| i64::from(*y).to_le_bytes()).collect();
                let arrays = [
                    ("logits", Array { descr: "<f4", shape: &pool_shape, body: pool }),
                    ("labels", Array { descr: "<i8", shape: &[n], body: labels }),
                    (
                        "membership",
                        Array { descr: "|b1", shape: &[models, n], body: (0..models).flat_map(mask).collect() },
                    ),
                    ("test_logits", Array { descr: "<f4", shape: &test_shape, body: test }),
                    ("test_labels", Array { descr: "<i8", shape: &[t], body: test_labels }),
                ];
                put(&to.join("pool.npz"), &archive(&arrays)?)
            }
        }
    }
}
