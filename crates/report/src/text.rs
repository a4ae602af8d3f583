//! Text for a terminal: spans with a tone each. What a tone looks like is the program's to say; without it the text is the same.

use std::fmt::{self, Display, Formatter};

use flatleak_results::Verdict;
use unicode_width::UnicodeWidthStr;

/// Columns of a text that goes to no terminal.
pub const COLUMNS: usize = 100;
/// Columns below which nothing is laid out.
pub const FEWEST_COLUMNS: usize = 50;
/// Columns above which lines are too long to read.
const READABLE: usize = 100;

/// What a span of text is. No meaning rests on it alone: the words say the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    #[default]
    Plain,
    /// A heading.
    Strong,
    /// Of less weight.
    Faint,
    /// Leaks less, or no relevant amount.
    Good,
    /// Leaks, or leaks more.
    Bad,
    /// Not decided.
    Open,
}

impl From<Verdict> for Tone {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::RelevantlyMore | Verdict::More | Verdict::Leaks => Self::Bad,
            Verdict::RelevantlyLess | Verdict::Less | Verdict::NoRelevantLeak | Verdict::Recommended => Self::Good,
            Verdict::NotAsked => Self::Plain,
            _ => Self::Open,
        }
    }
}

/// Text with tones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    spans: Vec<(Tone, String)>,
}

impl Text {
    /// Its spans, in their order.
    pub fn spans(&self) -> &[(Tone, String)] {
        &self.spans
    }

    /// Adds a span.
    pub fn push(&mut self, tone: Tone, text: impl Into<String>) {
        self.spans.push((tone, text.into()));
    }

    /// Adds a line.
    pub fn line(&mut self, tone: Tone, text: &str) {
        self.push(tone, format!("{}\n", text.trim_end()));
    }

    /// Adds a paragraph in lines of at most `width` columns: `first` stands before its first line, blanks of `indent` columns before the others.
    pub fn paragraph(&mut self, tone: Tone, text: &str, (first, indent): (&str, usize), width: usize) {
        let room = width.min(READABLE).saturating_sub(indent.max(columns(first)));
        for (k, line) in wrap(text, room).iter().enumerate() {
            let before = if k == 0 { first.to_owned() } else { " ".repeat(indent) };
            self.line(tone, &(before + line));
        }
    }

    /// Adds all of another text.
    pub fn extend(&mut self, other: Self) {
        self.spans.extend(other.spans);
    }
}

impl Display for Text {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.spans.iter().try_for_each(|(_, text)| f.write_str(text))
    }
}

/// Columns that a text takes in a terminal (Unicode Standard Annex 11: wide characters take two).
pub fn columns(text: &str) -> usize {
    text.width()
}

/// Text in lines of at most so many columns, where its words allow.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut taken = 0;
    for word in text.split_whitespace() {
        let own = columns(word);
        let last = lines.len() - 1;
        if taken > 0 && taken + 1 + own > width {
            lines.push(word.to_owned());
            taken = own;
        } else {
            if taken > 0 {
                lines[last].push(' ');
                taken += 1;
            }
            lines[last].push_str(word);
            taken += own;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole_and_wide_ones_take_two_columns() {
        assert_eq!(wrap("a bb ccc", 4), ["a bb", "ccc"]);
        assert_eq!(wrap("a longer-than-that b", 6), ["a", "longer-than-that", "b"]);
        // Two characters of two columns each.
        assert_eq!(wrap("日本 日本", 8), ["日本", "日本"]);
        assert_eq!(wrap("日本 日本", 9), ["日本 日本"]);
        assert_eq!(wrap("  ", 9), [""]);
    }

    #[test]
    fn a_paragraph_hangs_below_its_mark() {
        let mut text = Text::default();
        text.paragraph(Tone::Faint, "one two three", ("note: ", 2), 12);
        assert_eq!(text.to_string(), "note: one\n  two\n  three\n");
        assert!(text.spans().iter().all(|(tone, _)| *tone == Tone::Faint));
    }
}
