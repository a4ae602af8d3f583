//! Classes for labels as they stand in a source: text or numbers of any kind.

use crate::remark::Remark;

/// Most classes: every one needs an output of the network.
pub(crate) const MOST_CLASSES: usize = 65_535;

/// So many classes may have fewer than [`ROWS_PER_CLASS`] examples on average.
const FEW: usize = 2;
/// Examples of a class, on average, without which labels are taken for something else.
const ROWS_PER_CLASS: usize = 3;

/// Why labels are no classes, as the end of a sentence that begins with their source.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LabelError {
    /// Numbers that are measured, not counted.
    #[error(
        "has labels that are no classes: {what} holds {value}, and {distinct} different values in {rows} examples; turn them into classes \
         0, 1, ... first (for example below and above a limit), or call the column of the classes `label`"
    )]
    Continuous {
        /// The column or array.
        what: String,
        /// The first value that is not whole.
        value: String,
        /// Different values.
        distinct: usize,
        /// Examples.
        rows: usize,
    },
    /// Nearly every example with a class of its own.
    #[error(
        "has labels that are no classes: {what} holds {distinct} different values in {rows} examples, more than a third of them; turn them \
         into classes first (for example below and above a limit), call the column of the classes `label`, or bring at least \
         {ROWS_PER_CLASS} examples of a class"
    )]
    OfEach {
        /// The column or array.
        what: String,
        /// Different values.
        distinct: usize,
        /// Examples.
        rows: usize,
    },
    /// More classes than are read.
    #[error(
        "has {found} classes in {what}; at most {MOST_CLASSES} are read: join some of them, or take another column"
    )]
    Classes {
        /// The column or array.
        what: String,
        /// Different values, or the largest label and 1.
        found: u64,
    },
}

/// Labels as numbers of their classes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Numbered {
    /// Class of each example.
    pub(crate) labels: Vec<u32>,
    /// Label of each class.
    pub(crate) names: Vec<String>,
    /// What the numbers were taken for, where that is not plain.
    pub(crate) remark: Option<Remark>,
}

/// Refuses labels of which nearly every example has its own.
pub(crate) fn check_number(what: &str, distinct: usize, rows: usize) -> Result<(), LabelError> {
    if distinct > MOST_CLASSES {
        return Err(LabelError::Classes { what: what.into(), found: distinct as u64 });
    }
    if distinct > FEW && distinct.saturating_mul(ROWS_PER_CLASS) > rows {
        return Err(LabelError::OfEach { what: what.into(), distinct, rows });
    }
    Ok(())
}

/// Numbers for labels: by value where all are numbers, else in the order of text.
///
/// # Errors
/// Labels that are no classes.
pub(crate) fn number(what: &str, labels: &[String]) -> Result<Numbered, LabelError> {
    let mut distinct: Vec<&str> = labels.iter().map(String::as_str).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let value = |text: &str| text.parse::<f64>().ok().filter(|v| v.is_finite());
    let Some(mut numbers) = distinct.iter().map(|text| value(text)).collect::<Option<Vec<f64>>>() else {
        check_number(what, distinct.len(), labels.len())?;
        let class = |text: &String| distinct.binary_search(&text.as_str()).map_or(0, |at| at as u32);
        let numbered = labels.iter().map(class).collect();
        return Ok(Numbered {
            labels: numbered,
            names: distinct.into_iter().map(str::to_owned).collect(),
            remark: None,
        });
    };
    if let Some(at) = numbers.iter().position(|v| v.fract() != 0.0) {
        let (value, distinct, rows) = (distinct[at].to_owned(), distinct.len(), labels.len());
        return Err(LabelError::Continuous { what: what.into(), value, distinct, rows });
    }
    numbers.sort_unstable_by(f64::total_cmp);
    // 1 and 1.0, and both zeros, are one label.
    numbers.dedup_by(|a, b| a == b);
    check_number(what, numbers.len(), labels.len())?;
    let class = |text: &String| {
        let own = value(text).unwrap_or_default();
        numbers.partition_point(|v| *v < own) as u32
    };
    let names: Vec<String> = numbers.iter().map(|v| format!("{}", *v + 0.0)).collect();
    let plain = numbers.iter().enumerate().all(|(class, v)| class as f64 == *v);
    let remark = (!plain).then(|| Remark::Labels { labels: names.clone() });
    Ok(Numbered { labels: labels.iter().map(class).collect(), names, remark })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(labels: &[&str]) -> Result<Numbered, LabelError> {
        number("column `label`", &labels.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn signs_and_counts_from_one_are_classes_and_said() {
        let signs = of(&["1", "-1", "-1", "1"]).unwrap();
        assert_eq!((signs.labels, signs.names), (vec![1, 0, 0, 1], vec!["-1".to_owned(), "1".into()]));
        assert_eq!(signs.remark.unwrap().to_string(), "labels `-1`, `1` are classes 0 to 1");
        let floats = of(&["10.0", "2.0", "1.0", "1.0", "2", "10", "2", "1", "10"]).unwrap();
        assert_eq!(floats.labels, [2, 1, 0, 0, 1, 2, 1, 0, 2]);
        assert_eq!(floats.names, ["1", "2", "10"]);
        assert!(floats.remark.is_some());
        assert_eq!(of(&["0", "1", "1"]).unwrap().remark, None);
        let text = of(&["b", "a", "b"]).unwrap();
        assert_eq!((text.labels, text.names.len(), text.remark), (vec![1, 0, 1], 2, None));
    }

    #[test]
    fn what_is_measured_is_no_class() {
        let error = of(&["0.5", "1", "2"]).unwrap_err().to_string();
        assert!(error.contains("column `label` holds 0.5") && error.contains("`label`"), "{error}");
        let many: Vec<String> = (0..600).map(|i| i.to_string()).collect();
        let error = number("column `y`", &many).unwrap_err().to_string();
        assert!(error.contains("600 different values in 600 examples"), "{error}");
        let many: Vec<String> = (0..4 * 65_536).map(|i| (i % 65_536).to_string()).collect();
        assert!(number("column `y`", &many).unwrap_err().to_string().contains("has 65536 classes"));
    }
}
