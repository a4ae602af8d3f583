//! Libraries whose first page shows no example that is compiled.

use crate::source::Package;
use crate::table::Offence;

/// Libraries for Rust whose `//!` lacks such a block.
pub(crate) fn without_example(packages: &[Package]) -> Vec<Offence> {
    let libraries = packages.iter().filter_map(|package| Some((package, package.library.as_ref()?)));
    let roots = libraries.filter(|(_, library)| library.for_rust).filter_map(|(p, library)| p.files.get(&library.root));
    let lacking = roots.filter(|file| !file.text.starts_with("//!") || !has_example(&docs(&file.whole)));
    lacking.map(|file| Offence::new(&file.path, 1, "")).collect()
}

/// The text of inner doc comments.
fn docs(file: &syn::File) -> String {
    let lines = file.attrs.iter().filter_map(|attribute| match &attribute.meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether a fenced block is one that rustdoc compiles, and runs.
fn has_example(docs: &str) -> bool {
    let compiled = |tag: &str| {
        ["", "rust", "should_panic", "standalone_crate", "test_harness"].contains(&tag) || tag.starts_with("edition")
    };
    let fences = docs.lines().filter_map(|line| line.trim().strip_prefix("```"));
    // Every second fence closes.
    fences.step_by(2).any(|info| info.split([',', ' ']).map(str::trim).all(compiled))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::made::package;

    #[test]
    fn only_a_compiled_block_counts() {
        let lacks = |text: &str| !without_example(&[package("made", &[("src/lib.rs", text)])]).is_empty();
        assert!(!lacks("//! Words.\n//!\n//! ```\n//! f();\n//! ```\n"));
        assert!(!lacks("//! ```text\n//! f();\n//! ```\n//! ```rust\n//! f();\n//! ```\n"));
        for tag in ["text", "ignore", "no_run", "rust,no_run", "sh"] {
            assert!(lacks(&format!("//! ```{tag}\n//! f();\n//! ```\n")), "{tag}");
        }
        assert!(lacks("//! Words.\n"));
        assert!(lacks("fn a() {}\n"));
        assert!(without_example(&[package("made", &[("src/main.rs", "fn main() {}")])]).is_empty(), "a program");
    }
}
