//! Text with commas, semicolons or tabs, and the names of the columns in its first line.

use std::io::{self, BufRead, Read};

use super::error::{RecordError, Spot};
use super::field::{Field, Head, Kind};
use super::line::{Line, MOST_COLUMNS, longest, separator};
use crate::table::Place;

/// What stands for nothing, as pandas, polars and R write and read it.
const NOTHING: [&str; 9] = ["", "NA", "N/A", "#N/A", "<NA>", "NaN", "nan", "null", "NULL"];

/// Most lines in which nothing stands.
const MOST_BLANK: u64 = 1 << 24;

/// The rows of text: see [`read`](super::read).
///
/// Fields may stand in double quotes, with separators, line breaks and doubled quotes in them. Where no comma separates the fields, a
/// number may have a decimal comma; one table has commas or points, never both.
///
/// # Errors
/// What is wrong with the text; what `head` and `row` say.
pub fn rows<T, E: From<RecordError>>(
    from: impl BufRead,
    head: impl FnOnce(&[Head]) -> Result<(T, Vec<usize>), E>,
    mut row: impl FnMut(&mut T, Place, &[Field<'_>]) -> Result<(), E>,
) -> Result<T, E> {
    let mut lines = Lines { from, bytes: Vec::new(), number: 0, skipped: 0 };
    let (first, separator) = lines.first()?;
    let mut line = Line::new(separator);
    let mut pending = Some(first);
    line.read(|| pending.take().map_or_else(|| lines.next(), |first| Ok(Some(first))), || Place::Line(1))?;
    if line.len() > MOST_COLUMNS {
        return Err(RecordError::Columns { found: line.len(), most: MOST_COLUMNS }.into());
    }
    let heads: Vec<Head> = line.fields().map(|name| Head { name: name.to_owned(), kind: Kind::Written }).collect();
    if heads.iter().all(|head| head.name.parse::<f64>().is_ok()) {
        return Err(RecordError::NoNames.into());
    }
    if heads.len() == 1 {
        return Err(RecordError::OneColumn.into());
    }
    let (mut state, wanted) = head(&heads)?;
    let mut names = RowNames::default();
    let mut decimals = Decimals { allowed: separator != ',', ..Decimals::default() };
    let mut commas: Vec<Option<String>> = Vec::new();
    while {
        let at = lines.number + 1;
        line.read(|| lines.next(), || Place::Line(at))?
    } {
        if line.fields().all(str::is_empty) {
            lines.skip()?;
            continue;
        }
        let place = Place::Line(lines.number);
        let shift = names.before(&line, heads.len());
        if line.len() != heads.len() + shift {
            return Err(short_or_long(place, line.len(), heads.len()).into());
        }
        commas.clear();
        for &w in &wanted {
            commas.push(decimals.comma(line.get(w + shift), || Spot { place, column: heads[w].name.clone() })?);
        }
        let fields =
            wanted.iter().zip(&commas).map(|(&w, comma)| match comma.as_deref().unwrap_or(line.get(w + shift)) {
                text if NOTHING.contains(&text) => Field::Missing,
                text => Field::Written(text),
            });
        row(&mut state, place, &fields.collect::<Vec<_>>())?;
    }
    Ok(state)
}

/// Row names as R writes them: before all other fields, without a name in the first line. Only those that count from 1 are told from
/// fields that are too many.
#[derive(Default)]
struct RowNames {
    rows: usize,
    there: bool,
}

impl RowNames {
    /// Fields of the next row that stand before the first with a name.
    fn before(&mut self, line: &Line, named: usize) -> usize {
        self.rows += 1;
        let counts = line.len() == named + 1 && line.get(0).parse() == Ok(self.rows);
        self.there = counts && (self.there || self.rows == 1);
        usize::from(self.there)
    }
}

fn short_or_long(place: Place, found: usize, expected: usize) -> RecordError {
    let mend = match found.checked_sub(expected) {
        Some(1) => "give every column a name; R leaves out that of the row names unless it is told row.names = FALSE",
        Some(_) => "put fields that hold the separator in quotes",
        None => "give every line one field for each name",
    };
    RecordError::Fields { place, found, expected, mend }
}

/// Lines of a reader.
struct Lines<R> {
    from: R,
    bytes: Vec<u8>,
    /// Number of the last line, from 1.
    number: u64,
    /// Lines in which nothing stands.
    skipped: u64,
}

impl<R: BufRead> Lines<R> {
    /// The first line that is not blank, and what separates its fields; Excel's `sep=;` may stand before it.
    fn first(&mut self) -> Result<(String, char), RecordError> {
        let mut said = None;
        loop {
            let line = self.next()?.ok_or(RecordError::Empty)?;
            let line = line.trim_start_matches('\u{feff}');
            match line.strip_prefix("sep=").map(|rest| rest.chars().collect::<Vec<_>>()).as_deref() {
                Some([one]) if self.number == 1 => said = Some(*one),
                _ if line.trim().is_empty() => self.skip()?,
                // A remark, where names would have separators.
                _ if line.starts_with('#') && !line.contains([',', ';', '\t']) => self.skip()?,
                _ if line.contains('\r') => {
                    let found = "text whose lines end with a carriage return alone";
                    return Err(RecordError::Foreign { found, mend: "save it with line feeds" });
                }
                _ => return Ok((line.to_owned(), said.unwrap_or_else(|| separator(line)))),
            }
        }
    }

    /// Counts a line in which nothing stands: packed, a thousand of them take a byte.
    fn skip(&mut self) -> Result<(), RecordError> {
        self.skipped += 1;
        if self.skipped > MOST_BLANK { Err(RecordError::Blank { most: MOST_BLANK }) } else { Ok(()) }
    }

    /// The next line without its end.
    fn next(&mut self) -> Result<Option<String>, RecordError> {
        self.bytes.clear();
        let most = longest();
        let got = self.from.by_ref().take(most as u64 + 1).read_until(b'\n', &mut self.bytes).map_err(torn)?;
        if got == 0 {
            return Ok(None);
        }
        self.number += 1;
        let place = Place::Line(self.number);
        if got > most {
            return Err(RecordError::LongLine { place, most });
        }
        match std::str::from_utf8(&self.bytes) {
            Ok(text) if self.number > 1 || !text.contains('\0') => {
                Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned()))
            }
            Err(_) if self.number > 1 => Err(RecordError::NotUtf8 { place }),
            _ => Err(RecordError::Unknown),
        }
    }
}

