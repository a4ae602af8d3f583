//! The crates below `crates/` as they lie on disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proc_macro2::TokenStream;
use serde::Deserialize;

use crate::failure::Failure;
use crate::tokens::without_tests;

/// What a file is compiled into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Area {
    /// The library or program.
    Source,
    /// `tests/`, `examples/` and `benches/`.
    Beside,
}

/// A Rust file.
pub(crate) struct File {
    /// From the root, with slashes.
    pub(crate) path: String,
    pub(crate) area: Area,
    pub(crate) text: String,
    /// As it stands.
    pub(crate) whole: syn::File,
    /// Without `#[cfg(test)]`.
    pub(crate) live: syn::File,
    /// The same, below the syntax tree.
    pub(crate) live_tokens: TokenStream,
}

impl File {
    pub(crate) fn parse(path: String, area: Area, text: String) -> Result<Self, Failure> {
        let rust = |without_tests| {
            let path = path.clone();
            move |error| Failure::Rust { path, without_tests, error }
        };
        let tokens: TokenStream = text.parse().map_err(|error: proc_macro2::LexError| rust(false)(error.into()))?;
        let live_tokens = without_tests(tokens.clone());
        let whole = syn::parse2(tokens).map_err(rust(false))?;
        let live = syn::parse2(live_tokens.clone()).map_err(rust(true))?;
        Ok(Self { path, area, text, whole, live, live_tokens })
    }
}

/// A crate's library.
pub(crate) struct Library {
    /// As other crates write it.
    pub(crate) name: String,
    /// Path of its root.
    pub(crate) root: String,
    /// Whether Rust can depend on it; an extension module for Python is none of Rust's.
    pub(crate) for_rust: bool,
}

/// A package below `crates/`.
pub(crate) struct Package {
    /// From the root: `crates/stats`.
    pub(crate) folder: String,
    pub(crate) library: Option<Library>,
    /// By path.
    pub(crate) files: BTreeMap<String, File>,
    /// Paths of what cargo compiles: library, programs, tests, examples.
    pub(crate) roots: Vec<String>,
}

/// What is read of a manifest.
#[derive(Deserialize)]
struct Manifest {
    package: Named,
    #[serde(default)]
    lib: Target,
    #[serde(default)]
    bin: Vec<Target>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Default, Deserialize)]
struct Target {
    name: Option<String>,
    path: Option<String>,
    #[serde(default, rename = "crate-type")]
    crate_type: Vec<String>,
}

/// Every package in `crates/` of a workspace, by folder.
pub(crate) fn packages(root: &Path) -> Result<Vec<Package>, Failure> {
    let mut found = Vec::new();
    for folder in entries(&root.join("crates"))? {
        if folder.join("Cargo.toml").is_file() {
            found.push(package(root, &folder)?);
        }
    }
    Ok(found)
}

fn package(root: &Path, folder: &Path) -> Result<Package, Failure> {
    let path = folder.join("Cargo.toml");
    let manifest: Manifest = toml::from_str(&read(&path)?)
        .map_err(|error| Failure::Toml { path: relative(root, &path), error: Box::new(error) })?;
    let mut files = BTreeMap::new();
    for path in below(folder, "rs")? {
        let name = relative(root, &path);
        let inner = relative(folder, &path);
        let area = if ["tests/", "examples/", "benches/"].iter().any(|beside| inner.starts_with(beside)) {
            Area::Beside
        } else {
            Area::Source
        };
        files.insert(name.clone(), File::parse(name, area, read(&path)?)?);
    }
    Ok(assemble(relative(root, folder), manifest, files))
}

fn assemble(folder: String, manifest: Manifest, files: BTreeMap<String, File>) -> Package {
    let at = |path: &str| format!("{folder}/{path}");
    let root = at(manifest.lib.path.as_deref().unwrap_or("src/lib.rs"));
    let name = manifest.lib.name.unwrap_or_else(|| manifest.package.name.replace('-', "_"));
    let kinds = manifest.lib.crate_type;
    let for_rust = kinds.is_empty() || kinds.iter().any(|kind| ["lib", "rlib", "dylib"].contains(&kind.as_str()));
    let named: Vec<String> = manifest.bin.iter().filter_map(|bin| bin.path.as_deref()).map(at).collect();
    let roots =
        files.keys().filter(|path| **path == root || named.contains(path) || is_root(&path[folder.len() + 1..]));
    let roots = roots.cloned().collect();
    let library = files.contains_key(&root).then_some(Library { name, root, for_rust });
    Package { folder, library, files, roots }
}

/// Whether cargo finds a target at a path of a package.
fn is_root(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    matches!(
        parts.as_slice(),
        ["src", "main.rs"]
            | ["build.rs"]
            | ["src", "bin", _]
            | ["src", "bin", _, "main.rs"]
            | ["tests" | "examples" | "benches", _]
            | ["tests" | "examples" | "benches", _, "main.rs"]
    )
}

/// Entries of a folder by name.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error| Failure::Read { path: folder.into(), error };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// Files with an extension anywhere below a folder; what is built or hidden is left out.
pub(crate) fn below(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in entries(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            found.extend(below(&path, extension)?);
        } else if path.is_file() && path.extension().is_some_and(|of| of == extension) {
            found.push(path);
        }
    }
    Ok(found)
}

pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::Read { path: path.into(), error })
}

/// A path from a folder, with slashes.
pub(crate) fn relative(folder: &Path, path: &Path) -> String {
    let inner = path.strip_prefix(folder).unwrap_or(path);
    inner.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Made-up packages for tests.
#[cfg(test)]
pub(crate) mod made {
    use super::*;

    /// A package `crates/NAME`, its files by path from there.
    pub(crate) fn package(name: &str, files: &[(&str, &str)]) -> Package {
        let file = |(path, text): &(&str, &str)| {
            let area = if path.starts_with("src/") { Area::Source } else { Area::Beside };
            let path = format!("crates/{name}/{path}");
            (path.clone(), File::parse(path, area, (*text).into()).unwrap())
        };
        let manifest = toml::from_str(&format!("[package]\nname = \"{name}\"")).unwrap();
        assemble(format!("crates/{name}"), manifest, files.iter().map(file).collect())
    }
}
