//! The numbers behind a figure.

use std::fmt::Write;

/// A cell.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Datum {
    Text(String),
    /// Not finite: missing.
    Number(f64),
}

impl From<&str> for Datum {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<f64> for Datum {
    fn from(v: f64) -> Self {
        Self::Number(v)
    }
}

/// A table: rows of cells under the names of their columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Data {
    columns: Vec<&'static str>,
    rows: Vec<Vec<Datum>>,
}

impl Data {
    pub(crate) fn new(columns: &[&'static str]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// One more row, a cell a column.
    pub(crate) fn push(&mut self, row: Vec<Datum>) {
        debug_assert_eq!(row.len(), self.columns.len());
        self.rows.push(row);
    }

    /// An array of objects whose keys keep the order of the columns. Neither `<` nor `'` stands in it, so that a page can hold it
    /// anywhere.
    pub(crate) fn json(&self) -> String {
        let text = |s: &str| serde_json::Value::from(s).to_string().replace('<', "\\u003c").replace('\'', "\\u0027");
        let mut out = String::from("[");
        for (at, row) in self.rows.iter().enumerate() {
            out.push_str(if at == 0 { "{" } else { ",{" });
            for (k, (name, cell)) in self.columns.iter().zip(row).enumerate() {
                let value = match cell {
                    Datum::Text(s) => text(s),
                    Datum::Number(v) => serde_json::Value::from(*v).to_string(),
                };
                // Writing to a String cannot fail.
                let _ = write!(out, "{}{}:{value}", if k == 0 { "" } else { "," }, text(name));
            }
            out.push('}');
        }
        out + "]"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_read_back_and_cannot_end_the_script() {
        let mut data = Data::new(&["z", "a"]);
        data.push(vec!["</script><!--\"".into(), 0.1.into()]);
        data.push(vec!["b".into(), f64::NAN.into()]);
        let json = data.json();
        assert!(!json.contains('<') && json.starts_with("[{\"z\":"), "{json}");
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((read[0]["z"].as_str(), read[0]["a"].as_f64()), (Some("</script><!--\""), Some(0.1)));
        assert!(read[1]["a"].is_null());
    }
}
