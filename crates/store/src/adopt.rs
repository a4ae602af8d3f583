//! Models that another folder of the same study holds.

use std::fs;
use std::path::Path;

use flatleak_disk::Creation;

use crate::artefact::{Rival, adopt, read_tensors};
use crate::error::Error;
use crate::rundir::RunDir;
use crate::workshop::Workshop;

impl Workshop {
    /// Takes a model from another folder, weights first; `None` where the folder does not have it whole. What is here already stays.
    ///
    /// # Errors
    /// When the file system fails; [`Error::BitsDiffer`] where both folders have it and they differ.
    pub fn adopt(&self, from: &RunDir, recipe: usize, model: usize) -> Result<Option<Creation>, Error> {
        let identity = self.identity(recipe, model);
        let theirs = self.study().recipes[recipe].trainer.is_some();
        let rival = if theirs { Rival::Theirs } else { Rival::Ours };
        // Commands leave no weights.
        let names: &[&str] =
            if theirs { &["signals.safetensors"] } else { &["weights.safetensors", "signals.safetensors"] };
        let mut files = Vec::new();
        for name in names {
            let path = from.file(recipe, model, name);
            if read_tensors(&path, &identity)?.is_none() {
                return Ok(None);
            }
            files.push((*name, read(&path)?));
        }
        let mut all = Creation::Same;
        for (name, bytes) in files {
            let created = adopt(&self.file(recipe, model, name), &bytes, &identity, || Ok(rival))?;
            if created != Creation::Same {
                all = Creation::New;
            }
        }
        Ok(Some(all))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(Error::io("cannot read", path))
}

#[cfg(test)]
mod tests {
    use flatleak_data::{Dataset, Request, open};
    use flatleak_pool::Signals;
    use flatleak_study::Study;

    use super::*;
    use crate::workshop::{Outputs, SplitOutputs};

    fn outputs(data: &Dataset, value: f32) -> Outputs {
        let of = |labels: &[u32]| {
            let logits = (0..10 * labels.len()).map(|k| value * (k % 7) as f32).collect::<Vec<f32>>();
            SplitOutputs { signals: vec![Signals::from_logits(&logits, labels, 10).unwrap()], logits: vec![logits] }
        };
        Outputs { splits: [of(&data.pool.y), of(&data.test.y)], noise: Vec::new() }
    }

    #[test]
    fn a_model_is_taken_once_and_other_bits_are_refused() {
        let study = Study::parse(
            "models = 6\ndata = ['digits']\n[[recipe]]\nname = 'theirs'\ntrainer = 'x {mask} {out}'\n[[recipe]]\nname = 'ours'",
        )
        .unwrap();
        let data = open(&Request { pool: Some(40), test: Some(10), ..Request::new("digits") }).unwrap();
        let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let [to, a, b] = folders.each_ref().map(|folder| Workshop::open(folder.path(), &study, &data).unwrap());
        a.save_signals(0, 1, outputs(&data, 1.0)).unwrap();
        b.save_signals(0, 1, outputs(&data, 2.0)).unwrap();
        assert_eq!(to.adopt(&a, 0, 0).unwrap(), None);
        assert_eq!(to.adopt(&a, 0, 1).unwrap(), Some(Creation::New));
        assert_eq!(to.adopt(&a, 0, 1).unwrap(), Some(Creation::Same));
        // Of two commands' models the first stays.
        assert_eq!(to.adopt(&b, 0, 1).unwrap(), Some(Creation::Same));
        assert_eq!(to.signals(0, 1).unwrap().unwrap().splits, a.signals(0, 1).unwrap().unwrap().splits);
        // Of two models of the engine neither is better.
        a.save_signals(1, 1, outputs(&data, 1.0)).unwrap();
        assert_eq!(to.adopt(&a, 1, 1).unwrap(), None, "weights are missing");
        let refused = a.save_signals(1, 1, outputs(&data, 2.0)).unwrap_err();
        assert!(refused.to_string().contains("bits differ"), "{refused}");
        assert_eq!(a.signals(1, 1).unwrap().unwrap().splits[0], outputs(&data, 1.0).splits[0].signals);
    }
}
