//! Renders results, one file per format: [`json`], the terminal [`table`], and [`html`]; and tables of single examples
//! ([`columns`]) as [`csv`] and [`parquet`](mod@parquet).
//!
//! [`theory`] does the same for `flatleak theory`.
//!
//! All read a [`Document`](flatleak_results::Document), which is `results.json` as a type.
//!
//! ```
//! // Results of another machine, as text and as a table for a terminal; what an older program wrote is read too.
//! let text = include_str!("../tests/version1.json");
//! let document = flatleak_report::json::parse(text)?;
//! assert_eq!(document.schema_version, 2);
//! let table = flatleak_report::table::render(&document);
//! assert!(table.lines().all(|line| line.chars().count() <= 110) && table.contains("AUC"));
//! assert_eq!(flatleak_report::json::parse(&flatleak_report::json::render(&document)?)?.recipes, document.recipes);
//! # Ok::<(), flatleak_report::Error>(())
//! ```

mod cell;
pub mod columns;
mod context;
pub mod csv;
mod error;
pub mod explorer;
mod glossary;
pub mod html;
mod hue;
pub mod json;
mod names;
pub mod parquet;
mod plain;
mod plot;
mod say;
mod sections;
mod shell;
pub mod table;
pub mod theory;

pub use error::Error;
