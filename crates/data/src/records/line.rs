//! Lines of text as fields.
//!
//! The code is this crate's own. The `csv` crate (1.x, measured) takes a quote that is left open as a field that ends with the file: 300 MB
//! behind it become 830 MB of memory and a row like any other. Its position of a record in a file of CRLF is the line before, and blank
//! lines are not counted until the next record: of records in lines 2 and 4 it says 1 and 2. Neither can be mended from outside, as the
//! limits of a line and the ends of lines are known to its parser alone.

use crate::table::Place;

use super::error::RecordError;

/// Longest line of text, with the line breaks that stand in its quotes.
const LONGEST: usize = 1 << 24;
/// Most columns of a table.
pub(super) const MOST_COLUMNS: usize = 1 << 16;

/// Whether the field that is being read stands in quotes.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    /// Nothing of it was read.
    Start,
    /// It has no quotes.
    Plain,
    /// A quote is open.
    Quotes,
    /// The quote was closed, or is the first of two.
    Closed,
}

/// The fields of a line, in buffers that are used again.
pub(super) struct Line {
    text: String,
    ends: Vec<usize>,
    separator: char,
}

impl Line {
    pub(super) fn new(separator: char) -> Self {
        Self { text: String::new(), ends: Vec::new(), separator }
    }

    /// Number of fields.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// A field without quotes and spaces around it.
    pub(super) fn get(&self, at: usize) -> &str {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        self.text[start..self.ends[at]].trim()
    }

    /// All fields.
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|at| self.get(at))
    }

    /// Reads a line, and those that continue an open quote, from `more`; says whether there was one.
    pub(super) fn read(
        &mut self,
        mut more: impl FnMut() -> Result<Option<String>, RecordError>,
        place: impl Fn() -> Place,
    ) -> Result<bool, RecordError> {
        self.text.clear();
        self.ends.clear();
        let mut within = Within::Start;
        let Some(mut line) = more()? else {
            return Ok(false);
        };
        loop {
            within = self.take(&line, within);
            if self.ends.len() >= MOST_COLUMNS {
                return Err(RecordError::Columns { found: self.ends.len() + 1, most: MOST_COLUMNS });
            }
            if within != Within::Quotes {
                self.ends.push(self.text.len());
                return Ok(true);
            }
            line = more()?.ok_or_else(|| RecordError::OpenQuote { place: place() })?;
            if self.text.len() + line.len() > LONGEST {
                return Err(RecordError::LongLine { place: place(), most: LONGEST });
            }
            self.text.push('\n');
        }
    }

    /// Takes in the fields of a line but the end of the last.
    fn take(&mut self, line: &str, mut within: Within) -> Within {
        if within == Within::Start && !line.contains('"') {
            for part in line.split_inclusive(self.separator) {
                let whole = part.strip_suffix(self.separator);
                self.text.push_str(whole.unwrap_or(part));
                if whole.is_some() {
                    self.ends.push(self.text.len());
                }
            }
            return Within::Plain;
        }
        for c in line.chars() {
            within = match (within, c) {
                (Within::Quotes, '"') => Within::Closed,
                (Within::Quotes, c) => {
                    self.text.push(c);
                    Within::Quotes
                }
                (_, c) if c == self.separator => {
                    self.ends.push(self.text.len());
                    Within::Start
                }
                (Within::Closed, '"') => {
                    self.text.push('"');
                    Within::Quotes
                }
                (Within::Start, '"') => Within::Quotes,
                (Within::Start, ' ') => Within::Start,
                (Within::Closed, ' ') => Within::Closed,
                (_, c) => {
                    self.text.push(c);
                    Within::Plain
                }
            };
        }
        within
    }
}

/// What separates the fields: of comma, semicolon and tab the most frequent outside quotes in the first line.
pub(super) fn separator(first: &str) -> char {
    // What stands outside quotes is every other piece.
    let count = |wanted| first.split('"').step_by(2).map(|piece| piece.matches(wanted).count()).sum::<usize>();
    ['\t', ';', ','].into_iter().max_by_key(|&c| count(c)).unwrap_or(',')
}

/// The most bytes of a line.
pub(super) fn longest() -> usize {
    LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, separator: char) -> Result<Vec<Vec<String>>, RecordError> {
        let mut lines = text.lines().map(str::to_owned);
        let (mut line, mut all) = (Line::new(separator), Vec::new());
        while line.read(|| Ok(lines.next()), || Place::Line(1))? {
            all.push(line.fields().map(str::to_owned).collect());
        }
        Ok(all)
    }

    #[test]
    fn quotes_hold_separators_line_breaks_and_quotes() {
        let all = split("a,\"b,c\", \"d\"\"e\" ,\n\"x\ny\",5\" screen,,\"\"\n", ',').unwrap();
        assert_eq!(all, [vec!["a", "b,c", "d\"e", ""], vec!["x\ny", "5\" screen", "", ""]]);
        assert!(matches!(split("a,\"b\nc", ','), Err(RecordError::OpenQuote { .. })));
        assert_eq!(split("", ',').unwrap(), Vec::<Vec<String>>::new());
        assert_eq!(split("a\t\tb\t", '\t').unwrap(), [vec!["a", "", "b", ""]]);
    }

    #[test]
    fn the_first_line_tells_the_separator() {
        assert_eq!((separator("a;b;c"), separator("a,b"), separator("a\tb"), separator("a")), (';', ',', '\t', ','));
        assert_eq!(separator("\"a,b,c\";d;e"), ';');
    }
}
