//! Rust below the syntax tree: what stands in macros, and files without their tests.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A path in a token stream: its segments and where it begins. `::a` begins with an empty segment.
pub(crate) struct TokenPath {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
}

/// Every path of a token stream at any depth, single names included. Macros are opaque to the syntax tree, yet what they name is
/// depended on all the same.
pub(crate) fn paths(tokens: TokenStream) -> Vec<TokenPath> {
    let mut found = Vec::new();
    collect_paths(tokens, &mut found);
    found
}

fn collect_paths(tokens: TokenStream, found: &mut Vec<TokenPath>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < trees.len() {
        match &trees[at] {
            TokenTree::Group(group) => collect_paths(group.stream(), found),
            TokenTree::Ident(first) => {
                let mut segments = vec![first.to_string()];
                // `.await`, fields and methods are no paths; `$crate` is `crate`.
                let member = at > 0 && is_punct(&trees[at - 1], '.') && !(at > 1 && is_punct(&trees[at - 2], '.'));
                if at >= 2 && is_separator(&trees, at - 2) {
                    segments.insert(0, String::new());
                }
                let line = first.span().start().line;
                while is_separator(&trees, at + 1) {
                    let Some(TokenTree::Ident(next)) = trees.get(at + 3) else { break };
                    segments.push(next.to_string());
                    at += 3;
                }
                if !member {
                    found.push(TokenPath { segments, line });
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// `::` at a place.
fn is_separator(trees: &[TokenTree], at: usize) -> bool {
    trees.get(at).is_some_and(|t| is_punct(t, ':')) && trees.get(at + 1).is_some_and(|t| is_punct(t, ':'))
}

pub(crate) fn is_punct(tree: &TokenTree, wanted: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

pub(crate) fn is_ident(tree: &TokenTree, wanted: &str) -> bool {
    matches!(tree, TokenTree::Ident(ident) if ident == wanted)
}

fn is_group(tree: &TokenTree, delimiter: Delimiter) -> bool {
    matches!(tree, TokenTree::Group(group) if group.delimiter() == delimiter)
}

/// The same file without what is compiled for tests alone. Spans stay.
pub(crate) fn without_tests(tokens: TokenStream) -> TokenStream {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let inner = |at: usize| is_punct(&trees[at], '#') && trees.get(at + 1).is_some_and(|t| is_punct(t, '!'));
    if (0..trees.len()).any(|at| inner(at) && trees.get(at + 2).is_some_and(is_test)) {
        return TokenStream::new();
    }
    let mut kept = Vec::new();
    let mut at = 0;
    while at < trees.len() {
        let mut end = at;
        let mut test = false;
        while is_punct_at(&trees, end, '#') && trees.get(end + 1).is_some_and(|t| is_group(t, Delimiter::Bracket)) {
            test |= is_test(&trees[end + 1]);
            end += 2;
        }
        if test {
            at = end_of_thing(&trees, end);
            continue;
        }
        let end = end.max(at + 1);
        kept.extend(trees[at..end].iter().map(|tree| match tree {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), without_tests(group.stream()));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            other => other.clone(),
        }));
        at = end;
    }
    kept.into_iter().collect()
}

fn is_punct_at(trees: &[TokenTree], at: usize, wanted: char) -> bool {
    trees.get(at).is_some_and(|tree| is_punct(tree, wanted))
}

/// Whether brackets hold `cfg(test)` or `cfg(all(test, ...))`; what `any` allows outside tests is no test.
fn is_test(tree: &TokenTree) -> bool {
    let TokenTree::Group(group) = tree else { return false };
    let trees: Vec<TokenTree> = group.stream().into_iter().collect();
    match trees.as_slice() {
        [name, TokenTree::Group(what)] if is_ident(name, "cfg") => needs_test(what.stream()),
        _ => false,
    }
}

fn needs_test(tokens: TokenStream) -> bool {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    trees.split(|tree| is_punct(tree, ',')).any(|part| match part {
        [name] => is_ident(name, "test"),
        [name, TokenTree::Group(of)] if is_ident(name, "all") => needs_test(of.stream()),
        _ => false,
    })
}

/// Where the item, statement, field or arm ends that begins here.
fn end_of_thing(trees: &[TokenTree], at: usize) -> usize {
    let mut start = at;
    if trees.get(start).is_some_and(|tree| is_ident(tree, "pub")) {
        start += 1;
        start += usize::from(trees.get(start).is_some_and(|tree| is_group(tree, Delimiter::Parenthesis)));
    }
    let word = |at: usize| match trees.get(at) {
        Some(TokenTree::Ident(ident)) => ident.to_string(),
        _ => String::new(),
    };
    let after = |wanted: &dyn Fn(&TokenTree) -> bool| {
        trees[start..].iter().position(wanted).map_or(trees.len(), |distance| start + distance + 1)
    };
    let semicolon = |tree: &TokenTree| is_punct(tree, ';');
    let block = |tree: &TokenTree| semicolon(tree) || is_group(tree, Delimiter::Brace);
    let function = |word: &str| matches!(word, "fn" | "unsafe" | "async" | "extern");
    match word(start).as_str() {
        "use" | "let" | "static" | "type" => after(&semicolon),
        "const" if !function(&word(start + 1)) => after(&semicolon),
        "extern" if word(start + 1) == "crate" => after(&semicolon),
        "mod" | "fn" | "struct" | "enum" | "union" | "impl" | "trait" | "async" | "unsafe" | "const" | "extern"
        | "macro_rules" | "while" | "for" | "loop" | "match" => after(&block),
        "if" => {
            let mut end = after(&block);
            while word(end) == "else" {
                let rest = trees[end..].iter().position(|tree| is_group(tree, Delimiter::Brace));
                end = rest.map_or(trees.len(), |distance| end + distance + 1);
            }
            end
        }
        _ => end_of_part(trees, start),
    }
}

/// Where a field, an arm or an expression ends.
fn end_of_part(trees: &[TokenTree], start: usize) -> usize {
    let mut angles = 0_i32;
    for (at, tree) in trees.iter().enumerate().skip(start) {
        let arrow = at > start && (is_punct(&trees[at - 1], '-') || is_punct(&trees[at - 1], '='));
        match tree {
            TokenTree::Punct(punct) => match punct.as_char() {
                ';' => return at + 1,
                ',' if angles <= 0 => return at + 1,
                '<' => angles += 1,
                '>' if !arrow => angles -= 1,
                _ => {}
            },
            TokenTree::Group(group)
                if group.delimiter() == Delimiter::Brace && arrow && is_punct(&trees[at - 1], '>') =>
            {
                return at + 1 + usize::from(is_punct_at(trees, at + 1, ','));
            }
            _ => {}
        }
    }
    trees.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(text: &str) -> String {
        without_tests(text.parse().unwrap()).to_string().replace(' ', "")
    }

    #[test]
    fn tests_go_and_all_else_stays() {
        assert_eq!(stripped("fn a() {} #[cfg(test)] mod tests { fn b() {} } fn c() {}"), "fna(){}fnc(){}");
        assert_eq!(stripped("#[cfg(test)] #[path = \"x.rs\"] mod tests; use a::b;"), "usea::b;");
        assert_eq!(stripped("#[cfg(test)] use a::{b, c}; const X: u8 = 1;"), "constX:u8=1;");
        assert_eq!(stripped("struct A { #[cfg(test)] pub(super) b: M<u8, u8>, c: u8 }"), "structA{c:u8}");
        assert_eq!(stripped("fn f() { #[cfg(test)] if x {} else if y {} else {} g(); }"), "fnf(){g();}");
        assert_eq!(stripped("fn f() { A { #[cfg(test)] b: d(1, 2), c } }"), "fnf(){A{c}}");
        assert_eq!(stripped("#[cfg(any(test, unix))] fn f() {}"), "#[cfg(any(test,unix))]fnf(){}");
        assert_eq!(stripped("#[cfg(not(test))] fn f() {}"), "#[cfg(not(test))]fnf(){}");
        assert_eq!(stripped("#[cfg(all(test, unix))] fn f() {} fn g() {}"), "fng(){}");
        assert_eq!(stripped("#![cfg(test)] fn f() {}"), "");
    }

    #[test]
    fn paths_in_macros_are_found() {
        let found = paths("(\"{}\", crate::a::b(x.y), { $crate::c }, ::d::E, 0..f::g)".parse().unwrap());
        let long: Vec<String> = found.iter().map(|p| p.segments.join("::")).filter(|p| p.contains("::")).collect();
        assert_eq!(long, ["crate::a::b", "crate::c", "::d::E", "f::g"]);
        assert!(!found.iter().any(|path| path.segments == ["y"]));
    }
}
