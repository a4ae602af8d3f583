//! What a section of the page is made from.

use base64::engine::Engine;
use base64::engine::general_purpose::STANDARD;
use flatleak_results::{Comparison, Document, Figure, Picture, PictureKind, RecipeResult};
use flatleak_verdict::HEADLINE;

use crate::explorer::Explorer;
use crate::glossary;
use crate::hue::Hue;
use crate::say;

/// Most recipes with figures of their own.
pub(crate) const MOST: usize = 6;

/// The content of a picture's file, `None` where it is gone.
pub(crate) type Read<'a> = &'a dyn Fn(&str) -> Option<Vec<u8>>;

/// A document as far as it is about one data set, or about all of them.
pub(crate) struct Context<'a> {
    /// All of it.
    pub(crate) document: &'a Document,
    /// Recipes on this data set.
    pub(crate) recipes: Vec<&'a RecipeResult>,
    /// Comparisons on this data set.
    pub(crate) comparisons: Vec<&'a Comparison>,
    /// `None` stands for all.
    dataset: Option<&'a str>,
    /// Names of all recipes of the document, in the order of their colours.
    names: Vec<&'a str>,
    read: Read<'a>,
    /// Long names, and what stands for them.
    cut: &'a [(String, String)],
}

impl<'a> Context<'a> {
    /// What `document` holds about a data set, or about all where none is named; pictures come by `read`.
    pub(crate) fn new(
        document: &'a Document,
        dataset: Option<&'a str>,
        (read, cut): (Read<'a>, &'a [(String, String)]),
    ) -> Self {
        let mut names: Vec<&str> = Vec::new();
        let known = document.study.recipes.iter().map(|r| r.name.as_str());
        for name in known.chain(document.recipes.iter().map(|r| r.name.as_str())) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let mut context = Self { document, recipes: Vec::new(), comparisons: Vec::new(), dataset, names, read, cut };
        context.recipes = document.recipes.iter().filter(|r| context.covers(&r.dataset)).collect();
        context.comparisons = document.comparisons.iter().filter(|c| context.covers(&c.dataset)).collect();
        context
    }

    /// Whether a data set is the one that the section is about.
    pub(crate) fn covers(&self, dataset: &str) -> bool {
        self.dataset.is_none_or(|own| own == dataset)
    }

    /// The data set that the section is about; `None` where it is about all.
    pub(crate) fn dataset(&self) -> Option<&'a str> {
        self.dataset
    }

    /// An anchor: a name, with the number of the data set where it is not the first.
    pub(crate) fn id(&self, name: &str) -> String {
        let name = name.replace('_', "-");
        let place = self.document.study.datasets.iter().position(|d| Some(d.name.as_str()) == self.dataset);
        place.filter(|at| *at > 0).map_or(name.clone(), |at| format!("{name}-{}", at + 1))
    }

    /// A term as a link to its entry in the glossary.
    pub(crate) fn term(&self, id: &str) -> String {
        glossary::link(id, None)
    }

    /// A term with its entry for whoever points at it, for headings of tables, where a link would be in the way.
    pub(crate) fn abbr(&self, id: &str, shown: Option<&str>) -> String {
        glossary::abbr(id, shown)
    }

    /// The same under another word.
    pub(crate) fn term_as(&self, id: &str, shown: &str) -> String {
        glossary::link(id, Some(shown))
    }

    /// The attack of the verdict by name, with the term that explains it.
    pub(crate) fn headline(&self) -> String {
        self.term_as("headline", &HEADLINE.name())
    }

    /// Colour and form of a recipe, in every figure the same.
    pub(crate) fn hue(&self, recipe: &str) -> Hue {
        Hue::of(self.names.iter().position(|name| *name == recipe).unwrap_or(0))
    }

    /// Recipes with their colours, for a legend.
    pub(crate) fn legend<'r>(&self, recipes: impl IntoIterator<Item = &'r str>) -> Vec<(String, Hue)> {
        recipes.into_iter().map(|r| (r.to_owned(), self.hue(r))).collect()
    }

    /// More recipes than a figure can show beside each other.
    pub(crate) fn many(&self) -> bool {
        self.recipes.len() > MOST
    }

    /// Whether any recipe was attacked.
    pub(crate) fn attacked(&self) -> bool {
        self.recipes.iter().any(|r| !r.attacks.is_empty())
    }

    /// Trained by this program, on halves of the pool.
    pub(crate) fn trained_here(&self) -> bool {
        !self.document.study.layers.is_empty()
    }

    /// An attack with the others that share its ROC.
    pub(crate) fn label(&self, attack: &str) -> String {
        say::label(self.document, attack)
    }

    /// Curves and densities of the first recipes.
    pub(crate) fn figures(&self) -> Vec<&'a Figure> {
        self.document.figures.iter().filter(|f| self.covers(&f.dataset)).take(MOST).collect()
    }

    /// Recipes of which is known what they learn by heart: the columns of the explanation's tables.
    pub(crate) fn explained(&self) -> Vec<&'a str> {
        let all = self.document.explain.memorization.iter();
        all.filter(|m| self.covers(&m.dataset)).map(|m| m.recipe.as_str()).collect()
    }

    /// Single examples of the data set, where their file is there.
    pub(crate) fn explorer(&self) -> Option<Explorer> {
        let listing = self.document.listings.iter().find(|l| self.covers(&l.dataset))?;
        Some(Explorer::read(&(self.read)(&listing.file)?)?.renamed(self.cut))
    }

    /// Pictures of a kind whose files are there, in base64 as a page holds them (RFC 4648, section 4).
    pub(crate) fn pictures(&self, kind: PictureKind) -> Vec<(&'a Picture, String)> {
        let all = self.document.pictures.iter().filter(|p| p.kind == kind && self.covers(&p.dataset));
        all.filter_map(|p| (self.read)(&p.file).map(|bytes| (p, STANDARD.encode(bytes)))).collect()
    }
}
