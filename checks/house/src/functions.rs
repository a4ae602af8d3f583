//! Every function of a file, and those that are too long or ask for too much.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::source::{File, Package};
use crate::table::Offence;
use crate::tokens::{is_ident, is_punct};

/// Lines from `fn` to the closing brace.
pub(crate) const LINES: usize = 80;
/// Parameters, `self` among them.
pub(crate) const PARAMETERS: usize = 6;

/// Who can call a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// `pub` of any kind.
    Public,
    /// Of a trait, where it is defined or implemented.
    Trait,
    Private,
}

/// A function, method or nested function.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) lines: usize,
    pub(crate) parameters: usize,
    /// Parameters that are a plain bool.
    pub(crate) bools: usize,
    pub(crate) reach: Reach,
    /// What it returns; unknown of functions that stand in a macro.
    pub(crate) output: Option<syn::Type>,
    /// Types of the implementation that it stands in: `type Err = ...`.
    pub(crate) associated: Vec<(String, syn::Type)>,
}

/// Functions of a file, macros' included, by line.
pub(crate) fn of(file: &syn::File) -> Vec<Function> {
    let mut collector = Collector { found: Vec::new() };
    collector.visit_file(file);
    collector.found.sort_by_key(|function| function.line);
    collector.found
}

struct Collector {
    found: Vec<Function>,
}

impl Collector {
    fn add(&mut self, signature: &syn::Signature, block: Option<&syn::Block>, reach: Reach, within: &[syn::ImplItem]) {
        let line = signature.fn_token.span.start().line;
        let end = block.map_or_else(|| signature.span().end().line, |block| block.brace_token.span.close().end().line);
        let bool_like = |input: &&syn::FnArg| matches!(input, syn::FnArg::Typed(typed) if matches!(&*typed.ty, syn::Type::Path(of) if of.path.is_ident("bool")));
        let associated = within.iter().filter_map(|item| match item {
            syn::ImplItem::Type(item) => Some((item.ident.to_string(), item.ty.clone())),
            _ => None,
        });
        self.found.push(Function {
            name: signature.ident.to_string(),
            line,
            lines: end + 1 - line,
            parameters: signature.inputs.len(),
            bools: signature.inputs.iter().filter(bool_like).count(),
            reach,
            output: match &signature.output {
                syn::ReturnType::Default => None,
                syn::ReturnType::Type(_, output) => Some((**output).clone()),
            },
            associated: associated.collect(),
        });
    }
}

