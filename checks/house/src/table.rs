//! What is printed.

use std::io::{self, Write};

/// A place that a row is about.
pub(crate) struct Offence {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) note: String,
}

impl Offence {
    pub(crate) fn new(path: &str, line: usize, note: impl Into<String>) -> Self {
        Self { path: path.into(), line, note: note.into() }
    }
}

/// One measured thing.
pub(crate) struct Row {
    pub(crate) what: String,
    /// `None` where nothing is asked.
    pub(crate) allowed: Option<usize>,
    pub(crate) found: usize,
    pub(crate) offences: Vec<Offence>,
}

impl Row {
    /// A bar on the number of places.
    pub(crate) fn bar(what: &str, allowed: usize, offences: Vec<Offence>) -> Self {
        Self { what: what.into(), allowed: Some(allowed), found: offences.len(), offences }
    }

    /// A number that is only told.
    pub(crate) fn figure(what: &str, found: usize, offences: Vec<Offence>) -> Self {
        Self { what: what.into(), allowed: None, found, offences }
    }

    pub(crate) fn exceeds(&self) -> bool {
        self.allowed.is_some_and(|allowed| self.found > allowed)
    }
}

/// The table, then the places of each row; those of mere figures only where they are asked for.
pub(crate) fn print(out: &mut impl Write, rows: &[Row], figures: bool) -> io::Result<()> {
    let width = rows.iter().map(|row| row.what.chars().count()).max().unwrap_or(0);
    writeln!(out, "{:width$}  allowed  found", "what")?;
    for row in rows {
        let allowed = row.allowed.map_or_else(|| "-".into(), |allowed| allowed.to_string());
        let mark = if row.exceeds() { "  ABOVE" } else { "" };
        writeln!(out, "{:width$}  {allowed:>7}  {:>5}{mark}", row.what, row.found)?;
    }
    for row in rows.iter().filter(|row| !row.offences.is_empty() && (figures || row.allowed.is_some())) {
        writeln!(out, "\n{}:", row.what)?;
        for Offence { path, line, note } in &row.offences {
            writeln!(out, "  {path}:{line}{}{note}", if note.is_empty() { "" } else { "  " })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_above_its_bar_is_marked() {
        let rows = [
            Row::bar("long", 0, vec![Offence::new("a.rs", 3, "f")]),
            Row::bar("kept", 1, vec![Offence::new("b.rs", 1, "")]),
            Row::figure("files", 9, vec![Offence::new("c.rs", 1, "")]),
        ];
        let mut out = Vec::new();
        print(&mut out, &rows, false).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "what   allowed  found\nlong         0      1  ABOVE\nkept         1      1\nfiles        -      9\n\n\
             long:\n  a.rs:3  f\n\nkept:\n  b.rs:1\n"
        );
        assert_eq!(rows.iter().filter(|row| row.exceeds()).count(), 1);
    }
}
