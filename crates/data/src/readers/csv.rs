//! Tables as text: numbers, one label column, perhaps a group column.

use crate::error::Error;
use crate::gather::{Gather, Value, no_label};
use crate::reader::{Found, Input, Options, Reader};
use crate::table::{Cell, Place, Roles, Table, TableError};

/// Most columns: of a row of pictures there are 10,000.
const MOST_COLUMNS: usize = 1 << 20;

/// Reads them as data sets.
pub(crate) struct Csv;

impl Reader for Csv {
    fn takes(&self) -> &'static str {
        "a table as `.csv` or `.tsv`"
    }

    fn detect(&self, input: &Input) -> Result<bool, Error> {
        // Text has no signature.
        Ok(input.ends(&["csv", "tsv", "data"]))
    }

    fn read(&self, input: &Input, _: Options) -> Result<Found, Error> {
        let bytes = input.bytes()?;
        let text = std::str::from_utf8(&bytes).map_err(|e| input.wrong(TableError::NotUtf8(e)))?;
        Ok(Found::One(parse(text).map_err(|e| input.wrong(e))?.whole()))
    }
}

/// Parses comma-, semicolon- or tab-separated text.
///
/// A first line in which any field is no number is the header. The label is the column named `label`, `class`, `target` or `y`,
/// else the last; the group the column named `group` or `groups`. Labels that are all whole numbers keep their order as
/// numbers, others as text. Columns without any number and columns that number the rows are left out, and [`Table::remarks`] says so.
/// Fields may stand in double quotes, without line breaks.
///
/// # Errors
/// What is wrong, with line and column from 1.
pub fn parse(text: &str) -> Result<Table, TableError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()).peekable();
    let &(_, first) = lines.peek().ok_or(TableError::Empty)?;
    let separator = separator(first);
    let head = fields(first, separator)?;
    if head.len() < 2 {
        return Err(TableError::SingleColumn);
    }
    let second =
        text.lines().filter(|line| !line.trim().is_empty()).nth(1).map(|line| fields(line, separator)).transpose()?;
    let (named, roles) = roles(&head, second.as_deref())?;
    if named {
        lines.next();
    }
    let names = if named { head.as_slice() } else { &[] };
    let mut gather = Gather::new(head.len(), names, roles, Vec::new(), false);
    for (line, content) in lines {
        let (place, row) = (Place::Line(line), fields(content, separator)?);
        if row.len() != head.len() {
            return Err(TableError::Fields { place, found: row.len(), expected: head.len() });
        }
        for (column, field) in row.into_iter().enumerate() {
            if !gather.is_named(column) {
                gather.value(column, place, Value::of_text(&field), || field.clone());
            } else if no_label(&field) {
                return Err(TableError::NoLabel { cell: Cell { place, column, name: None } });
            } else {
                gather.name(column, field);
            }
        }
        gather.end_row()?;
    }
    gather.finish()
}

/// Whether the first line has names, and which column is what.
fn roles(head: &[String], second: Option<&[String]>) -> Result<(bool, Roles), TableError> {
    let is_text = |field: &String| field.parse::<f64>().is_err();
    let header = head.iter().any(is_text);
    // Without a header, text labels would look like one: a second line of the same kind decides.
    let same = |row: &[String]| row.len() == head.len() && head.iter().zip(row).all(|(a, b)| is_text(a) == is_text(b));
    let text_labels = header && second.is_some_and(same);
    let of_text: Vec<usize> = (1..).zip(head).filter(|(_, field)| is_text(field)).map(|(column, _)| column).collect();
    if text_labels && of_text.len() > 1 {
        return Err(TableError::UnnamedText { columns: of_text });
    }
    let named = header && !text_labels;
    let text_column = head.iter().position(is_text).filter(|_| text_labels);
    let names = if named { head } else { &[] };
    Ok((named, Roles::new(head.len(), names, text_column)?))
}

/// What separates the fields of a table: of comma, semicolon and tab the most frequent in its first line.
fn separator(first: &str) -> char {
    [',', ';', '\t'].into_iter().max_by_key(|c| first.matches(*c).count()).unwrap_or(',')
}

/// The fields of one line, trimmed, without quotes.
fn fields(line: &str, separator: char) -> Result<Vec<String>, TableError> {
    let mut out = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c == separator && !quoted => {
                if out.len() == MOST_COLUMNS {
                    return Err(TableError::Columns { most: MOST_COLUMNS });
                }
                out.push(std::mem::take(&mut field));
            }
            c => field.push(c),
        }
    }
    out.push(field);
    Ok(out.into_iter().map(|f| f.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_labels_and_groups_are_found() {
        let t = parse("a,class,group,b\n1,10,x,2\n\n3,9,\"y\",4\n").unwrap();
        assert_eq!((t.columns, t.values.as_slice()), (2, [1.0, 2.0, 3.0, 4.0].as_slice()));
        assert_eq!(t.labels, [1, 0], "whole numbers in their order");
        assert_eq!((t.groups.unwrap(), t.group_names), (vec![0, 1], vec!["x".to_owned(), "y".into()]));
        let t = parse("1;2;0\n3;4;1").unwrap();
        assert_eq!((t.columns, t.labels), (2, vec![0, 1]));
        let t = parse("b,1,2\na,3,4\n").unwrap();
        assert_eq!((t.labels, t.values.len()), (vec![1, 0], 4));
        // One column of text and no names: it is the label. Of several it could be any.
        let error = parse("39,Private,x,<=50K\n50,Self,y,>50K\n").unwrap_err().to_string();
        assert!(error.contains("columns 2, 3, 4") && error.contains("called `label`"), "{error}");
        let rows = "39,Private,x,<=50K\n50,Self,y,>50K\n";
        let t = parse(&format!("age,work,kind,label\n{rows}")).unwrap();
        assert_eq!((t.columns, t.class_names), (1, vec!["<=50K".to_owned(), ">50K".into()]));
        // A group in the last column is no label.
        let t = parse("a,b,group\n1,0,x\n2,1,y\n").unwrap();
        assert_eq!((t.values, t.labels, t.groups), (vec![1.0, 2.0], vec![0, 1], Some(vec![0, 1])));
    }

    #[test]
    fn mistakes_have_line_and_column() {
        let error = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(error("x,y\n1,0\n1,2,3\n"), "line 3 has 3 fields, the first line 2");
        assert_eq!(
            error("x,y\nnan,0"),
            "line 2, column 1: no value (`nan`): fill it in, or take the row or the column out"
        );
        assert!(error("x,y\n,0").starts_with("line 2, column 1: no value (``)"));
        assert!(error("x,y\n1,0\n1e39,0").starts_with("line 3, column 1: `1e39` is not a finite number"));
        assert!(error("x,y\n1,").starts_with("line 2, column 2: no label"));
        assert_eq!(error("\n\n"), "is empty");
        assert!(error("1\n2").contains("single column"));
        assert!(error("y,group\n1,2").contains("no column of values"));
    }
}
