//! Citations that lead nowhere: to documents that are not in the repository, and to pages or headings that do not exist.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use crate::failure::Failure;
use crate::markdown::{anchors, links};
use crate::table::Offence;

/// What stands outside the repository.
const OUTSIDE: [&str; 6] = ["METHODS", "DESIGN.md", "SCALE.md", "GPU.md", "ANCHORS.md", "../shared"];
/// This tool spells them too.
const OWN: &str = "checks/house/";

/// The tracked files: paths of all, texts of those that are text.
pub(crate) struct Tracked {
    paths: BTreeSet<String>,
    texts: BTreeMap<String, String>,
}

impl Tracked {
    /// What `git ls-files` lists and is there.
    pub(crate) fn read(root: &Path) -> Result<Self, Failure> {
        let answer = Command::new("git").arg("-C").arg(root).args(["ls-files", "-z"]).output();
        let answer = answer.map_err(|error| Failure::Git(error.to_string()))?;
        if !answer.status.success() {
            return Err(Failure::Git(String::from_utf8_lossy(&answer.stderr).trim().into()));
        }
        let listed = String::from_utf8_lossy(&answer.stdout);
        let mut texts = BTreeMap::new();
        let mut paths = BTreeSet::new();
        for path in listed.split_terminator('\0').filter(|path| root.join(path).is_file()) {
            let bytes =
                std::fs::read(root.join(path)).map_err(|error| Failure::Read { path: root.join(path), error })?;
            paths.insert(path.to_string());
            if let Some(text) = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')) {
                texts.insert(path.to_string(), text);
            }
        }
        Ok(Self { paths, texts })
    }

    fn cited(&self) -> impl Iterator<Item = (&String, &String)> {
        self.texts.iter().filter(|(path, _)| !path.starts_with(OWN))
    }

    /// A file, or a folder of files.
    fn exists(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        path.is_empty()
            || self.paths.contains(path)
            || self.paths.range(folder.clone()..).next().is_some_and(|p| p.starts_with(&folder))
    }

    /// What is wrong with a path from the root and a fragment, if anything.
    fn fault(&self, path: &str, fragment: Option<&str>) -> Option<&'static str> {
        if !self.exists(path) {
            return Some("no such file");
        }
        let fragment = fragment.filter(|fragment| !fragment.is_empty())?;
        let page = self.texts.get(path).filter(|_| path.ends_with(".md"));
        match page {
            Some(text) if anchors(text).contains(&fragment.to_lowercase()) => None,
            None if fragment.starts_with('L') && fragment[1..].starts_with(|c: char| c.is_ascii_digit()) => None,
            _ => Some("no such heading"),
        }
    }
}

/// Names of documents that a reader of the repository does not have.
pub(crate) fn outside(tracked: &Tracked) -> Vec<Offence> {
    let mut found = Vec::new();
    for (path, text) in tracked.cited() {
        for (at, line) in text.lines().enumerate() {
            let named = OUTSIDE.iter().filter(|name| is_named(line, name));
            found.extend(named.map(|name| Offence::new(path, at + 1, *name)));
        }
    }
    found
}

/// Whether a line has a name that is no part of a longer one.
fn is_named(line: &str, name: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(name).any(|(at, _)| !line[..at].ends_with(word) && !line[at + name.len()..].starts_with(word))
}

/// Pages of the book that are cited anywhere, and relative links of Markdown, that lead nowhere.
pub(crate) fn dead(tracked: &Tracked) -> Vec<Offence> {
    let mut found: BTreeMap<(&str, usize, String), &str> = BTreeMap::new();
    for (path, text) in tracked.cited() {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (line, target) in links(text).into_iter().filter(|(_, target)| path.ends_with(".md") && is_relative(target))
        {
            let (to, fragment) = target.split_once('#').map_or((target.as_str(), None), |(to, f)| (to, Some(f)));
            let to = to.split('?').next().unwrap_or_default().replace("%20", " ");
            let resolved = if to.is_empty() { Some(path.clone()) } else { joined(folder, &to) };
            let fault = resolved.map_or(Some("outside the repository"), |to| tracked.fault(&to, fragment));
            if let Some(fault) = fault {
                found.insert((path, line, target), fault);
            }
        }
        for (at, line) in text.lines().enumerate() {
            for (page, fragment) in pages(line) {
                if let Some(fault) = tracked.fault(page, fragment) {
                    let cited = fragment.map_or_else(|| page.into(), |fragment| format!("{page}#{fragment}"));
                    found.entry((path, at + 1, cited)).or_insert(fault);
                }
            }
        }
    }
    found
        .into_iter()
        .map(|((path, line, target), fault)| Offence::new(path, line, format!("{target}: {fault}")))
        .collect()
}

