//! Known data sets, and how a request finds its files.

use std::ffi::OsString;
use std::path::PathBuf;

use flatleak_stream::{Purpose, Stream};
use strsim::levenshtein as distance;

use crate::cache::{self, Remote};
use crate::changes;
use crate::dataset::{Dataset, Parts};
use crate::embedded::{FASHION, digits, fashion, letter, named as of_classes};
use crate::error::{Error, Part};
use crate::generator::{Classes, subpopulations};
use crate::raw::{Raw, Whole};
use crate::reader::Options;
use crate::readers::{self, idx};
use crate::remark::Remark;
use crate::request::Request;
use crate::settings::Settings;
use crate::subset::balanced;

/// Where Debian's package dataset-fashion-mnist puts its files.
pub const FASHION_MNIST_DIR: &str = "/usr/share/datasets/fashion-mnist";
/// Environment variable that names another directory for `fashion-mnist`.
pub const FASHION_MNIST_VAR: &str = "FLATLEAK_FASHION_MNIST";

/// A line of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name to ask for.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Examples, shape and classes.
    pub size: &'static str,
    /// Licence of the data.
    pub licence: &'static str,
}

const ZALANDO: &str = "MIT (Copyright (c) 2017 Zalando SE)";

const CATALOGUE: [Entry; 6] = [
    Entry {
        name: "fashion-mnist-small",
        what: "balanced subset of Fashion-MNIST, embedded in the program",
        size: "4,000 pool, 2,000 test; 28x28 grey; 10 classes",
        licence: ZALANDO,
    },
    Entry {
        name: "fashion-mnist",
        what: "Fashion-MNIST from FLATLEAK_FASHION_MNIST or Debian's dataset-fashion-mnist",
        size: "60,000 pool, 10,000 test; 28x28 grey; 10 classes",
        licence: ZALANDO,
    },
    Entry {
        name: "digits",
        what: "handwritten digits (Alpaydin & Kaynak 1998, scikit-learn's copy), embedded",
        size: "1,400 pool, 397 test; 8x8 grey; 10 classes",
        licence: "CC BY 4.0 (E. Alpaydin, C. Kaynak; UCI)",
    },
    Entry {
        name: "letter",
        what: "Letter Recognition (Frey & Slate 1991), a table, embedded",
        size: "16,000 pool, 4,000 test; 16 columns; 26 classes",
        licence: "CC BY 4.0 (D. J. Slate; UCI)",
    },
    Entry {
        name: "subpopulations",
        what: "generated: every class a mixture of clusters with Zipf frequencies, grouped by rank",
        size: "4,000 pool, 4,000 test; 32 columns; 10 classes; 10 groups",
        licence: "generated",
    },
    Entry {
        name: "one-cluster",
        what: "generated: the control of `subpopulations`, one cluster a class",
        size: "4,000 pool, 4,000 test; 32 columns; 10 classes",
        licence: "generated",
    },
];

/// All data sets that have a name, the default first. What lies at a path needs none.
pub fn catalogue() -> &'static [Entry] {
    &CATALOGUE
}

/// Opens a data set.
///
/// A name of the [`catalogue`] wins over a directory of the same name in the working directory (write
/// `./name` for that one). What lies at a path goes to the first reader that knows it. Fewer examples than there are: a draw with classes as even as possible by
/// (seed, [`Purpose::Subset`], 0 for the pool and 1 for the test set, 0), kept in the order of the source.
///
/// Behind the name `+key=value` sets what a generator makes and changes what any data set holds (see the book):
/// `digits+label-noise=0.1`, `subpopulations+clusters=20+overlap=0.8`.
///
/// # Errors
/// See [`Error`]; unreadable or inconsistent files never panic.
pub fn open(request: &Request) -> Result<Dataset, Error> {
    let (base, mut settings) = Settings::parse(&request.name)?;
    let mut shadowed = in_the_shadow(base, CATALOGUE.iter().any(|e| e.name == base).then_some("the known data set"));
    let [pool, test] = match base {
        "fashion-mnist-small" => fashion(),
        "fashion-mnist" => installed(std::env::var_os(FASHION_MNIST_VAR)),
        "digits" => digits(),
        "letter" => letter(),
        "subpopulations" => subpopulations(&mut settings, request, Classes::Mixed),
        "one-cluster" => subpopulations(&mut settings, request, Classes::Plain),
        _ => {
            let side = if settings.has("size") { Some(settings.count("size", 1, 1..=1024)?) } else { None };
            let (path, remark) = located(base)?;
            shadowed = remark;
            readers::open(&path, request.seed, Options { side })
        }
    }?;
    if pool.shape != test.shape {
        return Err(Error::ShapeMismatch { name: base.into(), pool: pool.shape, test: test.shape });
    }
    let labels = pool.raw.labels.iter().chain(&test.raw.labels);
    let classes = labels.max().map_or(0, |&label| label as usize + 1);
    let (shape, groups) = (pool.shape, pool.groups.clone());
    let class_names = pool.classes.clone().map(|names| named(names, classes));
    let remarks: Vec<Remark> = shadowed.into_iter().chain(pool.remarks.iter().cloned()).collect();
    let files = [pool.files.clone(), test.files.clone()];
    let pool = reduce(pool, Part::Pool, request.pool, request)?;
    let test = reduce(test, Part::Test, request.test, request)?;
    let mut data = Dataset::from_raw(request.name.as_str(), Parts { shape, classes, groups, pool, test })?;
    (data.class_names, data.files, data.remarks) = (class_names, files, remarks);
    changes::apply(&mut data, &mut settings, request.seed)?;
    settings.finish()?;
    Ok(data)
}

