//! Renders results, one file per format: [`json`], the terminal [`table`], and [`html`]; and tables of single examples
//! ([`columns`]) as [`csv`] and [`parquet`](mod@parquet).
//!
//! [`theory`] does the same for `flatleak theory`.
//!
//! [`Document`] is `results.json` as a type: the results, the study that they belong to, the machine and timings.

pub mod columns;
pub mod csv;
mod error;
pub mod html;
pub mod json;
pub mod parquet;
mod plot;
pub mod table;
pub mod theory;

pub use error::Error;
