//! Outputs, labels and membership as arrays.

use flatleak_data::values::Source;
use flatleak_data::{Part, budget};
use flatleak_pool::{Features, Membership, Pool, Signals, Wanted};

use super::asked::Asked;
use super::axes::{Known, Look, Sizes};
use super::given::Given;
use super::imported::Imported;
use super::labels::{Labels, labels};
use super::membership::{self, Mask};
use super::outputs::Outputs;
use super::plausible::{Read, questioned};
use super::square;
use super::terms::Terms;
use crate::error::Error;
use crate::problem::{ImportError, OutputsError};
use crate::spill::Spill;

/// Where the arrays of one pool are.
#[derive(Clone, Copy, Debug)]
pub struct Arrays<'a> {
    /// Recipe name.
    pub recipe: &'a str,
    /// What the outputs are.
    pub given: Given,
    /// What is kept of logits and probabilities.
    pub wanted: &'a Wanted,
    /// How it is given, for advice.
    pub terms: Terms,
    /// Outputs on the pool.
    pub outputs: Source<'a>,
    /// Labels of the pool, (N); needed for logits and probabilities.
    pub labels: Option<Source<'a>>,
    /// Who was trained on what, (M, N).
    pub membership: Source<'a>,
    /// What is given of held-out examples.
    pub test: Option<HeldOut<'a>>,
    /// Features, for the quantile attack.
    pub features: Option<FeatureArrays<'a>>,
}

impl<'a> Arrays<'a> {
    /// What the outputs are, as far as it is known without labels.
    fn asked(&self) -> Asked<'a> {
        Asked { given: self.given, wanted: self.wanted, terms: self.terms, labels: None }
    }
}

/// Held-out examples of which there are outputs.
#[derive(Clone, Copy, Debug)]
pub struct HeldOut<'a> {
    /// Outputs, of the shapes of those on the pool.
    pub outputs: Source<'a>,
    /// Labels, (T).
    pub labels: Option<Source<'a>>,
}

/// Features of examples.
#[derive(Clone, Copy, Debug)]
pub struct FeatureArrays<'a> {
    /// Of the pool, (N, D).
    pub pool: Source<'a>,
    /// Of held-out examples, (T, D).
    pub test: Source<'a>,
}

/// Reads a pool, and asks whether its outputs can be what they are said to be.
///
/// # Errors
/// [`Error::Import`] with the file and what is wrong with it: sizes that do not fit, outputs that are no numbers (of which models, on which
/// side), probabilities that do not sum to 1, labels out of range or of other columns, too few models.
pub fn from_arrays(arrays: &Arrays<'_>) -> Result<Imported, Error> {
    let labels = arrays.labels.map(|of| labels(of, "labels")).transpose()?;
    let own = |problem: ImportError| Error::import(arrays.outputs.place(), problem);
    let look = Look::new(arrays.outputs, arrays.given.name()).map_err(|e| own(e.into()))?;
    let examples = labels.as_ref().map(|l| l.classes.len());
    let mask = membership::look(arrays.membership)?;
    let known = Known { models: None, examples, mask: mask.axes() };
    let sizes = Sizes::new(arrays.given, &look, known).map_err(own)?;
    if let Some((found, most)) = labels.as_ref().and_then(|l| Some((l, l.most()?))) {
        let classes = sizes.columns.max(found.classes.iter().max().map_or(0, |y| *y as usize + 1));
        if classes > most {
            return Err(own(OutputsError::Wrapped { found: found.dtype.clone(), most, classes }.into()));
        }
    }
    if let Some(found) = labels.as_ref().filter(|l| !l.names.is_empty() && sizes.columns > l.names.len()) {
        return Err(own(OutputsError::Names { names: found.names.len(), classes: sizes.columns }.into()));
    }
    fits(sizes).map_err(own)?;
    let asked = Asked { labels: labels.as_ref().map(|l| l.classes.as_slice()), ..arrays.asked() };
    let (sizes, Mask { membership, notes }) = oriented(arrays, asked, sizes, &mask)?;
    let mut spill = Spill::default();
    let mut outputs = Outputs::new(asked, Some(&membership));
    let plain = read(arrays.outputs, Part::Pool, sizes, &mut outputs, &mut spill)?;
    let mut all = vec![seen(&outputs, sizes, &look, labels.as_ref(), &membership)];
    all.extend(sizes.swapped.then(|| "the outputs have examples before models and were turned".to_owned()));
    all.extend(notes);
    all.extend(labels.as_ref().and_then(|l| l.note.clone()));
    all.extend(outputs.notes("pool"));
    let held_out =
        arrays.test.map(|test| self::held_out(test, arrays, (sizes, labels.as_ref()), &mut spill)).transpose()?;
    let HeldOutFound { signals: test, labels: test_labels, notes } = held_out.unwrap_or_default();
    all.extend(notes);
    if !arrays.given.has_classes() {
        all.push(format!(
            "of {} alone it is not known who is right: an example counts as right when its label has more than half of the probability",
            arrays.given.name()
        ));
    }
    if labels.is_none() {
        all.push("without labels, class-wise thresholds are common ones".into());
    }
    let features = match arrays.features {
        Some(both) if !test.is_empty() => Some(features(both, sizes.examples, test.first().map_or(0, Signals::len))?),
        Some(both) => return Err(Error::import(both.pool.place(), OutputsError::NoHeldOut)),
        None => None,
    };
    let one_column = arrays.given.has_classes() && sizes.columns == 1;
    let Outputs { tally, .. } = outputs;
    let classes = labels.map(|l| l.classes);
    let pool = Pool {
        test_labels,
        test,
        views: spill.into_views(),
        features,
        ..Pool::new(arrays.recipe, membership, classes, plain).map_err(|problem| own(problem.into()))?
    };
    let read = Read { given: arrays.given, terms: arrays.terms, one_column, tally: &tally };
    let pool = questioned(pool, &read).map_err(|problem| own(problem.into()))?;
    Ok(Imported { pool, notes: all })
}

