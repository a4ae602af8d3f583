//! Tables as text: numbers, one label column, perhaps a group column.

use crate::table::{GROUPS, LABELS, Table, numbered, role};

/// Parses comma-, semicolon- or tab-separated text.
///
/// A first line in which any field is no number is the header. The label is the column named `label`, `class`, `target` or `y`,
/// else the last; the group the column named `group` or `groups`. Labels that are all whole numbers keep their order as
/// numbers, others as text. Fields may stand in double quotes, without line breaks.
///
/// # Errors
/// What is wrong, with line and column from 1, as a fragment.
pub fn parse(text: &str) -> Result<Table, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()).peekable();
    let &(_, first) = lines.peek().ok_or("is empty")?;
    let separator = separator(first);
    let head = fields(first, separator);
    let width = head.len();
    if width < 2 {
        return Err("has a single column: a label and at least one value are needed".into());
    }
    let header = head.iter().any(|f| f.parse::<f64>().is_err());
    // Without a header, text labels would look like one: a second line of the same kind decides.
    let second = text.lines().filter(|line| !line.trim().is_empty()).nth(1).map(|line| fields(line, separator));
    let text_labels = header
        && second.is_some_and(|row| {
            row.len() == width
                && head.iter().zip(&row).all(|(a, b)| a.parse::<f64>().is_err() == b.parse::<f64>().is_err())
        });
    let named = header && !text_labels;
    let find = |names: &[&str]| named.then(|| role(&head, names)).flatten();
    let text_column = text_labels.then(|| head.iter().position(|f| f.parse::<f64>().is_err())).flatten();
    let label = find(&LABELS).or(text_column).unwrap_or(width - 1);
    let group = find(&GROUPS);
    if named {
        lines.next();
    }
    let (mut values, mut labels, mut groups) = (Vec::new(), Vec::new(), Vec::new());
    for (line, content) in lines {
        let row = fields(content, separator);
        if row.len() != width {
            return Err(format!("line {line} has {} fields, the first line {width}", row.len()));
        }
        for (column, field) in row.into_iter().enumerate() {
            if column == label || Some(column) == group {
                if field.is_empty() {
                    return Err(format!("line {line}, column {}: no label", column + 1));
                }
                if column == label { &mut labels } else { &mut groups }.push(field);
                continue;
            }
            match field.parse::<f32>() {
                Ok(v) if v.is_finite() => values.push(v),
                _ => return Err(format!("line {line}, column {}: `{field}` is not a finite number", column + 1)),
            }
        }
    }
    let columns = width - 1 - usize::from(group.is_some());
    if columns == 0 {
        return Err("has no column of values".into());
    }
    let (labels, _) = numbered(&labels);
    let (groups, group_names) = numbered(&groups);
    Ok(Table { columns, values, labels, groups: group.map(|_| groups), group_names })
}

/// What separates the fields of a table: of comma, semicolon and tab the most frequent in its first line.
pub(crate) fn separator(first: &str) -> char {
    [',', ';', '\t'].into_iter().max_by_key(|c| first.matches(*c).count()).unwrap_or(',')
}

/// The fields of one line, trimmed, without quotes.
pub(crate) fn fields(line: &str, separator: char) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c == separator && !quoted => out.push(String::new()),
            c => {
                let last = out.len() - 1;
                out[last].push(c);
            }
        }
    }
    out.into_iter().map(|f| f.trim().to_owned()).collect()
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
    }

    #[test]
    fn mistakes_have_line_and_column() {
        let error = |text: &str| parse(text).unwrap_err();
        assert_eq!(error("x,y\n1,0\n1,2,3\n"), "line 3 has 3 fields, the first line 2");
        assert_eq!(error("x,y\nnan,0"), "line 2, column 1: `nan` is not a finite number");
        assert_eq!(error("x,y\n,0"), "line 2, column 1: `` is not a finite number");
        assert_eq!(error("x,y\n1,"), "line 2, column 2: no label");
        assert_eq!(error("\n\n"), "is empty");
        assert!(error("1\n2").contains("single column"));
        assert!(error("y,group\n1,2").contains("no column of values"));
    }
}
