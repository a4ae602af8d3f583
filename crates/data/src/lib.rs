//! Data sets. [`open`] turns a [`Request`] (a name of the [`catalogue`] or a path) into a [`Dataset`]:
//! two [`Split`]s, the pool that members and non-members are drawn from and the test set, scaled
//! by what the pool alone shows ([`Scaling`]). What goes wrong is an [`Error`], with the file and, inside, the error of its format.
//!
//! ```
//! use flatleak_data::{Request, Scaling, open};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("flowers.csv");
//! let rows = (0..50).map(|i| format!("{},{},{}\n", i, i * i % 7, if i % 2 == 0 { "rose" } else { "aster" }));
//! std::fs::write(&path, format!("width,height,label\n{}", rows.collect::<String>()))?;
//!
//! let data = open(&Request::new(path.to_string_lossy()))?;
//! assert_eq!((data.pool.len(), data.test.len(), data.classes), (40, 10, 2));
//! assert_eq!(data.pool.row(0).len(), data.shape.features());
//! // Aster comes first in the alphabet: the rose in line 2 has label 1.
//! assert_eq!(data.pool.y[0], 1 - data.pool.ids[0] % 2);
//! assert_eq!(data.class_names.as_deref(), Some(&["aster".to_owned(), "rose".to_owned()][..]));
//! // The width is the number of the row: it is read, and said to look like an index.
//! assert_eq!(data.remarks.len(), 1);
//! assert!(matches!(data.scaling, Scaling::Columns { .. }));
//!
//! std::fs::write(&path, "width,label\n1,rose\nwide,aster\n")?;
//! let error = open(&Request::new(path.to_string_lossy())).unwrap_err().to_string();
//! assert!(error.contains("line 3, column 1: `wide` is not a finite number"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Dataset::digest`] is the data's part of a study's identity. A format is a file of the folder `readers`: [`idx`], [`cifar`], [`csv`],
//! [`parquet`], [`pictures`], EyePACS, NumPy archives. Models' outputs come in through [`values`] (arrays) and [`records`]
//! (tables). All bytes are untrusted. The feature `arrow` adds Arrow IPC and Feather to the tables; the program and the Python package have
//! it, and without it the slowest crates to build are left out.

#[cfg(not(target_pointer_width = "64"))]
compile_error!("flatleak needs a 64-bit system: examples times classes times models do not fit into 32 bits");

mod archive;
mod arrayed;
mod arrays;
pub mod budget;
pub mod cache;
mod catalogue;
mod changes;
mod columnar;
mod dataset;
mod embedded;
mod error;
pub mod files;
mod gather;
mod generator;
mod guard;
mod import;
mod labels;
pub mod natural;
mod normalisation;
mod place;
mod raw;
mod reader;
pub mod readers;
pub mod records;
mod remark;
mod remote;
mod request;
mod settings;
mod shape;
mod shelf;
mod subset;
pub mod table;

pub use arrays::error::ArrayError;
pub use arrays::{npy, npz, values};
pub use catalogue::{Entry, FASHION_MNIST_DIR, FASHION_MNIST_VAR, catalogue, open};
pub use dataset::{Dataset, Parts, Split};
pub use error::{Error, Part, SettingError};
pub use guard::is_decoding;
pub use labels::LabelError;
pub use normalisation::{Normalisation, Scaling};
pub use raw::{Raw, Values};
pub use readers::{cifar, csv, idx, parquet, pictures};
pub use remark::Remark;
pub use request::Request;
pub use shape::Shape;
pub use subset::balanced;
pub use table::TableError;
