//! Long names, where many stand side by side.

use std::borrow::Cow;

use flatleak_results::{Document, shortened};
use serde_json::Value;

/// Most characters of a name on a page.
const LONGEST: usize = 64;

/// The document with long names cut wherever they stand, also within sentences; `results.json` keeps them whole.
pub(crate) fn short<'d>(d: &'d Document, names: &[(String, String)]) -> Cow<'d, Document> {
    if names.is_empty() {
        return Cow::Borrowed(d);
    }
    let cut = |d: &Document| {
        let mut value = serde_json::to_value(d)?;
        replace(&mut value, names);
        serde_json::from_value(value)
    };
    // A document that cannot be written as JSON is shown as it is.
    cut(d).map_or(Cow::Borrowed(d), Cow::Owned)
}

/// Long names with what stands for them: no two the same, the longest first, because one may be a part of another.
pub(crate) fn long(d: &Document) -> Vec<(String, String)> {
    longer(d, LONGEST)
}

/// The same for a place that has room for `most` characters of a name, at most as many as a page.
pub(crate) fn longer(d: &Document, most: usize) -> Vec<(String, String)> {
    let most = most.min(LONGEST);
    let recipes = d.recipes.iter().flat_map(|r| [&r.name, &r.dataset]);
    let attacks = d.recipes.iter().flat_map(|r| &r.attacks).flat_map(|a| std::iter::once(&a.name).chain(&a.variant));
    let record = d.study.datasets.iter().map(|s| &s.name).chain(d.study.recipes.iter().map(|r| &r.name));
    let explained = d.explain.memorization.iter().flat_map(|m| [&m.recipe, &m.dataset]);
    let groups = d.explain.groups.iter().map(|g| &g.name);
    let all = recipes.chain(attacks).chain(record).chain(explained).chain(groups).chain(&d.diverged);
    let mut long: Vec<&String> = all.chain([&d.study.name]).filter(|name| name.chars().nth(most).is_some()).collect();
    long.sort_unstable_by_key(|name| (std::cmp::Reverse(name.len()), name.as_str()));
    long.dedup();
    let mut out: Vec<(String, String)> = Vec::new();
    for name in long {
        let number = |k: usize| if k < 2 { String::new() } else { format!("~{k}") };
        let of = |k: usize| shortened(name, most - number(k).len()).into_owned() + &number(k);
        let free = |text: &String| out.iter().all(|(_, other)| other != text);
        let short = (1..).map(of).find(free).unwrap_or_default();
        out.push((name.clone(), short));
    }
    out
}

/// Replaces names in every text but the names of files.
fn replace(value: &mut Value, names: &[(String, String)]) {
    match value {
        Value::String(text) => {
            for (long, short) in names {
                if text.contains(long) {
                    *text = text.replace(long, short);
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|v| replace(v, names)),
        Value::Object(all) => {
            all.iter_mut().filter(|(key, _)| *key != "file").for_each(|(_, v)| replace(v, names));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names that differ in the middle alone stay two; short names cost nothing.
    #[test]
    fn long_names_are_cut_everywhere_and_stay_apart() -> Result<(), crate::Error> {
        let mut document = crate::json::parse(include_str!("../tests/version1.json"))?;
        assert!(matches!(short(&document, &long(&document)), Cow::Borrowed(_)));
        let lengthened = |middle: &str| format!("{}{middle}{}", "a".repeat(200), "z".repeat(200));
        let own: Vec<String> = document.recipes.iter().map(|r| r.name.clone()).take(2).collect();
        for (name, middle) in own.iter().zip(["1", "2"]) {
            document.recipes.iter_mut().filter(|r| r.name == *name).for_each(|r| r.name = lengthened(middle));
        }
        document.headline.sentence = format!("{} against {}.", lengthened("1"), lengthened("2"));
        let shown = short(&document, &super::long(&document));
        let names: Vec<&str> = shown.recipes.iter().map(|r| r.name.as_str()).take(2).collect();
        assert!(names[0] != names[1] && names.iter().all(|name| name.chars().count() == LONGEST), "{names:?}");
        assert_eq!(shown.headline.sentence, format!("{} against {}.", names[0], names[1]));
        assert!(!crate::html::render(&document, &|_| None)?.contains(&"a".repeat(LONGEST)));
        assert!(crate::table::render(&document, 100).to_string().lines().all(|line| line.chars().count() < 200));
        Ok(())
    }
}
