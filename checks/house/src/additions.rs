//! What one more of a kind touches: members are held to their own file and one list.

use std::collections::BTreeSet;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use serde::Deserialize;

use crate::failure::Failure;
use crate::resolve::World;
use crate::source::{Area, Package, read};
use crate::table::{Offence, Row};
use crate::tokens::{is_ident, is_punct, paths};

/// `checks/house.toml`, which documents itself.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kinds {
    #[serde(default)]
    kind: Vec<Kind>,
}

/// A kind of things with one list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    name: String,
    folder: String,
    list: String,
    #[serde(rename = "macro")]
    list_macro: Option<String>,
    allowed: usize,
    #[serde(default)]
    besides: Vec<String>,
}

impl Kinds {
    pub(crate) fn read(root: &Path) -> Result<Self, Failure> {
        let path = "checks/house.toml";
        Self::parse(&read(&root.join(path))?)
    }

    fn parse(text: &str) -> Result<Self, Failure> {
        toml::from_str(text).map_err(|error| Failure::Toml { path: "checks/house.toml".into(), error: Box::new(error) })
    }
}

/// An entry of a list.
struct Member {
    module: String,
    name: String,
    line: usize,
}

/// Where a member is named.
struct Mention<'a> {
    path: &'a str,
    line: usize,
    written: String,
}

/// Two rows per kind: how many files beside its own and the list name the median member, which is what one more member would touch, and whether
/// list and folder hold the same.
pub(crate) fn rows(packages: &[Package], world: &World, kinds: &Kinds) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for kind in &kinds.kind {
        let owner = packages.iter().position(|package| package.files.contains_key(&kind.list));
        let Some(owner) = owner else {
            return Err(Failure::NoList { kind: kind.name.clone(), list: kind.list.clone() });
        };
        rows.extend(of_kind(packages, world, kind, owner));
    }
    Ok(rows)
}

fn of_kind(packages: &[Package], world: &World, kind: &Kind, owner: usize) -> [Row; 2] {
    let package = &packages[owner];
    let modules = modules(package, kind);
    let members = package.files.get(&kind.list).map_or_else(Vec::new, |list| {
        let tokens = list.live_tokens.clone();
        members(kind.list_macro.as_deref().map_or(tokens.clone(), |name| within(tokens, name)), &modules)
    });
    let mut unlisted: Vec<Offence> = Vec::new();
    for module in modules.iter().filter(|module| !members.iter().any(|member| member.module == **module)) {
        unlisted.push(Offence::new(&kind.list, 1, format!("{}/{module} is not in the list", kind.folder)));
    }
    if members.is_empty() {
        unlisted.push(Offence::new(&kind.list, 1, format!("no {} is in the list", kind.name)));
    }
    let mut counts = Vec::new();
    let mut offences = Vec::new();
    for member in &members {
        let mentions = mentions(packages, world, kind, owner, member);
        counts.push(mentions.len());
        let note =
            |mention: &Mention<'_>| format!("{} (listed at line {}): {}", member.name, member.line, mention.written);
        offences.extend(mentions.iter().map(|mention| Offence::new(mention.path, mention.line, note(mention))));
    }
    counts.sort_unstable();
    let found = counts.get(counts.len() / 2).copied().unwrap_or(0);
    if found <= kind.allowed {
        // What others name for reasons of their own is no burden on one more.
        offences.clear();
    }
    let what = format!("further files for one more {} (median of {})", kind.name, members.len());
    let allowed = Some(kind.allowed);
    [Row { what, allowed, found, offences }, Row::bar(&format!("{}: list and folder differ", kind.name), 0, unlisted)]
}

/// Modules in the folder of a kind: `a.rs` and `b/mod.rs`.
fn modules(package: &Package, kind: &Kind) -> BTreeSet<String> {
    let inner = package.files.values().filter(|file| file.path != kind.list).filter_map(|file| {
        let inner = file.path.strip_prefix(&kind.folder)?.strip_prefix('/')?;
        inner.split_once('/').map_or_else(|| inner.strip_suffix(".rs"), |(module, _)| Some(module))
    });
    let helps = |name: &&str| ["mod", "tests"].contains(name) || kind.besides.iter().any(|own| own == name);
    inner.filter(|name| !helps(name)).map(String::from).collect()
}

/// What stands in `name! { ... }`.
fn within(tokens: TokenStream, name: &str) -> TokenStream {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut inside = TokenStream::new();
    for (at, tree) in trees.iter().enumerate() {
        let TokenTree::Group(group) = tree else { continue };
        let called = at >= 2 && is_punct(&trees[at - 1], '!') && is_ident(&trees[at - 2], name);
        inside.extend(if called { group.stream() } else { within(group.stream(), name) });
    }
    inside
}