/// Neither a site nor a mail address.
fn is_relative(target: &str) -> bool {
    let scheme = target.split_once(':').is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric()));
    !target.is_empty() && !scheme && !target.starts_with("//")
}

/// A relative path from a folder; `None` where it leaves the root.
fn joined(folder: &str, path: &str) -> Option<String> {
    let start = if path.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = Vec::new();
    for part in start.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Every `book/PATH.md` and `book/PATH.md#FRAGMENT` of a line that means the book at the root.
fn pages(line: &str) -> Vec<(&str, Option<&str>)> {
    let part = |c: char| c.is_alphanumeric() || "_-./".contains(c);
    let mut found = Vec::new();
    for (at, _) in line.match_indices("book/") {
        let before = line[..at].trim_end_matches("../");
        let inner = &line[at..];
        let end = inner.find(|c: char| !part(c)).unwrap_or(inner.len());
        let Some(length) = inner[..end].rfind(".md").map(|dot| dot + ".md".len()) else { continue };
        // `crates/x/book/a.md`, `my-book/a.md` and `https://host/book/a.md` are others; `a.mdx` is no page.
        if before.ends_with(part) || inner[length..].starts_with(|c: char| c.is_alphanumeric()) {
            continue;
        }
        let fragment = inner[length..].strip_prefix('#').map(|rest| {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_')).unwrap_or(rest.len());
            &rest[..end]
        });
        found.push((&inner[..length], fragment));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tracked(files: &[(&str, &str)]) -> Tracked {
        let texts: BTreeMap<String, String> =
            files.iter().map(|(path, text)| ((*path).into(), (*text).into())).collect();
        Tracked { paths: texts.keys().cloned().collect(), texts }
    }

    fn told(offences: Vec<Offence>) -> Vec<String> {
        offences.into_iter().map(|offence| format!("{}:{} {}", offence.path, offence.line, offence.note)).collect()
    }

    #[test]
    fn documents_elsewhere_are_found_as_words() {
        let files = [
            ("a.rs", "// METHODS section 2\nconst MY_METHODS: u8 = 1;\n// ../shared/x, GPU.md"),
            ("checks/house/src/x.rs", "METHODS"),
        ];
        assert_eq!(told(outside(&tracked(&files))), ["a.rs:1 METHODS", "a.rs:3 GPU.md", "a.rs:3 ../shared"]);
    }

    #[test]
    fn pages_and_headings_must_exist() {
        let code = "// book/a.md, book/a.md#first-part and `book/a.md#third`.\n// (book/none.md). crates/x/book/no.md https://h/book/no.md\n\"../../book/gone.md\"";
        let files = [("src/x.rs", code), ("book/a.md", "# First part\n")];
        let expected = [
            "src/x.rs:1 book/a.md#third: no such heading",
            "src/x.rs:2 book/none.md: no such file",
            "src/x.rs:3 book/gone.md: no such file",
        ];
        assert_eq!(told(dead(&tracked(&files))), expected);
    }

    #[test]
    fn relative_links_must_resolve() {
        let page = "# Top\n[a](b.md#two) [b](b.md#one) [c](#top) [d](#bottom) [e](../studies) [f](../../x) [g](https://h/x) [h](c.md) [i](../x.rs#L3)";
        let files = [("book/a.md", page), ("book/b.md", "## One"), ("studies/s.toml", ""), ("x.rs", "")];
        let expected = [
            "book/a.md:2 #bottom: no such heading",
            "book/a.md:2 ../../x: outside the repository",
            "book/a.md:2 b.md#two: no such heading",
            "book/a.md:2 c.md: no such file",
        ];
        assert_eq!(told(dead(&tracked(&files))), expected);
    }
}
