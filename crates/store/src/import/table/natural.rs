//! Names of models, examples, views and classes: whole numbers or text, in natural order.
//!
//! Results must not depend on the order of rows, so that names are sorted and never taken as they come. Numbers inside of text count by
//! value: `seed10` stands behind `seed9`. Whole numbers stand before text.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use flatleak_data::natural;
use flatleak_data::records::{Field, Place};

/// A name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// A whole number.
    Whole(i128),
    /// Text.
    Text(String),
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(v) => write!(f, "{v}"),
            Self::Text(v) => f.write_str(v),
        }
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => a.cmp(b),
            (Self::Whole(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Whole(_)) => Ordering::Greater,
            (Self::Text(a), Self::Text(b)) => natural::order(a, b),
        }
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Names in the order of first appearance, each with its place.
#[derive(Debug, Default)]
pub(super) struct Names {
    all: Vec<(Name, Place)>,
    wholes: HashMap<i128, u32>,
    texts: HashMap<String, u32>,
    /// The last whole number: rows often repeat it.
    last: Option<(i128, u32)>,
}

impl Names {
    /// The number of a name, which is added where it is new; nothing where the field has none.
    pub(super) fn number(&mut self, field: Field<'_>, place: Place) -> Option<u32> {
        let next = self.all.len() as u32;
        let name = match (field.whole(), field.text()) {
            (Some(v), _) => {
                if let Some((_, known)) = self.last.filter(|(last, _)| *last == v) {
                    return Some(known);
                }
                let entry = self.wholes.entry(v);
                let known = matches!(entry, Entry::Occupied(_));
                let number = *entry.or_insert(next);
                self.last = Some((v, number));
                if known {
                    return Some(number);
                }
                Name::Whole(v)
            }
            (None, Some(text)) => {
                let text = text.trim();
                if let Some(known) = self.texts.get(text) {
                    return Some(*known);
                }
                self.texts.insert(text.to_owned(), next);
                Name::Text(text.to_owned())
            }
            (None, None) => return None,
        };
        self.all.push((name, place));
        Some(next)
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// A name and where it first stands.
    pub(super) fn get(&self, number: u32) -> &(Name, Place) {
        &self.all[number as usize]
    }

    /// All, as they came.
    pub(super) fn all(&self) -> &[(Name, Place)] {
        &self.all
    }

    /// Those that are wanted, by number, in natural order.
    pub(super) fn sorted(&self, wanted: impl Fn(u32) -> bool) -> Sorted {
        let mut order: Vec<u32> = (0..self.all.len() as u32).filter(|n| wanted(*n)).collect();
        order.sort_unstable_by(|a, b| self.get(*a).0.cmp(&self.get(*b).0));
        let mut position = vec![0; self.all.len()];
        order.iter().zip(0..).for_each(|(n, at)| position[*n as usize] = at);
        Sorted { order, position }
    }
}

/// Some names in natural order.
#[derive(Debug)]
pub(super) struct Sorted {
    /// Their numbers.
    pub(super) order: Vec<u32>,
    /// By number, where a name stands.
    pub(super) position: Vec<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_text_count_by_value() {
        let mut names = ["img_10.png", "img_9.png", "img_010.png", "IMG", "img", "img_9", "7", "10", "-3", "é1", "é01"];
        let name = |text: &str| text.parse().map_or_else(|_| Name::Text(text.into()), Name::Whole);
        names.sort_by_key(|text| name(text));
        assert_eq!(
            names,
            ["-3", "7", "10", "IMG", "img", "img_9", "img_9.png", "img_010.png", "img_10.png", "é01", "é1"]
        );
    }

    #[test]
    fn order_of_rows_does_not_matter() {
        let place = Place::Row(0);
        let mut names = Names::default();
        for text in ["b", "a", "b", "12", "c"] {
            names.number(Field::Written(text), place);
        }
        assert_eq!(names.number(Field::Missing, place), None);
        assert_eq!(names.number(Field::Number(12.0), place), Some(2), "one number, however it is written");
        let sorted = names.sorted(|n| n != 3);
        assert_eq!((sorted.order, &sorted.position[..3]), (vec![2, 1, 0], &[2, 1, 0][..]));
    }
}
