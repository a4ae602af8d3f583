//! Data sets inside the program.

use std::path::Path;

use crate::error::Error;
use crate::raw::{Values, Whole};
use crate::readers::idx::{Named, decode};

/// An embedded file and its name, which stands in for a path in errors.
macro_rules! embedded_file {
    ($name:expr) => {
        Named {
            path: Path::new(concat!("embedded/", $name)),
            bytes: include_bytes!(concat!("../embedded/", $name)).as_slice(),
        }
    };
}

/// Decodes pool and test set of an embedded data set.
macro_rules! embedded {
    ($prefix:literal) => {
        [
            decode(
                embedded_file!(concat!($prefix, "pool-images-idx3-ubyte.gz")),
                embedded_file!(concat!($prefix, "pool-labels-idx1-ubyte.gz")),
            )?,
            decode(
                embedded_file!(concat!($prefix, "test-images-idx3-ubyte.gz")),
                embedded_file!(concat!($prefix, "test-labels-idx1-ubyte.gz")),
            )?,
        ]
    };
}

/// Pool and test set of `fashion-mnist-small`.
pub(crate) fn fashion() -> Result<[Whole; 2], Error> {
    Ok(embedded!("").map(|whole| named(whole, FASHION)))
}

/// The classes of Fashion-MNIST (Xiao, Rasul & Vollgraf 2017, arXiv 1708.07747, table 2).
pub(crate) const FASHION: [&str; 10] =
    ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

/// The classes of handwritten digits.
const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// The same with names for its classes.
pub(crate) fn named(whole: Whole, classes: [&str; 10]) -> Whole {
    Whole { classes: Some(classes.map(str::to_owned).to_vec()), ..whole }
}

/// Pool and test set of `digits`.
pub(crate) fn digits() -> Result<[Whole; 2], Error> {
    Ok(embedded!("digits-").map(|whole| named(whole, DIGITS)))
}

/// Pool and test set of `letter`: a table, kept as bytes.
pub(crate) fn letter() -> Result<[Whole; 2], Error> {
    let mut both = embedded!("letter-");
    for whole in &mut both {
        if let Values::Pixels(bytes) = &whole.raw.values {
            whole.raw.values = Values::Table(bytes.iter().map(|&b| f32::from(b)).collect());
            whole.classes = Some(('A'..='Z').map(String::from).collect());
        }
    }
    Ok(both)
}
