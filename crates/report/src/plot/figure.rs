//! A drawing with its legend, its caption and its numbers.

use std::fmt::Write;

use super::axes::WIDTH;
use super::data::Data;
use super::escaped::{escape, escape_all};
use crate::hue::Hue;

/// What stands in the page.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// Anchor, unique in the page; also the name of downloads.
    pub(crate) id: String,
    /// What it shows, for those who do not see it, and the name in lists.
    pub(crate) name: String,
    /// The drawing's height; all are equally wide.
    pub(crate) height: f64,
    /// SVG elements.
    pub(crate) body: String,
    /// Whose colours are used: recipes that can be hidden.
    pub(crate) legend: Vec<(String, Hue)>,
    /// Text below.
    pub(crate) caption: String,
    /// Numbers behind it.
    pub(crate) data: Data,
    /// Further classes.
    pub(crate) class: &'static str,
}

impl Figure {
    /// The figure as HTML.
    pub(crate) fn html(&self) -> String {
        let Self { id, height, body, class, .. } = self;
        let name = escape(&self.name);
        let mut out = format!(
            "<figure class=\"plot {class}\" id=\"{id}\" data-name=\"{name}\"><svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" \
             aria-labelledby=\"{id}-name\"><title id=\"{id}-name\">{name}</title>{body}</svg><figcaption>{}",
            escape_all(&self.caption)
        );
        if !self.legend.is_empty() {
            out.push_str(" <span class=\"legend\">");
            for (recipe, hue) in &self.legend {
                let recipe = escape_all(recipe);
                // Writing to a String cannot fail.
                let _ = write!(out, "<span class=\"key {hue}\" data-recipe=\"{recipe}\">{recipe}</span>");
            }
            out.push_str("</span>");
        }
        let _ = write!(
            out,
            "</figcaption><script type=\"application/json\" class=\"data\">{}</script></figure>",
            self.data.json()
        );
        out
    }
}