/// As many names as classes; those that are not named have their number.
fn named(mut names: Vec<String>, classes: usize) -> Vec<String> {
    names.truncate(classes);
    let unnamed = names.len()..classes;
    names.extend(unnamed.map(|class| class.to_string()));
    names
}

/// What is to be said where something else of the same name lies in the working directory.
fn in_the_shadow(name: &str, taken: Option<&str>) -> Option<Remark> {
    let taken = taken?.to_owned();
    let other = PathBuf::from(".").join(name);
    other.exists().then(|| Remark::Shadowed { name: name.into(), taken, other })
}

/// The split cut down to the wanted number of examples.
fn reduce(whole: Whole, part: Part, wanted: Option<usize>, request: &Request) -> Result<Raw, Error> {
    let available = whole.raw.labels.len();
    match wanted {
        Some(0) => Err(Error::Empty { name: request.name.clone(), part }),
        Some(wanted) if wanted > available => {
            Err(Error::TooFew { name: request.name.clone(), part, wanted, available })
        }
        Some(wanted) if wanted < available => {
            let model = match part {
                Part::Pool => 0,
                Part::Test => 1,
            };
            let mut stream = Stream::new(request.seed, Purpose::Subset, model, 0);
            let positions = balanced(&whole.raw.labels, wanted, &mut stream);
            Ok(whole.raw.select(&positions, whole.shape.features()))
        }
        _ => Ok(whole.raw),
    }
}

/// Fashion-MNIST from the directory that the variable names, or from Debian's.
fn installed(variable: Option<OsString>) -> Result<[Whole; 2], Error> {
    let path = match variable {
        Some(value) if !value.is_empty() => PathBuf::from(value),
        _ => PathBuf::from(FASHION_MNIST_DIR),
    };
    if !path.is_dir() {
        return Err(Error::NotInstalled { directory: path, variable: FASHION_MNIST_VAR });
    }
    Ok(idx::directory(&path)?.map(|whole| of_classes(whole, FASHION)))
}

/// The directory that a request names, with what is to be said of another of that name; or why there is none.
fn located(name: &str) -> Result<(PathBuf, Option<Remark>), Error> {
    if let Some(path) = cache::find(name) {
        // A set that was cut short or changed would train models on something else in silence.
        cache::verify(name)?;
        let remark = in_the_shadow(name, Some(&format!("the set in {}", path.display())));
        return Ok((path, remark));
    }
    if let Some(Remote { name, by_hand, .. }) = Remote::named(name) {
        return Err(Error::NotFetched { name, by_hand });
    }
    let path = PathBuf::from(name);
    if path.exists() {
        return Ok((path, None));
    }
    if path.is_absolute() || name.contains(std::path::is_separator) {
        return Err(Error::NoDirectory { path });
    }
    let known = CATALOGUE.iter().map(|e| e.name).chain(cache::remotes().iter().map(|r| r.name)).map(str::to_owned);
    let names: Vec<String> = known.chain(cache::imported().into_iter().map(|own| own.name)).collect();
    let near = names.iter().filter(|known| distance(name, known) <= known.len() / 2);
    Err(Error::Unknown {
        name: name.into(),
        nearest: near.min_by_key(|known| distance(name, known)).cloned(),
        known: names.join(", "),
    })
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;
