//! Where the training of a model stands, kept across attempts.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::PathBuf;

use flatleak_data::files;
use flatleak_disk::{remove, replace, set_aside};
use flatleak_nn::{Checkpoint, Kept, Place, Trainer, Values};
use safetensors::{Dtype, SafeTensors, View};

use crate::artefact::{checksum, f32_bytes, f32_values, f64_values};
use crate::error::Error;
use crate::workshop::Workshop;

/// In the folder of the model.
const FILE: &str = "checkpoint.safetensors";

/// The tensor with the words of a [`Place`].
const PLACE: &str = "place";

/// Stands before the identity of a model: raised when the form of checkpoints changes.
const FORM: &str = "checkpoint 1";

/// From where a trainer goes on.
#[derive(Clone, Debug, PartialEq)]
pub enum Resumed {
    /// From a checkpoint.
    From(Place),
    /// From the start: there is no checkpoint, or none of the place that is needed.
    Anew,
    /// From the start: the checkpoint is damaged, or of another model or program, and is here now.
    SetAside(PathBuf),
}

/// What a checkpoint holds.
enum Held<'a> {
    Place(Vec<u8>),
    Kept(Kept<'a>),
}

/// A tensor of one axis whose bytes are made when they are asked for, so that there is one copy of a large model beside it.
struct Lying<'a> {
    held: Held<'a>,
    shape: [usize; 1],
}

impl View for &Lying<'_> {
    fn dtype(&self) -> Dtype {
        match &self.held {
            Held::Place(_) => Dtype::U64,
            Held::Kept(Kept::Single(_)) => Dtype::F32,
            Held::Kept(Kept::Double(_)) => Dtype::F64,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        match &self.held {
            Held::Place(words) => Cow::Borrowed(words),
            Held::Kept(Kept::Single(values)) => Cow::Owned(f32_bytes(values)),
            Held::Kept(Kept::Double(values)) => {
                let mut bytes = vec![0; size_of_val(&**values)];
                let places = bytes.as_chunks_mut::<8>().0;
                places.iter_mut().zip(values.iter()).for_each(|(to, v)| *to = v.to_le_bytes());
                Cow::Owned(bytes)
            }
        }
    }

    fn data_len(&self) -> usize {
        match &self.held {
            Held::Place(words) => words.len(),
            Held::Kept(Kept::Single(values)) => size_of_val(&**values),
            Held::Kept(Kept::Double(values)) => size_of_val(&**values),
        }
    }
}

impl Workshop {
    /// Publishes where the training of a model stands, in place of what was published before.
    ///
    /// # Errors
    /// When the file system fails; what was published before is as it was then.
    pub fn save_checkpoint(&self, recipe: usize, model: usize, trainer: &mut Trainer<'_>) -> Result<(), Error> {
        let Checkpoint { place, kept } = trainer.checkpoint();
        let words = place.words();
        let shape = [words.len()];
        let held = Held::Place(words.iter().flat_map(|word| word.to_le_bytes()).collect());
        let mut all = vec![(PLACE.to_owned(), Lying { held, shape })];
        all.extend(kept.into_iter().map(|(name, own)| {
            let shape = [own.len()];
            (name, Lying { held: Held::Kept(own), shape })
        }));
        let views: Vec<(&str, &Lying<'_>)> = all.iter().map(|(name, lying)| (name.as_str(), lying)).collect();
        let sum = checksum(views.iter().map(|(name, lying)| (*name, lying)));
        let said = HashMap::from([("identity".to_owned(), self.stage(recipe, model)), ("checksum".to_owned(), sum)]);
        let bytes = safetensors::serialize(views, Some(said))
            .map_err(|e| Error::Encode { what: "a checkpoint", source: e.into() })?;
        Ok(replace(&self.file(recipe, model, FILE), &bytes)?)
    }

    /// Puts a trainer where the last checkpoint of a model stands, if `is_of_use` says so of the place. A trainer that begins at the start is as it
    /// was.
    ///
    /// # Errors
    /// When the file system fails.
    pub fn resume(
        &self,
        recipe: usize,
        model: usize,
        trainer: &mut Trainer<'_>,
        is_of_use: impl Fn(Place) -> bool,
    ) -> Result<Resumed, Error> {
        let path = self.file(recipe, model, FILE);
        let bytes = match files::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Resumed::Anew),
            // What is no file was never published here.
            Err(e) if e.kind() == ErrorKind::InvalidInput => Vec::new(),
            Err(e) => return Err(Error::io("cannot read", &path)(e)),
        };
        let checkpoint = verified(&bytes, &self.stage(recipe, model));
        let Some((place, file)) = checkpoint.and_then(|file| Some((place(&file)?, file))) else {
            return Ok(Resumed::SetAside(set_aside(&path)?));
        };
        if !is_of_use(place) {
            return Ok(Resumed::Anew);
        }
        let members = self.membership().members(model).len();
        match trainer.resume(place, members, |name| values(&file, name)) {
            Ok(()) => Ok(Resumed::From(place)),
            Err(_) => Ok(Resumed::SetAside(set_aside(&path)?)),
        }
    }

    /// Removes a model's checkpoint, and one that was set aside: the model is complete, or will never be.
    ///
    /// # Errors
    /// When the file system fails.
    pub fn remove_checkpoint(&self, recipe: usize, model: usize) -> Result<(), Error> {
        let path = self.file(recipe, model, FILE);
        remove(&flatleak_disk::unusable(&path))?;
        Ok(remove(&path)?)
    }

    /// What a model in training depends on.
    fn stage(&self, recipe: usize, model: usize) -> String {
        let way = self.study().training_identity(&self.study().recipes[recipe], self.data_digest());
        self.of_model(&format!("{FORM} {way}"), model)
    }
}

/// The tensors of a checkpoint; `None` when it is damaged or of something else.
fn verified<'a>(bytes: &'a [u8], identity: &str) -> Option<SafeTensors<'a>> {
    let (_, header) = SafeTensors::read_metadata(bytes).ok()?;
    let file = SafeTensors::deserialize(bytes).ok()?;
    let says =
        |key: &str, value: &str| header.metadata().as_ref().is_some_and(|m| m.get(key).is_some_and(|v| v == value));
    let views = file.tensors();
    let is_whole =
        says("identity", identity) && says("checksum", &checksum(views.iter().map(|(n, v)| (n.as_str(), v))));
    is_whole.then_some(file)
}

fn place(file: &SafeTensors<'_>) -> Option<Place> {
    let view = file.tensor(PLACE).ok().filter(|view| view.dtype() == Dtype::U64)?;
    let words: Vec<u64> = view.data().as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
    Place::of_words(&words)
}

fn values(file: &SafeTensors<'_>, name: &str) -> Option<Values> {
    let view = file.tensor(name).ok()?;
    match view.dtype() {
        Dtype::F32 => Some(Values::Single(f32_values(view.data()))),
        Dtype::F64 => Some(Values::Double(f64_values(view.data()))),
        _ => None,
    }
}
