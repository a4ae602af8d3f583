//! Circles among the files of a crate: files that cannot be understood, or tested, one after the other.

use std::collections::{BTreeMap, BTreeSet};

use crate::resolve::World;
use crate::source::Package;
use crate::table::Offence;

/// By file, the files that it names, each with the line and path of the first place.
type Edges = BTreeMap<String, BTreeMap<String, (usize, String)>>;

/// What one file names of others of its package.
fn edges(packages: &[Package], world: &World, package: usize) -> Edges {
    let mut edges = Edges::new();
    for (index, (of, tree)) in world.trees.iter().enumerate() {
        for reference in tree.references.iter().filter(|_| *of == package) {
            let from = world.file(index, reference.module);
            for (target, to) in world.files(index, reference) {
                if target == package && to != from {
                    let first = || (reference.line, reference.segments.join("::"));
                    edges.entry(from.into()).or_default().entry(to.into()).or_insert_with(first);
                }
            }
        }
    }
    debug_assert!(
        edges.keys().all(|file| packages[package].files.contains_key(file)),
        "trees are read from the package"
    );
    edges
}

/// Files that a package has for its unit tests alone: reached in one world and not in the other.
fn unit_tests(live: &World, whole: &World, package: usize) -> BTreeSet<String> {
    whole.reached(package).difference(&live.reached(package)).map(|file| (*file).to_string()).collect()
}

/// Circles of a world, each an offence at the first of its files with every edge inside.
pub(crate) fn circles(packages: &[Package], world: &World) -> Vec<Offence> {
    (0..packages.len()).flat_map(|package| describe(&edges(packages, world, package))).collect()
}

/// Circles that the inline unit tests close, files of unit tests left out: those that stand without tests are none of them.
pub(crate) fn circles_of_tests(packages: &[Package], live: &World, whole: &World) -> Vec<Offence> {
    let mut found = Vec::new();
    for package in 0..packages.len() {
        let left_out = unit_tests(live, whole, package);
        let mut all = edges(packages, whole, package);
        all.retain(|file, _| !left_out.contains(file));
        for to in all.values_mut() {
            to.retain(|file, _| !left_out.contains(file));
        }
        let known = components(&edges(packages, live, package));
        let known: BTreeSet<&Vec<String>> = known.iter().collect();
        let new: Vec<Vec<String>> = components(&all).into_iter().filter(|files| !known.contains(files)).collect();
        found.extend(new.iter().map(|files| offence(files, &all)));
    }
    found
}

fn describe(edges: &Edges) -> Vec<Offence> {
    components(edges).iter().map(|files| offence(files, edges)).collect()
}

fn offence(files: &[String], edges: &Edges) -> Offence {
    let mut inner = Vec::new();
    for from in files {
        for (to, (line, path)) in edges.get(from).into_iter().flatten().filter(|(to, _)| files.contains(*to)) {
            inner.push(format!("{from}:{line} -> {to} ({path})"));
        }
    }
    let note = format!("{} files:\n      {}", files.len(), inner.join("\n      "));
    let line = edges.get(&files[0]).and_then(|to| to.iter().find(|(to, _)| files.contains(*to)));
    Offence::new(&files[0], line.map_or(1, |(_, (line, _))| *line), note)
}

/// Strongly connected components of more than one file (Tarjan 1972), sorted.
fn components(edges: &Edges) -> Vec<Vec<String>> {
    let mut search =
        Search { edges, index: BTreeMap::new(), low: BTreeMap::new(), stack: Vec::new(), found: Vec::new() };
    for file in edges.keys() {
        if !search.index.contains_key(file.as_str()) {
            search.visit(file);
        }
    }
    search.found.sort();
    search.found
}

struct Search<'a> {
    edges: &'a Edges,
    index: BTreeMap<&'a str, usize>,
    low: BTreeMap<&'a str, usize>,
    stack: Vec<&'a str>,
    found: Vec<Vec<String>>,
}

