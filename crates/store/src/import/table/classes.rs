//! Which class a label is.

use flatleak_data::records::{Place, Spot};

use super::super::side::plain;
use super::natural::{Name, Names};
use super::problem::RowsError;

/// Names that a note tells.
const TOLD: usize = 20;

/// What a column can be named by that is a figure over all classes, and no class.
const FIGURES: [&str; 22] = [
    "max",
    "min",
    "mean",
    "avg",
    "median",
    "std",
    "sd",
    "var",
    "sum",
    "total",
    "top",
    "top1",
    "margin",
    "gap",
    "entropy",
    "norm",
    "true",
    "label",
    "target",
    "pred",
    "predicted",
    "correct",
];

/// The outputs that labels have to fit.
#[derive(Clone, Copy)]
pub(super) enum Classes<'a> {
    /// One number per example, whatever the classes.
    None,
    /// So many classes, by number, of columns that begin with this word.
    Count(usize, &'static str),
    /// Classes by name, and their columns.
    Named(&'a [(String, String)]),
}

/// The class of each label, by its number among the names, and what a note should say of it.
pub(super) fn number(
    labels: &Names,
    classes: Classes<'_>,
    column: &str,
) -> Result<(Vec<f64>, Option<String>), RowsError> {
    let spot = |place: Place| Spot { place, column: column.into() };
    if let Classes::Named(columns) = classes {
        return named(labels, columns, spot);
    }
    if labels.all().iter().all(|(name, _)| matches!(name, Name::Whole(_))) {
        return whole(labels, classes, spot).map(|numbers| (numbers, None));
    }
    let sorted = labels.sorted(|_| true);
    let natural: Vec<String> = sorted.order.iter().map(|n| labels.get(*n).0.to_string()).collect();
    if let Classes::Count(count, kind) = classes {
        if natural.len() != count {
            return Err(RowsError::Unordered { names: natural, classes: count, kind });
        }
        let mut text = natural.clone();
        text.sort_unstable();
        if text != natural && !counted(&natural) {
            return Err(RowsError::Orders { text, natural, kind });
        }
    }
    let numbers = sorted.position.iter().map(|at| f64::from(*at)).collect();
    let told = natural.iter().take(TOLD).zip(0..).map(|(name, class)| format!("{name} = {class}"));
    let more = if natural.len() > TOLD { ", ..." } else { "" };
    Ok((numbers, Some(format!("labels in the order of their names: {}{more}", told.collect::<Vec<_>>().join(", ")))))
}

/// Whether names are one word with the numbers from 0 on, so that nothing else can be the order.
fn counted(names: &[String]) -> bool {
    let parts: Option<Vec<(&str, usize)>> = names
        .iter()
        .map(|name| {
            let word = name.trim_end_matches(|c: char| c.is_ascii_digit());
            Some((word, name[word.len()..].parse().ok()?))
        })
        .collect();
    parts.is_some_and(|parts| parts.iter().zip(0..).all(|((word, number), at)| *word == parts[0].0 && *number == at))
}

/// Whole numbers as they are, where they fit.
fn whole(labels: &Names, classes: Classes<'_>, spot: impl Fn(Place) -> Spot) -> Result<Vec<f64>, RowsError> {
    let numbers: Vec<i128> = labels
        .all()
        .iter()
        .map(|(name, _)| match name {
            Name::Whole(v) => *v,
            Name::Text(_) => -1,
        })
        .collect();
    let count = match classes {
        Classes::Count(count, _) => count,
        _ => return Ok(numbers.iter().map(|v| *v as f64).collect()),
    };
    let outside = numbers.iter().position(|v| usize::try_from(*v).map_or(true, |v| v >= count));
    let Some(at) = outside else {
        return Ok(numbers.iter().map(|v| *v as f64).collect());
    };
    let (name, place) = labels.get(at as u32);
    let from_one = numbers.iter().all(|v| (1..=count as i128).contains(v));
    let mend = match numbers.iter().min() {
        Some(-1) if numbers.iter().all(|v| v.abs() == 1) => "write 0 for -1 and 1 for 1",
        Some(_) if from_one => "the labels count from 1: write each less 1",
        _ => "add the columns of the classes that are missing, or leave those examples out of every model",
    };
    Err(RowsError::Class { spot: spot(*place), label: name.clone(), classes: count, mend })
}

/// Labels by the names of the columns: as they stand, or else without case and signs.
fn named(
    labels: &Names,
    columns: &[(String, String)],
    spot: impl Fn(Place) -> Spot,
) -> Result<(Vec<f64>, Option<String>), RowsError> {
    let classes: Vec<String> = columns.iter().map(|(class, _)| class.clone()).collect();
    let mut used = vec![false; classes.len()];
    let mut numbers = Vec::new();
    for (name, place) in labels.all() {
        let text = name.to_string();
        let exact = classes.iter().position(|class| *class == text);
        let alike: Vec<usize> = (0..classes.len()).filter(|at| plain(&classes[*at]) == plain(&text)).collect();
        let class = match (exact, alike.as_slice()) {
            (Some(class), _) | (None, &[class]) => class,
            _ => return Err(RowsError::NoClass { spot: spot(*place), label: name.clone(), classes }),
        };
        used[class] = true;
        numbers.push(class as f64);
    }
    let absent: Vec<usize> = (0..classes.len()).filter(|class| !used[*class]).collect();
    if let Some(class) = absent.iter().find(|class| FIGURES.contains(&plain(&classes[**class]).as_str())) {
        return Err(RowsError::NoExample { column: columns[*class].1.clone() });
    }
    let told = classes.iter().take(TOLD).zip(0..).map(|(name, class)| format!("{name} = {class}"));
    let mut note = format!("labels by the names of the columns: {}", told.collect::<Vec<_>>().join(", "));
    if !absent.is_empty() {
        let names: Vec<&str> = absent.iter().take(TOLD).map(|class| classes[*class].as_str()).collect();
        note += &format!("; no example is of {}", names.join(", "));
    }
    Ok((numbers, Some(note)))
}

#[cfg(test)]
mod tests {
    use flatleak_data::records::Field;

    use super::*;

    fn numbers(names: &[&str], classes: Classes<'_>) -> Result<Vec<f64>, RowsError> {
        let mut labels = Names::default();
        names.iter().zip(0..).for_each(|(name, n)| {
            labels.number(Field::Written(name), Place::Line(n));
        });
        number(&labels, classes, "label").map(|(numbers, _)| numbers)
    }

    #[test]
    fn text_labels_are_numbered_by_their_sorted_names() {
        assert_eq!(numbers(&["dog", "cat", "emu"], Classes::Count(3, "logit")).unwrap(), vec![1.0, 0.0, 2.0]);
        assert_eq!(numbers(&["dog", "cat"], Classes::None).unwrap(), vec![1.0, 0.0]);
        // With a class missing the order says nothing.
        assert!(numbers(&["dog", "cat"], Classes::Count(3, "logit")).unwrap_err().to_string().contains("`logit_cat`"));
        let twelve: Vec<String> = (0..12).map(|k| format!("class_{k}")).collect();
        let twelve: Vec<&str> = twelve.iter().map(String::as_str).collect();
        assert_eq!(numbers(&twelve, Classes::Count(12, "logit")).unwrap()[11], 11.0);
        let error = numbers(&["size 9", "size 10"], Classes::Count(2, "logit")).unwrap_err().to_string();
        assert!(error.contains("sorted as text they are `size 10`, `size 9`"), "{error}");
    }

    #[test]
    fn whole_numbers_stay_as_they_are() {
        assert_eq!(numbers(&["2", "0"], Classes::Count(3, "logit")).unwrap(), vec![2.0, 0.0]);
        let error = |names: &[&str], count| numbers(names, Classes::Count(count, "logit")).unwrap_err().to_string();
        assert!(error(&["1", "2", "3"], 3).contains("write each less 1"));
        assert!(error(&["1", "-1"], 2).contains("write 0 for -1"));
        assert!(error(&["0", "7"], 3).starts_with("line 1, column `label`: the label is 7"));
    }

    #[test]
    fn columns_may_be_named_by_class() {
        let columns = [("dog".to_owned(), "logit_dog".to_owned()), ("Ankle boot".into(), "logit_Ankle boot".into())];
        assert_eq!(numbers(&["ankle_boot", "dog"], Classes::Named(&columns)).unwrap(), vec![1.0, 0.0]);
        assert!(numbers(&["cat"], Classes::Named(&columns)).unwrap_err().to_string().contains("the label is `cat`"));
        // A class of which there is no example is a class nevertheless; a figure over all classes is none.
        assert_eq!(numbers(&["dog"], Classes::Named(&columns)).unwrap(), vec![0.0]);
        let figure = [columns[0].clone(), ("max".into(), "logit_max".into())];
        let error = numbers(&["dog"], Classes::Named(&figure)).unwrap_err().to_string();
        assert!(error.contains("column `logit_max`"), "{error}");
    }
}
