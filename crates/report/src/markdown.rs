//! Results as Markdown (CommonMark with the tables of GitHub).

use flatleak_results::Document;

use crate::outline::{Part, outline};
use crate::say::prose;
use crate::sheet::{Align, Sheet};
use crate::{names, words};

/// The whole summary.
pub(crate) fn render(d: &Document) -> String {
    let d = &*names::short(d, &names::long(d));
    let mut out = format!("# {}\n\n", escaped(&d.study.name));
    outline(d).iter().for_each(|part| put(part, &mut out));
    out.push_str(&origin(d));
    out
}

/// Where the figures come from, and what is left out.
pub(crate) fn origin(d: &Document) -> String {
    let data = d.study.datasets.iter().map(|s| format!("{} (digest `{}`)", escaped(&s.name), code(&s.digest)));
    let redacted = if d.redacted { " Redacted: nothing about single examples." } else { "" };
    format!(
        "flatleak {}, {}, {}, seed {}, {} models per recipe; data: {}.{redacted}\n",
        escaped(&d.flatleak_version),
        escaped(&d.timings.date),
        escaped(&d.machine.cpu),
        d.study.seed,
        d.study.models,
        data.collect::<Vec<_>>().join(", ")
    )
}

/// One part.
pub(crate) fn put(part: &Part, out: &mut String) {
    let text = match part {
        Part::Answer(verdict, sentence) => {
            format!("**Verdict: {}.** {}", words::verdict(*verdict), paragraph(sentence))
        }
        Part::Quick => "**Not for decisions: a quick run.**".into(),
        Part::Heading(text) => format!("## {}", escaped(text)),
        Part::Paragraph(text) | Part::Remark(text) => paragraph(text),
        Part::Sheet(sheet) => table(sheet),
        Part::Claim(statement, said) => {
            let each = said.iter().map(|(_, text)| format!("- {}", paragraph(text)));
            std::iter::once(paragraph(statement) + "\n").chain(each).collect::<Vec<_>>().join("\n")
        }
        Part::Note(text) => format!("Note: {}", paragraph(text)),
    };
    *out += text.trim_end();
    *out += "\n\n";
}

/// A table with its caption above it.
pub(crate) fn table(sheet: &Sheet) -> String {
    let mut out = format!("{}.\n\n", escaped(&sheet.caption));
    out += &row(&sheet.title, sheet.columns.iter().map(|c| &c.head));
    let rules = sheet.columns.iter().map(|c| if c.align == Align::Right { " --: |" } else { " :-- |" });
    out += &format!("| :-- |{}\n", rules.collect::<String>());
    for r in &sheet.rows {
        out += &row(&r.label, r.cells.iter());
    }
    out
}

fn row<'a>(label: &'a String, cells: impl Iterator<Item = &'a String>) -> String {
    let cells = std::iter::once(label).chain(cells).map(|cell| escaped(prose(cell.trim()).as_str()));
    format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

/// Text that begins no list, quotation or heading.
fn paragraph(text: &str) -> String {
    let text = escaped(prose(text.trim()).as_str());
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    if text.starts_with(['-', '+', '=']) {
        format!("\\{text}")
    } else if digits > 0 && text[digits..].starts_with(['.', ')']) {
        format!("{}\\{}", &text[..digits], &text[digits..])
    } else {
        text
    }
}

/// Text that is text: no emphasis, link, code, markup, mathematics or cell of a table.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        // A bracket makes a link only with what follows it, and figures have many.
        let links = c == ']' && rest.peek().is_some_and(|next| "([:".contains(*next));
        if links || "\\`*_{}<>#|~$&!".contains(c) {
            out.push('\\');
        }
        out.push(if c == '\n' { ' ' } else { c });
    }
    out
}

/// Text within code.
fn code(text: &str) -> String {
    text.replace(['`', '|', '\n'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_markup() {
        assert_eq!(escaped("a|b*c_d`e<f>&g;~h$i#"), "a\\|b\\*c\\_d\\`e\\<f\\>\\&g;\\~h\\$i\\#");
        assert_eq!(escaped("[x](javascript:y) [1, 2]"), "[x\\](javascript:y) [1, 2]");
        for (text, wanted) in
            [("- a", "\\- a"), ("12. a", "12\\. a"), ("> a", "\\> a"), ("1.5 a", "1\\.5 a"), ("x", "x")]
        {
            assert_eq!(paragraph(text), wanted);
        }
    }

    #[test]
    fn a_table_has_as_many_cells_in_every_line() {
        let mut sheet = Sheet::new("Caption", "a|b").figures("p").words("");
        sheet.row("  x *", vec!["-1".into(), "less".into()]);
        let wanted = "Caption.\n\n| a\\|b | p |  |\n| :-- | --: | :-- |\n| x \\* | −1 | less |\n";
        assert_eq!(table(&sheet), wanted);
    }
}
