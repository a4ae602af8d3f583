//! Modules of a crate, the names in them, and every path that is written in them.
//!
//! What the compiler knows is followed as far as sources show it: names that macros write are unknown, methods and fields are no
//! paths. Namespaces are not kept apart: a name that is both module and function is both.

use std::collections::BTreeMap;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::failure::Failure;
use crate::source::Package;
use crate::tokens::paths;

/// Where a name of a module leads.
pub(crate) enum Entry {
    /// A module of this tree.
    Module(usize),
    /// Something that the module's file defines.
    Item,
    /// What another path leads to.
    Import(Vec<String>),
}

/// A name in a module.
pub(crate) struct Name {
    pub(crate) entry: Entry,
    /// Whether anything but the module and its children sees it.
    pub(crate) public: bool,
}

/// A module, in a file of its own or not.
pub(crate) struct Module {
    /// Path of its file.
    pub(crate) file: String,
    pub(crate) parent: Option<usize>,
    pub(crate) names: BTreeMap<String, Vec<Name>>,
    /// What is imported whole, and whether that is public.
    pub(crate) globs: Vec<(Vec<String>, bool)>,
}

/// A path somewhere in a file.
pub(crate) struct Reference {
    /// In which module it stands.
    pub(crate) module: usize,
    pub(crate) line: usize,
    /// `::a` begins with an empty segment.
    pub(crate) segments: Vec<String>,
}

/// What is compiled from one root.
pub(crate) struct Tree {
    /// The root is the first.
    pub(crate) modules: Vec<Module>,
    pub(crate) references: Vec<Reference>,
}

impl Tree {
    /// From a root's path, without what is compiled for tests alone unless `tests`.
    pub(crate) fn read(package: &Package, root: &str, tests: bool) -> Result<Self, Failure> {
        let mut reader = Reader { package, tests, tree: Self { modules: Vec::new(), references: Vec::new() } };
        let at = Place { file: root, folder: folder_of(root).into(), beside: folder_of(root).into() };
        reader.module(None, at, reader.items(root))?;
        Ok(reader.tree)
    }

    /// Whether a module is another or lies in it.
    pub(crate) fn within(&self, module: usize, outer: usize) -> bool {
        module == outer || self.modules[module].parent.is_some_and(|parent| self.within(parent, outer))
    }
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Where the items of a module stand.
struct Place<'a> {
    file: &'a str,
    /// Of the files of its child modules.
    folder: String,
    /// What `#[path]` starts from.
    beside: String,
}

struct Reader<'a> {
    package: &'a Package,
    tests: bool,
    tree: Tree,
}

impl<'a> Reader<'a> {
    fn items(&self, file: &str) -> &'a [syn::Item] {
        let Some(file) = self.package.files.get(file) else { return &[] };
        if self.tests { &file.whole.items } else { &file.live.items }
    }

    fn module(&mut self, parent: Option<usize>, at: Place<'_>, items: &'a [syn::Item]) -> Result<usize, Failure> {
        let module = self.tree.modules.len();
        let (names, globs) = (BTreeMap::new(), Vec::new());
        self.tree.modules.push(Module { file: at.file.into(), parent, names, globs });
        for item in items {
            match item {
                syn::Item::Mod(inner) => {
                    let child = self.child(module, &at, inner)?;
                    self.name(module, inner.ident.to_string(), Entry::Module(child), &inner.vis);
                }
                syn::Item::Use(import) => self.import(module, import),
                other => {
                    if let Some((name, visibility)) = defined(other) {
                        self.name(module, name, Entry::Item, visibility);
                    }
                    Paths { module, references: &mut self.tree.references }.visit_item(other);
                }
            }
        }
        Ok(module)
    }

    fn child(&mut self, parent: usize, at: &Place<'_>, inner: &'a syn::ItemMod) -> Result<usize, Failure> {
        let name = inner.ident.to_string();
        let folder = format!("{}/{name}", at.folder);
        if let Some((_, items)) = &inner.content {
            let place = Place { file: at.file, folder: folder.clone(), beside: folder };
            return self.module(Some(parent), place, items);
        }
        let given = inner.attrs.iter().find_map(path_attribute);
        let candidates = match &given {
            Some(path) => vec![format!("{}/{path}", at.beside)],
            None => vec![format!("{folder}.rs"), format!("{folder}/mod.rs")],
        };
        let Some(file) = candidates.iter().find(|path| self.package.files.contains_key(*path)) else {
            let line = inner.span().start().line;
            return Err(Failure::NoModule { path: at.file.into(), line, name });
        };
        let beside = folder_of(file).to_string();
        let place = Place { file, folder: if given.is_some() { beside.clone() } else { folder }, beside };
        self.module(Some(parent), place, self.items(file))
    }

    fn name(&mut self, module: usize, name: String, entry: Entry, visibility: &syn::Visibility) {
        let public = !matches!(visibility, syn::Visibility::Inherited);
        self.tree.modules[module].names.entry(name).or_default().push(Name { entry, public });
    }

    fn import(&mut self, module: usize, import: &syn::ItemUse) {
        let public = !matches!(import.vis, syn::Visibility::Inherited);
        for leaf in leaves(import) {
            let of = &mut self.tree.modules[module];
            match leaf.name {
                Leaf::Glob => of.globs.push((leaf.segments.clone(), public)),
                Leaf::Unnamed => {}
                Leaf::Named(name) => {
                    let entry = Entry::Import(leaf.segments.clone());
                    of.names.entry(name).or_default().push(Name { entry, public });
                }
            }
            self.tree.references.push(Reference { module, line: leaf.line, segments: leaf.segments });
        }
    }
}

