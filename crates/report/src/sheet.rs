//! Tables of text: the same [`Sheet`] is laid out for a terminal here, and written as Markdown and LaTeX elsewhere.

use std::ops::Range;

use flatleak_results::shortened;

use crate::text::{Text, Tone, columns};

/// Blanks between columns.
const GAP: usize = 2;
/// Most columns of a heading over narrower cells.
const HEAD: usize = 20;
/// How far what belongs to a row stands in.
const INDENT: usize = 4;

/// How the cells of a column stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Figures, at the right.
    Right,
    /// Words, at the left.
    Left,
}

/// A column: its heading and how its cells stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The heading.
    pub head: String,
    /// How cells stand.
    pub align: Align,
}

/// A row: what it is about, and a cell a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// What it is about.
    pub label: String,
    /// Its cells.
    pub cells: Vec<String>,
    /// What its last cell says.
    pub tone: Tone,
}

/// A table of text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// What it shows, in a sentence without a full stop.
    pub caption: String,
    /// Heading of the labels.
    pub title: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows.
    pub rows: Vec<Row>,
}

impl Sheet {
    /// A table without rows.
    pub fn new(caption: impl Into<String>, title: impl Into<String>) -> Self {
        Self { caption: caption.into(), title: title.into(), ..Self::default() }
    }

    /// With a column of figures.
    #[must_use]
    pub fn figures(self, head: impl Into<String>) -> Self {
        self.column(head, Align::Right)
    }

    /// With a column of words.
    #[must_use]
    pub fn words(self, head: impl Into<String>) -> Self {
        self.column(head, Align::Left)
    }

    fn column(mut self, head: impl Into<String>, align: Align) -> Self {
        self.columns.push(Column { head: head.into(), align });
        self
    }

    /// Adds a row.
    pub fn row(&mut self, label: impl Into<String>, cells: Vec<String>) {
        self.toned(label, cells, Tone::Plain);
    }

    /// Adds a row whose last cell has a tone.
    pub fn toned(&mut self, label: impl Into<String>, cells: Vec<String>, tone: Tone) {
        self.rows.push(Row { label: label.into(), cells, tone });
    }

    /// The table in at most `width` columns. What does not fit in one piece is told below each row where it is words, and otherwise in several
    /// tables below each other; where not even one column fits beside the labels, every cell has a line.
    pub fn lay_out(&self, width: usize) -> Text {
        let widths = self.widths();
        let label = self.label_width(width);
        let of = |range: Range<usize>| label + widths[range].iter().map(|w| GAP + w).sum::<usize>();
        let all = self.columns.len();
        let words = self.columns.last().is_some_and(|c| c.align == Align::Left);
        let mut out = Text::default();
        if of(0..all) <= width {
            self.piece(0..all, None, (label, &widths), &mut out);
        } else if words && of(0..all - 1) <= width {
            self.piece(0..all - 1, Some(width), (label, &widths), &mut out);
        } else if !words && (0..all).all(|k| of(k..k + 1) <= width) {
            // As few pieces as there is room for, and of about as many columns each.
            let greedy = pieces(all, all, |range| of(range) <= width);
            let even = pieces(all, all.div_ceil(greedy.len()), |range| of(range) <= width);
            for (k, range) in even.into_iter().enumerate() {
                if k > 0 {
                    out.line(Tone::Plain, "");
                }
                self.piece(range, None, (label, &widths), &mut out);
            }
        } else {
            self.stacked(width, &mut out);
        }
        out
    }

    /// Columns of each column: of its cells, and of as much of its heading as there is room for.
    fn widths(&self) -> Vec<usize> {
        let of = |k: usize| {
            let cells = self.rows.iter().filter_map(|r| r.cells.get(k)).map(|c| columns(c)).max().unwrap_or(0);
            cells.max(columns(&self.columns[k].head).min(HEAD.max(cells)))
        };
        (0..self.columns.len()).map(of).collect()
    }

    fn label_width(&self, width: usize) -> usize {
        let labels = self.rows.iter().map(|r| columns(&r.label)).chain([columns(&self.title)]);
        labels.max().unwrap_or(0).min(width)
    }

