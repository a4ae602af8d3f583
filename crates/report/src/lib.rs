//! Renders results in every [`Form`]: the [`html`] page, Markdown, LaTeX, [`csv`], [`json`] and a section for a model card; the terminal [`table`];
//! and tables of single examples ([`columns`]) as [`csv`] and [`parquet`](mod@parquet). A [`Sheet`] is a table of words and figures that fits any
//! width, a [`Text`](text::Text) what a terminal shows.
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
//! let table = flatleak_report::table::render(&document, 100).to_string();
//! assert!(table.lines().all(|line| line.chars().count() <= 100) && table.contains("AUC"));
//! assert_eq!(flatleak_report::json::parse(&flatleak_report::json::render(&document)?)?.recipes, document.recipes);
//! # Ok::<(), flatleak_report::Error>(())
//! ```

mod card;
mod cell;
pub mod columns;
mod context;
pub mod csv;
mod error;
pub mod explorer;
mod figures;
mod form;
mod glossary;
pub mod html;
mod hue;
pub mod json;
mod latex;
mod markdown;
mod names;
mod outline;
pub mod parquet;
mod plain;
mod plot;
mod say;
mod sections;
mod sheet;
mod shell;
pub mod table;
pub mod text;
pub mod theory;
pub mod words;

pub use error::Error;
pub use form::{Form, NoForm};
pub use sheet::{Align, Column, Row, Sheet};
