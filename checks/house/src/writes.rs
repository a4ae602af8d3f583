//! Files that are made, renamed or removed outside `crates/disk`, past the writer whose every step is on the disk before the next.

use crate::resolve::World;
use crate::source::{Area, Package};
use crate::table::Offence;
use crate::tokens::paths;

/// The crate that may.
const WRITER: &str = "crates/disk";
/// Where files are opened to be read, with flags.
const READER: &str = "crates/data/src/files.rs";
/// Ends of paths of functions that change a folder. Files without a name are nobody's.
const CHANGES: [[&str; 2]; 16] = [
    ["fs", "write"],
    ["fs", "copy"],
    ["fs", "rename"],
    ["fs", "hard_link"],
    ["fs", "create_dir"],
    ["fs", "create_dir_all"],
    ["fs", "remove_file"],
    ["fs", "remove_dir"],
    ["fs", "remove_dir_all"],
    ["fs", "set_permissions"],
    ["File", "create"],
    ["File", "create_new"],
    ["File", "options"],
    ["OpenOptions", "new"],
    ["NamedTempFile", "new"],
    ["tempfile", "tempdir"],
];

/// Where it is done, in sources without tests.
pub(crate) fn elsewhere(packages: &[Package], live: &World) -> Vec<Offence> {
    let mut found = Vec::new();
    for (index, package) in packages.iter().enumerate().filter(|(_, package)| package.folder != WRITER) {
        let reached = live.reached(index);
        let source = package.files.values().filter(|file| file.area == Area::Source);
        for file in source.filter(|file| reached.contains(file.path.as_str()) && file.path != READER) {
            for path in paths(file.live_tokens.clone()) {
                let [.., of, name] = path.segments.as_slice() else { continue };
                if CHANGES.contains(&[of, name]) {
                    found.push(Offence::new(&file.path, path.line, format!("{of}::{name}")));
                }
            }
        }
    }
    found
}
