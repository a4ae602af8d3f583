//! Pools that were trained elsewhere, from their outputs: NumPy and safetensors arrays, tables, and the folders that published
//! code leaves.

mod arrays;
mod asked;
mod axes;
mod fit;
mod given;
mod imported;
mod labels;
mod layouts;
mod membership;
mod named;
mod order;
mod outputs;
mod plausible;
mod privacy_meter;
mod side;
mod signals;
mod square;
mod table;
mod tally;
mod terms;
mod trained;

pub use arrays::{Arrays, FeatureArrays, HeldOut, from_arrays};
pub use given::Given;
pub use imported::Imported;
pub use layouts::from_folder;
pub use named::from_named;
pub use table::{Name, RowsError, from_table};
pub use terms::Terms;
