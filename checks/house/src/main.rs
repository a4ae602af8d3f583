//! Counts what keeps the workspace easy to change, and fails above a bar.
//!
//! `bash checks/house.sh [--figures] [ROOT]` prints a table (what, allowed, found), then every place as `path:line`, and exits with 1
//! where more is found than allowed, with 2 where nothing could be counted. All crates below `crates/` are read, tests and examples
//! included, as syntax: no comment or string counts as code.
//!
//! - **Circles of files** ([`graph`]): groups of files of one crate of which each names each, directly or through others. `use`,
//!   `pub use` and paths within code count, in macros too; a path means the file that defines what it names, however often it is
//!   re-exported, so that `lib.rs` is named only for what it defines itself. `mod x;` alone names nothing, and what is compiled for tests
//!   alone counts nowhere; circles that only inline tests close are told without a bar.
//! - **Long functions, many parameters** ([`functions`]): more than 80 lines from `fn` to the closing brace, more than 6 parameters with
//!   `self`; closures are no functions, and the kernels are free.
//! - **Errors that are text** ([`errors`]): functions returning `Result<_, String>` by any name, those that others call and private ones;
//!   and errors whose whole content is a String that is printed as it is.
//! - **Files that spell the attack of headlines** ([`headline`]): sources outside `crates/attack`, pages and Python, without tests.
//! - **Citations** ([`citations`]), in all tracked text: names of documents that are not in the repository; and pages of the book, headings
//!   and relative links that do not exist.
//! - **Files that are made, renamed or removed outside `crates/disk`** ([`writes`]), where the one writer is; without tests and examples.
//! - **Libraries without an example** ([`docs`]) in their `//!` that is compiled and run.
//! - **Additions** ([`additions`]): for each kind of `checks/house.toml`, how many files name a member beside its own and the list.
//!
//! Figures without a bar follow ([`figures`]); `--figures` lists their places as well.

mod additions;
mod citations;
mod docs;
mod errors;
mod failure;
mod figures;
mod functions;
mod graph;
mod headline;
mod markdown;
mod modules;
mod resolve;
mod source;
mod table;
mod tokens;
mod writes;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::citations::Tracked;
use crate::failure::Failure;
use crate::resolve::World;
use crate::table::Row;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(failure) => {
            // Nothing is left to say it with if this fails.
            let _ = writeln!(std::io::stderr(), "house: {failure}");
            ExitCode::from(2)
        }
    }
}

/// Whether every bar holds.
fn run() -> Result<bool, Failure> {
    let (mut figures, mut root) = (false, PathBuf::from("."));
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--figures" => figures = true,
            flag if flag.starts_with('-') => return Err(Failure::Argument(argument)),
            path => root = path.into(),
        }
    }
    let rows = measure(&root)?;
    table::print(&mut std::io::stdout().lock(), &rows, figures)?;
    Ok(!rows.iter().any(Row::exceeds))
}

fn measure(root: &Path) -> Result<Vec<Row>, Failure> {
    let packages = source::packages(root)?;
    let live = World::read(&packages, false)?;
    let whole = World::read(&packages, true)?;
    let tracked = Tracked::read(root)?;
    let (public, private) = errors::of_text(&packages);
    let spelled = headline::spelled(root, &packages, &live)?;
    let mut rows = vec![
        Row::bar("circles of files", 0, graph::circles(&packages, &live)),
        Row::bar("functions above 80 lines", 0, functions::too_long(&packages)),
        Row::bar("functions of more than 6 parameters", 0, functions::too_many_parameters(&packages)),
        Row::bar("public Result<_, String>", 0, public),
        Row::bar("private Result<_, String>", 0, private),
        Row::bar("errors that only hold a String", 0, errors::disguised(&packages)),
        Row {
            what: "files that spell the attack of headlines".into(),
            allowed: Some(1),
            found: headline::files(&spelled),
            offences: spelled,
        },
        Row::bar("citations outside the repository", 0, citations::outside(&tracked)),
        Row::bar("dead citations and links", 0, citations::dead(&tracked)),
        Row::bar("files written outside crates/disk", 0, writes::elsewhere(&packages, &live)),
        Row::bar("libraries without a compiled example", 0, docs::without_example(&packages)),
    ];
    rows.extend(additions::rows(&packages, &live, &additions::Kinds::read(root)?)?);
    let of_tests = graph::circles_of_tests(&packages, &live, &whole);
    rows.push(Row::figure("circles that inline tests close or widen", of_tests.len(), of_tests));
    let loose = errors::of_other_text(&packages);
    rows.push(Row::figure("Result<_, &str> or of a box", loose.len(), loose));
    rows.extend(figures::rows(&packages));
    Ok(rows)
}
