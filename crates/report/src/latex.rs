//! Results as LaTeX, for `\input`: needs the package booktabs and compiles with pdfLaTeX, XeLaTeX and LuaLaTeX.

use flatleak_results::Document;

use crate::outline::{Part, outline};
use crate::say::prose;
use crate::sheet::{Align, Sheet};
use crate::{names, words};

/// The whole summary.
pub(crate) fn render(d: &Document) -> String {
    let d = &*names::short(d, &names::long(d));
    let mut out = format!(
        "% flatleak {}, {}; needs \\usepackage{{booktabs}}\n\\subsection*{{{}}}\n\n",
        comment(&d.flatleak_version),
        comment(&d.timings.date),
        escaped(&d.study.name)
    );
    outline(d).iter().for_each(|part| put(part, &mut out));
    if d.redacted {
        out += "Redacted: nothing about single examples.\n";
    }
    out
}

fn put(part: &Part, out: &mut String) {
    let text = match part {
        Part::Answer(verdict, sentence) => {
            format!("\\textbf{{Verdict: {}.}} {}", words::verdict(*verdict), escaped(sentence))
        }
        Part::Quick => "\\textbf{Not for decisions: a quick run.}".into(),
        Part::Heading(text) => format!("\\paragraph{{{}.}}", escaped(text)),
        Part::Paragraph(text) => escaped(text),
        Part::Remark(text) => format!("\\noindent{{\\footnotesize {}\\par}}", escaped(text)),
        Part::Sheet(sheet) => table(sheet),
        Part::Claim(statement, said) => {
            let each = said.iter().map(|(_, text)| format!("\\item {}\n", escaped(text)));
            format!("{}\n\\begin{{itemize}}\n{}\\end{{itemize}}", escaped(statement), each.collect::<String>())
        }
        Part::Note(text) => format!("Note: {}", escaped(text)),
    };
    *out += text.trim_end();
    *out += "\n\n";
}

/// A table with its caption.
fn table(sheet: &Sheet) -> String {
    let columns: String = sheet.columns.iter().map(|c| if c.align == Align::Right { 'r' } else { 'l' }).collect();
    let rows = sheet.rows.iter().map(|r| row(&r.label, r.cells.iter()));
    format!(
        "\\begin{{table}}[htbp]\n\\centering\\footnotesize\\setlength{{\\tabcolsep}}{{4pt}}\n\\caption{{{}.}}\n\
         \\begin{{tabular}}{{l{columns}}}\n\\toprule\n{}\\midrule\n{}\\bottomrule\n\\end{{tabular}}\n\\end{{table}}",
        escaped(&sheet.caption),
        row(&sheet.title, sheet.columns.iter().map(|c| &c.head)),
        rows.collect::<String>()
    )
}

fn row<'a>(label: &'a String, cells: impl Iterator<Item = &'a String>) -> String {
    let cells = std::iter::once(label).chain(cells).map(|cell| {
        let cell = escaped(cell.trim());
        // A bracket or star behind the end of a row would belong to that end.
        if cell.starts_with(['[', '*']) { format!("{{}}{cell}") } else { cell }
    });
    format!("{} \\\\\n", cells.collect::<Vec<_>>().join(" & "))
}

/// Text that is text. Letters that not every engine has are named by their numbers.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in prose(text).chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', c]),
            '\\' => out += "\\textbackslash{}",
            '~' => out += "\\textasciitilde{}",
            '^' => out += "\\textasciicircum{}",
            '<' => out += "$<$",
            '>' => out += "$>$",
            '|' => out += "$|$",
            '"' => out += "\\textquotedbl{}",
            // No ligatures of names: -- would be a dash, `` a quotation mark.
            '-' if out.ends_with('-') => out += "{}-",
            '`' => out += "\\textasciigrave{}",
            '\'' => out += "\\textquotesingle{}",
            '−' => out += "$-$",
            '±' => out += "$\\pm$",
            '≥' => out += "$\\geq$",
            '≤' => out += "$\\leq$",
            '…' => out += "\\dots{}",
            '\n' => out.push(' '),
            ' '..='~' => out.push(c),
            // Letters with accents that the oldest encoding of fonts has.
            'À'..='Ö' | 'Ø'..='Ý' | 'ß'..='ï' | 'ñ'..='ö' | 'ø'..='ý' | 'ÿ' if c != 'Ð' => out.push(c),
            _ => out += &format!("[U+{:04X}]", u32::from(c)),
        }
    }
    out
}

/// Text in a comment, which ends with its line.
fn comment(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_commands() {
        assert_eq!(
            escaped("\\input{x}%$#&_^~"),
            "\\textbackslash{}input\\{x\\}\\%\\$\\#\\&\\_\\textasciicircum{}\\textasciitilde{}"
        );
        assert_eq!(escaped("a--b -0.5 ±0.1 größe 日"), "a-{}-b $-$0.5 $\\pm$0.1 größe [U+65E5]");
        assert_eq!(escaped("Ð þ \u{202e}x"), "[U+00D0] [U+00FE] [U+202E]x");
    }

    #[test]
    fn rows_have_as_many_cells_as_columns() {
        let mut sheet = Sheet::new("A & B", "sam - sgd").figures("p").words("");
        sheet.row("  a_b *", vec!["[x]".into(), "less".into()]);
        let text = table(&sheet);
        assert!(text.contains("\\begin{tabular}{lrl}") && text.contains("\\caption{A \\& B.}"), "{text}");
        assert!(text.contains("a\\_b * & {}[x] & less \\\\\n\\bottomrule"), "{text}");
    }
}
