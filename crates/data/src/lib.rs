//! Data sets. [`open`] turns a [`Request`] (a name of the [`catalogue`] or a directory) into a [`Dataset`]:
//! two [`Split`]s, the pool that members and non-members are drawn from and the test set, with pixels
//! normalised by what the pool alone shows ([`Normalisation`]). [`Dataset::digest`] is the data's part of
//! a study's identity. [`idx`] reads IDX files, [`values`] arrays and [`records`] tables of outputs from untrusted bytes.
//!
//! ```
//! use flatleak_data::{Request, open};
//!
//! let mut request = Request::new("fashion-mnist-small");
//! request.pool = Some(100);
//! let data = open(&request)?;
//! assert_eq!((data.pool.len(), data.test.len(), data.classes), (100, 2000, 10));
//! assert_eq!(data.pool.row(0).len(), data.shape.features());
//! # Ok::<(), flatleak_data::Error>(())
//! ```

pub mod cache;
mod catalogue;
mod changes;
pub mod cifar;
pub mod csv;
mod dataset;
mod error;
mod eyepacs;
mod files;
mod generator;
pub mod idx;
mod normalisation;
pub mod npy;
pub mod parquet;
pub mod pictures;
pub mod records;
mod source;
mod subset;
pub mod table;
pub mod values;

pub use catalogue::{Entry, FASHION_MNIST_DIR, FASHION_MNIST_VAR, Request, catalogue, open};
pub use dataset::{Dataset, Raw, Shape, Split, Values};
pub use error::{Error, Part};
pub use normalisation::{Normalisation, Scaling};
pub use subset::balanced;
