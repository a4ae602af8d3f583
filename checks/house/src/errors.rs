//! Errors that are only text: nobody can tell one from another, so whoever calls can but print them.

use std::collections::BTreeSet;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::functions::{self, Function, Reach};
use crate::source::Package;
use crate::table::Offence;

/// Functions that return `Result<_, String>`: those that others call, and the private ones.
pub(crate) fn of_text(packages: &[Package]) -> (Vec<Offence>, Vec<Offence>) {
    let (mut public, mut private) = (Vec::new(), Vec::new());
    for package in packages {
        let aliases = aliases(package);
        for file in package.files.values() {
            for function in functions::of(&file.whole) {
                if returns(&function, &aliases, is_string) {
                    let to = if function.reach == Reach::Private { &mut private } else { &mut public };
                    to.push(Offence::new(&file.path, function.line, function.name.as_str()));
                }
            }
        }
    }
    (public, private)
}

/// Functions whose error is a borrowed text or a box of anything: not asked for, and as little told apart.
pub(crate) fn of_other_text(packages: &[Package]) -> Vec<Offence> {
    let mut found = Vec::new();
    for file in packages.iter().flat_map(|package| package.files.values()) {
        let functions = functions::of(&file.whole).into_iter();
        let loose = functions.filter(|function| returns(function, &BTreeSet::new(), is_loose));
        found.extend(loose.map(|function| Offence::new(&file.path, function.line, function.name)));
    }
    found
}

/// Names of types that stand for `Result<_, String>`.
fn aliases(package: &Package) -> BTreeSet<String> {
    struct Aliases(BTreeSet<String>);
    impl<'ast> Visit<'ast> for Aliases {
        fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
            if holds_result(&item.ty, &BTreeSet::new(), &is_string) {
                self.0.insert(item.ident.to_string());
            }
        }
    }
    let mut found = Aliases(BTreeSet::new());
    for file in package.files.values() {
        found.visit_file(&file.whole);
    }
    found.0
}

fn returns(function: &Function, aliases: &BTreeSet<String>, wanted: fn(&syn::Type) -> bool) -> bool {
    let associated = |ty: &syn::Type| match ty {
        syn::Type::Path(of) => {
            let names: Vec<String> = of.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            let [own, name] = names.as_slice() else { return false };
            own == "Self" && function.associated.iter().any(|(of, ty)| of == name && wanted(ty))
        }
        _ => false,
    };
    let error = |ty: &syn::Type| wanted(ty) || associated(ty);
    function.output.as_ref().is_some_and(|output| holds_result(output, aliases, &error))
}

/// Whether a type is, or holds anywhere, a `Result` with such an error, or an alias of one.
fn holds_result(ty: &syn::Type, aliases: &BTreeSet<String>, error: &dyn Fn(&syn::Type) -> bool) -> bool {
    struct Results<'a> {
        aliases: &'a BTreeSet<String>,
        error: &'a dyn Fn(&syn::Type) -> bool,
        found: bool,
    }
    impl<'ast> Visit<'ast> for Results<'_> {
        fn visit_path(&mut self, path: &'ast syn::Path) {
            if let Some(last) = path.segments.last() {
                self.found |= self.aliases.contains(&last.ident.to_string());
                if let syn::PathArguments::AngleBracketed(arguments) = &last.arguments {
                    let second = arguments.args.iter().nth(1).filter(|_| last.ident == "Result");
                    self.found |= matches!(second, Some(syn::GenericArgument::Type(ty)) if (self.error)(ty));
                }
            }
            visit::visit_path(self, path);
        }
    }
    let mut results = Results { aliases, error, found: false };
    results.visit_type(ty);
    results.found
}

fn last_name(ty: &syn::Type) -> Option<String> {
    match ty {
        syn::Type::Path(of) => of.path.segments.last().map(|segment| segment.ident.to_string()),
        _ => None,
    }
}

fn is_string(ty: &syn::Type) -> bool {
    last_name(ty).is_some_and(|name| name == "String")
}