/// Which axis is which, and the membership. Of a table it is known.
fn oriented(
    arrays: &Arrays<'_>,
    asked: Asked<'_>,
    sizes: Sizes,
    mask: &membership::Seen<'_>,
) -> Result<(Sizes, Mask), Error> {
    let is_known = arrays.terms == Terms::Columns || matches!(arrays.outputs, Source::Transposed(_));
    if is_known || sizes.models != sizes.examples {
        return Ok((sizes, mask.read(Some(sizes))?));
    }
    let rows = mask.rows_of(sizes)?;
    // Positions of members stand in a row for each model.
    let is_turned = mask.axes().is_none().then_some(false);
    let found = square::turned(arrays.outputs, asked, sizes, &rows, is_turned);
    let found = found.map_err(|problem| Error::import(arrays.outputs.place(), problem))?;
    let mut mask = mask.read_square(rows, found.membership)?;
    let first = if found.outputs { "examples" } else { "models" };
    let n = sizes.models;
    mask.notes.push(format!(
        "there are as many models as examples, {n}: the outputs have {first} first, as their values tell"
    ));
    Ok((Sizes { swapped: found.outputs, ..sizes }, mask))
}

/// Bytes that are kept of a model's example, its membership among them.
const OF_EXAMPLE: u64 = 16;
/// Bytes of a model beside its examples.
const OF_MODEL: u64 = 256;

/// Refuses pools that cannot be held, before one of their models is read.
fn fits(Sizes { models, examples, .. }: Sizes) -> Result<(), ImportError> {
    let of_model = OF_EXAMPLE.checked_mul(examples as u64).and_then(|all| all.checked_add(OF_MODEL));
    Ok(budget::memory("the outputs of all models", of_model.and_then(|one| one.checked_mul(models as u64)))?)
}

/// What was seen, in a line.
fn seen(outputs: &Outputs<'_>, sizes: Sizes, look: &Look, labels: Option<&Labels>, membership: &Membership) -> String {
    let Sizes { models, examples, queries, columns, .. } = sizes;
    let views = if queries > 1 { format!(", Q={queries}") } else { String::new() };
    let classes = if columns > 1 { format!(", C={columns}") } else { String::new() };
    let labels = labels.map_or("no labels".into(), |l| {
        let (low, high) = (l.classes.iter().min(), l.classes.iter().max());
        format!("labels {} {} to {}", l.dtype, low.unwrap_or(&0), high.unwrap_or(&0))
    });
    let counts = (0..models).map(|m| membership.row(m).iter().filter(|v| **v).count());
    let (low, high) = counts.fold((usize::MAX, 0), |(low, high), n| (low.min(n), high.max(n)));
    let members = if low == high { low.to_string() } else { format!("{low} to {high}") };
    let (kind, dtype) = (outputs.kind(), &look.dtype);
    format!("(M={models}, N={examples}{views}{classes}) {dtype} {kind}; {labels}; {members} members per model")
}