/// Why reading stopped: a gzipped file that was cut or damaged is said to be so.
fn torn(cause: io::Error) -> RecordError {
    match cause.kind() {
        io::ErrorKind::UnexpectedEof => RecordError::Short,
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => RecordError::Damaged,
        _ => RecordError::Io(cause),
    }
}

/// Which sign stands before the decimals, of the numbers seen so far.
#[derive(Default)]
struct Decimals {
    /// Whether it may be a comma.
    allowed: bool,
    comma: Option<(String, Spot)>,
    point: Option<(String, Spot)>,
}

impl Decimals {
    /// The field with a point, where it is a number with a comma.
    fn comma(&mut self, field: &str, spot: impl Fn() -> Spot) -> Result<Option<String>, RecordError> {
        if !self.allowed
            || self.point.is_some() && !field.contains(',')
            || self.comma.is_some() && !field.contains(['.', ','])
        {
            return Ok(None);
        }
        let number = |text: &str| text.parse::<f64>().is_ok();
        let turned = (!field.contains('.') && field.contains(',')).then(|| field.replacen(',', ".", 1));
        let turned = turned.filter(|text| number(text));
        if turned.is_some() {
            self.comma.get_or_insert_with(|| (field.to_owned(), spot()));
        } else if field.contains('.') && number(field) {
            self.point.get_or_insert_with(|| (field.to_owned(), spot()));
        }
        match (&self.comma, &self.point) {
            (Some((comma, of_comma)), Some((point, of_point))) => Err(RecordError::Decimals {
                comma: comma.clone(),
                of_comma: of_comma.clone(),
                point: point.clone(),
                of_point: of_point.clone(),
            }),
            _ => Ok(turned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(content: &[u8]) -> Result<(usize, Vec<f64>), RecordError> {
        rows(
            content,
            |heads| Ok(((heads.len(), Vec::new()), (0..heads.len()).collect())),
            |state, _, row| {
                state.1.push(row.iter().filter_map(|field| field.number()).sum());
                Ok(())
            },
        )
    }

    #[test]
    fn rows_come_one_by_one() {
        assert_eq!(sums(b"\xef\xbb\xbfa;b\r\n1;2\r\n\r\n-0.5;1\r\n").unwrap(), (2, vec![3.0, 0.5]));
        assert_eq!(sums(b"a,b").unwrap(), (2, Vec::new()));
        assert_eq!(sums(b"# of today\n#a,b\n1,2").unwrap(), (2, vec![3.0]));
        assert_eq!(sums(b"sep=;\r\na;b\r\n1;0,5\r\n;\r\n").unwrap(), (2, vec![1.5]));
        assert_eq!(sums(b"a\tb\n\"0,25\"\t1e-1\nNA\t2\n").unwrap(), (2, vec![0.35, 2.0]));
        assert_eq!(sums(b"\"a\"\t\"b\"\n\"1\"\t0.5\t1\n\"2\"\t1\t1\n").unwrap(), (2, vec![1.5, 2.0]), "R's row names");
        assert_eq!(sums(b"a,b\n\"1\n\",\"2\"\n").unwrap(), (2, vec![3.0]));
    }

    #[test]
    fn mistakes_in_rows_have_their_line() {
        let error = |content: &[u8]| sums(content).unwrap_err().to_string();
        assert!(error(b"a,b\r\n1,2\r\n\r\n1").starts_with("line 4 has 1 fields, the first line 2"));
        assert!(error(b"a,b\n7,1,2\n").contains("row.names = FALSE"));
        assert!(error(b"a,b\n1,1,2\n5,1,2\n").starts_with("line 3 has 3 fields"));
        assert!(error(b"a b c\n1 2 3\n").contains("commas, semicolons or tabs"));
        assert!(error(b"a,b\r1,2\r").contains("carriage return"));
        assert!(error(b"1,2\n3,4").contains("no line of names"));
        assert!(error(b"").starts_with("is empty"));
        assert!(error(b"a,\xff").starts_with("is neither text nor Parquet nor Arrow"));
        assert!(error(b"a,b\n1,\xe9").starts_with("line 2 is not UTF-8"));
        assert!(error(b"a,b\n1,\"2\n3,4\n").starts_with("line 2 opens a quote"));
        let both = error(b"a;b\n1,5;2\n1;2.5\n");
        assert!(
            both.contains("`1,5` with a comma in line 2, column `a` and `2.5` with a point in line 3, column `b`"),
            "{both}"
        );
        assert!(error(&[b"a,b\n".as_slice(), &vec![b'1'; longest() + 1]].concat()).starts_with("line 2 has more than"));
        let blank = [b"a,b\n".as_slice(), &b"\n".repeat(MOST_BLANK as usize + 1)].concat();
        assert!(error(&blank).contains("blank lines"));
        let wide = "a,".repeat(MOST_COLUMNS + 1);
        assert!(error(wide.as_bytes()).contains("at most 65536"));
    }
}
