//! As much of Markdown as links need.

use std::collections::{BTreeMap, BTreeSet};

/// The text with fenced blocks blank; lines keep their numbers.
fn without_blocks(text: &str) -> String {
    let mut fence: Option<String> = None;
    let lines = text.lines().map(|line| {
        let inner = line.trim_start();
        let marks: String = inner.chars().take_while(|c| *c == '`' || *c == '~').collect();
        match &fence {
            Some(open) if marks.starts_with(open.as_str()) => fence = None,
            Some(_) => {}
            None if marks.starts_with("```") || marks.starts_with("~~~") => fence = Some(marks),
            None => return line,
        }
        ""
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The same with `code` blank as well, which may run over a line's end but not over an empty line.
fn without_code(text: &str) -> String {
    let blocks = without_blocks(text);
    let paragraphs = blocks.split("\n\n").map(|paragraph| {
        let mut rest = paragraph;
        let mut kept = String::new();
        while let Some(start) = rest.find('`') {
            let marks = rest[start..].chars().take_while(|c| *c == '`').count();
            let inside = &rest[start + marks..];
            kept.push_str(&rest[..start]);
            let Some(length) = closing(inside, marks) else {
                kept.push_str(&" ".repeat(marks));
                rest = inside;
                continue;
            };
            kept.extend(inside[..length].chars().filter(|c| *c == '\n'));
            rest = &inside[length + marks..];
        }
        kept + rest
    });
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// Where a run of exactly so many backticks begins.
fn closing(text: &str, marks: usize) -> Option<usize> {
    let mut at = 0;
    while let Some(start) = text[at..].find('`') {
        let run = text[at + start..].chars().take_while(|c| *c == '`').count();
        if run == marks {
            return Some(at + start);
        }
        at += start + run;
    }
    None
}

/// Targets of links and pictures, with lines: `[a](b)`, `[a]: b`, `href="b"`.
pub(crate) fn links(text: &str) -> Vec<(usize, String)> {
    let text = without_code(text);
    let mut found = Vec::new();
    let mut add = |at: usize, target: &str| {
        let target = target.trim().trim_start_matches('<').trim_end_matches('>');
        found.push((text[..at].matches('\n').count() + 1, target.to_string()));
    };
    for (at, _) in text.match_indices("](") {
        let mut open = 1;
        let inner = &text[at + 2..];
        let end = inner.find(|c: char| {
            open += i32::from(c == '(') - i32::from(c == ')');
            open == 0 || c == ' ' || c == '\n'
        });
        add(at, &inner[..end.unwrap_or(inner.len())]);
    }
    for (attribute, quote) in [("href=\"", '"'), ("src=\"", '"'), ("href='", '\''), ("src='", '\'')] {
        for (at, _) in text.match_indices(attribute) {
            let inner = &text[at + attribute.len()..];
            add(at, &inner[..inner.find(quote).unwrap_or(inner.len())]);
        }
    }
    let mut start = 0;
    for line in text.split('\n') {
        let definition = line.trim_start().strip_prefix('[').and_then(|rest| rest.split_once("]:"));
        if let Some((_, target)) = definition {
            add(start, target.split_whitespace().next().unwrap_or_default());
        }
        start += line.len() + 1;
    }
    found.sort();
    found
}

/// What `#...` may point to on a page: its headings as GitHub names them, and explicit anchors.
pub(crate) fn anchors(text: &str) -> BTreeSet<String> {
    let blocks = without_blocks(text);
    let lines: Vec<&str> = blocks.lines().collect();
    let mut anchors = BTreeSet::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (at, line) in lines.iter().enumerate() {
        let under = lines.get(at + 1).map_or("", |next| next.trim_end());
        let underlined = !line.trim().is_empty() && under.len() > 1 && (is_all(under, '=') || is_all(under, '-'));
        let Some(heading) = heading(line).or(underlined.then_some(*line)) else { continue };
        let slug = slug(heading);
        let count = seen.entry(slug.clone()).or_default();
        anchors.insert(if *count == 0 { slug } else { format!("{slug}-{count}") });
        *count += 1;
    }
    for attribute in ["id=\"", "name=\""] {
        let starts = blocks.match_indices(attribute).map(|(at, _)| &blocks[at + attribute.len()..]);
        anchors.extend(starts.filter_map(|rest| Some(rest.split_once('"')?.0.to_string())));
    }
    anchors
}

fn is_all(text: &str, wanted: char) -> bool {
    text.chars().all(|c| c == wanted)
}

fn heading(line: &str) -> Option<&str> {
    let inner = line.trim();
    let level = inner.chars().take_while(|c| *c == '#').count();
    let text = &inner[level..];
    let ends = text.is_empty() || text.starts_with(' ');
    ((1..=6).contains(&level) && ends && !line.starts_with("    ")).then(|| text.trim().trim_end_matches('#').trim())
}

/// A heading as GitHub makes it a fragment: the text that shows, in lower case, without punctuation, spaces as hyphens.
fn slug(heading: &str) -> String {
    let mut shown = String::new();
    let mut rest = heading;
    // Of `[text](target)` the text shows.
    while let Some((before, after)) = rest.split_once("](") {
        shown.push_str(before);
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    shown.push_str(rest);
    let kept = shown.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_outside_code_alone() {
        let text = "[a](b.md) and `[c](d)` ![e](f.png \"t\")\n```\n[g](h)\n```\n`two\nlines` [i\nj](k_(l).md#m)\n\n[n]: o.md\n<a href=\"p\">";
        let found = links(text);
        let expected = [(1, "b.md"), (1, "f.png"), (7, "k_(l).md#m"), (9, "o.md"), (10, "p")];
        assert_eq!(found, expected.map(|(line, target)| (line, target.to_string())));
    }

    #[test]
    fn headings_are_named_as_on_github() {
        let text = "# What SAM itself does\n## `code_x`, and [a link](to.md): 95 %\n### Twice\n### Twice\nUnder\n=====\n```\n# not\n```\n<a id=\"own\"></a>";
        let expected = ["what-sam-itself-does", "code_x-and-a-link-95-", "twice", "twice-1", "under", "own"];
        assert_eq!(anchors(text), expected.map(String::from).into());
    }
}
