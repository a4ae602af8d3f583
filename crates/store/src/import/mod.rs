//! Pools that were trained elsewhere, from their outputs: NumPy and safetensors arrays, tables, and the folders that published
//! code leaves.

mod arrays;
mod imported;
mod layouts;
mod privacy_meter;
mod table;

pub use arrays::{Arrays, FeatureArrays, Given, HeldOut, from_arrays};
pub use imported::Imported;
pub use layouts::from_folder;
pub use table::{Name, RowsError, from_table};