fn reach(visibility: &syn::Visibility) -> Reach {
    if matches!(visibility, syn::Visibility::Inherited) { Reach::Private } else { Reach::Public }
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.add(&item.sig, Some(&item.block), reach(&item.vis), &[]);
        visit::visit_item_fn(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        for inner in &item.items {
            if let syn::ImplItem::Fn(method) = inner {
                let reach = if item.trait_.is_some() { Reach::Trait } else { reach(&method.vis) };
                self.add(&method.sig, Some(&method.block), reach, &item.items);
            }
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.add(&item.sig, item.default.as_ref(), Reach::Trait, &[]);
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_macro(&mut self, of: &'ast syn::Macro) {
        in_macro(of.tokens.clone(), &mut self.found);
    }
}

/// Functions in a macro, `proptest!` say: the shape alone is read, as only the macro knows what is a type in there.
fn in_macro(tokens: TokenStream, found: &mut Vec<Function>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, tree) in trees.iter().enumerate() {
        if let TokenTree::Group(group) = tree {
            in_macro(group.stream(), found);
        }
        let Some(TokenTree::Ident(name)) = trees.get(at + 1).filter(|_| is_ident(tree, "fn")) else { continue };
        let group = |delimiter: Delimiter| {
            trees[at..].iter().find_map(|tree| match tree {
                TokenTree::Group(group) if group.delimiter() == delimiter => Some(group),
                _ => None,
            })
        };
        let (Some(inputs), Some(block)) = (group(Delimiter::Parenthesis), group(Delimiter::Brace)) else { continue };
        let line = tree.span().start().line;
        found.push(Function {
            name: name.to_string(),
            line,
            lines: block.span_close().end().line + 1 - line,
            parameters: parts(inputs.stream()),
            bools: 0,
            reach: Reach::Private,
            output: None,
            associated: Vec::new(),
        });
    }
}

/// Parts between commas that stand in no angle brackets.
fn parts(tokens: TokenStream) -> usize {
    let (mut count, mut open, mut angles) = (0, false, 0_i32);
    for tree in tokens {
        if is_punct(&tree, ',') && angles <= 0 {
            open = false;
            continue;
        }
        angles += i32::from(is_punct(&tree, '<')) - i32::from(is_punct(&tree, '>'));
        count += usize::from(!open);
        open = true;
    }
    count
}

/// Functions above a bar, all packages but one; the kernels, written for registers, may be long.
fn above(packages: &[Package], measure: impl Fn(&Function) -> Option<String>) -> Vec<Offence> {
    let files = packages.iter().filter(|package| package.folder != "crates/kernel").flat_map(|p| p.files.values());
    let check = |file: &File| -> Vec<Offence> {
        let offence = |function: Function| Some(Offence::new(&file.path, function.line, measure(&function)?));
        of(&file.whole).into_iter().filter_map(offence).collect()
    };
    files.flat_map(check).collect()
}

/// Functions of more than [`LINES`] lines.
pub(crate) fn too_long(packages: &[Package]) -> Vec<Offence> {
    above(packages, |function| {
        (function.lines > LINES).then(|| format!("{} ({} lines)", function.name, function.lines))
    })
}

/// Functions of more than [`PARAMETERS`] parameters.
pub(crate) fn too_many_parameters(packages: &[Package]) -> Vec<Offence> {
    let note = |of: &Function| format!("{} ({} parameters)", of.name, of.parameters);
    above(packages, |function| (function.parameters > PARAMETERS).then(|| note(function)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::made::package;

    #[test]
    fn long_functions_are_found_wherever_they_stand() {
        let lines = |count: usize| "\n".repeat(count - 1);
        let (fits, not) = (lines(80), lines(81));
        let text = format!("fn a() {{{fits}}} impl X {{ fn b(&self) {{{not}}} }} fn c() {{ fn d() {{{not}}} }}");
        let found = too_long(&[package("made", &[("src/lib.rs", &text)])]);
        assert_eq!(
            found.iter().map(|f| f.note.as_str()).collect::<Vec<_>>(),
            ["b (81 lines)", "c (81 lines)", "d (81 lines)"]
        );
        assert!(too_long(&[package("kernel", &[("src/lib.rs", &text)])]).is_empty());
        let inside = format!("proptest! {{ #[test] fn e(x in 0..3) {{{not}}} }}");
        assert_eq!(too_long(&[package("made", &[("tests/t.rs", &inside)])]).len(), 1);
    }

    #[test]
    fn parameters_count_with_self() {
        let text = "fn a(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8) {} \
                    impl X { fn b(&self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8) {} } \
                    trait T { fn c(&self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8); } \
                    m! { fn d(a: M<u8, u8>, b: u8, c: u8, d: u8, e: u8, f: u8,) {} fn e(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8) {} }";
        let found = too_many_parameters(&[package("made", &[("examples/e.rs", text)])]);
        assert_eq!(found.iter().map(|f| &f.note[..1]).collect::<Vec<_>>(), ["b", "c", "e"]);
    }

    #[test]
    fn bools_and_reach_are_told() {
        let text =
            "pub(crate) fn a(x: bool, y: Option<bool>, z: bool) {} impl T for X { fn b() {} } impl X { fn c() {} }";
        let found = of(&syn::parse_str(text).unwrap());
        assert_eq!(found.iter().map(|f| f.bools).collect::<Vec<_>>(), [2, 0, 0]);
        assert_eq!(found.iter().map(|f| f.reach).collect::<Vec<_>>(), [Reach::Public, Reach::Trait, Reach::Private]);
    }
}