/// `module::Type`, or `mod module: Type` and `in module: Type`, with a module of the folder, each once.
fn members(tokens: TokenStream, modules: &BTreeSet<String>) -> Vec<Member> {
    let mut found: Vec<Member> = Vec::new();
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    for four in trees.windows(4) {
        let [word, TokenTree::Ident(module), colon, TokenTree::Ident(name)] = four else { continue };
        let declares = (is_ident(word, "mod") || is_ident(word, "in")) && is_punct(colon, ':');
        if declares && modules.contains(&module.to_string()) {
            let line = module.span().start().line;
            found.push(Member { module: module.to_string(), name: name.to_string(), line });
        }
    }
    for path in paths(tokens) {
        for pair in path.segments.windows(2) {
            let [module, name] = pair else { continue };
            let known = found.iter().any(|member| member.module == *module && member.name == *name);
            if modules.contains(module) && name.starts_with(char::is_uppercase) && !known {
                found.push(Member { module: module.clone(), name: name.clone(), line: path.line });
            }
        }
    }
    found
}

/// Files beside its own and the list with the member's type as a segment of a path: anywhere in its crate (`Kind::Type` of an enum), and in others
/// where the path leads into its crate.
fn mentions<'a>(
    packages: &'a [Package],
    world: &'a World,
    kind: &Kind,
    owner: usize,
    member: &Member,
) -> Vec<Mention<'a>> {
    let own = |path: &str| {
        let inner = path.strip_prefix(&kind.folder).and_then(|rest| rest.strip_prefix('/'));
        inner.is_some_and(|rest| {
            rest == format!("{}.rs", member.module) || rest.starts_with(&format!("{}/", member.module))
        })
    };
    let mut found: Vec<Mention<'a>> = Vec::new();
    for (index, (package, tree)) in world.trees.iter().enumerate() {
        for reference in &tree.references {
            let path = world.file(index, reference.module);
            let source = packages[*package].files.get(path).is_some_and(|file| file.area == Area::Source);
            if !source || own(path) || path == kind.list || found.iter().any(|mention| mention.path == path) {
                continue;
            }
            let leads = world.files(index, reference);
            let inside = *package == owner || leads.iter().any(|(package, _)| *package == owner);
            if inside && reference.segments.contains(&member.name) {
                found.push(Mention { path, line: reference.line, written: reference.segments.join("::") });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::made::package;

    const KIND: &str = "[[kind]]\nname = \"thing\"\nfolder = \"crates/made/src/things\"\nlist = \"crates/made/src/things.rs\"\nallowed = 0\n";

    fn found(kind: &str, more: &[(&str, &str)]) -> Vec<(usize, usize)> {
        let mut files = vec![
            ("src/lib.rs", "mod things; mod user; pub use things::*;"),
            ("src/things.rs", "mod one; mod two; list! { one::One, two::Two } pub use two::Two;"),
            ("src/things/one.rs", "pub struct One; #[cfg(test)] mod tests { use super::super::two::Two; }"),
            ("src/things/two.rs", "pub struct Two;"),
        ];
        files.extend(more);
        let other = [("src/lib.rs", "use made::Two as Renamed; struct One; fn f() -> One {}")];
        let packages = [package("made", &files), package("other", &other)];
        let world = World::read(&packages, false).unwrap();
        let rows = rows(&packages, &world, &Kinds::parse(kind).unwrap()).unwrap();
        rows.iter().map(|row| (row.found, row.offences.len())).collect()
    }

    #[test]
    fn what_the_median_member_touches_is_counted() {
        let user = |text| [("src/user.rs", text)];
        assert_eq!(
            found(KIND, &user("fn f() {}")),
            [(1, 1), (0, 0)],
            "another crate's, by what it leads to; its own One is none"
        );
        assert_eq!(found(KIND, &user("fn f() { match x { Kind::Two => m!(Kind::One) } }")), [(2, 3), (0, 0)]);
        assert_eq!(found(KIND, &user("#[cfg(test)] mod tests { use crate::Two; }")), [(1, 1), (0, 0)]);
    }

    #[test]
    fn lists_that_declare_modules_are_read() {
        let kind = KIND.replace("allowed", "macro = \"list\"\nallowed");
        let list = ("src/things.rs", "list! { mod one: One; in one: Uno; mod two: Two; }");
        assert_eq!(found(&kind, &[("src/user.rs", ""), list]), [(0, 0), (0, 0)]);
    }

    #[test]
    fn the_unlisted_is_found() {
        let more = [("src/user.rs", ""), ("src/things/three.rs", "")];
        assert_eq!(found(KIND, &more)[1], (1, 1));
        assert_eq!(found(&format!("{KIND}besides = [\"three\"]"), &more)[1], (0, 0));
        assert!(Kinds::parse("[[kind]]\nname = \"x\"\nunknown = 1").is_err());
    }
}
