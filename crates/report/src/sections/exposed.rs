//! Who is exposed: single training examples, the most exposed first.

use askama::Template;
use flatleak_results::Estimate;

use crate::context::{Context, MOST};
use crate::explorer::{Example, Explorer, Exposed};
use crate::{cell, say};

pub(super) const TITLE: &str = "Who is exposed";

#[derive(Template)]
#[template(path = "../src/sections/exposed.html")]
struct Everybody<'a> {
    context: &'a Context<'a>,
    explorer: Option<Explorer>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let mut explorer = context.explorer();
    if let Some(found) = &mut explorer {
        found.recipes.truncate(MOST);
        found.examples.iter_mut().for_each(plain);
    }
    context.attacked().then_some(Everybody { context, explorer })
}

/// Names may come from elsewhere: hidden characters are written out, and long ones cut.
fn plain(example: &mut Example) {
    use flatleak_results::{plain, shortened};
    /// Most characters of a name in a row.
    const LONGEST: usize = 48;
    let put = |text: &mut String| *text = shortened(&plain(text), LONGEST).into_owned();
    put(&mut example.class);
    put(&mut example.source);
    example.group.iter_mut().for_each(put);
    example.recipes.values_mut().flat_map(|e| &mut e.helps).for_each(|h| put(&mut h.class));
}

impl Everybody<'_> {
    /// Whether pictures are shown.
    fn pictures(&self) -> bool {
        self.explorer.as_ref().is_some_and(|e| e.examples.iter().any(|x| x.picture.is_some()))
    }

    /// Whether groups are known.
    fn groups(&self) -> bool {
        self.explorer.as_ref().is_some_and(|e| e.examples.iter().any(|x| x.group.is_some()))
    }
}

/// Cells of an example under one recipe: right calls of the strongest attack, memorization.
fn cells(example: &Example, recipe: &str, attacks: &[String]) -> String {
    let name = crate::plot::escape_all(recipe);
    let Some(found) = example.recipes.get(recipe) else {
        return format!("<td data-recipe=\"{name}\">–</td><td data-recipe=\"{name}\">–</td>");
    };
    let own = |cell: String| cell.replacen("<td", &format!("<td data-recipe=\"{name}\""), 1);
    let calls = found.calls.first().copied().flatten();
    let called = cell::optional(calls.as_ref(), |e| cell::estimate(e, &format!("{:.0} %", 100.0 * e.mean)));
    let titled = called.replacen("<td", &format!("<td title=\"{}\"", by_attack(found, attacks)), 1);
    let m = &found.memorization;
    own(titled) + &own(cell::estimate(m, &format!("{:.2}", m.mean).replace('-', "−")))
}

/// Right calls of every attack, for whoever points at the cell.
fn by_attack(found: &Exposed, attacks: &[String]) -> String {
    let one = |(name, e): (&String, &Option<Estimate>)| {
        e.map(|e| format!("{name} {:.0} % [{:.0}, {:.0}]", 100.0 * e.mean, 100.0 * e.low, 100.0 * e.high))
    };
    let all: Vec<String> = attacks.iter().zip(&found.calls).filter_map(one).collect();
    crate::plot::escape_all(&all.join(", "))
}

/// Whom an example helps, under the recipe where it helps most.
fn helps(example: &Example) -> String {
    const SHOWN: usize = 2;
    let strongest = |e: &Exposed| e.helps.first().map_or(0.0, |h| h.influence);
    let best = example.recipes.values().max_by(|a, b| strongest(a).total_cmp(&strongest(b)));
    let all = best.into_iter().flat_map(|e| e.helps.iter().take(SHOWN));
    let all: Vec<String> = all.map(|h| format!("{} (test {}) {:+.2}", h.class, h.test, h.influence)).collect();
    say::prose(&all.join(", "))
}
