//! The forms in which results are passed on.

use std::str::FromStr;

use flatleak_results::Document;

use crate::error::Error;
use crate::{card, csv, figures, html, json, latex, markdown};

/// A form of results: one file each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The page, with pictures.
    Html,
    /// The summary as Markdown.
    Markdown,
    /// The summary as LaTeX, for a paper.
    Latex,
    /// Every figure, a row each.
    Csv,
    /// The document itself, redacted where asked.
    Json,
    /// A section for a model card, with metadata that the Hugging Face hub reads.
    ModelCard,
}

/// Text that names no form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no format; there are {known}", known = Form::ALL.map(Form::name).join(", "))]
pub struct NoForm(pub String);

impl Form {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Html, Self::Markdown, Self::Latex, Self::Csv, Self::Json, Self::ModelCard];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Markdown => "markdown",
            Self::Latex => "latex",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::ModelCard => "model-card",
        }
    }

    /// The file that holds it.
    pub fn file(self) -> &'static str {
        match self {
            Self::Html => "report.html",
            Self::Markdown => "report.md",
            Self::Latex => "report.tex",
            Self::Csv => "report.csv",
            Self::Json => "report.json",
            Self::ModelCard => "model-card.md",
        }
    }

    /// The content of the file; `read` gives the content of a picture's file, which the page alone shows.
    ///
    /// # Errors
    /// Never for documents of finite numbers.
    pub fn render(self, d: &Document, read: &dyn Fn(&str) -> Option<Vec<u8>>) -> Result<String, Error> {
        Ok(match self {
            Self::Html => html::render(d, read)?,
            Self::Markdown => markdown::render(d),
            Self::Latex => latex::render(d),
            Self::Csv => csv::render(&figures::table(d)),
            Self::Json => json::sealed(d)?,
            Self::ModelCard => card::render(d),
        })
    }
}

impl FromStr for Form {
    type Err = NoForm;

    fn from_str(text: &str) -> Result<Self, NoForm> {
        Self::ALL.into_iter().find(|form| form.name() == text).ok_or_else(|| NoForm(text.into()))
    }
}
