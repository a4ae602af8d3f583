//! Files that name the attack of the headlines: another choice should be one change.

use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};

use crate::failure::Failure;
use crate::resolve::World;
use crate::source::{Area, Package, below, read, relative};
use crate::table::Offence;
use crate::tokens::is_punct;

/// The attack as a variant, as a constant, and in metrics.
const VARIANTS: [&str; 2] = ["Strongest", "STRONGEST"];
const NAME: &str = "strongest";
/// Metrics of it.
const METRICS: [&str; 2] = ["strongest.auc", "strongest.tpr"];

/// Where it is spelled, outside the crate that has the attack: Rust without tests and comments, pages and Python as text.
pub(crate) fn spelled(root: &Path, packages: &[Package], live: &World) -> Result<Vec<Offence>, Failure> {
    let mut found = Vec::new();
    for (index, package) in packages.iter().enumerate().filter(|(_, package)| package.folder != "crates/attack") {
        // A file of unit tests is reached by no live module.
        let reached = live.reached(index);
        let source = package.files.values().filter(|file| file.area == Area::Source);
        for file in source.filter(|file| reached.contains(file.path.as_str())) {
            let mut places = Vec::new();
            in_rust(file.live_tokens.clone(), &mut places);
            found.extend(places.into_iter().map(|(line, what)| Offence::new(&file.path, line, what)));
        }
        let folder = root.join(&package.folder);
        for path in below(&folder, "html")?.into_iter().chain(below(&folder, "py")?) {
            let name = relative(root, &path);
            if !name.contains("/tests/") && !name.contains("/examples/") {
                found.extend(in_text(&read(&path)?).map(|(line, what)| Offence::new(&name, line, what)));
            }
        }
    }
    Ok(found)
}

/// How many files offences are in.
pub(crate) fn files(offences: &[Offence]) -> usize {
    let mut paths: Vec<&str> = offences.iter().map(|offence| offence.path.as_str()).collect();
    paths.dedup();
    paths.len()
}

fn in_rust(tokens: TokenStream, found: &mut Vec<(usize, String)>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, tree) in trees.iter().enumerate() {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => {
                let attribute = at > 0 && is_punct(&trees[at - 1], '#') || at > 1 && is_punct(&trees[at - 2], '#');
                let documents = group.stream().into_iter().next().is_some_and(|first| first.to_string() == "doc");
                if !(attribute && documents) {
                    in_rust(group.stream(), found);
                }
            }
            TokenTree::Ident(ident) if VARIANTS.iter().any(|own| ident == *own) => {
                found.push((line, ident.to_string()))
            }
            TokenTree::Literal(literal) => {
                if let syn::Lit::Str(text) = syn::Lit::new(literal.clone()) {
                    let text = text.value();
                    if text == NAME || METRICS.iter().any(|metric| text.contains(metric)) {
                        found.push((line, format!("{literal}")));
                    }
                }
            }
            _ => {}
        }
    }
}

/// Text that is no Rust: a metric anywhere, or the name in quotes.
fn in_text(text: &str) -> impl Iterator<Item = (usize, String)> {
    let names = |line: &str| {
        let quoted = ['"', '\'', '`'].map(|quote| format!("{quote}{NAME}{quote}"));
        METRICS.iter().any(|metric| line.contains(metric)) || quoted.iter().any(|name| line.contains(name))
    };
    text.lines().enumerate().filter(move |(_, line)| names(line)).map(|(at, line)| {
        let short: String = line.trim().chars().take(80).collect();
        (at + 1, short)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        in_rust(crate::tokens::without_tests(text.parse().unwrap()), &mut found);
        found
    }

    #[test]
    fn files_of_unit_tests_are_left_out() {
        let files = [("src/lib.rs", "#[cfg(test)] mod tests;"), ("src/tests.rs", "use Attack::Strongest;")];
        let folder = std::env::temp_dir().join(format!("house-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("crates/made")).unwrap();
        let told = |files: &[(&str, &str)]| {
            let packages = [crate::source::made::package("made", files)];
            spelled(&folder, &packages, &World::read(&packages, false).unwrap()).unwrap().len()
        };
        assert_eq!(told(&files), 0);
        assert_eq!(told(&[("src/lib.rs", "use Attack::Strongest;")]), 1);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn names_count_and_words_do_not() {
        let text = "/// `strongest.auc`\nuse Attack::Strongest;\nconst A: &str = \"strongest\";\nfn f() { format!(\"{x} strongest.tpr@0.01\") }\n\
                    const B: &str = \"the strongest attack\";\n#[cfg(test)] mod tests { const C: &str = \"strongest\"; }";
        assert_eq!(places(text).iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!(
            in_text("a = \"strongest\"\nStrongest pairs\nb = 'strongest.auc'")
                .map(|(line, _)| line)
                .collect::<Vec<_>>(),
            [1, 3]
        );
    }
}
