//! From a path to the files that define what it names, through re-exports.

use std::collections::{BTreeMap, BTreeSet};

use crate::failure::Failure;
use crate::modules::{Entry, Reference, Tree};
use crate::source::Package;

/// What a path, or the beginning of one, leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found<'a> {
    /// A module of a tree.
    Module(usize, usize),
    /// Something in a file of a package.
    Item { package: usize, file: &'a str },
    /// What no crate here defines.
    Outside,
}

/// Every tree of every package, which know each other's libraries.
pub(crate) struct World {
    /// With the package of each.
    pub(crate) trees: Vec<(usize, Tree)>,
    libraries: BTreeMap<String, usize>,
}

/// Names that are being looked up, so that imports in a circle end.
type Pending = BTreeSet<(usize, usize, String)>;

impl World {
    /// Without what is compiled for tests alone unless `tests`.
    pub(crate) fn read(packages: &[Package], tests: bool) -> Result<Self, Failure> {
        let mut world = Self { trees: Vec::new(), libraries: BTreeMap::new() };
        for (index, package) in packages.iter().enumerate() {
            for root in &package.roots {
                if let Some(library) = package.library.as_ref().filter(|library| library.root == *root) {
                    world.libraries.insert(library.name.clone(), world.trees.len());
                }
                world.trees.push((index, Tree::read(package, root, tests)?));
            }
        }
        Ok(world)
    }

    /// The package and file of each thing that a reference of a tree may mean.
    pub(crate) fn files(&self, tree: usize, reference: &Reference) -> Vec<(usize, &str)> {
        let found = self.resolve(tree, reference.module, &reference.segments, &mut Pending::new());
        let mut files: Vec<(usize, &str)> = Vec::new();
        for one in found {
            let file = match one {
                Found::Module(tree, module) => (self.trees[tree].0, self.file(tree, module)),
                Found::Item { package, file } => (package, file),
                Found::Outside => continue,
            };
            if !files.contains(&file) {
                files.push(file);
            }
        }
        files
    }

    /// Paths of the files that any root of a package leads to.
    pub(crate) fn reached(&self, package: usize) -> BTreeSet<&str> {
        let trees = self.trees.iter().filter(|(of, _)| *of == package);
        trees.flat_map(|(_, tree)| tree.modules.iter().map(|module| module.file.as_str())).collect()
    }

    pub(crate) fn file(&self, tree: usize, module: usize) -> &str {
        &self.trees[tree].1.modules[module].file
    }

    /// The first segment is looked for where the path stands; crates come last, as names of modules hide them.
    fn resolve(&self, tree: usize, module: usize, segments: &[String], pending: &mut Pending) -> Vec<Found<'_>> {
        let Some((first, mut rest)) = segments.split_first() else { return vec![Found::Module(tree, module)] };
        let mut at = match first.as_str() {
            "" => return self.outside(rest, pending),
            "crate" => 0,
            "self" | "super" => module,
            name => {
                let starts = self.lookup(Spot { tree, module, viewer: Some(module) }, name, pending);
                if starts.is_empty() {
                    return self.outside(segments, pending);
                }
                return self.walk(starts, rest, (tree, module), pending);
            }
        };
        let mut supers = usize::from(first == "super");
        while let Some((_, more)) = rest.split_first().filter(|(name, _)| *name == "super") {
            supers += 1;
            rest = more;
        }
        for _ in 0..supers {
            at = self.trees[tree].1.modules[at].parent.unwrap_or(0);
        }
        self.walk(vec![Found::Module(tree, at)], rest, (tree, module), pending)
    }

    /// A path that begins with a crate.
    fn outside(&self, segments: &[String], pending: &mut Pending) -> Vec<Found<'_>> {
        let library = segments.split_first().and_then(|(name, rest)| Some((*self.libraries.get(name)?, rest)));
        library.map_or_else(
            || vec![Found::Outside],
            |(tree, rest)| self.walk(vec![Found::Module(tree, 0)], rest, (tree, 0), pending),
        )
    }

    /// The rest of a path, seen from a module of a tree. An item ends it: what follows belongs to the item.
    fn walk<'a>(
        &'a self,
        starts: Vec<Found<'a>>,
        rest: &[String],
        from: (usize, usize),
        pending: &mut Pending,
    ) -> Vec<Found<'a>> {
        let Some((name, rest)) = rest.split_first() else { return starts };
        let modules = starts.iter().filter_map(|found| match found {
            Found::Module(tree, module) => Some((*tree, *module)),
            Found::Item { .. } | Found::Outside => None,
        });
        let modules: Vec<(usize, usize)> = modules.collect();
        if modules.is_empty() {
            return starts;
        }
        let mut ends = Vec::new();
        for (tree, module) in modules {
            let viewer = (from.0 == tree).then_some(from.1);
            let next = self.lookup(Spot { tree, module, viewer }, name, pending);
            if next.is_empty() {
                // Written by a macro, or from a glob of another crate: the module is what is known.
                ends.push(Found::Item { package: self.trees[tree].0, file: self.file(tree, module) });
            } else {
                ends.extend(self.walk(next, rest, from, pending));
            }
        }
        ends
    }

    /// What a name is in a module. In a circle of imports only what the module itself holds counts.
    fn lookup(&self, at: Spot, name: &str, pending: &mut Pending) -> Vec<Found<'_>> {
        let Spot { tree, module, viewer } = at;
        let (package, of) = (self.trees[tree].0, &self.trees[tree].1);
        let key = (tree, module, name.to_string());
        let first = pending.insert(key.clone());
        let inside = viewer.is_some_and(|viewer| of.within(viewer, module));
        let mut found = Vec::new();
        for entry in of.modules[module].names.get(name).into_iter().flatten() {
            match &entry.entry {
                Entry::Module(child) => found.push(Found::Module(tree, *child)),
                Entry::Item => found.push(Found::Item { package, file: &of.modules[module].file }),
                Entry::Import(path) if first && (entry.public || inside) => {
                    found.extend(self.resolve(tree, module, path, pending));
                }
                Entry::Import(_) => {}
            }
        }
        for (path, public) in &of.modules[module].globs {
            if !found.is_empty() || !first || !(*public || inside) {
                continue;
            }
            for start in self.resolve(tree, module, path, pending) {
                let Found::Module(inner, from) = start else { continue };
                let viewer = (inner == tree).then_some(module);
                found.extend(self.glob(Spot { tree: inner, module: from, viewer }, name, pending));
            }
        }
        if first {
            pending.remove(&key);
        }
        found
    }

    /// What a glob brings: private names only into the module's own children.
    fn glob(&self, at: Spot, name: &str, pending: &mut Pending) -> Vec<Found<'_>> {
        let of = &self.trees[at.tree].1;
        let inside = at.viewer.is_some_and(|viewer| of.within(viewer, at.module));
        let names = of.modules[at.module].names.get(name);
        if !inside && names.is_some_and(|entries| !entries.iter().any(|entry| entry.public)) {
            return Vec::new();
        }
        self.lookup(at, name, pending)
    }
}

/// A module that is looked into, and the module of the same tree that looks.
#[derive(Clone, Copy)]
struct Spot {
    tree: usize,
    module: usize,
    viewer: Option<usize>,
}
