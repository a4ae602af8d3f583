//! The sections of the page.
//!
//! One is a file of this folder with what it shows and says, the template of the same name beside it, and a word of the list below. The
//! order of the words is that of the page. A file has its heading, `TITLE`, and a function `section`, which makes it from a [`Context`]:
//! `None` where there is nothing to show. Its anchor is the name of the file. A section with the name of its part stands under the heading
//! of the part and has none of its own.
//!
//! Askama looks for templates in `templates/`, from where a section's path leads here: other folders would need its reader of TOML.

use askama::Template;

use crate::context::Context;

/// A heading of the contents with what stands under it.
pub(crate) struct Part<'a> {
    /// Its anchor.
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) groups: Vec<Group<'a>>,
}

/// Sections about one data set, or about all.
pub(crate) struct Group<'a> {
    /// Anchor and name of the data set, where there are several.
    pub(crate) dataset: Option<(String, &'a str)>,
    pub(crate) sections: Vec<Section>,
}

/// A section that is rendered.
pub(crate) struct Section {
    /// Its anchor.
    pub(crate) id: String,
    pub(crate) title: &'static str,
    pub(crate) body: String,
}

impl Part<'_> {
    /// Anchors and titles below this one: of data sets where there are several, else of sections.
    pub(crate) fn entries(&self) -> Vec<(&str, &str)> {
        let of = |g: &'_ Group<'_>| g.dataset.is_some();
        if self.groups.iter().any(of) {
            return self
                .groups
                .iter()
                .filter_map(|g| g.dataset.as_ref().map(|(id, name)| (id.as_str(), *name)))
                .collect();
        }
        let own = self.groups.iter().flat_map(|g| &g.sections).filter(|s| s.id != self.id);
        own.map(|s| (s.id.as_str(), s.title)).collect()
    }
}

/// What a part is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    /// All that was run.
    All,
    /// Each data set for itself.
    Each,
}

/// Makes the modules, and the function that renders them.
macro_rules! sections {
    ($($part:literal $title:literal $about:ident { $($section:ident,)* })*) => {
        $($(mod $section;)*)*

        #[cfg(test)]
        const LISTED: &[&str] = &[$($(stringify!($section),)*)*];

        /// All parts that have something to show, about all data sets or about each.
        pub(crate) fn all<'a>(whole: &Context<'a>, each: &[Context<'a>]) -> askama::Result<Vec<Part<'a>>> {
            let mut parts = Vec::new();
            $({
                let render = |context: &Context<'a>| -> askama::Result<Vec<Section>> {
                    let mut sections = Vec::new();
                    $(if let Some(made) = $section::section(context) {
                        let id = context.id(stringify!($section));
                        sections.push(Section { id, title: $section::TITLE, body: made.render()? });
                    })*
                    Ok(sections)
                };
                let groups = groups($part, About::$about, whole, each, render)?;
                if !groups.is_empty() {
                    parts.push(Part { id: $part, title: $title, groups });
                }
            })*
            Ok(parts)
        }
    };
}

/// The groups of a part that hold a section.
fn groups<'a>(
    part: &str,
    about: About,
    whole: &Context<'a>,
    each: &[Context<'a>],
    render: impl Fn(&Context<'a>) -> askama::Result<Vec<Section>>,
) -> askama::Result<Vec<Group<'a>>> {
    let contexts = if about == About::All { std::slice::from_ref(whole) } else { each };
    let mut groups = Vec::new();
    for context in contexts {
        let sections = render(context)?;
        let named = context.dataset().filter(|_| each.len() > 1);
        let dataset = named.map(|name| (context.id(&format!("{part}-data")), name));
        if !sections.is_empty() {
            groups.push(Group { dataset, sections });
        }
    }
    Ok(groups)
}

sections! {
    "answer" "The answer" All {
        answer,
    }
    "pooled" "Over all data sets" All {
        pooled,
    }
    "numbers" "The numbers that matter" Each {
        numbers,
    }
    "advice" "What to do" Each {
        advice,
    }
    "exposed" "Who is exposed" Each {
        exposed,
    }
    "why" "Why" Each {
        claims,
        densities,
        memorization,
        link,
        influence,
        groups,
        variance,
    }
    "details" "Every detail" Each {
        differences,
        frontier,
        curves,
        radius,
        noise,
        mismatch,
        accuracy,
        attacks,
    }
    "run" "What was run" All {
        settings,
        limits,
        methods,
        reproduce,
        cite,
    }
    "glossary" "Glossary" All {
        glossary,
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