    /// Some of the columns; the last one below each row where a width for it is given.
    fn piece(&self, range: Range<usize>, hanging: Option<usize>, (label, widths): (usize, &[usize]), out: &mut Text) {
        let mut head = padded(&shortened(&self.title, label), label, Align::Left);
        for k in range.clone() {
            let column = &self.columns[k];
            head += &" ".repeat(GAP);
            head += &padded(&shortened(&column.head, widths[k]), widths[k], column.align);
        }
        out.line(Tone::Strong, &head);
        for row in &self.rows {
            let mut line = padded(&shortened(&row.label, label), label, Align::Left);
            let last = self.columns.len() - 1;
            for k in range.clone() {
                let cell = row.cells.get(k).map_or("", String::as_str);
                line += &" ".repeat(GAP);
                let cell = padded(cell, widths[k], self.columns[k].align);
                if k == last && row.tone != Tone::Plain {
                    out.push(Tone::Plain, std::mem::take(&mut line));
                    out.push(row.tone, cell.trim_end());
                } else {
                    line += &cell;
                }
            }
            out.line(Tone::Plain, &line);
            if let (Some(width), Some(cell)) = (hanging, row.cells.get(last).filter(|c| !c.is_empty())) {
                out.paragraph(row.tone, cell, (&" ".repeat(INDENT), INDENT), width);
            }
        }
    }

    /// A line a cell, behind the heading of its column.
    fn stacked(&self, width: usize, out: &mut Text) {
        if !self.title.is_empty() {
            out.paragraph(Tone::Strong, &self.title, ("", 0), width);
        }
        let heads = self.columns.iter().map(|c| columns(&c.head)).max().unwrap_or(0).min(HEAD);
        for row in &self.rows {
            out.paragraph(Tone::Plain, &row.label, ("  ", 2), width);
            for (k, (column, cell)) in self.columns.iter().zip(&row.cells).enumerate() {
                let tone = if k + 1 == self.columns.len() { row.tone } else { Tone::Plain };
                let head = if column.head.is_empty() {
                    String::new()
                } else {
                    padded(&shortened(&column.head, heads), heads + GAP, Align::Left)
                };
                let indent = INDENT + columns(&head);
                if indent + columns(cell) <= width || column.head.is_empty() {
                    out.paragraph(tone, cell, (&(" ".repeat(INDENT) + &head), INDENT + columns(&head)), width);
                } else {
                    out.line(Tone::Plain, &(" ".repeat(INDENT) + head.trim_end()));
                    out.paragraph(tone, cell, (&" ".repeat(INDENT + 2), INDENT + 2), width);
                }
            }
        }
    }
}

/// Columns in pieces of at most `most` that fit, at least one each.
fn pieces(all: usize, most: usize, fits: impl Fn(Range<usize>) -> bool) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut from = 0;
    while from < all {
        let longest = all.min(from + most);
        let to = (from + 1..=longest).rev().find(|to| fits(from..*to)).unwrap_or(from + 1);
        out.push(from..to);
        from = to;
    }
    out
}

/// Text in so many columns.
fn padded(text: &str, width: usize, align: Align) -> String {
    let blanks = " ".repeat(width.saturating_sub(columns(text)));
    match align {
        Align::Right => blanks + text,
        Align::Left => text.to_owned() + &blanks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        let mut s = Sheet::new("", "recipe").figures("AUC").figures("p");
        s.row("sgd", vec!["0.8108 ±0.0029".into(), "0.0070".into()]);
        s.row("日本", vec!["-".into(), "<0.0001".into()]);
        s
    }

    #[test]
    fn what_fits_stands_in_one_piece() {
        let wanted =
            "recipe             AUC        p\nsgd     0.8108 ±0.0029   0.0070\n日本                 -  <0.0001\n";
        assert_eq!(sheet().lay_out(31).to_string(), wanted);
    }

    #[test]
    fn what_does_not_is_told_in_pieces() {
        let wanted = "recipe             AUC\nsgd     0.8108 ±0.0029\n日本                 -\n\nrecipe        p\nsgd      0.0070\n日本    <0.0001\n";
        assert_eq!(sheet().lay_out(30).to_string(), wanted);
        let wanted = "recipe\n  sgd\n    AUC\n      0.8108\n      ±0.0029\n    p    0.0070\n  日本\n    AUC  -\n    p    <0.0001\n";
        assert_eq!(sheet().lay_out(16).to_string(), wanted);
    }

    #[test]
    fn words_hang_below_their_row_and_keep_their_tone() {
        let mut s = Sheet::new("", "sam - sgd").figures("p").words("");
        s.toned("auc", vec!["0.0070".into(), "less, but negligibly".into()], Tone::Good);
        assert_eq!(s.lay_out(60).to_string(), "sam - sgd       p\nauc        0.0070  less, but negligibly\n");
        let hung = s.lay_out(25);
        assert_eq!(hung.to_string(), "sam - sgd       p\nauc        0.0070\n    less, but negligibly\n");
        assert!(hung.spans().iter().any(|(tone, text)| *tone == Tone::Good && text.contains("negligibly")));
    }
}