/// Held-out outputs that were read.
#[derive(Default)]
struct HeldOutFound {
    signals: Vec<Signals>,
    labels: Option<Vec<u32>>,
    notes: Vec<String>,
}

fn held_out(
    HeldOut { outputs, labels: of_labels }: HeldOut<'_>,
    arrays: &Arrays<'_>,
    (pool, named): (Sizes, Option<&Labels>),
    spill: &mut Spill,
) -> Result<HeldOutFound, Error> {
    let wrong = |problem: ImportError| Error::import(outputs.place(), problem);
    let read_labels = |of: Source<'_>| {
        let own = labels(of, "test_labels")?;
        match named {
            Some(pool) => own.named_as(pool).map_err(|e| Error::import(of.place(), e)),
            None => Ok(own),
        }
    };
    let own = of_labels.map(read_labels).transpose()?;
    let look = Look::new(outputs, &format!("test_{}", arrays.given.name())).map_err(|e| wrong(e.into()))?;
    let examples = own.as_ref().map(|l| l.classes.len());
    let sizes = Sizes::new(arrays.given, &look, Known { models: Some(pool.models), examples, mask: None });
    let mut sizes = sizes.map_err(wrong)?;
    // As many held-out examples as models: the axes are those of the pool.
    sizes.swapped |= pool.swapped && sizes.models == sizes.examples;
    if sizes.queries != pool.queries {
        let views = OutputsError::Views { found: sizes.queries, other: "the pool has", expected: pool.queries };
        return Err(wrong(views.into()));
    }
    if sizes.columns != pool.columns {
        return Err(wrong(OutputsError::Classes { found: look.shape, expected: pool.columns }.into()));
    }
    let asked = Asked { labels: own.as_ref().map(|l| l.classes.as_slice()), ..arrays.asked() };
    let mut found = Outputs::new(asked, None);
    let signals = read(outputs, Part::Test, sizes, &mut found, spill)?;
    let notes = found.notes("held-out set");
    let labels = own.map(|l| l.classes);
    Ok(HeldOutFound { signals, labels, notes })
}

/// Reads the outputs of one split, model by model, as signals of the plain view; those of further views are laid aside.
fn read(
    from: Source<'_>,
    part: Part,
    sizes: Sizes,
    outputs: &mut Outputs<'_>,
    spill: &mut Spill,
) -> Result<Vec<Signals>, Error> {
    // In an archive of several arrays, those of the held-out set carry a prefix.
    let prefix = if part == Part::Test { "test_" } else { "" };
    let mut plain = Vec::new();
    let name = format!("{prefix}{}", outputs.given().name());
    let found = from.with(&name, |found| {
        outputs.read(found, sizes, &mut |queries| {
            plain.extend(spill.push(part, queries).map_err(no_room)?);
            Ok(())
        })
    });
    found.map_err(|problem: ImportError| Error::import(from.place(), problem))?;
    Ok(plain)
}

/// Features of `n` pool and `t` held-out examples.
fn features(arrays: FeatureArrays<'_>, n: usize, t: usize) -> Result<Features, Error> {
    let read = |from: Source<'_>, name: &str, expected: usize| {
        let found = from.with(name, |found| {
            let &[own, width] = found.shape() else {
                let wanted = "(examples, features)";
                return Err(OutputsError::Shape { found: found.shape().to_vec(), dtype: found.dtype(), wanted }.into());
            };
            if own != expected || width == 0 {
                return Err(OutputsError::Features { width, found: own, expected }.into());
            }
            let all: Vec<f32> = found.all()?.into_iter().map(|v| v as f32).collect();
            match all.iter().position(|v| !v.is_finite()) {
                Some(at) => Err(OutputsError::Feature { feature: at % width, example: at / width }.into()),
                None => Ok((width, all)),
            }
        });
        found.map_err(|problem: ImportError| Error::import(from.place(), problem))
    };
    let (width, pool) = read(arrays.pool, "features", n)?;
    let (found, test) = read(arrays.test, "test_features", t)?;
    if width != found {
        return Err(Error::import(arrays.test.place(), OutputsError::Width { found, expected: width }));
    }
    Ok(Features { width, pool, test })
}

/// What is said when a view cannot be laid aside.
pub(super) fn no_room(cause: std::io::Error) -> OutputsError {
    OutputsError::NoRoom { place: std::env::temp_dir(), cause }
}