/// `&str`, `Cow<str>`, `Box<str>` and `Box<dyn Error>`.
fn is_loose(ty: &syn::Type) -> bool {
    match ty {
        syn::Type::Reference(of) => last_name(&of.elem).is_some_and(|name| name == "str"),
        other => last_name(other).is_some_and(|name| name == "Cow" || name == "Box"),
    }
}

/// Errors whose only content is a String that is printed as it is: a text in disguise.
pub(crate) fn disguised(packages: &[Package]) -> Vec<Offence> {
    let mut found = Vec::new();
    for file in packages.iter().flat_map(|package| package.files.values()) {
        let mut disguises = Disguises { found: Vec::new() };
        disguises.visit_file(&file.whole);
        found.extend(disguises.found.into_iter().map(|(line, name)| Offence::new(&file.path, line, name)));
    }
    found
}

struct Disguises {
    found: Vec<(usize, String)>,
}

impl<'ast> Visit<'ast> for Disguises {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if derives_error(&item.attrs) && is_text(&item.fields, &item.attrs) {
            self.found.push((item.ident.span().start().line, item.ident.to_string()));
        }
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        for variant in item.variants.iter().filter(|_| derives_error(&item.attrs)) {
            if is_text(&variant.fields, &variant.attrs) {
                self.found.push((variant.span().start().line, format!("{}::{}", item.ident, variant.ident)));
            }
        }
    }
}

fn derives_error(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("derive")).any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else { return false };
        crate::tokens::paths(list.tokens.clone())
            .iter()
            .any(|path| path.segments.last().is_some_and(|name| name == "Error"))
    })
}

/// One field, a String, and a message that is nothing else.
fn is_text(fields: &syn::Fields, attributes: &[syn::Attribute]) -> bool {
    let mut all = fields.iter();
    let (Some(field), None) = (all.next(), all.next()) else { return false };
    let name = field.ident.as_ref().map_or_else(|| "0".into(), ToString::to_string);
    let message = attributes.iter().filter(|attribute| attribute.path().is_ident("error"));
    let only = message.filter_map(|attribute| attribute.parse_args::<syn::LitStr>().ok());
    is_string(&field.ty) && only.into_iter().any(|text| text.value().trim() == format!("{{{name}}}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::made::package;

    fn names(offences: &[Offence]) -> Vec<&str> {
        offences.iter().map(|offence| offence.note.as_str()).collect()
    }

    #[test]
    fn text_as_an_error_is_found_under_any_name() {
        let text = "pub(crate) fn a() -> Result<u8, String> {} fn b() -> std::result::Result<(), std::string::String> {} \
            impl FromStr for X { type Err = String; fn c() -> Result<Self, Self::Err> {} } \
            type Loose<T> = Result<T, String>; pub fn d() -> Option<Loose<u8>> {} trait T { fn e(&self) -> Result<u8, String>; } \
            pub fn f() -> Result<String, Error> {} pub fn g() -> Result<Vec<String>, Error> {} \
            impl TryFrom<u8> for X { type Error = E; fn h() -> Result<Self, Self::Error> {} } \
            pub fn i() -> Result<u8, &'static str> {}";
        let packages = [package("made", &[("src/lib.rs", text)])];
        let (public, private) = of_text(&packages);
        assert_eq!(names(&public), ["a", "c", "d", "e"]);
        assert_eq!(names(&private), ["b"]);
        assert_eq!(names(&of_other_text(&packages)), ["i"]);
    }

    #[test]
    fn an_error_that_only_wraps_text_is_found() {
        let text = "#[derive(Debug, thiserror::Error)] enum E { #[error(\"{0}\")] A(String), #[error(\"bad: {0}\")] B(String), \
            #[error(\"{text}\")] C { text: String }, #[error(transparent)] D(Other), #[error(\"{0}\")] F(Other) } \
            #[derive(Debug, Error)] #[error(\"{0}\")] struct S(String); #[derive(Debug)] struct No(String);";
        assert_eq!(names(&disguised(&[package("made", &[("src/lib.rs", text)])])), ["E::A", "E::C", "S"]);
    }
}