impl<'a> Search<'a> {
    /// Recursion is as deep as a chain of files is long.
    fn visit(&mut self, file: &'a str) -> usize {
        let index = self.index.len();
        self.index.insert(file, index);
        self.stack.push(file);
        let mut low = index;
        for to in self.edges.get(file).into_iter().flat_map(BTreeMap::keys) {
            match self.index.get(to.as_str()) {
                None => low = low.min(self.visit(to)),
                Some(seen) if self.stack.contains(&to.as_str()) => low = low.min(*seen),
                Some(_) => {}
            }
        }
        self.low.insert(file, low);
        if low == index {
            let start = self.stack.iter().position(|one| *one == file).unwrap_or_default();
            let mut files: Vec<String> = self.stack.split_off(start).into_iter().map(String::from).collect();
            files.sort();
            if files.len() > 1 {
                self.found.push(files);
            }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::made::package;

    /// Files in circles, short.
    fn circles(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let packages = [package("made", files)];
        let world = World::read(&packages, false).unwrap();
        let short = |file: String| file.trim_start_matches("crates/made/src/").trim_end_matches(".rs").to_string();
        let found = components(&edges(&packages, &world, 0));
        found.into_iter().map(|files| files.into_iter().map(short).collect()).collect()
    }

    const LIB: (&str, &str) = ("src/lib.rs", "mod a; mod b; pub use a::A; pub use b::B;");

    #[test]
    fn re_exports_lead_to_the_defining_file() {
        assert!(circles(&[LIB, ("src/a.rs", "use crate::B; pub struct A;"), ("src/b.rs", "pub struct B;")]).is_empty());
        let both = [LIB, ("src/a.rs", "use crate::B; pub struct A;"), ("src/b.rs", "use crate::A; pub struct B;")];
        assert_eq!(circles(&both), [["a", "b"]]);
    }

    #[test]
    fn what_the_root_defines_closes_a_circle() {
        let lib = ("src/lib.rs", "mod a; pub use a::A; pub struct Error;");
        assert_eq!(circles(&[lib, ("src/a.rs", "use crate::Error; pub struct A;")]), [["a", "lib"]]);
        let lib = ("src/lib.rs", "mod a; pub struct Error;");
        assert!(circles(&[lib, ("src/a.rs", "use crate::Error; pub struct A;")]).is_empty(), "`mod` alone is no edge");
        let lib = ("src/lib.rs", "mod a; pub struct Error; fn f() { a::g() }");
        assert_eq!(circles(&[lib, ("src/a.rs", "fn g() -> super::Error {}")]), [["a", "lib"]]);
    }

    #[test]
    fn globs_chains_and_names_of_modules_are_followed() {
        let lib = ("src/lib.rs", "mod a; mod b; mod c; pub use c::*;");
        let c = ("src/c/mod.rs", "mod d; pub use d::Deep as Shallow; use crate::a::Hidden;");
        let d = ("src/c/d.rs", "pub struct Deep; fn f() { let x = crate::a::f(); }");
        let a = ("src/a.rs", "use crate::{b::{self, B}, Shallow}; pub fn f() {} pub struct Hidden;");
        let found = circles(&[lib, c, d, a, ("src/b.rs", "pub struct B;")]);
        assert_eq!(found, [["a", "c/d"]], "through a glob and a new name; c/mod.rs names a and is named by none");
        let through = ("src/b.rs", "pub struct B; fn f(x: u8) { vec![x, super::a::f()]; }");
        assert_eq!(circles(&[lib, c, d, a, through]), [["a", "b", "c/d"]], "in a macro");
    }

    #[test]
    fn tests_are_left_out() {
        let lib = ("src/lib.rs", "mod a; mod b;");
        let a = ("src/a.rs", "use crate::b::B; pub struct A; #[cfg(test)] mod tests;");
        let tests = ("src/a/tests.rs", "use super::*; use crate::b::B;");
        let b = ("src/b.rs", "pub struct B; #[cfg(test)] mod tests { use super::*; use crate::a::A; }");
        assert!(circles(&[lib, a, tests, b]).is_empty());
        let packages = [package("made", &[lib, a, tests, b])];
        let read = |tests| World::read(&packages, tests).unwrap();
        assert_eq!(circles_of_tests(&packages, &read(false), &read(true)).len(), 1);
        assert_eq!(unit_tests(&read(false), &read(true), 0).len(), 1);
    }

    #[test]
    fn restrictions_of_visibility_and_outside_names_are_no_edges() {
        let lib = ("src/lib.rs", "mod a; pub use a::A; pub use other::Thing; pub(crate) struct E;");
        assert!(
            circles(&[lib, ("src/a.rs", "pub(super) struct A; pub(in crate) fn f(t: crate::Thing) {}")]).is_empty()
        );
    }

    #[test]
    fn integration_tests_have_circles_of_their_own() {
        let test = ("tests/t.rs", "mod common; use common::f; fn g() {}");
        let common = ("tests/common/mod.rs", "use super::g; pub fn f() {}");
        let found = circles(&[LIB, ("src/a.rs", "pub struct A;"), ("src/b.rs", "pub struct B;"), test, common]);
        assert_eq!(found, [["crates/made/tests/common/mod", "crates/made/tests/t"]]);
    }
}
