//! What is told beside the bars: signs of where to look, not of what is wrong.

use syn::visit::{self, Visit};

use crate::functions;
use crate::source::{Area, File, Package};
use crate::table::{Offence, Row};

/// Bytes above which a file is named.
const LARGE: usize = 25_000;
/// Elements of a tuple above which a type should have names.
const TUPLE: usize = 3;

pub(crate) fn rows(packages: &[Package]) -> Vec<Row> {
    let all: Vec<&File> = packages.iter().flat_map(|package| package.files.values()).collect();
    let source: Vec<&File> = all.iter().copied().filter(|file| file.area == Area::Source).collect();
    let mut sizes: Vec<usize> = source.iter().map(|file| file.text.len()).collect();
    sizes.sort_unstable();
    let largest = source.iter().max_by_key(|file| file.text.len());
    let largest = largest.map(|file| Offence::new(&file.path, 1, format!("{} bytes", file.text.len())));
    let large = all.iter().filter(|file| file.text.len() > LARGE);
    let large: Vec<Offence> =
        large.map(|file| Offence::new(&file.path, 1, format!("{} bytes", file.text.len()))).collect();
    let (mut tuples, mut bools) = (Vec::new(), Vec::new());
    for file in &all {
        for function in functions::of(&file.whole) {
            if function.output.as_ref().is_some_and(holds_long_tuple) {
                tuples.push(Offence::new(&file.path, function.line, function.name.as_str()));
            }
            bools.extend((0..function.bools).map(|_| Offence::new(&file.path, function.line, function.name.as_str())));
        }
    }
    vec![
        Row::figure("Rust files", all.len(), Vec::new()),
        Row::figure("source files (no tests/, examples/)", source.len(), Vec::new()),
        Row::figure("median source file, bytes", sizes.get(sizes.len() / 2).copied().unwrap_or(0), Vec::new()),
        Row::figure("largest source file, bytes", sizes.last().copied().unwrap_or(0), largest.into_iter().collect()),
        Row::figure("files above 25 kB", large.len(), large),
        Row::figure("functions returning tuples of more than 3", tuples.len(), tuples),
        Row::figure("bool parameters", bools.len(), bools),
    ]
}

/// Whether a type is, or holds anywhere, a tuple of more than [`TUPLE`].
fn holds_long_tuple(ty: &syn::Type) -> bool {
    struct Tuples(bool);
    impl<'ast> Visit<'ast> for Tuples {
        fn visit_type_tuple(&mut self, tuple: &'ast syn::TypeTuple) {
            self.0 |= tuple.elems.len() > TUPLE;
            visit::visit_type_tuple(self, tuple);
        }
    }
    let mut tuples = Tuples(false);
    tuples.visit_type(ty);
    tuples.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::made::package;

    #[test]
    fn tuples_and_bools_are_counted() {
        let text = "fn a() -> Option<(u8, u8, u8, u8)> {} fn b() -> (u8, u8, u8) {} fn c(x: bool, y: bool) {}";
        let rows = rows(&[package("made", &[("src/lib.rs", text)])]);
        assert_eq!(rows.iter().map(|row| row.found).collect::<Vec<_>>(), [1, 1, text.len(), text.len(), 0, 1, 2]);
    }
}
