//! Tables as comma-separated values.

use std::fmt::Write;

use crate::columns::{Column, Table};

/// A header and one line a row (RFC 4180, with plain newlines); missing numbers are empty, others are written so that they read back
/// exactly. Text that a spreadsheet would compute has an apostrophe before it.
pub fn render(table: &Table) -> String {
    let mut out = table.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(",") + "\n";
    for row in 0..table.rows() {
        for (at, (_, column)) in table.columns.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            // Writing to a String cannot fail.
            let _ = match column {
                Column::Integers(v) => write!(out, "{}", v[row]),
                Column::Known(v) => v[row].map_or(Ok(()), |value| write!(out, "{value}")),
                Column::Numbers(v) if v[row].is_nan() => Ok(()),
                Column::Numbers(v) => write!(out, "{}", v[row]),
                Column::Text(v) => write!(out, "{}", quoted(&v[row])),
            };
        }
        out.push('\n');
    }
    out
}

/// What makes a spreadsheet take a cell for a formula, perhaps after it has trimmed it.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

fn quoted(text: &str) -> String {
    let computed = text.starts_with(['\t', '\r']) || text.trim_start().starts_with(FORMULA);
    let text = &if computed { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_gaps_and_digits() {
        let table = Table {
            columns: vec![
                ("name", Column::Text(vec!["a,\"b\"".into(), "c".into()])),
                ("n", Column::Integers(vec![-1, 2])),
                ("y", Column::Known(vec![None, Some(3)])),
                ("x", Column::Numbers(vec![f64::NAN, 0.1])),
            ],
        };
        assert_eq!(render(&table), "name,n,y,x\n\"a,\"\"b\"\"\",-1,,\nc,2,3,0.1\n");
        assert_eq!(render(&Table::default()), "\n");
        for name in ["=1+1", "+1", "-1", "@SUM(1)", "\tx", "\rx", " =1", "＝1", "=cmd|' /C calc'!A0"] {
            let table =
                Table { columns: vec![("name", Column::Text(vec![name.into()])), ("n", Column::Integers(vec![-1]))] };
            let out = render(&table);
            let cell = out.lines().nth(1).unwrap_or_default().trim_start_matches('"');
            assert!(cell.starts_with('\'') && out.ends_with(",-1\n"), "{out:?}");
        }
        let table =
            Table { columns: vec![("name", Column::Text(vec!["a-b=c".into()])), ("x", Column::Numbers(vec![-0.5]))] };
        assert_eq!(render(&table), "name,x\na-b=c,-0.5\n");
    }
}
