//! Names that folders are given. A name is data, and a folder's is a name and no path.

use flatleak_data::Dataset;
use flatleak_results::{is_device, is_hidden, plain};

/// Most bytes: file systems have 255, and what is added has room.
const LONGEST: usize = 100;

/// Digits of the digest at the end of the name of a data set's folder.
pub(crate) const DIGITS: usize = 6;

/// A folder's name for what is called so: one part of a path on any system, never a step up, an absolute path or a device.
pub fn folder_name(name: &str) -> String {
    let kept = |c: char| if is_hidden(c) || "/\\:*?\"<>|".contains(c) { '-' } else { c };
    let mut out = String::new();
    for c in name.chars().map(kept) {
        if out.len() + c.len_utf8() > LONGEST {
            break;
        }
        out.push(c);
    }
    let out = out.trim_matches(['.', ' ', '-']);
    if out.is_empty() {
        "unnamed".into()
    } else if is_device(out) {
        format!("_{out}")
    } else {
        out.to_owned()
    }
}

/// The data with the hidden characters of its names written out: these stand in results, tables and pages.
pub(crate) fn plainly_named(mut data: Dataset) -> Dataset {
    data.name = plain(&data.name).into_owned();
    let named = data.class_names.iter_mut().flatten().chain(data.files.iter_mut().flatten());
    named.for_each(|name| *name = plain(name).into_owned());
    data.groups.iter_mut().for_each(|group| *group = plain(group).into_owned());
    data
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use super::*;

    #[test]
    fn no_name_is_a_path() {
        let long = "x".repeat(10_000);
        for name in [
            "",
            ".",
            "..",
            "../..",
            "/etc/passwd",
            "\\\\host\\share",
            "C:\\x",
            "a/../../b",
            "~",
            "con",
            "NUL.txt",
            "Com1 ",
            "a\0b",
            "a\nb",
            "\u{202e}gpj",
            "..\u{200b}",
            "a:stream",
            " . ",
            &long,
            &"ü".repeat(300),
        ] {
            let folder = folder_name(name);
            let parts: Vec<Component<'_>> = Path::new(&folder).components().collect();
            assert!(matches!(parts.as_slice(), [Component::Normal(_)]), "{name:?} is {folder:?}");
            assert!(folder.len() <= LONGEST + 1 && !folder.contains(['\\', ':', '\0', '\n']), "{folder:?}");
            assert!(!folder.ends_with(['.', ' ']) && !is_device(&folder), "{folder:?}");
        }
        assert_eq!(["sgd-2x", "my study", "größe_1.5"].map(folder_name), ["sgd-2x", "my study", "größe_1.5"]);
    }
}
