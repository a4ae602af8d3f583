//! The sections of the page.
//!
//! One is a file of this folder with what it shows and says, the template of the same name beside it, and a word of the list below. The
//! order of the words is that of the page. A file has a function `section`, which makes it from a [`Context`]: `None` where there is nothing
//! to show.
//!
//! Askama looks for templates in `templates/`, from where a section's path leads here: other folders would need its reader of TOML.

use askama::Template;

use crate::context::Context;

/// Makes the modules, and for each part of the page a function that renders its sections.
macro_rules! sections {
    ($($(#[$doc:meta])* $part:ident { $($section:ident,)* })*) => {
        $($(mod $section;)*)*

        #[cfg(test)]
        const LISTED: &[&str] = &[$($(stringify!($section),)*)*];

        $($(#[$doc])*
        pub(crate) fn $part(context: &Context<'_>) -> askama::Result<Vec<String>> {
            let rendered = [$($section::section(context).map(|made| made.render()),)*];
            rendered.into_iter().flatten().collect()
        })*
    };
}

sections! {
    /// Over all data sets, at the top.
    first {
        pooled,
    }
    /// About one data set.
    of_each {
        accuracy,
        frontier,
        radius,
        noise,
        differences,
        mismatch,
        curves,
        densities,
        claims,
        memorization,
        link,
        influence,
        groups,
        variance,
        attacks,
    }
    /// About all that was run, at the end.
    last {
        provenance,
        limits,
    }
}

#[cfg(test)]
mod tests {
    use super::LISTED;

    #[test]
    fn every_section_is_listed_and_has_its_template() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sections");
        let names = |ending: &str| -> Vec<String> {
            let all = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
            let own = all.filter(|path| path.extension().is_some_and(|e| e == ending));
            let mut names: Vec<_> = own.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
            names.retain(|name| name != "mod");
            names.sort();
            names
        };
        let mut listed = LISTED.to_vec();
        listed.sort_unstable();
        assert_eq!(names("rs"), listed);
        assert_eq!(names("html"), listed);
    }
}