/// The file that `#[path = "..."]` names.
fn path_attribute(attribute: &syn::Attribute) -> Option<String> {
    let syn::Meta::NameValue(pair) = &attribute.meta else { return None };
    match &pair.value {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(path), .. }) if pair.path.is_ident("path") => {
            Some(path.value())
        }
        _ => None,
    }
}

/// The name that an item gives to its module.
fn defined(item: &syn::Item) -> Option<(String, &syn::Visibility)> {
    const PRIVATE: &syn::Visibility = &syn::Visibility::Inherited;
    let (ident, visibility) = match item {
        syn::Item::Const(item) => (&item.ident, &item.vis),
        syn::Item::Enum(item) => (&item.ident, &item.vis),
        syn::Item::Fn(item) => (&item.sig.ident, &item.vis),
        syn::Item::Macro(item) => (item.ident.as_ref()?, PRIVATE),
        syn::Item::Static(item) => (&item.ident, &item.vis),
        syn::Item::Struct(item) => (&item.ident, &item.vis),
        syn::Item::Trait(item) => (&item.ident, &item.vis),
        syn::Item::TraitAlias(item) => (&item.ident, &item.vis),
        syn::Item::Type(item) => (&item.ident, &item.vis),
        syn::Item::Union(item) => (&item.ident, &item.vis),
        _ => return None,
    };
    Some((ident.to_string(), visibility))
}

/// What one leaf of a `use` is called where it stands.
enum Leaf {
    Named(String),
    Unnamed,
    Glob,
}

/// One path of a `use`.
struct Imported {
    segments: Vec<String>,
    name: Leaf,
    line: usize,
}

fn leaves(import: &syn::ItemUse) -> Vec<Imported> {
    let mut found = Vec::new();
    let start = if import.leading_colon.is_some() { vec![String::new()] } else { Vec::new() };
    collect_leaves(&import.tree, start, &mut found);
    found
}

fn collect_leaves(tree: &syn::UseTree, mut before: Vec<String>, found: &mut Vec<Imported>) {
    let line = tree.span().start().line;
    match tree {
        syn::UseTree::Path(path) => {
            before.push(path.ident.to_string());
            collect_leaves(&path.tree, before, found);
        }
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                collect_leaves(tree, before.clone(), found);
            }
        }
        syn::UseTree::Glob(_) => found.push(Imported { segments: before, name: Leaf::Glob, line }),
        syn::UseTree::Name(name) => {
            if name.ident != "self" || before.is_empty() {
                before.push(name.ident.to_string());
            }
            let name = before.last().cloned().map_or(Leaf::Unnamed, Leaf::Named);
            found.push(Imported { segments: before, name, line });
        }
        syn::UseTree::Rename(rename) => {
            if rename.ident != "self" || before.is_empty() {
                before.push(rename.ident.to_string());
            }
            let name = if rename.rename == "_" { Leaf::Unnamed } else { Leaf::Named(rename.rename.to_string()) };
            found.push(Imported { segments: before, name, line });
        }
    }
}

/// Collects the paths of an item.
struct Paths<'a> {
    module: usize,
    references: &'a mut Vec<Reference>,
}

impl Paths<'_> {
    /// Single names in lower case are mostly variables, and what they import stands in a `use` anyway.
    fn add(&mut self, segments: Vec<String>, line: usize) {
        if segments.len() > 1 || segments.iter().any(|name| name.starts_with(char::is_uppercase)) {
            self.references.push(Reference { module: self.module, line, segments });
        }
    }
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        let leading = path.leading_colon.map(|_| String::new());
        let segments = leading.into_iter().chain(path.segments.iter().map(|segment| segment.ident.to_string()));
        self.add(segments.collect(), path.span().start().line);
        visit::visit_path(self, path);
    }

    /// A `use` within a function.
    fn visit_item_use(&mut self, import: &'ast syn::ItemUse) {
        for leaf in leaves(import) {
            self.references.push(Reference { module: self.module, line: leaf.line, segments: leaf.segments });
        }
    }

    fn visit_macro(&mut self, of: &'ast syn::Macro) {
        self.visit_path(&of.path);
        for path in paths(of.tokens.clone()) {
            self.add(path.segments, path.line);
        }
    }

    fn visit_meta_list(&mut self, list: &'ast syn::MetaList) {
        for path in paths(list.tokens.clone()) {
            self.add(path.segments, path.line);
        }
    }

    /// `pub(in a::b)` and `pub(super)` depend on nothing.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}
}
